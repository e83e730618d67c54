"""Dialers as they are in the field, through the gateway, which they take for Asterisk.

VICIdial's calls, written as its AST_manager_send writes them; and pyst2, the AMI library of
OMniLeads and of many a script.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asterisk.manager import Event, Manager

from bench.configuration import AMI_SECRET, DIALER, VICIDIAL
from bench.standin import Behaviour, StandIn
from client import RawClient
from guarded import Guarded, allowed, opposed

# It calls threading by names that Python has renamed since.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk")

WAIT_S = 10.0
LEAD = "V1122071500000012345"


def vicidial_originate(number: str) -> bytes:
    """A row of vicidial_manager as it is sent: synchronous, without an ActionID."""
    lines = (
        "Action: Originate",
        f"Channel: Local/9{number}@default",
        "Context: default",
        "Exten: 8368",
        "Priority: 1",
        f'Callerid: "{LEAD}" <0123456789>',
        "Timeout: 60000",
    )
    return ("\n".join(lines) + "\n\n").encode()


@pytest.fixture
def call_log(guarded: Guarded) -> Iterator[StandIn]:
    """VICIdial's own FastAGI server: it notes the call and leaves the dialplan to go on."""
    one = StandIn()
    one.behave(Behaviour.CLOSE)
    guarded.exchange.pbx.set_global("CALL_LOG_PORT", str(one.port))
    yield one
    guarded.exchange.hang_up_all()
    one.down()


def endings(call_log: StandIn) -> list[str]:
    """The DIALSTATUS of each call that VICIdial was told the end of."""
    told = [question.script.split("-----") for question in call_log.questions]
    return [words[3] for words in told if words[0] == "call_log--HVcauses--PRI"]


def test_a_call_of_vicidial_is_one_invite_and_one_attempt(
    guarded: Guarded, call_log: StandIn
) -> None:
    exchange, number = guarded.exchange, allowed(901)
    since = exchange.pbx.ami.mark()
    with RawClient(guarded.bridge.gateway_port, VICIDIAL) as client:
        client.send(vicidial_originate(number))
        assert client.response("")["response"] == "Success"
        routed = exchange.pbx.ami.wait(
            lambda event: event["UserEvent"] == "BenchRouted", since=since
        )
        assert routed["CallerIDName"] == LEAD
        exchange.hang_up_all()
    assert [invite.number for invite in exchange.carrier.invites()] == [f"+{number}"]
    (attempt,) = [
        row for row in guarded.bridge.listed("attempts", "list") if row["number"] == f"+{number}"
    ]
    assert attempt["campaign"] == "energy-paris"
    assert call_log.questions[0].script == "call_log"


def test_vicidial_is_told_of_a_refusal_by_the_dialstatus(
    guarded: Guarded, call_log: StandIn
) -> None:
    exchange, number = guarded.exchange, opposed(291)
    with RawClient(guarded.bridge.gateway_port, VICIDIAL) as client:
        client.send(vicidial_originate(number))
        response = client.response("")
    exchange.hang_up_all()
    # VICIdial reads a Response and a Message line and heeds neither.
    assert response["response"] == "Error"
    assert response["message"]
    assert exchange.carrier.invites() == []
    assert endings(call_log) == ["DNC"]


@contextmanager
def pyst(port: int, events: queue.Queue[Event]) -> Iterator[Manager]:
    manager = Manager()
    manager.connect("127.0.0.1", port)
    manager.register_event("*", lambda event, _: events.put(event))
    try:
        yield manager
    finally:
        manager.close()


def originate(manager: Manager, number: str) -> dict[str, str]:
    response = manager.originate(
        f"PJSIP/{number}@carrier",
        "",
        application="Wait",
        data="60",
        caller_id='"Acme" <0123456789>',
        run_async=True,
        variables={"LEAD": "12345"},
    )
    headers = response.headers
    assert isinstance(headers, dict)
    return headers


def test_a_client_library_works_as_with_asterisk(guarded: Guarded) -> None:
    events: queue.Queue[Event] = queue.Queue()
    exchange = guarded.exchange
    with pyst(guarded.bridge.gateway_port, events) as manager:
        assert manager.title == "Asterisk Call Manager"
        assert manager.login(DIALER, AMI_SECRET).headers["Response"] == "Success"
        assert manager.ping().headers["Ping"] == "Pong"

        assert originate(manager, allowed(902))["Response"] == "Success"
        exchange.carrier.wait_invite(allowed(902))
        answered = next(
            event
            for event in iter(lambda: events.get(timeout=WAIT_S), None)
            if event.name == "OriginateResponse"
        )
        assert answered["Response"] == "Success"

        refused = originate(manager, opposed(292))
        assert refused["Response"] == "Error"
        assert refused["Message"].startswith("dialwarden: opposition: ")
        assert exchange.carrier.invites(opposed(292)) == []

        assert manager.ping().headers["Ping"] == "Pong"
        shown = manager.command("core show channels").response
        assert any("PJSIP/carrier" in line for line in shown)
