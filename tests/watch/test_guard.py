"""Which legs are let through, and which are caught: DialBegin by DialBegin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.gate.world import DIALLED, NOW, NUMBER, OTHER, World, import_list, object_to, question
from tests.watch.scene import Scene

from dialwarden.errors import LedgerUnavailable
from dialwarden.ledger import attempts
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.question import Door, Purpose
from dialwarden.routing.trunks import compile_trunks
from dialwarden.settings.sections import GuardMode, Trunk


async def test_a_call_that_asked_is_let_through_and_followed(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial()
    leg.rings()
    leg.answers()
    leg.ends()
    await scene.settle()
    assert not leg.cut
    assert scene.states() == [("settled", "answered")]
    assert [(one[0], one[1]) for one in scene.legs_on_record()] == [(leg.id, "carrier")]
    assert scene.bypasses() == []


@pytest.mark.parametrize(
    "string",
    ["+33612345678@carrier", "33612345678@carrier", "0033612345678@carrier", "90612345678@carrier",
     "carrier/sip:+33612345678@192.0.2.1"],
)  # fmt: skip
async def test_however_the_number_is_written(scene: Scene, string: str) -> None:
    await scene.allowed("call")
    leg = scene.dial(string)
    await scene.settle()
    assert not leg.cut
    assert scene.states() == [("dialled", None)]


async def test_a_call_that_did_not_ask_is_hung_up_and_written_down(scene: Scene) -> None:
    leg = scene.dial(call="nobody")
    await scene.settle()
    assert scene.link.hung_up == [leg.channel]
    assert scene.catches == 1
    assert scene.attempts() == []
    (refusal,) = scene.bypasses()
    assert refusal["number"] == f"+{NUMBER}"
    assert refusal["door"] == "guard"
    assert refusal["call"] == "nobody"
    assert refusal["would"] is False
    assert "outbound,0612,3" in str(refusal["findings"])


async def test_each_catch_is_counted_by_trunk_and_by_what_was_done(scene: Scene) -> None:
    scene.dial(call="nobody")
    await scene.settle()
    scene.mode = GuardMode.REPORT
    scene.dial("0687654321@carrier-2", call="nobody else", endpoint="carrier-2")
    scene.dial("112@carrier", call="in need")
    await scene.settle()
    counts = scene.world.gate.counts
    assert counts.bypasses == {("carrier", True): 1, ("second", False): 1}
    assert {(one.verdict, one.rule, one.door): count for one, count in counts.told()} == {
        ("REFUSE", "bypass", "guard"): 1,
        ("would_refuse", "bypass", "guard"): 1,
    }


async def test_permission_for_one_number_is_none_for_another(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial("0687654321@carrier")
    await scene.settle()
    assert leg.cut
    assert scene.states() == [("reserved", None)]


async def test_the_permit_of_another_call_is_none(scene: Scene) -> None:
    await scene.allowed("call")
    leg = scene.dial(call="another")
    await scene.settle()
    assert leg.cut


async def test_one_live_leg_at_a_time(scene: Scene) -> None:
    await scene.allowed("call")
    first, second = scene.dial(), scene.dial("0612345678@carrier-2", endpoint="carrier-2")
    await scene.settle()
    assert (first.cut, second.cut) == (False, True)
    assert len(scene.attempts()) == 1


async def test_the_next_trunk_may_try_when_the_first_failed_without_ringing(scene: Scene) -> None:
    await scene.allowed("call")
    first = scene.dial()
    first.ends("CHANUNAVAIL", 38)
    second = scene.dial("0612345678@carrier-2", endpoint="carrier-2")
    second.rings()
    second.ends("NOANSWER", 0)
    await scene.settle()
    assert (first.cut, second.cut) == (False, False)
    assert scene.states() == [("settled", "no_answer")]
    assert [trunk for _, trunk, _ in scene.legs_on_record()] == ["carrier", "second"]


@pytest.mark.parametrize("reach", ["rings", "plays_early_media", "answers"])
async def test_nobody_may_try_again_when_the_callee_was_reached(scene: Scene, reach: str) -> None:
    await scene.allowed("call")
    first = scene.dial()
    getattr(first, reach)()
    first.ends("CONGESTION", 38)
    second = scene.dial()
    await scene.settle()
    assert (first.cut, second.cut) == (False, True)


async def test_a_busy_callee_was_reached(scene: Scene) -> None:
    await scene.allowed("call")
    first = scene.dial()
    first.ends("BUSY", 17)
    second = scene.dial()
    await scene.settle()
    assert second.cut
    assert scene.states() == [("settled", "busy")]


async def test_to_ask_again_gives_a_permit_again(scene: Scene) -> None:
    await scene.allowed("call")
    first = scene.dial()
    first.rings()
    first.ends("NOANSWER", 0)
    await scene.settle()
    await scene.allowed("call", dial_status="NOANSWER", rang=True)
    second = scene.dial()
    await scene.settle()
    assert not second.cut
    assert len(scene.attempts()) == 2


async def test_a_permit_is_good_for_a_minute(scene: Scene) -> None:
    await scene.allowed("call")
    await scene.pass_time(60)
    leg = scene.dial()
    await scene.settle()
    assert leg.cut


async def test_the_permit_travels_as_the_channel_id(scene: Scene) -> None:
    await scene.allowed("dw-1", permit="dw-1", door=Door.GATEWAY)
    leg = scene.dial(call="dw-1", caller="")
    await scene.settle()
    assert not leg.cut


async def test_the_same_channel_id_twice_is_caught(scene: Scene) -> None:
    await scene.allowed("dw-1", permit="dw-1", door=Door.GATEWAY)
    first = scene.dial(call="dw-1", caller="")
    first.rings()
    first.ends("NOANSWER", 0)
    second = scene.dial(call="dw-1", caller="")
    await scene.settle()
    assert (first.cut, second.cut) == (False, True)


async def test_the_uniqueid_of_a_leg_that_is_over_is_not_that_leg(scene: Scene) -> None:
    """An Originate straight to the trunk: its ChannelId is the leg's own Uniqueid."""
    await scene.allowed("dw-1", permit="dw-1", door=Door.GATEWAY)
    first = scene.dial(call="dw-1", caller="", uniqueid="dw-1")
    first.ends("BUSY", 17)
    await scene.settle()
    second = scene.dial(call="dw-1", caller="", uniqueid="dw-1")
    await scene.settle()
    assert (first.cut, second.cut) == (False, True)


