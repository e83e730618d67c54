"""The gateway to a real Asterisk: TLS, MD5 logins, long answers, one call asked twice.

The wire between is what dialers see; what becomes of calls by every other way is in `test_ways`.
"""

from __future__ import annotations

import hashlib
import itertools
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from tests.doors.certificates import Pair, self_signed

from bench.bridge import Bridge, moved_ports
from bench.configuration import (
    AMI_SECRET,
    AMI_USER,
    DIALER,
    DIALWARDEN,
    Places,
    configuration_files,
)
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot
from bench.trunk import Outcome, Trunk
from client import RawClient
from office import (
    CAMPAIGN,
    DIALPLAN,
    MOBILE,
    OTHER,
    Start,
    attempt_states,
    bypasses,
    config,
    until,
    until_answered,
)

STRANGER = "33612999999"
TLS_NAME = "asterisk.test"


class Talk:
    """An AMI connection that asks and gives the very bytes of the answer; not logged in."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self._ids = (f"talk-{count}" for count in itertools.count(1))
        self.banner = self._until(b"\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @classmethod
    def to(cls, port: int, ca: Path | None = None) -> Self:
        sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        if ca is not None:
            context = ssl.create_default_context(cafile=str(ca))
            return cls(context.wrap_socket(sock, server_hostname=TLS_NAME))
        return cls(sock)

    def ask(self, *headers: str) -> bytes:
        """The response to an action, without the line of its ActionID."""
        line = f"ActionID: {next(self._ids)}"
        self._socket.sendall("\r\n".join([headers[0], line, *headers[1:], "", ""]).encode())
        while True:
            message = self._until(b"\r\n\r\n")
            lines = message.split(b"\r\n")
            if line.encode() in lines and lines[0].startswith(b"Response:"):
                lines.remove(line.encode())
                return b"\r\n".join(lines)

    def login(self, secret: str) -> bytes:
        """Log in by the MD5 challenge, as it is answered."""
        challenge = self.ask("Action: Challenge", "AuthType: MD5").split(b"Challenge: ")[1]
        key = hashlib.md5(challenge.strip() + secret.encode()).hexdigest()
        return self.ask(
            "Action: Login", "AuthType: MD5", f"Username: {DIALER}", f"Key: {key}", "Events: off"
        )

    def originate(self, channel: str, *more: str) -> bytes:
        return self.ask(
            "Action: Originate", f"Channel: {channel}", "Application: Wait", "Data: 60",
            "Async: true", *more,
        )  # fmt: skip

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            chunk = self._socket.recv(65536)
            if not chunk:
                raise EOFError("the AMI connection was closed")
            self._buffer += chunk
        found, _, self._buffer = self._buffer.partition(end)
        return found


# TLS, to Asterisk and to the client -------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return self_signed(tmp_path_factory.mktemp("tls"), TLS_NAME)


@pytest.fixture(scope="module")
def tls_port() -> int:
    return free_tcp_port()


@pytest.fixture(scope="module")
def tls_office(
    asterisk_root: AsteriskRoot, trunks: dict[str, Trunk], pair: Pair, tls_port: int
) -> Iterator[Pbx]:
    """An Asterisk whose AMI speaks TLS too."""

    def files(places: Places) -> dict[str, str]:
        plain = configuration_files(places, shipped="", dialplan="", trunks={})["manager.conf"]
        etc = f"{places.directory}/etc"
        secure = (
            f"tlsenable=yes\ntlsbindaddr=127.0.0.1:{tls_port}\n"
            f"tlscertfile={etc}/ami.pem\ntlsprivatekey={etc}/ami.key\n"
        )
        return {
            "manager.conf": plain.replace("[general]\n", f"[general]\n{secure}"),
            "ami.pem": pair.cert.read_text(),
            "ami.key": pair.key.read_text(),
        }

    with Pbx.start(
        asterisk_root,
        dialplan=DIALPLAN,
        bridge_port=free_tcp_port(),
        trunks={name: one.port for name, one in trunks.items()},
        files=files,
    ) as pbx:
        yield pbx


@pytest.fixture
def tls_bridge(tls_office: Pbx, pair: Pair, tls_port: int, tmp_path: Path) -> Iterator[Bridge]:
    text = config().replace(
        "[gateway]\n", '[gateway]\ntls_cert = "server.pem"\ntls_key = "server.key"\n'
    )
    text = text.replace("[ami]\n", f'[ami]\nca = "server.pem"\ntls_name = "{TLS_NAME}"\n')
    ports = moved_ports(agi=tls_office.bridge_port, ami=tls_port)
    for file in (pair.cert, pair.key):
        (tmp_path / file.name).write_text(file.read_text())
    with Bridge.start(text, tmp_path, ports=ports) as bridge:
        bridge.import_list("house", [OTHER])
        bridge.wait_ready()
        yield bridge
    tls_office.hang_up_all()


def test_over_tls_on_both_sides_calls_are_judged_relayed_and_guarded(
    tls_office: Pbx, trunk: Trunk, tls_bridge: Bridge, pair: Pair
) -> None:
    with Talk.to(tls_bridge.gateway_port, pair.cert) as client:
        assert client.banner.startswith(b"Asterisk Call Manager/")
        assert client.login(AMI_SECRET).startswith(b"Response: Success")
        refused = client.originate(f"PJSIP/{OTHER}@carrier")
        assert refused.startswith(b"Response: Error\r\nMessage: dialwarden: opposition: ")
        assert client.originate(f"PJSIP/{MOBILE}@carrier").startswith(b"Response: Success")
        trunk.wait_invite(MOBILE)
    trunk.on(STRANGER, Outcome.TRYING)
    tls_office.dial(STRANGER, "forgot")
    late = trunk.wait_invite(STRANGER)
    trunk.wait(lambda: late.cancelled_at is not None, what="the CANCEL of who did not ask")
    assert trunk.invites(OTHER) == []
    assert len(tls_bridge.listed("attempts", "list")) == 1


def test_a_client_without_tls_gets_nothing_from_a_gateway_with_it(tls_bridge: Bridge) -> None:
    with socket.create_connection(("127.0.0.1", tls_bridge.gateway_port), timeout=30) as sock:
        sock.sendall(b"Action: Ping\r\n\r\n")
        with pytest.raises((EOFError, ConnectionError)):
            Talk(sock)


# Logins -----------------------------------------------------------------------------------------


def test_a_client_is_who_its_md5_login_says(office: Pbx, trunk: Trunk, start: Start) -> None:
    bridge = start()
    with Talk.to(bridge.gateway_port) as client:
        wrong = client.login("another secret")
        assert wrong == b"Response: Error\r\nMessage: Authentication failed"
    with Talk.to(bridge.gateway_port) as client:
        early = client.originate(f"PJSIP/{MOBILE}@carrier")
        assert early == b"Response: Error\r\nMessage: Permission denied"
        assert client.login(AMI_SECRET).startswith(b"Response: Success")
        named = "Variable: DIALWARDEN_CAMPAIGN=not-its-own"
        told = client.originate(f"PJSIP/{MOBILE}@carrier", named)
        assert told.startswith(b"Response: Error\r\nMessage: dialwarden: campaign: ")
        assert client.originate(f"PJSIP/{MOBILE}@carrier").startswith(b"Response: Success")
    trunk.wait_invite(MOBILE)
    assert len(trunk.invites()) == 1
    refusals = bridge.listed("refusals", "--rule", "campaign")
    assert [str(row["asked_by"]).partition("@")[0] for row in refusals] == [DIALER]


def test_whom_asterisk_does_not_permit_to_originate_counts_for_nothing(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    """Its rights are Asterisk's to keep; what was reserved meanwhile is taken back."""
    entry = f'{DIALER} = ["{CAMPAIGN}"]\n'
    assert entry in config()
    bridge = start(config().replace(entry, f'{DIALWARDEN} = ["{CAMPAIGN}"]\n'))
    with RawClient(bridge.gateway_port, DIALWARDEN) as client:
        response = client.action(
            ("Action", "Originate"), ("Channel", f"PJSIP/{MOBILE}@carrier"),
            ("Application", "Wait"), ("Data", "60"), ("Async", "true"),
        )  # fmt: skip
    assert (response["response"], response["message"]) == ("Error", "Permission denied")
    until(lambda: attempt_states(bridge) == [("voided", None)], "voided")
    assert trunk.invites() == []


