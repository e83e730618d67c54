"""An Asterisk's AMI that does what a test says, and an AMI client that says what a test wants.

The AMI answers as Asterisk does where the relay could notice: one response a request, in order; a
second Login changes nobody; a Login that fails ends the session; Logoff says Goodbye and closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

BANNER = b"Asterisk Call Manager/9.0.0\r\n"
WITHIN = 20.0

Message = dict[str, str]


def message_of(block: bytes) -> Message:
    """Headers of a message, names in lower case; of equal names the first."""
    message: Message = {}
    for line in block.decode("utf-8", "surrogateescape").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            message.setdefault(name.lower(), value.strip())
    return message


def text(**headers: str) -> bytes:
    """A message of those headers, in order; `_` in a name is a `-`."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return ("".join(lines) + "\r\n").encode("utf-8", "surrogateescape")


class Session:
    """One connection to the fake AMI."""

    def __init__(self, ami: FakeAmi, writer: asyncio.StreamWriter) -> None:
        self.ami = ami
        self.writer = writer
        self.requests: list[Message] = []
        self.blocks: list[bytes] = []
        self.closed = asyncio.Event()
        self.user = ""

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def answer(self, request: Message, response: str, message: str = "", more: str = "") -> None:
        lines = [f"Response: {response}"]
        if request.get("actionid"):
            lines.append(f"ActionID: {request['actionid']}")
        if message:
            lines.append(f"Message: {message}")
        if more:
            lines.append(more)
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape"))

    def abort(self) -> None:
        # Python 3.11.2's TLS transports forget their protocol when they are closed twice.
        with contextlib.suppress(AttributeError):
            self.writer.transport.abort()

    async def got(self, action: str, times: int = 1) -> Message:
        """The request of that action that came as the n-th of its kind."""
        await eventually(lambda: len(self._of(action)) >= times)
        return self._of(action)[times - 1]

    def _of(self, action: str) -> list[Message]:
        return [r for r in self.requests if r.get("action", "").lower() == action]


class FakeAmi:
    """An AMI server on a loopback port.

    Attributes:
        silent: actions (lower case) that are not answered until a test does.
        answers: action to (response, message) where it is not (Success, "").
        reading: cleared, it takes nothing from its sockets.
    """

    def __init__(self) -> None:
        self.port = 0
        self.sessions: list[Session] = []
        self.silent: set[str] = set()
        self.answers: dict[str, tuple[str, str]] = {}
        self.banner = BANNER
        self.reading = asyncio.Event()
        self.reading.set()
        self._works: set[asyncio.Task[Any]] = set()

    async def session(self, number: int = 0) -> Session:
        await eventually(lambda: len(self.sessions) > number)
        return self.sessions[number]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._works.add(task)
        session = Session(self, writer)
        self.sessions.append(session)
        writer.write(self.banner)
        try:
            while True:
                await self.reading.wait()
                await asyncio.sleep(0)  # streams do not let others have their turn by themselves
                block = await _request(reader)
                session.blocks.append(block)
                session.requests.append(message_of(block))
                if not self._answer(session, session.requests[-1]):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            session.closed.set()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                writer.close()
                await writer.wait_closed()
            self._works.discard(task)

    def _answer(self, session: Session, request: Message) -> bool:
        action = request.get("action", "").lower()
        if action in self.silent:
            return True
        if not action:
            session.answer(request, "Error", "Missing action in request")
            return True
        if action in self.answers:
            session.answer(request, *self.answers[action])
        elif action == "login":
            return self._login(session, request)
        elif action == "logoff":
            session.answer(request, "Goodbye", "Thanks for all the fish.")
            return False
        elif action == "originate":
            session.answer(request, "Success", "Originate successfully queued")
        elif action == "ping":
            session.answer(request, "Success", more="Ping: Pong")
        else:
            session.answer(request, "Success", action)
        return True

    def _login(self, session: Session, request: Message) -> bool:
        if session.user:
            session.answer(request, "Success", "Already authenticated")
        elif request.get("secret") != "secret":
            session.answer(request, "Error", "Authentication failed")
            return False
        else:
            session.user = request["username"]
            session.answer(request, "Success", "Authentication accepted")
        return True

    async def close(self) -> None:
        self.reading.set()
        for session in self.sessions:
            session.abort()
        for work in list(self._works):
            work.cancel()
        if self._works:
            await asyncio.wait(self._works)


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Lines up to a blank one, which may stand alone."""
    block = b""
    while (line := await reader.readuntil(b"\n")) != b"\r\n":
        block += line
    return block + line


@contextlib.asynccontextmanager
async def fake_ami(secure: ssl.SSLContext | None = None) -> AsyncIterator[FakeAmi]:
    ami = FakeAmi()
    server = await asyncio.start_server(ami.serve, "127.0.0.1", 0, ssl=secure, limit=1 << 20)
    ami.port = server.sockets[0].getsockname()[1]
    try:
        yield ami
    finally:
        server.close()
        await ami.close()
        # Streams close their transports in the turns after.
        await asyncio.sleep(0.01)


class AmiPeer:
    """A client of an AMI."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def ask(self, **headers: str) -> None:
        self.send(text(**headers))

    async def banner(self) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), WITHIN)

    async def block(self) -> bytes:
        """The next message, as bytes."""
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WITHIN)

    async def message(self) -> Message:
        return message_of(await self.block())

    async def login(self, user: str = "dialer") -> None:
        """Read the banner and log in."""
        assert await self.banner() == BANNER
        self.ask(Action="Login", Username=user, Secret="secret", ActionID="login")
        assert (await self.message())["message"] == "Authentication accepted"

    async def pong(self, name: str = "ping") -> None:
        """Ask for a sign of life, and skip what comes before it."""
        self.ask(Action="Ping", ActionID=name)
        while (await self.message()).get("actionid") != name:
            pass

    async def rest(self) -> bytes:
        """Everything until the other side closes; a reset counts as a close."""
        received = b""
        with contextlib.suppress(ConnectionError):
            while chunk := await asyncio.wait_for(self.reader.read(1 << 16), WITHIN):
                received += chunk
        return received

    def reset(self) -> None:
        """Leave so that the other side is told of a reset, and not of an end."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Python 3.11.2's TLS transports forget their protocol when they are closed twice.
        with contextlib.suppress(AttributeError):
            self.writer.transport.abort()


@contextlib.asynccontextmanager
async def ami_peer(
    port: int, secure: ssl.SSLContext | None = None, name: str | None = None
) -> AsyncIterator[AmiPeer]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, limit=64 << 20, ssl=secure, server_hostname=name
    )
    try:
        yield AmiPeer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(WITHIN):
        while not holds():  # noqa: ASYNC110 - what holds sets no event
            await asyncio.sleep(0.001)
