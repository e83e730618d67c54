"""The two commands that every kind of record about callees has: `import` and `list`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

import click

from dialwarden.cli.common import (
    config_option,
    file_argument,
    json_option,
    open_site,
    region_option,
    utc_now,
    who,
)
from dialwarden.cli.importing import people_of, run_import, strict_option, zone_option
from dialwarden.cli.output import print_json_array, print_table
from dialwarden.imports.people import People
from dialwarden.imports.report import Report
from dialwarden.imports.tables import Kind
from dialwarden.ledger.connection import snapshot

T = TypeVar("T")


class KindOfFile(Protocol[T]):
    """How such a file is read and written, for rows recorded at `now` by `by`."""

    def __call__(self, people: People, report: Report, *, now: datetime, by: str) -> Kind[T]: ...


class Listing(Protocol):
    """The rows of the ledger that match."""

    def __call__(
        self,
        conn: sqlite3.Connection,
        *,
        number: int | None,
        campaign: str | None,
        professional: str | None,
    ) -> Iterable[Mapping[str, object]]: ...


def add_import(
    group: click.Group, kind: KindOfFile[T], what: str, *, short_help: str, help: str
) -> None:
    """Give a group the command `import`.

    Args:
        what: the thing imported, singular.
        help: what the file is; that running it twice is safe is said of every kind.
    """

    @group.command(
        "import",
        short_help=short_help,
        help=f"{help}\n\nRows that are on record already are counted and skipped: running it "
        "twice is safe.",
    )
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
        site = open_site(config)
        people = people_of(site, region, zone)
        now, by = utc_now(), who()

        def of(report: Report) -> Kind[T]:
            return kind(people, report, now=now, by=by)

        ctx.exit(run_import(site, file, of, what, strict=strict, as_json=as_json))


def add_list(
    group: click.Group,
    listing: Listing,
    columns: Sequence[str],
    *,
    short_help: str,
    help: str,
) -> None:
    """Give a group the command `list`, with the filters that all kinds share.

    Args:
        columns: those of the table for people; `--json` has all.
    """

    @group.command("list", short_help=short_help, help=help)
    @click.option("--number", metavar="N", help="Of this callee only.")
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
        site = open_site(config)
        digits = site.number_filter(number, campaign)
        with site.reading() as conn, snapshot(conn):
            rows = listing(conn, number=digits, campaign=campaign, professional=professional)
            if as_json:
                print_json_array(rows)
                return
            header = [column.replace("_", " ") for column in columns]
            print_table(header, ([row[column] for column in columns] for row in rows))
