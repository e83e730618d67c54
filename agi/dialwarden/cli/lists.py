"""`dialwarden list`: import a list, look at it, put one number on it or take it off."""

from __future__ import annotations

from collections.abc import Sized
from datetime import date, datetime
from pathlib import Path

import click

from dialwarden.cli import list_versions
from dialwarden.cli.common import (
    config_option,
    file_argument,
    json_option,
    open_site,
    utc_now,
    who,
)
from dialwarden.cli.importing import checked_region, progress, strict_option, tell
from dialwarden.cli.known_lists import KnownList, known_list, known_lists, today_of
from dialwarden.cli.output import clock, counted, print_json, print_json_array, print_table, warn
from dialwarden.errors import ImportRefused
from dialwarden.imports.instants import InstantError, read_date
from dialwarden.imports.lists import read_list
from dialwarden.imports.numbers import NumberReader
from dialwarden.imports.report import Report
from dialwarden.ledger.connection import snapshot, transaction
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.lists import (
    Head,
    ListStatus,
    Op,
    import_version,
    known_names,
    live_head,
    overlay,
    status,
)
from dialwarden.settings.sections import ListKind

_REGION_HELP = "ISO 3166: how national numbers are read, where the configuration does not say."


@click.group("list", short_help="Opposition and exempt lists.")
def command() -> None:
    """Opposition lists: numbers that are never called. Exempt lists: numbers never judged.

    A list is known by [lists.NAME] in the configuration, or because a campaign's policy asks
    for it (bloctel, rpo). One that is asked for and was never imported refuses every call.
    """


