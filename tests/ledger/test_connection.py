from __future__ import annotations

import logging
import os
import sqlite3
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.helpers import T0

from dialwarden.errors import LedgerBroken, LedgerUnavailable
from dialwarden.ledger import schema
from dialwarden.ledger.connection import instant, micros, open_ledger, snapshot, transaction


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_ledger_and_its_directory_are_private(tmp_path: Path) -> None:
    path = tmp_path / "var" / "deep" / "ledger.db"
    before = os.umask(0)
    try:
        conn = open_ledger(path)
        conn.execute("INSERT INTO list_body (started_at) VALUES (1)")
        modes = {name: mode_of(Path(f"{path}{name}")) for name in ("", "-wal", "-shm")}
    finally:
        os.umask(before)
    conn.close()
    assert modes == {"": 0o600, "-wal": 0o600, "-shm": 0o600}
    assert mode_of(tmp_path / "var") == 0o700
    assert mode_of(tmp_path / "var" / "deep") == 0o700


def test_a_wider_mode_is_tightened_and_said(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_ledger(path).close()
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        open_ledger(path).close()
    assert mode_of(path) == 0o600
    assert f"{path}: mode was 644, now 600" in caplog.text


def test_the_pragmas_that_durability_rests_on_are_set(conn: sqlite3.Connection) -> None:
    values = {
        name: conn.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "application_id")
    }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "application_id": schema.APPLICATION_ID,
    }


def test_a_missing_ledger_is_not_made_when_it_should_be_there(path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="no such file"):
        open_ledger(path, create=False)
    assert not path.exists()


def test_an_empty_file_is_no_ledger_when_one_should_be_there(path: Path) -> None:
    path.touch(mode=0o600)
    with pytest.raises(LedgerBroken, match="is empty"):
        open_ledger(path, create=False)


def test_what_is_no_database_is_broken(path: Path) -> None:
    path.write_bytes(b"number,professional\n" * 200)
    with pytest.raises(LedgerBroken, match="no SQLite file"):
        open_ledger(path)


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE cdr (id INTEGER)")
    theirs.commit()
    with pytest.raises(LedgerBroken, match="another program"):
        open_ledger(path)
    assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("cdr",)]
    theirs.close()


def test_a_directory_in_place_of_the_file_is_broken(path: Path) -> None:
    path.mkdir()
    with pytest.raises(LedgerBroken, match="not a file"):
        open_ledger(path)


def test_a_lock_of_another_connection_is_unavailable_and_passes(
    path: Path, conn: sqlite3.Connection
) -> None:
    other = open_ledger(path, busy_timeout_s=0)
    with transaction(conn):
        with pytest.raises(LedgerUnavailable, match="locked"), transaction(other):
            pass
        other.execute("SELECT count(*) FROM attempt").fetchone()
    with transaction(other):
        pass
    other.close()


def test_an_exception_rolls_back(conn: sqlite3.Connection) -> None:
    def fail() -> None:
        with transaction(conn):
            conn.execute("INSERT INTO list_body (started_at) VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert conn.execute("SELECT count(*) FROM list_body").fetchone() == (0,)
    assert not conn.in_transaction


def test_a_snapshot_does_not_see_what_is_written_meanwhile(
    path: Path, conn: sqlite3.Connection
) -> None:
    reader = open_ledger(path)
    with snapshot(reader):
        assert reader.execute("SELECT count(*) FROM list_body").fetchone() == (0,)
        conn.execute("INSERT INTO list_body (started_at) VALUES (1)")
        assert reader.execute("SELECT count(*) FROM list_body").fetchone() == (0,)
    assert reader.execute("SELECT count(*) FROM list_body").fetchone() == (1,)
    reader.close()


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        micros(datetime(2026, 11, 2))


@given(
    st.datetimes(
        min_value=datetime(1900, 1, 1),
        max_value=datetime(2200, 1, 1),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
    )
)
def test_an_instant_comes_back_to_the_microsecond(at: datetime) -> None:
    assert instant(micros(at)) == at


def test_micros_are_since_1970() -> None:
    assert micros(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert instant(micros(T0)).tzinfo is UTC
