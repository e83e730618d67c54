"""FreePBX 17 on Asterisk 22, and 16 on 16: an agent dials, an outbound route takes the call.

The dialplan around the hook is what these versions generate; dialwarden is put in as its manifest
says.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.bridge import Bridge
from bench.pbx import Pbx
from bench.root import AsteriskRoot
from bench.standin import Behaviour, StandIn
from bench.trunk import Outcome, Trunk
from flavour import failed_checks
from freepbx import (
    AGENT,
    EMERGENCY_ROUTE,
    FREEPBX_16,
    FREEPBX_17,
    OUTSIDE_ROUTE,
    OWN_NUMBER,
    SALES_ROUTE,
    Product,
)
from freepbx_site import Site, allowed, national, opposed, starting

CAMPAIGNS = f"""
[dialwarden-freepbx-campaigns]
exten => outrt-{OUTSIDE_ROUTE},1,Return(energy-paris)
exten => outrt-{SALES_ROUTE},1,Return(solar-lyon)
exten => _user-20XX,1,Return(survey-paris)
; A line that an admin got wrong: of one number it does not return, and ends the call.
exten => outrt-{EMERGENCY_ROUTE},1,ExecIf($["${{DIAL_NUMBER}}" != "116000"]?Return())
"""
# An admin who had a hook already: the line that asks in front, his own behind it.
OWN_HOOK = """
[macro-dialout-dundi-predial-hook]
exten => s,1,Gosub(dialwarden-freepbx,s,1)
exten => s,n,Set(OUTNUM=+33${OUTNUM:1})
exten => s,n,
"""
FORBIDDEN = 403  # what a phone is told of cause 21


def product_of(root: AsteriskRoot) -> Product:
    """Which FreePBX is found with an Asterisk of that age."""
    return FREEPBX_17 if root.major > 20 else FREEPBX_16


@pytest.fixture(scope="module")
def running(
    exchange_root: AsteriskRoot, trunks: dict[str, Trunk], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("bridge")
    product = product_of(exchange_root)
    own = CAMPAIGNS + OWN_HOOK.rstrip() + ("Return()\n" if product.gosub else "MacroExit()\n")
    with starting(product, exchange_root, trunks, directory, own=own) as site:
        yield site


@pytest.fixture
def phone(running: Site) -> Trunk:
    running.phone.clear()
    return running.phone


@pytest.fixture
def site(running: Site, phone: Trunk, trunk: Trunk, second_trunk: Trunk) -> Iterator[Site]:
    """The site without a call left over; `up` or `down` is the test's to say."""
    yield running
    running.pbx.hang_up_all()


@pytest.fixture
def bridge(site: Site) -> Bridge:
    return site.up()


@pytest.fixture
def dead(site: Site) -> None:
    site.down()


def refused(site: Site, phone: Trunk, number: str) -> None:
    """An agent dials it, and hears the prompt, which nothing but the hang-up follows."""
    since = site.pbx.ami.mark()
    call = site.dial(number)
    hears_prompt(site, since)
    phone.give_up(call)
    phone.wait_ended(call)
    assert call.answered_at is None


def hears_prompt(site: Site, since: int) -> None:
    played = site.pbx.ami.wait(lambda event: event["Application"] == "Playback", since=since)
    assert played["AppData"] == "cannot-complete-as-dialed,noanswer"


def asked(pbx: Pbx, since: int) -> int:
    """How often the bridge was asked since."""
    return len(
        pbx.ami.events(
            lambda event: event["Event"] == "Newexten" and event["Application"] == "AGI",
            since=since,
        )
    )


# --- with nobody to ask


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("number", ["112", "911"])
def test_an_emergency_call_leaves_with_the_bridge_dead(
    site: Site, phone: Trunk, trunk: Trunk, number: str
) -> None:
    """911 is in no list of ours: the route is marked as Emergency in FreePBX."""
    call = site.dial(number)
    trunk.wait_invite(number)
    phone.give_up(call)


@pytest.mark.usefixtures("dead")
def test_an_emergency_call_leaves_whatever_the_table_of_campaigns_says(
    site: Site, phone: Trunk, trunk: Trunk
) -> None:
    """The line of its route is wrong, and six digits pass by their number alone."""
    call = site.dial("116000")
    trunk.wait_invite("116000")
    phone.give_up(call)


@pytest.mark.usefixtures("dead")
def test_an_ordinary_call_is_refused_with_the_bridge_dead(
    site: Site, phone: Trunk, trunk: Trunk, second_trunk: Trunk
) -> None:
    refused(site, phone, national(allowed(1)))
    assert trunk.invites() == second_trunk.invites() == []


