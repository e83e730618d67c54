from __future__ import annotations

import sqlite3
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.helpers import LONG_AGO, T0, A, B, attempt, day
from tests.ledger.test_schema import plans

from dialwarden.ledger import attempts, legs, permits
from dialwarden.ledger.attempt_list import list_attempts
from dialwarden.ledger.connection import micros, open_ledger
from dialwarden.ledger.legs import Ending, LegId, OpenLeg
from dialwarden.ledger.states import Event, IllegalTransition, Outcome, State

PBX = "pbx1 127.0.0.1:5038"


def leg_id(uniqueid: str = "1.1", pbx: str = PBX) -> LegId:
    return LegId(pbx, uniqueid, f"PJSIP/carrier-{uniqueid}")


def dial(
    conn: sqlite3.Connection, made: int, uniqueid: str = "1.1", at: datetime = T0, pbx: str = PBX
) -> bool:
    return legs.dialled(conn, made, leg_id(uniqueid, pbx), trunk="carrier", at=at)


def story(conn: sqlite3.Connection, *steps: str | Ending | None, uniqueid: str = "1.1") -> None:
    """What happens to a leg, a minute a step: None is an end that nobody saw."""
    for minute, step in enumerate(steps, 1):
        at = day(minute / 1440)
        if step == "rang":
            legs.rang(conn, leg_id(uniqueid), at)
        elif step == "answered!":
            legs.answered(conn, leg_id(uniqueid), at)
        elif step is None:
            legs.lost(conn, leg_id(uniqueid), at)
        else:
            legs.ended(conn, leg_id(uniqueid), Ending(step), cause=17, at=at)


def told(conn: sqlite3.Connection) -> list[tuple[object, object]]:
    return [(row["state"], row["outcome"]) for row in list_attempts(conn)]


def leg_row(conn: sqlite3.Connection, uniqueid: str = "1.1") -> tuple[object, ...]:
    row: tuple[object, ...] = conn.execute(
        "SELECT attempt_id, trunk, channel, pbx, at, state, ending, ended_at, hangup_cause"
        " FROM leg WHERE uniqueid = ?",
        (uniqueid,),
    ).fetchone()
    return row


def everything(conn: sqlite3.Connection) -> list[tuple[object, ...]]:
    return (
        conn.execute("SELECT * FROM attempt").fetchall()
        + conn.execute("SELECT * FROM leg").fetchall()
    )


def test_two_pbxes_may_make_the_same_uniqueid(conn: sqlite3.Connection) -> None:
    ours, theirs = (attempts.reserve(conn, attempt(number)) for number in (A, B))
    assert dial(conn, ours)
    assert dial(conn, theirs, pbx="pbx2 127.0.0.1:5038")
    legs.answered(conn, leg_id(pbx="pbx2 127.0.0.1:5038"), T0)
    assert told(conn) == [("dialled", None), ("rang", None)]


def test_an_originate_may_bring_a_uniqueid_again(conn: sqlite3.Connection) -> None:
    """The same ChannelId, the first call having failed: another leg of that attempt."""
    made = attempts.reserve(conn, attempt())
    first, again = (LegId(PBX, "dw-1", f"PJSIP/carrier-{n}") for n in (1, 2))
    assert legs.dialled(conn, made, first, trunk="carrier", at=T0)
    legs.ended(conn, first, Ending.FAILED, cause=34, at=T0)
    assert legs.dialled(conn, made, again, trunk="carrier", at=T0)
    legs.rang(conn, again, T0)
    assert told(conn) == [("rang", None)]


