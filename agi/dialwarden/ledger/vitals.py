"""A few figures of a ledger by which it is judged from outside: how new, how much, how fast.

Reads only, and cheaply: the ids of a table grow with time, so rows are counted by ids.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialwarden.ledger.connection import instant, micros

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a ledger's tables of attempts and refusals come to.

    Attributes:
        newest: instant of the latest row, None where there is none.
        rows: how many were ever recorded, purged ones too.
        rows_month: of them, within thirty days before now.
    """

    newest: datetime | None
    rows: int
    rows_month: int


def vitals(conn: sqlite3.Connection, now: datetime) -> Vitals:
    """Look at the ends of both tables."""
    newest, rows, month = 0, 0, 0
    for table in ("attempt", "refusal"):
        last, at = conn.execute(
            f"SELECT ifnull(max(id), 0), ifnull((SELECT at FROM {table} ORDER BY id DESC LIMIT 1),"
            f" 0) FROM {table}"
        ).fetchone()
        rows += last
        newest = max(newest, at)
        month += last - _last_before(conn, table, last, micros(now - _MONTH))
    return Vitals(instant(newest) if newest else None, rows, month)


def _last_before(conn: sqlite3.Connection, table: str, last: int, at: int) -> int:
    """The last id before an instant, by halving: what is imported is dated back, and is noise."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        row = conn.execute(
            f"SELECT id, at FROM {table} WHERE id <= ? ORDER BY id DESC LIMIT 1", (middle,)
        ).fetchone()
        if row is None or row[1] < at:
            low = middle
        else:
            high = row[0] - 1
    return low