@pytest.mark.usefixtures("dead")
def test_a_long_number_on_an_emergency_route_is_asked_about_and_said_in_the_log(
    site: Site, phone: Trunk, trunk: Trunk
) -> None:
    before = len(site.pbx.log())
    refused(site, phone, "0812345678")
    assert trunk.invites() == []
    assert "refused a call of a route that is marked as Emergency" in site.pbx.log()[before:]


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("spoofed", ["YES", 'YES" | "1', ""])
def test_what_a_dialer_says_of_the_route_lets_nothing_through(
    site: Site, trunk: Trunk, spoofed: str
) -> None:
    given = {"EMERGENCYROUTE": spoofed, "MACRO_CONTEXT": spoofed, "DIALWARDEN_VERDICT": "ALLOW"}
    call = site.pbx.dial(national(allowed(2)), "from-internal", given)
    assert site.pbx.wait_hangup(call) == 21
    assert trunk.invites() == []


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("behaviour", [Behaviour.SILENT, Behaviour.CLOSE, Behaviour.GARBAGE])
def test_a_bridge_without_a_verdict_is_a_refusal(
    site: Site, phone: Trunk, trunk: Trunk, second_trunk: Trunk, behaviour: Behaviour
) -> None:
    standin = StandIn(site.pbx.bridge_port)
    standin.behave(behaviour)
    try:
        refused(site, phone, national(allowed(3)))
    finally:
        standin.down()
    assert trunk.invites() == second_trunk.invites() == []


@pytest.mark.usefixtures("dead")
def test_a_caller_who_hangs_up_during_the_question_gets_freepbx_own_ending(
    site: Site, phone: Trunk
) -> None:
    standin = StandIn(site.pbx.bridge_port)
    standin.behave(Behaviour.SILENT)
    since = site.pbx.ami.mark()
    try:
        call = site.dial(national(allowed(4)))
        site.pbx.ami.wait(lambda event: event["Application"] == "AGI", since=since)
        phone.give_up(call)
        site.pbx.ami.wait(lambda event: event["Context"] == "macro-hangupcall", since=since)
    finally:
        standin.down()


# --- with the bridge


def test_an_allowed_call_is_one_invite_as_the_trunk_wants_it_and_one_attempt(
    site: Site, bridge: Bridge, phone: Trunk, trunk: Trunk, second_trunk: Trunk
) -> None:
    number = allowed(10)
    call = site.dial(national(number))
    phone.wait_answered(call)
    phone.give_up(call)
    assert [(one.number, one.caller) for one in trunk.invites()] == [(national(number), OWN_NUMBER)]
    assert second_trunk.invites() == []
    (attempt,) = site.rows("attempts", "list", number=number)
    assert (attempt["campaign"], attempt["caller_id"]) == ("energy-paris", OWN_NUMBER)
    assert attempt["dialling"] == ""


def test_a_caller_id_that_freepbx_hides_is_asked_about_as_withheld(
    site: Site, bridge: Bridge, phone: Trunk, trunk: Trunk
) -> None:
    number = allowed(19)
    site.pbx.cli(f'database put AMPUSER {AGENT}/outboundcid "hidden <{OWN_NUMBER}>"')
    try:
        call = site.dial(national(number))
        phone.wait_answered(call)
        phone.give_up(call)
    finally:
        site.pbx.cli(f"database del AMPUSER {AGENT}/outboundcid")
    assert [one.caller for one in trunk.invites()] == ["anonymous"]
    (attempt,) = site.rows("attempts", "list", number=number)
    assert attempt["caller_id"] == "anonymous"


def test_an_extensions_number_is_not_said_to_be_shown(
    site: Site, bridge: Bridge, phone: Trunk, trunk: Trunk
) -> None:
    """A trunk without an outbound caller id: the carrier shows a number of its own."""
    number = allowed(21)
    site.pbx.set_global("OUTCID_1", "")
    try:
        call = site.dial(national(number))
        phone.wait_answered(call)
        phone.give_up(call)
    finally:
        site.pbx.set_global("OUTCID_1", OWN_NUMBER)
    assert [one.caller for one in trunk.invites()] == [AGENT]
    (attempt,) = site.rows("attempts", "list", number=number)
    assert attempt["caller_id"] is None


def test_a_refused_call_is_no_invite_a_prompt_and_a_refusal_on_record(
    site: Site, bridge: Bridge, phone: Trunk, trunk: Trunk, second_trunk: Trunk
) -> None:
    number = opposed(0)
    since = site.pbx.ami.mark()
    call = site.dial(national(number))
    hears_prompt(site, since)
    phone.wait_ended(call)
    assert call.answered_at is None
    assert call.statuses[-1] == FORBIDDEN
    assert trunk.invites() == second_trunk.invites() == []
    site.pbx.ami.wait(lambda event: event["Context"] == "macro-hangupcall", since=since)
    (refusal,) = site.rows("refusals", number=number)
    assert (refusal["rules"], refusal["campaign"]) == ("opposition", "energy-paris")


