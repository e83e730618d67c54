"""What monitoring is told, as text over a real socket; and that no request harms it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.doors.health import (
    AmiHealth,
    ConfigHealth,
    Health,
    LedgerHealth,
    ListHealth,
    Status,
    document,
    health_page,
    line_of,
)
from dialwarden.doors.http_server import Asked, HttpServer, Page
from dialwarden.doors.listening import listen
from dialwarden.ledger.overrides import Override
from dialwarden.settings.sections import GuardMode
from dialwarden.verdict import Rule

SINCE = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
UP = AmiHealth(up=True, since=SINCE, status="connected to 127.0.0.1:5038", audited=True)
DOWN = AmiHealth(up=False, since=SINCE, status="127.0.0.1:5038 refused the connection")
UNAUDITED = AmiHealth(up=True, since=SINCE, status="connected", audited=False)
NO_LEDGER = LedgerHealth(available=False, why="disk full")
STALE = ListHealth(
    "bloctel", date(2026, 10, 1), 32, 30, 7, SINCE, stale=True, why="list bloctel is too old"
)
SHADOWED = ListHealth("rpo", stale=True)


def health(guard: GuardMode = GuardMode.HANGUP, ami: AmiHealth | None = UP, **more: Any) -> Health:
    return Health(version="1.2.3", guard=guard, ami=ami, **more)


@pytest.mark.parametrize(
    ("health", "status"),
    [
        (health(), Status.READY),
        (health(GuardMode.REPORT), Status.READY),
        (health(GuardMode.OFF), Status.READY),
        (health(ami=None), Status.READY),
        (health(alarm=True), Status.DEGRADED),
        (health(ledger=NO_LEDGER), Status.DEGRADED),
        (health(GuardMode.OFF, ledger=NO_LEDGER), Status.DEGRADED),
        (health(ami=None, ledger=NO_LEDGER), Status.DEGRADED),
        (health(lists=(SHADOWED, STALE)), Status.DEGRADED),
        (health(lists=(SHADOWED,)), Status.READY),
        (health(lines_lost=9), Status.READY),
        (health(config=ConfigHealth(taken=False)), Status.READY),
        (health(ami=DOWN, lists=(STALE,)), Status.BLIND),
        (health(ami=DOWN), Status.BLIND),
        (health(GuardMode.REPORT, DOWN), Status.BLIND),
        (health(ami=UNAUDITED), Status.BLIND),
        (health(ami=DOWN, alarm=True, ledger=NO_LEDGER), Status.BLIND),
        (health(ami=AmiHealth(up=False)), Status.BLIND),
        # Nobody is to look, so nobody is blind.
        (health(GuardMode.OFF, DOWN), Status.READY),
        (health(GuardMode.OFF, UNAUDITED), Status.READY),
    ],
    ids=str,
)
def test_the_status_is_the_worst_that_holds(health: Health, status: Status) -> None:
    assert health.status is status
    assert (health.why_blind != "") is (status is Status.BLIND)
    assert (health.why == ()) is (status is Status.READY)


def test_everything_is_told() -> None:
    config = ConfigHealth(SINCE, taken=False, campaigns=("energy", "trial"))
    everything = health(
        ami=DOWN, alarm=True, gateway_clients=3, ledger=NO_LEDGER, lists=(STALE, SHADOWED),
        config=config, lines_lost=4, shadow=("trial",), config_sha256="c0ffee",
    )  # fmt: skip
    assert document(everything) == {
        "status": "blind",
        "why": [
            "calls that never ask are not seen: 127.0.0.1:5038 refused the connection",
            "calls are refused: disk full",
            "calls leave without asking: dialwarden refusals --rule bypass --since 1h",
            "list bloctel is too old",
        ],
        "version": "1.2.3",
        "config_sha256": "c0ffee",
        "guard": {
            "mode": "hangup",
            "blind": True,
            "why": "127.0.0.1:5038 refused the connection",
            "alarm": True,
        },
        "ami": {
            "up": False,
            "since": "2026-11-02T09:30:00+00:00",
            "status": "127.0.0.1:5038 refused the connection",
        },
        "gateway": {"clients": 3},
        "ledger": {"available": False, "why": "disk full"},
        "shadow": ["trial"],
        "overrides": [],
        "lists": [
            {
                "name": "bloctel", "as_of": "2026-10-01", "age_days": 32, "limit_days": 30,
                "numbers": 7, "imported_at": "2026-11-02T09:30:00+00:00", "stale": True,
            },
            {
                "name": "rpo", "as_of": None, "age_days": None, "limit_days": None,
                "numbers": 0, "imported_at": None, "stale": True,
            },
        ],
        "config": {
            "read_at": "2026-11-02T09:30:00+00:00", "taken": False, "campaigns": 2,
        },
        "log": {"lines_lost": 4},
    }  # fmt: skip
    assert line_of(everything) == f"blind: {'; '.join(everything.why)}"


def test_what_is_let_go_is_told_and_alarms_nobody() -> None:
    override = Override(
        3, "energy", "acme", (Rule.HOLIDAY, Rule.HOURS), SINCE, SINCE + timedelta(hours=1),
        "Anna", "a flood",
    )  # fmt: skip
    well = health(shadow=("demo", "survey"), overrides=(override,))
    told = document(well)
    assert told["shadow"] == ["demo", "survey"]
    assert told["overrides"] == [
        {
            "id": 3,
            "campaign": "energy",
            "rules": ["holiday", "hours"],
            "until": "2026-11-02T10:30:00+00:00",
            "by": "Anna",
        }
    ]
    assert well.status is Status.READY


def test_what_is_not_configured_is_null() -> None:
    told = document(health(GuardMode.REPORT, None))
    assert (told["ami"], told["gateway"]) == (None, None)
    assert told["guard"] == {"mode": "report", "blind": False, "why": "", "alarm": False}


# --- over a socket


class Served:
    """A running server, and what it will report."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.health: Health | Exception = health()

    def report(self) -> Health:
        if isinstance(self.health, Exception):
            raise self.health
        return self.health

    async def say(self, *parts: bytes) -> bytes:
        """Send, one write a part; everything that came until the server closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0)
            async with asyncio.timeout(20):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def get(self, line: str = "GET /healthz HTTP/1.1", *headers: str) -> Answer:
        head = "\r\n".join((line, "Host: x", "Connection: close", *headers, "", ""))
        return Answer(await self.say(head.encode()))


class Answer:
    """One response."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        status, *headers = head.decode().split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {
            name.lower(): value for name, value in (header.split(": ") for header in headers)
        }


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    sock = listen("127.0.0.1:0")
    served = Served(sock.getsockname()[1])
    server = HttpServer({"/healthz": health_page(served.report)})
    await server.start(sock)
    try:
        yield served
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("health", "status"),
    [(health(), 200), (health(alarm=True), 200), (health(ami=DOWN), 503)],
    ids=["ready", "degraded", "blind"],
)
async def test_only_blind_is_503(health: Health, status: int) -> None:
    async with serving() as served:
        served.health = health
        answer = await served.get()
        assert answer.status == status
        assert answer.headers["content-type"] == "application/json"
        assert json.loads(answer.body) == document(health)


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        ("text/plain", True),
        ("text/plain;q=0.9, text/*", True),
        ("*/*", False),
        ("application/json, text/plain", False),
        ("text/html", False),
    ],
)
async def test_who_asks_for_text_only_gets_one_line_of_it(accept: str, text: bool) -> None:
    async with serving() as served:
        for one, status in (
            (health(), 200),
            (health(lists=(STALE,)), 200),
            (health(ami=DOWN), 503),
        ):
            served.health = one
            answer = await served.get("GET /healthz HTTP/1.1", f"Accept: {accept}")
            assert answer.status == status
            if text:
                assert answer.body.decode() == line_of(one) + "\n"
            else:
                assert json.loads(answer.body) == document(one)


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    async with serving() as served:
        got, head = await served.get(), await served.get("HEAD /healthz HTTP/1.1")
        assert head.status == 200
        assert head.body == b""
        assert head.headers["content-length"] == str(len(got.body)) == got.headers["content-length"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET / HTTP/1.1", 404),
        ("GET /healthz/ HTTP/1.1", 404),
        ("GET /metrics HTTP/1.1", 404),
        ("POST /other HTTP/1.1", 404),
        ("POST /healthz HTTP/1.1", 405),
        ("DELETE /healthz HTTP/1.1", 405),
        ("GET /healthz?verbose=1 HTTP/1.1", 200),
        ("GET http://x/healthz HTTP/1.1", 200),
        ("GET //[ HTTP/1.1", 400),
        ("GET /healthz HTTP/1.0", 200),
        ("GET /healthz", 400),
    ],
)
async def test_a_request_line_is_answered_so(line: str, status: int) -> None:
    async with serving() as served:
        answer = await served.get(line)
        assert answer.status == status
        assert ("allow" in answer.headers) is (status == 405)


