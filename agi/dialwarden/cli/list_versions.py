"""`dialwarden list versions`, `rollback` and `diff`: what became of a list from file to file."""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

import click
from pyroaring import BitMap64

from dialwarden.cli.common import config_option, json_option, open_site, utc_now, who
from dialwarden.cli.importing import checked_region, progress
from dialwarden.cli.known_lists import KnownList, known_list, known_lists, today_of
from dialwarden.cli.output import clock, counted, print_json, print_json_array, print_table, warn
from dialwarden.errors import ImportRefused
from dialwarden.imports.lists import read_list
from dialwarden.imports.numbers import NumberReader
from dialwarden.imports.report import Report
from dialwarden.ledger.connection import snapshot, transaction
from dialwarden.ledger.lists import (
    Head,
    known_names,
    live_head,
    read_body,
    roll_back,
    version_of,
    versions,
)

_SHORT_SHA = 12


@click.command("versions", short_help="Every version of a list, the newest first.")
@click.argument("name")
@config_option
@json_option
def versions_(name: str, config: str | None, as_json: bool) -> None:
    """Show every version of list NAME that is kept, also those that were taken back."""
    site = open_site(config)
    now = utc_now()
    lists = known_lists(site.config, now.date())
    with site.reading() as conn, snapshot(conn):
        _heard_of(conn, name, lists)
        live = live_head(conn, name)
        heads = list(versions(conn, name))[::-1]
    if as_json:
        print_json_array(version_row(head, live) for head in heads)
        return
    print_table(
        ("version", "numbers", "as of", "imported", "source", "sha256", "", "why"),
        (
            (
                head.version, f"{head.count:,}", head.as_of, head.imported_at, head.source,
                head.sha256[:_SHORT_SHA], _mark(head, live), head.withdrawn_why,
            )
            for head in heads
        ),
    )  # fmt: skip


def _heard_of(conn: sqlite3.Connection, name: str, lists: Mapping[str, KnownList]) -> None:
    """Refuse a name that neither the ledger nor the configuration knows, with the nearest."""
    if name not in known_names(conn):
        known_list(lists, name)


def _mark(head: Head, live: Head | None) -> str:
    if head.withdrawn_at is not None:
        return f"taken back {clock(head.withdrawn_at)} by {head.withdrawn_by}"
    return "in force" if live is not None and head.version == live.version else ""


def version_row(head: Head, live: Head | None) -> dict[str, object]:
    return {
        "version": head.version,
        "name": head.name,
        "count": head.count,
        "as_of": head.as_of,
        "imported_at": head.imported_at,
        "source": head.source,
        "sha256": head.sha256,
        "in_force": live is not None and head.version == live.version,
        "withdrawn_at": head.withdrawn_at,
        "withdrawn_by": head.withdrawn_by,
        "withdrawn_why": head.withdrawn_why,
    }


@click.command("rollback", short_help="Take the version in force back.")
@click.argument("name")
@click.option("--why", metavar="TEXT", default="", help="Kept with it.")
@config_option
@json_option
@click.pass_context
def rollback(ctx: click.Context, name: str, why: str, config: str | None, as_json: bool) -> None:
    """Take the version of list NAME that is in force back: the one before holds again.

    It is kept, as what calls were judged by. What `list add` and `list remove` did stays in force.
    Exit status 1 when there is none before.
    """
    site = open_site(config)
    now = utc_now()
    lists = known_lists(site.config, now.date())
    with site.writing() as conn, transaction(conn):
        _heard_of(conn, name, lists)
        done = roll_back(conn, name, at=now, by=who(), why=why)
        live = live_head(conn, name)
        before = None if done or live is None else live_head(conn, name, but=live.version)
    if done is None:
        if live is None:
            what = "it was never imported"
        elif before is None:
            what = f"version {live.version} is the only one"
        else:
            what = f"the numbers of version {before.version}, before it, were removed by a purge"
        warn(f"list {name} stays as it is: {what}; import another file in its place")
        ctx.exit(1)
    withdrawn, head = done
    today = today_of(lists.get(name), now)
    age = _age(head, today)
    stale_from = _stale_from(lists.get(name), head)
    stale = stale_from is not None and today >= stale_from
    if as_json:
        told = {**version_row(head, head), "age_days": age, "stale_from": stale_from}
        print_json(
            {"list": name, "withdrawn": version_row(withdrawn, head),
             "in_force": {**told, "stale": stale}}
        )  # fmt: skip
    else:
        of = f", as of {head.as_of}, {age} days old" if head.as_of else ""
        click.echo(
            f"version {withdrawn.version} of list {name} ({counted(withdrawn.count, 'number')}) is "
            f"taken back; version {head.version} is in force: {counted(head.count, 'number')}{of}"
        )
    if stale:
        warn(
            f"list {name} is stale since {stale_from}: calls that ask for it are refused "
            "until a newer file is imported"
        )