@command.command("import", short_help="Make a file the list's newest version.")
@click.argument("name")
@file_argument
@click.option(
    "--as-of",
    metavar="DATE",
    help="The day that the file speaks of; needed for a list with a greatest age.",
)
@click.option("--column", metavar="NAME", help="The column of the numbers, if not `number`.")
@click.option("--region", metavar="R", default="", help=_REGION_HELP)
@strict_option
@click.option(
    "--force", is_flag=True, help="Also a file of less than two thirds of the numbers in force."
)
@config_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    name: str,
    file: Path,
    as_of: str | None,
    column: str | None,
    region: str,
    strict: bool,
    force: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Make FILE the newest version of list NAME: it holds from the next question on.

    For a running bridge one of more than 100,000 numbers holds once it is in memory, a second or
    so later; until then the version before does.

    FILE is a CSV with a column `number` (and perhaps `since`, a date), or holds one number a line
    and nothing else; plain, gzip or zip. Rows that cannot be read are told and left out. An empty
    file makes the list known. What `list add` and `list remove` did stays in force.

    A file of less than two thirds of the numbers that are in force is refused, with exit status 1:
    half of a file looks like one.
    """
    site = open_site(config)
    now = utc_now()
    known = known_list(known_lists(site.config, now.date()), name)
    region = checked_region(region) or known.region
    today = today_of(known, now, region)
    day = _as_of(as_of, known, today)
    report = Report(str(file))
    with progress(file) as bar:
        contents = read_list(
            file,
            NumberReader(region),
            report,
            column=column,
            today=today,
            progress=bar,
        )
    version = None
    if report.bad and not contents.numbers and not strict:
        # A wrong column or region would otherwise empty the list, and unblock everybody on it.
        first = report.bad_rows[0]
        raise ImportRefused(
            str(file),
            f"not one of its {counted(report.bad, 'row')} could be read ({first.reason})",
            "name the column with --column or the region with --region; list "
            f"{name} stays as it was (an empty file would empty it)",
            line=first.line,
        )
    if strict and report.bad:
        report.added = report.duplicates = 0
        report.refused = True
    else:
        with site.writing() as conn:
            before = live_head(conn, name)
            shrunk = _shrunk(before, len(contents.numbers), day)
            if before is not None and shrunk and not force:
                report.added = report.duplicates = 0
                report.refused = True
                report.refusal = f"list {name} would shrink by more than a third (--force)"
                report.warn(
                    f"list {name} stays as it was: {file.name} has "
                    f"{counted(len(contents.numbers), 'number')}, and version {before.version} in "
                    f"force has {counted(before.count, 'number')}; see whether the file is whole, "
                    "or say --force"
                )
            else:
                version = import_version(
                    conn,
                    name,
                    contents.numbers,
                    since=contents.since,
                    as_of=day,
                    imported_at=now,
                    source=file.name,
                    sha256=contents.sha256,
                )
                _warn_of(report, name, version, before, live_head(conn, name), contents.numbers)
    more: dict[str, object] = {
        "list": name,
        "version": version,
        "as_of": day.isoformat() if day else None,
        "sha256": contents.sha256,
    }
    ctx.exit(tell(report, "number", more, again="twice in the file", as_json=as_json))


def _shrunk(before: Head | None, count: int, day: date | None) -> bool:
    """Whether a file that would be in force has lost more than a third of what is."""
    if before is None or (day is not None and before.as_of is not None and day < before.as_of):
        return False
    return 3 * count < 2 * before.count


def _warn_of(
    report: Report, name: str, version: int, before: Head | None, live: Head | None, new: Sized
) -> None:
    if before is not None and before.count > len(new):
        report.warn(
            f"list {name} had {counted(before.count, 'number')} before, and has "
            f"{counted(len(new), 'number')} now"
        )
    if live is not None and live.version != version:
        report.warn(
            f"version {version} of list {name} is not in force: version {live.version}, "
            f"imported {clock(live.imported_at)}, speaks of a later day ({live.as_of})"
        )


def _as_of(text: str | None, known: KnownList, today: date) -> date | None:
    if text is None:
        if known.dated:
            raise click.UsageError(
                f"list {known.name} has a greatest age"
                + (f" ({known.limit_days} days)" if known.limit_days else "")
                + ": say with --as-of DATE which day the file speaks of"
            )
        return None
    try:
        day = read_date(text)
    except InstantError as error:
        raise click.BadParameter(str(error), param_hint="--as-of") from None
    if day > today:
        raise click.BadParameter(f"{day} lies in the future", param_hint="--as-of")
    return day


for _more in (list_versions.versions_, list_versions.rollback, list_versions.diff):
    command.add_command(_more)


@command.command("status", short_help="Versions, ages and counts of the lists.")
@click.argument("name", required=False)
@config_option
@json_option
def status_(name: str | None, config: str | None, as_json: bool) -> None:
    """Show what is on record of each list, or of list NAME alone.

    Lists that were imported under a configuration that knew them are shown too.
    """
    site = open_site(config)
    now = utc_now()
    lists = known_lists(site.config, now.date())
    with site.reading() as conn, snapshot(conn):
        recorded = known_names(conn)
        if name is not None and name not in recorded:
            known_list(lists, name)
        names = [name] if name is not None else sorted({*lists, *recorded})
        rows = [_row(lists.get(each), status(conn, each), now) for each in names]
    if as_json:
        print_json_array(rows)
        return
    print_table(
        ("list", "kind", "numbers", "as of", "age", "limit", "stale from", "added", "removed",
         "imported", "source", "sha256"),
        (
            (
                row["name"], row["kind"] or "not configured",
                "never imported" if row["version"] is None else f"{row['count']:,}",
                row["as_of"], _days(row["age_days"]), _days(row["limit_days"]),
                f"{row['stale_from']}{' (stale)' if row['stale'] else ''}"
                if row["stale_from"] else "",
                row["added"], row["removed"], row["imported_at"], row["source"],
                str(row["sha256"] or "")[:12],
            )
            for row in rows
        ),
    )  # fmt: skip
    if name is not None and rows[0]["withdrawn"]:
        told = counted(int(str(rows[0]["withdrawn"])), "version")
        click.echo(f"{told} taken back: dialwarden list versions {name}")


def _days(days: object) -> str:
    return "" if days is None else f"{days} d"


def _row(known: KnownList | None, found: ListStatus, now: datetime) -> dict[str, object]:
    head = found.head
    as_of = head.as_of if head else None
    today = today_of(known, now)
    stale_from = known.stale_from(as_of) if known else None
    opposes = known is not None and known.kind is ListKind.OPPOSITION
    never_dated = known is not None and known.limit_days is not None and as_of is None
    return {
        "name": found.name,
        "kind": known.kind.value if known else None,
        "version": head.version if head else None,
        "versions": found.versions,
        "withdrawn": found.withdrawn,
        "count": head.count if head else None,
        "as_of": as_of,
        "age_days": (today - as_of).days if as_of else None,
        "limit_days": known.limit_days if known else None,
        "stale_from": stale_from,
        "stale": opposes
        and (head is None or never_dated or (stale_from is not None and today >= stale_from)),
        "source": head.source if head else None,
        "sha256": head.sha256 if head else None,
        "imported_at": head.imported_at if head else None,
        "added": found.added,
        "removed": found.removed,
    }


def _put(
    op: Op, name: str, number: str, region: str, note: str, config: str | None, as_json: bool
) -> None:
    site = open_site(config)
    now = utc_now()
    known = known_list(known_lists(site.config, now.date()), name)
    callee = site.callee(number, checked_region(region) or known.region)
    with site.writing() as conn, transaction(conn):
        overlay(conn, name, callee.digits, op, at=now, by=who(), note=note)
        never = status(conn, name).head is None
    if as_json:
        print_json({"list": name, "number": callee.e164, "op": op.value, "at": now, "note": note})
    else:
        word = "added to" if op is Op.ADD else "removed from"
        click.echo(f"{callee.e164} {word} list {name}, whatever is imported later")
    if never and known.kind is ListKind.OPPOSITION:
        warn(
            f"list {name} was never imported, and refuses every call until it is: "
            f"dialwarden list import {name} FILE (an empty file will do)"
        )


@command.command("add", short_help="Put one number on a list.")
@click.argument("name")
@click.argument("number")
@click.option("--note", metavar="TEXT", default="", help="Why; kept with it.")
@click.option("--region", metavar="R", default="", help=_REGION_HELP)
@config_option
@json_option
def add(name: str, number: str, note: str, region: str, config: str | None, as_json: bool) -> None:
    """Put NUMBER on list NAME. It stays there whatever is imported later; no date is moved."""
    _put(Op.ADD, name, number, region, note, config, as_json)


@command.command("remove", short_help="Take one number off a list.")
@click.argument("name")
@click.argument("number")
@click.option("--note", metavar="TEXT", default="", help="Why; kept with it.")
@click.option("--region", metavar="R", default="", help=_REGION_HELP)
@config_option
@json_option
def remove(
    name: str, number: str, note: str, region: str, config: str | None, as_json: bool
) -> None:
    """Take NUMBER off list NAME. It stays off whatever is imported later; no date is moved."""
    _put(Op.REMOVE, name, number, region, note, config, as_json)


@command.command("has", short_help="Whether a number stands in a list.")
@click.argument("name")
@click.argument("number")
@click.option("--region", metavar="R", default="", help=_REGION_HELP)
@config_option
@json_option
@click.pass_context
def has(
    ctx: click.Context, name: str, number: str, region: str, config: str | None, as_json: bool
) -> None:
    """Say whether NUMBER stands in list NAME now. Exit status 0: it does; 1: it does not."""
    site = open_site(config)
    known = known_list(known_lists(site.config, utc_now().date()), name)
    callee = site.callee(number, checked_region(region) or known.region)
    with site.reading() as conn, snapshot(conn):
        cache = ListCache()
        cache.refresh(conn)
        found = cache.look_up(conn, [name], callee.digits)[name]
    if as_json:
        print_json(
            {
                "list": name,
                "number": callee.e164,
                "listed": found.listed,
                "since": found.since,
                "version": found.version,
                "as_of": found.as_of,
            }
        )
    else:
        told = "is on" if found.listed else "is not on"
        since = f" since {found.since}" if found.since else ""
        of = f" of {found.as_of}" if found.as_of else ""
        never = ", which was never imported" if found.version is None else ""
        click.echo(f"{callee.e164} {told} list {name}{of}{since}{never}")
    ctx.exit(0 if found.listed else 1)
