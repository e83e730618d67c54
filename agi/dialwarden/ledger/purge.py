"""Removing what is over, in bites so small that a call beside it waits for none of them.

Owns the table `purge`, and the pace. What is over is for `purge_kinds`. Rows are found by walking
a table by id, without any lock, and go in short transactions that look at each once more: a purge
that was killed leaves nothing half done, and the next one goes on. Two at once do no harm.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dialwarden.errors import LedgerError, LedgerUnavailable
from dialwarden.ledger.connection import micros, path_of, replaced, transaction
from dialwarden.ledger.log_copy import copy_log
from dialwarden.ledger.purge_kinds import Kind, Kinds, Plan, kinds_of
from dialwarden.ledger.purge_lists import parts_of, stale_bases, stale_versions
from dialwarden.ledger.reduced import make_key, reduced_number, reduced_person

# Rows looked at by one query: some 5 ms where nothing is over, 130 where all is; nobody waits.
_SLICE = 20_000
# Rows a transaction: as many as go within the first time, fewer where the disk is slow.
_FIRST_BITE, _LEAST_BITE, _MOST_BITE = 20, 5, 100
_SHORT_S, _LONG_S = 0.002, 0.005
# Between two transactions, so many times as long as the last held the lock, and at least so long.
_REST = 4
_LEAST_REST_S = 0.01
# The log is copied into the file after so many rows; each writes some ten pages of it.
_COPY_ROWS = 500
# A lock that others hold is waited for as long as the connection says, and so many times again.
_TRIES = 10

T = TypeVar("T")

# Waits, and says whether the purge is to stop here.
Pause = Callable[[float], bool]
# Told how many rows of how many were looked at.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did.

    Attributes:
        removed, reduced: how many rows, by kind.
        finished: it was not stopped before its end.
    """

    removed: dict[str, int]
    reduced: dict[str, int]
    finished: bool


class _Stopped(Exception):
    """Somebody wants the purge to end; it goes on another time."""


def purge(
    conn: sqlite3.Connection,
    plan: Plan,
    now: datetime,
    *,
    by: str,
    pause: Pause,
    progress: Progress | None = None,
) -> Purged:
    """Remove and reduce what is over at an instant, aware; writes one row of its own.

    Args:
        conn: its own, from `open_ledger`, used by nobody else meanwhile.
        by: who set it off.

    Raises:
        LedgerUnavailable: the ledger was locked for long, or cannot be written; what was removed
            until then stays removed.
        LedgerBroken: it is damaged.
    """
    return _Purge(conn, plan, now, by, pause, progress).run()


