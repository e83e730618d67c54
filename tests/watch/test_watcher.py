"""What the link missed, and what it saw whole: audits, voided permits, settled attempts."""

from __future__ import annotations

import logging

import pytest
from tests.gate.world import NOW, NUMBER, World
from tests.watch.scene import Scene

from dialwarden.errors import LedgerUnavailable
from dialwarden.link.errors import LinkDown
from dialwarden.watch.events import Event


def channel(
    name: str, uniqueid: str, state: str, *, application: str = "AppDial", linkedid: str = ""
) -> Event:
    return {
        "channel": name, "uniqueid": uniqueid, "linkedid": linkedid or uniqueid,
        "channelstate": state, "application": application,
    }  # fmt: skip


UP, RINGING, INBOUND, DIALLING = "6", "5", "4", "3"


async def down_and_up(scene: Scene, *channels: Event) -> None:
    scene.watcher.link_down("Asterisk closed the connection")
    scene.link.channels = list(channels)
    await scene.watcher.link_up(scene.link)
    await scene.settle()


async def test_it_is_blind_until_the_audit_is_done(world: World) -> None:
    scene = Scene(world)
    await scene.watcher.start()
    assert not scene.watcher.seeing
    scene.link.up = False
    with pytest.raises(LinkDown):
        await scene.watcher.link_up(scene.link)
    assert not scene.watcher.seeing
    scene.link.up = True
    await scene.watcher.link_up(scene.link)
    assert scene.watcher.seeing
    scene.watcher.link_down("gone")
    assert not scene.watcher.seeing
    await scene.close()


async def test_to_be_blind_is_said_once_and_so_is_its_end(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dialwarden.watch")
    scene.watcher.link_down("Asterisk closed the connection")
    scene.watcher.link_down("connection refused")
    scene.seconds.now += 7.5
    await scene.watcher.link_up(scene.link)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "the guard is blind: Asterisk closed the connection",
        "the guard sees again, after 7.5 s",
    ]


# Permits that nobody dialled.


async def test_a_permit_whose_whole_life_was_seen_is_voided(scene: Scene) -> None:
    await scene.allowed("call")
    await scene.pass_time(59)
    await scene.watcher.sweep()
    assert scene.states() == [("reserved", None)]
    await scene.pass_time(1)
    await scene.watcher.sweep()
    assert scene.states() == [("voided", None)]


@pytest.mark.parametrize("what", ["link lost", "another phone was dialled", "call never seen",
                                  "dialled and failed", "granted while blind"])  # fmt: skip
async def test_one_of_which_anything_was_missed_stays_counted(scene: Scene, what: str) -> None:
    if what == "granted while blind":
        scene.watcher.link_down("gone")
    if what == "call never seen":  # another PBX asks over AGI: what it dials, we never see
        await scene.world.ask(call="call")
    else:
        await scene.allowed("call")
    if what == "another phone was dialled":
        scene.dial("agent", endpoint="agent")
    if what == "dialled and failed":
        scene.dial().ends("CHANUNAVAIL", 38)
    if what in ("link lost", "granted while blind"):
        await down_and_up(scene)
    await scene.pass_time(61)
    await scene.watcher.sweep()
    assert scene.states() == [("failed" if what == "dialled and failed" else "reserved", None)]
    await scene.pass_time(60)
    await scene.watcher.sweep()
    (attempt,) = scene.attempts()
    assert attempt["state"] == "settled"
    assert attempt["outcome"] == ("failed" if what == "dialled and failed" else None)
    assert scene.world.counted() == [attempt]


async def test_a_dial_of_another_call_on_a_trunk_nobody_configured_may_be_the_callee(
    scene: Scene,
) -> None:
    """A nested Originate() is a call of its own: nothing but the number joins the two."""
    await scene.allowed("call")
    scene.dial("0612345678@carrier-3", call="other", endpoint="carrier-3")
    await scene.pass_time(61)
    await scene.watcher.sweep()
    assert scene.states() == [("reserved", None)]


