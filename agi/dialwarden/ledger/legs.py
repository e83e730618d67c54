"""Legs: the channels by which attempts were dialled, and what came of each.

Owns the table `leg`, and settles attempts by what happened to their legs. Which channel belongs to
which attempt, and what an event of Asterisk's means, is for the watch; which step may follow which
is for `states`.

Several bridges may record the same events: everything here is harmless the second time, and what
happens to a leg that nobody recorded (the ledger was away then) is passed over.
"""

from __future__ import annotations

import contextlib
import enum
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from dialwarden.ledger.attempts import advance, settle
from dialwarden.ledger.connection import instant, maybe_instant, micros
from dialwarden.ledger.listing import Reading, Where, as_is, listed
from dialwarden.ledger.states import Event, IllegalTransition, Outcome, State


class Ending(enum.StrEnum):
    """How a leg ended."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"  # the caller gave up
    FAILED = "failed"


class LegId(NamedTuple):
    """Which leg: two PBXes may make the same Uniqueid, and an Originate may bring one again.

    Attributes:
        pbx: whose channel it is: host and AMI address.
        uniqueid, channel: the trunk channel's, as it was dialled.
    """

    pbx: str
    uniqueid: str
    channel: str


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """A leg that has not ended, as far as is known.

    Attributes:
        number: the callee's, digits of E.164.
        state: how far it came: dialled, rang or answered.
    """

    uniqueid: str
    attempt: int
    channel: str
    number: int
    state: str


# How far it came, how it ended, and when, in microseconds.
Legs = Sequence[tuple[str, str | None, int | None]]
_LEGS = "SELECT state, ending, ended_at FROM leg WHERE attempt_id = ?"

_DIALLED = """
INSERT INTO leg (attempt_id, uniqueid, trunk, channel, pbx, at, state)
VALUES (?, ?, ?, ?, ?, ?, 'dialled') ON CONFLICT (pbx, uniqueid, channel) DO NOTHING
"""
_THIS = "pbx = ? AND uniqueid = ? AND channel = ?"


def dialled(
    conn: sqlite3.Connection,
    attempt: int,
    leg: LegId,
    *,
    trunk: str,
    at: datetime,
) -> bool:
    """Record that an attempt was dialled; False when that leg is on record already.

    The leg of an attempt that is over, or that has another leg, is recorded like any other: it is
    there.

    Args:
        trunk: its name in the configuration.

    Raises:
        sqlite3.IntegrityError: nobody has that attempt's id.
    """
    values = (attempt, leg.uniqueid, trunk, leg.channel, leg.pbx, micros(at))
    if not conn.execute(_DIALLED, values).rowcount:
        return False
    _advance(conn, attempt, Event.DIALLED, at)
    return True


def rang(conn: sqlite3.Connection, leg: LegId, at: datetime) -> None:
    """The callee's side was reached: ringing or early media.

    It may be told after the leg's end by a bridge that saw more than the one that told the end.
    """
    _reached(conn, leg, Event.RANG, at)


def answered(conn: sqlite3.Connection, leg: LegId, at: datetime) -> None:
    """The leg was answered."""
    _reached(conn, leg, Event.ANSWERED, at)


# From how far a leg had come it may come there.
_BEFORE: Mapping[Event, frozenset[str]] = MappingProxyType(
    {
        Event.RANG: frozenset({Event.DIALLED}),
        Event.ANSWERED: frozenset({Event.DIALLED, Event.RANG}),
    }
)


def _reached(conn: sqlite3.Connection, leg: LegId, event: Event, at: datetime) -> None:
    row = conn.execute(f"SELECT attempt_id, state FROM leg WHERE {_THIS}", leg).fetchone()
    if row is None or row[1] not in _BEFORE[event]:
        return
    conn.execute(f"UPDATE leg SET state = ? WHERE {_THIS}", (event.value, *leg))
    _advance(conn, row[0], event, at)


def _end(
    conn: sqlite3.Connection, leg: LegId, ending: Ending | None, cause: int | None, at: datetime
) -> tuple[int, Legs] | None:
    """End a leg: its attempt and all legs of that; None when there is nothing more to be done."""
    row = conn.execute(
        f"SELECT attempt_id FROM leg WHERE {_THIS} AND ended_at IS NULL", leg
    ).fetchone()
    if row is None:
        return None
    conn.execute(
        f"UPDATE leg SET ended_at = ?, ending = ?, hangup_cause = ? WHERE {_THIS}",
        (micros(at), ending.value if ending else None, cause, *leg),
    )
    attempt: int = row[0]
    legs = conn.execute(_LEGS, (attempt,)).fetchall()
    alive = any(over is None for _, _, over in legs)
    return None if alive else (attempt, legs)


# Of several legs of one attempt: what reached the callee most.
_MOST = (Outcome.ANSWERED, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.CANCELLED, Outcome.FAILED)


def ended(
    conn: sqlite3.Connection, leg: LegId, ending: Ending, *, cause: int | None, at: datetime
) -> None:
    """A leg is over; with it its attempt, unless it failed without ringing or another leg lives.

    After a failure another trunk may try; `settle_overdue` settles the attempt when none has.
    What was settled before, by whoever asked in the dialplan, stands.

    Args:
        cause: the hang-up cause of ISDN (Q.850), where it is known.
    """
    over = _end(conn, leg, ending, cause, at)
    if over is None:
        return
    attempt, legs = over
    outcome = _outcome(legs)
    if outcome is None:
        _settle_untold(conn, attempt, at)
    elif outcome is Outcome.FAILED:
        _advance(conn, attempt, Event.FAILED, at)
    else:
        if outcome is Outcome.BUSY:
            _advance(conn, attempt, Event.BUSY, at)
        _settle(conn, attempt, outcome, at)


def _outcome(legs: Legs) -> Outcome | None:
    """What came of an attempt whose legs are all over; None when that was not seen of one."""
    told = [_came_of(state, ending) for state, ending, _ in legs]
    if Outcome.ANSWERED in told:
        return Outcome.ANSWERED
    if None in told:
        return None
    return next(outcome for outcome in _MOST if outcome in told)


def _came_of(state: str, ending: str | None) -> Outcome | None:
    if state == Event.ANSWERED:
        return Outcome.ANSWERED
    if ending is None:
        return None
    # A phone that rang was reached, whatever the carrier calls the end.
    if state == Event.RANG and ending == Ending.FAILED:
        return Outcome.NO_ANSWER
    return Outcome(ending)


_OPEN_LEGS = """
SELECT leg.uniqueid, leg.attempt_id, leg.channel, attempt.number, leg.state
FROM leg JOIN attempt ON attempt.id = leg.attempt_id
WHERE leg.pbx = ? AND leg.ended_at IS NULL ORDER BY leg.id
"""


def open_legs(conn: sqlite3.Connection, pbx: str) -> list[OpenLeg]:
    """The legs of one PBX that have not ended, in the order in which they were dialled."""
    return [OpenLeg(*row) for row in conn.execute(_OPEN_LEGS, (pbx,))]


def lost(conn: sqlite3.Connection, leg: LegId, at: datetime) -> None:
    """A leg ended while nobody looked: what came of it is not known, unless it was answered.

    Its attempt is settled without an outcome, unless it is over or another leg lives: it counts.

    Args:
        at: when that was noticed.
    """
    over = _end(conn, leg, None, None, at)
    if over is None:
        return
    attempt, legs = over
    if _outcome(legs) is Outcome.ANSWERED:
        _settle(conn, attempt, Outcome.ANSWERED, at)
    else:
        _settle_untold(conn, attempt, at)


# The first two conditions are those of the index of what is unsettled.
_OVERDUE = """
SELECT id, state, answered_at IS NOT NULL FROM attempt
WHERE settled_at IS NULL AND voided_at IS NULL AND at < ?
  AND NOT EXISTS (SELECT 1 FROM leg WHERE attempt_id = attempt.id AND ended_at IS NULL)
