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
    SilentCall,
)
from dialwarden.ledger import appointments, attempts, consents, objections, silent_calls
from dialwarden.ledger.attempts import HistoryRow, NewAttempt
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.ledger.states import Event, Outcome
from dialwarden.question import Dialling, Purpose


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


def test_a_failure_is_left_out_from_the_instant_on_at_which_it_was_known(
    conn: sqlite3.Connection,
) -> None:
    attempts.settle(conn, attempts.reserve(conn, attempt(at=day(1))), Outcome.FAILED, day(2))
    for as_of, expected in ((day(1), [day(1)]), (day(2), []), (None, [])):
        assert attempted(conn, as_of=as_of, count_failed=False) == expected


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


def agree(conn: sqlite3.Connection, recorded_at: datetime = T0) -> None:
    appointments.add(
        conn, number=A, professional="acme", at=day(5), campaign="energy", recorded_at=recorded_at
    )


def test_an_appointment_is_seen_from_when_it_was_recorded_and_as_spent_from_its_call(
    conn: sqlite3.Connection,
) -> None:
    agree(conn, recorded_at=day(1))
    good = Appointment(day(5), "energy", agreed_at=day(1), id=1)
    assert facts(conn).appointments == (good,)
    one = attempts.reserve(conn, attempt(at=day(5)))
    assert appointments.use(conn, one, 1)
    spent = Appointment(day(5), "energy", agreed_at=day(1), id=1, used_by=one)
    assert facts(conn).appointments == (spent,)
    seen = [facts(conn, as_of=day(d)).appointments for d in (0, 1, 4, 5)]
    assert seen == [(), (good,), (good,), (spent,)]


def test_an_appointment_is_good_again_once_its_attempt_is_voided(conn: sqlite3.Connection) -> None:
    agree(conn)
    one = attempts.reserve(conn, attempt(at=day(5)))
    appointments.use(conn, one, 1)
    attempts.void(conn, one, "never dialled", day(5))
    for as_of in (None, day(6)):
        assert facts(conn, as_of=as_of).appointments == (
            Appointment(day(5), "energy", agreed_at=T0, id=1),
        )


@pytest.mark.parametrize(
    ("campaign", "at", "stands"),
    [
        pytest.param("", day(1), False, id="of everything"),
        pytest.param("energy", day(1), False, id="of its campaign"),
        pytest.param("", T0, False, id="of the same instant"),
        pytest.param("other", day(1), True, id="of another campaign"),
        pytest.param("", day(-1), True, id="before it was agreed"),
    ],
)
def test_a_withdrawal_ends_the_appointments_agreed_before_it(
    conn: sqlite3.Connection, campaign: str, at: datetime, stands: bool
) -> None:
    agree(conn)
    consents.withdraw(
        conn, number=A, professional="acme", at=at, recorded_at=day(2), campaign=campaign
    )
    assert bool(facts(conn).appointments) is stands
    assert bool(facts(conn, as_of=T0).appointments) is (stands or at > T0)


def test_what_a_no_or_a_withdrawal_ended_may_be_agreed_on_again(conn: sqlite3.Connection) -> None:
    agree(conn)
    objections.add(conn, objection(at=day(1)))
    agree(conn, recorded_at=day(2))
    agree(conn, recorded_at=day(3))
    assert [one.agreed_at for one in facts(conn).appointments] == [T0, day(2)]
    consents.withdraw(conn, number=A, professional="acme", at=day(3), recorded_at=day(3))
    agree(conn, recorded_at=day(4))
    assert [one.agreed_at for one in facts(conn).appointments] == [day(4)]


def test_only_what_is_wanted_is_read(conn: sqlite3.Connection) -> None:
    agree(conn)
    fall_silent(conn, T0)
    assert facts(conn).silent_calls == ()
    assert facts(conn, appointments=False).appointments == ()
    assert facts(conn, silent=True).silent_calls == (SilentCall(T0),)


def by_hand(**more: object) -> NewAttempt:
    return attempt(dialling=Dialling.MANUAL, **more)  # type: ignore[arg-type]


def fall_silent(conn: sqlite3.Connection, at: datetime, number: int = A, **more: object) -> None:
    values: dict[str, object] = {"professional": "acme", "recorded_at": at, **more}
    silent_calls.add(conn, NewSilentCall(number, at=at, **values))  # type: ignore[arg-type]


def silences(conn: sqlite3.Connection, **more: object) -> list[tuple[datetime, bool]]:
    found = facts(conn, silent=True, **more).silent_calls
    return [(one.at, one.followed) for one in found]


def test_silent_calls_come_newest_first_and_others_do_not_count(conn: sqlite3.Connection) -> None:
    for days in (1, 3, 2):
        fall_silent(conn, day(days))
    fall_silent(conn, day(4), B)
    fall_silent(conn, day(4), professional="beta")
    assert silences(conn) == [(day(3), False), (day(2), False), (day(1), False)]
    assert silences(conn, as_of=day(2)) == [(day(2), False), (day(1), False)]


