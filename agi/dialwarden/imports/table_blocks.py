"""A block of lines of a table, cut into the one or two columns that are wanted.

Owns the quick way to split rows, and when it may be taken: when no cell reaches over a line end.
What a row is, `rows` says; a property test holds that both split alike.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dialwarden.imports.files import lines_of

T = TypeVar("T", bytes, str)


@dataclass(frozen=True, slots=True)
class Split:
    """Some rows, one a line.

    Attributes:
        numbers: the cells of the numbers, a line each; "" where a row has none.
        dates: the other column's, empty where none is wanted.
        row: all cells of one of them, by its place from 0.
    """

    numbers: bytes
    dates: list[bytes]
    count: int
    row: Callable[[int], list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is written, and where in it the numbers stand, and perhaps their dates."""

    delimiter: str
    number: int
    since: int | None = None

    def split(self, block: bytes) -> Split | None:
        """The rows of a block of lines; None where a quoted cell is not plainly of one line."""
        if b'"' in block:
            return self._split_quoted(block)
        between = self.delimiter.encode()
        lines = block.split(b"\n")
        lines.pop()
        rows = [line.split(between) for line in lines]
        dates = _column(rows, self.since, b"") if self.since is not None else []
        numbers = b"\n".join(_column(rows, self.number, b"")) + b"\n"

        def row(place: int) -> list[str]:
            return lines_of(lines[place] + b"\n")[0].split(self.delimiter)

        return Split(numbers, dates, len(rows), row)

    def _split_quoted(self, block: bytes) -> Split | None:
        lines = lines_of(block)
        try:
            rows = list(csv.reader(lines, delimiter=self.delimiter, strict=True))
        except csv.Error:
            return None
        if len(rows) != len(lines):
            return None
        numbers = "\n".join(_column(rows, self.number, "")) + "\n"
        if numbers.count("\n") != len(rows):
            return None
        dates = []
        if self.since is not None:
            dates = [cell.encode() for cell in _column(rows, self.since, "")]
        return Split(numbers.encode(), dates, len(rows), rows.__getitem__)


def _column(rows: Sequence[Sequence[T]], place: int, empty: T) -> list[T]:
    try:
        return [row[place] for row in rows]
    except IndexError:
        return [row[place] if place < len(row) else empty for row in rows]
