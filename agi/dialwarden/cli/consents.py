"""`dialwarden consent`: callees who said yes, and who took it back."""

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
from dialwarden.cli.output import clock, counted, print_json
from dialwarden.cli.records import add_import, add_list
from dialwarden.imports.consents import yeses
from dialwarden.imports.instants import InstantError, read_date
from dialwarden.imports.people import People
from dialwarden.imports.report import RowFault
from dialwarden.ledger import consents
from dialwarden.ledger.connection import transaction


@click.group("consent", short_help="Callees who said yes.")
def command() -> None:
    """Callees who agreed to be called: when, for what, until when, and where the proof is."""


@command.command("grant", short_help="Record a consent.")
@click.argument("number")
@campaign_option
@click.option(
    "--at",
    metavar="ISO",
    help="When it was given; if not said, now, and later than every no on record.",
)
@click.option("--until", metavar="DATE", help="The last day on which it is good.")
@click.option(
    "--scope",
    metavar="S",
    default="professional",
    show_default=True,
    help="For whatever the professional calls about, or a purpose, a sector, a campaign; "
    "`campaign` is this one.",
)
@click.option("--proof", metavar="P", default="", help="Where the record of it is.")
@click.option("--complete", is_flag=True, help="That record holds all that the law asks for.")
@config_option
@json_option
def grant(
    number: str,
    campaign: str,
    at: str | None,
    until: str | None,
    scope: str,
    proof: str,
    complete: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Record that the callee at NUMBER agreed to be called by the campaign's professional."""
    site = open_site(config)
    now = utc_now()
    name, entry = site.entry(campaign)
    callee = site.callee(number, entry.region)
    zones = zones_of_callee(callee)
    try:
        last_day = read_date(until) if until else None
    except InstantError as error:
        raise click.BadParameter(str(error), param_hint="--until") from None
    try:
        scope = People(site.config.campaigns).scope(name if scope == "campaign" else scope)
    except RowFault as error:
        raise click.BadParameter(str(error), param_hint="--scope") from None
    given_at = past_option(at, zones, now, day="start")
    if last_day is not None and last_day < given_at.astimezone(zones[0]).date():
        raise click.BadParameter(
            f"{last_day} lies before the day on which it was given", param_hint="--until"
        )
    professional = entry.mandate.professional
    with site.writing() as conn, transaction(conn):
        if not at:
            given_at = consents.after_every_no(
                conn, number=callee.digits, professional=professional, now=now
            )
        new = consents.NewConsent(
            number=callee.digits,
            professional=professional,
            campaign=name,
            given_at=given_at,
            recorded_at=now,
            until=last_day,
            scope=scope,
            proof=proof,
            complete=complete,
            by=who(),
        )
        recorded = consents.grant(conn, new)
    if as_json:
        print_json(
            {
                "number": callee.e164,
                "professional": new.professional,
                "campaign": name,
                "scope": scope,
                "given_at": new.given_at,
                "until": last_day,
                "proof": proof,
                "complete": complete,
                "recorded": recorded,
            }
        )
        return
    word = "recorded" if recorded else "known already"
    good = f", good through {last_day}" if last_day else ""
    given = clock(new.given_at.astimezone(zones[0]))
    click.echo(f"consent of {callee.e164} to {new.professional} {word}, given {given}{good}")


@command.command("withdraw", short_help="Record that a consent was taken back.")
@click.argument("number")
@campaign_option
@click.option("--at", metavar="ISO", help="When; now if not given.")
@click.option(
    "--scope",
    type=click.Choice(["professional", "campaign"]),
    default="professional",
    show_default=True,
    help="Every consent to the professional, or those that cover this campaign.",
)
@config_option
@json_option
def withdraw(
    number: str, campaign: str, at: str | None, scope: str, config: str | None, as_json: bool
) -> None:
    """Record that the callee at NUMBER took back what was agreed before.

    It is kept even when no consent is on record: one that is imported later and was given before
    is withdrawn from the start.
    """
    site = open_site(config)
    now = utc_now()
    name, entry = site.entry(campaign)
    callee = site.callee(number, entry.region)
    zones = zones_of_callee(callee)
    instant = past_option(at, zones, now, day="end")
    professional = entry.mandate.professional
    with site.writing() as conn, transaction(conn):
        if not at:
            instant = consents.last_word_at(conn, callee.digits, now)
        ended = consents.withdraw(
            conn,
            number=callee.digits,
            professional=professional,
            at=instant,
            recorded_at=now,
            campaign=name if scope == "campaign" else "",
            by=who(),
        )
    if as_json:
        print_json(
            {
                "number": callee.e164,
                "professional": professional,
                "campaign": name,
                "scope": scope,
                "at": instant,
                "ended": ended,
            }
        )
        return
    when = clock(instant.astimezone(zones[0]))
    click.echo(
        f"withdrawal of {callee.e164} from {professional} recorded, {when}: "
        f"it ended {counted(ended, 'consent')}"
    )


add_import(
    command,
    yeses,
    "consent",
    short_help="Take consents from a CSV file.",
    help="Take consents from FILE, a CSV: "
    "number,professional,given_at[,until,scope,proof,complete].",
)
add_list(
    command,
    consents.list_consents,
    ("id", "given_at", "number", "professional", "scope", "until", "complete", "withdrawn_at",
     "proof"),
    short_help="The consents on record.",
    help="Show the consents on record, withdrawn ones too, in the order of recording.",
)  # fmt: skip
