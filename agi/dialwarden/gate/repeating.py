"""The attempt that a question repeats: a trunk that failed, and the same call asks for another.

Owns what DIALSTATUS says of the former dial, and when an ALLOW may be given once more without
counting anew. Over a connection, within the transaction of the question.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from dialwarden.facts import Facts
from dialwarden.gate.reading import Reading
from dialwarden.gate.rulebook import PERMIT_LIFE
from dialwarden.ledger import attempts
from dialwarden.ledger.attempt_lookup import last_of_call
from dialwarden.ledger.attempts import OpenAttempt
from dialwarden.ledger.states import Event, IllegalTransition, Outcome
from dialwarden.question import Purpose

# What became of the last dial on the asking channel (Asterisk's DIALSTATUS): these say that no
# callee was reached and another trunk may try. All others end the attempt.
_FAILED_OVER = frozenset({"CHANUNAVAIL", "CONGESTION"})
# The others: what happened to the leg, and what came of the attempt.
_ENDS: Mapping[str, tuple[Event | None, Outcome]] = {
    "ANSWER": (Event.ANSWERED, Outcome.ANSWERED),
    "BUSY": (Event.BUSY, Outcome.BUSY),
    "NOANSWER": (Event.RANG, Outcome.NO_ANSWER),
    "CANCEL": (None, Outcome.CANCELLED),
}
_NEVER_RANG = (None, Outcome.FAILED)
# 603, 408 and 5xx behind a 180 end as CHANUNAVAIL or CONGESTION too (measured on Asterisk
# 22.10.1): the callee's phone rang all the same, and what rang counts.
_RANG = (Event.RANG, Outcome.NO_ANSWER)


def open_attempt(
    conn: sqlite3.Connection,
    reading: Reading,
    facts: Facts,
    at: datetime,
    *,
    dry: bool = False,
) -> OpenAttempt | None:
    """The attempt of this call and number that may still be dialled, if there is one.

    What became of the channel's former dial tells a trunk that failed from a callee who was
    reached: the latter's attempt is over, and the question a new one.
    """
    question, number = reading.question, reading.number
    assert reading.entry is not None
    assert number is not None
    if not question.call:
        return None
    status = question.dial_status.upper()
    if status and (question.rang or status not in _FAILED_OVER):
        if not dry:
            _end_last_attempt(conn, question.call, status, at, rang=question.rang)
        return None
    # Most callees were not called within the last minute: one look-up less for them.
    if not facts.attempts or at - facts.attempts[0].at >= PERMIT_LIFE:
        return None
    professional = reading.entry.mandate.professional
    earlier = attempts.open_attempt(conn, question.call, number.digits, professional)
    if earlier is None or not timedelta(0) <= at - earlier.at < PERMIT_LIFE:
        return None
    if status:
        last = last_of_call(conn, question.call)
        if last is None or last.id != earlier.id:
            return None  # the status speaks of another number's dial: this one's is unknown
    return earlier


def _end_last_attempt(
    conn: sqlite3.Connection, call: str, status: str, at: datetime, *, rang: bool
) -> None:
    """Settle the attempt that the former dial of this call was made for."""
    last = last_of_call(conn, call)
    if last is None or last.over:
        return
    event, outcome = _ENDS.get(status, _RANG if rang else _NEVER_RANG)
    # Who followed the leg itself may have seen more than the channel tells: that stands then, and
    # leaves the attempt no more open than this would.
    with contextlib.suppress(IllegalTransition):
        if event is not None:
            attempts.advance(conn, last.id, event, at)
        attempts.settle(conn, last.id, outcome, at)


def set_apart(
    facts: Facts, earlier: OpenAttempt | None, purpose: Purpose
) -> tuple[Facts, OpenAttempt | None]:
    """The facts without an open attempt: it is not to be counted against itself.

    One that is not among them was for another professional, person or purpose. It is not
    repeated: that would be a call that counts for nobody whom this question is about.
    """
    if earlier is None:
        return facts, None
    kept = list(facts.attempts)
    for index, attempt in enumerate(kept):
        if attempt.at == earlier.at and attempt.purpose is purpose:
            del kept[index]
            agreed = tuple(
                replace(one, used_by=None) if one.used_by == earlier.id else one
                for one in facts.appointments
            )
            return replace(facts, attempts=tuple(kept), appointments=agreed), earlier
    return facts, None
