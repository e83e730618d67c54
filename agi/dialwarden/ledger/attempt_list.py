"""Listing attempts: every filter that the command line offers, rows streamed as they are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dialwarden.ledger.connection import maybe_instant, micros
from dialwarden.ledger.filters import Where, e164
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


_INSTANTS = (
    "at",
    "dialled_at",
    "rang_at",
    "answered_at",
    "ended_at",
    "settled_at",
    "voided_at",
)
_COLUMNS = (
    "id",
    "number",
    "professional",
    "campaign",
    "person",
    "purpose",
    "door",
    "call",
    "asked_by",
    "permit",
    "caller_id",
    "region",
    "dialling",
    "relationship",
    "zones",
    "state",
    "outcome",
    *_INSTANTS,
    "voided_why",
    "enforced",
    "asked",
)
_BASIS = (
    "regime",
    "policy",
    "policy_sha256",
    "lists",
    "tzdata",
    "program",
    "config_sha256",
)
_SELECT = (
    "SELECT "
    + ", ".join(f"attempt.{column}" for column in _COLUMNS)
    + ", "
    + ", ".join(f"basis.{column}" for column in _BASIS)
    + " FROM attempt LEFT JOIN basis ON basis.id = attempt.basis_id"
)


def list_attempts(
    conn: sqlite3.Connection, wanted: AttemptFilter | None = None
) -> Iterator[dict[str, object]]:
    """The attempts that match, voided ones too, in the order of their ids, one dict each.

    `number` is E.164 with its +, instants are aware and in UTC, `zones` is a tuple, `lists` the
    JSON of the list versions. Streams: no default limit, whatever the size of the ledger.
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
    sql = f"{_SELECT}{where.sql} ORDER BY attempt.id"
    if wanted.limit is not None:
        sql += f" LIMIT {int(wanted.limit)}"
    names = (*_COLUMNS, *_BASIS)
    for values in conn.execute(sql, where.values):
        row: dict[str, object] = dict(zip(names, values, strict=True))
        row["number"] = e164(values[1])
        row["zones"] = tuple(str(row["zones"]).split())
        row["enforced"] = bool(row["enforced"])
        for column in _INSTANTS:
            row[column] = maybe_instant(row[column])  # type: ignore[arg-type]
        yield row