ORDER BY at LIMIT ?
"""
_OVERDUE_AS: Mapping[State, Outcome] = MappingProxyType(
    {State.FAILED: Outcome.FAILED, State.BUSY: Outcome.BUSY, State.RANG: Outcome.NO_ANSWER}
)


def settle_overdue(
    conn: sqlite3.Connection, *, before: datetime, at: datetime, limit: int = 500
) -> int:
    """Settle attempts allowed before an instant that have no live leg; returns how many.

    With what is known of them, else without an outcome: what was reserved and not seen dialled may
    have been, by a PBX that we have no link to. Nothing is voided here.

    Args:
        at: when it is settled.
        limit: at most so many, the oldest first: a short work; ask again while it is reached.
    """
    rows = conn.execute(_OVERDUE, (micros(before), limit)).fetchall()
    for attempt, state, was_answered in rows:
        outcome = Outcome.ANSWERED if was_answered else _OVERDUE_AS.get(State(state))
        if outcome is None:
            _settle_untold(conn, attempt, at)
        else:
            settle(conn, attempt, outcome, at)
    return len(rows)


def _advance(conn: sqlite3.Connection, attempt: int, event: Event, at: datetime) -> None:
    with contextlib.suppress(IllegalTransition):
        advance(conn, attempt, event, at)


def _settle(conn: sqlite3.Connection, attempt: int, outcome: Outcome, at: datetime) -> None:
    with contextlib.suppress(IllegalTransition):
        settle(conn, attempt, outcome, at)


def _settle_untold(conn: sqlite3.Connection, attempt: int, at: datetime) -> None:
    """End an attempt's life without saying what came of it, unless it is over."""
    conn.execute(
        "UPDATE attempt SET state = 'settled', settled_at = ?"
        " WHERE id = ? AND settled_at IS NULL AND voided_at IS NULL",
        (micros(at), attempt),
    )


_COLUMNS: dict[str, Reading] = {
    "leg.id": as_is,
    "leg.attempt_id AS attempt": as_is,
    "leg.at": instant,
    "leg.trunk": as_is,
    "leg.channel": as_is,
    "leg.uniqueid": as_is,
    "leg.pbx": as_is,
    "leg.state": as_is,
    "leg.ending": as_is,
    "leg.ended_at": maybe_instant,
    "leg.hangup_cause": as_is,
}


def list_legs(conn: sqlite3.Connection, *, number: int) -> Iterator[dict[str, object]]:
    """The channels by which a number was dialled, in the order of recording; streams."""
    where = Where()
    where.equal("attempt.number", number)
    tables = "leg JOIN attempt ON attempt.id = leg.attempt_id"
    return listed(conn, _COLUMNS, tables, where, order="leg.id")
