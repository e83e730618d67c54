"""A copy of a ledger that is in use: whole, private, and in nobody's place."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.helpers import attempt, start_python

from dialwarden.errors import LedgerBroken
from dialwarden.ledger import backup as backup_module
from dialwarden.ledger.attempts import reserve
from dialwarden.ledger.backup import BackupRefused, back_up
from dialwarden.ledger.connection import open_ledger, open_ledger_to_read
from dialwarden.ledger.verify import opened, verify


def good(path: Path) -> bool:
    with opened(path, live=False) as conn:
        return not [check for check in verify(conn) if check.wrong]


def test_it_is_whole_private_and_a_ledger_to_start_with(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(open_ledger(path)) as conn:
        for _ in range(3):
            reserve(conn, attempt())
        length = back_up(conn, copy)
        reserve(conn, attempt())
    assert length == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert good(copy)
    with closing(open_ledger(copy, create=False)) as conn:
        assert conn.execute("SELECT count(*) FROM attempt").fetchone() == (3,)
        assert reserve(conn, attempt()) == 4
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy.db", "ledger.db"]


@pytest.mark.parametrize("there", [b"", b"something else", None])
def test_what_is_there_is_never_overwritten(
    path: Path, tmp_path: Path, there: bytes | None
) -> None:
    target = tmp_path / "there"
    if there is None:
        target.mkdir()
    else:
        target.write_bytes(there)
    with (
        closing(open_ledger(path)) as conn,
        pytest.raises(BackupRefused, match="exists already; name another file"),
    ):
        back_up(conn, target)
    assert there is None or target.read_bytes() == there


def test_a_folder_that_is_not_there_is_told(conn: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="No such file or directory"):
        back_up(conn, tmp_path / "no" / "copy.db")


def test_a_copy_that_is_found_damaged_does_not_stay(
    conn: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(500):
        reserve(conn, attempt())
    copied = backup_module._copy

    def damage(source: sqlite3.Connection, made: Path, progress: object) -> None:
        copied(source, made, None)
        content = bytearray(made.read_bytes())
        content[40_000:60_000] = b"\xff" * 20_000
        made.write_bytes(content)

    monkeypatch.setattr(backup_module, "_copy", damage)
    with pytest.raises(LedgerBroken):
        back_up(conn, tmp_path / "copy.db")
    assert [one.name for one in tmp_path.iterdir() if "copy" in one.name] == []


def test_a_full_disk_is_told_of_the_copy_that_was_asked_for(
    conn: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(500):
        reserve(conn, attempt())
    connect = sqlite3.connect

    def small(target: object, **more: object) -> sqlite3.Connection:
        copy = connect(target, **more)  # type: ignore[call-overload]
        copy.execute("PRAGMA max_page_count = 10")
        return copy  # type: ignore[no-any-return]

    monkeypatch.setattr(backup_module.sqlite3, "connect", small)
    with pytest.raises(BackupRefused, match=r"copy.db: cannot be written \(the disk is full\)"):
        back_up(conn, tmp_path / "copy.db")
    assert [one.name for one in tmp_path.iterdir() if "copy" in one.name] == []


WRITE = """
import sys
from datetime import datetime, UTC
from dialwarden.ledger.attempts import NewAttempt, reserve
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.question import Door, Purpose

conn = open_ledger(sys.argv[1])
while True:
    with transaction(conn):
        new = NewAttempt(336, "acme", "c", Purpose.SALES, Door.AGI, datetime.now(UTC))
        one = reserve(conn, new)
    print(one, flush=True)
"""


def test_it_is_one_moments_ledger_while_another_process_writes(path: Path, tmp_path: Path) -> None:
    with closing(open_ledger(path)) as conn:
        conn.execute("BEGIN")
        for _ in range(90_000):
            reserve(conn, attempt())
        conn.execute("COMMIT")
    process = start_python(WRITE, path)
    assert process.stdout is not None
    before = int(process.stdout.readline())
    steps: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        assert process.stdout is not None
        for _ in range(20):  # so many committed between two steps
            process.stdout.readline()
        steps.append((done, total))

    with closing(open_ledger_to_read(path)) as conn:
        back_up(conn, tmp_path / "copy.db", progress)
    after = int(process.stdout.readline())
    process.kill()
    process.communicate()
    assert len(steps) > 2
    assert steps == sorted(steps)  # it never began anew
    assert good(tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        count, last = copy.execute("SELECT count(*), max(id) FROM attempt").fetchone()
    assert before <= count == last < after
