from __future__ import annotations

import sqlite3
from datetime import date

import pytest
from tests.ledger.helpers import T0, A, B, attempt, day, objection

from dialwarden.facts import Scope
from dialwarden.ledger import attempts, objections
from dialwarden.ledger.attempt_list import AttemptFilter, list_attempts
from dialwarden.ledger.attempts import HistoryRow, Imported
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.connection import transaction
from dialwarden.ledger.states import Event, IllegalTransition, Outcome, State
from dialwarden.question import Bond, Dialling, Door, Purpose, Relationship


def ids(conn: sqlite3.Connection, **wanted: object) -> list[object]:
    return [row["id"] for row in list_attempts(conn, AttemptFilter(**wanted))]  # type: ignore[arg-type]


def test_an_attempt_is_listed_with_all_that_was_recorded(conn: sqlite3.Connection) -> None:
    basis = Basis("fr-a&fr-b", "fr", "aa", (("bloctel", 3), ("house", None)), "2026b", "0.1", "cc")
    attempts.reserve(
        conn,
        attempt(
            call="call-1",
            asked_by="PJSIP/7-00000001",
            person="P1",
            permit="permit-1",
            caller_id="+33912345678",
            region="FR-974",
            dialling=Dialling.AUTOMATIC,
            relationship=Relationship(Bond.ENDED, date(2026, 5, 1)),
            zones=("Indian/Reunion", "Indian/Mayotte"),
            enforced=False,
            basis_id=basis_id(conn, basis),
        ),
    )
    (row,) = list_attempts(conn)
    assert row == {
        "id": 1,
        "number": "+33612345678",
        "professional": "acme",
        "campaign": "energy",
        "person": "P1",
        "purpose": "sales",
        "door": "agi",
        "call": "call-1",
        "asked_by": "PJSIP/7-00000001",
        "permit": "permit-1",
        "caller_id": "+33912345678",
        "region": "FR-974",
        "dialling": "automatic",
        "relationship": "ended:2026-05-01",
        "zones": ("Indian/Reunion", "Indian/Mayotte"),
        "at": T0,
        "state": "reserved",
        "outcome": None,
        "dialled_at": None,
        "rang_at": None,
        "answered_at": None,
        "ended_at": None,
        "settled_at": None,
        "voided_at": None,
        "voided_why": None,
        "enforced": False,
        "asked": 1,
        "silent": False,
        "trunk": None,
        "channel": None,
        "hangup_cause": None,
        "regime": "fr-a&fr-b",
        "policy": "fr",
        "policy_sha256": "aa",
        "lists": '{"bloctel": 3, "house": null}',
        "tzdata": "2026b",
        "program": "0.1",
        "config_sha256": "cc",
        "overrides": "{}",
    }


@pytest.mark.parametrize(
    ("sent", "kept"), [("", ""), ("PJSIP/\udce9", "PJSIP/?"), ("x" * 9000, "x" * 128)]
)
def test_whatever_the_asker_calls_itself_the_attempt_is_recorded(
    conn: sqlite3.Connection, sent: str, kept: str
) -> None:
    attempts.reserve(conn, attempt(asked_by=sent))
    (row,) = list_attempts(conn)
    assert row["asked_by"] == kept


def test_each_filter_finds_its_own(conn: sqlite3.Connection) -> None:
    basis = Basis("fr-a&fr-b", "fr", "aa", (), "2026b", "0.1", "cc")
    first = attempts.reserve(
        conn, attempt(call="c1", person="P1", permit="p1", basis_id=basis_id(conn, basis))
    )
    second = attempts.reserve(
        conn,
        attempt(
            B, day(1), professional="beta", campaign="other", purpose=Purpose.SURVEY, door=Door.CLI
        ),
    )
    attempts.settle(conn, second, Outcome.CANCELLED, day(1))
    for wanted in (
        {"number": A},
        {"professional": "acme"},
        {"campaign": "energy"},
        {"person": "P1"},
        {"purpose": Purpose.SALES},
        {"door": Door.AGI},
        {"call": "c1"},
        {"permit": "p1"},
        {"state": State.RESERVED},
        {"regime": "fr-b"},
        {"until": day(1)},
        {"attempt": first},
        {"limit": 1},
    ):
        assert ids(conn, **wanted) == [first], wanted
    for wanted in ({"outcome": Outcome.CANCELLED}, {"since": day(1)}, {"professional": "beta"}):
        assert ids(conn, **wanted) == [second], wanted
    assert ids(conn, regime="fr") == []


