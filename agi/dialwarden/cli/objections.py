"""`dialwarden objection`: callees who said no."""

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
from dialwarden.cli.records import add_import, add_list
from dialwarden.facts import Scope
from dialwarden.imports.objections import noes
from dialwarden.ledger import objections
from dialwarden.ledger.connection import transaction
from dialwarden.ledger.consents import last_word_at
from dialwarden.question import Door


@click.group("objection", short_help="Callees who said no.")
def command() -> None:
    """Callees who said no to a professional. It holds for the very next question."""


@command.command("add", short_help="Record that a callee said no.")
@click.argument("number")
@campaign_option
@click.option("--at", metavar="ISO", help="When; now if not given. Local time of the callee.")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.PROFESSIONAL.value,
    show_default=True,
    help="To the professional, to this campaign only, or to everybody.",
)
@click.option("--person", metavar="ID", default="", help="Joins one consumer's numbers.")
@click.option("--note", metavar="TEXT", default="", help="Kept with it.")
@config_option
@json_option
def add(
    number: str,
    campaign: str,
    at: str | None,
    scope: str,
    person: str,
    note: str,
    config: str | None,
    as_json: bool,
) -> None:
    """Record that the callee at NUMBER objects to being called, for the campaign's professional."""
    site = open_site(config)
    now = utc_now()
    name, entry = site.entry(campaign)
    callee = site.callee(number, entry.region)
    zones = zones_of_callee(callee)
    said = past_option(at, zones, now, day="end")
    with site.writing() as conn, transaction(conn):
        new = objections.NewObjection(
            number=callee.digits,
            person=person,
            professional=entry.mandate.professional,
            campaign=name,
            at=said if at else last_word_at(conn, callee.digits, now),
            recorded_at=now,
            door=Door.CLI,
            scope=Scope(scope),
            by=who(),
            note=note,
        )
        recorded = objections.add(conn, new)
    if as_json:
        print_json(
            {
                "number": callee.e164,
                "professional": new.professional,
                "campaign": name,
                "scope": scope,
                "at": new.at,
                "recorded": recorded,
            }
        )
        return
    to = {"professional": new.professional, "campaign": f"campaign {name}", "all": "everybody"}
    word = "recorded" if recorded else "known already"
    when = clock(new.at.astimezone(zones[0]))
    click.echo(f"objection of {callee.e164} to {to[scope]} {word}, said {when}")


add_import(
    command,
    noes,
    "objection",
    short_help="Take objections from a CSV file.",
    help="Take objections from FILE, a CSV with the header number,professional,at.",
)
add_list(
    command,
    objections.list_objections,
    ("id", "at", "number", "professional", "scope", "campaign", "door", "by", "note"),
    short_help="The objections on record.",
    help="Show the objections on record, in the order in which they were recorded.",
)
