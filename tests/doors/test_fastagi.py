"""The FastAGI server on loopback sockets, on asyncio and on uvloop, with peers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.doors.both_loops import on_both_loops

from dialwarden.doors import agi_conversation
from dialwarden.doors.agi_conversation import Trouble
from dialwarden.doors.fastagi import SWEEP_S, FastAgiServer, FastAgiSettings
from dialwarden.doors.listening import listen
from dialwarden.wire.agi_request import ENVIRONMENT_LIMIT_BYTES, AgiRequest

Answer = Callable[[AgiRequest, str], Awaitable[Mapping[str, str]]]

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: check\nagi_uniqueid: 1700.1\nagi_callerid: 100\n"
    b"agi_arg_1: number=%s\n\n"
)
OK = b"200 result=1\n"
FOREVER = 60.0


@dataclass
class Bridge:
    """A server under test, and what it told its gate."""

    server: FastAgiServer
    port: int = 0
    asked: list[AgiRequest] = field(default_factory=list)
    undelivered: list[tuple[str, Trouble]] = field(default_factory=list)
    unavailable: list[Trouble] = field(default_factory=list)


async def allow(request: AgiRequest, peer: str) -> Mapping[str, str]:
    return {"DIALWARDEN_VERDICT": "ALLOW", "DIALWARDEN_NUMBER": request.arguments["number"]}


async def refuse(request: AgiRequest, peer: str) -> Mapping[str, str]:
    return {"DIALWARDEN_VERDICT": "REFUSE", "DIALWARDEN_REASON": "4 of 4 (limit), so no"}


async def never(request: AgiRequest, peer: str) -> Mapping[str, str]:
    await asyncio.sleep(FOREVER)
    return {"DIALWARDEN_VERDICT": "ALLOW"}


@contextlib.asynccontextmanager
async def serving(answer: Answer, **limits: Any) -> AsyncIterator[Bridge]:
    def ask(request: AgiRequest, peer: str) -> Awaitable[Mapping[str, str]]:
        bridge.asked.append(request)
        return answer(request, peer)

    def unavailable(request: AgiRequest, why: Trouble) -> Mapping[str, str]:
        bridge.unavailable.append(why)
        return {"DIALWARDEN_VERDICT": "REFUSE", "DIALWARDEN_RULE": "unavailable"}

    bridge = Bridge(
        FastAgiServer(
            ask,
            unavailable=unavailable,
            undelivered=lambda request, why: bridge.undelivered.append((request.uniqueid, why)),
            settings=FastAgiSettings(**limits),
        )
    )
    sock = listen("127.0.0.1:0")
    bridge.port = sock.getsockname()[1]
    await bridge.server.start(sock)
    try:
        yield bridge
    finally:
        await bridge.server.stop(grace_s=0.2)
        assert bridge.server.open_connections == 0


class Peer:
    """A scripted Asterisk."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def line(self) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), 10)

    async def variables(self) -> dict[str, str]:
        """Read one command; the values of these tests hold commas only within quotes."""
        command = await self.line()
        names, words = re.fullmatch(rb'SET VARIABLE ARRAY\((.*)\) "(.*)"\n', command).groups()  # type: ignore[union-attr]
        values = re.findall(r'(?:^|,)(?:"([^"]*)"|([^",]*))', words.decode().replace("\\", ""))
        return dict(zip(names.decode().split(","), map("".join, values), strict=True))

    async def rest(self) -> bytes:
        """Everything until the server closes; a reset counts as a close."""
        received = b""
        with contextlib.suppress(ConnectionError):
            while chunk := await asyncio.wait_for(self.reader.read(65536), 10):
                received += chunk
        return received

    def reset(self) -> None:
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def calling(bridge: Bridge, sent: bytes = b"") -> AsyncIterator[Peer]:
    peer = Peer(*await asyncio.open_connection("127.0.0.1", bridge.port))
    try:
        await peer.send(sent)
        yield peer
    finally:
        peer.writer.close()
        with contextlib.suppress(ConnectionError):
            await peer.writer.wait_closed()