DONE = "settled"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param((), ("dialled", None), id="on its way"),
        pytest.param(("rang",), ("rang", None), id="ringing"),
        pytest.param(("rang", "answered!"), ("rang", None), id="in conversation"),
        pytest.param(("rang", "answered!", "answered"), (DONE, "answered"), id="answered"),
        pytest.param(("answered!", "answered"), (DONE, "answered"), id="answered without ringing"),
        pytest.param(("answered",), (DONE, "answered"), id="the answer itself was not seen"),
        pytest.param(("answered!", "no_answer"), (DONE, "answered"), id="an answer stays one"),
        pytest.param(("rang", "no_answer"), (DONE, "no_answer"), id="rang, nobody came"),
        pytest.param(("rang", "cancelled"), (DONE, "cancelled"), id="rang, the caller gave up"),
        pytest.param(("rang", "busy"), (DONE, "busy"), id="rang, then declined"),
        pytest.param(("rang", "failed"), (DONE, "no_answer"), id="rang, then a 5xx"),
        pytest.param(("busy",), (DONE, "busy"), id="busy"),
        pytest.param(("no_answer",), (DONE, "no_answer"), id="no ringing was heard"),
        pytest.param(("cancelled",), (DONE, "cancelled"), id="given up before it rang"),
        pytest.param(("failed",), ("failed", None), id="the trunk failed: another may try"),
        pytest.param((None,), (DONE, None), id="nobody saw the end"),
        pytest.param(("rang", None), (DONE, None), id="rang, nobody saw the end"),
        pytest.param(("answered!", None), (DONE, "answered"), id="answered, the end not seen"),
        pytest.param(("failed", "rang"), ("rang", None), id="the ringing is told late"),
        pytest.param(("no_answer", "answered!"), (DONE, "no_answer"), id="settled stays settled"),
        pytest.param(("failed", "failed"), ("failed", None), id="the end is told twice"),
        pytest.param(("busy", "answered"), (DONE, "busy"), id="another end changes nothing"),
        pytest.param((None, "answered"), (DONE, None), id="an end after it was given up"),
    ],
)
def test_an_attempt_becomes_what_its_leg_became(
    conn: sqlite3.Connection,
    steps: tuple[str | None, ...],
    expected: tuple[str, str | None],
) -> None:
    assert dial(conn, attempts.reserve(conn, attempt()))
    story(conn, *steps)
    assert told(conn) == [expected]


def test_a_leg_is_recorded_with_its_instants(conn: sqlite3.Connection) -> None:
    made = attempts.reserve(conn, attempt())
    dial(conn, made)
    assert leg_row(conn) == (
        made, "carrier", "PJSIP/carrier-1.1", PBX, micros(T0), "dialled", None, None, None,
    )  # fmt: skip
    story(conn, "rang", "answered!", "answered")
    end = day(3 / 1440)
    assert leg_row(conn)[5:] == ("answered", "answered", micros(end), 17)
    (row,) = list_attempts(conn)
    assert [row[key] for key in ("dialled_at", "rang_at", "answered_at", "settled_at")] == [
        T0, day(1 / 1440), day(2 / 1440), end,
    ]  # fmt: skip


def test_the_cause_may_be_unknown(conn: sqlite3.Connection) -> None:
    dial(conn, attempts.reserve(conn, attempt()))
    legs.ended(conn, leg_id("1.1"), Ending.CANCELLED, cause=None, at=T0)
    assert leg_row(conn)[6:] == ("cancelled", micros(T0), None)


def test_a_leg_is_dialled_once(conn: sqlite3.Connection) -> None:
    first, second = (attempts.reserve(conn, attempt(number)) for number in (A, B))
    assert dial(conn, first)
    before = everything(conn)
    assert not dial(conn, first, at=day(1))
    assert not dial(conn, second)
    assert everything(conn) == before


def test_nobody_can_be_dialled_for_an_attempt_that_is_not_there(conn: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        dial(conn, 99)


def test_what_happens_to_an_unknown_leg_is_passed_over(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt())
    before = everything(conn)
    story(conn, "rang", "answered!", "answered", None)
    assert everything(conn) == before


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("failed",), (), ("dialled", None)),
        (("failed",), ("rang", "no_answer"), (DONE, "no_answer")),
        (("failed",), ("answered!", "answered"), (DONE, "answered")),
        (("failed",), ("busy",), (DONE, "busy")),
        (("failed",), ("cancelled",), (DONE, "cancelled")),
        (("failed",), ("failed",), ("failed", None)),
        (("failed",), (None,), (DONE, None)),
    ],
)
def test_another_trunk_may_try_after_a_failure(
    conn: sqlite3.Connection,
    first: tuple[str, ...],
    second: tuple[str | None, ...],
    expected: tuple[str, str | None],
) -> None:
    made = attempts.reserve(conn, attempt())
    dial(conn, made, "1.1")
    story(conn, *first, uniqueid="1.1")
    assert dial(conn, made, "1.2", day(1))
    story(conn, *second, uniqueid="1.2")
    assert told(conn) == [expected]


