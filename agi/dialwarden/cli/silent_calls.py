"""`dialwarden silent`: calls that the callee answered and that no agent took."""

from __future__ import annotations

import click

from dialwarden.cli.common import (
    campaign_option,
    config_option,
    json_option,
    open_site,
    past_option,
    utc_now,
    who,
    zones_of_callee,
)
from dialwarden.cli.output import clock, print_json
from dialwarden.cli.records import add_list
from dialwarden.ledger import silent_calls
from dialwarden.ledger.connection import transaction


@click.group("silent", short_help="Calls that were answered and that no agent took.")
def command() -> None:
    """Calls that the callee answered and that no agent took: some laws ask to wait after one."""


@command.command("add", short_help="Record that a call fell silent.")
@click.argument("number")
@campaign_option
@click.option("--at", metavar="ISO", help="When; now if not given. Local time of the callee.")
@click.option("--person", metavar="ID", default="", help="Joins one consumer's numbers.")
@config_option
@json_option
def add(
    number: str, campaign: str, at: str | None, person: str, config: str | None, as_json: bool
) -> None:
    """Record that the callee at NUMBER answered and found nobody on the line."""
    site = open_site(config)
    now = utc_now()
    name, entry = site.entry(campaign)
    callee = site.callee(number, entry.region)
    zones = zones_of_callee(callee)
    fell = past_option(at, zones, now, day="end")
    professional = entry.mandate.professional
    with site.writing() as conn, transaction(conn):
        if not at:
            fell = silent_calls.after_its_call(
                conn, number=callee.digits, professional=professional, now=now
            )
        new = silent_calls.NewSilentCall(
            number=callee.digits,
            person=person,
            professional=professional,
            campaign=name,
            at=fell,
            recorded_at=now,
            by=who(),
        )
        recorded = silent_calls.add(conn, new)
    if as_json:
        print_json(
            {
                "number": callee.e164,
                "professional": professional,
                "campaign": name,
                "at": new.at,
                "recorded": recorded,
            }
        )
        return
    word = "recorded" if recorded else "known already"
    click.echo(f"silent call to {callee.e164} {word}: {clock(new.at.astimezone(zones[0]))}")


add_list(
    command,
    silent_calls.list_silent_calls,
    ("id", "at", "number", "professional", "campaign", "attempt", "by"),
    short_help="The silent calls on record.",
    help="Show the silent calls on record, in the order in which they were recorded.",
)