# The person asked for, and the days of those silent calls that are read. They were: day 1 A,
# nobody's; day 2 A, P1's; day 3 A, P2's; day 4 B, P1's; day 5 B, nobody's.
@pytest.mark.parametrize(
    ("person", "days"), [("", [3, 2, 1]), ("P1", [4, 3, 2, 1]), ("P3", [3, 2, 1])]
)
def test_a_silent_call_is_seen_by_number_and_by_person(
    conn: sqlite3.Connection, person: str, days: list[int]
) -> None:
    calls = [(A, ""), (A, "P1"), (A, "P2"), (B, "P1"), (B, "")]
    for days_after, (number, whose) in enumerate(calls, start=1):
        fall_silent(conn, day(days_after), number, person=whose)
    assert [at for at, _ in silences(conn, person=person)] == [day(d) for d in days]


# What came of a later call, and whether it may have been answered.
LATER: list[tuple[list[Event | Outcome], bool]] = [
    ([], True),
    ([Event.DIALLED], True),
    ([Event.RANG], True),
    ([Event.ANSWERED], True),
    ([Event.BUSY], False),
    ([Event.FAILED], False),
    ([Event.FAILED, Event.DIALLED], True),
    ([Event.ANSWERED, Outcome.ANSWERED], True),
    ([Outcome.ANSWERED], True),
    ([Outcome.NO_ANSWER], False),
    ([Outcome.BUSY], False),
    ([Outcome.FAILED], False),
    ([Outcome.CANCELLED], False),
    ([Event.VOIDED], False),
]


@pytest.mark.parametrize(("happened", "followed"), LATER, ids=str)
@pytest.mark.parametrize("person", ["", "P1"])
def test_a_silent_call_is_followed_by_one_that_may_have_been_answered(
    conn: sqlite3.Connection, happened: list[Event | Outcome], followed: bool, person: str
) -> None:
    fall_silent(conn, T0, person=person)
    later = attempts.reserve(conn, by_hand(at=day(1), person=person))
    for event in happened:
        if isinstance(event, Outcome):
            attempts.settle(conn, later, event, day(1))
        elif event is Event.VOIDED:
            attempts.void(conn, later, "never dialled", day(1))
        else:
            attempts.advance(conn, later, event, day(1))
    assert silences(conn, person=person) == [(T0, followed)]


@pytest.mark.parametrize("outcome", [None, *Outcome])
def test_a_call_from_before_our_time_follows_nothing(
    conn: sqlite3.Connection, outcome: Outcome | None
) -> None:
    """Nobody said whether a person dialled it."""
    fall_silent(conn, T0)
    attempts.insert_history(conn, [HistoryRow(A, "acme", day(1), outcome)])
    assert silences(conn) == [(T0, False)]


@pytest.mark.parametrize("dialling", [None, Dialling.AUTOMATIC])
def test_a_call_by_machine_follows_nothing(
    conn: sqlite3.Connection, dialling: Dialling | None
) -> None:
    fall_silent(conn, T0)
    attempts.reserve(conn, attempt(at=day(1), dialling=dialling))
    assert silences(conn) == [(T0, False)]


# A later call, the person asked for, and whether it followed a silent call to A on day 0.
FOLLOWERS = [
    ({"at": day(1)}, "", True),
    ({"at": T0}, "", False),
    ({"at": day(-1)}, "", False),
    ({"at": day(1), "number": B}, "", False),
    ({"at": day(1), "professional": "beta"}, "", False),
    ({"at": day(1), "campaign": "other"}, "", True),
    ({"at": day(1), "person": "P2"}, "", True),
    ({"at": day(1)}, "P1", True),
    ({"at": day(1), "person": "P1"}, "P1", True),
    ({"at": day(1), "number": B, "person": "P1"}, "P1", True),
    ({"at": day(1), "number": B}, "P1", False),
    ({"at": day(1), "person": "P2"}, "P1", False),
]


@pytest.mark.parametrize(("later", "person", "followed"), FOLLOWERS, ids=str)
def test_whose_later_call_follows_a_silent_one(
    conn: sqlite3.Connection, later: dict[str, object], person: str, followed: bool
) -> None:
    fall_silent(conn, T0)
    attempts.reserve(conn, by_hand(**later))
    assert silences(conn, person=person) == [(T0, followed)]


def test_at_an_instant_only_a_call_made_by_then_has_followed(conn: sqlite3.Connection) -> None:
    fall_silent(conn, T0)
    attempts.reserve(conn, by_hand(at=day(2)))
    seen = [silences(conn, as_of=day(d)) for d in (1, 2)]
    assert seen == [[(T0, False)], [(T0, True)]]
