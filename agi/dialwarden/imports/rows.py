"""Lines into rows: commas, semicolons or tabs, quotes, blank lines, headers in any order and case.

Owns what a row is and where it stands. Pure: an iterable of lines in, rows out; the file and what
the cells mean are others' to know.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dialwarden.errors import ImportRefused
from dialwarden.imports.report import BadRow

DELIMITERS = ",;\t|"
_DECLARED = re.compile(rf"\"?sep=([{re.escape(DELIMITERS)}])\"?", re.IGNORECASE)
_PLACE = re.compile(r"#([1-9][0-9]{0,4})")
# ASCII's own separator of units, which no program writes into a CSV.
_NO_DELIMITER = "\x1f"
# A quoted cell may hold line ends (an address in a contact file); a quote that nobody closed
# would swallow the rest of the file.
_MOST_LINES = 50
OPEN_QUOTE = "a quote that opens here is not closed"


class Row(NamedTuple):  # half the price of a frozen dataclass, and there is one a line
    """One row: the line it starts on, from 1, and its cells without blanks around them."""

    line: int
    cells: list[str]

    def cell(self, column: int | None) -> str:
        """A cell; "" when the row, or the file, has no such column."""
        if column is None or column >= len(self.cells):
            return ""
        return self.cells[column]


def declared_delimiter(line: str) -> str | None:
    """What Excel says parts the cells, in a first line `sep=;`; None of any other line."""
    match = _DECLARED.fullmatch(line.strip())
    return match[1] if match else None


def delimiter_of(line: str) -> str:
    """What stands between the cells of a first line; a comma when there is but one cell."""
    bare = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


class _Source:
    """Lines, of which some can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._back: deque[str] = deque()

    def take(self) -> str | None:
        return self._back.popleft() if self._back else next(self._lines, None)

    def give_back(self, lines: Sequence[str]) -> None:
        self._back.extendleft(reversed(lines))


def split_rows(
    lines: Iterable[str], delimiter: str, *, first_line: int = 1
) -> Iterator[Row | BadRow]:
    """The rows of some lines; lines without any text are none.

    A cell in quotes may hold delimiters, doubled quotes and up to fifty lines. One whose quote is
    not closed is a bad row of one line, and the reading goes on behind it.
    """
    source = _Source(lines)
    number = first_line - 1
    for line in iter(source.take, None):
        number += 1
        if '"' not in line:
            cells = list(map(str.strip, line.split(delimiter)))
            if any(cells):
                yield Row(number, cells)
            continue
        parts, read = _gather(line, source, delimiter, "\n")
        if read is None:
            yield BadRow(number, OPEN_QUOTE)
            continue
        cells = list(map(str.strip, read.cells))
        if any(cells):
            yield Row(number, cells)
        number += parts - 1


class KeptRow(NamedTuple):
    """One row as it stands in its file, to be written back.

    Attributes:
        line: where it starts, from 1.
        text: all of it but its line end.
        end: its line end; "" where the last line of a file has none.
        cells: as they are, blanks and all; at least one.
        right: `text` can be written as it is. Of a row with a quote that is not closed, or with
            text behind a closing one, the cells are to be written anew.
        fault: why the row cannot be trusted; "" for most.
    """

    line: int
    text: str
    end: str
    cells: list[str]
    right: bool = True
    fault: str = ""


def kept_rows(
    lines: Iterable[str], delimiter: str | None, *, first_line: int = 1
) -> Iterator[KeptRow]:
    """The rows of lines that carry their ends, blank ones too; quotes as in `split_rows`.

    Args:
        delimiter: None where each line is one cell, whatever it holds.
    """
    source = _Source(lines)
    number = first_line - 1
    for line in iter(source.take, None):
        number += 1
        text = line.rstrip("\r\n")
        end = line[len(text) :]
        if '"' not in text:
            yield KeptRow(number, text, end, text.split(delimiter) if delimiter else [text])
            continue
        parts, read = _gather(line, source, delimiter or _NO_DELIMITER, "")
        if read is None:
            cells = text.split(delimiter) if delimiter else [text]
            yield KeptRow(number, text, end, cells, False, OPEN_QUOTE)
            continue
        text = read.text.rstrip("\r\n")
        yield KeptRow(number, text, read.text[len(text) :], read.cells, read.right)
        number += parts - 1


