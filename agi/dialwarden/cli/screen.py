"""`dialwarden screen`: every row of a contact file, judged as `check` judges one number, dry.

Owns the command, and what is asked of each row. A file that was judged by half is none: what comes
of it is there as a whole, or not at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import IO

import click
from phonenumbers import is_valid_number, parse

from dialwarden.cli.common import (
    Site,
    campaign_option,
    config_option,
    file_argument,
    json_option,
    open_site,
    utc_now,
)
from dialwarden.cli.importing import progress
from dialwarden.cli.output import print_json, printable, warn
from dialwarden.cli.screen_summary import Tally
from dialwarden.errors import ImportRefused, LedgerError
from dialwarden.gate.reading import Reading
from dialwarden.gate.rulebook import Entry
from dialwarden.gate.screening import Asked, Screener, When
from dialwarden.imports.contacts import (
    Layout,
    Writer,
    added_names,
    check_new,
    is_blank,
    new_file,
    read_cell,
    read_rows,
    survey,
)
from dialwarden.imports.instants import InstantError, NoOffset, read_instant
from dialwarden.imports.number_column import Chosen, choose_number_column
from dialwarden.imports.numbers import SCIENTIFIC, why_spoilt
from dialwarden.imports.people import zones_of
from dialwarden.imports.rows import KeptRow, find_column
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.overrides import overrides_in_force
from dialwarden.numbers import Number, read_number
from dialwarden.verdict import Reason

ADDED = ("verdict", "rules", "next", "number")

# The more, the fewer questions to the ledger; a row takes a kilobyte while it is judged.
_CHUNK_ROWS = 4096
_FEWEST_DIGITS = 6
_UTF_8 = "UTF-8 with a byte order mark"


@click.command("screen", short_help="Judge every row of a contact file, dry.")
@file_argument
@campaign_option
@click.option("--column", metavar="NAME", help="The column of the numbers, if not to be guessed.")
@click.option(
    "--at",
    metavar="ISO",
    help="Judge at this instant, by what was dated at or before it. Without an offset it is local "
    "time where each callee is.",
)
@click.option("-o", "--output", metavar="OUT.csv", default="-", help="Where to write; else stdout.")
@click.option("--force", is_flag=True, help="Overwrite OUT.csv.")
@click.option("--region-column", metavar="NAME", help="A column that says where each callee is.")
@click.option(
    "--relationship-column", metavar="NAME", help="One of contract, ended:DATE and so on."
)
@click.option("--person-column", metavar="NAME", help="One that joins a consumer's numbers.")
@config_option
@json_option
def command(
    file: Path,
    campaign: str,
    column: str | None,
    at: str | None,
    output: str,
    force: bool,
    region_column: str | None,
    relationship_column: str | None,
    person_column: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Judge every row of the contact file FILE as `check` would, and record nothing.

    What comes out is FILE, row by row, with four columns added: verdict (ALLOW or REFUSE), rules,
    next and number. All rows are judged on one state of the ledger and at one instant. Exit status
    0 when it is done, whatever the verdicts.
    """
    out = None if output == "-" else Path(output)
    if as_json and out is None:
        raise click.UsageError("--json prints the summary on stdout: name a file with -o")
    site = open_site(config)
    name, entry = site.entry(campaign)
    when = _instants(at, entry, utc_now())
    if out is not None:
        check_new(out, file, force=force)
    given = {
        "--region-column": region_column,
        "--relationship-column": relationship_column,
        "--person-column": person_column,
    }
    layout = survey(file, [each for each in (column, *given.values()) if each])
    chosen = _column_of_numbers(file, layout, column, entry, site)
    more = [_place(file, layout, each, option) for option, each in given.items()]
    names = added_names(layout.header, ADDED)
    _tell_columns(file, layout, chosen, names)
    tally = Tally(site.language)
    try:
        with (
            site.reading() as conn,
            snapshot(conn),
            _output(out, file, force=force) as stream,
            progress(file) as bar,
        ):
            screener = Screener(conn, site.rulebook, name, when)
            overrides = [
                one
                for one in overrides_in_force(conn, when.at, campaign=name)
                if one.professional == entry.mandate.professional
            ]
            writer = Writer(stream, layout)
            asks = _asking(chosen.place if chosen else None, *more)
            for chunk in _chunks(read_rows(file, layout, bar)):
                writer.write(_screened(chunk, layout, asks, screener, tally, names))
    except LedgerError as error:
        left = "what was written so far is not whole" if out is None else f"{out} is not written"
        warn(str(error))
        warn(f"not screened to the end: {left}")
        raise click.exceptions.Exit(2) from None
    for one in overrides:
        warn(f"override {one.id}, by {one.by}, lets go {' and '.join(one.rules)} at that time: "
             "what nothing else refuses is an ALLOW")  # fmt: skip
    if as_json:
        about: dict[str, object] = {
            "file": str(file),
            "output": output,
            "campaign": name,
            "professional": entry.mandate.professional,
            "policy": entry.mandate.policy.id,
            "enforce": entry.enforce,
            "at": when.told,
            "column": chosen.name if chosen else None,
            "added": names,
            "overrides": [one.id for one in overrides],
            "written": _UTF_8 if layout.mark == "utf-16" else "as it was",
        }
        print_json({**about, **tally.as_json()})
        return
    shadow = "" if entry.enforce else "; shadow mode: what is refused would be let go, and logged"
    heading = f"{file} screened for campaign {name}, at {when.told}{shadow}"
    for line in (heading, *tally.as_text()):
        click.echo(printable(line), err=out is None)


