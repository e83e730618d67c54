"""Issabel on Asterisk 16: its call center's dialer calls by dialplan and by trunk, agents by phone.

The dialer's requests are written as Issabel's callcenter writes them: an asynchronous Originate
with an ActionID of its own, and ID_CAMPAIGN, ID_CALL and others in one Variable header.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.bridge import Bridge
from bench.configuration import AMI_SECRET
from bench.ports import free_udp_port
from bench.root import AsteriskRoot
from bench.trunk import Outcome, Trunk
from client import Headers, RawClient
from flavour import failed_checks, readme_dialplan
from freepbx import ISSABEL, OWN_NUMBER
from freepbx_site import Site, allowed, national, opposed, starting

pytestmark = pytest.mark.parametrize("exchange_root", ["bullseye"], indirect=True, scope="session")

CALL_REJECTED = 21
QUEUE = "501"
# What its README says to write into extensions_custom.conf, and what the test looks at.
OWN = f"""
{readme_dialplan("issabel")}
[from-internal-custom]
exten => {QUEUE},1,Answer()
 same => n,UserEvent(BenchQueued,Number: ${{NUMBER}})
 same => n,Wait(60)

[dialwarden-freepbx-refused]
exten => s,1,UserEvent(BenchRefused,Rules: ${{DIALWARDEN_RULES}})
 same => n,Return()
"""


@pytest.fixture(scope="module")
def running(
    exchange_root: AsteriskRoot, trunks: dict[str, Trunk], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    sip = (
        f"[general]\nudpbindaddr=127.0.0.1:{free_udp_port()}\ncontext=from-trunk\n"
        f"[carrier]\ntype=peer\nhost=127.0.0.1\nport={trunks['carrier'].port}\n"
        "disallow=all\nallow=alaw\ndirectmedia=no\n"
    )
    with starting(
        ISSABEL, exchange_root, trunks, tmp_path_factory.mktemp("bridge"),
        own=OWN, modules=("chan_sip",), files={"sip.conf": sip},
    ) as site:  # fmt: skip
        yield site


@pytest.fixture
def phone(running: Site) -> Trunk:
    running.phone.clear()
    return running.phone


@pytest.fixture
def site(running: Site, phone: Trunk, trunk: Trunk) -> Iterator[Site]:
    yield running
    running.pbx.hang_up_all()


@pytest.fixture
def bridge(site: Site) -> Bridge:
    return site.up()


@pytest.fixture
def dead(site: Site) -> None:
    site.down()


def originate(client: RawClient, template: str, number: str, call: int) -> tuple[str, Headers]:
    """What the dialer sends for a call of its campaign 7; the ActionID and the first answer."""
    action_id = f"4711-7-{call}"
    variables = {
        "ID_CAMPAIGN": "7", "ID_CALL": str(call), "NUMBER": number, "QUEUE": QUEUE,
        "CONTEXT": "from-internal",
    }  # fmt: skip
    lines = (
        "Action: Originate",
        f"Channel: {template.replace('$OUTNUM$', number)}",
        f"Exten: {QUEUE}",
        "Context: from-internal",
        "Priority: 1",
        "CallerID: 0123456789",
        "Variable: " + ",".join(f"{name}={value}" for name, value in variables.items()),
        "Async: true",
        f"ActionID: {action_id}",
    )
    return action_id, client.ask(("\r\n".join(lines) + "\r\n\r\n").encode(), action_id)


def cause_of(site: Site, half: str, since: int) -> int:
    """The hang-up cause of that half of the dialer's Local channel."""
    hung_up = site.pbx.ami.wait(
        lambda event: event["Event"] == "Hangup" and event["Channel"].endswith(half), since=since
    )
    return int(hung_up["Cause"])


BY_DIALPLAN = "Local/$OUTNUM$@from-internal"
BY_TRUNK = "SIP/carrier/$OUTNUM$"


@pytest.mark.usefixtures("dead")
def test_with_the_bridge_dead_the_dialer_calls_nobody_and_112_leaves(
    site: Site, phone: Trunk, trunk: Trunk
) -> None:
    with RawClient(site.pbx.ami_port, events="on") as client:
        action_id, _ = originate(client, BY_DIALPLAN, national(allowed(1)), 1)
        ended = client.event("OriginateResponse", "actionid", action_id)
    assert ended["response"] == "Failure"
    call = site.dial("112")
    assert trunk.wait_invite("112").number == "112"
    phone.give_up(call)
    assert len(trunk.invites()) == 1