@pytest.mark.parametrize("caller", ["", "Local/s@quiet-1;1"])
async def test_a_call_of_its_own_is_known_by_its_number(scene: Scene, caller: str) -> None:
    """The console's `originate` takes no ChannelId: its leg has ids of its own."""
    await scene.allowed("dw-unbound-1", permit="dw-unbound-1", unbound=True, door=Door.GATEWAY)
    of_another = scene.dial("0687654321@carrier", call="1.1", caller="")
    leg = scene.dial(call="1.2", caller=caller)
    again = scene.dial(call="1.3", caller=caller)
    await scene.settle()
    assert [one.cut for one in (of_another, leg, again)] == [True, False, True]
    assert len(scene.attempts()) == 1


async def test_a_permit_bound_to_a_call_is_none_for_its_number_alone(scene: Scene) -> None:
    await scene.allowed("dw-1", permit="dw-1", door=Door.GATEWAY)
    leg = scene.dial(call="1.2", caller="")
    await scene.settle()
    assert leg.cut


async def test_an_emergency_number_behind_a_template_with_a_prefix(world: World) -> None:
    """With PJSIP/1{number}@carrier, 112 would read as a call to 12."""
    trunk = Trunk("carrier", "PJSIP/carrier", ("PJSIP/1{number}@carrier",), "")
    scene = Scene(world, trunks=compile_trunks({"carrier": trunk}))
    await scene.open()
    emergency, other = scene.dial("112@carrier"), scene.dial("10612345678@carrier")
    await scene.settle()
    assert (emergency.cut, other.cut) == (False, True)
    await scene.close()


