"""`dialwarden refusals`: the calls that were refused, and why."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial

import click

from dialwarden.cli.common import config_option, json_option, open_site, utc_now
from dialwarden.cli.following import follow as followed
from dialwarden.cli.following import to_its_end
from dialwarden.cli.output import (
    clock,
    csv_cell,
    json_line,
    print_json_array,
    print_table,
    printable,
    unpacked,
)
from dialwarden.cli.spans import since_option, span, until_option
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.refusals import list_refusals
from dialwarden.numbers import Number, read_number, zone
from dialwarden.question import Door
from dialwarden.verdict import Rule

_COLUMNS = (
    "id", "at", "number", "dialled", "campaign", "professional", "rule", "rules", "reason", "next",
    "regime", "door", "call", "asked_by", "would",
)  # fmt: skip


@click.command("refusals", short_help="The calls that were refused, and why.")
@since_option
@until_option
@click.option("--campaign", metavar="C", help="Of this campaign only.")
@click.option("--rule", type=click.Choice([rule.value for rule in Rule]), help="Where it failed.")
@click.option("--number", metavar="N", help="Of this callee only.")
@click.option("--door", type=click.Choice([door.value for door in Door]), help="Refused there.")
@click.option(
    "--would/--enforced",
    default=None,
    help="Only those that were let go all the same (shadow mode, a bypass); only the others.",
)
@click.option("--follow", "-f", is_flag=True, help="Then wait for more; without --since, new ones.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV for a spreadsheet.")
@config_option
@json_option
def command(
    since: str | None,
    until: str | None,
    campaign: str | None,
    rule: str | None,
    number: str | None,
    door: str | None,
    would: bool | None,
    follow: bool,
    as_csv: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Show the calls that were refused, the newest at the bottom, callees' numbers in clear.

    For people, times are those where the callee is, or where all campaigns are if that is not
    known; `--json` and `--csv` have UTC. What was let go all the same is marked so.

    With --json one array; with --json --follow one object a line. --follow ends with Ctrl-C, or
    when nobody reads on, exit status 0, and outlives a ledger that is replaced.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json: choose one")
    if follow and until is not None:
        raise click.UsageError("--follow has no end: leave out --until")
    site = open_site(config)
    now = utc_now()
    start, end = span(since, until, site.zones, now)
    wanted = partial(
        list_refusals,
        until=end,
        campaign=campaign,
        rule=Rule(rule) if rule else None,
        number=site.number_filter(number, campaign),
        door=Door(door) if door else None,
        would=would,
    )
    home = site.zones[0] if len(site.zones) == 1 else UTC
    if follow:
        rows = followed(site, wanted, start or now)
        to_its_end(partial(_print_as_they_come, rows, home, as_json=as_json, as_csv=as_csv))
        return
    with site.reading() as conn, snapshot(conn):
        rows = wanted(conn, since=start)
        if as_json:
            print_json_array(unpacked(rows))
        elif as_csv:
            _print_csv(rows)
        else:
            print_table(
                ("at", "number", "campaign", "rules", "reason", "next", "door", "by"),
                (
                    (_local(row["at"], row, home), row["number"] or row["dialled"],
                     row["campaign"], _rules(row), _reason(row),
                     _local(row["next"], row, home), row["door"], row["asked_by"])
                    for row in rows
                ),
            )  # fmt: skip


def _local(at: object, row: Mapping[str, object], home: tzinfo) -> datetime | None:
    """An instant of a row where its callee is, if that is one time zone."""
    return at.astimezone(_zone_of(str(row["number"])) or home) if isinstance(at, datetime) else None


@lru_cache(maxsize=4096)
def _zone_of(number: str) -> tzinfo | None:
    read = read_number(number, region="")
    names = {place.zone for place in read.places} if isinstance(read, Number) else set()
    return zone(names.pop()) if len(names) == 1 else None


def _rules(row: Mapping[str, object]) -> str:
    return f"{row['rules']}{' (let go)' if row['would'] else ''}"


def _reason(row: Mapping[str, object]) -> str:
    """The sentence of the first failing rule."""
    findings = row["findings"]
    if isinstance(findings, list) and findings and isinstance(findings[0], dict):
        return str(findings[0].get("reason", ""))
    return ""


def _print_as_they_come(
    rows: Iterator[dict[str, object]], home: tzinfo, *, as_json: bool, as_csv: bool
) -> None:
    if as_csv:
        _print_csv(rows)
        return
    for row in rows:
        click.echo(json_line(row) if as_json else _line(row, home))
        sys.stdout.flush()


def _line(row: Mapping[str, object], home: tzinfo) -> str:
    at, following = _local(row["at"], row, home), _local(row["next"], row, home)
    assert at is not None
    next_ = f"; next {clock(following)}" if following is not None else ""
    who = row["number"] or row["dialled"]
    return printable(f"{clock(at)}  {who}  {row['campaign']}  {_rules(row)}: {_reason(row)}{next_}")


def _print_csv(rows: Iterable[Mapping[str, object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)
    sys.stdout.flush()
    for row in rows:
        cells = {**row, "reason": _reason(row)}
        writer.writerow([csv_cell(cells[column]) for column in _COLUMNS])
        sys.stdout.flush()
