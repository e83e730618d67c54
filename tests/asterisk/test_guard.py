"""The guard on a real Asterisk, alive and hanging up: what it never touches, what came of calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.bridge import Bridge, moved_ports
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.trunk import Outcome, Trunk
from client import RawClient
from office import (
    CAMPAIGN,
    MOBILE,
    OTHER,
    Start,
    attempt_states,
    barrier,
    bypasses,
    config,
    health,
    stopped,
    until,
    until_answered,
)

# What is never touched ------------------------------------------------------------------------


def test_an_emergency_call_that_nobody_asked_about(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start()
    calls = [office.dial("112", "forgot"), office.dial("700", "own")]
    trunk.wait_invite("112", nth=2)
    trunk.wait(lambda: all(one.acked_at for one in trunk.invites("112")), what="an ACK for both")
    barrier(bridge, office, trunk)
    assert all(office.is_up(call) for call in calls)
    assert [one.cancelled_at for one in trunk.invites("112")] == [None, None]
    assert [row["number"] for row in bypasses(bridge)] == ["+33600000009"]
    assert bridge.listed("attempts", "list") == []


def test_an_emergency_call_that_still_rings(office: Pbx, trunk: Trunk, start: Start) -> None:
    trunk.on("112", Outcome.RING)
    bridge = start()
    call = office.dial("700", "own")
    trunk.wait_invite("112")
    barrier(bridge, office, trunk)
    assert office.is_up(call)
    assert trunk.invites("112")[0].cancelled_at is None


def test_an_inbound_call_and_an_internal_one(
    office: Pbx, trunk: Trunk, phone: Trunk, start: Start
) -> None:
    bridge = start()
    inbound = trunk.call("100", office.sip_port)
    trunk.wait_answered(inbound)
    to_agent = trunk.call("300", office.sip_port)
    trunk.wait_answered(to_agent)
    internal = office.dial("701", "own")
    phone.wait(lambda: len(phone.invites()) == 2, what="two calls at the agent's phone")
    barrier(bridge, office, trunk)
    assert inbound.ended_at is None
    assert to_agent.ended_at is None
    assert office.is_up(internal)
    assert len(bypasses(bridge)) == 1


def test_an_agent_at_home_whose_leg_is_dialled_first(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    """Click to call: the agent's own mobile, exempt, and then the customer, through the gateway."""
    trunk.on(OTHER, Outcome.ANSWER)
    bridge = start(exempt=OTHER)
    # On the opposition list too: what is exempt is not judged at all.
    with RawClient(bridge.gateway_port) as client:
        response = client.action(
            ("Action", "Originate"), ("Channel", f"PJSIP/{OTHER}@carrier"), ("Async", "true"),
            ("Context", "two-trunks"), ("Exten", MOBILE), ("Priority", "1"),
        )  # fmt: skip
        assert response["response"] == "Success"
    agent_leg, customer = trunk.wait_invite(OTHER), trunk.wait_invite(MOBILE)
    trunk.wait(lambda: customer.acked_at is not None, what="the customer's ACK")
    barrier(bridge, office, trunk)
    assert (agent_leg.cancelled_at, agent_leg.ended_at) == (None, None)
    assert (customer.cancelled_at, customer.ended_at) == (None, None)
    (attempt,) = bridge.listed("attempts", "list")
    assert attempt["number"] == f"+{MOBILE}"