async def whole_call(bridge: Bridge, number: bytes = b"0612345678") -> dict[str, str]:
    async with calling(bridge, ENVIRONMENT % number) as peer:
        variables = await peer.variables()
        await peer.send(OK)
        assert await peer.rest() == b""
        return variables


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a condition of another's state
            await asyncio.sleep(0.005)


# Connect and close comes first: it froze a server that we know for ever.


@on_both_loops
async def test_connect_and_close_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(allow) as bridge:
        for _ in range(50):
            async with calling(bridge):
                pass
        await until(lambda: bridge.server.counters.accepted == 50)
        await until(lambda: bridge.server.open_connections == 0)
        assert (await whole_call(bridge))["DIALWARDEN_VERDICT"] == "ALLOW"
    assert bridge.server.counters.protocol_errors == 0
    assert caplog.records == []


@on_both_loops
async def test_connect_and_reset_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(allow) as bridge:
        for _ in range(50):
            async with calling(bridge) as peer:
                peer.reset()
        assert (await whole_call(bridge))["DIALWARDEN_VERDICT"] == "ALLOW"
        await until(lambda: bridge.server.open_connections == 0)
    assert caplog.records == []


# One question.


@on_both_loops
async def test_a_question_gets_one_command_and_the_connection_ends_after_its_reply() -> None:
    async with serving(refuse) as bridge:
        assert await whole_call(bridge) == {
            "DIALWARDEN_VERDICT": "REFUSE", "DIALWARDEN_REASON": "4 of 4 (limit), so no",
        }  # fmt: skip
        counters = bridge.server.counters
        assert (counters.asked, counters.answered, counters.confirmed) == (1, 1, 1)
    assert bridge.undelivered == []
    assert bridge.unavailable == []


@on_both_loops
async def test_an_environment_in_single_bytes_is_a_question() -> None:
    async with serving(allow) as bridge, calling(bridge) as peer:
        for byte in ENVIRONMENT % b"06":
            await peer.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await peer.variables())["DIALWARDEN_NUMBER"] == "06"


@on_both_loops
async def test_an_environment_whose_end_is_late_is_a_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agi_conversation, "DOZE_S", 0.01)
    environment = ENVIRONMENT % (b"06\nagi_arg_2: x=" + b"y" * 1000)
    async with serving(allow, environment_timeout_s=10.0) as bridge, calling(bridge) as peer:
        for part in (environment[:-40], environment[-40:-1], environment[-1:]):
            await peer.send(part)
            await asyncio.sleep(4 * SWEEP_S)  # as when a segment was lost
        assert (await peer.variables())["DIALWARDEN_NUMBER"] == "06"


@pytest.mark.parametrize("before", [b"", b"HANGUP\n"])
@pytest.mark.parametrize("reply", [OK, b"HANGUP\n" + OK, OK + b"HANGUP\n"])
@on_both_loops
async def test_a_hangup_in_line_is_no_reply(before: bytes, reply: bytes) -> None:
    async with serving(allow) as bridge:
        async with calling(bridge, ENVIRONMENT % b"06" + before) as peer:
            await peer.variables()
            await peer.send(reply)
            assert await peer.rest() == b""
        assert bridge.server.counters.confirmed == 1
    assert bridge.undelivered == []


@on_both_loops
async def test_a_future_will_do_for_an_answer() -> None:
    def later(request: AgiRequest, peer: str) -> asyncio.Future[Mapping[str, str]]:
        future: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_result, {"V": peer})
        return future

    async with serving(later) as bridge:
        assert re.fullmatch(r"127\.0\.0\.1:\d+", (await whole_call(bridge))["V"])


@on_both_loops
async def test_two_hundred_calls_at_once_each_get_their_own_answer() -> None:
    async def slowly(request: AgiRequest, peer: str) -> Mapping[str, str]:
        await asyncio.sleep(0.01)
        return await allow(request, peer)

    async with serving(slowly) as bridge:
        numbers = [b"%010d" % n for n in range(200)]
        answers = await asyncio.gather(*(whole_call(bridge, number) for number in numbers))
    assert [a["DIALWARDEN_NUMBER"].encode() for a in answers] == numbers
    assert bridge.undelivered == []


