"""New versions of long lists: read beside the calls, in force once they are in memory."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from tests.ledger.helpers import A, B, day
from tests.ledger.test_lists import put

from dialwarden.errors import LedgerBroken
from dialwarden.facts import Listing
from dialwarden.ledger import list_cache, list_watch, lists
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.group_commit import Ledger
from dialwarden.ledger.list_body import Body
from dialwarden.ledger.lists import Head, Op


@pytest.fixture(autouse=True)
def every_list_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_cache, "_SHORT", 0)
    monkeypatch.setattr(list_watch, "INTERVAL_S", 0.01)


@pytest_asyncio.fixture
async def watched(path: Path, conn: sqlite3.Connection) -> AsyncIterator[Ledger]:
    """A ledger with a version of bloctel in force, that A stands in."""
    put(conn, [A], date(2026, 11, 1))
    ledger = await Ledger.open(path)
    await ask(ledger)
    await ledger.list_watch.start()
    yield ledger
    await ledger.close()


async def ask(ledger: Ledger, number: int = A, name: str = "bloctel") -> Listing:
    found = await ledger.transact(partial(ledger.lists.look_up, names=(name,), number=number))
    return found[name]


async def until(holds: Callable[[Listing], bool], ledger: Ledger, name: str = "bloctel") -> Listing:
    while True:
        found = await ask(ledger, name=name)
        if holds(found):
            return found
        await asyncio.sleep(0.005)


class Held:
    """Holds up whoever reads a body, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        original = lists.read_body

        def reading(conn: sqlite3.Connection, head: Head) -> Body:
            self.begun.set()
            assert self.go.wait(30)
            return original(conn, head)

        monkeypatch.setattr("dialwarden.ledger.list_cache.read_body", reading)


async def test_the_version_before_answers_while_the_new_one_is_read(
    watched: Ledger, conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    put(conn, [B], date(2026, 11, 2))
    await asyncio.to_thread(held.begun.wait, 30)
    for _ in range(5):
        assert await ask(watched) == Listing(1, date(2026, 11, 1), True)
    # What is put on the list by hand holds for the next question all the same.
    lists.overlay(conn, "bloctel", B, Op.ADD, at=day(0))
    assert await ask(watched, B) == Listing(1, date(2026, 11, 1), True)
    held.go.set()
    found = await until(lambda found: found.version == 2, watched)
    assert found == Listing(2, date(2026, 11, 2), False)


async def test_a_list_imported_for_the_first_time_refuses_until_it_is_read(
    watched: Ledger, conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await ask(watched, name="house")).version is None
    held = Held(monkeypatch)
    put(conn, [A], name="house")
    await asyncio.to_thread(held.begun.wait, 30)
    assert await ask(watched, name="house") == Listing(version=None)
    held.go.set()
    assert (await until(lambda found: found.version is not None, watched, "house")).listed


async def test_a_damaged_version_is_broken_and_not_covered_up(
    watched: Ledger, conn: sqlite3.Connection
) -> None:
    with transaction(conn):
        put(conn, [B], date(2026, 11, 2))
        conn.execute("UPDATE list_part SET bytes = x'00' WHERE body_id = 2")
    with pytest.raises(LedgerBroken, match="version 2 of list bloctel is damaged"):
        await until(lambda found: False, watched)
    with transaction(conn):
        lists.roll_back(conn, "bloctel", at=day(0), by="me", why="damaged")
    assert await ask(watched) == Listing(1, date(2026, 11, 1), True)


async def test_a_short_list_holds_for_the_next_question(
    watched: Ledger, conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_cache, "_SHORT", 100)
    monkeypatch.setattr(list_watch, "INTERVAL_S", 3600)
    await asyncio.sleep(0.05)  # the watch sleeps from here on
    put(conn, [B], date(2026, 11, 2))
    assert await ask(watched) == Listing(2, date(2026, 11, 2), False)


async def test_a_watch_that_is_late_is_not_waited_for(
    watched: Ledger, conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_watch, "INTERVAL_S", 3600)
    monkeypatch.setattr(list_cache, "_PATIENCE_S", 0.0)
    await asyncio.sleep(0.05)
    put(conn, [B], date(2026, 11, 2))
    assert (await ask(watched)).version == 2


async def test_the_log_says_what_is_in_force_and_what_was_taken_back(
    watched: Ledger, conn: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dialwarden.ledger.list_watch")
    put(conn, [A, B], date(2026, 11, 2))
    await until(lambda found: found.version == 2, watched)
    with transaction(conn):
        lists.roll_back(conn, "bloctel", at=day(0), by="cli:ann", why="half a file")
    await until(lambda found: found.version == 1, watched)
    await until(lambda _: len(caplog.records) == 3, watched)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "list bloctel: version 2 is in force: 2 numbers, as of 2026-11-02"),
        ("WARNING", "list bloctel: version 2 (2 numbers) was taken back by cli:ann: half a file"),
        ("INFO", "list bloctel: version 1 is in force: 1 numbers, as of 2026-11-01"),
    ]


async def test_a_ledger_put_in_its_place_is_answered_from_and_not_the_former_one(
    watched: Ledger, conn: sqlite3.Connection, path: Path, tmp_path: Path
) -> None:
    other = open_ledger(tmp_path / "other.db")
    put(other, [B], date(2026, 11, 9))
    other.close()
    conn.close()
    for left in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        left.unlink(missing_ok=True)
    (tmp_path / "other.db").rename(path)
    assert await ask(watched) == Listing(1, date(2026, 11, 9), False)
    assert (await ask(watched, B)).listed
