"""An AMI client through the gateway before a real gate and ledger."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

from tests.doors.both_loops import on_both_loops
from tests.doors.fake_ami import FakeAmi, eventually, fake_ami
from tests.doors.gateway import Relayed, serving
from tests.gate.world import DIALLED, NUMBER, OTHER, World, object_to

from dialwarden.doors.ami_rulings import Rulings
from dialwarden.routing.trunks import compile_trunks
from dialwarden.settings.sections import Gateway

CARRIER = f"PJSIP/{DIALLED}@carrier"
TRUNK = SimpleNamespace(
    name="carrier", channel="PJSIP/carrier", dial=("PJSIP/{number}@carrier",), strip="9"
)


@contextlib.asynccontextmanager
async def gated(ami: FakeAmi, directory: Path) -> AsyncIterator[tuple[Relayed, World]]:
    world = await World.open(directory)
    trunks = compile_trunks({"carrier": TRUNK})
    rulings = Rulings(
        world.gate,
        trunks=lambda: trunks,
        settings=lambda: Gateway(campaigns={"dialer": ("capped",)}),
        aliases=dict,
        linkedid_of=lambda channel: "",
    )
    try:
        async with serving(ami, rulings=rulings) as gate:  # type: ignore[arg-type]
            yield gate, world
    finally:
        await world.close()


@on_both_loops
async def test_a_dialers_call_is_counted_once_and_travels_with_its_permit(tmp_path: Path) -> None:
    async with fake_ami() as ami, gated(ami, tmp_path) as (gate, world), gate.client() as client:
        client.ask(Action="Originate", Channel=CARRIER, Async="true", ActionID="1")
        assert (await client.message())["message"] == "Originate successfully queued"
        (attempt,) = world.attempts()
        assert attempt["number"] == f"+{NUMBER}"
        sent = await ami.sessions[0].got("originate")
        assert sent["channelid"].startswith("dw-")
        assert sent["channel"] == CARRIER


@on_both_loops
async def test_a_callee_who_objected_is_not_dialled(tmp_path: Path) -> None:
    async with fake_ami() as ami, gated(ami, tmp_path) as (gate, world), gate.client() as client:
        world.elsewhere(object_to())
        client.ask(Action="Originate", Channel=CARRIER, ActionID="1")
        answer = await client.message()
        assert (answer["response"], answer["actionid"]) == ("Error", "1")
        assert answer["message"].startswith("dialwarden: objection: ")
        client.ask(Action="Command", Command=f"channel originate {CARRIER} application Wait 1")
        assert (await client.message())["message"].startswith("dialwarden: objection: ")
        assert [r["action"] for r in ami.sessions[0].requests] == ["Login"]
        assert {r["door"] for r in world.refusals()} == {"gateway"}


@on_both_loops
async def test_an_attempt_is_voided_when_asterisk_refuses_to_dial_it(tmp_path: Path) -> None:
    async with fake_ami() as ami, gated(ami, tmp_path) as (gate, world), gate.client() as client:
        for channel, said, state in (
            (CARRIER, "Extension does not exist.", "voided"),
            (f"PJSIP/{OTHER}@carrier", "Originate failed", "reserved"),
        ):
            ami.answers["originate"] = "Error", said
            client.ask(Action="Originate", Channel=channel, ActionID=said)
            assert (await client.message())["message"] == said
            await eventually(lambda s=state: [a["state"] for a in world.attempts()].count(s) == 1)


@on_both_loops
async def test_an_emergency_call_passes_and_is_not_counted(tmp_path: Path) -> None:
    async with fake_ami() as ami, gated(ami, tmp_path) as (gate, world), gate.client() as client:
        client.ask(Action="Originate", Channel="PJSIP/112@carrier", ActionID="1")
        assert (await client.message())["response"] == "Success"
        assert world.attempts() == []