# The gate is late, fails, or cannot be asked.


@on_both_loops
async def test_a_late_gate_is_cancelled_and_the_call_refused_as_unavailable() -> None:
    cancelled = asyncio.Event()

    async def late(request: AgiRequest, peer: str) -> Mapping[str, str]:
        try:
            return await never(request, peer)
        finally:
            cancelled.set()

    async with serving(late, question_deadline_s=0.05) as bridge:
        assert await whole_call(bridge) == {
            "DIALWARDEN_VERDICT": "REFUSE", "DIALWARDEN_RULE": "unavailable",
        }  # fmt: skip
        assert cancelled.is_set()
        assert bridge.server.counters.question_timeouts == 1
    assert bridge.unavailable == [Trouble.LATE]
    assert bridge.undelivered == [("1700.1", Trouble.LATE)]


@on_both_loops
async def test_an_allow_after_the_deadline_never_leaves_and_is_reported_when_it_ends() -> None:
    go_on = asyncio.Event()

    async def stubborn(request: AgiRequest, peer: str) -> Mapping[str, str]:
        try:
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            await go_on.wait()
        return await allow(request, peer)

    async with serving(stubborn, question_deadline_s=0.05) as bridge:
        assert (await whole_call(bridge))["DIALWARDEN_RULE"] == "unavailable"
        assert bridge.undelivered == []  # it may still be reserving
        go_on.set()
        await until(lambda: bridge.undelivered)
    assert bridge.undelivered == [("1700.1", Trouble.LATE)]


def _raises(request: AgiRequest, peer: str) -> Awaitable[Mapping[str, str]]:
    raise RuntimeError("before the first await")


async def _raises_later(request: AgiRequest, peer: str) -> Mapping[str, str]:
    await asyncio.sleep(0)
    raise RuntimeError("later")


async def _cancels_itself(request: AgiRequest, peer: str) -> Mapping[str, str]:
    raise asyncio.CancelledError


