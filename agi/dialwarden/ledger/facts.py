"""What is recorded of one callee and one professional: four indexed look-ups, a question each.

The hot path: every question runs this under the write lock. Live questions have no upper bound
in time, since a clock that jumped back must not hide what is on disk; questions about an instant
take what was dated at or before it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime

from dialwarden.facts import Appointment, Consent, Facts, Listing, Objection, PastAttempt, Scope
from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.states import Outcome, State
from dialwarden.question import Purpose

# Later than any instant that a datetime can hold.
_FOREVER = 1 << 62

_PURPOSE = {purpose.value: purpose for purpose in Purpose}
_SCOPE = {scope.value: scope for scope in Scope}

# Settled as failed means that it never rang and will not any more (see states.OUTCOMES).
_NOT_FAILED = f" AND NOT (state = '{State.SETTLED}' AND outcome IS '{Outcome.FAILED}')"

_OF_NUMBER = (
    "SELECT at, purpose FROM attempt WHERE number = :number AND professional = :professional"
    " AND at BETWEEN :since AND :until AND voided_at IS NULL"
)
_OF_PERSON = (
    "SELECT at, purpose FROM attempt WHERE person = :person AND professional = :professional"
    " AND at BETWEEN :since AND :until AND voided_at IS NULL"
)


def _attempts_sql(*, person: bool, count_failed: bool) -> str:
    kept = "" if count_failed else _NOT_FAILED
    if not person:
        return _OF_NUMBER + kept
    return f"{_OF_PERSON}{kept} UNION ALL {_OF_NUMBER} AND person IS NULL{kept}"


_ATTEMPTS = {
    (person, count_failed): _attempts_sql(person=person, count_failed=count_failed)
    for person in (False, True)
    for count_failed in (False, True)
}

_OBJECTED = "(professional = :professional OR scope = 'all') AND at <= :until"
_OBJECTIONS_OF_NUMBER = (
    f"SELECT at, scope, campaign FROM objection WHERE number = :number AND {_OBJECTED}"
)
_OBJECTIONS_OF_PERSON = (
    f"{_OBJECTIONS_OF_NUMBER} UNION ALL SELECT at, scope, campaign FROM objection"
    f" WHERE person = :person AND number <> :number AND {_OBJECTED}"
)
_CONSENTS = (
    "SELECT given_at, until, scope, complete, withdrawn_at FROM consent"
    " WHERE number = :number AND professional = :professional AND given_at <= :until"
)
# An appointment lies ahead by its nature; what matters is when it became known. One that was
# spent is no longer there, unless it was spent after the instant asked about.
_APPOINTMENTS = (
    "SELECT at, campaign FROM appointment"
    " WHERE number = :number AND professional = :professional AND recorded_at <= :until"
    " AND (used_by IS NULL OR (SELECT attempt.at FROM attempt WHERE id = used_by) > :until)"
)


def read_facts(
    conn: sqlite3.Connection,
    *,
    number: int,
    professional: str,
    person: str = "",
    attempts_since: datetime,
    as_of: datetime | None = None,
    lists: Mapping[str, Listing] | None = None,
    count_failed: bool = True,
) -> Facts:
    """Everything recorded that bears on one callee and one professional.

    Args:
        person: with one, the attempts of that person on any number count, and those on this
            number of nobody in particular; without, all on this number do. Objections likewise
            follow the person besides the number.
        attempts_since: how far back attempts are wanted, inclusive.
        as_of: None for a live question; else the instant that it is about.
        lists: what the lists say, from `ListCache.look_up`; handed on.
        count_failed: False leaves out the attempts that ended without having rung.
    """
    until = _FOREVER if as_of is None else micros(as_of)
    values = {
        "number": number,
        "professional": professional,
        "person": person,
        "since": micros(attempts_since),
        "until": until,
    }
    attempts = conn.execute(_ATTEMPTS[bool(person), count_failed], values).fetchall()
    objections = conn.execute(
        _OBJECTIONS_OF_PERSON if person else _OBJECTIONS_OF_NUMBER, values
    ).fetchall()
    consents = conn.execute(_CONSENTS, values).fetchall()
    appointments = conn.execute(_APPOINTMENTS, values).fetchall()
    # Newest first. Sorting a handful here is cheaper than making SQLite merge two index scans.
    attempts.sort(reverse=True)
    objections.sort(reverse=True)
    consents.sort(key=_first, reverse=True)
    return Facts(
        attempts=tuple([PastAttempt(instant(at), _PURPOSE[word]) for at, word in attempts]),
        objections=tuple(
            [Objection(instant(at), _SCOPE[word], campaign) for at, word, campaign in objections]
        ),
        consents=tuple([_consent(row, until) for row in consents]),
        appointments=tuple([Appointment(instant(at), campaign) for at, campaign in appointments]),
        lists=lists if lists is not None else {},
    )


def _first(row: tuple[int, ...]) -> int:
    return row[0]


def _consent(row: tuple[int, str | None, str, int, int | None], until: int) -> Consent:
    given_at, last_day, scope, complete, withdrawn_at = row
    stands = withdrawn_at is None or withdrawn_at > until
    return Consent(
        given_at=instant(given_at),
        until=date.fromisoformat(last_day) if last_day else None,
        scope=scope,
        complete=bool(complete),
        withdrawn_at=None if stands or withdrawn_at is None else instant(withdrawn_at),
    )
