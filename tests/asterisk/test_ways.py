"""Every way to make Asterisk call a number, with the gateway and the guard in between.

Each is tried three times: with nobody in between, which must send an INVITE, for a way that sends
none by itself proves nothing; for a number on an opposition list; and for one that may be called.
The judge is the carrier: what it got, and whether it was cancelled before anything rang.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bench.standin import Behaviour, StandIn
from bench.trunk import Outcome
from client import Headers, RawClient
from guarded import Guarded, allowed, opposed
from ways import PAST_AMI, SEEN, THROUGH_AMI, WAYS, Allowed, By, Exchange, Scene, Seen, Way


@pytest.fixture
def ways_seen(pytestconfig: pytest.Config) -> Seen:
    """Where the table at the end is gathered."""
    return pytestconfig.stash.setdefault(SEEN, {})


def scene_of(exchange: Exchange, client: RawClient, number: str, way: Way) -> Scene:
    other = f"336{number[3]}9{WAYS.index(way):06}"
    return Scene(exchange.pbx, client, exchange.carrier, exchange.agent, number, other)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_by_itself_a_way_sends_an_invite(exchange: Exchange, way: Way) -> None:
    standin = StandIn(exchange.pbx.bridge_port)  # whoever asks is allowed
    number = f"336700{WAYS.index(way):05}"
    standin.behave(Behaviour.ALLOW, number=number)
    try:
        with RawClient(exchange.pbx.ami_port) as client:
            scene = scene_of(exchange, client, number, way)
            response = way.set_off(scene)
            scene.wait_reached()
            assert response is None or response["response"] == "Success"
    finally:
        exchange.hang_up_all()
        standin.down()


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_call_that_may_not_be_made_rings_nowhere(
    guarded: Guarded, way: Way, ways_seen: Seen
) -> None:
    exchange = guarded.exchange
    exchange.carrier.on("", Outcome.TRYING)
    with RawClient(guarded.bridge.gateway_port) as client:
        scene = scene_of(exchange, client, opposed(WAYS.index(way)), way)
        exchange.carrier.on(scene.other, Outcome.ANSWER)
        since = exchange.pbx.ami.mark()
        response = way.set_off(scene)
        match way.by:
            case By.GATEWAY:
                refused(exchange, scene, response)
            case By.DIALPLAN:
                exchange.pbx.ami.wait(
                    lambda event: event["Event"] == "Hangup" and scene.number in event["Channel"],
                    since=since,
                )
                assert scene.reached() == []
            case By.GUARD:
                caught(scene, since)
    invites = scene.reached()
    ways_seen[exchange.version, way.name] = (
        len(invites),
        [(one.cancelled_at - one.at) * 1000 for one in invites if one.cancelled_at is not None],
    )


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_call_that_may_be_made_is_made_once_if_somebody_asked(guarded: Guarded, way: Way) -> None:
    exchange = guarded.exchange
    if way.allowed is Allowed.CAUGHT:
        exchange.carrier.on("", Outcome.TRYING)
    with RawClient(guarded.bridge.gateway_port) as client:
        scene = scene_of(exchange, client, allowed(WAYS.index(way)), way)
        exchange.carrier.on(scene.other, Outcome.ANSWER)
        since = exchange.pbx.ami.mark()
        response = way.set_off(scene)
        match way.allowed:
            case Allowed.REFUSED:
                refused(exchange, scene, response)
            case Allowed.CAUGHT:
                caught(scene, since)
            case Allowed.ONCE:
                scene.wait_reached()
                assert response is None or response["response"] == "Success"
                exchange.hang_up_all()
                (invite,) = scene.reached()
                assert invite.answered_at is not None
    guarded.tried.append(way)


def test_the_books_say_so(guarded: Guarded) -> None:
    """Last: what the guard saw of the ways before is on disk once a later way's is."""
    scene_number = "33650999999"
    guarded.exchange.carrier.on("", Outcome.TRYING)
    with RawClient(guarded.bridge.gateway_port) as client:
        scene = scene_of(guarded.exchange, client, scene_number, WAYS[0])
        since = guarded.exchange.pbx.ami.mark()
        guarded.exchange.pbx.dial(scene_number, "forgot")
        caught(scene, since)
    expected, found = {}, {}
    attempts = Counter(row["number"] for row in guarded.bridge.listed("attempts", "list"))
    refusals = guarded.bridge.listed("refusals")
    assert any(row["number"] == f"+{scene_number}" for row in refusals)
    for way in guarded.tried:
        number = f"+{allowed(WAYS.index(way))}"
        rules = sorted(
            {rule for row in refusals if row["number"] == number for rule in _rules(row)}
        )
        match way.allowed:
            case Allowed.ONCE:
                expected[way.name] = "1 attempt, refused by []"
                found[way.name] = f"{attempts[number]} attempt, refused by {rules}"
            case Allowed.CAUGHT:
                expected[way.name] = "refused by ['bypass']"
                found[way.name] = f"refused by {rules}"
            case Allowed.REFUSED:
                expected[way.name], found[way.name] = "no attempt", "no attempt"
                if attempts[number]:
                    found[way.name] = f"{attempts[number]} attempts"
    assert found == expected


def test_every_source_has_its_ways() -> None:
    """The table is not to shrink unnoticed."""
    assert len(THROUGH_AMI) >= 60
    assert len(PAST_AMI) >= 15
    assert len({way.name for way in WAYS}) == len(WAYS)


def refused(exchange: Exchange, scene: Scene, response: Headers | None) -> None:
    """The client was told so, and nothing left."""
    assert response is not None
    assert response["response"] == "Error"
    assert "dialwarden" in response["message"]
    exchange.hang_up_all()
    assert scene.reached() == []


def caught(scene: Scene, since: int) -> None:
    """The leg to the number was hung up, and whatever left was cancelled before it rang."""
    dialled = scene.pbx.ami.wait(
        lambda event: (
            event["Event"] == "DialBegin"
            and event["DestChannel"].startswith("PJSIP/")
            and scene.number[2:] in event["DialString"]
        ),
        since=since,
    )
    scene.pbx.ami.wait(
        lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == dialled["DestUniqueid"],
        since=since,
    )
    try:
        scene.carrier.wait(
            lambda: (
                scene.reached()
                and all(invite.cancelled_at is not None for invite in scene.reached())
            ),
            what="an INVITE, and a CANCEL for each",
        )
    except TimeoutError:
        assert scene.reached() == []  # so much the better
    assert all(invite.rang_at is None and invite.answered_at is None for invite in scene.reached())


def _rules(row: dict[str, Any]) -> list[str]:
    return str(row["rules"]).split("&")