@pytest.mark.parametrize("jump_s", [-3600, 3600])
async def test_a_wall_clock_that_jumps_takes_no_outcome_away(scene: Scene, jump_s: int) -> None:
    await scene.allowed("call")
    scene.world.clock.advance(seconds=jump_s)
    await scene.watcher.sweep()
    leg = scene.dial()
    leg.rings()
    leg.answers()
    leg.ends()
    await scene.settle()
    assert not leg.cut
    assert scene.states() == [("settled", "answered")]


async def test_one_whose_call_was_there_before_the_link_may_be_voided(world: World) -> None:
    scene = Scene(world)
    scene.link.channels = [channel("Local/a@b-1;2", "call", UP, application="Wait")]
    await scene.open()
    await scene.world.ask(call="call")
    await scene.pass_time(60)
    await scene.watcher.sweep()
    assert scene.states() == [("voided", None)]
    await scene.close()


async def test_the_next_question_does_not_count_what_was_voided(scene: Scene) -> None:
    for call in ("a", "b"):
        await scene.allowed(call)
    assert await scene.world.rules(call="c") == "frequency"
    await scene.pass_time(60)
    await scene.watcher.sweep()
    assert await scene.world.rules(call="c") == ""


# A bridge that starts again.


async def again(scene: Scene, *channels: Event) -> Scene:
    """Another bridge on the same ledger and the same PBX, the first one killed."""
    second = Scene(scene.world, scene.mode)
    second.seconds, second._next = scene.seconds, scene._next
    second.link.channels = list(channels)
    await second.open()
    return second


async def test_a_permit_of_before_the_start_is_honoured(scene: Scene) -> None:
    await scene.allowed("call")
    await scene.pass_time(10)
    restarted = await again(scene)
    leg = restarted.dial()
    await restarted.settle()
    assert not leg.cut
    assert restarted.states() == [("dialled", None)]
    await restarted.close()


async def test_one_in_use_at_the_start_permits_no_second_leg(scene: Scene) -> None:
    await scene.allowed("call")
    first = scene.dial()
    await scene.settle()
    restarted = await again(scene, channel(first.channel, first.id, RINGING, linkedid="call"))
    second = restarted.dial()
    await restarted.settle()
    assert second.cut
    await restarted.close()