EXEMPT = [
    ("112@carrier", "emergency"),
    ("9112@carrier", "emergency, behind the digit of the trunk"),
    ("carrier/sip:112@192.0.2.1", "emergency, as a URI"),
    ("3949@carrier", "a pattern"),
    ("0800123456@carrier", "a pattern of national numbers"),
    ("0687654321@carrier", "on the staff list"),
]


@pytest.mark.parametrize(("string", "why"), EXEMPT, ids=[why for _, why in EXEMPT])
async def test_what_is_never_judged_is_never_touched(scene: Scene, string: str, why: str) -> None:
    scene.world.elsewhere(import_list("staff", [33687654321]))
    leg = scene.dial(string, call="nobody")
    await scene.settle()
    assert not leg.cut
    assert scene.catches == 0
    assert scene.world.refusals() == []
    assert scene.attempts() == []


async def test_emergency_calls_pass_with_the_ledger_gone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(work: object) -> object:
        raise LedgerUnavailable("ledger.db", "is gone")

    monkeypatch.setattr(scene.world.ledger, "read", gone)
    emergency, other = scene.dial("112@carrier"), scene.dial(call="nobody")
    await scene.settle()
    assert (emergency.cut, other.cut) == (False, True)


@pytest.mark.parametrize(
    ("string", "cut"),
    [
        ("carrier", True),  # no number at all
        ("06a12345678@carrier", True),
        ("x112y@carrier", False),  # a run of digits in it is an emergency number
        ("1120@carrier", True),
    ],
)
async def test_a_dial_string_without_a_number_is_caught_unless_it_may_be_an_emergency(
    scene: Scene, string: str, cut: bool
) -> None:
    leg = scene.dial(string, call="nobody")
    await scene.settle()
    assert leg.cut is cut
    assert len(scene.bypasses()) == int(cut)


@pytest.mark.parametrize(
    ("endpoint", "string"),
    [
        ("agent", "agent"),
        ("agent", "agent/sip:agent@10.0.0.7:5060"),
        ("agent", "agent/sip:1001@10.0.0.7:5060"),
        ("carrier-3", "0612345678@carrier-3"),  # no trunk of ours
    ],
)
async def test_what_stays_inside_is_not_judged(scene: Scene, endpoint: str, string: str) -> None:
    leg = scene.dial(string, call="nobody", endpoint=endpoint)
    await scene.settle()
    assert not leg.cut
    assert scene.world.refusals() == []


@pytest.mark.parametrize("user", ["+33612345678", "%30612345678", "0033612345678"])
async def test_a_uri_through_a_phone_is_judged_by_its_number(scene: Scene, user: str) -> None:
    leg = scene.dial(f"agent/sip:{user}@192.0.2.1", call="nobody", endpoint="agent")
    await scene.settle()
    assert leg.cut


async def test_what_another_bridge_allowed_is_found_in_the_ledger(scene: Scene) -> None:
    new = NewAttempt(
        number=NUMBER, professional="acme", campaign="capped", purpose=Purpose.SALES,
        door=Door.AGI, at=NOW, call="theirs",
    )  # fmt: skip
    scene.world.elsewhere(lambda conn: attempts.reserve(conn, new))
    first, second = scene.dial(call="theirs"), None
    await scene.settle()
    second = scene.dial(call="theirs")
    await scene.settle()
    assert (first.cut, second.cut) == (False, True)
    assert scene.states() == [("dialled", None)]


