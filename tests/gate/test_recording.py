"""A no said during a call: whom it means, how far it reaches, and that it holds at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.gate.world import DIALLED, NOW, NUMBER, OTHER, World, consent_to

from dialwarden.facts import Scope
from dialwarden.gate.recording import RecordingError
from dialwarden.ledger.attempts import HistoryRow, insert_history
from dialwarden.ledger.objections import list_objections
from dialwarden.question import Door


async def say_no(world: World, **words: str) -> None:
    await world.recorder.objection(**{"door": Door.AGI, "by": "PJSIP/100-1", **words})  # type: ignore[arg-type]


async def recorded(world: World) -> list[dict[str, Any]]:
    return await world.ledger.read(lambda conn: list(list_objections(conn)))


async def test_an_objection_by_number_holds_for_the_next_question(world: World) -> None:
    assert await world.rules() == ""
    await say_no(world, number=DIALLED, campaign="capped")
    assert await world.rules() == "objection"
    assert await world.rules(campaign="sister") == "objection"
    assert await world.rules(campaign="rival") == ""
    [row] = await recorded(world)
    assert (row["professional"], row["campaign"]) == ("acme", "capped")
    assert row["scope"] == "professional"
    assert (row["door"], row["by"], row["at"]) == ("agi", "PJSIP/100-1", NOW)


async def test_an_objection_by_call_means_the_number_of_that_call(world: World) -> None:
    await world.ask(call="17.1")
    await say_no(world, call="17.1")
    assert await world.rules(call="17.1") == "objection"
    assert await world.rules(OTHER) == ""


async def test_an_objection_by_call_means_the_number_called_last(world: World) -> None:
    await world.ask(call="17.2")
    await world.ask(OTHER, call="17.2")
    await say_no(world, call="17.2")
    assert await world.rules(OTHER) == "objection"
    assert await world.rules() == ""


async def test_an_objection_by_attempt_means_that_attempt(world: World) -> None:
    answer = await world.ask()
    await world.ask(OTHER)
    await say_no(world, attempt=str(answer.attempt))
    assert await world.rules() == "objection"
    assert await world.rules(OTHER) == ""


async def test_of_number_attempt_and_call_the_first_counts(world: World) -> None:
    answer = await world.ask(call="17.3")
    await say_no(world, number=OTHER, campaign="capped", attempt=str(answer.attempt), call="17.3")
    assert await world.rules(OTHER) == "objection"
    assert await world.rules() == ""


async def test_an_objection_by_call_holds_for_the_person(world: World) -> None:
    await world.ask(call="17.4", person="p-1")
    await say_no(world, call="17.4")
    assert await world.rules(OTHER, person="p-1") == "objection"


@pytest.mark.parametrize(
    ("scope", "reaches"),
    [
        ("", {"capped", "sister"}),
        ("professional", {"capped", "sister"}),
        (" Professional ", {"capped", "sister"}),
        ("campaign", {"capped"}),
        ("all", {"capped", "sister", "rival", "free"}),
    ],
)
@pytest.mark.parametrize("way", ["number", "call"])
async def test_a_scope_reaches_so_far(
    world: World, scope: str, reaches: set[str], way: str
) -> None:
    await world.ask(call="17.5")
    words = {"number": DIALLED, "campaign": "capped"} if way == "number" else {"call": "17.5"}
    await say_no(world, **words, scope=scope)
    refused = {
        campaign
        for campaign in ("capped", "sister", "rival", "free")
        if await world.rules(campaign=campaign) == "objection"
    }
    assert refused == reaches


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ({}, "recording_no_attempt"),
        ({"call": "nobody"}, "recording_no_attempt"),
        ({"attempt": "4711"}, "recording_no_attempt"),
        ({"attempt": "x"}, "unavailable_question"),
        ({"attempt": "-1"}, "unavailable_question"),
        ({"attempt": "9" * 30}, "unavailable_question"),
        ({"attempt": "٣"}, "unavailable_question"),
        ({"number": "12", "campaign": "capped"}, "number_too_short"),
        ({"number": "06x", "campaign": "capped"}, "number_characters"),
        ({"number": DIALLED}, "campaign_missing"),
        ({"number": DIALLED, "campaign": "nobody"}, "campaign_unknown"),
    ],
    ids=str,
)
async def test_what_cannot_be_recorded_is_said_and_not_recorded(
    world: World, words: dict[str, str], key: str
) -> None:
    with pytest.raises(RecordingError) as raised:
        await say_no(world, **words)
    assert raised.value.reason.key == key
    assert await recorded(world) == []


async def test_a_number_in_an_unknown_campaign_is_read_as_its_call_would(world: World) -> None:
    await world.ask(OTHER, call="17.8")
    await say_no(world, number=DIALLED, campaign="cappped", call="17.8")
    assert await world.rules() == "objection"
    assert "objection" not in await world.rules(OTHER)
    [row] = await recorded(world)
    assert (row["number"], row["professional"], row["campaign"]) == (f"+{NUMBER}", "acme", "capped")


@pytest.mark.parametrize("attempt", ["4711", "x"])
async def test_an_attempt_that_nobody_knows_loses_no_no_where_the_call_is_known(
    world: World, attempt: str
) -> None:
    await world.ask(call="17.9")
    await say_no(world, attempt=attempt, call="17.9")
    assert await world.rules() == "objection"


async def test_a_scope_that_cannot_be_read_is_told_and_the_no_recorded(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await say_no(world, number=DIALLED, campaign="capped", scope="everybody")
    [row] = await recorded(world)
    assert row["scope"] == "professional"
    assert "scope 'everybody' is none of" in caplog.text


async def test_a_campaign_that_is_unknown_loses_no_no_where_the_call_is_known(world: World) -> None:
    await world.ask(call="17.6")
    for more in ({}, {"number": "no number"}):
        await world.recorder.objection(
            call="17.6", campaign="nobody", door=Door.AGI, by="test", **more
        )
    assert {row["campaign"] for row in world.objections()} == {"capped"}


async def test_a_campaigns_objection_without_a_campaign_is_told(world: World) -> None:
    history = HistoryRow(NUMBER, "acme", NOW - timedelta(days=1))
    world.elsewhere(lambda conn: insert_history(conn, [history]))
    [attempt] = world.attempts()
    with pytest.raises(RecordingError) as raised:
        await say_no(world, attempt=str(attempt["id"]), scope="campaign")
    assert raised.value.reason.key == "campaign_missing"
    await say_no(world, attempt=str(attempt["id"]))
    assert await world.rules() == "objection"


async def test_a_ledger_that_is_gone_is_told(world: World) -> None:
    world.path.unlink()
    with pytest.raises(RecordingError) as raised:
        await say_no(world, number=DIALLED, campaign="capped")
    assert raised.value.reason.key == "unavailable_ledger"


async def test_a_no_said_twice_is_two_or_one_and_holds(world: World) -> None:
    nos = [say_no(world, number=DIALLED, campaign="capped") for _ in range(10)]
    await asyncio.gather(*nos)
    assert await world.rules() == "objection"
    assert len(await recorded(world)) == 1  # the very same, at the same instant


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("way", ["number", "call"])
async def test_a_no_said_with_the_clock_behind_is_later_than_every_consent(
    world: World, scope: Scope, way: str
) -> None:
    world.elsewhere(consent_to(at=NOW))
    assert await world.rules(campaign="solar", call="17.7") == ""
    world.clock.now = NOW - timedelta(minutes=20)
    words = {"number": DIALLED, "campaign": "solar"} if way == "number" else {"call": "17.7"}
    await say_no(world, **words, scope=scope)
    assert await world.rules(campaign="solar") == "consent&objection&frequency"
    world.clock.now = NOW + timedelta(hours=4)
    assert await world.rules(campaign="solar") == "consent&objection"


async def test_a_yes_after_the_no_lifts_it(world: World) -> None:
    world.elsewhere(consent_to(at=NOW - timedelta(days=1)))
    await say_no(world, number=DIALLED, campaign="solar")
    assert await world.rules(campaign="solar") == "consent&objection"
    world.elsewhere(consent_to(at=NOW + timedelta(minutes=1)))
    world.clock.advance(minutes=2)
    assert await world.rules(campaign="solar") == ""
