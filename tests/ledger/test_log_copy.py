"""The log is copied into the file by us alone, and never while nobody holds the log as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.helpers import T0, A, attempt

from dialwarden.errors import LedgerBroken, LedgerUnavailable
from dialwarden.imports.tables import CHUNK_ROWS
from dialwarden.ledger import log_copy
from dialwarden.ledger.attempts import HistoryRow, insert_history, reserve
from dialwarden.ledger.connection import (
    open_ledger,
    open_ledger_to_read,
    snapshot,
    transaction,
)
from dialwarden.ledger.log_copy import copy_log, copy_most, copy_rest


def write(conn: sqlite3.Connection) -> None:
    with transaction(conn):
        reserve(conn, attempt())


@pytest.mark.parametrize("opened", [open_ledger, open_ledger_to_read])
def test_no_connection_copies_by_itself(path: Path, opened: Any) -> None:
    with closing(open_ledger(path)), closing(opened(path)) as conn:
        assert conn.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


def test_most_is_copied_beside_a_writer_and_the_rest_is_not(path: Path) -> None:
    with closing(open_ledger(path)) as conn, closing(open_ledger(path)) as other:
        write(conn)
        size = path.stat().st_size
        with transaction(other):
            reserve(other, attempt())
            assert copy_most(conn) == 0
            assert path.stat().st_size > size
            conn.execute("PRAGMA busy_timeout = 0")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                copy_rest(conn)
            copy_log(conn)  # as far as it can, without a word
        assert copy_rest(conn) == 0
        assert not conn.in_transaction


def test_what_somebody_still_reads_stays_in_the_log(path: Path) -> None:
    with closing(open_ledger(path)) as conn, closing(open_ledger(path)) as reader:
        write(conn)
        with snapshot(reader):
            assert reader.execute("SELECT count(*) FROM attempt").fetchone() == (1,)
            write(conn)
            assert copy_most(conn) > 0
            assert copy_rest(conn) > 0
        assert copy_rest(conn) == 0


@pytest.mark.parametrize("copy", [copy_most, copy_rest])
def test_somebody_is_inside_a_transaction_while_it_is_copied(
    path: Path, monkeypatch: pytest.MonkeyPatch, copy: Any
) -> None:
    """Then nobody makes the log start anew meanwhile, which SQLite before 3.51.3 does not bear."""
    real = log_copy.open_beside
    seen: list[str] = []

    def watched(conn: sqlite3.Connection) -> sqlite3.Connection:
        beside = real(conn)

        def note(statement: str) -> None:
            seen.append(f"{statement} {conn.in_transaction}")

        beside.set_trace_callback(note)
        return beside

    monkeypatch.setattr(log_copy, "open_beside", watched)
    with closing(open_ledger(path)) as conn, closing(open_ledger(path)) as other:
        write(conn)
        copy(conn)
        assert seen == ["PRAGMA wal_checkpoint(PASSIVE) True"]
        write(other)
        assert copy(conn) == 0


def test_a_file_that_was_replaced_is_left_alone(path: Path) -> None:
    with closing(open_ledger(path)) as conn:
        write(conn)
        path.rename(path.with_suffix(".old"))
        with closing(open_ledger(path)), pytest.raises(LedgerUnavailable, match="another file"):
            copy_most(conn)


def test_a_log_that_was_taken_away_is_not_copied_from_another(path: Path) -> None:
    with closing(open_ledger(path)) as conn:
        write(conn)
        before = path.read_bytes()
        Path(f"{path}-wal").unlink()
        for copy in (copy_most, copy_rest):
            with pytest.raises(LedgerBroken, match="removed while in use"):
                copy(conn)
        copy_log(conn)
        assert path.read_bytes() == before


def test_an_import_beside_a_bridge_leaves_no_endless_log(path: Path) -> None:
    with closing(open_ledger(path)) as bridge, closing(open_ledger(path)) as conn:
        assert bridge.execute("SELECT count(*) FROM attempt").fetchone() == (0,)
        log = Path(f"{path}-wal")
        sizes = []
        for chunk in range(8):
            rows = [
                HistoryRow(A + n, "acme", T0)
                for n in range(chunk * CHUNK_ROWS, (chunk + 1) * CHUNK_ROWS)
            ]
            with transaction(conn):
                insert_history(conn, rows)
            copy_log(conn)
            sizes.append(log.stat().st_size)
        assert sizes[-1] < 2 * sizes[0]
        assert copy_rest(conn) == 0
