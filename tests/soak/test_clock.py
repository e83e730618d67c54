"""A clock that jumps while calls are asked about: never an ALLOW too many for where it stands.

The wall clock is read in the transaction that records the attempt; here it is turned by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gate.world import CONFIG, NOW, World, object_to

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
PARIS = ZoneInfo("Europe/Paris")
CAP = 2  # a calendar day, in the campaign `capped`
GAPPED = (
    '\n[campaigns.gapped]\nprofessional = "gap"\npolicy = "none"\nregion = "FR"\n'
    '[campaigns.gapped.tighten]\ngap = "2 hours"\n'
)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World.open(tmp_path, CONFIG + GAPPED)
    yield world
    await world.close()


async def allowed(world: World, campaign: str = "capped", times: int = 10) -> int:
    answers = await asyncio.gather(*(world.ask(campaign=campaign) for _ in range(times)))
    return sum(answer.verdict.allowed for answer in answers)


@pytest.mark.parametrize("jump", [HOUR, DAY, YEAR], ids=["hour", "day", "year"])
async def test_after_a_jump_back_what_was_called_before_it_counts(
    world: World, jump: timedelta
) -> None:
    assert await allowed(world) == CAP
    world.clock.now = NOW - jump
    assert await allowed(world) == 0
    world.clock.now = NOW
    assert await allowed(world) == 0


@pytest.mark.parametrize("jump", [HOUR, YEAR], ids=["hour", "year"])
async def test_a_gap_is_kept_whichever_way_the_clock_jumped(world: World, jump: timedelta) -> None:
    assert await allowed(world, "gapped") == 1
    world.clock.now = NOW - jump
    assert await allowed(world, "gapped") == 0
    world.clock.now = NOW + HOUR
    assert await allowed(world, "gapped") == 0


async def test_a_jump_forward_and_back_gives_no_day_more_than_its_calls(world: World) -> None:
    assert await allowed(world) == CAP
    world.clock.now = NOW + HOUR  # still the same day
    assert await allowed(world) == 0
    world.clock.now = NOW + YEAR  # another day, for all that can be known
    assert await allowed(world) == CAP
    for back in (NOW + YEAR - DAY, NOW + DAY, NOW, NOW - YEAR):
        world.clock.now = back
        assert await allowed(world) == 0


async def test_an_objection_holds_wherever_the_clock_stands(world: World) -> None:
    world.elsewhere(object_to())
    for jump in (-YEAR, -HOUR, HOUR, YEAR):
        world.clock.now = NOW + jump
        assert await world.rules() == "objection"


async def test_the_clock_turned_in_the_midst_of_a_crowd_gives_the_cap(world: World) -> None:
    """Each batch reads the clock anew; back and forth within one day it changes nothing."""
    told = 0
    for turn in range(12):
        world.clock.now = NOW + (HOUR, -HOUR, timedelta(0))[turn % 3]
        told += await allowed(world, times=5)
    assert told == CAP


@given(st.lists(st.integers(min_value=-400 * 24, max_value=400 * 24), min_size=1, max_size=12))
@settings(max_examples=12)
def test_no_day_ever_has_more_attempts_than_its_cap(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int]
) -> None:
    async def run() -> list[datetime]:
        world = await World.open(tmp_path_factory.mktemp("ledger"))
        try:
            for jump in hours:
                world.clock.now = NOW + jump * HOUR
                await allowed(world, times=3)
            return [cast(datetime, attempt["at"]) for attempt in world.counted()]
        finally:
            await world.close()

    days = [at.astimezone(PARIS).date() for at in asyncio.run(run())]
    assert days
    assert max(map(days.count, days)) <= CAP
