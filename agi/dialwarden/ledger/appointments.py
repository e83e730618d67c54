"""Appointments: dates and times that callees agreed to be called at, each good for one call."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed

_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "number": e164,
    "professional": as_is,
    "campaign": as_is,
    "at": instant,
    "recorded_at": instant,
    "recorded_by AS by": as_is,
    "used_by": as_is,
}


def add(
    conn: sqlite3.Connection,
    *,
    number: int,
    professional: str,
    at: datetime,
    recorded_at: datetime,
    campaign: str = "",
    by: str = "",
) -> bool:
    """Record an appointment; False when that very one was recorded before."""
    added = conn.execute(
        "INSERT INTO appointment (number, professional, campaign, at, recorded_at, recorded_by)"
        " SELECT :number, :professional, :campaign, :at, :recorded_at, :by WHERE NOT EXISTS ("
        "  SELECT 1 FROM appointment WHERE number = :number AND professional = :professional"
        "  AND campaign = :campaign AND at = :at)",
        {
            "number": number,
            "professional": professional,
            "campaign": campaign,
            "at": micros(at),
            "recorded_at": micros(recorded_at),
            "by": by,
        },
    )
    return added.rowcount > 0


def use(
    conn: sqlite3.Connection,
    attempt: int,
    *,
    number: int,
    professional: str,
    at: datetime,
    campaign: str = "",
) -> bool:
    """Spend the appointment agreed for that instant on an attempt; False when it is spent."""
    used = conn.execute(
        "UPDATE appointment SET used_by = ? WHERE id = (SELECT id FROM appointment"
        " WHERE number = ? AND professional = ? AND at = ? AND campaign = ?"
        " AND used_by IS NULL LIMIT 1)",
        (attempt, number, professional, micros(at), campaign),
    )
    return used.rowcount > 0


def list_appointments(
    conn: sqlite3.Connection,
    *,
    number: int | None = None,
    professional: str | None = None,
    campaign: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[dict[str, object]]:
    """The appointments that match, spent ones too, in the order of recording; streams.

    `number` is E.164 with its +, instants are aware and in UTC, `used_by` an attempt's id.
    """
    where = Where()
    where.equal("number", number)
    where.equal("professional", professional)
    where.equal("campaign", campaign)
    where.at_least("at", since and micros(since))
    where.below("at", until and micros(until))
    return listed(conn, _COLUMNS, "appointment", where)
