"""What a running bridge says of overrides that others begin and end, and shows as in force."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from tests.gate.test_overrides import ended, let_go
from tests.gate.world import NOW, World

from dialwarden.errors import LedgerUnavailable
from dialwarden.gate.override_watch import OverrideWatch
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.overrides import end_override


@pytest.fixture(autouse=True)
def _warnings_are_heard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("WARNING", logger="dialwarden"):
        yield


class Watched:
    """A watch that looks when it is told to."""

    def __init__(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        self.world = world
        self.watch = OverrideWatch(world.gate, interval_s=3600)
        self._caplog = caplog

    async def look(self) -> list[str]:
        """What one look says, without the name of the logger."""
        self._caplog.clear()
        await self.watch._look_once()
        assert {record.levelname for record in self._caplog.records} <= {"WARNING", "ERROR"}
        return [record.getMessage() for record in self._caplog.records]

    @property
    def in_force(self) -> list[int]:
        return [one.id for one in self.watch.in_force]


@pytest_asyncio.fixture
async def watched(world: World, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Watched]:
    made = Watched(world, caplog)
    await made.look()
    yield made


async def test_each_is_told_once_when_it_begins_and_once_when_its_time_is_up(
    watched: Watched,
) -> None:
    watched.world.elsewhere(let_go("free", "hours", "gap"))
    [told] = await watched.look()
    assert told == (
        "override 1 begins: campaign free, hours&gap let go until 2026-11-02T10:00:00+00:00, "
        "by Anna: a flood"
    )
    assert watched.in_force == [1]
    assert await watched.look() == []
    watched.world.clock.advance(minutes=30)
    assert watched.in_force == []  # by itself, before anybody looks
    assert await watched.look() == [
        "override 1 is over: campaign free, hours&gap enforced again; its time is up"
    ]
    assert await watched.look() == []


async def test_one_that_was_ended_says_by_whom_and_why(watched: Watched) -> None:
    watched.world.elsewhere(let_go("free", "hours"))
    await watched.look()
    watched.world.elsewhere(ended(1, NOW))
    assert await watched.look() == [
        "override 1 is over: campaign free, hours enforced again; ended by Bob: the water is gone"
    ]
    assert watched.in_force == []


async def test_one_between_two_looks_is_told_all_the_same(watched: Watched) -> None:
    watched.world.elsewhere(let_go("free", "hours", since=NOW, minutes=1))
    watched.world.clock.advance(minutes=2)
    begun, over = await watched.look()
    assert begun.startswith("override 1 begins")
    assert over.endswith("its time is up")


async def test_the_start_tells_those_in_force_and_not_those_that_are_over(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.elsewhere(let_go("free", "hours", since=NOW - timedelta(hours=1)))
    world.elsewhere(let_go("free", "gap"))
    watch = OverrideWatch(world.gate, interval_s=3600)
    await watch.start()
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition(":")[0] for line in told] == ["override 2 is in force"]
    await watch.stop()


async def test_it_goes_on_looking_until_it_is_stopped(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    watch = OverrideWatch(world.gate, interval_s=0.001)
    await watch.start()
    world.elsewhere(let_go("free", "hours"))
    while not watch.in_force:
        await world.ask(campaign="free")
    await watch.stop()
    assert "override 1 begins" in caplog.text


async def test_numbers_in_a_reason_are_masked(watched: Watched) -> None:
    watched.world.elsewhere(let_go("free", "hours", by="Anna +33612345678"))
    [told] = await watched.look()
    assert "612345678" not in told
    assert "Anna +336" in told


async def test_a_ledger_that_does_not_answer_changes_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.world.elsewhere(let_go("free", "hours"))
    await watched.look()

    async def locked(_: object) -> None:
        raise LedgerUnavailable("ledger.db", "is locked")

    with monkeypatch.context() as patched:
        patched.setattr(watched.world.ledger, "read", locked)
        assert await watched.look() == []
        assert watched.in_force == [1]
    watched.world.elsewhere(ended(1))
    assert len(await watched.look()) == 1


async def test_what_fails_otherwise_is_an_error_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(watched.world.ledger, "read", broken)
        assert len(await watched.look()) == 1
        assert await watched.look() == []
    watched.world.elsewhere(let_go("free", "hours"))
    assert len(await watched.look()) == 1


async def test_one_that_a_restored_ledger_does_not_have_is_over(watched: Watched) -> None:
    watched.world.elsewhere(let_go("free", "hours"))
    await watched.look()
    watched.world.elsewhere(lambda conn: conn.execute("DELETE FROM override"))
    [told] = await watched.look()
    assert told.endswith("the ledger does not have it any more")
    assert watched.in_force == []


async def test_a_clock_that_is_set_back_begins_none_before_its_time(
    watched: Watched, tmp_path: Path
) -> None:
    with open_ledger(tmp_path / "ledger.db", create=False) as conn, transaction(conn):
        let_go("free", "hours")(conn)
    watched.world.clock.advance(minutes=-5)
    assert await watched.look() == []
    watched.world.clock.advance(minutes=5)
    assert len(await watched.look()) == 1
    watched.world.clock.advance(minutes=-5)
    [told] = await watched.look()
    assert told.endswith("free, hours enforced again; the clock was set back to before it began")
    watched.world.clock.advance(minutes=5)
    assert len(await watched.look()) == 1


@pytest.mark.parametrize(
    "typed", ["0612345678", "06 12 34 56 78", "06.12.34.56.78", "+33 (0)6-12-34-56-78"]
)
async def test_a_number_that_somebody_typed_into_a_reason_is_masked_however_it_is_written(
    watched: Watched, typed: str
) -> None:
    watched.world.elsewhere(let_go("free", "hours", by=f"Anna {typed}", why=f"call {typed} back"))
    told = await watched.look()
    watched.world.elsewhere(lambda conn: end_override(conn, 1, at=NOW, by="Bob", why=typed))
    told += await watched.look()
    words = [line.partition("by ")[2] for line in told]
    assert len(words) == 2
    assert all("••" in text and "12" not in text and "34" not in text for text in words)