def test_a_life_is_stamped_step_by_step(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt())
    for minute, event in enumerate(
        (Event.DIALLED, Event.FAILED, Event.DIALLED, Event.RANG, Event.ANSWERED, Event.RANG)
    ):
        attempts.advance(conn, one, event, day(minute))
    attempts.settle(conn, one, Outcome.ANSWERED, day(9))
    (row,) = list_attempts(conn)
    stamps = ("dialled_at", "rang_at", "answered_at", "ended_at", "settled_at")
    assert [row[name] for name in stamps] == [day(0), day(3), day(4), day(9), day(9)]
    assert (row["state"], row["outcome"]) == ("settled", "answered")


def test_an_illegal_step_changes_nothing(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt())
    attempts.advance(conn, one, Event.RANG, T0)
    before = list(list_attempts(conn))
    with pytest.raises(IllegalTransition):
        attempts.void(conn, one, "not dialled", T0)
    with pytest.raises(IllegalTransition):
        attempts.settle(conn, one, Outcome.FAILED, T0)
    with pytest.raises(IllegalTransition):
        attempts.advance(conn, one, Event.DIALLED, T0)
    assert list(list_attempts(conn)) == before


def test_an_unknown_id_is_said(conn: sqlite3.Connection) -> None:
    for act in (
        lambda: attempts.advance(conn, 7, Event.RANG, T0),
        lambda: attempts.settle(conn, 7, Outcome.BUSY, T0),
        lambda: attempts.void(conn, 7, "why", T0),
        lambda: attempts.repeat(conn, 7),
    ):
        with pytest.raises(attempts.NoSuchAttempt, match="7"):
            act()
    assert attempts.void_unsent(conn, 7, "why", T0) is False


def test_settling_and_voiding_have_functions_of_their_own(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt())
    for event in (Event.SETTLED, Event.VOIDED):
        with pytest.raises(ValueError, match="settle or void"):
            attempts.advance(conn, one, event, T0)


REACHED = [
    ([], True),
    ([Event.DIALLED], True),
    ([Event.DIALLED, Event.FAILED], True),
    ([Event.DIALLED, Event.FAILED, Event.DIALLED], True),
    ([Event.DIALLED, Event.RANG], False),
    ([Event.DIALLED, Event.ANSWERED], False),
    ([Event.DIALLED, Event.BUSY], False),
    ([Event.DIALLED, Event.RANG, Event.FAILED], False),
    ([Event.BUSY], False),
]


@pytest.mark.parametrize(("events", "is_open"), REACHED)
def test_an_attempt_is_open_until_a_leg_reached_the_callee(
    conn: sqlite3.Connection, events: list[Event], is_open: bool
) -> None:
    one = attempts.reserve(conn, attempt(call="c"))
    for event in events:
        attempts.advance(conn, one, event, T0)
    found = attempts.open_attempt(conn, "c", A, "acme")
    assert (found.id if found else None) == (one if is_open else None)


def test_an_attempt_is_not_open_once_its_life_is_over(conn: sqlite3.Connection) -> None:
    failed = attempts.reserve(conn, attempt(call="c"))
    attempts.settle(conn, failed, Outcome.FAILED, T0)
    voided = attempts.reserve(conn, attempt(call="d"))
    attempts.void(conn, voided, "never dialled", T0)
    assert attempts.open_attempt(conn, "c", A, "acme") is None
    assert attempts.open_attempt(conn, "d", A, "acme") is None


def test_another_call_number_or_professional_is_another_question(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt(call="c"))
    attempts.reserve(conn, attempt(call=""))
    found = attempts.open_attempt(conn, "c", A, "acme")
    assert found is not None
    assert (found.id, found.state, found.asked, found.at) == (one, State.RESERVED, 1, T0)
    for call, number, professional in (
        ("d", A, "acme"),
        ("c", B, "acme"),
        ("c", A, "other"),
        ("", A, "acme"),
    ):
        assert attempts.open_attempt(conn, call, number, professional) is None


