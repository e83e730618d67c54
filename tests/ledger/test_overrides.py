"""Overrides on record: from when to when, listed, ended, and read again when somebody wrote."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from tests.ledger.helpers import T0

from dialwarden.ledger.connection import transaction
from dialwarden.ledger.overrides import (
    KnownOverrides,
    NewOverride,
    NoSuchOverride,
    Override,
    begin_override,
    end_override,
    find_override,
    list_overrides,
    overrides_in_force,
)
from dialwarden.verdict import Rule

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def begin(
    conn: sqlite3.Connection, since: datetime = T0, campaign: str = "energy", **more: object
) -> Override:
    values: dict[str, object] = {
        "campaign": campaign, "professional": "acme", "rules": [Rule.HOURS], "since": since,
        "until": since + HOUR, "by": "Anna", "why": "a flood", "entered_by": "cli:anna", **more,
    }  # fmt: skip
    with transaction(conn):
        return begin_override(conn, NewOverride(**values))  # type: ignore[arg-type]


def end(conn: sqlite3.Connection, override: int, at: datetime) -> bool:
    with transaction(conn):
        return end_override(conn, override, at=at, by="Bob", why="over")


def ids(found: object) -> list[int]:
    return [one.id for one in found]  # type: ignore[attr-defined]


def test_it_comes_back_as_it_was_written_its_rules_in_the_order_of_reports(
    conn: sqlite3.Connection,
) -> None:
    made = begin(conn, rules=[Rule.HOURS, Rule.HOLIDAY, Rule.HOURS])
    assert made == Override(
        id=1, campaign="energy", professional="acme", rules=(Rule.HOLIDAY, Rule.HOURS),
        since=T0, until=T0 + HOUR, by="Anna", why="a flood", entered_by="cli:anna",
    )  # fmt: skip
    assert find_override(conn, 1) == made


def test_its_beginning_is_in_it_and_its_end_is_not(conn: sqlite3.Connection) -> None:
    made = begin(conn)
    for at, holds in (
        (T0 - TICK, False), (T0, True), (T0 + HOUR - TICK, True), (T0 + HOUR, False),
    ):  # fmt: skip
        assert made.in_force(at) is holds
        assert ids(overrides_in_force(conn, at)) == ([1] if holds else [])


def test_ended_it_is_over_from_that_instant_on(conn: sqlite3.Connection) -> None:
    begin(conn)
    assert end(conn, 1, T0 + HOUR / 2)
    ended = find_override(conn, 1)
    assert (ended.ended_at, ended.ended_by, ended.ended_why) == (T0 + HOUR / 2, "Bob", "over")
    assert ids(overrides_in_force(conn, T0 + HOUR / 2 - TICK)) == [1]
    assert overrides_in_force(conn, T0 + HOUR / 2) == []
    assert ended.over_at == T0 + HOUR / 2


def test_it_is_ended_once_and_not_behind_its_end(conn: sqlite3.Connection) -> None:
    begin(conn)
    begin(conn)
    assert end(conn, 1, T0)
    assert not end(conn, 1, T0 + TICK)
    assert not end(conn, 2, T0 + HOUR)
    assert find_override(conn, 1).ended_at == T0
    assert find_override(conn, 2).ended_at is None


def test_with_a_clock_that_was_set_back_it_ends_where_it_began(conn: sqlite3.Connection) -> None:
    begin(conn)
    assert end(conn, 1, T0 - HOUR)
    assert find_override(conn, 1).ended_at == T0
    assert overrides_in_force(conn, T0) == []


def test_one_that_nobody_made_cannot_be_ended(conn: sqlite3.Connection) -> None:
    with pytest.raises(NoSuchOverride, match="no override has the id 7"):
        end(conn, 7, T0)


def test_they_are_listed_by_the_span_in_which_they_held(conn: sqlite3.Connection) -> None:
    for hours in range(3):
        begin(conn, T0 + hours * HOUR, campaign=f"c{hours}")
    end(conn, 3, T0 + 2 * HOUR)
    assert ids(list_overrides(conn)) == [1, 2, 3]
    assert ids(list_overrides(conn, since=T0 + HOUR)) == [2, 3]
    assert ids(list_overrides(conn, since=T0 + HOUR - TICK)) == [1, 2, 3]
    assert ids(list_overrides(conn, until=T0 + HOUR)) == [1]
    assert ids(list_overrides(conn, campaign="c1")) == [2]
    assert ids(list_overrides(conn, after_id=1)) == [2, 3]
    assert ids(overrides_in_force(conn, T0, campaign="c1")) == []
    assert ids(overrides_in_force(conn, T0, campaign="c0")) == [1]


@pytest.mark.parametrize(
    "wrong",
    [{"until": T0}, {"by": ""}, {"why": ""}, {"rules": []}, {"campaign": ""}],
    ids=str,
)
def test_the_ledger_takes_none_without_an_end_a_name_or_a_reason(
    conn: sqlite3.Connection, wrong: dict[str, object]
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        begin(conn, **wrong)  # type: ignore[arg-type]
    assert list(list_overrides(conn)) == []


def test_what_is_known_is_read_again_with_another_epoch_only(conn: sqlite3.Connection) -> None:
    known = KnownOverrides()
    assert known.in_force(conn, "energy", T0, epoch=1) == ()
    made = begin(conn)
    assert known.in_force(conn, "energy", T0, epoch=1) == ()
    assert known.in_force(conn, "energy", T0, epoch=2) == (made,)
    assert known.in_force(conn, "water", T0, epoch=2) == ()
    assert known.in_force(conn, "energy", T0 + HOUR, epoch=2) == ()
    end(conn, 1, T0)
    assert known.in_force(conn, "energy", T0, epoch=None) == ()


def test_a_rule_that_nobody_knows_lets_nothing_go(conn: sqlite3.Connection) -> None:
    begin(conn)
    conn.execute("UPDATE override SET rules = 'whim&gap'")
    assert find_override(conn, 1).rules == (Rule.GAP,)


def test_a_date_far_ahead_is_kept(conn: sqlite3.Connection) -> None:
    late = datetime(2999, 12, 31, tzinfo=UTC)
    assert begin(conn, late).until == late + HOUR
