"""What came of an import: counts, and every row that could not be taken.

Owns the two kinds of fault: of a row (told, left out) and of a file (`ImportRefused`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

# A file of 5 million wrong rows must not fill the memory with sentences about them.
_KEPT = 10_000


class RowFault(ValueError):
    """Why one row cannot be taken, as a sentence without its place."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row with something wrong. `line` is where it starts, from 1."""

    line: int
    reason: str


@dataclass(slots=True)
class Report:
    """What an import did; filled in as it goes.

    Attributes:
        rows: rows read, the bad ones too; blank lines and the header are none.
        added: rows that were new.
        duplicates: rows that were on record, or in the file, already.
        bad: how many rows were wrong; `bad_rows` keeps the first ten thousand of them.
        kept: how many of those went in all the same, without what was wrong.
        warnings: one sentence each, without repeats.
        refused: nothing was written: `--strict` found bad rows, or for the reason `refusal`.
    """

    file: str
    rows: int = 0
    added: int = 0
    duplicates: int = 0
    bad: int = 0
    kept: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    refused: bool = False
    refusal: str = ""

    def fault(self, line: int, reason: str, *, kept: bool = False) -> None:
        self.bad += 1
        self.kept += kept
        if len(self.bad_rows) < _KEPT:
            self.bad_rows.append(BadRow(line, reason))

    def warn(self, sentence: str) -> None:
        self.warnings.setdefault(sentence)
