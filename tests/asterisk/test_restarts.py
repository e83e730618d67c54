"""Asterisk restarted under load, and a flood of events: nothing lost or invented, none twice."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.bridge import Bridge
from bench.configuration import AMI_SECRET, DIALER
from bench.pbx import Pbx
from bench.trunk import Outcome, Trunk
from client import RawClient
from office import Start, bypasses, until

RESTARTS = 10
DIALERS = 3
EVENTS = 30_000


@dataclass
class Dialer:
    """Places calls through the gateway, each number once, and comes back when it is thrown out."""

    port: int
    first: int
    stop: threading.Event
    asked: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with RawClient(self.port) as client:
                    self._dial(client)
            except (OSError, EOFError, KeyError):
                self.stop.wait(0.05)  # the gateway is there, Asterisk is not

    def _dial(self, client: RawClient) -> None:
        if client.login.get("response") != "Success":
            self.stop.wait(0.05)
            return
        while not self.stop.is_set():
            number = f"336{self.first + len(self.asked):08}"
            self.asked.append(number)
            response = client.action(
                ("Action", "Originate"), ("Channel", f"PJSIP/{number}@carrier"),
                ("Application", "Wait"), ("Data", "1"), ("Async", "true"),
            )  # fmt: skip
            self.answers[number] = response["response"]
            self.stop.wait(0.02)


def attempts_of(bridge: Bridge) -> dict[str, list[str]]:
    """States of the attempts, by number."""
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(bridge.directory / "ledger.db")) as conn:
        for number, state in conn.execute("SELECT number, state FROM attempt ORDER BY id"):
            found.setdefault(str(number), []).append(state)
    return found


@pytest.mark.timeout(600)
def test_asterisk_is_restarted_ten_times_under_load(
    office: Pbx, trunk: Trunk, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge = start()
    over = threading.Event()
    dialers = [Dialer(bridge.gateway_port, 50_000_000 + n * 100_000, over) for n in range(DIALERS)]
    threads = [threading.Thread(target=dialer.run, daemon=True) for dialer in dialers]
    trunk.on("33600", Outcome.TRYING)
    blind_s = []
    for thread in threads:
        thread.start()
    try:
        for turn in range(RESTARTS):
            before = len(trunk.invites())
            trunk.wait(lambda seen=before: len(trunk.invites()) > seen + 20, 60.0, "calls placed")
            office.restart(kill=turn % 2 == 1)
            came_back = time.monotonic()
            bridge.wait_ready()
            blind_s.append(time.monotonic() - came_back)
            # It does not only say so: a call that nobody asked about is caught.
            caught = f"33600{turn:06}"
            office.dial(caught, "forgot")
            late = trunk.wait_invite(caught)
            trunk.wait(lambda call=late: call.cancelled_at is not None, what="its CANCEL")
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    with capsys.disabled():
        print(f"\nAsterisk restarted {RESTARTS} times: the guard was back "
              f"{max(blind_s):.2f} s after the AMI at the latest")  # fmt: skip
    asked = [number for dialer in dialers for number in dialer.asked]
    answers = {number: said for dialer in dialers for number, said in dialer.answers.items()}
    office.hang_up_all()
    until(lambda: len(bypasses(bridge)) == RESTARTS, "every catch on record")
    attempts = attempts_of(bridge)
    called = {}
    for invite in trunk.invites():
        number = invite.number.lstrip("+")
        if not number.startswith("33600"):
            called[number] = called.get(number, 0) + 1
    # No second Originate: nobody's phone rang twice.
    assert {number: count for number, count in called.items() if count > 1} == {}
    # No attempt lost: who was called is in the ledger, once, and counted.
    assert [number for number in called if attempts.get(number) in (None, ["voided"])] == []
    assert [number for number, states in attempts.items() if len(states) > 1] == []
    # None invented: each was asked for.
    assert set(attempts) <= set(asked)
    # Whom Asterisk said yes to was reserved before.
    assert [n for n, said in answers.items() if said == "Success" and n not in attempts] == []
    assert len(called) > 20 * RESTARTS
    assert set(answers.values()) <= {"Success", "Error"}


@pytest.mark.timeout(300)
def test_thirty_thousand_events_while_another_client_stalls(office: Pbx, start: Start) -> None:
    bridge = start()
    with closing(stalled_client(bridge.gateway_port)) as staller:
        reader = RawClient(bridge.gateway_port, events="user")
        memory = []
        with reader, RawClient(office.ami_port) as source:
            sender = threading.Thread(target=send_events, args=(source,), daemon=True)
            sender.start()
            memory.append(resident_kib(bridge))
            for count in range(EVENTS):
                event = reader.event("UserEvent")
                assert event["count"] == str(count)  # in order, and none is missing
                if count % 1000 == 0:
                    memory.append(resident_kib(bridge))
            sender.join(60)
        until(lambda: "it did not read and was cut" in bridge.log, "the staller is cut", 30.0)
        assert is_cut(staller)
    # Flat: what is held for the one that stalls is bounded by its backlog of 8 MiB, and freed.
    assert max(memory) - memory[0] < 32 * 1024
    with RawClient(bridge.gateway_port) as another:
        assert another.action(("Action", "Ping"))["response"] == "Success"


def send_events(source: RawClient) -> None:
    padding = "x" * 700
    for first in range(0, EVENTS, 100):
        source.send(
            "".join(
                f"Action: UserEvent\r\nActionID: flood-{count}\r\nUserEvent: Flood\r\n"
                f"Count: {count}\r\nPadding: {padding}\r\n\r\n"
                for count in range(first, first + 100)
            ).encode()
        )
        for count in range(first, first + 100):
            source.response(f"flood-{count}")


def stalled_client(port: int) -> socket.socket:
    """Logs in, asks for all events, and reads no more."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(
        f"Action: Login\r\nActionID: 1\r\nUsername: {DIALER}\r\nSecret: {AMI_SECRET}\r\n"
        "Events: on\r\n\r\n".encode()
    )
    said = b""
    while b"Authentication accepted" not in said:
        said += client.recv(4096)
    return client


def is_cut(client: socket.socket) -> bool:
    """Whether the other side has ended the connection."""
    client.settimeout(10)
    with suppress(ConnectionError):
        while client.recv(65536):
            pass
        return True
    return True


def resident_kib(bridge: Bridge) -> int:
    status = Path(f"/proc/{bridge.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
