"""`dialwarden refusals`: the calls that were refused, and why."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial

import click

from dialwarden.cli.common import Site, config_option, json_option, open_site, utc_now
from dialwarden.cli.output import (
    clock,
    isoformat_values,
    print_json_array,
    print_table,
    printable,
    unpacked,
)
from dialwarden.cli.spans import since_option, span, until_option
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.refusals import list_refusals
from dialwarden.question import Door
from dialwarden.verdict import Rule

Row = dict[str, object]

_POLL_S = 0.5

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
    follow: bool,
    as_csv: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Show the calls that were refused, the newest at the bottom, callees' numbers in clear.

    With --json one array; with --json --follow one object a line.
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
        since=start or (now if follow else None),
        until=end,
        campaign=campaign,
        rule=Rule(rule) if rule else None,
        number=site.number_filter(number, campaign),
        door=Door(door) if door else None,
    )
    if follow:
        _print_as_they_come(_followed(site, wanted), as_json=as_json, as_csv=as_csv)
        return
    with site.reading() as conn, snapshot(conn):
        rows = wanted(conn)
        if as_json:
            print_json_array(unpacked(rows))
        elif as_csv:
            _print_csv(rows)
        else:
            print_table(
                ("at", "number", "campaign", "rules", "reason", "next", "door", "by"),
                (
                    (row["at"], row["number"] or row["dialled"], row["campaign"], _rules(row),
                     _reason(row), row["next"], row["door"], row["asked_by"])
                    for row in rows
                ),
            )  # fmt: skip


def _rules(row: Mapping[str, object]) -> str:
    return f"{row['rules']}{' (let go)' if row['would'] else ''}"


def _reason(row: Mapping[str, object]) -> str:
    """The sentence of the first failing rule."""
    findings = row["findings"]
    if isinstance(findings, list) and findings and isinstance(findings[0], dict):
        return str(findings[0].get("reason", ""))
    return ""


def _followed(site: Site, wanted: partial[Iterator[Row]]) -> Iterator[dict[str, object]]:
    """Refusals as they are recorded, by whatever process, until Ctrl-C."""
    after: int | None = None
    with site.reading() as conn:
        try:
            while True:
                with snapshot(conn):
                    rows = list(wanted(conn, after_id=after))
                for row in rows:
                    found = row["id"]
                    assert isinstance(found, int)
                    after = found
                    yield row
                _pause()
        except KeyboardInterrupt:
            return


def _pause() -> None:
    time.sleep(_POLL_S)


def _print_as_they_come(rows: Iterable[dict[str, object]], *, as_json: bool, as_csv: bool) -> None:
    if as_csv:
        _print_csv(rows)
        return
    for row in rows:
        if as_json:
            click.echo(json.dumps(isoformat_values(row), default=_plain))
        else:
            click.echo(_line(row))
        sys.stdout.flush()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _line(row: Mapping[str, object]) -> str:
    at, following = row["at"], row["next"]
    assert isinstance(at, datetime)
    next_ = f"; next {clock(following)}" if isinstance(following, datetime) else ""
    who = row["number"] or row["dialled"]
    return printable(f"{clock(at)}  {who}  {row['campaign']}  {_rules(row)}: {_reason(row)}{next_}")


def _print_csv(rows: Iterable[Mapping[str, object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        cells = {**row, "reason": _reason(row)}
        writer.writerow([_cell(cells[column]) for column in _COLUMNS])
        sys.stdout.flush()


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = "" if value is None else printable(str(value))
    # A peer's words in a spreadsheet must stay words: =, @ and - would start a formula. Of a +
    # only what is no number: callees' numbers begin with one.
    if text[:1] in ("=", "@", "-") or (text[:1] == "+" and not text[1:].isdecimal()):
        return f"'{text}"
    return text