# What comes back --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "lines"), [("core show applications", 50), ("core show help", 200), ("nonsense", 1)]
)
def test_a_commands_output_is_asterisks_to_the_byte(
    office: Pbx, start: Start, line: str, lines: int
) -> None:
    bridge = start()
    said = []
    for port in (office.ami_port, bridge.gateway_port):
        with Talk.to(port) as client:
            login = client.ask("Action: Login", f"Username: {AMI_USER}", f"Secret: {AMI_SECRET}")
            assert login.startswith(b"Response: Success")
            said.append(client.ask("Action: Command", f"Command: {line}"))
    direct, relayed = said
    assert relayed == direct
    assert direct.count(b"\r\nOutput: ") >= lines


# One call, asked about at two doors -------------------------------------------------------------

BOTH_DOORS = config().replace(
    'dial = ["PJSIP/{number}@carrier", ',
    'dial = ["Local/{number}@two-trunks", "PJSIP/{number}@carrier", ',
)


@pytest.mark.parametrize("first", [Outcome.ANSWER, Outcome.REJECT])
def test_a_call_judged_by_the_gateway_and_then_by_the_dialplan_is_one_attempt(
    office: Pbx, trunk: Trunk, second_trunk: Trunk, start: Start, first: Outcome
) -> None:
    bridge = start(BOTH_DOORS)
    trunk.on(MOBILE, first)
    failed_over = first is Outcome.REJECT
    with RawClient(bridge.gateway_port) as client:
        response = client.action(
            ("Action", "Originate"), ("Channel", f"Local/{MOBILE}@two-trunks/n"),
            ("Application", "Wait"), ("Data", "60"), ("Async", "true"),
        )  # fmt: skip
        assert response["response"] == "Success"
        last = second_trunk if failed_over else trunk
        last.wait_invite(MOBILE)
        until_answered(bridge)
    office.hang_up_all()
    until(lambda: attempt_states(bridge) == [("settled", "answered")], "one attempt, answered")
    assert len(trunk.invites(MOBILE)) == 1
    assert len(second_trunk.invites(MOBILE)) == failed_over
    assert bypasses(bridge) == []


