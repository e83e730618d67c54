"""A ledger with a past: attempts by the million, made by direct SQL and kept for the next run.

Owns what that past looks like. The schema is the program's own; only the rows are put in by hand,
since a million of them through the gate would take an hour.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyroaring import BitMap64
from tests.bench.fixture import cache_folder
from tests.soak.calls import FIRST

from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.lists import import_version
from dialwarden.ledger.schema import MIGRATIONS

LISTED = 200_000  # numbers on the list; only a few of them are called
# The past is of numbers beyond those that are called: its attempts must not use up their caps.
_PAST = FIRST + 10_000_000
_CALLEES = 4_000_000
_DAYS = 60


def ledger_with(attempts: int, to: Path, tell: Callable[[str], None] = print) -> None:
    """Put a ledger with so many past attempts, and an opposition list `house`, at `to`."""
    if attempts < 100_000:
        _make(attempts, to)
        return
    made_from = repr((attempts, LISTED, _PAST, _CALLEES, _DAYS, MIGRATIONS)).encode()
    folder = cache_folder()
    kept = folder / f"soak-{attempts}-{hashlib.sha256(made_from).hexdigest()[:12]}.db"
    if not kept.exists():
        tell(f"making a ledger with {attempts:,} attempts; kept in {folder}")
        for former in folder.glob(f"soak-{attempts}-*.db"):
            former.unlink()
        unfinished = kept.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        _make(attempts, unfinished)
        unfinished.rename(kept)
    shutil.copyfile(kept, to)
    to.chmod(0o600)


def _make(attempts: int, path: Path) -> None:
    now = time.time_ns() // 1000
    with closing(open_ledger(path)) as conn:
        if attempts:
            _fill(conn, attempts, now)
        listed = BitMap64(range(FIRST + 7, FIRST + 7 * LISTED, 7))
        import_version(
            conn, "house", listed, as_of=datetime.now(UTC).date() - timedelta(1), source="past",
            sha256="", imported_at=datetime.now(UTC),
        )  # fmt: skip
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _fill(conn: sqlite3.Connection, attempts: int, now: int) -> None:
    indexes = conn.execute(
        "SELECT name, sql FROM sqlite_master"
        " WHERE type = 'index' AND tbl_name = 'attempt' AND sql IS NOT NULL"
    ).fetchall()
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA journal_mode = MEMORY")
    conn.execute("BEGIN IMMEDIATE")
    for name, _ in indexes:  # made at the end they take a quarter of the time
        conn.execute(f'DROP INDEX "{name}"')
    conn.executemany(
        "INSERT INTO attempt (number, professional, campaign, purpose, door, call, at, state,"
        " outcome, dialled_at, ended_at, settled_at)"
        " VALUES (?, 'acme', 'soak', 'sales', 'agi', ?, ?, 'settled', 'no_answer', ?, ?, ?)",
        _past(attempts, now),
    )
    for _, sql in indexes:
        conn.execute(sql)
    conn.execute("COMMIT")
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")


def _past(attempts: int, now: int) -> Iterator[tuple[object, ...]]:
    span = _DAYS * 86_400_000_000
    for place in range(attempts):
        at = now - span + span * place // attempts
        # A step without a factor in common with their number: all are called, in no order.
        number = _PAST + place * 2_654_435 % _CALLEES
        yield number, f"past.{place}", at, at, at, at
