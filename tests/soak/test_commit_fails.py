"""A verdict that was worked out and then not written is no verdict: nobody is told ALLOW."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest_asyncio
from tests.gate.world import World, failing

from dialwarden.errors import LedgerUnavailable
from dialwarden.ledger.batch import Job
from dialwarden.ledger.group_commit import Ledger


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World.open(tmp_path)
    yield world
    await world.close()


@contextlib.contextmanager
def nothing_can_be_written() -> Iterator[None]:
    """The disk fails when the batch is committed, after all of it was worked out."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def test_a_commit_that_fails_allows_nobody(world: World) -> None:
    assert (await world.ask(campaign="free")).attempt == 1
    with nothing_can_be_written():
        answers = await asyncio.gather(*(world.ask(campaign="free") for _ in range(20)))
    assert {failing(answer) for answer in answers} == {"unavailable"}
    assert {answer.attempt for answer in answers} == {None}
    assert (await world.ask(campaign="free")).attempt == 2
    assert [attempt["id"] for attempt in world.counted()] == [1, 2]


async def test_a_repeat_whose_commit_fails_is_not_allowed_again(world: World) -> None:
    assert (await world.ask(call="17.1")).allowed
    with nothing_can_be_written():
        assert failing(await world.ask(call="17.1")) == "unavailable"
    assert (await world.ask(call="17.1")).allowed
    assert len(world.counted()) == 1


async def test_a_job_that_failed_has_no_result_of_a_former_run(tmp_path: Path) -> None:
    # The other one's error has all of them run once more, and only then does this one raise.
    runs: list[int] = []

    def once(conn: sqlite3.Connection, items: Sequence[int]) -> Sequence[int]:
        runs.append(1)
        if len(runs) > 1:
            raise ZeroDivisionError("the second time")
        return items

    def never(conn: sqlite3.Connection) -> int:
        raise ZeroDivisionError("the first time")

    ledger = await Ledger.open(tmp_path / "ledger.db")
    told: list[tuple[int | None, type[BaseException | None]]] = []
    loop = asyncio.get_running_loop()
    mine: asyncio.Future[int] = loop.create_future()
    other: asyncio.Future[int] = loop.create_future()

    def done(job: Job[int]) -> None:
        told.append((job.result, type(job.error)))
        mine.cancel()

    ledger.enqueue(Job(None, mine, None, together=once, item=7, done=done))
    ledger.enqueue(Job(never, other, None))
    await asyncio.wait({other})
    assert isinstance(other.exception(), ZeroDivisionError)
    assert told == [(None, ZeroDivisionError)]
    await ledger.close()


def test_a_job_whose_batch_failed_has_no_result() -> None:
    loop = asyncio.new_event_loop()
    told: list[object] = []
    job: Job[int] = Job(
        None, loop.create_future(), None, done=lambda one: told.append((one.result, one.error))
    )
    job.result = 7
    job.fail(LedgerUnavailable("x", "the disk is full"))
    loop.close()
    [(result, error)] = told  # type: ignore[misc]
    assert result is None
    assert isinstance(error, LedgerUnavailable)