# Nobody should dial two legs of one attempt at once; where it happens, the last end decides, and
# by what reached the callee most.
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("busy",), (), ("dialled", None)),
        (("busy",), ("failed",), (DONE, "busy")),
        (("busy",), ("answered!", "answered"), (DONE, "answered")),
        (("answered!", "answered"), ("cancelled",), (DONE, "answered")),
        (("rang", "no_answer"), ("failed",), (DONE, "no_answer")),
        (("failed",), ("failed",), ("failed", None)),
        (("cancelled",), (None,), (DONE, None)),
        ((None,), ("cancelled",), (DONE, None)),
        ((None,), ("failed",), (DONE, None)),
        ((None,), ("answered!", "answered"), (DONE, "answered")),
    ],
)
def test_of_two_legs_at_once_the_last_end_settles(
    conn: sqlite3.Connection,
    first: tuple[str | None, ...],
    second: tuple[str | None, ...],
    expected: tuple[str, str | None],
) -> None:
    made = attempts.reserve(conn, attempt())
    dial(conn, made, "1.1")
    dial(conn, made, "1.2")
    story(conn, *first, uniqueid="1.1")
    story(conn, *second, uniqueid="1.2")
    assert told(conn) == [expected]


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("ending", [*Ending, None])
def test_what_was_settled_before_stands(
    conn: sqlite3.Connection, outcome: Outcome, ending: Ending | None
) -> None:
    made = attempts.reserve(conn, attempt())
    dial(conn, made)
    attempts.settle(conn, made, outcome, T0)
    story(conn, "rang", ending)
    assert told(conn) == [(DONE, outcome.value)]
    assert legs.open_legs(conn, PBX) == []


def test_a_voided_attempt_stays_voided_and_its_leg_is_kept(conn: sqlite3.Connection) -> None:
    made = attempts.reserve(conn, attempt())
    attempts.void(conn, made, "never left", T0)
    assert dial(conn, made)
    story(conn, "rang", "no_answer")
    assert told(conn) == [("voided", None)]
    assert leg_row(conn)[5:7] == ("rang", "no_answer")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["dial", "rang", "answered!", *(each.value for each in Ending), None]),
        st.sampled_from(["1.1", "1.2"]),
    ),
    max_size=8,
)


@given(STEPS)
def test_a_second_bridge_that_tells_the_same_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str | None, str]]
) -> None:
    conn = open_ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")
    conn.execute("PRAGMA synchronous = OFF")
    made = attempts.reserve(conn, attempt())
    for step, uniqueid in steps:
        for time in range(2):
            if step == "dial":
                dial(conn, made, uniqueid, day(time))
            else:
                story(conn, step, uniqueid=uniqueid)
            if time == 0:
                once = everything(conn)
        assert everything(conn) == once
    conn.close()


def test_open_legs_are_those_of_one_pbx_that_have_not_ended(conn: sqlite3.Connection) -> None:
    first, second = (attempts.reserve(conn, attempt(number)) for number in (A, B))
    dial(conn, first, "1.1")
    dial(conn, second, "1.2")
    dial(conn, second, "1.3")
    dial(conn, second, "2.1", pbx="pbx2")
    story(conn, "rang", uniqueid="1.2")
    story(conn, "failed", uniqueid="1.1")
    assert legs.open_legs(conn, PBX) == [
        OpenLeg("1.2", second, "PJSIP/carrier-1.2", B, "rang"),
        OpenLeg("1.3", second, "PJSIP/carrier-1.3", B, "dialled"),
    ]
    assert [leg.uniqueid for leg in legs.open_legs(conn, "pbx2")] == ["2.1"]
    assert legs.open_legs(conn, "") == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param((), (DONE, None), id="reserved"),
        pytest.param((Event.DIALLED,), (DONE, None), id="dialled"),
        pytest.param((Event.DIALLED, Event.FAILED), (DONE, "failed"), id="failed"),
        pytest.param((Event.BUSY,), (DONE, "busy"), id="busy"),
        pytest.param((Event.RANG,), (DONE, "no_answer"), id="rang"),
        pytest.param((Event.ANSWERED,), (DONE, "answered"), id="answered"),
    ],
)
def test_what_is_overdue_is_settled_with_what_is_known(
    conn: sqlite3.Connection, events: tuple[Event, ...], expected: tuple[str, str | None]
) -> None:
    made = attempts.reserve(conn, attempt())
    for event in events:
        attempts.advance(conn, made, event, T0)
    assert legs.settle_overdue(conn, before=T0, at=day(1)) == 0
    assert legs.settle_overdue(conn, before=day(1), at=day(1)) == 1
    assert told(conn) == [expected]
    assert legs.settle_overdue(conn, before=day(1), at=day(1)) == 0


