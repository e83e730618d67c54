from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.ledger.helpers import LONG_AGO, T0, A, B, attempt, day
from tests.ledger.test_schema import plans

from dialwarden.ledger import attempts, legs, permits
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.legs import LegId
from dialwarden.ledger.permits import OpenPermit
from dialwarden.ledger.states import Event, Outcome, State

# Events that lead an attempt from reserved to a state.
PATHS: dict[State, tuple[Event, ...]] = {
    State.RESERVED: (),
    State.DIALLED: (Event.DIALLED,),
    State.RANG: (Event.RANG,),
    State.BUSY: (Event.BUSY,),
    State.FAILED: (Event.DIALLED, Event.FAILED),
}


def reserve_in(conn: sqlite3.Connection, state: State, **more: object) -> int:
    made = attempts.reserve(conn, attempt(**more))  # type: ignore[arg-type]
    if state is State.SETTLED:
        attempts.settle(conn, made, Outcome.ANSWERED, T0)
    elif state is State.VOIDED:
        attempts.void(conn, made, "never left", T0)
    else:
        for event in PATHS[state]:
            attempts.advance(conn, made, event, T0)
    return made


def found(conn: sqlite3.Connection, *ids: str, since: datetime = LONG_AGO) -> list[int]:
    return [each.attempt for each in permits.find_permits(conn, ids, since=since)]


def opened(conn: sqlite3.Connection, since: datetime = LONG_AGO) -> list[int]:
    return [each.attempt for each in permits.open_permits(conn, since=since)]


def test_a_permit_is_handed_on_with_all_that_the_watch_needs(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(call="c1", permit="dw-1"))
    attempts.reserve(conn, attempt(B, day(1), campaign="paper"))
    first = OpenPermit(1, A, "energy", "c1", "dw-1", T0, State.RESERVED)
    second = OpenPermit(2, B, "paper", "", "", day(1), State.RESERVED)
    assert permits.open_permits(conn, since=T0) == [first, second]
    assert permits.find_permits(conn, ["dw-1"], since=T0) == [first]


@pytest.mark.parametrize("state", State)
def test_only_who_was_not_reached_is_still_permitted(
    conn: sqlite3.Connection, state: State
) -> None:
    made = reserve_in(conn, state, call="c1", permit="dw-1")
    expected = [made] if state in {State.RESERVED, State.DIALLED, State.FAILED} else []
    assert opened(conn) == expected
    assert found(conn, "c1") == found(conn, "dw-1") == expected
    for permit in permits.open_permits(conn, since=T0):
        assert permit.state is state


def test_a_call_that_was_imported_permits_nothing(conn: sqlite3.Connection) -> None:
    attempts.insert_history(conn, [HistoryRow(A, "acme", T0)])
    # As an import would stand that is unsettled, which none is.
    conn.execute("UPDATE attempt SET state = 'reserved', settled_at = NULL, call = 'c1'")
    assert opened(conn) == found(conn, "c1") == []


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param((), [], id="nobody"),
        pytest.param(("",), [], id="no id"),
        pytest.param(("c1",), [1, 2], id="a call that asked for two numbers"),
        pytest.param(("dw-2",), [2], id="a permit"),
        pytest.param(("dw-3", "dw-3"), [3], id="Uniqueid and Linkedid alike"),
        pytest.param(("c1", "dw-2"), [1, 2], id="a permit and its call: told once"),
        pytest.param(("dw-4", "", "other"), [4], id="found by the call that is the permit"),
        pytest.param(("C1",), [], id="another case is another id"),
        pytest.param(("nobody", "' OR 1=1 --"), [], id="unknown"),
    ],
)
def test_permits_are_found_by_what_a_channel_carries(
    conn: sqlite3.Connection, ids: tuple[str, ...], expected: list[int]
) -> None:
    attempts.reserve(conn, attempt(A, call="c1"))
    attempts.reserve(conn, attempt(B, call="c1", permit="dw-2"))
    attempts.reserve(conn, attempt(permit="dw-3"))
    attempts.reserve(conn, attempt(call="dw-4", permit="dw-4"))
    attempts.reserve(conn, attempt())
    assert found(conn, *ids) == expected


def test_a_permits_age_is_the_instant_of_its_allow(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(call="c1", permit="dw-1"))
    elsewhere = T0.astimezone(timezone(timedelta(hours=9)))
    for since, expected in ((elsewhere, [1]), (T0 + timedelta(microseconds=1), [])):
        assert opened(conn, since) == expected
        assert found(conn, "c1", since=since) == found(conn, "dw-1", since=since) == expected


def test_a_naive_instant_is_a_fault(conn: sqlite3.Connection) -> None:
    naive = T0.replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive"):
        permits.open_permits(conn, since=naive)
    with pytest.raises(ValueError, match="naive"):
        permits.find_permits(conn, ["c1"], since=naive)


def test_a_leg_is_known_once_it_was_recorded(conn: sqlite3.Connection) -> None:
    made = attempts.reserve(conn, attempt())
    leg, later = LegId("p", "1.2", "PJSIP/carrier-1"), T0 + timedelta(seconds=1)
    assert permits.leg_known(conn, leg, since=T0) is None
    legs.dialled(conn, made, leg, trunk="carrier", at=T0)
    assert permits.leg_known(conn, leg, since=later) == made
    # A Uniqueid may come again, while nobody saw that its leg ended, or when it has.
    assert permits.leg_known(conn, LegId("p", "1.2", "PJSIP/carrier-2"), since=T0) is None
    legs.ended(conn, leg, legs.Ending.ANSWERED, cause=16, at=T0)
    assert permits.leg_known(conn, leg, since=T0) == made
    assert permits.leg_known(conn, leg, since=later) is None


@pytest.mark.parametrize("state", State)
def test_an_id_is_taken_for_ever(conn: sqlite3.Connection, state: State) -> None:
    reserve_in(conn, state, call="c1", permit="dw-1")
    taken = [each for each in ("c1", "dw-1", "c2", "dw-1;2", "") if permits.id_taken(conn, each)]
    assert taken == ["c1", "dw-1"]


BY_CALL = "SEARCH attempt USING INDEX attempt_by_call (call=?)"
BY_PERMIT = "SEARCH attempt USING INDEX attempt_by_permit (permit=?)"


def test_every_question_about_permits_is_looked_up_in_indexes(conn: sqlite3.Connection) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert plans(conn, lambda: permits.open_permits(conn, since=at)) == [
        "SEARCH attempt USING INDEX attempt_unsettled (at>?)"
    ]
    for ids in (["a"], ["a", "b"]):
        asked = [
            plan
            for plan in plans(conn, lambda ids=ids: permits.find_permits(conn, ids, since=at))  # type: ignore[misc]
            if "attempt" in plan
        ]
        assert asked == [BY_CALL, BY_PERMIT]
    assert plans(conn, lambda: permits.id_taken(conn, "a")) == [
        "SCAN CONSTANT ROW",
        BY_PERMIT.replace("INDEX", "COVERING INDEX"),
        BY_CALL.replace("INDEX", "COVERING INDEX"),
    ]
    assert plans(conn, lambda: permits.leg_known(conn, LegId("p", "a", "b"), since=at)) == []
    assert [row[3] for row in conn.execute(
        "EXPLAIN QUERY PLAN SELECT attempt_id FROM leg"
        " WHERE pbx = 'p' AND uniqueid = 'a' AND channel = 'b'"
    )] == [
        "SEARCH leg USING INDEX sqlite_autoindex_leg_1 (pbx=? AND uniqueid=? AND channel=?)"
    ]  # fmt: skip
