"""Erasures on record: that a callee's records were erased, by whom and why, not whose they were.

Owns the table `erasure`. The number stands there as its keyed hash, so that whoever asks about that
number finds what was done, and nobody reads from it which numbers there were.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime

from dialwarden.ledger.connection import instant, maybe_instant, micros
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed
from dialwarden.ledger.reduced import subject

# By what was done ("removed", "reduced", "kept") the rows of each kind.
Counts = Mapping[str, Mapping[str, int]]

_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "number": e164,
    "at": instant,
    "ended_at": maybe_instant,
    "recorded_by AS by": as_is,
    "why": as_is,
    "counts": json.loads,
}


def begin(conn: sqlite3.Connection, *, number: int, at: datetime, by: str, why: str) -> int:
    """Record that an erasure begins; in a transaction. Returns its id.

    Raises:
        ValueError: the ledger has no key yet; `make_key` makes it.
    """
    reduced = subject(conn, number).reduced
    if reduced == number:
        raise ValueError("without a key the number would stand there in clear")
    row = conn.execute(
        "INSERT INTO erasure (number, at, recorded_by, why, counts) VALUES (?, ?, ?, ?, '{}')",
        (reduced, micros(at), by, why),
    ).lastrowid
    assert row is not None
    return row


def note(
    conn: sqlite3.Connection, erasure: int, counts: Counts, *, ended_at: datetime | None = None
) -> None:
    """Record how far an erasure came, and that it ended."""
    conn.execute(
        "UPDATE erasure SET counts = ?, ended_at = ? WHERE id = ?",
        (json.dumps(counts), micros(ended_at) if ended_at else None, erasure),
    )


def list_erasures(conn: sqlite3.Connection, *, number: int) -> Iterator[dict[str, object]]:
    """The erasures of a number, in the order in which they were made; streams.

    `number` is "reduced"; `ended_at` is None of one that was cut short; `counts` a mapping.
    """
    where = Where()
    where.one_of("number", (subject(conn, number).reduced,))
    return listed(conn, _COLUMNS, "erasure", where)
