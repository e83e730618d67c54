"""An opposition or exempt list from a file: its numbers as a bitmap, its dates beside them.

    a column `number` (or one named by the caller), perhaps `since`
    or a bare file, one number a line, no header

Owns what such a file may look like. Writes nothing: the ledger takes the contents as a version.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

from pyroaring import BitMap64

from dialwarden.errors import ImportRefused
from dialwarden.imports.files import Lines
from dialwarden.imports.instants import InstantError, read_date
from dialwarden.imports.numbers import SCIENTIFIC, TAIL, NumberReader
from dialwarden.imports.report import BadRow, Report, RowFault
from dialwarden.imports.rows import (
    Row,
    declared_delimiter,
    delimiter_of,
    find_column,
    shown,
    split_rows,
)

NUMBER = "number"
SINCE = "since"

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_LAST_DAY = 0xFFFF
_LOOKS_LIKE_A_NUMBER = re.compile(r"""[='"+(]*\d[\d\s+().,\-/eE'"]*""")


@dataclass(frozen=True, slots=True)
class ListContents:
    """What a list file holds; `since` is as `ledger.lists.import_version` takes it."""

    numbers: BitMap64
    since: array[int] | None
    sha256: str


def read_list(
    path: Path,
    reader: NumberReader,
    report: Report,
    *,
    column: str | None = None,
    today: date,
    progress: Callable[[int], None] | None = None,
) -> ListContents:
    """Read a whole list file; bad rows go to the report. An empty file is an empty list.

    Args:
        column: the header of the numbers, where it is not `number`.
        today: the last date that `since` may hold.

    Raises:
        ImportRefused: the file is none of these forms.
    """
    lines = Lines(path, progress)
    blocks = lines.blocks()
    contents = _Contents(reader, report)
    start, block = _first_line(blocks)
    declared = declared_delimiter(block[0]) if block is not None else None
    if declared and block is not None:
        passed, block = _first_line(chain([block[1:]], blocks))
        start += passed
    if block is not None:
        delimiter = declared or delimiter_of(block[0])
        header = next(split_rows(block[:1], delimiter), None)
        if isinstance(header, Row) and column is None and _is_bare(header, block[0]):
            contents.take_lines(chain([block], blocks), start, delimiter)
        else:
            _take_table(contents, str(path), block, blocks, start, delimiter, column, today)
    report.duplicates = report.rows - report.bad + report.kept - len(contents.numbers)
    report.added = len(contents.numbers)
    return ListContents(contents.numbers, contents.days(), lines.sha256)


def _first_line(blocks: Iterator[list[str]]) -> tuple[int, list[str] | None]:
    """The number of the first line that is not blank, and its block from there on."""
    passed = 0
    for block in blocks:
        for place, line in enumerate(block):
            if line.strip():
                return passed + place + 1, block[place:]
        passed += len(block)
    return 1, None


def _is_bare(first: Row, line: str) -> bool:
    """Whether the first row is a number already, and nothing but one."""
    if SCIENTIFIC.fullmatch(line.strip()):
        return True  # 3,36E+10: its comma parts no cells
    return bool(_LOOKS_LIKE_A_NUMBER.fullmatch(first.cells[0])) and not any(first.cells[1:])


def _take_table(
    contents: _Contents,
    file: str,
    block: list[str],
    blocks: Iterator[list[str]],
    start: int,
    delimiter: str,
    column: str | None,
    today: date,
) -> None:
    rows = split_rows(chain(block, chain.from_iterable(blocks)), delimiter, first_line=start)
    header = next(rows)
    if isinstance(header, BadRow):
        raise ImportRefused(file, header.reason, line=header.line)
    names = [cell.lower() for cell in header.cells]
    if column is None and NUMBER not in names:
        raise ImportRefused(
            file,
            f"has no column {NUMBER}; its first row is {shown(header)}",
            f"name the column with --column, begin the file with a header {NUMBER}, "
            "or keep one number a line and nothing else",
            line=header.line,
        )
    number = find_column(file, header, column or NUMBER)
    since = find_column(file, header, SINCE) if SINCE in names else None
    contents.take_rows(rows, number, since, today)


class _Contents:
    """Collects numbers, and their dates where there are some."""

    def __init__(self, reader: NumberReader, report: Report) -> None:
        self.numbers = BitMap64()
        self._reader = reader
        self._report = report
        self._dated: dict[int, int] | None = None

    def take_lines(self, blocks: Iterator[list[str]], start: int, delimiter: str) -> None:
        """One number a line: the quick way, and the usual one."""
        trusted = self._reader.trusted
        number = start - 1
        for block in blocks:
            found: list[int] = []
            blank = 0
            for line in block:
                number += 1
                base = trusted.get(line[:-TAIL])
                tail = line[-TAIL:]
                if base is not None and tail.isdecimal() and tail.isascii():
                    found.append(base + int(tail))
                elif not line or line.isspace():
                    blank += 1
                else:
                    self._take_line(line, number, delimiter, found)
            self._report.rows += len(block) - blank
            self.numbers.update(found)

    def _take_line(self, line: str, number: int, delimiter: str, found: list[int]) -> None:
        text = line.strip().rstrip(delimiter).rstrip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].strip()
        try:
            found.append(self._reader.read(text))
        except RowFault as fault:
            self._report.fault(number, str(fault))

    def take_rows(
        self, rows: Iterator[Row | BadRow], number: int, since: int | None, today: date
    ) -> None:
        if since is not None:
            self._dated = {}
        found: list[int] = []
        for row in rows:
            self._report.rows += 1
            if isinstance(row, BadRow):
                self._report.fault(row.line, row.reason)
                continue
            try:
                digits = self._reader.read(row.cell(number))
            except RowFault as fault:
                self._report.fault(row.line, str(fault))
                continue
            if self._dated is not None:
                try:
                    day = _day(row.cell(since), today)
                except RowFault as fault:
                    # Left out, the number could be called; without a date no consent is later.
                    self._report.fault(
                        row.line, f"{fault}; the number goes in as one without a date", kept=True
                    )
                    day = 0
                self._date(digits, day)
            found.append(digits)
            if len(found) >= 100_000:
                self.numbers.update(found)
                found.clear()
        self.numbers.update(found)

    def _date(self, digits: int, day: int) -> None:
        """A number that stands there twice has the later date, or none if one row has none.

        A consent overrides a registration that is older: of two readings the stricter is taken.
        """
        assert self._dated is not None
        known = self._dated.get(digits)
        self._dated[digits] = day if known is None else (max(known, day) if known and day else 0)

    def days(self) -> array[int] | None:
        if not self._dated:
            return None
        dated = self._dated
        return array("H", [dated[number] for number in self.numbers])


def _day(text: str, today: date) -> int:
    """Days since 1970, 0 for none."""
    if not text:
        return 0
    # Registers write an instant now and then: its date is what the rules use.
    try:
        day = read_date(re.split(r"[T ]", text, maxsplit=1)[0])
    except InstantError as error:
        raise RowFault(str(error)) from None
    ordinal = day.toordinal() - _EPOCH_ORDINAL
    if not 0 < ordinal <= _LAST_DAY:
        raise RowFault(f"since {day} lies before 1970-01-02 or after 2149-06-06")
    if day > today:
        raise RowFault(f"since {day} lies in the future")
    return ordinal
