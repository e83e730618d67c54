"""What happens while the link is down, or comes back, or Asterisk does not answer the audit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import pytest
from tests.gate.world import World
from tests.watch.scene import Leg, Link, Scene
from tests.watch.test_watcher import DIALLING, RINGING, UP, channel, down_and_up

from dialwarden.errors import LedgerUnavailable
from dialwarden.link.errors import ActionFailed, LinkDown
from dialwarden.watch.events import Event

URI = "carrier/sip:0612345678@192.0.2.1"


class Telling(Link):
    """Asterisk tells something else after its list of channels, before that is looked at."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    async def ask_list(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> list[Event]:
        rows = await super().ask_list(action, headers)
        self._then()
        return rows


async def up_again(scene: Scene, then: Callable[[], None], *channels: Event) -> None:
    link = Telling(then)
    link.channels = list(channels)
    await scene.watcher.link_up(link)
    await scene.settle()


async def test_a_leg_that_answers_during_the_audit_is_in_conversation(scene: Scene) -> None:
    leg = Leg(scene, "a", "PJSIP/carrier-00000001")
    scene.uris = {leg.channel: URI}
    scene.watcher.link_down("gone")
    await up_again(scene, leg.answers, channel(leg.channel, leg.id, RINGING))
    assert not leg.cut


async def test_one_that_answers_while_its_number_is_asked_for_is_not_cut(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = Leg(scene, "a", "PJSIP/carrier-00000001")

    async def meanwhile(_: str) -> str:
        leg.answers()
        return URI

    monkeypatch.setattr(scene, "_uri", meanwhile)
    monkeypatch.setattr(scene.watcher._guard, "_dialled_uri", meanwhile)
    await down_and_up(scene, channel(leg.channel, leg.id, RINGING))
    assert not leg.cut


async def test_the_outcome_of_one_that_answers_during_the_audit(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial()
    leg.rings()
    await scene.settle()
    scene.watcher.link_down("gone")
    await up_again(scene, leg.answers, channel(leg.channel, leg.id, RINGING, linkedid="call"))
    leg.ends()
    await scene.settle()
    assert scene.states() == [("settled", "answered")]


async def test_one_that_ends_during_the_audit_is_over(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial()
    leg.rings()
    await scene.settle()
    scene.watcher.link_down("gone")
    await up_again(scene, leg.ends, channel(leg.channel, leg.id, RINGING, linkedid="call"))
    assert scene.states()[0][0] == "settled"
    assert len(scene.legs) == 0


async def test_one_that_began_to_ring_while_nobody_looked_was_reached(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial()
    await scene.settle()
    await down_and_up(scene, channel(leg.channel, leg.id, RINGING, linkedid="call"))
    leg.ends("NOANSWER", 16)
    second = scene.dial()
    await scene.settle()
    assert scene.states() == [("settled", "no_answer")]
    assert second.cut


async def test_one_that_may_have_rung_while_nobody_looked_is_not_said_to_have_failed(
    scene: Scene,
) -> None:
    """Early media leaves a channel's state as it is."""
    await scene.allowed("call")
    leg = scene.dial()
    await scene.settle()
    await down_and_up(scene, channel(leg.channel, leg.id, DIALLING, linkedid="call"))
    leg.ends("NOANSWER", 16)
    second = scene.dial()
    await scene.settle()
    assert scene.states() == [("settled", None)]
    assert second.cut


async def test_an_allowed_leg_that_the_ledger_does_not_know_yet_is_not_cut(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is away while a leg is dialled, and while the link goes down and comes back."""
    ledger = scene.world.ledger

    async def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable("ledger.db", "is locked")

    await scene.allowed("call")
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "transact", away)
        leg = scene.dial()
        scene.uris = {leg.channel: URI}
        await asyncio.sleep(0)
        await down_and_up(scene, channel(leg.channel, leg.id, DIALLING, linkedid="call"))
        assert not leg.cut
        patched.setattr(ledger, "read", away)
        await down_and_up(scene, channel(leg.channel, leg.id, DIALLING, linkedid="call"))
        assert not leg.cut
    leg.answers()
    leg.ends()
    await scene.settlement.close()
    assert scene.bypasses() == []


async def test_what_answered_while_a_permit_was_looked_for_and_the_link_was_lost_is_not_cut(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, read = asyncio.Event(), scene.world.ledger.read

    async def slow(work: object) -> object:
        await go.wait()
        return await read(work)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(scene.world.ledger, "read", slow)
        leg = scene.dial(call="nobody")
        await asyncio.sleep(0)
    scene.watcher.link_down("gone")
    scene.link.channels = [channel(leg.channel, leg.id, UP, linkedid="nobody")]
    await scene.watcher.link_up(scene.link)
    go.set()
    await scene.settle()
    assert not leg.cut


async def test_a_call_older_than_the_first_link_stays_untouched_on_the_next(world: World) -> None:
    scene = Scene(world)
    leg = Leg(scene, "old", "PJSIP/carrier-00000001")
    scene.uris = {leg.channel: URI}
    scene.link.channels = [channel(leg.channel, leg.id, RINGING)]
    await scene.open()
    await down_and_up(scene, channel(leg.channel, leg.id, RINGING))
    assert not leg.cut
    await scene.close()


async def test_a_first_link_that_was_lost_before_its_audit_leaves_older_calls_older(
    world: World,
) -> None:
    scene = Scene(world)
    leg = Leg(scene, "old", "PJSIP/carrier-00000001")
    scene.uris = {leg.channel: URI}
    await scene.watcher.start()
    scene.link.up = False
    with pytest.raises(LinkDown):
        await scene.watcher.link_up(scene.link)
    scene.link.up = True
    await down_and_up(scene, channel(leg.channel, leg.id, RINGING))
    assert not leg.cut
    await scene.close()


async def test_an_audit_that_asterisk_refuses_is_said_and_tried_again(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(world)
    monkeypatch.setattr("dialwarden.watch.watcher.AUDIT_AGAIN_S", 0.0)
    refusals = [ActionFailed("CoreShowChannels", "Permission denied")] * 3

    class Refusing(Link):
        async def ask_list(
            self, action: str, headers: Iterable[tuple[str, str]] = ()
        ) -> list[Event]:
            if refusals:
                raise refusals.pop()
            return []

    caplog.set_level(logging.WARNING, "dialwarden.watch")
    await scene.watcher.start()
    await scene.watcher.link_up(Refusing())
    assert scene.watcher.seeing
    said = [one.getMessage() for one in caplog.records if "Permission denied" in one.getMessage()]
    assert len(said) == 1
    assert "write = call,reporting" in said[0]
    await scene.close()
