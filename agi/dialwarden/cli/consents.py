"""`dialwarden consent`: callees who said yes, and who took it back."""

from __future__ import annotations

from pathlib import Path

import click

from dialwarden.cli.common import (
    campaign_option,
    config_option,
    file_argument,
    json_option,
    open_site,
    past_option,
    region_option,
    utc_now,
    who,
    zones_of_callee,
)
from dialwarden.cli.importing import people_of, run_import, strict_option, zone_option
from dialwarden.cli.output import clock, counted, print_json, print_json_array, print_table
from dialwarden.imports.consents import yeses
from dialwarden.imports.instants import InstantError, read_date
from dialwarden.imports.people import People
from dialwarden.imports.report import RowFault
from dialwarden.ledger import consents
from dialwarden.ledger.connection import snapshot, transaction


@click.group("consent", short_help="Callees who said yes.")
def command() -> None:
    """Callees who agreed to be called: when, for what, until when, and where the proof is."""


@command.command("grant", short_help="Record a consent.")
@click.argument("number")
@campaign_option
@click.option("--at", metavar="ISO", help="When it was given; now if not said.")
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
    new = consents.NewConsent(
        number=callee.digits,
        professional=entry.mandate.professional,
        campaign=name,
        given_at=given_at,
        recorded_at=now,
        until=last_day,
        scope=scope,
        proof=proof,
        complete=complete,
        by=who(),
    )
    with site.writing() as conn, transaction(conn):
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


@command.command("import", short_help="Take consents from a CSV file.")
@file_argument
@region_option
@zone_option
@strict_option
@config_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    file: Path,
    region: str,
    zone: str,
    strict: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Take consents from FILE, a CSV: number,professional,given_at[,until,scope,proof,complete].

    Rows that are on record already are counted and skipped: running it twice is safe.
    """
    site = open_site(config)
    people = people_of(site, region, zone)
    now, by = utc_now(), who()
    ctx.exit(
        run_import(
            site,
            file,
            lambda report: yeses(people, report, now=now, by=by),
            "consent",
            strict=strict,
            as_json=as_json,
        )
    )


@command.command("list", short_help="The consents on record.")
@click.option("--number", metavar="N", help="Of this callee only.")
@click.option("--campaign", metavar="C", help="Recorded for this campaign only.")
@click.option("--professional", metavar="P", help="To this professional only.")
@config_option
@json_option
def list_(
    number: str | None,
    campaign: str | None,
    professional: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Show the consents on record, withdrawn ones too, in the order of recording."""
    site = open_site(config)
    digits = site.number_filter(number, campaign)
    with site.reading() as conn, snapshot(conn):
        rows = consents.list_consents(
            conn, number=digits, campaign=campaign, professional=professional
        )
        if as_json:
            print_json_array(rows)
            return
        columns = ("id", "given_at", "number", "professional", "scope", "until", "complete",
                   "withdrawn_at", "proof")  # fmt: skip
        names = (column.replace("_", " ") for column in columns)
        print_table(tuple(names), ([row[column] for column in columns] for row in rows))
