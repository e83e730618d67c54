from __future__ import annotations

import sqlite3
from datetime import datetime

from tests.ledger.helpers import T0, A, B, attempt, day

from dialwarden.ledger import attempts, silent_calls
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.ledger.states import Outcome


def silent(number: int = A, at: datetime = T0, **more: object) -> NewSilentCall:
    values: dict[str, object] = {
        "number": number,
        "professional": "acme",
        "at": at,
        "recorded_at": at,
        **more,
    }
    return NewSilentCall(**values)  # type: ignore[arg-type]


def test_a_silent_call_is_listed_with_all_that_was_recorded(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt())
    assert silent_calls.add(
        conn,
        silent(person="P1", campaign="energy", attempt=one, by="PJSIP/100", recorded_at=day(1)),
    )
    assert list(silent_calls.list_silent_calls(conn)) == [
        {
            "id": 1,
            "number": "+33612345678",
            "person": "P1",
            "professional": "acme",
            "campaign": "energy",
            "at": T0,
            "attempt": one,
            "recorded_at": day(1),
            "by": "PJSIP/100",
        }
    ]


def test_an_attempt_was_silent_once_however_often_it_is_said(conn: sqlite3.Connection) -> None:
    one, two = (attempts.reserve(conn, attempt()) for _ in range(2))
    said = [silent(attempt=one), silent(at=day(1), attempt=one, by="another"), silent(attempt=two)]
    assert [silent_calls.add(conn, each) for each in said] == [True, False, True]


def test_without_an_attempt_the_very_same_call_is_recorded_once(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt())
    said = [
        silent(),
        silent(by="another", recorded_at=day(1)),
        silent(at=day(1)),
        silent(B),
        silent(professional="beta"),
        silent(campaign="energy"),
        silent(person="P1"),
        silent(attempt=one),
    ]
    assert [silent_calls.add(conn, each) for each in said] == [
        True, False, True, True, True, True, True, True,
    ]  # fmt: skip


def test_each_filter_finds_its_own(conn: sqlite3.Connection) -> None:
    silent_calls.add(conn, silent(person="P1", campaign="energy"))
    silent_calls.add(conn, silent(B, day(1), professional="beta", campaign="solar"))
    first = [
        {"number": A}, {"person": "P1"}, {"professional": "acme"}, {"campaign": "energy"},
        {"until": day(1)},
    ]  # fmt: skip
    for wanted in first:
        found = silent_calls.list_silent_calls(conn, **wanted)  # type: ignore[arg-type]
        assert [row["id"] for row in found] == [1]
    assert [row["id"] for row in silent_calls.list_silent_calls(conn, since=day(1))] == [2]


def test_an_imported_history_says_which_calls_were_silent(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt())  # the same number and instant, and no import: not meant
    rows = [
        HistoryRow(A, "acme", T0, Outcome.ANSWERED, person="P1", silent=True),
        HistoryRow(A, "acme", day(1), Outcome.ANSWERED),
        HistoryRow(B, "acme", T0, Outcome.ANSWERED),
    ]
    for _ in range(2):
        attempts.insert_history(conn, rows)
        silent_calls.add_history(conn, rows, recorded_at=day(5), by="import")
    [row] = silent_calls.list_silent_calls(conn)
    assert (row["number"], row["person"], row["at"]) == (f"+{A}", "P1", T0)
    assert (row["attempt"], row["recorded_at"], row["by"]) == (2, day(5), "import")


def test_a_call_that_was_imported_before_without_saying_so_is_marked(
    conn: sqlite3.Connection,
) -> None:
    for silence in (False, True):
        rows = [HistoryRow(A, "acme", T0, Outcome.ANSWERED, silent=silence)]
        attempts.insert_history(conn, rows)
        silent_calls.add_history(conn, rows, recorded_at=day(1))
    assert [row["attempt"] for row in silent_calls.list_silent_calls(conn)] == [1]


def test_a_silence_told_live_is_not_dated_before_its_call(conn: sqlite3.Connection) -> None:
    def dated(now: datetime) -> datetime:
        return silent_calls.after_its_call(conn, number=A, professional="acme", now=now)

    assert dated(T0) == T0
    attempts.reserve(conn, attempt(at=day(1)))
    attempts.reserve(conn, attempt(at=day(5), professional="beta"))
    attempts.reserve(conn, attempt(B, at=day(5)))
    attempts.void(conn, attempts.reserve(conn, attempt(at=day(5))), "never dialled", T0)
    assert [dated(now) for now in (T0, day(1), day(2))] == [day(1), day(1), day(2)]
