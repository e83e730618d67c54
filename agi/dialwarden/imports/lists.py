"""An opposition or exempt list from a file: its numbers as a bitmap, its dates beside them.

    a column `number` (or one named by the caller), perhaps `since`
    or a bare file, one number a line, no header

Owns what such a file may look like. Writes nothing: the ledger takes the contents as a version.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

from pyroaring import BitMap64

from dialwarden.errors import ImportRefused
from dialwarden.imports.bulk import BulkReader
from dialwarden.imports.dates import Dates
from dialwarden.imports.files import Lines, lines_of
from dialwarden.imports.numbers import SCIENTIFIC, NumberReader
from dialwarden.imports.report import BadRow, Report, RowFault
from dialwarden.imports.rows import (
    Row,
    declared_delimiter,
    delimiter_of,
    find_column,
    shown,
    split_rows,
)
from dialwarden.imports.table_blocks import Table

NUMBER = "number"
SINCE = "since"

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
    blocks = lines.raw_blocks()
    contents = _Contents(reader, report)
    start, block = _first_line(blocks)
    declared = declared_delimiter(_line(block)) if block else None
    if declared:
        passed, block = _first_line(chain([_behind(block)], blocks))
        start += passed
    if block:
        line = _line(block)
        delimiter = declared or delimiter_of(line)
        header = next(split_rows([line], delimiter), None)
        if isinstance(header, Row) and column is None and _is_bare(header, line):
            contents.take_lines(chain([block], blocks), start, delimiter)
        else:
            _take_table(contents, str(path), block, blocks, start, delimiter, column, today)
    if lines.changed:
        raise ImportRefused(
            str(path), "changed while it was read", "import it again when nothing writes to it"
        )
    days = contents.days()
    report.duplicates = report.rows - report.bad + report.kept - len(contents.numbers)
    report.added = len(contents.numbers)
    return ListContents(contents.numbers, days, lines.sha256)


def _first_line(blocks: Iterator[bytes]) -> tuple[int, bytes]:
    """The number of the first line that is not blank, and its block from there on; b"" for none."""
    number = 1
    for block in blocks:
        start = 0
        while start < len(block):
            end = block.index(b"\n", start) + 1
            if _line(block[start:end]).strip():
                return number, block[start:]
            start = end
            number += 1
    return 1, b""


def _line(block: bytes) -> str:
    """The first line of a block."""
    return lines_of(block[: block.index(b"\n") + 1])[0]


def _behind(block: bytes) -> bytes:
    return block[block.index(b"\n") + 1 :]


def _is_bare(first: Row, line: str) -> bool:
    """Whether the first row is a number already, and nothing but one."""
    if SCIENTIFIC.fullmatch(line.strip()):
        return True  # 3,36E+10: its comma parts no cells
    return bool(_LOOKS_LIKE_A_NUMBER.fullmatch(first.cells[0])) and not any(first.cells[1:])


def _take_table(
    contents: _Contents,
    file: str,
    block: bytes,
    blocks: Iterator[bytes],
    start: int,
    delimiter: str,
    column: str | None,
    today: date,
) -> None:
    header = next(split_rows([_line(block)], delimiter))
    rows: Iterator[Row | BadRow] | None = None
    if isinstance(header, BadRow):  # it may have cells of several lines
        rows = _rows(chain([block], blocks), delimiter, start)
        header = next(rows)
    if isinstance(header, BadRow):
        raise ImportRefused(file, header.reason, line=start)
    header = header._replace(line=start)
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
    table = Table(delimiter, number, since)
    if rows is not None:
        contents.take_rows(rows, table, today)
    else:
        contents.take_table(chain([_behind(block)], blocks), start + 1, table, today)


def _rows(blocks: Iterable[bytes], delimiter: str, start: int) -> Iterator[Row | BadRow]:
    lines = chain.from_iterable(map(lines_of, filter(None, blocks)))
    return split_rows(lines, delimiter, first_line=start)


class _Contents:
    """Collects numbers, and their dates where there are some."""

    def __init__(self, reader: NumberReader, report: Report) -> None:
        self.numbers = BitMap64()
        self._reader = reader
        self._report = report
        self._dates: Dates | None = None

    def take_lines(self, blocks: Iterable[bytes], start: int, delimiter: str) -> None:
        """One number a line."""

        def clean(line: str) -> str:
            text = line.strip().rstrip(delimiter).rstrip()
            if len(text) > 1 and text[0] == text[-1] == '"':
                text = text[1:-1].strip()
            return text

        bulk = BulkReader(self._reader, clean)
        for block in blocks:
            numbers, left = bulk.read(block)
            count = block.count(b"\n")
            self._report.rows += count
            lines = block.split(b"\n") if left else []
            found: list[int] = []
            for place in left:
                line = lines_of(lines[place] + b"\n")[0]
                if not line or line.isspace():
                    self._report.rows -= 1
                    continue
                try:
                    found.append(self._reader.read(clean(line)))
                except RowFault as fault:
                    self._report.fault(start + place, str(fault))
            start += count
            numbers.update(found)
            self.numbers |= numbers

    def take_table(self, blocks: Iterator[bytes], start: int, table: Table, today: date) -> None:
        """Rows behind a header; from a cell of several lines on they are taken one by one."""
        if table.since is not None:
            self._dates = Dates(today)
        bulk = BulkReader(self._reader, str.strip)
        for block in blocks:
            if not block:
                continue
            split = table.split(block)
            if split is None:
                self.take_rows(_rows(chain([block], blocks), table.delimiter, start), table, today)
                return
            if self._dates is None:
                numbers, left = bulk.read(split.numbers)
                self._report.rows += split.count - len(left)
                self.numbers |= numbers
            else:
                values = bulk.read_each(split.numbers)
                left = self._dates.take(values, split.dates)
                self._report.rows += split.count - len(left)
            rows = (Row(start + place, [*map(str.strip, split.row(place))]) for place in left)
            self.take_rows((row for row in rows if any(row.cells)), table, today)
            start += split.count

    def take_rows(self, rows: Iterable[Row | BadRow], table: Table, today: date) -> None:
        """One by one: what is right with any row."""
        if table.since is not None and self._dates is None:
            self._dates = Dates(today)
        found: list[int] = []
        for row in rows:
            self._report.rows += 1
            if isinstance(row, BadRow):
                self._report.fault(row.line, row.reason)
                continue
            try:
                digits = self._reader.read(row.cell(table.number))
            except RowFault as fault:
                self._report.fault(row.line, str(fault))
                continue
            if self._dates is not None:
                try:
                    day = self._dates.read(row.cell(table.since))
                except RowFault as fault:
                    # Left out, the number could be called; without a date no consent is later.
                    self._report.fault(
                        row.line, f"{fault}; the number goes in as one without a date", kept=True
                    )
                    day = 0
                self._dates.add(digits, day)
                continue
            found.append(digits)
            if len(found) >= 100_000:
                self.numbers.update(found)
                found.clear()
        self.numbers.update(found)

    def days(self) -> array[int] | None:
        """The dates, in the order of the numbers, which are whole from here on."""
        if self._dates is None:
            return None
        self.numbers, days = self._dates.merged()
        return days
