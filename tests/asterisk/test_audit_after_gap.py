"""The link lost while Asterisk goes on: what the guard makes of what was begun meanwhile.

The bridge reaches Asterisk's AMI through a relay of ours, which can be cut. Nothing ends in
Asterisk by that: its channels are those that an audit finds.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.bridge import Bridge, moved_ports
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.trunk import Outcome, Trunk
from client import RawClient
from office import (
    MOBILE,
    OTHER,
    attempt_states,
    barrier,
    bypasses,
    config,
    health,
    until,
)

STRANGER = "33612999999"


class Wire:
    """A TCP relay to one port that can be cut and mended; it listens on the same port again."""

    def __init__(self, to: int) -> None:
        self.port = free_tcp_port()
        self._to = to
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def mend(self) -> None:
        self._over.clear()
        listener = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._relay, args=(listener,), daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(10)

    def _relay(self, listener: socket.socket) -> None:
        other_end: dict[socket.socket, socket.socket] = {}
        while not self._over.is_set():
            for ready in select.select([listener, *other_end], [], [], 0.02)[0]:
                if ready is listener:
                    near, _ = listener.accept()
                    far = socket.create_connection(("127.0.0.1", self._to))
                    other_end |= {near: far, far: near}
                    continue
                data = b""
                with contextlib.suppress(OSError):
                    data = ready.recv(65536)
                if ready in other_end and data:
                    other_end[ready].sendall(data)
                elif ready in other_end:
                    for one in (other_end.pop(other_end[ready]), other_end.pop(ready)):
                        one.close()
        for one in (listener, *other_end):
            one.close()


@pytest.fixture
def wire(office: Pbx) -> Iterator[Wire]:
    one = Wire(office.ami_port)
    one.mend()
    yield one
    one.cut()


@pytest.fixture
def bridge(office: Pbx, wire: Wire, tmp_path: Path) -> Iterator[Bridge]:
    ports = moved_ports(agi=office.bridge_port, ami=wire.port)
    with Bridge.start(config(), tmp_path, ports=ports) as started:
        started.import_list("house")
        started.import_list("staff", [OTHER])
        started.wait_ready()
        yield started


def blind(bridge: Bridge, wire: Wire) -> None:
    wire.cut()
    until(lambda: health(bridge)["status"] == "blind", "blind")


def seeing(bridge: Bridge, wire: Wire) -> None:
    wire.mend()
    bridge.wait_ready()


def test_of_what_was_begun_meanwhile_only_who_did_not_ask_and_still_rings_is_hung_up(
    office: Pbx, trunk: Trunk, phone: Trunk, bridge: Bridge, wire: Wire
) -> None:
    blind(bridge, wire)
    for number in (MOBILE, STRANGER, "112", OTHER):
        trunk.on(number, Outcome.RING)
    talking = "33612888888"
    trunk.on(talking, Outcome.ANSWER)
    asked = office.dial(MOBILE, "two-trunks")  # over AGI, which does not need the link
    for number in (STRANGER, "112", OTHER, talking):
        office.dial(number, "forgot")
    internal = office.dial("701", "own")
    for number in (MOBILE, STRANGER, "112", OTHER, talking):
        trunk.wait_invite(number)
    trunk.wait(lambda: trunk.invites(talking)[0].acked_at is not None, what="a conversation")
    phone.wait_invite("phone")
    inbound = trunk.call("100", office.sip_port)
    trunk.wait_answered(inbound)
    seeing(bridge, wire)
    late = trunk.invites(STRANGER)[0]
    trunk.wait(lambda: late.cancelled_at is not None, what="the CANCEL of who did not ask")
    barrier(bridge, office, trunk)
    untouched = [trunk.invites(number)[0] for number in (MOBILE, "112", OTHER, talking)]
    assert [one.cancelled_at or one.ended_at for one in untouched] == [None] * 4
    assert inbound.ended_at is None
    assert office.is_up(asked)
    assert office.is_up(internal)
    assert [row["number"] for row in bypasses(bridge)] == [f"+{STRANGER}", "+33600000009"]


def test_a_phone_that_rang_meanwhile_counts_although_it_was_hung_up(
    office: Pbx, trunk: Trunk, bridge: Bridge, wire: Wire
) -> None:
    blind(bridge, wire)
    trunk.on(STRANGER, Outcome.RING)
    office.dial(STRANGER, "forgot")
    late = trunk.wait_invite(STRANGER)
    trunk.wait(lambda: late.rang_at is not None, what="it rings")
    seeing(bridge, wire)
    trunk.wait(lambda: late.cancelled_at is not None, what="its CANCEL")
    barrier(bridge, office, trunk)
    assert f"+{STRANGER}" in [row["number"] for row in bridge.listed("attempts", "list")]


def test_a_call_that_rang_meanwhile_is_not_tried_on_another_trunk(
    office: Pbx, trunk: Trunk, second_trunk: Trunk, bridge: Bridge, wire: Wire
) -> None:
    trunk.on(MOBILE, Outcome.SILENCE)
    second_trunk.on(MOBILE, Outcome.TRYING)
    office.dial(MOBILE, "two-trunks")
    first = trunk.wait_invite(MOBILE)
    until(lambda: attempt_states(bridge) == [("dialled", None)], "the leg on record")
    blind(bridge, wire)
    trunk.reply(first, Outcome.RING)
    trunk.wait(lambda: first.rang_at is not None, what="it rings")
    seeing(bridge, wire)
    barrier(bridge, office, trunk)
    trunk.reply(first, Outcome.ERROR)
    second = second_trunk.wait_invite(MOBILE)
    second_trunk.wait(lambda: second.cancelled_at is not None, what="the guard's CANCEL")


def test_a_bypass_by_an_ami_client_names_who_is_logged_in(
    office: Pbx, trunk: Trunk, bridge: Bridge
) -> None:
    trunk.on(STRANGER, Outcome.TRYING)
    with RawClient(office.ami_port) as client:
        client.action(
            ("Action", "Originate"), ("Channel", f"PJSIP/{STRANGER}@carrier"),
            ("Application", "Wait"), ("Data", "60"), ("Async", "true"),
        )  # fmt: skip
        until(lambda: len(bypasses(bridge)) == 1, "the bypass on record")
    told = str(bypasses(bridge)[0]["findings"])
    assert "logged in to AMI: bench, dialer" in told
