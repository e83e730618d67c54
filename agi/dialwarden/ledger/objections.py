"""Objections: the callee said no. Owns their table; how long a no lasts is for the rules.

One that outlived its proof is there without saying of whom: see `reduced`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dialwarden.facts import Scope
from dialwarden.ledger.connection import instant, maybe_instant, micros
from dialwarden.ledger.listing import REDUCED, Reading, Where, as_is, e164, listed
from dialwarden.ledger.reduced import is_reduced, subject
from dialwarden.question import Door


@dataclass(frozen=True, slots=True)
class NewObjection:
    """A no, said at `at`.

    Attributes:
        person: the id that joins one consumer's numbers, where it is known: the objection then
            holds for all of them.
        campaign: needed for the scope of the same name.
    """

    number: int
    professional: str
    at: datetime
    recorded_at: datetime
    door: Door
    person: str = ""
    campaign: str = ""
    scope: Scope = Scope.PROFESSIONAL
    by: str = ""
    note: str = ""


# Identical is what the callee said; who wrote it down, when and with which note is not.
_ADD = """
INSERT INTO objection (
    number, person, professional, campaign, scope, at, recorded_at, door, recorded_by, note
)
SELECT :number, :person, :professional, :campaign, :scope, :at, :recorded_at, :door, :by, :note
WHERE NOT EXISTS (
    SELECT 1 FROM objection
    WHERE number IN (:number, :reduced)
      AND (person IS :person OR person IS :reduced_person) AND professional = :professional
      AND campaign = :campaign AND scope = :scope AND at = :at
)
"""

_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "number": e164,
    "person": lambda person: REDUCED if person and is_reduced(person) else person,
    "professional": as_is,
    "campaign": as_is,
    "scope": as_is,
    "at": instant,
    "recorded_at": instant,
    "door": as_is,
    "recorded_by AS by": as_is,
    "note": as_is,
    "reduced_at": maybe_instant,
}


def add(conn: sqlite3.Connection, new: NewObjection) -> bool:
    """Record a no; False when this very one was recorded before.

    Raises:
        ValueError: the scope is a campaign and no campaign is named.
    """
    if new.scope is Scope.CAMPAIGN and not new.campaign:
        raise ValueError("an objection to a campaign names it")
    callee = subject(conn, new.number, new.person)
    added = conn.execute(
        _ADD,
        {
            **callee._asdict(),
            "professional": new.professional,
            "campaign": new.campaign,
            "scope": new.scope.value,
            "at": micros(new.at),
            "recorded_at": micros(new.recorded_at),
            "door": new.door.value,
            "by": new.by,
            "note": new.note,
        },
    )
    return added.rowcount > 0


def list_objections(
    conn: sqlite3.Connection,
    *,
    number: int | None = None,
    person: str | None = None,
    professional: str | None = None,
    campaign: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[dict[str, object]]:
    """The objections that match, in the order in which they were recorded; streams.

    `number` is E.164 with its +, instants are aware and in UTC. Of one that was reduced `number`,
    and `person` where there was one, are "reduced", and `reduced_at` says since when; it is found
    by its number and person all the same.
    """
    where = Where()
    callee = subject(conn, number or 0, person or "")
    where.one_of("number", () if number is None else (number, callee.reduced))
    where.one_of("person", () if person is None else (person, callee.reduced_person))
    where.equal("professional", professional)
    where.equal("campaign", campaign)
    where.at_least("at", since and micros(since))
    where.below("at", until and micros(until))
    return listed(conn, _COLUMNS, "objection", where)
