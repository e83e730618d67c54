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
from dialwarden.cli.output import clock, print_json
from dialwarden.cli.records import add_list
from dialwarden.ledger import appointments
from dialwarden.ledger.connection import transaction


@click.group("appointment", short_help="Dates and times that callees agreed to be called at.")
def command() -> None:
    """Dates and times that callees agreed to be called at, each good for one call."""


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
    now = utc_now()
    if instant < now:
        raise click.BadParameter(
            f"{at} lies in the past; an appointment lies ahead", param_hint="--at"
        )
    with site.writing() as conn, transaction(conn):
        recorded = appointments.add(
            conn,
            number=callee.digits,
            professional=entry.mandate.professional,
            at=instant,
            recorded_at=now,
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


add_list(
    command,
    appointments.list_appointments,
    ("id", "at", "number", "professional", "campaign", "used_by", "by"),
    short_help="The appointments on record.",
    help="Show the appointments on record, in the order of recording; those that were used name "
    "the attempt that used them.",
)
