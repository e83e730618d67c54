"""Listing attempts: every filter that the command line offers, rows streamed as they are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dialwarden.ledger.basis import EVIDENCE
from dialwarden.ledger.connection import maybe_instant, micros
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed
from dialwarden.ledger.states import Outcome, State
from dialwarden.question import Door, Purpose


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """What is not None must match; `since` is inclusive, `until` is not.

    `regime` is one regime's id: it finds the attempts judged by it alone or together with others.
    """

    attempt: int | None = None
    number: int | None = None
    professional: str | None = None
    campaign: str | None = None
    person: str | None = None
    purpose: Purpose | None = None
    door: Door | None = None
    call: str | None = None
    permit: str | None = None
    state: State | None = None
    outcome: Outcome | None = None
    regime: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


_COLUMNS: dict[str, Reading] = {
    "attempt.id": as_is,
    "attempt.number": e164,
    "attempt.professional": as_is,
    "attempt.campaign": as_is,
    "attempt.person": as_is,
    "attempt.purpose": as_is,
    "attempt.door": as_is,
    "attempt.call": as_is,
    "attempt.asked_by": as_is,
    "attempt.permit": as_is,
    "attempt.caller_id": as_is,
    "attempt.region": as_is,
    "attempt.dialling": as_is,
    "attempt.relationship": as_is,
    "attempt.zones": lambda text: tuple(text.split()),
    "attempt.state": as_is,
    "attempt.outcome": as_is,
    "attempt.at": maybe_instant,
    "attempt.dialled_at": maybe_instant,
    "attempt.rang_at": maybe_instant,
    "attempt.answered_at": maybe_instant,
    "attempt.ended_at": maybe_instant,
    "attempt.settled_at": maybe_instant,
    "attempt.voided_at": maybe_instant,
    "attempt.voided_why": as_is,
    "attempt.enforced": bool,
    "attempt.asked": as_is,
    "EXISTS (SELECT 1 FROM silent_call WHERE attempt_id = attempt.id) AS silent": bool,
    "last.trunk": as_is,
    "last.channel": as_is,
    "last.hangup_cause": as_is,
    **EVIDENCE,
}

_TABLES = (
    "attempt LEFT JOIN basis ON basis.id = attempt.basis_id LEFT JOIN leg AS last"
    " ON last.id = (SELECT max(leg.id) FROM leg WHERE leg.attempt_id = attempt.id)"
)


def list_attempts(
    conn: sqlite3.Connection, wanted: AttemptFilter | None = None
) -> Iterator[dict[str, object]]:
    """The attempts that match, voided ones too, in the order of their ids, one dict each.

    `number` is E.164 with its +, instants are aware and in UTC, `zones` is a tuple, `silent`
    whether no agent took the call, `lists` the JSON of the list versions. `trunk`, `channel` and
    `hangup_cause` are of the last channel that it was dialled by, None where none is on record.
    Streams: no default limit, whatever the size of the ledger.
    """
    wanted = wanted or AttemptFilter()
    where = Where()
    where.equal("attempt.id", wanted.attempt)
    for column in (
        "number",
        "professional",
        "campaign",
        "person",
        "purpose",
        "door",
        "call",
        "permit",
        "state",
        "outcome",
    ):
        where.equal(f"attempt.{column}", getattr(wanted, column))
    if wanted.call is not None:
        where.that("attempt.call <> ''")  # as in the condition of its index, or that is not used
    where.listed_in("basis.regime", wanted.regime)
    where.at_least("attempt.at", wanted.since and micros(wanted.since))
    where.below("attempt.at", wanted.until and micros(wanted.until))
    return listed(conn, _COLUMNS, _TABLES, where, order="attempt.id", limit=wanted.limit)
