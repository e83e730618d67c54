from __future__ import annotations

import sqlite3

from tests.ledger.helpers import T0, A, B, attempt

from dialwarden.ledger import attempts
from dialwarden.ledger.attempt_lookup import FoundAttempt, find, last_of_call
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.states import Event, Outcome, State


def test_the_last_attempt_of_a_call_that_was_not_voided_is_found(conn: sqlite3.Connection) -> None:
    one = attempts.reserve(conn, attempt(call="c", person="P1"))
    two = attempts.reserve(conn, attempt(B, call="c", professional="beta"))
    attempts.reserve(conn, attempt(call=""))
    assert find(conn, one) == FoundAttempt(one, A, "acme", "energy", "P1", State.RESERVED)
    assert last_of_call(conn, "c") == FoundAttempt(two, B, "beta", "energy", "", State.RESERVED)
    attempts.void(conn, two, "never dialled", T0)
    assert last_of_call(conn, "c") == find(conn, one)


def test_an_unknown_id_or_call_finds_nothing(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(call=""))
    assert find(conn, 99) is None
    assert last_of_call(conn, "c") is None
    assert last_of_call(conn, "") is None


def test_an_attempt_is_over_once_settled_or_voided(conn: sqlite3.Connection) -> None:
    settled, voided, rang = (attempts.reserve(conn, attempt()) for _ in range(3))
    attempts.settle(conn, settled, Outcome.CANCELLED, T0)
    attempts.void(conn, voided, "never dialled", T0)
    attempts.advance(conn, rang, Event.RANG, T0)
    found = [find(conn, one) for one in (settled, voided, rang)]
    assert [one.over for one in found if one is not None] == [True, True, False]


def test_an_attempt_is_found_with_the_zones_it_was_judged_in(conn: sqlite3.Connection) -> None:
    zones = ("Indian/Reunion", "Indian/Mayotte")
    one = attempts.reserve(conn, attempt(zones=zones))
    attempts.insert_history(conn, [HistoryRow(B, "acme", T0)])
    found = [find(conn, attempt_id) for attempt_id in (one, one + 1)]
    assert [each.zones for each in found if each is not None] == [zones, ()]
