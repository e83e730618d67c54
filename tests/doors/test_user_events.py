"""User events that record: whom they mean, and that what cannot be recorded is in the log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from tests.gate.world import DIALLED, NOW, NUMBER, OTHER, World

from dialwarden.doors.user_events import UserEvents
from dialwarden.ledger.silent_calls import list_silent_calls


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    one = await World.open(tmp_path)
    yield one
    await one.close()


# What Asterisk puts before the dialplan's own headers.
SNAPSHOT = {
    "event": "UserEvent",
    "privilege": "user,all",
    "channel": "PJSIP/carrier-0000000a",
    "calleridnum": "100",
    "exten": "s",
    "uniqueid": "17.9",
    "linkedid": "17.4",
}
# What it sends when AMI asked for the event: no channel.
BARE = {"event": "UserEvent", "privilege": "user,all"}


async def tell(world: World, name: str, before: dict[str, str] = SNAPSHOT, **body: str) -> None:
    work = UserEvents(world.recorder).take({**before, "userevent": name, **body})
    assert work is not None
    await work


async def silent_calls(world: World) -> list[dict[str, Any]]:
    return await world.ledger.read(lambda conn: list(list_silent_calls(conn)))


@pytest.mark.parametrize(
    ("before", "body"),
    [
        (SNAPSHOT, {"number": DIALLED, "campaign": "capped"}),
        (SNAPSHOT, {}),
        (SNAPSHOT, {"campaign": "capped", "number": ""}),
        (SNAPSHOT, {"number": "nonsense", "campaign": "capped"}),
        (SNAPSHOT, {"attempt": "1", "call": "another"}),
        (SNAPSHOT | {"linkedid": "18.1"}, {"call": "17.4"}),
        (BARE, {"number": DIALLED, "campaign": "capped"}),
        (BARE, {"call": "17.4"}),
        (BARE, {"attempt": "1"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["DialwardenObjection", "dialwardenobjection"])
async def test_an_objection_holds_for_the_next_question(
    world: World, name: str, before: dict[str, str], body: dict[str, str]
) -> None:
    assert await world.rules(call="17.4") == ""
    await tell(world, name, before, **body)
    assert await world.rules(call="17.4") == "objection"
    assert await world.rules(OTHER) == ""
    [row] = world.objections()
    kept = {
        "number": f"+{NUMBER}", "professional": "acme", "campaign": "capped", "door": "ami",
        "scope": "professional", "at": NOW, "by": before.get("channel", "user event"),
    }  # fmt: skip
    assert {key: row[key] for key in kept} == kept


async def test_an_objection_reaches_as_far_as_its_scope(world: World) -> None:
    await world.ask(call="17.4")
    await tell(world, "DialwardenObjection", scope="all")
    assert await world.rules(campaign="rival") == "objection"


@pytest.mark.parametrize("before", [SNAPSHOT, BARE], ids=["channel", "ami"])
async def test_a_silent_call_is_recorded_once_for_its_attempt(
    world: World, before: dict[str, str]
) -> None:
    answer = await world.ask(call="17.4", person="p-1")
    for _ in range(2):
        await tell(world, "DialwardenSilent", before, attempt=str(answer.attempt))
    [row] = await silent_calls(world)
    kept = {
        "number": f"+{NUMBER}", "professional": "acme", "attempt": answer.attempt, "person": "p-1",
        "by": before.get("channel", "user event"),
    }  # fmt: skip
    assert {key: row[key] for key in kept} == kept


@pytest.mark.parametrize(
    ("name", "what"),
    [("DialwardenObjection", "an objection"), ("DialwardenSilent", "a silent call")],
)
@pytest.mark.parametrize(
    ("before", "body", "why"),
    [
        (BARE, {}, "is not in the ledger"),
        (SNAPSHOT, {}, "call '17.4' is not in the ledger"),
        (BARE, {"number": "12", "campaign": "capped"}, "too short"),
        (BARE, {"number": DIALLED}, "names no campaign"),
        (BARE, {"number": DIALLED, "campaign": "nobody"}, "not in the configuration"),
    ],
    ids=str,
)
async def test_what_cannot_be_recorded_is_in_the_log_for_a_person(
    world: World, name: str, what: str, before: dict[str, str], body: dict[str, str], why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    await tell(world, name, before, **body)
    assert world.objections() == await silent_calls(world) == []
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    said = told.getMessage()
    assert said.startswith(f"{what} was NOT recorded (")
    assert why in said
    command = "objection add" if what == "an objection" else "silent add"
    assert f"record it by hand, dialwarden {command}: {{" in said
    for value in body.values():
        assert value in said


async def test_what_fails_on_our_side_is_in_the_log_too(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(**words: str) -> None:
        raise OSError("no clock")

    monkeypatch.setattr(world.recorder, "silent", broken)
    await tell(world, "DialwardenSilent", number=DIALLED)
    assert (
        "a silent call was NOT recorded; record it by hand, dialwarden silent add: {" in caplog.text
    )
    assert f"'number': '{DIALLED}'" in caplog.text


async def test_an_unknown_event_of_our_name_is_told_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    events = UserEvents(world.recorder)
    for name in ("DialwardenConsent", "DialwardenConsent", "Dialwarden", "DialwardenConsent"):
        assert events.take({**SNAPSHOT, "userevent": name, "number": DIALLED}) is None
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(" is ")[0] for line in told] == [
        "user event 'DialwardenConsent'",
        "user event 'Dialwarden'",
    ]


async def test_a_flood_of_unknown_events_is_told_up_to_a_bound(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    events = UserEvents(world.recorder)
    for place in range(1000):
        events.take({**BARE, "userevent": f"Dialwarden{place}"})
    assert len(caplog.records) == 100


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event": "Newchannel", "channel": "PJSIP/carrier-1"},
        {"event": "UserEvent"},
        {"event": "UserEvent", "userevent": "OtherObjection", "number": DIALLED},
        {"event": "DialBegin", "userevent": "DialwardenObjection", "number": DIALLED},
    ],
    ids=str,
)
async def test_what_is_not_ours_is_left_alone(
    world: World, event: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert UserEvents(world.recorder).take(event) is None
    assert caplog.records == []


TEXTS = st.text(max_size=20)


@given(
    name=st.sampled_from(["DialwardenObjection", "DialwardenSilent", "DialwardenX", "x"]) | TEXTS,
    body=st.dictionaries(
        st.sampled_from(["number", "campaign", "call", "attempt", "scope", "linkedid", "channel"]),
        TEXTS,
    ),
)
def test_no_event_raises_when_it_is_taken(name: str, body: dict[str, str]) -> None:
    taken = UserEvents(NoRecorder()).take({**BARE, **body, "userevent": name})  # type: ignore[arg-type]
    known = name.lower() in ("dialwardenobjection", "dialwardensilent")
    assert (taken is not None) is known
    if taken is not None:
        taken.close()


class NoRecorder:
    """Records nothing."""

    async def objection(self, **words: Any) -> None: ...

    async def silent(self, **words: Any) -> None: ...