async def test_two_legs_at_once_on_what_another_bridge_allowed(scene: Scene) -> None:
    new = NewAttempt(
        number=NUMBER, professional="acme", campaign="capped", purpose=Purpose.SALES,
        door=Door.AGI, at=NOW, call="theirs",
    )  # fmt: skip
    scene.world.elsewhere(lambda conn: attempts.reserve(conn, new))
    legs = [scene.dial(call="theirs"), scene.dial(call="theirs")]
    await scene.settle()
    assert sorted(leg.cut for leg in legs) == [False, True]


async def test_in_report_mode_it_is_let_go_counted_and_followed(scene: Scene) -> None:
    scene.mode = GuardMode.REPORT
    leg = scene.dial(call="nobody")
    await scene.settle()
    leg.rings()
    leg.ends("NOANSWER", 0)
    await scene.settle()
    assert not leg.cut
    (refusal,) = scene.bypasses()
    assert refusal["would"] is True
    (attempt,) = scene.attempts()
    assert (attempt["door"], attempt["state"], attempt["outcome"]) == (
        "guard", "settled", "no_answer",
    )  # fmt: skip
    assert attempt["enforced"] is False


async def test_nothing_is_hung_up_where_every_campaign_is_in_shadow_mode(
    scene: Scene,
) -> None:
    rulebook = scene.world.gate.rulebook
    shadow = {name: replace(entry, enforce=False) for name, entry in rulebook.entries.items()}
    scene.world.gate.rulebook = replace(rulebook, entries=shadow)
    let_go = scene.dial(call="nobody")
    await scene.settle()
    assert not let_go.cut
    assert [row["would"] for row in scene.bypasses()] == [True]
    assert len(scene.attempts()) == 1
    # A bypass names no campaign: it may be of the one that is enforced.
    scene.world.gate.rulebook = replace(
        rulebook, entries={**shadow, "free": rulebook.entries["free"]}
    )
    stopped = scene.dial(call="somebody")
    await scene.settle()
    assert stopped.cut


async def test_in_report_mode_what_happens_before_it_is_known_is_not_lost(scene: Scene) -> None:
    scene.mode = GuardMode.REPORT
    leg = scene.dial(call="nobody")
    leg.rings()
    leg.answers()
    leg.ends()
    await scene.settle()
    assert scene.states() == [("settled", "answered")]


async def test_switched_off_it_follows_and_catches_nothing(scene: Scene) -> None:
    scene.mode = GuardMode.OFF
    await scene.allowed("call")
    asked, other = scene.dial(), scene.dial(call="nobody")
    asked.rings()
    asked.ends("NOANSWER", 0)
    await scene.settle()
    assert (asked.cut, other.cut) == (False, False)
    assert scene.states() == [("settled", "no_answer")]
    assert scene.world.refusals() == []
    assert scene.catches == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_one_that_rings_before_the_hang_up_is_there_is_an_attempt(
    scene: Scene, when: str
) -> None:
    leg = scene.dial(call="nobody")
    if when == "after":
        await scene.settle()
    leg.rings()
    await scene.settle()
    leg.ends("CANCEL", 16)
    await scene.settle()
    assert leg.cut
    (attempt,) = scene.attempts()
    assert (attempt["state"], attempt["outcome"]) == ("settled", "cancelled")


async def test_one_that_answered_meanwhile_is_not_cut(scene: Scene) -> None:
    leg = scene.dial(call="nobody")
    leg.answers()
    await scene.settle()
    assert not leg.cut
    assert scene.bypasses()[0]["would"] is True
    assert scene.states() == [("rang", None)]


async def test_with_the_link_down_nothing_is_claimed(scene: Scene) -> None:
    scene.link.up = False
    leg = scene.dial(call="nobody")
    await scene.settle()
    assert not leg.cut
    assert scene.bypasses()[0]["would"] is True
    assert len(scene.attempts()) == 1


async def test_an_allow_taken_back_permits_nothing(scene: Scene) -> None:
    answer = await scene.allowed("dw-1", permit="dw-1", door=Door.GATEWAY)
    scene.world.gate.undelivered(answer, "Asterisk said no")
    leg = scene.dial(call="dw-1", caller="")
    await scene.settle()
    assert leg.cut
    assert scene.states() == [("voided", None)]


