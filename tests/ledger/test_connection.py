from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.helpers import T0

from dialwarden.errors import LedgerBroken, LedgerError, LedgerUnavailable
from dialwarden.ledger import schema
from dialwarden.ledger.connection import (
    instant,
    micros,
    open_ledger,
    open_ledger_to_read,
    snapshot,
    transaction,
)


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


def look(path: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of the ledger's folder, its mode and its bytes."""
    return {each.name: (mode_of(each), each.read_bytes()) for each in path.parent.iterdir()}


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_opening_to_read_leaves_the_ledger_as_it_was(path: Path, journal_mode: str) -> None:
    conn = open_ledger(path)
    conn.execute("INSERT INTO list_body (started_at) VALUES (1)")
    conn.execute(f"PRAGMA journal_mode = {journal_mode}")
    conn.close()
    path.chmod(0o644)
    before = look(path)
    reader = open_ledger_to_read(path)
    with snapshot(reader):
        assert reader.execute("SELECT count(*) FROM list_body").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO list_body (started_at) VALUES (1)")
    reader.close()
    assert look(path) == before


def test_a_reader_sees_what_is_written_beside_it(path: Path, conn: sqlite3.Connection) -> None:
    reader = open_ledger_to_read(path)
    with transaction(conn):
        conn.execute("INSERT INTO list_body (started_at) VALUES (1)")
        assert reader.execute("SELECT count(*) FROM list_body").fetchone() == (0,)
    assert reader.execute("SELECT count(*) FROM list_body").fetchone() == (1,)
    reader.close()


def test_an_older_ledger_is_not_read_before_it_is_migrated(path: Path) -> None:
    conn = open_ledger(path)
    conn.execute("PRAGMA user_version = 0")
    conn.close()
    before = look(path)
    older = f"version 0, older than this program's {schema.newest()}; run `dialw"
    with pytest.raises(LedgerBroken, match=older):
        open_ledger_to_read(path)
    assert look(path) == before


def newer(path: Path) -> None:
    conn = open_ledger(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()


def of_another_program(path: Path) -> None:
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE cdr (id INTEGER)")
    theirs.close()


@pytest.mark.parametrize(
    ("make", "error", "what"),
    [
        (lambda path: None, LedgerUnavailable, "no such file"),
        (lambda path: path.mkdir(), LedgerBroken, "not a file"),
        (lambda path: path.touch(), LedgerBroken, "is empty"),
        (lambda path: path.write_bytes(b"number\n" * 999), LedgerBroken, "no SQLite file"),
        (of_another_program, LedgerBroken, "another program"),
        (newer, LedgerBroken, "version 99, newer"),
    ],
    ids=["missing", "folder", "empty", "text", "foreign", "newer"],
)
def test_what_cannot_be_opened_to_write_cannot_be_opened_to_read(
    path: Path, make: Callable[[Path], object], error: type[LedgerError], what: str
) -> None:
    make(path)
    for opens in (open_ledger_to_read, partial(open_ledger, create=False)):
        with pytest.raises(error, match=what):
            opens(path)


@contextlib.contextmanager
def without_rights(path: Path, file: int, folder: int) -> Iterator[None]:
    """The ledger and its folder with these modes, and us with no more rights than their owner."""
    root, nobody = os.geteuid() == 0, 65534
    modes = {each: mode_of(each) for each in (path, path.parent)}
    if root:
        for each in modes:
            os.chown(each, nobody, nobody)
    path.chmod(file)
    path.parent.chmod(folder)
    try:
        if root:
            os.setresuid(nobody, nobody, 0)
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)
        for each, mode in reversed(modes.items()):
            each.chmod(mode)


@pytest.mark.parametrize(
    ("file", "folder", "what"),
    [
        (0o000, 0o700, "may not be read and written by this user"),
        (0o400, 0o700, "may not be read and written by this user"),
        (0o600, 0o500, "may not be read and written by this user"),
        (0o600, 0o000, "Permission denied"),
    ],
)
def test_who_may_not_write_beside_the_ledger_is_told_so(file: int, folder: int, what: str) -> None:
    # Not in tmp_path: above that nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        open_ledger(path).close()
        with (
            without_rights(path, file, folder),
            pytest.raises(LedgerUnavailable, match=what) as caught,
        ):
            open_ledger_to_read(path)
        assert "run this as the user" in str(caught.value)
        assert [each.name for each in Path(name).iterdir()] == ["ledger.db"]


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
