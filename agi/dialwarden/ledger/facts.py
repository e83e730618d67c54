"""What is recorded of one callee and one professional: indexed look-ups, a question each.

The hot path: every question runs this under the write lock. Live questions have no upper bound
in time, since a clock that jumped back must not hide what is on disk; questions about an instant
take what was dated at or before it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime

from dialwarden.facts import (
    Appointment,
    Consent,
    Facts,
    Listing,
    Objection,
    PastAttempt,
    Scope,
    SilentCall,
)
from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.reduced import subject
from dialwarden.ledger.states import Outcome, State
from dialwarden.question import Dialling, Purpose

# Later than any instant that a datetime can hold.
_FOREVER = 1 << 62

_PURPOSE = {purpose.value: purpose for purpose in Purpose}
_SCOPE = {scope.value: scope for scope in Scope}

# Settled as failed means that it never rang and will not any more (see states.OUTCOMES). At an
# instant before that was known it counted.
_NOT_FAILED = (
    f" AND NOT (state = '{State.SETTLED}' AND outcome IS '{Outcome.FAILED}'"
    " AND settled_at <= :until)"
)

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


# Where nothing was ever reduced each callee has one name. Of two, UNION ALL finds what `IN` does in
# less than half the time: `IN` would make a table of the two names first.
def _objections_sql(*, person: bool, reduced: bool) -> str:
    whose = ["number = :number"]
    other = "number <> :number"
    if reduced:
        whose.append("number = :reduced")
        other += " AND number <> :reduced"
    if person:
        whose.append(f"person = :person AND {other}")
    if person and reduced:
        whose.append(f"person = :reduced_person AND {other}")
    return " UNION ALL ".join(
        f"SELECT at, scope, campaign FROM objection WHERE {one} AND {_OBJECTED}" for one in whose
    )


_OBJECTIONS = {
    (person, reduced): _objections_sql(person=person, reduced=reduced)
    for person in (False, True)
    for reduced in (False, True)
}
_CONSENTS = (
    "SELECT given_at, until, scope, complete, withdrawn_at FROM consent"
    " WHERE number = :number AND professional = :professional AND given_at <= :until"
)
# An appointment lies ahead by its nature; what matters is when it became known. An attempt that
# was voided, or was made after the instant asked about, has spent nothing.
_APPOINTMENTS = (
    "SELECT at, campaign, id, recorded_at, ("
    "SELECT attempt.id FROM attempt"
    " WHERE attempt.id = used_by AND voided_at IS NULL AND attempt.at <= :until)"
    " FROM appointment"
    " WHERE number = :number AND professional = :professional AND recorded_at <= :until"
    # Who takes back the yes takes back the hour agreed on; a later yes does not bring it back.
    " AND NOT EXISTS (SELECT 1 FROM withdrawal AS taken WHERE taken.number IN (:number, :reduced)"
    " AND taken.professional = :professional AND taken.at >= appointment.recorded_at"
    " AND taken.at <= :until AND (taken.campaign = '' OR appointment.campaign = ''"
    " OR taken.campaign = appointment.campaign))"
)


# A later call that had an agent from the start, and may have been answered: of those that were not,
# this is known. One by machine, or of which nobody said how it was dialled, followed nothing.
def followed(subject: str, professional: str = ":professional") -> str:
    """SQL: whether such a call of a subject's followed a row of `silent_call`.

    Args:
        subject: whose attempts, a condition on `attempt`.
        professional: whose calls.
    """
    return (
        f"EXISTS (SELECT 1 FROM attempt WHERE {subject} AND professional = {professional}"
        " AND at > silent_call.at AND at <= :until AND voided_at IS NULL"
        f" AND dialling = '{Dialling.MANUAL}'"
        f" AND state NOT IN ('{State.BUSY}', '{State.FAILED}')"
        f" AND ifnull(outcome, '{Outcome.ANSWERED}') = '{Outcome.ANSWERED}')"
    )


_FOLLOWED_NUMBER = followed("number = :number")
# As the attempts are counted: the person's, and those on this number of nobody in particular.
_FOLLOWED_PERSON = (
    f"({followed('person = :person')} OR {followed('number = :number AND person IS NULL')})"
)
_SILENT = "professional = :professional AND at <= :until"
_SILENT_OF_NUMBER = (
    f"SELECT at, {_FOLLOWED_NUMBER} FROM silent_call WHERE number = :number AND {_SILENT}"
)
# As objections are read: whoever picked up, it was this phone that nobody spoke on.
_SILENT_OF_PERSON = (
    f"SELECT at, {_FOLLOWED_PERSON} FROM silent_call WHERE number = :number AND {_SILENT}"
    f" UNION ALL SELECT at, {_FOLLOWED_PERSON} FROM silent_call"
    f" WHERE person = :person AND number <> :number AND {_SILENT}"
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
    told: bool = True,
    silent: bool = False,
    appointments: bool = True,
) -> Facts:
    """Everything recorded that bears on one callee and one professional.

    Args:
        person: with one, the attempts of that person on any number count, and those on this
            number of nobody in particular; without, all on this number do. Objections and silent
            calls follow the person besides the number.
        attempts_since: how far back attempts are wanted, inclusive.
        as_of: None for a live question; else the instant that it is about.
        lists: what the lists say, from `ListCache.look_up`; handed on.
        count_failed: False leaves out the attempts that ended without having rung.
        told: False reads the attempts alone, for a number of which nothing else is on record.
        silent: whether silent calls are wanted.
        appointments: whether appointments are wanted.
    """
    until = _FOREVER if as_of is None else micros(as_of)
    callee = subject(conn, number, person)
    values: dict[str, object] = {
        "number": number,
        "reduced": callee.reduced,
        "professional": professional,
        "person": person,
        "reduced_person": callee.reduced_person,
        "since": micros(attempts_since),
        "until": until,
    }
    attempts = conn.execute(_ATTEMPTS[bool(person), count_failed], values).fetchall()
    if not told:
        attempts.sort(reverse=True)
        return Facts(_past(attempts), lists=lists if lists is not None else {})
    reduced = callee.reduced != number
    objections = conn.execute(_OBJECTIONS[bool(person), reduced], values).fetchall()
    consents = conn.execute(_CONSENTS, values).fetchall()
    agreed = conn.execute(_APPOINTMENTS, values).fetchall() if appointments else ()
    silences = _silences(conn, values) if silent else ()
    # Newest first. Sorting a handful here is cheaper than making SQLite merge two index scans.
    attempts.sort(reverse=True)
    objections.sort(reverse=True)
    consents.sort(key=_first, reverse=True)
    return Facts(
        attempts=_past(attempts),
        objections=tuple(
            [Objection(instant(at), _SCOPE[word], campaign) for at, word, campaign in objections]
        ),
        consents=tuple([_consent(row, until) for row in consents]),
        appointments=tuple(
            [
                Appointment(instant(at), campaign, key, spent_on, instant(recorded))
                for at, campaign, key, recorded, spent_on in agreed
            ]
        ),
        silent_calls=tuple([SilentCall(instant(at), bool(after)) for at, after in silences]),
        lists=lists if lists is not None else {},
    )


def _past(rows: list[tuple[int, str]]) -> tuple[PastAttempt, ...]:
    return tuple([PastAttempt(instant(at), _PURPOSE[word]) for at, word in rows])


def _silences(conn: sqlite3.Connection, values: dict[str, object]) -> list[tuple[int, int]]:
    sql = _SILENT_OF_PERSON if values["person"] else _SILENT_OF_NUMBER
    return sorted(conn.execute(sql, values), reverse=True)


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