def test_a_live_leg_keeps_its_attempt_open(conn: sqlite3.Connection) -> None:
    made = attempts.reserve(conn, attempt())
    dial(conn, made, "1.1")
    story(conn, "failed", uniqueid="1.1")
    dial(conn, made, "1.2")
    story(conn, "answered!", uniqueid="1.2")
    assert legs.settle_overdue(conn, before=day(1), at=day(1)) == 0
    legs.lost(conn, leg_id("1.2"), day(1))
    assert told(conn) == [(DONE, "answered")]


def test_over_and_imported_attempts_are_never_overdue(conn: sqlite3.Connection) -> None:
    attempts.insert_history(conn, [attempts.HistoryRow(A, "acme", T0)])
    attempts.void(conn, attempts.reserve(conn, attempt()), "never left", T0)
    attempts.settle(conn, attempts.reserve(conn, attempt()), Outcome.BUSY, T0)
    before = everything(conn)
    assert legs.settle_overdue(conn, before=day(9), at=day(9)) == 0
    assert everything(conn) == before


def test_the_oldest_are_settled_first_as_many_as_asked(conn: sqlite3.Connection) -> None:
    for days in (2, 0, 1):
        attempts.reserve(conn, attempt(at=day(days)))
    assert legs.settle_overdue(conn, before=day(9), at=day(9), limit=2) == 2
    assert told(conn) == [("reserved", None), (DONE, None), (DONE, None)]


def test_what_was_settled_without_an_outcome_permits_nothing(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(call="c1"))
    legs.settle_overdue(conn, before=day(1), at=day(1))
    assert permits.find_permits(conn, ["c1"], since=LONG_AGO) == []
    assert attempts.open_attempt(conn, "c1", A, "acme") is None
    with pytest.raises(IllegalTransition):
        attempts.settle(conn, 1, Outcome.FAILED, day(2))
    assert attempts.state_of(conn, 1) is State.SETTLED


BY_UNIQUEID = "SEARCH leg USING INDEX sqlite_autoindex_leg_1 (pbx=? AND uniqueid=? AND channel=?)"
BY_ATTEMPT = "SEARCH leg USING INDEX leg_by_attempt (attempt_id=?)"
BY_ID = "SEARCH attempt USING INTEGER PRIMARY KEY (rowid=?)"
OPEN_ONES = "SEARCH leg USING INDEX leg_open (pbx=?)"


def test_no_event_reads_more_than_its_own_rows(conn: sqlite3.Connection) -> None:
    made = attempts.reserve(conn, attempt())
    queries: list[str] = []
    conn.set_trace_callback(queries.append)
    dial(conn, made)
    legs.open_legs(conn, PBX)
    story(conn, "rang", "answered!", "answered")
    dial(conn, made, "1.2")
    story(conn, None, uniqueid="1.2")
    conn.set_trace_callback(None)
    found = {row[3] for query in queries for row in conn.execute(f"EXPLAIN QUERY PLAN {query}")}
    assert found == {BY_UNIQUEID, BY_ATTEMPT, BY_ID, OPEN_ONES}


def test_what_is_overdue_is_found_by_its_age(conn: sqlite3.Connection) -> None:
    assert plans(conn, lambda: legs.settle_overdue(conn, before=T0, at=T0)) == [
        "SEARCH attempt USING INDEX attempt_unsettled (at<?)",
        BY_ATTEMPT,
    ]


def test_an_attempt_is_listed_with_its_last_leg(conn: sqlite3.Connection) -> None:
    made = attempts.reserve(conn, attempt())
    attempts.reserve(conn, attempt(B))
    dial(conn, made, "1.1")
    legs.ended(conn, leg_id("1.1"), Ending.FAILED, cause=34, at=T0)
    spare = LegId(PBX, "1.2", "PJSIP/spare-2")
    legs.dialled(conn, made, spare, trunk="spare", at=day(1))
    keys = ("trunk", "channel", "hangup_cause")
    rows = [tuple(row[key] for key in keys) for row in list_attempts(conn)]
    assert rows == [("spare", "PJSIP/spare-2", None), (None, None, None)]
    legs.ended(conn, spare, Ending.BUSY, cause=17, at=day(1))
    first, _ = list_attempts(conn)
    assert (first["hangup_cause"], first["ended_at"], first["at"]) == (17, day(1), T0)
