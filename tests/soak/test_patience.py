"""How long a batch waits for a lock: as configured, and briefly while a lock goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.ledger.helpers import attempt

from dialwarden.errors import LedgerUnavailable
from dialwarden.ledger import attempts, batch, group_commit
from dialwarden.ledger.batch import BRIEFLY_MS
from dialwarden.ledger.group_commit import Ledger


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        yield
        conn.execute("ROLLBACK")


def wait_ms(conn: sqlite3.Connection) -> int:
    """How long the batch that this runs in would have waited."""
    found: int = conn.execute("PRAGMA busy_timeout").fetchone()[0]
    return found


def reserve(conn: sqlite3.Connection) -> int:
    return attempts.reserve(conn, attempt())


@pytest.mark.parametrize(
    ("configured_s", "usual_ms", "brief_ms"), [(0.3, 300, BRIEFLY_MS), (0.005, 5, 5)]
)
async def test_after_a_wait_in_vain_each_waits_briefly_until_one_is_written(
    tmp_path: Path, configured_s: float, usual_ms: int, brief_ms: int
) -> None:
    path = tmp_path / "ledger.db"
    ledger = await Ledger.open(path, busy_timeout_s=configured_s)
    assert await ledger.transact(wait_ms) == usual_ms
    with locked(path):
        for _ in range(3):
            with pytest.raises(LedgerUnavailable, match="locked by another process"):
                await ledger.transact(wait_ms)
    assert [await ledger.transact(wait_ms) for _ in range(2)] == [brief_ms, usual_ms]
    await ledger.close()


async def test_a_lock_that_was_met_long_ago_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "REMEMBERED_S", 0.0)
    path = tmp_path / "ledger.db"
    ledger = await Ledger.open(path, busy_timeout_s=0.3)
    with locked(path), pytest.raises(LedgerUnavailable, match="locked"):
        await ledger.transact(wait_ms)
    assert await ledger.transact(wait_ms) == 300
    await ledger.close()


async def test_a_connection_that_was_opened_anew_waits_as_the_former_one_did(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    ledger = await Ledger.open(path, busy_timeout_s=0.3)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").rename(f"{path}{suffix}.away")
    with pytest.raises(LedgerUnavailable, match="no such file"):
        await ledger.transact(wait_ms)
    for suffix in ("-shm", "-wal", ""):
        path.with_name(f"{path.name}{suffix}.away").rename(f"{path}{suffix}")
    with locked(path), pytest.raises(LedgerUnavailable, match="locked"):
        await ledger.transact(wait_ms)
    assert [await ledger.transact(wait_ms) for _ in range(2)] == [BRIEFLY_MS, 300]
    await ledger.close()


async def test_copying_the_log_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []

    def copy_rest(conn: sqlite3.Connection) -> int:
        waits.append(wait_ms(conn))
        return 0

    monkeypatch.setattr(group_commit, "CHECKPOINT_PAGES", 1)
    monkeypatch.setattr("dialwarden.ledger.batch.copy_rest", copy_rest)
    ledger = await Ledger.open(tmp_path / "ledger.db", busy_timeout_s=0.3)
    for _ in range(3):
        await ledger.transact(reserve)
    await ledger.close()
    assert set(waits) == {BRIEFLY_MS}