def _chunks(rows: Iterator[KeptRow]) -> Iterator[list[KeptRow]]:
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        yield chunk


def _screened(
    chunk: Sequence[KeptRow],
    layout: Layout,
    asks: Callable[[KeptRow], Asked],
    screener: Screener,
    tally: Tally,
    names: Sequence[str],
) -> Iterator[tuple[KeptRow, Sequence[str] | None]]:
    """Each of some rows, and what is added to it."""
    blank = [is_blank(row) for row in chunk]
    judged = [
        row
        for row, empty in zip(chunk, blank, strict=True)
        if not empty and row.line >= layout.first_row
    ]
    asked = [asks(row) for row in judged]
    found = screener.screen(asked)
    tally.count(found)
    for row, question, screened in zip(judged, asked, found, strict=True):
        if screened.finding.why is not None:
            scientific = SCIENTIFIC.fullmatch(question.dialled) is not None
            what = question.fault or ("" if question.dialled else "the row has no number")
            tally.fault(row.line, screened.finding, what, scientific=scientific)
    answers = iter(found)
    for row, empty in zip(chunk, blank, strict=True):
        if row.line < layout.first_row:
            yield row, names if layout.header and row.line == layout.header.line else None
        elif empty:
            tally.blank += 1
            # A row of delimiters alone stays as wide as the others.
            yield row, [""] * len(names) if layout.width and len(row.cells) > 1 else None
        else:
            finding, digits = next(answers)
            yield row, (*finding.words, f"+{digits}" if digits is not None else "")


def _asking(
    number: int | None, region: int | None, relationship: int | None, person: int | None
) -> Callable[[KeptRow], Asked]:
    """How a row is made into a question, by the places of its columns."""
    more = (region, relationship, person) != (None, None, None)

    def asks(row: KeptRow) -> Asked:
        dialled = read_cell(row, number)
        fault = row.fault or ("" if dialled.isdecimal() else why_spoilt(dialled))
        if not more:
            return Asked(dialled, fault=fault)
        return Asked(
            dialled,
            read_cell(row, region),
            read_cell(row, relationship),
            read_cell(row, person),
            fault,
        )

    return asks