async def test_a_report_that_fails_is_500_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as served:
        served.health = RuntimeError("no link object")
        assert (await served.get()).status == 500
        assert "/healthz could not be made: RuntimeError('no link object')" in caplog.text
        served.health = health()
        assert (await served.get()).status == 200


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with serving() as served:
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        async with asyncio.timeout(20):
            for sent in (one, one + one, one):
                writer.write(sent)
                for _ in range(sent.count(b"GET")):
                    head = await reader.readuntil(b"\r\n\r\n")
                    answer = Answer(head)
                    await reader.readexactly(int(answer.headers["content-length"]))
                    assert answer.status == 200
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 4096,
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    ],
)
async def test_a_body_is_not_waited_for(sent: bytes) -> None:
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        async with asyncio.timeout(20):
            answer = Answer(await reader.read())
        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        writer.close()


async def test_a_head_that_is_too_long_is_431() -> None:
    async with serving() as served:
        line, host = b"GET /healthz HTTP/1.1\r\n", b"Host: x\r\nConnection: close\r\n"
        assert Answer(await served.say(line, b"X: " + b"x" * 9000)).status == 431
        long = b"X: " + b"x" * 7000 + b"\r\n"
        assert Answer(await served.say(line, long, host, b"\r\n")).status == 200


@pytest.mark.parametrize(
    "sent", [b"", b"GET /healthz HTTP/1.1\r\nHost", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nG"]
)
async def test_a_request_that_does_not_come_to_its_end_is_closed(sent: bytes) -> None:
    sock = listen("127.0.0.1:0")
    server = HttpServer({"/healthz": lambda _: Page(200, b"{}")}, request_s=0.1)
    await server.start(sock)
    answered = await Served(sock.getsockname()[1]).say(sent)
    assert answered.count(b"HTTP/1.1 200") == sent.count(b"\r\n\r\n")
    await server.stop()
    assert server.open_connections == 0


async def test_a_connection_that_is_left_idle_is_closed() -> None:
    sock = listen("127.0.0.1:0")
    server = HttpServer({"/healthz": lambda _: Page(200, b"{}")}, idle_s=0.1)
    await server.start(sock)
    whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    assert (await Served(sock.getsockname()[1]).say(whole)).endswith(b"{}")
    await server.stop()


async def test_one_connection_too_many_is_closed_and_the_others_are_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sock = listen("127.0.0.1:0")
    port = sock.getsockname()[1]
    server = HttpServer({"/healthz": lambda _: Page(200, b"{}")}, max_connections=2)
    await server.start(sock)
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    assert await Served(port).say(b"") == b""
    assert "closed: 2 connections are open" in caplog.text
    for reader, writer in held:
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(20):
            assert (await reader.read()).endswith(b"{}")
        writer.close()
    async with asyncio.timeout(20):
        while server.open_connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await Served(port).say(b"GET /healthz HTTP/1.0\r\n\r\n")).endswith(b"{}")
    await server.stop()


