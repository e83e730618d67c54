"""What became of legs reaches the ledger in order, once it can, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from dialwarden.errors import LedgerUnavailable
from dialwarden.ledger.group_commit import Ledger
from dialwarden.watch import settlement as module
from dialwarden.watch.settlement import Settlement

Write = Callable[[str], Callable[[sqlite3.Connection], object]]


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(tmp_path / "ledger.db", busy_timeout_s=0.05)
    await opened.transact(lambda conn: conn.execute("CREATE TABLE said (word TEXT)"))
    yield opened
    await opened.close()


def say(word: str, conn: sqlite3.Connection) -> None:
    conn.execute("INSERT INTO said VALUES (?)", (word,))


def fail(conn: sqlite3.Connection) -> None:
    raise ValueError("not this one")


async def said(ledger: Ledger) -> list[str]:
    rows = await ledger.read(lambda conn: conn.execute("SELECT word FROM said").fetchall())
    return [row[0] for row in rows]


async def test_steps_are_on_disk_in_their_order(ledger: Ledger) -> None:
    settlement = Settlement(ledger)
    words = [str(number) for number in range(2000)]
    for word in words:
        settlement.record(partial(say, word))
    await settlement.flushed()
    assert await said(ledger) == words
    assert settlement.waiting == 0
    await settlement.close()


async def test_a_step_that_is_wrong_costs_none_but_itself(ledger: Ledger) -> None:
    settlement = Settlement(ledger)
    for step in (partial(say, "a"), fail, partial(say, "b")):
        settlement.record(step)
    await settlement.close()
    assert await said(ledger) == ["a", "b"]


async def written(settlement: Settlement) -> None:
    while settlement.waiting:  # noqa: ASYNC110  it tries again by the clock
        await asyncio.sleep(0.01)


@pytest.fixture
def locked(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A ledger that cannot be written as long as the list says so."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    shut = [True]
    transact = ledger.transact

    async def refusing(work: object, **more: object) -> object:
        if shut[0]:
            raise LedgerUnavailable(ledger.path, "is locked")
        return await transact(work, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "transact", refusing)
    return shut


async def test_they_wait_for_a_ledger_that_cannot_be_written(
    ledger: Ledger, locked: list[bool]
) -> None:
    settlement = Settlement(ledger)
    settlement.record(partial(say, "a"))
    await settlement.flushed()
    assert settlement.waiting == 1
    settlement.record(partial(say, "b"))
    locked[0] = False
    await written(settlement)
    assert await said(ledger) == ["a", "b"]
    await settlement.close()


async def test_too_many_that_wait_are_dropped_from_the_front(
    ledger: Ledger, locked: list[bool]
) -> None:
    settlement = Settlement(ledger, most_waiting=2)
    for word in "abcd":
        settlement.record(partial(say, word))
    await settlement.flushed()
    locked[0] = False
    await written(settlement)
    assert await said(ledger) == ["c", "d"]
    await settlement.close()


async def test_a_ledger_that_stays_shut_does_not_keep_the_bridge_from_stopping(
    ledger: Ledger, locked: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    settlement = Settlement(ledger)
    settlement.record(partial(say, "a"))
    await settlement.flushed()
    await settlement.close()
    assert settlement.waiting == 1
    assert "1 events of calls are not in the ledger" in caplog.text