def _answering(values: Any) -> Answer:
    async def answer(request: AgiRequest, peer: str) -> Mapping[str, str]:
        return values  # type: ignore[no-any-return]

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        _raises,
        _raises_later,
        _cancels_itself,
        _answering(None),
        _answering({}),
        _answering({"not a name": "ALLOW"}),
        _answering({"DIALWARDEN_VERDICT": None}),
        _answering({"DIALWARDEN_VERDICT": "A" * 5000}),
    ],
)
@on_both_loops
async def test_a_gate_that_fails_is_a_refusal_and_an_error_in_the_log(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(answer) as bridge:
        assert (await whole_call(bridge))["DIALWARDEN_RULE"] == "unavailable"
    assert bridge.unavailable == [Trouble.FAILED]
    assert bridge.undelivered == [("1700.1", Trouble.FAILED)]
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "1700.1" in record.getMessage()
    assert record.exc_info


@on_both_loops
async def test_an_ambiguous_question_is_the_gates_to_refuse() -> None:
    async with serving(refuse) as bridge:
        await whole_call(bridge, b"06\nagi_arg_2: number=07")
    assert bridge.asked[0].faults == ("'number' is given twice",)


@on_both_loops
async def test_hooks_that_raise_close_without_a_word() -> None:
    def broken(request: AgiRequest, why: Trouble) -> Any:
        raise RuntimeError("hook")

    server = FastAgiServer(_raises_later, unavailable=broken, undelivered=broken)
    sock = listen("127.0.0.1:0")
    bridge = Bridge(server, sock.getsockname()[1])
    await server.start(sock)
    async with calling(bridge, ENVIRONMENT % b"06") as peer:
        assert await peer.rest() == b""
    await server.stop()


@on_both_loops
async def test_a_long_reason_is_cut_and_the_verdict_whole() -> None:
    values = {"DIALWARDEN_VERDICT": "REFUSE", "DIALWARDEN_REASON": "a, b " * 2000}
    async with serving(_answering(values)) as bridge:
        variables = await whole_call(bridge)
    assert variables["DIALWARDEN_VERDICT"] == "REFUSE"
    assert variables["DIALWARDEN_REASON"].endswith("…")


# Peers that leave, stall or lie.


@pytest.mark.parametrize("how", ["half close", "close", "reset", "garbage"])
@on_both_loops
async def test_a_peer_gone_before_its_verdict_is_reported_once(how: str) -> None:
    async with serving(never) as bridge:
        async with calling(bridge, ENVIRONMENT % b"06") as peer:
            await until(lambda: bridge.asked)
            if how == "half close":
                peer.writer.write_eof()
                assert await peer.rest() == b""
            elif how == "reset":
                peer.reset()
            elif how == "garbage":
                await peer.send(b"GET / HTTP/1.1\n")
                assert await peer.rest() == b""
        await until(lambda: bridge.undelivered)
        await until(lambda: bridge.server.open_connections == 0)
    assert bridge.undelivered == [("1700.1", Trouble.GONE)]
    assert bridge.server.counters.answered == 0
    assert bridge.unavailable == []


@on_both_loops
async def test_a_peer_gone_in_the_turn_of_its_verdict_is_reported_or_unconfirmed() -> None:
    sock = socket.socket()

    async def too_late(request: AgiRequest, peer: str) -> Mapping[str, str]:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()  # a reset, which the server has no time to see
        return await allow(request, peer)

    async with serving(too_late) as bridge:
        sock.connect(("127.0.0.1", bridge.port))
        sock.sendall(ENVIRONMENT % b"06")
        await until(lambda: bridge.asked and not bridge.server.open_connections)
    reported = bridge.undelivered == [("1700.1", Trouble.GONE)]
    assert reported != (bridge.server.counters.unconfirmed == 1)
    assert reported != (bridge.server.counters.answered == 1)


@on_both_loops
async def test_a_peer_that_half_closed_with_its_question_gets_no_allow() -> None:
    async with serving(never) as bridge, calling(bridge, ENVIRONMENT % b"06") as peer:
        peer.writer.write_eof()
        assert await peer.rest() == b""


@pytest.mark.parametrize(
    "reply",
    [b"510 Invalid\n", b"511 Command Not Permitted\n", b"520-x\ny\n520 End of proper usage.\n"],
)
@on_both_loops
async def test_a_verdict_that_asterisk_rejects_is_reported(
    reply: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(allow) as bridge, calling(bridge, ENVIRONMENT % b"06") as peer:
        await peer.variables()
        await peer.send(reply)
        assert await peer.rest() == b""
        assert bridge.undelivered == [("1700.1", Trouble.REJECTED)]
        assert bridge.server.counters.rejected == 1
    assert "did not take the verdict" in caplog.text


@pytest.mark.parametrize("reply", [b"", b"200 resu", b"HANGUP\n", b"no reply\n"])
@on_both_loops
async def test_a_verdict_that_left_and_was_never_confirmed_counts_as_delivered(
    reply: bytes,
) -> None:
    async with serving(allow) as bridge:
        async with calling(bridge, ENVIRONMENT % b"06") as peer:
            await peer.variables()
            await peer.send(reply)
        await until(lambda: bridge.server.counters.unconfirmed == 1)
    assert bridge.undelivered == []


@on_both_loops
async def test_a_peer_that_stalls_in_its_environment_is_closed() -> None:
    async with serving(allow, environment_timeout_s=0.05) as bridge:
        for stalled in (b"", b"agi_network: yes\n", ENVIRONMENT[:-1]):
            async with calling(bridge, stalled) as peer:
                assert await peer.rest() == b""
        assert bridge.server.counters.environment_timeouts == 3
    assert bridge.asked == []


@on_both_loops
async def test_a_peer_that_never_replies_is_closed() -> None:
    async with serving(allow, reply_timeout_s=0.05) as bridge:
        async with calling(bridge, ENVIRONMENT % b"06") as peer:
            await peer.line()
            assert await peer.rest() == b""
        assert bridge.server.counters.reply_timeouts == 1


@on_both_loops
async def test_a_peer_that_reads_nothing_holds_nothing() -> None:
    async with serving(allow, reply_timeout_s=0.05) as bridge:
        sock = socket.create_connection(("127.0.0.1", bridge.port))
        sock.sendall(ENVIRONMENT % b"06")
        await until(lambda: bridge.server.counters.reply_timeouts == 1)
        await until(lambda: bridge.server.open_connections == 0)
        sock.close()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (
            b"agi_" + b"x" * (1 << 20),
            rf"AGI environment: \d+ bytes \(limit {ENVIRONMENT_LIMIT_BYTES}",
        ),
        (b"\x16\x03\x01\x00\xf5\x01", r"this is not AGI: '\\x16\\x03\\x01"),
        (b"GET /\x1b[2J HTTP/1.1\r\n\r\n", r"this is not AGI: 'GET /\\x1b\[2J HTTP"),
    ],
)
@on_both_loops
async def test_what_is_not_agi_is_closed_with_a_warning_that_names_peer_and_limit(
    sent: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(allow) as bridge, calling(bridge, sent) as peer:
        assert await peer.rest() == b""
        assert bridge.server.counters.protocol_errors == 1
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert re.match(r"127\.0\.0\.1:\d+: " + words, record.getMessage())
    assert "\x1b" not in record.getMessage()


@on_both_loops
async def test_a_flood_of_garbage_is_a_handful_of_lines(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(allow) as bridge:
        for _ in range(40):
            async with calling(bridge, b"\xff\xff\xff\xff") as peer:
                assert await peer.rest() == b""
        assert bridge.server.counters.protocol_errors == 40
    assert len(caplog.records) < 10


# Who may connect, and how many.


@on_both_loops
async def test_a_stranger_is_closed_at_once_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    async with serving(allow, allow_from=networks) as bridge:
        for _ in range(3):
            async with calling(bridge, ENVIRONMENT % b"06") as peer:
                assert await peer.rest() == b""
        assert bridge.server.counters.refused_peer == 3
    assert bridge.asked == []
    [record] = caplog.records
    assert "'127.0.0.1' is not in allow_from (10.0.0.0/8, ::1/128)" in record.getMessage()


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("127.0.0.1", True),
        ("127.255.255.255", True),
        ("128.0.0.1", False),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", True),
        ("::1", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_only_the_allowed_networks_are_admitted(host: str, admitted: bool) -> None:
    networks = (ip_network("127.0.0.0/8"), ip_network("fe80::/10"))
    server = FastAgiServer(
        allow, unavailable=lambda *_: {}, settings=FastAgiSettings(allow_from=networks)
    )
    assert [server.admits(host), server.admits(host)] == [admitted, admitted]
    assert server.counters.refused_peer == (0 if admitted else 2)


@on_both_loops
async def test_the_connection_over_the_limit_is_closed_at_once_and_the_others_live_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(allow, max_connections=2) as bridge:
        async with calling(bridge) as first, calling(bridge):
            await until(lambda: bridge.server.open_connections == 2)
            async with calling(bridge, ENVIRONMENT % b"06") as third:
                assert await third.rest() == b""
            await first.send(ENVIRONMENT % b"07")
            assert (await first.variables())["DIALWARDEN_NUMBER"] == "07"
        await until(lambda: bridge.server.open_connections == 0)
        assert await whole_call(bridge)
        assert bridge.server.counters.refused_limit == 1
    assert "2 connections are open (limit 2)" in caplog.text


# The end.


@on_both_loops
async def test_stop_answers_the_calls_in_flight_and_accepts_no_other() -> None:
    release = asyncio.Event()

    async def held(request: AgiRequest, peer: str) -> Mapping[str, str]:
        await release.wait()
        return await allow(request, peer)

    async with serving(held, question_deadline_s=FOREVER) as bridge:
        calls = [asyncio.ensure_future(whole_call(bridge, b"%d" % n)) for n in range(20)]
        await until(lambda: len(bridge.asked) == 20)
        # Asterisk has connected, and will ask: it is in flight as well.
        async with calling(bridge) as latecomer:
            await until(lambda: bridge.server.open_connections == 21)
            stopping = asyncio.ensure_future(bridge.server.stop(grace_s=FOREVER))
            await asyncio.sleep(0.02)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", bridge.port)
            release.set()
            await latecomer.send(ENVIRONMENT % b"99")
            assert (await latecomer.variables())["DIALWARDEN_NUMBER"] == "99"
            await latecomer.send(OK)
            answers = await asyncio.gather(*calls)
            await asyncio.wait_for(stopping, 10)
    assert [a["DIALWARDEN_NUMBER"] for a in answers] == [str(n) for n in range(20)]


@on_both_loops
async def test_connections_accepted_in_the_turn_of_the_stop_are_answered() -> None:
    async with serving(allow) as bridge:
        socks = [socket.create_connection(("127.0.0.1", bridge.port)) for _ in range(30)]
        for sock in socks:
            sock.setblocking(False)
            sock.send(ENVIRONMENT % b"06")
        await until(lambda: bridge.server.counters.accepted)
        await bridge.server.stop(grace_s=0.2)
        assert bridge.server.counters.accepted == bridge.server.counters.answered
        for sock in socks:
            sock.close()


@on_both_loops
async def test_after_the_grace_what_is_left_is_refused_and_closed() -> None:
    async with (
        serving(never, question_deadline_s=FOREVER) as bridge,
        calling(bridge) as silent,
        calling(bridge, ENVIRONMENT % b"06") as asking,
    ):
        await until(lambda: bridge.asked)
        await bridge.server.stop(grace_s=0.05)
        assert (await asking.variables())["DIALWARDEN_RULE"] == "unavailable"
        assert await silent.rest() == b""
        assert await asking.rest() == b""
    assert bridge.unavailable == [Trouble.STOPPING]
    assert bridge.undelivered == [("1700.1", Trouble.STOPPING)]


@on_both_loops
async def test_a_gate_that_ignores_its_cancellation_does_not_hold_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_go = asyncio.Event()

    async def deaf(request: AgiRequest, peer: str) -> Mapping[str, str]:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await let_go.wait()
        return {}

    async with serving(deaf, question_deadline_s=0.05) as bridge:
        await whole_call(bridge)
        await asyncio.wait_for(bridge.server.stop(grace_s=0.05), 10)
        assert "1 questions do not end although cancelled" in caplog.text
        let_go.set()
        await until(lambda: bridge.undelivered)


# Any bytes at all.

# Each is a conversation of its own; DIALWARDEN_EXAMPLES sets how many, for a long run.
EXAMPLES = int(os.environ.get("DIALWARDEN_EXAMPLES", "0"))
FRAGMENTS = st.sampled_from([
    ENVIRONMENT % b"06", ENVIRONMENT[:40], b"agi_network: yes\n", b"agi_arg_1: number=06\n",
    b"\n\n", b"HANGUP\n", OK, b"510 x\n", b"520-x\n", b"\0", b"DIALWARDEN_VERDICT=ALLOW\n",
])  # fmt: skip


@given(
    chunks=st.lists(st.one_of(FRAGMENTS, st.binary(max_size=64)), max_size=6),
    half_close=st.booleans(),
)
@settings(
    max_examples=EXAMPLES or 25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@on_both_loops
async def test_any_bytes_get_a_refusal_or_a_clean_close_never_an_allow(
    chunks: list[bytes], half_close: bool
) -> None:
    limits = {"environment_timeout_s": 0.05, "reply_timeout_s": 0.05, "question_deadline_s": 0.05}
    async with serving(refuse, **limits) as bridge:
        async with calling(bridge) as peer:
            for chunk in chunks:
                await peer.send(chunk)
            if half_close:
                with contextlib.suppress(OSError):
                    peer.writer.write_eof()
            received = await peer.rest()
        assert received == b"" or re.fullmatch(
            rb'SET VARIABLE ARRAY\([A-Z_,]*\) "REFUSE,[^\n]*"\n', received
        )
        assert b"ALLOW" not in received
        await until(lambda: bridge.server.open_connections == 0)


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