class _Instants:
    """The instant that each row is judged at: one for all, or the callee's own local time.

    Attributes:
        told: which, for whoever reads the summary.
        at: that of the campaign's home, where it has one.

    Raises:
        InstantError: it cannot be read, or no clock where the campaign is at home ever showed it.
    """

    def __init__(self, text: str | None, entry: Entry, now: datetime) -> None:
        self._text = text or ""
        self._home = zones_of([entry.region])
        self._now = now
        self._known: dict[tuple[tzinfo, ...], When] = {}
        self._fixed: When | None = None
        self.at = now
        if text is None:
            self._fixed = When(now)
            self.told = now.isoformat(timespec="seconds")
            return
        try:
            at = read_instant(text)
        except NoOffset:
            self.told = f"{text}, local time of each callee"
            with suppress(NoOffset):
                self.at = read_instant(text, self._home)
        else:
            self._fixed = When(at, at)
            self.told = at.isoformat()
            self.at = at

    def __call__(self, reading: Reading) -> When:
        if self._fixed is not None:
            return self._fixed
        zones = reading.zones or self._home
        if zones not in self._known:
            self._known[zones] = self._read(zones)
        return self._known[zones]

    def _read(self, zones: tuple[tzinfo, ...]) -> When:
        try:
            at = read_instant(self._text, zones)
        except InstantError as error:
            found = ascii(self._text)
            values = {"key": "at", "found": found, "allowed": f"an offset from UTC: {error}"}
            return When(self._now, self._now, Reason("unavailable_question", values))
        return When(at, at)


def _instants(text: str | None, entry: Entry, now: datetime) -> _Instants:
    try:
        return _Instants(text, entry, now)
    except InstantError as error:
        raise click.BadParameter(str(error), param_hint="--at") from None


def _column_of_numbers(
    file: Path, layout: Layout, column: str | None, entry: Entry, site: Site
) -> Chosen | None:
    """The column of the numbers; None in a file without one."""
    if not layout.width:
        return None
    if column:
        place = _place(file, layout, column, "--column")
        assert place is not None
        return Chosen(place, layout.names[place], "--column")

    def reads(text: str) -> bool:
        if sum(map(str.isdecimal, text)) < _FEWEST_DIGITS:
            return bool(SCIENTIFIC.fullmatch(text))
        if why_spoilt(text):
            return True
        number = read_number(text, region=entry.region, strips=site.rulebook.strips)
        # What merely could be a number is a date or a customer's number more often than not.
        return isinstance(number, Number) and is_valid_number(parse(number.e164))

    line = layout.header.line if layout.header else 0
    return choose_number_column(str(file), layout.names, layout.sample, reads, line=line)


def _place(file: Path, layout: Layout, name: str | None, option: str) -> int | None:
    """Where a column named by a person stands; one without a name is counted from 1.

    Raises:
        ImportRefused: there is no such column.
    """
    if name is None:
        return None
    if name in layout.names and (layout.header is None or name not in layout.header.cells):
        return layout.names.index(name)
    if layout.header is not None:
        return find_column(str(file), layout.header, name)
    raise ImportRefused(
        str(file),
        f"has no header, and {option} is {name[:40]!a}",
        f"count its columns: {option} 1 to {layout.width}",
    )


def _tell_columns(file: Path, layout: Layout, chosen: Chosen | None, names: Sequence[str]) -> None:
    if chosen is not None:
        warn(f"the numbers are taken from column {chosen.name!r}: {chosen.why}")
    if layout.header is None and layout.width:
        warn(f"{file} has no header: {', '.join(names)} are added in this order")
    for wanted, name in zip(ADDED, names, strict=True):
        if name != wanted:
            warn(f"there is a column {wanted} already: ours is {name}")
    if layout.mark == "utf-16":
        warn(f"{file} is UTF-16: it is written as {_UTF_8}")


@contextmanager
def _output(out: Path | None, source: Path, *, force: bool) -> Iterator[IO[bytes]]:
    if out is not None:
        with new_file(out, source, force=force) as stream:
            yield stream
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
