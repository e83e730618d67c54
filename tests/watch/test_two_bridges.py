"""Two bridges on one PBX and one ledger, as while one hands over to the next."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.gate.world import NOW, NUMBER, World
from tests.watch.scene import Leg, Scene

from dialwarden.ledger import attempts
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.question import Door, Purpose
from dialwarden.settings.sections import GuardMode


class Pair:
    """Both see every event."""

    def __init__(self, one: Scene, other: Scene) -> None:
        self.scenes = (one, other)
        one._next = other._next = 0


@pytest_asyncio.fixture
async def pair(world: World) -> AsyncIterator[Pair]:
    one, other = Scene(world), Scene(world)
    await one.open()
    await other.open()
    world.gate.listener = one.permits  # the question is asked of the first
    yield Pair(one, other)
    await one.close()
    await other.close()


@pytest.mark.parametrize("mode", [GuardMode.REPORT, GuardMode.HANGUP])
async def test_a_bypass_is_written_down_and_counted_once(pair: Pair, mode: GuardMode) -> None:
    one = pair.scenes[0]
    for scene in pair.scenes:
        scene.mode = mode
    legs = [scene.dial(call="nobody") for scene in pair.scenes]
    for scene in pair.scenes:
        await scene.settle()
    for leg in legs:
        leg.rings()
    for scene in pair.scenes:
        await scene.settle()
    for leg in legs:
        leg.ends("NOANSWER", 16)
    for scene in pair.scenes:
        await scene.settle()
    assert one.states() == [("settled", "no_answer")]
    assert len(one.bypasses()) == 1


async def test_an_allowed_call_is_one_attempt(pair: Pair) -> None:
    one, other = pair.scenes
    await one.allowed("call")
    legs = [scene.dial() for scene in pair.scenes]
    for leg in legs:
        leg.rings()
        leg.answers()
        leg.ends()
    for scene in pair.scenes:
        await scene.settle()
    assert one.states() == [("settled", "answered")]
    assert one.bypasses() == []
    assert [leg.cut for leg in legs] == [False, False]
    assert other.catches == 0


@pytest.mark.parametrize("mode", [GuardMode.REPORT, GuardMode.HANGUP])
async def test_the_slower_one_takes_no_call_that_is_over_for_a_bypass(
    pair: Pair, mode: GuardMode
) -> None:
    """A callee who is busy is told of, and on record, within a millisecond."""
    one, other = pair.scenes
    for scene in pair.scenes:
        scene.mode = mode
    await one.allowed("call")
    one.dial().ends("BUSY", 17)
    await one.settle()
    late = other.dial()
    await other.settle()
    late.ends("BUSY", 17)
    await other.settle()
    assert not late.cut
    assert other.catches == 0
    assert one.states() == [("settled", "busy")]


async def test_the_slower_one_does_not_count_what_the_other_has_hung_up(pair: Pair) -> None:
    one, other = pair.scenes
    one.dial(call="nobody")
    await one.settle()
    late = other.dial(call="nobody")
    late.ends("CANCEL", 21)
    await other.settle()
    assert one.states() == []
    assert len(one.bypasses()) == 1


async def test_a_uniqueid_that_comes_again_while_its_leg_is_said_to_be_up_is_not_that_leg(
    pair: Pair,
) -> None:
    """The bridge that had recorded the leg was killed, and did not see it end."""
    one, other = pair.scenes
    await one.allowed("dw-1", permit="dw-1", door=Door.GATEWAY)
    one.dial(call="dw-1", caller="", uniqueid="dw-1").rings()
    await one.settle()
    other._next = 7
    again = other.dial(call="dw-1", caller="", uniqueid="dw-1")
    await other.settle()
    assert again.cut


async def test_what_another_bridge_allowed_is_used_up_before_the_ledger_knows(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = pair.scenes[0]
    new = NewAttempt(
        number=NUMBER, professional="acme", campaign="capped", purpose=Purpose.SALES,
        door=Door.AGI, at=NOW, call="theirs",
    )  # fmt: skip
    one.world.elsewhere(lambda conn: attempts.reserve(conn, new))
    with monkeypatch.context() as patched:
        patched.setattr(one.settlement, "record", lambda step: None)  # it waits for the ledger
        first = one.dial(call="theirs")
        await one.settle()
        first.rings()
        first.ends("NOANSWER", 16)
        second: Leg = one.dial(call="theirs")
        await one.settle()
    assert (first.cut, second.cut) == (False, True)
