"""What the bench claims of itself, where other tests would rest on it unseen."""

from __future__ import annotations

from bench.pbx import Pbx
from bench.root import AsteriskRoot
from bench.trunk import Outcome, Trunk
from ways import Exchange


def test_an_asterisk_starts_again_in_its_place(asterisk_root: AsteriskRoot) -> None:
    trunk = Trunk()
    with Pbx.start(asterisk_root, trunks={"carrier": trunk.port}) as pbx:
        for kill in (False, True):
            pid, ports = pbx.pid, (pbx.ami_port, pbx.sip_port)
            pbx.restart(kill=kill)
            assert pbx.pid != pid
            assert (pbx.ami_port, pbx.sip_port) == ports
            pbx.originate("PJSIP/33612345678@carrier")
            trunk.wait_invite("33612345678", nth=1 + kill)
    trunk.stop()


def test_a_trunk_calls_in_and_is_answered(exchange: Exchange) -> None:
    call = exchange.carrier.call("100", exchange.pbx.sip_port)
    exchange.carrier.wait_answered(call)
    exchange.carrier.give_up(call)
    exchange.carrier.wait_ended(call)
    assert call.statuses[-1] == 200


def test_a_trunk_calls_in_and_gives_up(exchange: Exchange) -> None:
    call = exchange.carrier.call("200", exchange.pbx.sip_port)
    exchange.carrier.wait(lambda: 180 in call.statuses)
    exchange.carrier.give_up(call)
    exchange.carrier.wait_ended(call)
    assert call.statuses[-1] == 487
    assert call.answered_at is None


def test_a_302_that_pjsip_follows_by_itself_is_named_by_no_event(exchange: Exchange) -> None:
    """Why the guard cannot see it: a way out that has to be closed in pjsip.conf."""
    since = exchange.pbx.ami.mark()
    exchange.redirecting.on("33700000001", Outcome.REDIRECT, to="33700000002")
    exchange.pbx.originate("PJSIP/33700000001@redirecting")
    followed = exchange.redirecting.wait_invite("33700000002")
    exchange.redirecting.wait(lambda: followed.acked_at is not None)
    exchange.hang_up_all()
    told = exchange.pbx.ami.events(lambda event: event["Event"] == "DialBegin", since=since)
    assert [event["DialString"] for event in told] == ["33700000001@redirecting"]
