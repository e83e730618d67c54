"""Rows into the ledger: short transactions, safe to run twice, and never half of a strict file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from dialwarden.errors import LedgerUnavailable
from dialwarden.imports.report import Report, RowFault
from dialwarden.imports.rows import Columns, Row
from dialwarden.imports.tables import CHUNK_ROWS, Kind, import_table
from dialwarden.ledger.attempts import Imported
from dialwarden.ledger.connection import open_ledger


class Numbers:
    """A kind of file with one column of digits; remembers what was written, and how."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.chunks: list[int] = []
        self.fail_at: int | None = None

    def parse(self, row: Row, columns: Columns) -> int:
        try:
            return int(row.cell(columns["n"]))
        except ValueError:
            raise RowFault("no digits") from None

    def write(self, conn: sqlite3.Connection, rows: Sequence[int]) -> Imported:
        assert conn.in_transaction
        if self.fail_at == len(self.chunks):
            raise sqlite3.OperationalError("a fault of ours")
        self.chunks.append(len(rows))
        new = set(rows) - set(self.written)
        self.written += sorted(new)
        return Imported(len(new), len(rows) - len(new))

    @property
    def kind(self) -> Kind[int]:
        return Kind(("n",), (), self.parse, self.write)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_ledger(tmp_path / "ledger.db", busy_timeout_s=0.05)) as opened:
        yield opened


def run(
    conn: sqlite3.Connection, path: Path, text: str, numbers: Numbers, *, strict: bool = False
) -> Report:
    file = path / "file.csv"
    file.write_text(text)
    report = Report(str(file))
    import_table(conn, file, numbers.kind, report, strict=strict)
    return report


def test_rows_go_in_by_chunks(conn: sqlite3.Connection, tmp_path: Path) -> None:
    numbers = Numbers()
    text = "n\n" + "\n".join(map(str, range(CHUNK_ROWS + 1)))
    report = run(conn, tmp_path, text, numbers)
    assert numbers.chunks == [CHUNK_ROWS, 1]
    assert (report.rows, report.added) == (CHUNK_ROWS + 1, CHUNK_ROWS + 1)


def test_excels_own_word_on_its_delimiter_is_no_row(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    numbers = Numbers()
    report = run(conn, tmp_path, "sep=|\nn|m\n1|a,b;c\n", numbers)
    assert (report.rows, numbers.written) == (1, [1])


def test_duplicates_are_counted(conn: sqlite3.Connection, tmp_path: Path) -> None:
    numbers = Numbers()
    report = run(conn, tmp_path, "n\n1\n2\n1\n", numbers)
    assert (report.added, report.duplicates) == (2, 1)
    assert run(conn, tmp_path, "n\n1\n2\n", numbers).duplicates == 2


@pytest.mark.parametrize(("strict", "written"), [(False, [1, 3]), (True, [])])
def test_a_bad_row(
    conn: sqlite3.Connection, tmp_path: Path, strict: bool, written: list[int]
) -> None:
    numbers = Numbers()
    report = run(conn, tmp_path, "\nn\n1\nx\n3\n", numbers, strict=strict)
    assert numbers.written == written
    assert [(row.line, row.reason) for row in report.bad_rows] == [(4, "no digits")]
    assert report.refused is strict
    assert report.rows == 3


def test_strict_without_a_bad_row_takes_all_of_it_once(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    numbers = Numbers()
    report = run(conn, tmp_path, "n,m\n1,\n2,\n", numbers, strict=True)
    assert (report.rows, report.added, numbers.written) == (2, 2, [1, 2])
    assert list(report.warnings) == ["column 'm' is not read"]


def test_a_chunk_that_fails_is_rolled_back(conn: sqlite3.Connection, tmp_path: Path) -> None:
    numbers = Numbers()
    numbers.fail_at = 0
    with pytest.raises(sqlite3.OperationalError):
        run(conn, tmp_path, "n\n1\n", numbers)
    assert not conn.in_transaction


def test_a_locked_ledger_is_unavailable(conn: sqlite3.Connection, tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "ledger.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailable, match="locked"):
            run(conn, tmp_path, "n\n1\n", Numbers())


def test_between_two_chunks_another_process_may_write(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    numbers = Numbers()
    with closing(open_ledger(tmp_path / "ledger.db", busy_timeout_s=0.05)) as other:
        parse = numbers.parse

        def meddling(row: Row, columns: Columns) -> int:
            # Rows are read outside of any transaction: the lock is free.
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            return parse(row, columns)

        file = tmp_path / "file.csv"
        file.write_text("n\n" + "\n".join(map(str, range(CHUNK_ROWS + 10))))
        report = Report(str(file))
        import_table(conn, file, Kind(("n",), (), meddling, numbers.write), report)
    assert report.added == CHUNK_ROWS + 10