def test_a_call_by_dialplan_is_one_invite_and_one_attempt_of_its_campaign(
    site: Site, bridge: Bridge, trunk: Trunk
) -> None:
    number = allowed(2)
    with RawClient(bridge.gateway_port, events="on") as client:
        action_id, queued = originate(client, BY_DIALPLAN, national(number), 2)
        assert queued["response"] == "Success"
        assert client.event("OriginateResponse", "actionid", action_id)["response"] == "Success"
        assert client.event("UserEvent", "userevent", "BenchQueued")["number"] == national(number)
    site.pbx.hang_up_all()
    assert [(one.number, one.caller) for one in trunk.invites()] == [(national(number), OWN_NUMBER)]
    (attempt,) = site.rows("attempts", "list", number=number)
    assert attempt["campaign"] == "energy-paris"
    assert attempt["caller_id"] == OWN_NUMBER
    assert attempt["dialling"] == "automatic"


def test_a_refused_call_by_dialplan_fails_for_the_dialer_with_cause_21(
    site: Site, bridge: Bridge, trunk: Trunk
) -> None:
    number = opposed(2)
    since = site.pbx.ami.mark()
    with RawClient(bridge.gateway_port, events="on") as client:
        action_id, queued = originate(client, BY_DIALPLAN, national(number), 3)
        assert queued["response"] == "Success"  # an asynchronous one is queued before it is dialled
        assert client.event("OriginateResponse", "actionid", action_id)["response"] == "Failure"
    causes = [cause_of(site, half, since) for half in (";1", ";2")]
    assert causes == [CALL_REJECTED, CALL_REJECTED]  # what it keeps as failure_cause
    assert trunk.invites() == []
    (refusal,) = site.rows("refusals", number=number)
    assert (refusal["rules"], refusal["campaign"]) == ("opposition", "energy-paris")


def test_a_call_by_trunk_past_the_gateway_is_the_guards_to_catch(
    site: Site, bridge: Bridge, trunk: Trunk
) -> None:
    """No dialplan sees it: what this flavour leaves to the gateway and the guard."""
    number = national(allowed(4))
    trunk.on(number, Outcome.TRYING)
    with RawClient(site.pbx.ami_port) as client:
        originate(client, BY_TRUNK, number, 4)
        invite = trunk.wait_invite(number)
        trunk.wait(lambda: invite.cancelled_at is not None, what="a CANCEL")
    assert invite.rang_at is None


def test_a_call_by_trunk_through_the_gateway_is_answered_with_an_error_or_made_once(
    site: Site, bridge: Bridge, trunk: Trunk
) -> None:
    """The error is what the dialer takes for a failed call: it marks it Failure and goes on."""
    with RawClient(bridge.gateway_port, events="on") as client:
        action_id, answer = originate(client, BY_TRUNK, national(opposed(5)), 5)
        assert answer["response"] == "Error"
        assert answer["actionid"] == action_id
        assert answer["message"].startswith("dialwarden: opposition: ")
        assert trunk.invites() == []
        action_id, answer = originate(client, BY_TRUNK, national(allowed(5)), 6)
        assert answer["response"] == "Success"
        assert client.event("OriginateResponse", "actionid", action_id)["response"] == "Success"
    site.pbx.hang_up_all()
    assert [one.number for one in trunk.invites()] == [national(allowed(5))]
    (attempt,) = site.rows("attempts", "list", number=allowed(5))
    assert attempt["campaign"] == "solar-lyon"


def test_an_agent_is_told_in_the_admins_own_way(
    site: Site, bridge: Bridge, phone: Trunk, trunk: Trunk
) -> None:
    since = site.pbx.ami.mark()
    call = site.dial(national(opposed(6)))
    told = site.pbx.ami.wait(lambda event: event["UserEvent"] == "BenchRefused", since=since)
    assert told["Rules"] == "opposition"
    phone.wait_ended(call)
    assert call.answered_at is None
    assert trunk.invites() == []
    (refusal,) = site.rows("refusals", number=opposed(6))
    assert refusal["campaign"] == "survey-paris"  # there is no route's id in Issabel


def test_the_dialer_is_given_the_gateway_as_its_server(site: Site, bridge: Bridge) -> None:
    """It takes HOST:PORT for its Asterisk server, and logs in in plain."""
    with RawClient(bridge.gateway_port, secret=AMI_SECRET) as client:
        answer = client.action(("Action", "CoreSettings"))
    assert answer["asteriskversion"].startswith("16.")


def test_the_manifests_checks_find_it_in(site: Site) -> None:
    assert failed_checks(ISSABEL.flavour, site.pbx) == []
