"""When a purge may take the clock's word, by what is on record."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest
from pyroaring import BitMap64
from tests.ledger.helpers import attempt

from dialwarden.ledger import attempts, refusals
from dialwarden.ledger.connection import micros
from dialwarden.ledger.lists import import_version
from dialwarden.ledger.purge_clock import BY_ITSELF, ClockDoubted, check_clock
from dialwarden.ledger.refusals import NewRefusal
from dialwarden.question import Door
from dialwarden.verdict import Rule

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def call(conn: sqlite3.Connection, when: datetime) -> None:
    attempts.reserve(conn, attempt(at=when))


def refuse(conn: sqlite3.Connection, when: datetime) -> None:
    refusals.record(conn, NewRefusal(when, None, "x", [Rule.NUMBER], "[]", Door.AGI))


def bring(conn: sqlite3.Connection, when: datetime) -> None:
    import_version(conn, "house", BitMap64(), as_of=None, imported_at=when, source="f", sha256="s")


def purged(conn: sqlite3.Connection, when: datetime, by: str = BY_ITSELF) -> None:
    conn.execute(
        "INSERT INTO purge (began_at, recorded_by, removed) VALUES (?, ?, '{}')", (micros(when), by)
    )


def by_hand(conn: sqlite3.Connection, when: datetime) -> None:
    purged(conn, when, "cli:me")


@pytest.fixture
def aged(conn: sqlite3.Connection) -> sqlite3.Connection:
    """A ledger that was made three years ago."""
    conn.execute("UPDATE migration SET applied_at = ?", (micros(at("2023-11-01T00:00:00")),))
    return conn


@pytest.mark.parametrize("write", [call, refuse, bring, purged])
@pytest.mark.parametrize(
    ("days", "believed"),
    [
        ([], False),
        (["2026-11-21T03:30:00"], False),
        (["2026-10-22T03:30:00"], False),
        (["2026-10-22T03:29:59"], False),
        (["2026-10-22T03:29:59", "2026-11-22T03:29:58"], True),
        (["2026-09-01T00:00:00"], False),
        (["2026-09-25T12:00:00", "2026-10-26T12:00:00"], True),
        (["2026-09-25T12:00:00", "2026-10-26T12:00:01"], False),
        # Of before the ledger, and of when the clock was ahead: neither speaks for it.
        (["2020-01-01T00:00:00"], False),
        (["2026-10-21T00:00:00", "2031-01-01T00:00:00"], False),
        (["2026-10-21T00:00:00", "2026-11-10T00:00:00", "2031-01-01T00:00:00"], True),
        (["2026-11-23T00:00:00"], False),
    ],
)
def test_a_month_of_silence_speaks_against_it(
    aged: sqlite3.Connection, write: object, days: list[str], believed: bool
) -> None:
    for text in days:
        write(aged, at(text))  # type: ignore[operator]
    if believed:
        check_clock(aged, NOW)
        return
    with pytest.raises(ClockDoubted):
        check_clock(aged, NOW)


def test_different_records_speak_for_it_together(aged: sqlite3.Connection) -> None:
    bring(aged, at("2026-10-10T00:00:00"))
    call(aged, at("2026-11-05T00:00:00"))
    check_clock(aged, NOW)


def test_what_an_import_brought_of_the_time_before_is_no_silence(conn: sqlite3.Connection) -> None:
    (made,) = conn.execute("SELECT min(applied_at) FROM migration").fetchone()
    call(conn, at("2019-01-01T00:00:00"))
    check_clock(conn, datetime.fromtimestamp(made / 1e6 + 60, UTC))


@pytest.mark.parametrize(
    ("purge", "when", "believed"),
    [
        (by_hand, "2026-11-22T02:00:00", True),
        (by_hand, "2026-08-31T00:00:00", False),
        (by_hand, "2031-01-01T00:00:00", False),
        (purged, "2026-11-22T02:00:00", False),
    ],
)
def test_a_purge_by_hand_since_confirms_it(
    aged: sqlite3.Connection, purge: object, when: str, believed: bool
) -> None:
    call(aged, at("2026-09-01T00:00:00"))
    call(aged, at("2026-11-22T01:00:00"))
    purge(aged, at(when))  # type: ignore[operator]
    if believed:
        check_clock(aged, NOW)
        return
    with pytest.raises(ClockDoubted):
        check_clock(aged, NOW)


def test_what_is_said_names_the_silence_and_the_way_out(aged: sqlite3.Connection) -> None:
    call(aged, at("2026-09-01T08:00:00"))
    refuse(aged, at("2026-11-22T01:00:00"))
    with pytest.raises(ClockDoubted) as raised:
        check_clock(aged, NOW)
    assert "nothing was recorded from 2026-09-01 08:00 to 2026-11-22 01:00 UTC" in str(raised.value)
    assert "run `dialwarden purge --at 2026-11-22T03:30:00Z` once" in str(raised.value)
