"""What the gate counts is what it told, told apart as monitoring shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gate.test_gate import locked
from tests.gate.world import World, overlay, question

from dialwarden.gate.counting import BOUNDS_S, Counts, Took
from dialwarden.question import Door
from dialwarden.verdict import Reason


def told(counts: Counts) -> dict[str, int]:
    return {
        f"{one.verdict} {one.rule} {one.campaign} {one.door}{' reserved' * one.reserved}": count
        for one, count in counts.told()
    }


async def test_each_verdict_is_counted_by_its_first_rule_campaign_and_door(world: World) -> None:
    await world.ask(call="17.1")
    await world.ask(call="17.1")  # the same call again: allowed, and nothing is reserved
    await world.ask()
    await world.ask()  # a third attempt in a day, where two are the cap
    await world.ask(campaign="shadow", door=Door.GATEWAY)
    await world.ask(campaign="shadow", door=Door.GATEWAY)
    await world.ask("x")
    await world.ask(campaign="0612345678")  # whatever a peer invents is no label
    counts = world.gate.counts
    assert told(counts) == {
        "ALLOW  capped agi reserved": 2,
        "ALLOW  capped agi": 1,
        "REFUSE frequency capped agi": 1,
        "ALLOW  shadow gateway reserved": 1,
        "would_refuse frequency shadow gateway reserved": 1,
        "REFUSE number capped agi": 1,
        "REFUSE campaign other agi": 1,
    }
    assert [counts.of_verdict(word) for word in ("ALLOW", "REFUSE", "would_refuse")] == [4, 3, 1]


async def test_exempt_calls_are_counted_apart(world: World) -> None:
    world.elsewhere(overlay("staff", 33687654321))
    for dialled in ("112", "3949", "0687654321", "112"):
        assert (await world.ask(dialled)).allowed
    assert world.gate.counts.exempt == {
        ("emergency", "agi"): 2, ("pattern", "agi"): 1, ("staff", "agi"): 1,
    }  # fmt: skip
    assert told(world.gate.counts) == {}


async def test_every_answer_has_the_time_it_took(world: World) -> None:
    for dialled in ("112", "x", "0612345678"):
        await world.ask(dialled)
    await world.ask(door=Door.GATEWAY)
    took = world.gate.counts.took
    assert {door: list(one.cumulated())[-1] for door, one in took.items()} == {
        "agi": 3, "gateway": 1,
    }  # fmt: skip
    assert 0 < took["agi"].sum_s < 60


async def test_a_question_that_was_late_took_as_long_as_it_was_waited_for(world: World) -> None:
    late = Reason("unavailable_deadline", {"seconds": "1.5"})
    world.gate.unanswered(question(), late, waited_s=1.5)
    world.gate.unanswered(question(), Reason("unavailable_stopping"))
    assert told(world.gate.counts) == {"REFUSE unavailable capped agi": 2}
    took = world.gate.counts.took["agi"]
    assert dict(zip(BOUNDS_S, took.counts, strict=False))[1.5] == sum(took.counts) == 1


async def test_a_peek_counts_nothing(world: World) -> None:
    await world.gate.peek(question())
    assert told(world.gate.counts) == {}
    assert world.gate.counts.took == {}


async def test_a_ledger_that_takes_nothing_counts_as_unavailable(world: World) -> None:
    with locked(world.path):
        await world.ask()
    assert told(world.gate.counts) == {"REFUSE unavailable capped agi": 1}


async def test_an_allow_that_never_left_is_counted_as_taken_back(world: World) -> None:
    answer = await world.ask()
    world.gate.undelivered(answer, "nobody was there")
    world.gate.undelivered(await world.ask("x"), "nor here, but nothing was reserved")
    assert world.gate.counts.taken_back == 1


@given(st.lists(st.floats(0, 10)))
def test_each_time_stands_under_the_least_bound_that_holds_it(times: list[float]) -> None:
    counts = Counts()
    for seconds in times:
        counts.took_s(Door.AGI, seconds)
    took = counts.took.get("agi", Took())
    expected = [sum(one <= bound for one in times) for bound in (*BOUNDS_S, float("inf"))]
    assert list(took.cumulated()) == expected
    assert took.sum_s == pytest.approx(sum(times))
