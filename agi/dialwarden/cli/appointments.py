"""`dialwarden appointment`: dates and times that callees agreed to be called at."""

from __future__ import annotations

import click

from dialwarden.cli.common import (
    campaign_option,
    config_option,
    instant_option,
    json_option,
    open_site,
    utc_now,
    who,
    zones_of_callee,
)
from dialwarden.cli.output import clock, print_json, print_json_array, print_table
from dialwarden.ledger import appointments
from dialwarden.ledger.connection import snapshot, transaction


@click.group("appointment", short_help="Dates and times that callees agreed to be called at.")
def command() -> None:
    """Dates and times that callees agreed to be called at. Kept for the rules that use them."""


@command.command("add", short_help="Record an appointment.")
@click.argument("number")
@campaign_option
@click.option("--at", metavar="ISO", required=True, help="When. Local time of the callee.")
@config_option
@json_option
def add(number: str, campaign: str, at: str, config: str | None, as_json: bool) -> None:
    """Record that the callee at NUMBER agreed to be called at an instant."""
    site = open_site(config)
    name, entry = site.entry(campaign)
    callee = site.callee(number, entry.region)
    zones = zones_of_callee(callee)
    instant = instant_option(at, zones)
    assert instant is not None
    with site.writing() as conn, transaction(conn):
        recorded = appointments.add(
            conn,
            number=callee.digits,
            professional=entry.mandate.professional,
            at=instant,
            recorded_at=utc_now(),
            campaign=name,
            by=who(),
        )
    if as_json:
        print_json(
            {
                "number": callee.e164,
                "professional": entry.mandate.professional,
                "campaign": name,
                "at": instant,
                "recorded": recorded,
            }
        )
        return
    word = "recorded" if recorded else "known already"
    click.echo(f"appointment with {callee.e164} {word}: {clock(instant.astimezone(zones[0]))}")


@command.command("list", short_help="The appointments on record.")
@click.option("--number", metavar="N", help="With this callee only.")
@click.option("--campaign", metavar="C", help="Of this campaign only.")
@click.option("--professional", metavar="P", help="Of this professional only.")
@config_option
@json_option
def list_(
    number: str | None,
    campaign: str | None,
    professional: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Show the appointments on record, used ones too, in the order of recording."""
    site = open_site(config)
    digits = site.number_filter(number, campaign)
    with site.reading() as conn, snapshot(conn):
        rows = appointments.list_appointments(
            conn, number=digits, campaign=campaign, professional=professional
        )
        if as_json:
            print_json_array(rows)
            return
        columns = ("id", "at", "number", "professional", "campaign", "used_by", "by")
        names = (column.replace("_", " ") for column in columns)
        print_table(tuple(names), ([row[column] for column in columns] for row in rows))