async def test_legs_that_are_still_up_are_followed_on(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial()
    leg.rings()
    await scene.settle()
    restarted = await again(scene, channel(leg.channel, leg.id, UP, linkedid="call"))
    leg.scene = restarted
    await restarted.settle()
    assert restarted.attempts()[0]["answered_at"] is not None
    leg.ends()
    await restarted.settle()
    assert restarted.states() == [("settled", "answered")]
    await restarted.close()


async def test_legs_that_are_gone_leave_their_attempts_counted(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial()
    leg.rings()
    await scene.settle()
    restarted = await again(scene)
    await restarted.settle()
    ((state, _),) = restarted.states()
    assert state == "settled"
    assert len(restarted.world.counted()) == 1
    await restarted.close()


async def test_legs_that_the_ledger_did_not_tell_of_are_settled_by_the_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.allowed("call")
    scene.dial().rings()
    await scene.settle()
    read = scene.world.ledger.read

    async def locked(work: object) -> object:
        raise LedgerUnavailable("ledger.db", "is locked")

    monkeypatch.setattr(scene.world.ledger, "read", locked)
    restarted = await again(scene)
    monkeypatch.setattr(scene.world.ledger, "read", read)
    assert restarted.states() == [("rang", None)]
    await restarted.watcher.sweep()
    await restarted.settle()
    ((state, _),) = restarted.states()
    assert state == "settled"
    await restarted.close()


async def test_calls_older_than_the_link_are_not_touched(scene: Scene) -> None:
    restarted = await again(
        scene,
        channel("PJSIP/carrier-00000001", "x", RINGING),
        channel("PJSIP/carrier-00000002", "y", UP),
        channel("PJSIP/carrier-00000003", "z", INBOUND, application="Queue"),
    )
    await restarted.settle()
    assert restarted.link.posted == []
    assert restarted.world.refusals() == []
    await restarted.close()


async def test_after_a_gap_only_an_unanswered_leg_without_a_permit_is_hung_up(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.allowed("call")
    names = [f"PJSIP/carrier-0000000{n}" for n in range(7)]
    scene.uris = {
        names[0]: "carrier/sip:0612345678@192.0.2.1",  # asked, while the link was down
        names[1]: "carrier/sip:0687654321@192.0.2.1",  # did not
        names[2]: "carrier/sip:112@192.0.2.1",
        names[5]: "carrier/sip:0687654321@192.0.2.1",
    }
    await down_and_up(
        scene,
        channel(names[0], "a", DIALLING, linkedid="call"),
        channel(names[1], "b", DIALLING, linkedid="nobody"),
        channel(names[2], "c", RINGING, linkedid="nobody"),
        channel(names[3], "d", RINGING, linkedid="nobody"),  # nobody tells its number
        channel(names[4], "e", UP, linkedid="nobody"),
        channel(names[5], "f", INBOUND, linkedid="nobody", application="Queue"),
        channel("PJSIP/agent-00000009", "g", RINGING, linkedid="nobody"),
    )
    assert scene.link.hung_up == [names[1]]
    assert f"{names[3]} rings, begun while the link was down" in caplog.text
    assert f"{names[4]} is in conversation" in caplog.text


async def test_legs_of_another_pbx_on_the_same_ledger_are_left_alone(scene: Scene) -> None:
    await scene.allowed("call")
    scene.dial().rings()
    await scene.settle()
    before = scene.states()
    other = Scene(scene.world, pbx="there 127.0.0.1:5038")
    await other.open()
    await other.settle()
    assert other.states() == before == [("rang", None)]
    await other.close()


async def test_calls_that_are_over_are_forgotten_behind_their_permits(scene: Scene) -> None:
    await scene.allowed("over")
    await scene.allowed("on")
    scene.event("Hangup", channel="Local/over-1;2", uniqueid="over", cause="16")
    await scene.pass_time(60)
    await scene.watcher.sweep()
    assert scene.states() == [("voided", None)] * 2
    await scene.pass_time(60)
    await scene.watcher.sweep()
    assert list(scene.watcher._calls) == ["on"]
    assert not scene.watcher._gone


# What else it tells.


async def test_user_events_are_handed_on(scene: Scene) -> None:
    scene.event("UserEvent", userevent="DialwardenObjection", number=str(NUMBER))
    assert [event["userevent"] for event in scene.user_events] == ["DialwardenObjection"]


async def test_the_call_of_a_channel_is_known_while_it_is_up(scene: Scene) -> None:
    scene.event("Newchannel", channel="PJSIP/agent-1", uniqueid="1.1", linkedid="1.0")
    assert scene.watcher.linkedid_of("PJSIP/agent-1") == "1.0"
    scene.event("Rename", channel="PJSIP/agent-1", newname="PJSIP/agent-2")
    assert scene.watcher.linkedid_of("PJSIP/agent-1") == ""
    assert scene.watcher.linkedid_of("PJSIP/agent-2") == "1.0"
    scene.event("Hangup", channel="PJSIP/agent-2", uniqueid="1.1", cause="16")
    assert scene.watcher.linkedid_of("PJSIP/agent-2") == ""


async def test_events_without_their_headers_harm_nobody(scene: Scene) -> None:
    names = ("Newchannel", "Newstate", "Rename", "DialBegin", "DialState", "DialEnd", "Hangup")
    for name in (*names, "Nonsense", ""):
        scene.event(name)
    await scene.allowed("call")
    assert scene.world.clock.now == NOW
    assert not scene.dial().cut
