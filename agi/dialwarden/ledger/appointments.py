"""Appointments: dates and times that callees agreed to be called at, each good for one call.

Owns their table. One that was spent on an attempt is good again once that attempt is voided: who
reads an appointment looks at its attempt, and nothing is written for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed
from dialwarden.ledger.reduced import subject

_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "number": e164,
    "professional": as_is,
    "campaign": as_is,
    "at": instant,
    "recorded_at": instant,
    "recorded_by AS by": as_is,
    "(SELECT attempt.id FROM attempt WHERE attempt.id = used_by AND voided_at IS NULL)"
    " AS used_by": as_is,
}

_SPENT = (
    "used_by IS NOT NULL AND EXISTS ("
    "SELECT 1 FROM attempt WHERE attempt.id = used_by AND voided_at IS NULL)"
)

# What the rules make of a no is theirs to say; whichever it was, it was said after this.
_ENDED = (
    "EXISTS (SELECT 1 FROM objection AS no WHERE no.number IN (appointment.number, :reduced)"
    " AND no.at >= appointment.recorded_at)"
    " OR EXISTS (SELECT 1 FROM withdrawal AS taken"
    " WHERE taken.number IN (appointment.number, :reduced) AND taken.at >= appointment.recorded_at)"
)


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
    """Record an appointment; False when that very one was recorded before and still stands.

    One that is spent, or that a no or a withdrawal ended, may be agreed on again.
    """
    added = conn.execute(
        "INSERT INTO appointment (number, professional, campaign, at, recorded_at, recorded_by)"
        " SELECT :number, :professional, :campaign, :at, :recorded_at, :by WHERE NOT EXISTS ("
        "  SELECT 1 FROM appointment WHERE number = :number AND professional = :professional"
        f"  AND campaign = :campaign AND at = :at AND NOT ({_SPENT}) AND NOT ({_ENDED}))",
        {
            "number": number,
            "reduced": subject(conn, number).reduced,
            "professional": professional,
            "campaign": campaign,
            "at": micros(at),
            "recorded_at": micros(recorded_at),
            "by": by,
        },
    )
    return added.rowcount > 0


def use(conn: sqlite3.Connection, attempt: int, appointment_id: int) -> bool:
    """Spend an appointment on an attempt; False when it is spent already, or there is none."""
    used = conn.execute(
        f"UPDATE appointment SET used_by = ? WHERE id = ? AND NOT ({_SPENT})",
        (attempt, appointment_id),
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

    `number` is E.164 with its +, instants are aware and in UTC, `used_by` is the id of the attempt
    that it was spent on; None while it is good.
    """
    where = Where()
    where.equal("number", number)
    where.equal("professional", professional)
    where.equal("campaign", campaign)
    where.at_least("at", since and micros(since))
    where.below("at", until and micros(until))
    return listed(conn, _COLUMNS, "appointment", where)
