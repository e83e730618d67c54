"""Erasing a callee's records beside a gate that answers: no verdict changes by it."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

from tests.gate.world import NOW, NUMBER, OTHER, World, consent_to, object_to, settled

from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.erase import Erased, Whom, erase
from dialwarden.ledger.purge_kinds import Plan
from dialwarden.policy.retention import Keeping

LONG_AGO = NOW - timedelta(days=4 * 365)
KEPT = Keeping(3, "law")


def erased(world: World, number: int = NUMBER) -> Erased:
    with closing(open_ledger(world.path, create=False)) as conn:
        return erase(
            conn, Whom(number), lambda at: Plan({}, KEPT.on(at), {}, None), world.clock.now,
            by="Ann", why="letter",
        )  # fmt: skip


async def test_a_no_goes_on_refusing_for_the_very_next_question(world: World) -> None:
    world.elsewhere(object_to(professional="free", at=LONG_AGO))
    assert await world.rules(campaign="free") == "objection"
    assert erased(world).counts["reduced"] == {"objections": 1}
    assert await world.rules(campaign="free") == "objection"
    assert await world.rules(OTHER, campaign="free") == ""


async def test_a_cap_counts_on(world: World) -> None:
    for _ in range(2):
        assert await world.rules() == ""
    assert erased(world).counts["removed"] == {}
    assert await world.rules() == "frequency"


async def test_what_goes_while_it_was_the_newest_of_all_confuses_no_later_question(
    world: World,
) -> None:
    world.clock.now = LONG_AGO
    assert await world.rules() == ""
    await settled(world)
    world.clock.now = NOW
    assert erased(world).counts["removed"] == {"attempts": 1}
    for expected in ("", "", "frequency"):
        assert await world.rules() == expected


async def test_a_later_yes_ends_a_no_that_was_reduced(world: World) -> None:
    world.elsewhere(object_to(professional="free", at=LONG_AGO))
    erased(world)
    world.elsewhere(consent_to(professional="free", at=NOW - timedelta(days=1)))
    assert await world.rules(campaign="free") == ""