def test_the_gateway_refuses_what_the_dialplan_would_have(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    bridge = start(BOTH_DOORS)
    with RawClient(bridge.gateway_port) as client:
        response = client.action(
            ("Action", "Originate"), ("Channel", f"Local/{OTHER}@two-trunks/n"),
            ("Application", "Wait"), ("Data", "60"),
        )  # fmt: skip
    assert response["message"].startswith("dialwarden: opposition: ")
    (refusal,) = bridge.listed("refusals")
    assert refusal["door"] == "gateway"
    assert trunk.invites() == []


# A permit that is still good, for another number ------------------------------------------------


def test_a_permit_that_may_still_be_dialled_lets_no_other_number_out(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    """The trunk failed, so its permit leaves the call to another trunk, and to nobody else."""
    bridge = start()
    trunk.on(MOBILE, Outcome.REJECT)
    trunk.on(STRANGER, Outcome.TRYING)
    for port, number in ((bridge.gateway_port, MOBILE), (office.ami_port, STRANGER)):
        since = office.ami.mark()
        with RawClient(port) as client:
            response = client.action(
                ("Action", "Originate"), ("Channel", f"PJSIP/{number}@carrier"),
                ("ChannelId", "permit-1"), ("Application", "Wait"), ("Data", "60"),
                ("Async", "true"),
            )  # fmt: skip
        assert response["response"] == "Success"
        office.ami.wait(
            lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == "permit-1",
            since=since,
        )
    assert all(one.answered_at is None for one in trunk.invites(STRANGER))
    until(lambda: len(bypasses(bridge)) == 1, "the bypass on record")
    assert bypasses(bridge)[0]["number"] == f"+{STRANGER}"
    assert [row["number"] for row in bridge.listed("attempts", "list")] == [f"+{MOBILE}"]