class _Purge:
    def __init__(
        self,
        conn: sqlite3.Connection,
        plan: Plan,
        now: datetime,
        by: str,
        pause: Pause,
        progress: Progress | None,
    ) -> None:
        self._conn = conn
        self._plan = plan
        self._now = now
        self._by = by
        self._pause = pause
        self._progress = progress
        self._removed: Counter[str] = Counter()
        self._reduced: Counter[str] = Counter()
        self._bite = _FIRST_BITE
        self._held_s = 0.0
        self._uncopied = 0

    def run(self) -> Purged:
        # A lost removal is made again: it need not wait for the disk while it holds the lock.
        self._conn.execute("PRAGMA synchronous = NORMAL")
        kinds = kinds_of(self._plan, self._now)
        unfinished = self._conn.execute(
            "SELECT 1 FROM purge WHERE ended_at IS NULL AND id = (SELECT max(id) FROM purge)"
        ).fetchone()
        row = self._write(self._note_start)
        finished = False
        try:
            self._go_through(kinds)
            # Only what is removed leaves what it was judged by behind.
            if unfinished or self._removed["attempts"] or self._removed["refusals"]:
                self._remove_bases()
            self._remove_lists()
            finished = True
        except _Stopped:
            pass
        finally:
            # Whatever ended it is told, not that this could not be written either.
            with contextlib.suppress(LedgerError, sqlite3.Error), transaction(self._conn):
                self._note_end(self._conn, row, ended=finished)
            copy_log(self._conn)
        return Purged(self._counts(self._removed), self._counts(self._reduced), finished)

    @staticmethod
    def _counts(counter: Counter[str]) -> dict[str, int]:
        return {kind: count for kind, count in counter.items() if count}

    def _note_start(self, conn: sqlite3.Connection) -> int:
        row = conn.execute(
            "INSERT INTO purge (began_at, recorded_by, removed) VALUES (?, ?, '{}')",
            (time.time_ns() // 1000, self._by),
        ).lastrowid
        assert row is not None
        return row

    def _note_end(self, conn: sqlite3.Connection, row: int, *, ended: bool) -> None:
        counts = {
            "removed": self._counts(self._removed),
            "reduced": self._counts(self._reduced),
        }
        conn.execute(
            "UPDATE purge SET removed = ?, ended_at = ? WHERE id = ?",
            (json.dumps(counts), time.time_ns() // 1000 if ended else None, row),
        )

    def _go_through(self, kinds: Kinds) -> None:
        ends = {kind: last_id(self._conn, kind.table) for kind in kinds.all}
        total, before = sum(ends.values()), 0
        for kind in kinds.all:
            for first, last in slices(self._conn, kind.table, ends[kind]):
                ids = [
                    row[0]
                    for row in self._conn.execute(
                        f"SELECT id FROM {kind.table} WHERE id BETWEEN :first AND :last"
                        f" AND ({kind.over})",
                        {**kinds.values, "first": first, "last": last},
                    )
                ]
                self._take(kind, ids, kinds.values)
                if self._progress is not None:
                    self._progress(before + last, total)
            before += ends[kind]

    def _take(self, kind: Kind, ids: list[int], values: dict[str, object]) -> None:
        if kind.reduced and ids:
            key = self._retried(lambda: make_key(self._conn, self._now))
        while ids:
            bite, ids = ids[: self._bite], ids[self._bite :]
            chosen = {**values, "ids": json.dumps(bite)}
            if kind.reduced:
                self._reduced[kind.name] += self._write(
                    lambda conn, key=key, chosen=chosen: reduce_rows(  # type: ignore[misc]
                        conn, kind, key, self._now, chosen
                    )
                )
            else:
                gone, children = self._write(
                    lambda conn, chosen=chosen: remove_rows(conn, kind, chosen)  # type: ignore[misc]
                )
                self._removed[kind.name] += gone
                if kind.children is not None:
                    self._removed[kind.children[0]] += children
            self._rest(len(bite))

    def _remove_bases(self) -> None:
        stale, seen = stale_bases(self._conn, self._pause_or_stop)
        # Nobody looks for those who lean on a basis without reading all attempts and refusals;
        # SQLite would, row by row, under the lock.
        self._conn.execute("PRAGMA foreign_keys = OFF")
        try:
            for bite in _bites(stale, _MOST_BITE):
                self._removed["bases"] += self._write(
                    lambda conn, bite=bite: seen.remove(conn, bite)  # type: ignore[misc]
                )
                self._rest(len(bite))
        finally:
            self._conn.execute("PRAGMA foreign_keys = ON")

    def _remove_lists(self) -> None:
        for version in stale_versions(self._conn, self._plan.lists_before):
            for part in parts_of(self._conn, version):
                self._write(lambda conn, part=part: part.remove(conn))  # type: ignore[misc]
                self._rest(_COPY_ROWS // 2)  # 4 MiB of the file
            self._removed["list versions"] += 1

    def _rest(self, rows: int) -> None:
        self._uncopied += rows
        if self._uncopied >= _COPY_ROWS:
            self._uncopied = 0
            copy_log(self._conn)
        self._pause_or_stop(max(_LEAST_REST_S, _REST * self._held_s))

    def _pause_or_stop(self, seconds: float) -> None:
        if self._pause(seconds):
            raise _Stopped

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a work in a transaction of its own, and bite off less when that took long."""

        def written() -> T:
            if replaced(self._conn):
                raise LedgerUnavailable(path_of(self._conn), "is another file by now")
            with transaction(self._conn):
                locked = time.monotonic()
                done = work(self._conn)
            self._held_s = time.monotonic() - locked
            return done

        done = self._retried(written)
        if self._held_s > _LONG_S:
            self._bite = max(_LEAST_BITE, self._bite // 2)
        elif self._held_s < _SHORT_S:
            self._bite = min(_MOST_BITE, self._bite + 10)
        return done

    def _retried(self, work: Callable[[], T]) -> T:
        for _ in range(_TRIES - 1):
            try:
                return work()
            except LedgerUnavailable:
                self._pause_or_stop(_LEAST_REST_S)
        return work()


def remove_rows(conn: sqlite3.Connection, kind: Kind, values: dict[str, object]) -> tuple[int, int]:
    """Remove rows that are still over, with their children; how many of each."""
    chosen = f"id IN (SELECT value FROM json_each(:ids)) AND ({kind.over})"
    children = 0
    if kind.children is not None:
        children = conn.execute(
            f"DELETE FROM {kind.children[1]} WHERE {kind.table}_id IN"
            f" (SELECT id FROM {kind.table} WHERE {chosen})",
            values,
        ).rowcount
    return conn.execute(f"DELETE FROM {kind.table} WHERE {chosen}", values).rowcount, children


# What says of whom it was, or may: every column that is not needed to refuse.
_EMPTIED = {
    "objection": "person = :person, door = '', recorded_by = '', note = ''",
    "withdrawal": "recorded_by = ''",
}


def reduce_rows(
    conn: sqlite3.Connection, kind: Kind, key: bytes, now: datetime, values: dict[str, object]
) -> int:
    """Take out of rows that are still over whose they were; how many."""
    person = "person" if kind.table == "objection" else "NULL"
    rows = conn.execute(
        f"SELECT id, number, {person} FROM {kind.table}"
        f" WHERE id IN (SELECT value FROM json_each(:ids)) AND ({kind.over})",
        values,
    ).fetchall()
    conn.executemany(
        f"UPDATE {kind.table} SET number = :number, reduced_at = :now, {_EMPTIED[kind.table]}"
        " WHERE id = :id",
        [
            {
                "id": row,
                "number": reduced_number(key, number),
                "person": reduced_person(key, who) if who else None,
                "now": micros(now),
            }
            for row, number, who in rows
        ],
    )
    return len(rows)


def last_id(conn: sqlite3.Connection, table: str) -> int:
    """The greatest id of a table; 0 of an empty one."""
    found: int = conn.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()[0]
    return found


def slices(conn: sqlite3.Connection, table: str, last: int) -> Iterator[tuple[int, int]]:
    """The ids of a table up to one, in slices, first and last included; where there are rows."""
    after = 0
    while after < last:
        row = conn.execute(f"SELECT min(id) FROM {table} WHERE id > ?", (after,)).fetchone()
        if row[0] is None or row[0] > last:
            return
        end = min(row[0] + _SLICE - 1, last)
        yield row[0], end
        after = end


def _bites(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    every = list(ids)
    for start in range(0, len(every), size):
        yield every[start : start + size]
