"""A ledger that would refuse calls is found out without a call; so is one that is well again."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

from tests.gate.world import World

from dialwarden.gate.ledger_watch import LedgerWatch

# Long enough for a ledger that is well, on any machine; who stands still is given less.
WITHIN_S = 30.0


def away(world: World) -> list[Path]:
    """The ledger's files, put aside."""
    path = Path(world.gate.ledger.path)
    aside = path.with_name("aside")
    aside.mkdir()
    return [file.rename(aside / file.name) for file in sorted(path.parent.glob(f"{path.name}*"))]


def log_of(world: World) -> bytes:
    return Path(f"{world.gate.ledger.path}-wal").read_bytes()


async def test_a_ledger_that_goes_away_and_comes_back_is_noticed(world: World) -> None:
    watch = LedgerWatch(world.gate)
    await watch.look(WITHIN_S)
    assert world.gate.ledger_trouble == ""
    files = away(world)
    await watch.look(WITHIN_S)
    assert "there is no such file" in world.gate.ledger_trouble
    for file in files:
        file.rename(file.parent.parent / file.name)
    await watch.look(WITHIN_S)
    assert world.gate.ledger_trouble == ""


async def test_what_a_call_left_behind_does_not_stay_until_the_next_call(world: World) -> None:
    locker = sqlite3.connect(world.gate.ledger.path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    assert await world.rules() == "unavailable"
    watch = LedgerWatch(world.gate)
    await watch.look(WITHIN_S)
    assert "locked" in world.gate.ledger_trouble
    locker.execute("ROLLBACK")
    locker.close()
    await watch.look(WITHIN_S)
    assert world.gate.ledger_trouble == ""


async def test_trouble_is_over_when_something_could_be_written(world: World) -> None:
    """A transaction without a change needs no room: it would be taken by a disk that is full."""
    watch = LedgerWatch(world.gate)
    before = log_of(world)
    await watch.look(WITHIN_S)
    assert log_of(world) == before
    world.gate.ledger_trouble = "the disk is full"
    await watch.look(WITHIN_S)
    assert world.gate.ledger_trouble == ""
    assert log_of(world) != before


async def test_a_ledger_that_stands_still_is_in_trouble_until_it_goes_on(world: World) -> None:
    stands, goes_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def stand_still(_: sqlite3.Connection) -> bool:
        loop.call_soon_threadsafe(stands.set)
        return goes_on.wait(WITHIN_S)

    watch = LedgerWatch(world.gate)
    standing = world.gate.keep(world.gate.ledger.transact(stand_still))
    await stands.wait()
    for _ in range(3):
        await watch.look(0.01)
        assert world.gate.ledger_trouble.endswith("no answer within 0.01 s")
    assert world.gate.ledger.waiting == 1  # not one more a look
    goes_on.set()
    assert await standing
    await watch.look(WITHIN_S)
    await watch.look(WITHIN_S)  # the first one was the try that had waited
    assert world.gate.ledger_trouble == ""


async def test_a_ledger_that_takes_calls_is_not_tried_besides(world: World) -> None:
    watch = LedgerWatch(world.gate)
    await world.ask()
    written = world.gate.ledger.works
    await watch.look(WITHIN_S)
    assert world.gate.ledger.works == written
    for more in (1, 2):
        await watch.look(WITHIN_S)
        assert world.gate.ledger.works == written + more
