"""A manager interface that misbehaves on demand, on a port of its own."""

from __future__ import annotations

import asyncio
import itertools
import logging
import ssl as tls
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from dialwarden.link.connection import AmiLink, Event, LinkSettings

BANNER = b"Asterisk Call Manager/9.0.0\r\n"
SECRET = "s3cret-of-ours"
# What must happen sooner or later happens within this, on a machine that does much else.
WITHIN_S = 30.0
# Every wait of the link, short: what is waited for in these tests is a condition.
QUICK: dict[str, Any] = {
    "connect_timeout_s": 5.0, "action_timeout_s": 5.0, "ping_every_s": 60.0, "ping_timeout_s": 5.0,
    "backoff_first_s": 0.01, "backoff_most_s": 0.02, "refused_wait_s": 0.02,
}  # fmt: skip


async def until(happened: Callable[[], object]) -> None:
    give_up = time.monotonic() + WITHIN_S
    while not happened():
        assert time.monotonic() < give_up, "it did not happen"
        await asyncio.sleep(0.002)


def block(*lines: str) -> bytes:
    """A message of Asterisk's."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def event(name: str, *lines: str) -> bytes:
    return block(f"Event: {name}", "Privilege: call,all", *lines)


Action = dict[str, str]
Answer = bytes | None


class FakeAmi:
    """Answers as Asterisk does, save for what is set in `answers`.

    Attributes:
        answers: action, in lower case, to what is sent for it: bytes in which `{id}` is its
            ActionID, or None for nothing at all.
        banner: sent to who connects.
        hang_up_on: an action at which the connection is cut instead of an answer.
        actions: what came, on all connections, Pings and all.
        connections: how many there were.
    """

    def __init__(self) -> None:
        self.banner = BANNER
        self.answers: dict[str, Answer] = {}
        self.hang_up_on = ""
        self.actions: list[Action] = []
        self.connections = 0
        self.port = 0
        self.ssl: tls.SSLContext | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def names(self) -> list[str]:
        return [action["Action"] for action in self.actions]

    async def listen(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.ssl)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Nobody listens any more, and every connection is cut."""
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def leave(self) -> None:
        """Close every connection behind what was said."""
        for writer in self._writers:
            writer.close()

    def say(self, data: bytes) -> None:
        """Send to whoever is connected."""
        assert self._writers
        for writer in self._writers:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        writer.write(self.banner)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in request.splitlines() if line)
                self.actions.append(action)
                name = action["Action"].lower()
                if name == self.hang_up_on:
                    writer.transport.abort()
                    break
                answer = self.answers.get(name, block("Response: Success", "ActionID: {id}"))
                if answer is not None:
                    writer.write(answer.replace(b"{id}", action["ActionID"].encode()))
        self._writers.discard(writer)
        writer.close()


@asynccontextmanager
async def a_fake_ami() -> Any:
    ami = FakeAmi()
    await ami.listen()
    try:
        yield ami
    finally:
        await ami.close()


@dataclass
class Heard:
    """What a link told: its events and its ups and downs, in order."""

    told: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def names(self) -> list[str]:
        return [event["event"] for event in self.events]

    async def up(self) -> None:
        self.told.append("up")

    def down(self, why: str) -> None:
        self.told.append(f"down: {why}")


def link_to(port: int, heard: Heard, **more: Any) -> AmiLink:
    """A link with quick waits; `wanted`, `on_event`, `on_up`, `on_down` and settings as `more`."""
    parts = {"on_event": heard.events.append, "on_up": heard.up, "on_down": heard.down}
    parts |= {name: more.pop(name) for name in (*parts, "wanted") if name in more}
    settings = LinkSettings(
        **{"host": "127.0.0.1", "port": port, "username": "dialwarden", "secret": SECRET}
        | QUICK
        | more
    )
    return AmiLink(settings, **parts)


@asynccontextmanager
async def linked(ami: FakeAmi, heard: Heard, **more: Any) -> Any:
    """A link that is up."""
    link = link_to(ami.port, heard, **more)
    await link.start()
    try:
        await until(lambda: link.up)
        yield link
    finally:
        await link.stop()


@contextmanager
def log_lines(level: int = logging.INFO) -> Iterator[list[logging.LogRecord]]:
    """What `dialwarden.ami` writes, whoever set up logging before."""
    log = logging.getLogger("dialwarden.ami")
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    before = log.level
    log.addHandler(handler)
    log.setLevel(level)
    try:
        yield records
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def texts(records: list[logging.LogRecord]) -> list[str]:
    return [record.getMessage() for record in records]


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """`data` cut at those places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return (data[start:end] for start, end in itertools.pairwise(places))