CAME_SINCE = [
    ({}, True),
    ({"number": B}, False),
    ({"number": B, "person": "P1"}, True),
    ({"professional": "beta"}, False),
    ({"professional": "beta", "scope": Scope.ALL}, True),
    ({"scope": Scope.CAMPAIGN, "campaign": "energy"}, True),
    ({"scope": Scope.CAMPAIGN, "campaign": "other"}, False),
    # dated before the attempt, by a clock that jumped or by an import: it came since all the same
    ({"at": day(-30)}, True),
]


@pytest.mark.parametrize(("said", "closes"), CAME_SINCE)
def test_an_objection_that_came_since_closes_an_attempt(
    conn: sqlite3.Connection, said: dict[str, object], closes: bool
) -> None:
    attempts.reserve(conn, attempt(call="c", person="P1"))
    objections.add(conn, objection(**said))  # type: ignore[arg-type]
    assert (attempts.open_attempt(conn, "c", A, "acme") is None) is closes


def test_an_objection_from_before_leaves_an_attempt_open(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(at=day(1)))
    attempts.reserve(conn, attempt(call="c"))
    assert attempts.open_attempt(conn, "c", A, "acme") is not None


def test_a_permit_is_used_once_whatever_became_of_it(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt(permit="p"))
    attempts.void(conn, one, "never dialled", T0)
    with pytest.raises(attempts.PermitTaken, match="'p'"):
        attempts.reserve(conn, attempt(permit="p"))


def test_only_an_allow_that_never_left_is_voided_as_unsent(conn: sqlite3.Connection) -> None:
    fresh, repeated, dialled = (attempts.reserve(conn, attempt()) for _ in range(3))
    attempts.repeat(conn, repeated)
    attempts.advance(conn, dialled, Event.DIALLED, T0)
    answers = [
        attempts.void_unsent(conn, one, "the channel was gone", T0)
        for one in (fresh, repeated, dialled)
    ]
    assert answers == [True, False, False]
    assert ids(conn, state=State.VOIDED) == [fresh]
    assert next(list_attempts(conn))["voided_why"] == "the channel was gone"


def test_importing_a_history_twice_counts_it_once(conn: sqlite3.Connection) -> None:
    rows = [
        HistoryRow(A, "acme", T0, Outcome.BUSY, Purpose.SURVEY, "P1"),
        HistoryRow(A, "acme", day(1)),
        HistoryRow(A, "beta", T0),
        HistoryRow(A, "acme", T0, Outcome.ANSWERED),
    ]
    with transaction(conn):
        attempts.reserve(conn, attempt())
        assert attempts.insert_history(conn, rows) == Imported(added=3, duplicates=1)
    with transaction(conn):
        assert attempts.insert_history(conn, iter(rows)) == Imported(added=0, duplicates=4)
    imported = list(list_attempts(conn, AttemptFilter(door=Door.IMPORT)))
    assert [(row["professional"], row["at"], row["outcome"]) for row in imported] == [
        ("acme", T0, "busy"),
        ("acme", day(1), None),
        ("beta", T0, None),
    ]
    assert {row["state"] for row in imported} == {"settled"}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 21, 64, 65, 150])
def test_attempts_written_together_get_ids_in_their_order(
    conn: sqlite3.Connection, count: int
) -> None:
    earlier = attempts.reserve(conn, attempt())
    ids = attempts.reserve_all(conn, [attempt(A + n, call=f"c{n}") for n in range(1, count + 1)])
    assert ids == list(range(earlier + 1, earlier + 1 + count))
    found = conn.execute("SELECT id, number, call FROM attempt WHERE id > ?", (earlier,)).fetchall()
    assert found == [(earlier + n, A + n, f"c{n}") for n in range(1, count + 1)]


def test_ids_are_not_used_again_though_the_newest_attempts_are_gone(
    conn: sqlite3.Connection,
) -> None:
    first = attempts.reserve_all(conn, [attempt(A + n) for n in range(4)])
    conn.execute("DELETE FROM attempt WHERE id > 2")
    assert attempts.reserve_all(conn, [attempt(B + n) for n in range(4)]) == [5, 6, 7, 8]
    assert first == [1, 2, 3, 4]


def test_a_permit_that_was_one_before_is_refused_among_others(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(permit="p1"))
    with pytest.raises(attempts.PermitTaken, match="p1"):
        attempts.reserve_all(conn, [attempt(A + n, permit=f"p{n}") for n in range(4)])