@pytest.mark.timeout(180)
def test_twenty_conversations_across_kill_and_restart(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    bridge = start()
    numbers = [f"3361300{index:04}" for index in range(20)]
    calls = [office.dial(number, "two-trunks") for number in numbers]
    for number in numbers:
        trunk.wait_invite(number)
    trunk.wait(lambda: all(one.acked_at for one in trunk.invites()), what="twenty conversations")
    until(lambda: attempt_states(bridge) == [("rang", None)] * 20, "twenty answered attempts")
    bridge.kill()
    assert all(office.is_up(call) for call in calls)
    again = start()
    barrier(again, office, trunk)
    assert all(office.is_up(call) for call in calls)
    talking = [one for number in numbers for one in trunk.invites(number)]
    assert [one.ended_at for one in talking] == [None] * 20
    # They are followed on, to their ends.
    for call in calls:
        office.hang_up(call)
    until(lambda: attempt_states(again)[:20] == [("settled", "answered")] * 20, "twenty settled")
    assert len([row for row in bypasses(again) if row["number"] != "+33600000009"]) == 0


# The same ChannelId, past the gateway ------------------------------------------------------------


def by_ami(bridge_port: int, channel: str, channel_id: str) -> dict[str, str]:
    with RawClient(bridge_port) as client:
        return client.action(
            ("Action", "Originate"), ("Channel", channel), ("ChannelId", channel_id),
            ("Application", "Wait"), ("Data", "30"), ("Async", "true"),
        )  # fmt: skip


@pytest.mark.parametrize("whose", [MOBILE, "33612999999"], ids=["repeated", "stolen"])
def test_a_channel_id_a_second_time_past_the_gateway(
    office: Pbx, trunk: Trunk, start: Start, whose: str
) -> None:
    bridge = start()
    trunk.on(MOBILE, Outcome.BUSY)
    since = office.ami.mark()
    assert (
        by_ami(bridge.gateway_port, f"PJSIP/{MOBILE}@carrier", "permit-1")["response"] == "Success"
    )
    office.ami.wait(
        lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == "permit-1", since=since
    )
    trunk.on(whose, Outcome.TRYING)
    again = office.ami.mark()
    assert by_ami(office.ami_port, f"PJSIP/{whose}@carrier", "permit-1")["response"] == "Success"
    office.ami.wait(
        lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == "permit-1", since=again
    )
    assert len(bridge.listed("attempts", "list")) == 1
    for late in trunk.invites(whose)[1 if whose == MOBILE else 0 :]:
        assert late.answered_at is None
    until(lambda: len(bypasses(bridge)) == 1, "the bypass on record")


def test_a_channel_id_a_second_time_through_the_gateway(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    bridge = start()
    assert by_ami(bridge.gateway_port, f"PJSIP/{MOBILE}@carrier", "p")["response"] == "Success"
    trunk.wait_invite(MOBILE)
    for number in (MOBILE, "33612999999"):
        response = by_ami(bridge.gateway_port, f"PJSIP/{number}@carrier", "p")
        assert response["response"] == "Error"
        assert response["message"].startswith("dialwarden: bypass: ")
    assert len(trunk.invites()) == 1


# What became of calls -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "outcome", "invites"),
    [
        (Outcome.REJECT, Outcome.BUSY, "busy", (1, 1)),
        (Outcome.REJECT, Outcome.ANSWER, "answered", (1, 1)),
        (Outcome.BUSY, Outcome.ANSWER, "busy", (1, 1)),
    ],
)
def test_carrier_failover_is_one_attempt(
    office: Pbx, trunk: Trunk, second_trunk: Trunk, start: Start,
    first: Outcome, second: Outcome, outcome: str, invites: tuple[int, int],
) -> None:  # fmt: skip
    """This dialplan tries the second trunk after a busy callee too: there the guard stops it."""
    bridge = start()
    trunk.on(MOBILE, first)
    second_trunk.on(MOBILE, Outcome.TRYING if first is Outcome.BUSY else second)
    call = office.dial(MOBILE, "two-trunks")
    second_trunk.wait_invite(MOBILE)
    if second is Outcome.ANSWER and first is not Outcome.BUSY:
        until_answered(bridge)
        office.hang_up(call)
    until(lambda: attempt_states(bridge) == [("settled", outcome)], f"one attempt, {outcome}")
    assert (len(trunk.invites(MOBILE)), len(second_trunk.invites(MOBILE))) == invites
    caught = first is Outcome.BUSY
    until(lambda: len(bypasses(bridge)) == int(caught), "bypasses")
    if caught:
        assert second_trunk.invites(MOBILE)[0].answered_at is None


def test_a_phone_that_rings_out(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start()
    trunk.on(MOBILE, Outcome.RING)
    office.dial(MOBILE, "two-trunks")
    invite = trunk.wait_invite(MOBILE)
    until(lambda: attempt_states(bridge) == [("rang", None)], "it rings")
    trunk.reply(invite, Outcome.TIMEOUT)
    until(lambda: attempt_states(bridge) == [("settled", "no_answer")], "nobody answered")


def test_a_caller_who_gives_up(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start()
    trunk.on(MOBILE, Outcome.RING)
    call = office.dial(MOBILE, "two-trunks")
    trunk.wait_invite(MOBILE)
    until(lambda: attempt_states(bridge) == [("rang", None)], "it rings")
    office.hang_up(call)
    until(lambda: attempt_states(bridge) == [("settled", "cancelled")], "cancelled")


def test_an_originate_that_asterisk_refuses_counts_for_nothing(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    bridge = start()
    with RawClient(bridge.gateway_port) as client:
        response = client.action(
            ("Action", "Originate"), ("Channel", f"PJSIP/{MOBILE}@carrier"),
            ("Context", "no-such-context"), ("Exten", "s"), ("Priority", "1"),
        )  # fmt: skip
    assert response["response"] == "Error"
    assert response["message"] == "Extension does not exist."
    until(lambda: attempt_states(bridge) == [("voided", None)], "voided")
    assert trunk.invites() == []


def test_in_report_mode_it_goes_out_and_counts(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start(config("report"))
    call = office.dial(MOBILE, "forgot")
    trunk.wait_invite(MOBILE)
    until_answered(bridge)
    office.hang_up(call)
    until(lambda: attempt_states(bridge) == [("settled", "answered")], "an attempt")
    (refusal,) = bypasses(bridge)
    assert refusal["would"] is True
    assert f"at forgot,{MOBILE},1" in str(refusal["findings"])


def test_a_phone_that_began_to_ring_while_no_bridge_ran(
    office: Pbx, trunk: Trunk, second_trunk: Trunk, start: Start
) -> None:
    bridge = start()
    trunk.on(MOBILE, Outcome.TRYING)
    second_trunk.on(MOBILE, Outcome.TRYING)
    office.dial(MOBILE, "two-trunks")
    invite = trunk.wait_invite(MOBILE)
    until(lambda: attempt_states(bridge) == [("dialled", None)], "it is dialled")
    bridge.kill()
    trunk.reply(invite, Outcome.RING)
    again = start()
    barrier(again, office, trunk)
    assert invite.cancelled_at is None
    until(lambda: attempt_states(again) == [("rang", None)], "it rings")
    trunk.reply(invite, Outcome.TIMEOUT)
    until(lambda: attempt_states(again) == [("settled", "no_answer")], "nobody answered")


@pytest.mark.parametrize("mode", ["report", "hangup"])
def test_two_bridges_on_one_asterisk_and_one_ledger_count_each_call_once(
    office: Pbx, trunk: Trunk, start: Start, tmp_path: Path, mode: str
) -> None:
    bridge = start(config(mode))
    ports = moved_ports(agi=free_tcp_port(), ami=office.ami_port)
    with Bridge.start(config(mode), tmp_path, ports=ports, name="other") as other:
        other.wait_ready()
        trunk.on(OTHER, Outcome.BUSY if mode == "report" else Outcome.TRYING)
        asked = [f"3361400{index:04}" for index in range(20)]
        for number in asked:
            trunk.on(number, Outcome.BUSY)
            by_ami(bridge.gateway_port, f"PJSIP/{number}@carrier", f"permit-{number}")
        office.dial(OTHER, "forgot")
        until(lambda: len(bypasses(bridge)) == 1, "the bypass on record")
        until(lambda: {state for state, _ in attempt_states(bridge)} == {"settled"}, "settled")
    # The other one has stopped, and written whatever it had to write.
    assert [row["number"] for row in bypasses(bridge)] == [f"+{OTHER}"]
    counted = [f"+{number}" for number in asked] + [f"+{OTHER}"] * (mode == "report")
    assert sorted(row["number"] for row in bridge.listed("attempts", "list")) == sorted(counted)
    assert attempt_states(bridge) == [("settled", "busy")] * len(counted)


# What agents tell ---------------------------------------------------------------------------------


def test_an_objection_by_user_event_holds_for_the_next_question(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    bridge = start()
    office.dial(MOBILE, "tells")
    until(lambda: len(bridge.listed("objection", "list")) == 1, "the objection on record")
    call = office.dial(MOBILE, "two-trunks")
    assert office.wait_hangup(call) == 21
    (refusal,) = bridge.listed("refusals")
    assert refusal["rules"] == "objection"
    assert trunk.invites() == []


def test_an_objection_by_the_dialers_own_ami(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start()
    with RawClient(bridge.gateway_port) as client:
        response = client.action(
            ("Action", "UserEvent"), ("UserEvent", "DialwardenObjection"),
            ("Number", MOBILE), ("Campaign", CAMPAIGN),
        )  # fmt: skip
        assert response["response"] == "Success"
        until(lambda: len(bridge.listed("objection", "list")) == 1, "the objection on record")
        refused = client.action(
            ("Action", "Originate"), ("Channel", f"PJSIP/{MOBILE}@carrier"),
            ("Application", "Wait"), ("Data", "1"),
        )  # fmt: skip
    assert refused["message"].startswith("dialwarden: objection: ")
    assert trunk.invites() == []


def test_a_silent_call_is_told_by_its_own_channel(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start()
    office.dial("silent", "tells")
    invite = trunk.wait_invite(MOBILE)
    trunk.wait(lambda: invite.acked_at is not None, what="an answer")
    trunk.hang_up(invite)
    until(lambda: len(bridge.listed("silent", "list")) == 1, "the silent call on record")
    (silent,) = bridge.listed("silent", "list")
    assert (silent["number"], silent["campaign"]) == (f"+{MOBILE}", CAMPAIGN)
    (share,) = json.loads(bridge.done("silent", "share", "--json"))
    assert (share["answered"], share["silent"]) == (1, 1)


def test_a_trunk_that_is_misspelt_is_told(office: Pbx, start: Start) -> None:
    bridge = start(config().replace('"PJSIP/carrier-2"', '"PJSIP/carier-2"'))
    until(lambda: "no such PJSIP endpoint" in bridge.log, "the warning")
    assert bridge.log.count("no such PJSIP endpoint") == 1
    assert "[trunks.carrier-2] channel = PJSIP/carier-2" in bridge.log


# Being blind -------------------------------------------------------------------------------------


def test_when_it_is_blind_it_says_so(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start()
    with stopped(office):
        until(lambda: health(bridge)["status"] == "blind", "blind", 30.0)
    bridge.wait_ready()
    assert "the guard is blind" in bridge.log
    assert "the guard sees again" in bridge.log
