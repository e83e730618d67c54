from __future__ import annotations

import sqlite3
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.helpers import T0, A, attempt, day

from dialwarden.ledger import attempts, silent_calls
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.ledger.silent_share import Share, silent_shares
from dialwarden.ledger.states import Event, Outcome

HOUR = 1 / 24


def call(
    conn: sqlite3.Connection,
    outcome: Outcome | None = Outcome.ANSWERED,
    at: datetime = T0,
    **more: object,
) -> int:
    made = attempts.reserve(conn, attempt(at=at, **more))
    if outcome is not None:
        attempts.settle(conn, made, outcome, at)
    return made


def silence(
    conn: sqlite3.Connection,
    made: int | None,
    at: datetime = T0,
    campaign: str = "energy",
    professional: str = "acme",
) -> None:
    new = NewSilentCall(A, professional, at, at, campaign=campaign, attempt=made)
    assert silent_calls.add(conn, new)


def only(conn: sqlite3.Connection) -> tuple[int, int, int]:
    (share,) = silent_shares(conn)
    assert (share.campaign, share.professional) == ("energy", "acme")
    return share.answered, share.silent, share.unknown


def test_nothing_on_record_is_nobodys_share(conn: sqlite3.Connection) -> None:
    assert silent_shares(conn) == []


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.ANSWERED, (1, 0, 0)),
        (Outcome.NO_ANSWER, (0, 0, 0)),
        (Outcome.BUSY, (0, 0, 0)),
        (Outcome.FAILED, (0, 0, 0)),
        (Outcome.CANCELLED, (0, 0, 0)),
        (None, (0, 0, 1)),
    ],
)
def test_only_an_answer_is_an_answer(
    conn: sqlite3.Connection, outcome: Outcome | None, expected: tuple[int, int, int]
) -> None:
    call(conn, outcome)
    assert only(conn) == expected


def test_a_conversation_that_goes_on_is_answered(conn: sqlite3.Connection) -> None:
    attempts.advance(conn, call(conn, None), Event.ANSWERED, T0)
    assert only(conn) == (1, 0, 0)


def test_what_was_voided_is_no_call(conn: sqlite3.Connection) -> None:
    call(conn)
    attempts.void(conn, call(conn, None), "never left", T0)
    assert only(conn) == (1, 0, 0)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(Outcome.ANSWERED, (2, 1, 0), id="the answer is on record"),
        pytest.param(None, (2, 1, 0), id="by the silence only: no longer unknown"),
        pytest.param(Outcome.CANCELLED, (2, 1, 0), id="the silence knows better"),
    ],
)
def test_a_silent_call_is_an_answered_one(
    conn: sqlite3.Connection, outcome: Outcome | None, expected: tuple[int, int, int]
) -> None:
    call(conn)
    silence(conn, call(conn, outcome))
    assert only(conn) == expected


@pytest.mark.parametrize(("answered", "expected"), [(0, (2, 2, 0)), (1, (2, 2, 0)), (5, (5, 2, 0))])
def test_silent_calls_of_unknown_attempts_are_taken_for_those_counted(
    conn: sqlite3.Connection, answered: int, expected: tuple[int, int, int]
) -> None:
    for _ in range(answered):
        call(conn)
    silence(conn, None)
    silence(conn, None, day(HOUR))
    assert only(conn) == expected


def test_each_campaign_and_professional_has_its_own_share(conn: sqlite3.Connection) -> None:
    silence(conn, call(conn))
    call(conn, campaign="paper")
    call(conn, professional="beta")
    silence(conn, None, campaign="paper", professional="beta")
    attempts.insert_history(conn, [HistoryRow(A, "acme", T0, Outcome.ANSWERED)])
    shares = [
        Share("", "acme", 1, 0, 0),
        Share("energy", "acme", 1, 1, 0),
        Share("energy", "beta", 1, 0, 0),
        Share("paper", "acme", 1, 0, 0),
        Share("paper", "beta", 1, 1, 0),
    ]
    assert silent_shares(conn) == shares
    assert silent_shares(conn, campaign="energy") == shares[1:3]
    assert silent_shares(conn, campaign="") == shares[:1]
    assert silent_shares(conn, campaign="nobody's") == []


def test_a_call_belongs_to_the_span_in_which_it_was_allowed(conn: sqlite3.Connection) -> None:
    silence(conn, call(conn, at=day(1)), at=day(2))
    silence(conn, None, at=day(1))
    within = [Share("energy", "acme", 2, 2, 0)]
    assert silent_shares(conn, since=day(1), until=day(1.5)) == within
    assert silent_shares(conn, since=day(1)) == silent_shares(conn) == within
    assert silent_shares(conn, until=day(1)) == silent_shares(conn, since=day(1.5)) == []


def test_an_imported_silent_call_counts(conn: sqlite3.Connection) -> None:
    rows = [HistoryRow(A, "acme", T0, Outcome.ANSWERED, campaign="energy", silent=True)]
    attempts.insert_history(conn, rows)
    silent_calls.add_history(conn, rows, recorded_at=T0)
    assert only(conn) == (1, 1, 0)


@pytest.mark.parametrize(
    ("answered", "silent", "percent", "above"),
    [(100, 3, 3.0, False), (100, 4, 4.0, True), (99, 3, 300 / 99, True), (33, 1, 100 / 33, True),
     (34, 1, 100 / 34, False), (0, 0, None, False), (1, 0, 0.0, False)],
)  # fmt: skip
def test_three_in_a_hundred_are_not_above_three_percent(
    answered: int, silent: int, percent: float | None, above: bool
) -> None:
    share = Share("energy", "acme", answered, silent, 0)
    assert share.percent == percent
    assert share.above(3) is above


@given(st.integers(0, 10**9), st.data())
def test_no_share_is_above_a_hundred_percent(answered: int, data: st.DataObject) -> None:
    silent = data.draw(st.integers(0, answered))
    share = Share("energy", "acme", answered, silent, 0)
    assert not share.above(100)
    assert share.above(0) is (silent > 0)