def test_the_second_trunk_is_asked_about_again_and_counts_nothing(
    site: Site, bridge: Bridge, phone: Trunk, trunk: Trunk, second_trunk: Trunk
) -> None:
    """The campaign's cap is one attempt a day; the second trunk gets another form of the number."""
    number = allowed(11)
    trunk.on(national(number), Outcome.REJECT)
    since = site.pbx.ami.mark()
    call = site.dial(national(number))
    phone.wait_answered(call)
    phone.give_up(call)
    assert [one.number for one in trunk.invites()] == [national(number)]
    assert [one.number for one in second_trunk.invites()] == [f"+{number}"]
    assert asked(site.pbx, since) == 2
    assert len(site.rows("attempts", "list", number=number)) == 1


def test_a_callee_who_declines_is_not_called_by_the_second_trunk(
    site: Site, bridge: Bridge, phone: Trunk, trunk: Trunk, second_trunk: Trunk
) -> None:
    """FreePBX itself goes on to the next trunk after a 603."""
    number = allowed(12)
    trunk.on(national(number), Outcome.RING)
    since = site.pbx.ami.mark()
    call = site.dial(national(number))
    trunk.reply(trunk.wait_invite(national(number)), Outcome.DECLINE)
    hears_prompt(site, since)
    phone.give_up(call)
    assert second_trunk.invites() == []
    (refusal,) = site.rows("refusals", number=number)
    assert refusal["rules"] == "frequency"


def test_a_custom_trunk_is_asked_about_like_any_other(
    site: Site, bridge: Bridge, phone: Trunk, second_trunk: Trunk
) -> None:
    refused(site, phone, f"**{national(opposed(1))}")
    assert second_trunk.invites() == []
    call = site.dial(f"**{national(allowed(13))}")
    phone.wait_answered(call)
    phone.give_up(call)
    assert [one.number for one in second_trunk.invites()] == [national(allowed(13))]


def test_a_hook_of_the_admins_own_asks_and_goes_on(
    site: Site, bridge: Bridge, phone: Trunk, second_trunk: Trunk
) -> None:
    refused(site, phone, f"*7{national(opposed(3))}")
    assert second_trunk.invites() == []
    call = site.dial(f"*7{national(allowed(20))}")
    phone.wait_answered(call)
    phone.give_up(call)
    assert [one.number for one in second_trunk.invites()] == [f"+{allowed(20)}"]


def test_a_campaign_is_the_channels_then_the_routes_then_the_extensions(
    site: Site, bridge: Bridge, phone: Trunk
) -> None:
    numbers = [allowed(index) for index in (14, 15, 16)]
    given = {"__DIALWARDEN_CAMPAIGN": "solar-lyon", "MACRO_CONTEXT": "another"}
    own = site.pbx.dial(national(numbers[0]), "from-internal", given)
    site.pbx.wait_bridged(own)
    for prefix, number in zip(("9", "**"), numbers[1:], strict=True):
        call = site.dial(f"{prefix}{national(number)}")
        phone.wait_answered(call)
        phone.give_up(call)
    found = [site.rows("attempts", "list", number=one)[0]["campaign"] for one in numbers]
    assert found == ["solar-lyon", "solar-lyon", "survey-paris"]


def test_what_is_no_number_chooses_nothing(
    site: Site, bridge: Bridge, trunk: Trunk, second_trunk: Trunk
) -> None:
    for junk in ('0650990017"', "0650990017[", "0650990017${UNIQUEID}", "065099x17"):
        call = site.pbx.dial(junk, "from-internal")
        assert site.pbx.wait_hangup(call) == 21
    assert trunk.invites() == second_trunk.invites() == []


def test_a_trunk_that_is_an_inbound_routes_destination_is_the_guards_to_catch(
    site: Site, bridge: Bridge, trunk: Trunk
) -> None:
    """FreePBX calls no hook there: what this flavour leaves uncovered."""
    number = allowed(18)
    trunk.on(national(number), Outcome.TRYING)
    site.pbx.dial("1", "ext-trunk", {"FROM_DID": national(number)})
    invite = trunk.wait_invite(national(number))
    trunk.wait(lambda: invite.cancelled_at is not None, what="a CANCEL")
    assert invite.rang_at is None


# --- what the admin sees


def test_the_manifests_checks_find_it_in(site: Site, exchange_root: AsteriskRoot) -> None:
    assert failed_checks(product_of(exchange_root).flavour, site.pbx) == []


def test_the_stock_hook_gives_way_to_ours(site: Site) -> None:
    """It is read later: of two lines for one priority Asterisk keeps the first."""
    shown = site.pbx.cli("dialplan show s@macro-dialout-trunk-predial-hook")
    first = next(line for line in shown.splitlines() if " 1. " in line)
    assert "Gosub(dialwarden-freepbx,s,1)" in first
