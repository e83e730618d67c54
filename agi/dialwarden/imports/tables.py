"""Rows of a file into the ledger, in short transactions, so that a running bridge never waits long.

Owns the order of things: read, check, write two thousand rows, read on; with `strict` the whole
file is checked before the first row is written. What a row means is the caller's function.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar

from dialwarden.errors import ImportRefused
from dialwarden.imports.files import Lines
from dialwarden.imports.report import BadRow, Report, RowFault
from dialwarden.imports.rows import (
    Columns,
    Row,
    declared_delimiter,
    delimiter_of,
    read_header,
    split_rows,
)
from dialwarden.ledger.attempts import Imported
from dialwarden.ledger.connection import transaction
from dialwarden.ledger.log_copy import copy_log

T = TypeVar("T")

# Short under the write lock, against the bridge's patience of a second; between two of them the
# next rows are read, and the bridge has its turn: its answers took 60 ms at most while 60,000 rows
# went in (measured).
CHUNK_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What one kind of file holds.

    Attributes:
        parse: a row made into a value; raises `RowFault`. Must give the same when called again.
        write: some values, within a transaction; tells how many were new.
    """

    required: Sequence[str]
    optional: Collection[str]
    parse: Callable[[Row, Columns], T]
    write: Callable[[sqlite3.Connection, Sequence[T]], Imported]


def import_table(
    conn: sqlite3.Connection,
    path: Path,
    kind: Kind[T],
    report: Report,
    *,
    strict: bool = False,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Import a file of rows; what became of them is in the report.

    A file without a line is one without rows. Running an import twice is safe: what is on record
    already is counted as a duplicate.

    Raises:
        ImportRefused: the file as a whole is wrong; nothing of it went in.
        LedgerError: the chunks before it are in; running the import again completes it.
    """
    if strict:
        # Twice from the start: the rows of a long file would not fit into memory.
        if not path.is_file():
            raise ImportRefused(str(path), "is read twice with --strict", "give a regular file")
        checked = Report(report.file)
        for _ in _values(path, kind, checked, None):
            pass
        if checked.bad:
            report.rows, report.bad = checked.rows, checked.bad
            report.bad_rows, report.warnings = checked.bad_rows, checked.warnings
            report.refused = True
            return
    chunk: list[T] = []
    for value in _values(path, kind, report, progress):
        chunk.append(value)
        if len(chunk) >= CHUNK_ROWS:
            _write(conn, kind, chunk, report)
            chunk.clear()
    if chunk:
        _write(conn, kind, chunk, report)


def _write(conn: sqlite3.Connection, kind: Kind[T], chunk: Sequence[T], report: Report) -> None:
    with transaction(conn):
        imported = kind.write(conn, chunk)
    copy_log(conn)
    report.added += imported.added
    report.duplicates += imported.duplicates


def _values(
    path: Path, kind: Kind[T], report: Report, progress: Callable[[int], None] | None
) -> Iterator[T]:
    rows = _rows(path, progress)
    header = next(rows, None)
    if header is None:
        return
    if isinstance(header, BadRow):
        raise ImportRefused(str(path), header.reason, line=header.line)
    columns = read_header(str(path), header, kind.required, kind.optional)
    for name in columns.unknown:
        report.warn(f"column {name[:40]!a} is not read")
    for row in rows:
        report.rows += 1
        if isinstance(row, BadRow):
            report.fault(row.line, row.reason)
            continue
        try:
            value = kind.parse(row, columns)
        except RowFault as fault:
            report.fault(row.line, str(fault))
            continue
        yield value


def _rows(path: Path, progress: Callable[[int], None] | None) -> Iterator[Row | BadRow]:
    lines = iter(Lines(path, progress))
    delimiter = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if delimiter is None and (delimiter := declared_delimiter(line)):
            continue
        parted = delimiter or delimiter_of(line)
        yield from split_rows(chain([line], lines), parted, first_line=number)
        return
