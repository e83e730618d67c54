from __future__ import annotations

import sqlite3
from datetime import date, datetime

import pytest
from tests.ledger.helpers import LONG_AGO, T0, A, B, attempt, day, objection

from dialwarden.facts import (
    Appointment,
    Consent,
    Facts,
    Listing,
    Objection,
    PastAttempt,
    Scope,
)
from dialwarden.ledger import appointments, attempts, consents, objections
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.states import Event, Outcome
from dialwarden.question import Purpose


def facts(conn: sqlite3.Connection, number: int = A, **more: object) -> Facts:
    values: dict[str, object] = {
        "number": number,
        "professional": "acme",
        "attempts_since": LONG_AGO,
        **more,
    }
    return read_facts(conn, **values)  # type: ignore[arg-type]


def attempted(conn: sqlite3.Connection, number: int = A, **more: object) -> list[datetime]:
    return [past.at for past in facts(conn, number, **more).attempts]


def test_nothing_recorded_is_no_facts(conn: sqlite3.Connection) -> None:
    assert facts(conn) == Facts()


def test_the_lists_are_handed_on(conn: sqlite3.Connection) -> None:
    lists = {"bloctel": Listing(3, date(2026, 11, 1))}
    assert facts(conn, lists=lists).lists == lists


def test_attempts_come_newest_first_with_their_purpose(conn: sqlite3.Connection) -> None:
    attempts.insert_history(conn, [HistoryRow(A, "acme", day(-1))])
    attempts.reserve(conn, attempt(at=day(2), purpose=Purpose.SURVEY))
    attempts.reserve(conn, attempt(at=day(1), campaign="another"))
    assert facts(conn).attempts == (
        PastAttempt(day(2), Purpose.SURVEY),
        PastAttempt(day(1), Purpose.SALES),
        PastAttempt(day(-1), Purpose.SALES),
    )


def test_others_do_not_count(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(professional="beta"))
    attempts.reserve(conn, attempt(B))
    attempts.void(conn, attempts.reserve(conn, attempt()), "never dialled", T0)
    assert attempted(conn) == []


def test_attempts_since_is_inclusive(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(at=day(1)))
    attempts.reserve(conn, attempt(at=day(2)))
    assert attempted(conn, attempts_since=day(2)) == [day(2)]


def test_a_live_question_sees_what_a_clock_ahead_wrote(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(at=day(4000)))
    objections.add(conn, objection(at=day(4000)))
    found = facts(conn)
    assert [past.at for past in found.attempts] == [day(4000)]
    assert found.objections == (Objection(day(4000)),)


def test_at_an_instant_only_what_was_dated_by_then_counts(conn: sqlite3.Connection) -> None:
    for days in (1, 2, 3):
        attempts.reserve(conn, attempt(at=day(days)))
        objections.add(conn, objection(at=day(days)))
        consents.grant(conn, NewConsent(A, "acme", day(days), recorded_at=day(9)))
    found = facts(conn, as_of=day(2))
    assert [past.at for past in found.attempts] == [day(2), day(1)]
    assert [said.at for said in found.objections] == [day(2), day(1)]
    assert [said.given_at for said in found.consents] == [day(2), day(1)]


def test_a_withdrawal_after_the_instant_does_not_count_yet(conn: sqlite3.Connection) -> None:
    consents.grant(conn, NewConsent(A, "acme", T0, recorded_at=T0))
    consents.withdraw(conn, number=A, professional="acme", at=day(5), recorded_at=day(5))
    marks = [facts(conn, as_of=at).consents[0].withdrawn_at for at in (day(4), day(5), None)]
    assert marks == [None, day(5), day(5)]


def test_a_consent_is_read_with_all_that_bears_on_it(conn: sqlite3.Connection) -> None:
    consents.grant(
        conn,
        NewConsent(A, "acme", T0, T0, until=date(2027, 2, 28), scope="electricity", complete=True),
    )
    consents.grant(conn, NewConsent(A, "beta", T0, T0))
    assert facts(conn).consents == (Consent(T0, date(2027, 2, 28), "electricity", complete=True),)