def widest(lines: Iterable[str], delimiter: str | None) -> int:
    """The cells of the widest of the rows that `kept_rows` makes of lines; 0 of none."""
    source = _Source(lines)
    most = -1
    for line in iter(source.take, None):
        if '"' not in line:
            found = line.count(delimiter) if delimiter else 0
        else:
            _, read = _gather(line, source, delimiter or _NO_DELIMITER, "")
            cells = read.cells if read else line.split(delimiter) if delimiter else [line]
            found = len(cells) - 1
        if found > most:
            most = found
    return most + 1


class _Read(NamedTuple):
    text: str
    cells: list[str]
    right: bool


def _gather(line: str, source: _Source, delimiter: str, joint: str) -> tuple[int, _Read | None]:
    """How many lines a row with quotes takes, and the row; one, and None, when it never closes."""
    parts = [line]
    read = _quoted(line, delimiter, several=False)
    while read is None and len(parts) < _MOST_LINES:
        following = source.take()
        if following is None:
            break
        parts.append(following)
        read = _quoted(joint.join(parts), delimiter, several=True)
    if read is None:
        source.give_back(parts[1:])
        return 1, None
    return len(parts), read


def _quoted(text: str, delimiter: str, *, several: bool) -> _Read | None:
    """One row that holds quotes; None when its last quote is still open.

    Of several lines only what is written right is one row: the quote that ends a forgotten one may
    be the next row's that opens.
    """
    bare = text.rstrip("\r\n")
    try:
        return _Read(text, _cells(bare, delimiter, strict=True), True)
    except csv.Error as error:
        if "unexpected end" in str(error) or several:
            return None
    # Not strict: `O"Brien` and `"a" b` are what people write, and mean what they look like.
    try:
        return _Read(text, _cells(bare, delimiter, strict=False), False)
    except csv.Error:  # a cell longer than csv takes
        return _Read(text, bare.split(delimiter), False)


def _cells(text: str, delimiter: str, *, strict: bool) -> list[str]:
    reader = csv.reader([text], delimiter=delimiter, strict=strict)
    cells = next(reader, [])
    for more in reader:
        cells += more
    return cells


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each known column of a file stands; `unknown` are the names that nobody asked for."""

    places: Mapping[str, int]
    unknown: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> int | None:
        return self.places.get(name)


def read_header(
    file: str, header: Row, required: Sequence[str], optional: Collection[str] = ()
) -> Columns:
    """Find the columns of a header; case and blanks around a name do not matter.

    Raises:
        ImportRefused: a required column is missing, or a known one stands there twice.
    """
    places: dict[str, int] = {}
    unknown = []
    for place, cell in enumerate(header.cells):
        name = cell.lower()
        if name not in required and name not in optional:
            if name:
                unknown.append(cell)
            continue
        if name in places:
            raise ImportRefused(file, f"has two columns {name}", "keep one", line=header.line)
        places[name] = place
    missing = [name for name in required if name not in places]
    if missing:
        raise ImportRefused(
            file,
            f"has no column {' and no column '.join(missing)}; its columns are {shown(header)}"
            + _nearest(missing[0], unknown),
            f"begin it with a header of {', '.join(required)}"
            + (f" and perhaps {', '.join(optional)}" if optional else ""),
            line=header.line,
        )
    return Columns(places, tuple(unknown))


def find_column(file: str, header: Row, name: str) -> int:
    """The place of a column by its own name, or by its number from 1: `#2`.

    Raises:
        ImportRefused: there is none of that name, or several.
    """
    wanted = name.strip().lower()
    places = [place for place, cell in enumerate(header.cells) if cell.lower() == wanted]
    numbered = _PLACE.fullmatch(wanted)
    if not places and numbered and int(numbered[1]) <= len(header.cells):
        return int(numbered[1]) - 1
    if len(places) > 1:
        by_place = " or ".join(f"#{place + 1}" for place in places)
        raise ImportRefused(
            file, f"has {len(places)} columns {name}", f"name {by_place}", line=header.line
        )
    if not places:
        near = _nearest(wanted, [cell.lower() for cell in header.cells])
        raise ImportRefused(
            file, f"has no column {name}; its columns are {shown(header)}{near}", line=header.line
        )
    return places[0]


def shown(header: Row) -> str:
    """The names of a header, for a person; a few of them when there are many."""
    names = [ascii(cell[:40])[1:-1] or "(empty)" for cell in header.cells[:20]]
    more = len(header.cells) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _nearest(name: str, others: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, others, n=1)
    return f" ({near[0]} is near)" if near else ""
