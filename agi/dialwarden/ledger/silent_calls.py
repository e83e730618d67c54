"""Silent calls: the callee answered and no agent took the call.

Owns their table. What follows from one, and for how long, is for the rules.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed


@dataclass(frozen=True, slots=True)
class NewSilentCall:
    """A call that fell silent at `at`.

    Attributes:
        person: the id that joins one consumer's numbers, where it is known: the silence then
            concerns all of them.
        attempt: the id of the call's attempt; None where it is not known.
    """

    number: int
    professional: str
    at: datetime
    recorded_at: datetime
    person: str = ""
    campaign: str = ""
    attempt: int | None = None
    by: str = ""


_ADD = """
INSERT INTO silent_call (
    number, person, professional, campaign, at, attempt_id, recorded_at, recorded_by
)
SELECT :number, :person, :professional, :campaign, :at, :attempt, :recorded_at, :by
WHERE NOT EXISTS (SELECT 1 FROM silent_call WHERE attempt_id = :attempt)
  AND NOT EXISTS (
    SELECT 1 FROM silent_call
    WHERE number = :number AND professional = :professional AND person IS :person
      AND campaign = :campaign AND at = :at AND attempt_id IS :attempt
)
"""

# The attempt of an imported row is found by what makes two rows the same (see `insert_history`).
_ADD_HISTORY = """
INSERT INTO silent_call (
    number, person, professional, campaign, at, attempt_id, recorded_at, recorded_by
)
SELECT number, person, professional, campaign, at, id, :recorded_at, :by
FROM attempt
WHERE number = :number AND professional = :professional AND at = :at AND door = 'import'
  AND NOT EXISTS (SELECT 1 FROM silent_call WHERE attempt_id = attempt.id)
"""

_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "number": e164,
    "person": as_is,
    "professional": as_is,
    "campaign": as_is,
    "at": instant,
    "attempt_id AS attempt": as_is,
    "recorded_at": instant,
    "recorded_by AS by": as_is,
}


def add(conn: sqlite3.Connection, new: NewSilentCall) -> bool:
    """Record a silent call; False when its attempt, or this very call, is on record as one."""
    added = conn.execute(
        _ADD,
        {
            "number": new.number,
            "person": new.person or None,
            "professional": new.professional,
            "campaign": new.campaign,
            "at": micros(new.at),
            "attempt": new.attempt,
            "recorded_at": micros(new.recorded_at),
            "by": new.by,
        },
    )
    return added.rowcount > 0


def add_history(
    conn: sqlite3.Connection, rows: Iterable[HistoryRow], *, recorded_at: datetime, by: str = ""
) -> None:
    """Record which of these imported calls were silent; after `insert_history` of the same rows.

    A call that an earlier import brought without saying so is marked too.
    """
    conn.executemany(
        _ADD_HISTORY,
        (
            {
                "number": row.number,
                "professional": row.professional,
                "at": micros(row.at),
                "recorded_at": micros(recorded_at),
                "by": by,
            }
            for row in rows
            if row.silent
        ),
    )


def after_its_call(
    conn: sqlite3.Connection, *, number: int, professional: str, now: datetime
) -> datetime:
    """Now, and not before any attempt on record: the instant of a silence that is told live.

    With a clock that was set back, the very call that fell silent would seem to have followed it.
    """
    newest = conn.execute(
        "SELECT max(at) FROM attempt WHERE number = ? AND professional = ? AND voided_at IS NULL",
        (number, professional),
    ).fetchone()[0]
    return now if newest is None else max(now, instant(newest))


def list_silent_calls(
    conn: sqlite3.Connection,
    *,
    number: int | None = None,
    person: str | None = None,
    professional: str | None = None,
    campaign: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[dict[str, object]]:
    """The silent calls that match, in the order in which they were recorded; streams.

    `number` is E.164 with its +, instants are aware and in UTC, `attempt` is an attempt's id or
    None. `since` (inclusive) and `until` (exclusive) are of `at`.
    """
    where = Where()
    where.equal("number", number)
    where.equal("person", person)
    where.equal("professional", professional)
    where.equal("campaign", campaign)
    where.at_least("at", since and micros(since))
    where.below("at", until and micros(until))
    return listed(conn, _COLUMNS, "silent_call", where)