async def test_a_client_that_does_not_read_is_cut_off_and_costs_no_memory() -> None:
    sock = listen("127.0.0.1:0")
    made = 0

    def page(_: Asked) -> Page:
        nonlocal made
        made += 1
        return Page(200, b"x" * 100_000)

    server = HttpServer({"/healthz": page}, request_s=0.3)
    await server.start(sock)
    _, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    asked = 5000
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * asked)
    async with asyncio.timeout(20):
        while not made or server.open_connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    # 500 MB were asked for; what the kernel's buffers do not take is not made.
    assert made < asked / 10
    writer.transport.abort()
    await server.stop()


async def test_many_requests_at_once_let_others_in_between() -> None:
    """A page takes milliseconds: a hundred of them in a row would keep calls waiting."""
    sock = listen("127.0.0.1:0")
    loop = asyncio.get_running_loop()
    asked, turn, made = 500, 0, list[int]()

    def tick() -> None:
        nonlocal turn
        turn += 1
        if len(made) < asked:
            loop.call_soon(tick)

    def page(_: Asked) -> Page:
        made.append(turn)
        return Page(200, b"{}")

    server = HttpServer({"/metrics": page})
    await server.start(sock)
    tick()
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
    end = b"Connection: close\r\n\r\n"
    said = await Served(sock.getsockname()[1]).say(
        (request + b"\r\n") * (asked // 2), (request + b"\r\n") * (asked // 2 - 1) + request + end
    )
    assert said.count(b"HTTP/1.1 200") == asked
    assert len(set(made)) == asked
    await server.stop()


async def test_stopping_ends_every_connection_and_frees_the_port() -> None:
    sock = listen("127.0.0.1:0")
    port = sock.getsockname()[1]
    server = HttpServer({})
    await server.start(sock)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        while not server.open_connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await server.stop()
        assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


FRAGMENTS = [
    b"GET /healthz HTTP/1.1\r\n", b"HEAD /healthz HTTP/1.0\r\n", b"Host: x\r\n", b"\r\n", b"\n",
    b"\r", b"\0", b" ", b":", b"Content-Length: 3\r\n", b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"CONNECT x:1 HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01", b"\xff",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=40)), max_size=12))
def test_garbage_harms_nobody(parts: list[bytes]) -> None:
    async def send() -> None:
        async with serving() as served:
            _, garbage = await asyncio.open_connection("127.0.0.1", served.port)
            for part in parts:
                garbage.write(part)
                await asyncio.sleep(0)
            assert (await served.get()).status == 200
            garbage.close()

    asyncio.run(send())
