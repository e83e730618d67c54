"""Lines into rows: commas, semicolons or tabs, quotes, blank lines, headers in any order and case.

Owns what a row is and where it stands. Pure: an iterable of lines in, rows out; the file and what
the cells mean are others' to know.
"""

from __future__ import annotations

import csv
import difflib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dialwarden.errors import ImportRefused
from dialwarden.imports.report import BadRow

_DELIMITERS = ",;\t|"
# A quoted cell may hold line ends (an address in a contact file); a quote that nobody closed
# would swallow the rest of the file.
_MOST_LINES = 50


class Row(NamedTuple):  # half the price of a frozen dataclass, and there is one a line
    """One row: the line it starts on, from 1, and its cells without blanks around them."""

    line: int
    cells: list[str]

    def cell(self, column: int | None) -> str:
        """A cell; "" when the row, or the file, has no such column."""
        if column is None or column >= len(self.cells):
            return ""
        return self.cells[column]


def delimiter_of(line: str) -> str:
    """What stands between the cells of a first line; a comma when there is but one cell."""
    bare = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def split_rows(
    lines: Iterable[str], delimiter: str, *, first_line: int = 1
) -> Iterator[Row | BadRow]:
    """The rows of some lines; lines without any text are none.

    A cell in quotes may hold delimiters, doubled quotes and up to fifty lines. One whose quote is
    not closed is a bad row of one line, and the reading goes on behind it.
    """
    source = iter(lines)
    pushed: deque[str] = deque()
    number = first_line - 1
    while True:
        line = pushed.popleft() if pushed else next(source, None)
        if line is None:
            return
        number += 1
        if '"' not in line:
            cells = list(map(str.strip, line.split(delimiter)))
            if any(cells):
                yield Row(number, cells)
            continue
        parts = [line]
        row = _quoted(parts, delimiter)
        while row is None and len(parts) < _MOST_LINES:
            following = pushed.popleft() if pushed else next(source, None)
            if following is None:
                break
            parts.append(following)
            row = _quoted(parts, delimiter)
        if row is None:
            pushed.extendleft(reversed(parts[1:]))
            yield BadRow(number, "a quote that opens here is not closed")
            continue
        if any(row):
            yield Row(number, row)
        number += len(parts) - 1


def _quoted(lines: Sequence[str], delimiter: str) -> list[str] | None:
    """The cells of one row that holds quotes; None when its last quote is still open.

    Of several lines only what is written right is one row: the quote that ends a forgotten one may
    be the next row's that opens.
    """
    try:
        list(csv.reader(["\n".join(lines)], delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error) or len(lines) > 1:
            return None
    # Not strict: `O"Brien` and `"a" b` are what people write, and mean what they look like.
    try:
        rows = list(csv.reader(["\n".join(lines)], delimiter=delimiter))
    except csv.Error:  # a cell longer than csv takes
        rows = [line.split(delimiter) for line in lines]
    return [cell.strip() for row in rows for cell in row]


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
    """The place of a column by its own name.

    Raises:
        ImportRefused: there is none of that name, or several.
    """
    wanted = name.strip().lower()
    places = [place for place, cell in enumerate(header.cells) if cell.lower() == wanted]
    if len(places) != 1:
        what = "has no column" if not places else f"has {len(places)} columns"
        raise ImportRefused(
            file, f"{what} {name}; its columns are {shown(header)}", line=header.line
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