async def test_a_channel_id_can_be_a_permit_once(scene: Scene) -> None:
    world = scene.world
    first = await world.gate.ask(question(DIALLED, "free", call="x", permit="x"))
    again = await world.gate.ask(question(DIALLED, "free", call="x", permit="x"))
    other = await world.gate.ask(question(OTHER, "free", call="x", permit="x"))
    asked = await world.gate.ask(question(DIALLED, "free", call="linked"))
    stolen = await world.gate.ask(question(OTHER, "free", call="linked", permit="linked"))
    assert first.verdict.allowed
    assert asked.verdict.allowed
    for refused in (again, other, stolen):
        assert [rule.value for rule in refused.verdict.rules] == ["bypass"]
    assert len(world.attempts()) == 2


async def test_in_shadow_mode_a_taken_channel_id_goes_out_and_counts(scene: Scene) -> None:
    world = scene.world
    await world.gate.ask(question(DIALLED, "shadow", call="x", permit="x"))
    again = await world.gate.ask(question(OTHER, "shadow", call="x", permit="x"))
    assert again.let_go
    assert len(world.attempts()) == 2


async def test_an_objection_between_ask_and_dial_does_not_unsettle_the_guard(scene: Scene) -> None:
    """The call was allowed, and is on its way: the next question is the one that is refused."""
    await scene.allowed("call")
    scene.world.elsewhere(object_to())
    leg = scene.dial()
    await scene.settle()
    assert not leg.cut
    assert await scene.world.rules(call="next") == "objection"


async def test_the_same_dial_told_twice_is_one(scene: Scene) -> None:
    await scene.allowed("call")
    first = scene.dial()
    scene._next -= 1
    again = scene.dial()
    await scene.settle()
    assert again.channel == first.channel
    assert not first.cut


async def test_one_that_has_answered_before_its_dial_is_told_is_not_cut(scene: Scene) -> None:
    leg = scene.dial(call="nobody", state="6")
    await scene.settle()
    assert not leg.cut
    assert scene.states() == [("rang", None)]


async def test_a_call_that_changed_its_linkedid_keeps_its_permit(scene: Scene) -> None:
    """It asked as part of one call, was bridged with an older one, and dials then."""
    scene.event("Newchannel", channel="Local/x@y-1;2", uniqueid="far", linkedid="call")
    await scene.world.ask(call="call")
    leg = scene.dial(call="older", caller_id="far")
    await scene.settle()
    assert not leg.cut


async def test_a_call_that_asked_again_has_its_minute_from_then(scene: Scene) -> None:
    await scene.allowed("call")
    await scene.pass_time(59)
    await scene.allowed("call", dial_status="CHANUNAVAIL")
    await scene.pass_time(2)
    leg = scene.dial()
    await scene.settle()
    assert not leg.cut
    assert len(scene.attempts()) == 1


async def test_what_was_let_go_while_the_ledger_was_locked_counts_when_it_is_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.mode = GuardMode.REPORT

    async def locked(*_: object, **__: object) -> None:
        raise LedgerUnavailable("ledger.db", "is locked")

    with monkeypatch.context() as patched:
        patched.setattr(scene.world.ledger, "transact", locked)
        leg = scene.dial(call="nobody")
        await scene.settle()
        leg.rings()
        leg.ends("NOANSWER", 16)
    await until(lambda: scene.states() == [("settled", "no_answer")])
    assert len(scene.bypasses()) == 1


async def test_one_hung_up_that_turns_out_busy_was_reached(scene: Scene) -> None:
    leg = scene.dial(call="nobody")
    await scene.settle()
    leg.ends("BUSY", 17)
    await scene.settle()
    assert leg.cut
    assert scene.states() == [("settled", "busy")]


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110  it is the ledger that tells
        await asyncio.sleep(0.01)