# The person, and the days of those attempts that count. They were made on: day 1 A, nobody's;
# day 2 A, P1's; day 3 A, P2's; day 4 B, P1's; day 5 B, nobody's.
SUBJECTS = [("", [3, 2, 1]), ("P1", [4, 2, 1]), ("P2", [3, 1]), ("P3", [1])]


@pytest.mark.parametrize(("person", "days"), SUBJECTS)
def test_the_cap_is_the_persons_or_else_the_numbers(
    conn: sqlite3.Connection, person: str, days: list[int]
) -> None:
    for i, (number, whose) in enumerate(
        [(A, ""), (A, "P1"), (A, "P2"), (B, "P1"), (B, "")], start=1
    ):
        attempts.reserve(conn, attempt(number, day(i), person=whose))
    assert attempted(conn, person=person) == [day(i) for i in days]


def test_failed_attempts_are_left_out_only_once_their_life_is_over(
    conn: sqlite3.Connection,
) -> None:
    going, over, rang = (attempts.reserve(conn, attempt(at=day(i))) for i in (1, 2, 3))
    for one in (going, over):
        attempts.advance(conn, one, Event.FAILED, T0)
    attempts.settle(conn, over, Outcome.FAILED, T0)
    attempts.advance(conn, rang, Event.RANG, T0)
    attempts.settle(conn, rang, Outcome.NO_ANSWER, T0)
    attempts.insert_history(conn, [HistoryRow(A, "acme", day(0))])
    assert attempted(conn) == [day(3), day(2), day(1), day(0)]
    for person in ("", "P1"):
        assert attempted(conn, person=person, count_failed=False) == [day(3), day(1), day(0)]


OBJECTIONS = [
    ({}, "", True),
    ({"professional": "beta"}, "", False),
    ({"professional": "beta", "scope": Scope.ALL}, "", True),
    ({"scope": Scope.CAMPAIGN, "campaign": "energy"}, "", True),
    ({"number": B}, "", False),
    ({"number": B, "person": "P1"}, "", False),
    ({"number": B, "person": "P1"}, "P1", True),
    ({"number": B, "person": "P1", "professional": "beta"}, "P1", False),
    ({"number": B, "person": "P1", "professional": "beta", "scope": Scope.ALL}, "P1", True),
    ({"person": "P2"}, "P1", True),
    ({"person": "P1"}, "P1", True),
]


@pytest.mark.parametrize(("said", "person", "seen"), OBJECTIONS)
def test_an_objection_is_seen_by_number_and_by_person(
    conn: sqlite3.Connection, said: dict[str, object], person: str, seen: bool
) -> None:
    objections.add(conn, objection(**said))  # type: ignore[arg-type]
    expected = Objection(
        T0,
        Scope(said.get("scope", "professional")),  # type: ignore[arg-type]
        str(said.get("campaign", "")),
    )
    assert facts(conn, person=person).objections == ((expected,) if seen else ())


def test_an_appointment_is_seen_from_when_it_was_recorded_until_it_was_spent(
    conn: sqlite3.Connection,
) -> None:
    meeting = {"number": A, "professional": "acme", "at": day(5), "campaign": "energy"}
    appointments.add(conn, recorded_at=day(1), **meeting)  # type: ignore[arg-type]
    agreed = (Appointment(day(5), "energy"),)
    assert facts(conn).appointments == agreed
    one = attempts.reserve(conn, attempt(at=day(5)))
    appointments.use(conn, one, **meeting)  # type: ignore[arg-type]
    assert facts(conn).appointments == ()
    seen = [facts(conn, as_of=day(d)).appointments for d in (0, 1, 4, 5)]
    assert seen == [(), agreed, agreed, ()]
