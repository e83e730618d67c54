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
    "number": e164,
    "professional": as_is,
    "campaign": as_is,
    "person": as_is,
    "purpose": as_is,
    "door": as_is,
    "call": as_is,
    "asked_by": as_is,
    "permit": as_is,
    "caller_id": as_is,
    "region": as_is,
    "dialling": as_is,
    "relationship": as_is,
    "zones": lambda text: tuple(text.split()),
    "state": as_is,
    "outcome": as_is,
    "at": maybe_instant,
    "dialled_at": maybe_instant,
    "rang_at": maybe_instant,
    "answered_at": maybe_instant,
    "ended_at": maybe_instant,
    "settled_at": maybe_instant,
    "voided_at": maybe_instant,
    "voided_why": as_is,
    "enforced": bool,
    "asked": as_is,
    "EXISTS (SELECT 1 FROM silent_call WHERE attempt_id = attempt.id) AS silent": bool,
    **EVIDENCE,
}


def list_attempts(
    conn: sqlite3.Connection, wanted: AttemptFilter | None = None
) -> Iterator[dict[str, object]]:
    """The attempts that match, voided ones too, in the order of their ids, one dict each.

    `number` is E.164 with its +, instants are aware and in UTC, `zones` is a tuple, `silent`
    whether no agent took the call, `lists` the JSON of the list versions. Streams: no default
    limit, whatever the size of the ledger.
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
    tables = "attempt LEFT JOIN basis ON basis.id = attempt.basis_id"
    return listed(conn, _COLUMNS, tables, where, order="attempt.id", limit=wanted.limit)