def _age(head: Head, today: date) -> int | None:
    return (today - head.as_of).days if head.as_of else None


def _stale_from(known: KnownList | None, head: Head) -> date | None:
    return known.stale_from(head.as_of) if known else None


@click.command("diff", short_help="What changed from one version to another.")
@click.argument("name")
@click.argument("old", type=int, required=False)
@click.argument("new", type=int, required=False)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare the version in force with this file, as an import would read it.",
)
@click.option("--column", metavar="NAME", help="The file's column of the numbers.")
@click.option("--region", metavar="R", default="", help="How the file's national numbers are read.")
@click.option("--numbers", is_flag=True, help="The numbers too, not only how many.")
@click.option("--csv", "as_csv", is_flag=True, help="The numbers as CSV: number,change.")
@config_option
@json_option
def diff(
    name: str,
    old: int | None,
    new: int | None,
    file: Path | None,
    column: str | None,
    region: str,
    numbers: bool,
    as_csv: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Say how many numbers came and went from version OLD of list NAME to version NEW.

    Without both, from the version before the one in force to that. Overlays are in neither.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms: choose one")
    if file is not None and old is not None:
        raise click.UsageError("--file is compared with the version in force: name no version")
    site = open_site(config)
    now = utc_now()
    lists = known_lists(site.config, now.date())
    with site.reading() as conn, snapshot(conn):
        _heard_of(conn, name, lists)
        if file is not None:
            before = _in_force(conn, name)
            known = known_list(lists, name)
            after = _of_file(file, known, checked_region(region) or known.region, column, now)
            to: object = str(file)
        else:
            before, head = _two(conn, name, old, new)
            after, to = read_body(conn, head).numbers, head.version
        first = read_body(conn, before).numbers
    added, removed = after - first, first - after
    changes = ((number, change) for change, which in (("added", added), ("removed", removed))
               for number in which)  # fmt: skip
    counts = {"list": name, "old": before.version, "new": to, "added": len(added),
              "removed": len(removed), "kept": len(first & after)}  # fmt: skip
    if as_json:
        more = {"added_numbers": [f"+{one}" for one in added],
                "removed_numbers": [f"+{one}" for one in removed]}  # fmt: skip
        print_json({**counts, **(more if numbers else {})})
        return
    if as_csv:
        _write_csv(changes)
        return
    click.echo(
        f"list {name}, version {before.version} to {to}: {len(added):,} added, "
        f"{len(removed):,} removed, {counts['kept']:,} kept"
    )
    if numbers:
        for number, change in changes:
            click.echo(f"{'+' if change == 'added' else '-'} +{number}")


def _write_csv(changes: Iterator[tuple[int, str]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("number", "change"))
    writer.writerows((f"+{number}", change) for number, change in changes)


def _in_force(conn: sqlite3.Connection, name: str) -> Head:
    live = live_head(conn, name)
    if live is None:
        raise click.UsageError(
            f"no version of list {name} is in force: there is nothing to compare"
        )
    return live


def _two(
    conn: sqlite3.Connection, name: str, old: int | None, new: int | None
) -> tuple[Head, Head]:
    after = _in_force(conn, name) if new is None else _named(conn, name, new)
    if old is not None:
        return _named(conn, name, old), after
    before = [
        head for head in versions(conn, name)
        if head.version != after.version and head.withdrawn_at is None
    ]  # fmt: skip
    if not before:
        raise click.UsageError(f"list {name} has but one version: there is nothing to compare")
    return max(
        before, key=lambda head: (head.as_of or head.imported_at.date(), head.version)
    ), after


def _named(conn: sqlite3.Connection, name: str, version: int) -> Head:
    found = version_of(conn, name, version)
    if found is None:
        known = ", ".join(str(head.version) for head in versions(conn, name))
        raise click.UsageError(f"list {name} has no version {version} (it has {known or 'none'})")
    return found


def _of_file(
    file: Path, known: KnownList, region: str, column: str | None, now: datetime
) -> BitMap64:
    report = Report(str(file))
    with progress(file) as bar:
        found = read_list(
            file, NumberReader(region), report, column=column,
            today=today_of(known, now), progress=bar,
        )  # fmt: skip
    if report.bad and not found.numbers:
        first = report.bad_rows[0]
        raise ImportRefused(str(file), f"not one row could be read ({first.reason})",
                            "name the column with --column or the region with --region",
                            line=first.line)  # fmt: skip
    if report.bad:
        warn(f"{file}: {counted(report.bad, 'row')} could not be read as they stand")
    return found.numbers
