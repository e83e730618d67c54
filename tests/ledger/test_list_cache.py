from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest
from tests.ledger.helpers import T0, A, B, day, start_python
from tests.ledger.test_lists import put

from dialwarden.errors import LedgerBroken
from dialwarden.facts import Listing
from dialwarden.ledger import lists
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.list_cache import ListBodies, ListCache
from dialwarden.ledger.lists import Op


def ask(cache: ListCache, conn: sqlite3.Connection, number: int = A) -> Listing:
    cache.refresh(conn)
    return cache.look_up(conn, ["bloctel"], number)["bloctel"]


def test_a_list_never_imported_has_no_version(conn: sqlite3.Connection) -> None:
    assert ask(ListCache(), conn) == Listing(version=None)


def test_a_listing_says_version_date_and_since(conn: sqlite3.Connection) -> None:
    put(conn, [A, B], date(2026, 11, 1), since={A: date(2025, 3, 4)})
    cache = ListCache()
    assert ask(cache, conn, A) == Listing(1, date(2026, 11, 1), True, date(2025, 3, 4))
    assert ask(cache, conn, B) == Listing(1, date(2026, 11, 1), True, None)
    assert ask(cache, conn, 1) == Listing(1, date(2026, 11, 1), False, None)


def test_an_import_by_another_connection_holds_for_the_next_question(
    path: Path, conn: sqlite3.Connection
) -> None:
    other = open_ledger(path)
    cache = ListCache()
    put(other, [A], date(2026, 11, 1))
    assert ask(cache, conn).listed
    put(other, [B], date(2026, 11, 2))
    assert not ask(cache, conn).listed
    put(other, [A], date(2026, 10, 2))  # older: it changes nothing
    assert ask(cache, conn) == Listing(2, date(2026, 11, 2), False)
    other.close()


OVERLAY = """
import sys
from datetime import datetime, UTC
from dialwarden.ledger import lists
from dialwarden.ledger.connection import open_ledger
conn = open_ledger(sys.argv[1], create=False)
lists.overlay(conn, "bloctel", int(sys.argv[2]), lists.Op(sys.argv[3]), at=datetime.now(UTC))
"""


def test_an_overlay_by_another_process_holds_for_the_next_question(
    path: Path, conn: sqlite3.Connection
) -> None:
    put(conn, [A], date(2026, 11, 1))
    cache = ListCache()
    assert [ask(cache, conn, A).listed, ask(cache, conn, B).listed] == [True, False]
    for number, op in ((A, "remove"), (B, "add")):
        process = start_python(OVERLAY, path, number, op)
        process.communicate()
        assert process.returncode == 0
    assert [ask(cache, conn, A).listed, ask(cache, conn, B).listed] == [False, True]


def test_overlays_survive_imports_and_the_last_one_wins(conn: sqlite3.Connection) -> None:
    cache = ListCache()
    lists.overlay(conn, "bloctel", A, Op.ADD, at=T0)
    assert ask(cache, conn) == Listing(version=None, listed=True)
    put(conn, [B], date(2026, 11, 1), since={B: date(2025, 1, 1)})
    assert ask(cache, conn) == Listing(1, date(2026, 11, 1), True)
    lists.overlay(conn, "bloctel", B, Op.REMOVE, at=T0)
    put(conn, [B], date(2026, 11, 2), since={B: date(2025, 1, 1)})
    assert ask(cache, conn, B) == Listing(2, date(2026, 11, 2), False, None)
    # A clock that jumped back does not bring the earlier operation back.
    lists.overlay(conn, "bloctel", B, Op.ADD, at=day(-9))
    assert ask(cache, conn, B).listed


def test_at_an_instant_versions_and_overlays_are_those_of_then(conn: sqlite3.Connection) -> None:
    put(conn, [A], date(2026, 11, 1))
    put(conn, [], date(2026, 11, 4))
    lists.overlay(conn, "bloctel", B, Op.ADD, at=day(1))
    lists.overlay(conn, "bloctel", B, Op.REMOVE, at=day(2))
    cache = ListCache()
    cache.refresh(conn)

    def at(number: int, days: int) -> tuple[int | None, bool]:
        then = day(days)
        found = cache.look_up(conn, ["bloctel"], number, then, then.date())["bloctel"]
        return found.version, found.listed

    assert [at(A, d) for d in (-2, -1, 1, 2)] == [(None, False), (1, True), (1, True), (2, False)]
    assert [at(B, d) for d in (0, 1, 2)] == [(1, False), (1, True), (2, False)]
    assert ask(cache, conn, A).version == 2
    with pytest.raises(ValueError, match="date in the callee's zone"):
        cache.look_up(conn, ["bloctel"], A, T0)


def test_a_version_that_was_rolled_back_is_forgotten(path: Path, conn: sqlite3.Connection) -> None:
    cache = ListCache()

    def fail() -> None:
        with transaction(conn):
            put(conn, [A], date(2026, 11, 1))
            assert ask(cache, conn).listed
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    other = open_ledger(path)
    put(other, [B], date(2026, 11, 1))  # it gets the id that the former had for a moment
    other.close()
    assert ask(cache, conn, A) == Listing(1, date(2026, 11, 1), False)
    assert ask(cache, conn, B).listed


def test_a_damaged_list_harms_only_who_asks_for_it(conn: sqlite3.Connection) -> None:
    put(conn, [A])
    conn.execute("UPDATE list_part SET bytes = x'00'")
    put(conn, [A], name="house")
    cache = ListCache()
    cache.refresh(conn)
    assert cache.look_up(conn, ["house"], A)["house"].listed
    with pytest.raises(LedgerBroken, match="bloctel is damaged"):
        cache.look_up(conn, ["bloctel"], A)


def test_a_damaged_list_is_not_read_again_for_every_question(
    conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr("dialwarden.ledger.list_cache.time.monotonic", lambda: clock)
    put(conn, [A])
    whole = conn.execute("SELECT bytes FROM list_part").fetchone()[0]
    conn.execute("UPDATE list_part SET bytes = x'00'")
    cache = ListCache()
    with pytest.raises(LedgerBroken, match="bloctel is damaged"):
        ask(cache, conn)
    conn.execute("UPDATE list_part SET bytes = ?", (whole,))
    with pytest.raises(LedgerBroken, match="bloctel is damaged"):
        ask(cache, conn)
    put(conn, [A])  # imported again it is another one, and good at once
    assert ask(cache, conn).listed
    conn.execute("DELETE FROM list_version WHERE id = 2")
    with pytest.raises(LedgerBroken):
        ask(cache, conn)
    clock += 11  # restored from a backup, say
    assert ask(cache, conn).listed


def test_a_body_is_in_memory_once_and_read_once(
    conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    original = lists.read_body

    def counting(conn: sqlite3.Connection, head: lists.Head) -> lists.Body:
        read.append(head.version)
        return original(conn, head)

    monkeypatch.setattr("dialwarden.ledger.list_cache.read_body", counting)
    bodies = ListBodies()
    first, second = ListCache(bodies), ListCache(bodies)
    put(conn, [A], name="bloctel")
    assert ask(first, conn).listed
    assert ask(second, conn).listed
    put(conn, [A], name="house")
    assert ask(first, conn).listed
    assert read == [1]
    put(conn, [B])
    assert not ask(first, conn).listed
    assert read == [1, 3]
