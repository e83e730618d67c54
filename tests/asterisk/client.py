"""An AMI client that sends the very bytes it is given.

It does not know what it talks to, Asterisk or something in front of it.
"""

from __future__ import annotations

import itertools
import socket
from types import TracebackType
from typing import Self

from bench.configuration import AMI_SECRET, DIALER

WAIT_S = 30.0  # a synchronous Originate is answered when its call is

Headers = dict[str, str]


class RawClient:
    """A logged-in AMI connection that writes bytes as they are; for one thread."""

    def __init__(
        self, port: int, username: str = DIALER, secret: str = AMI_SECRET, *, events: str = "off"
    ) -> None:
        """Connect and log in.

        Raises:
            OSError: nobody listens there.
            EOFError: the connection was closed on us.
        """
        self.username = username
        self.banner = ""
        self._ids = (f"way-{username}-{count}" for count in itertools.count(1))
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._waiting: list[Headers] = []
        self.banner = self._until(b"\r\n").decode()
        action_id = self.new_id()
        self.login = self.ask(
            f"Action: Login\r\nActionID: {action_id}\r\nUsername: {username}\r\n"
            f"Secret: {secret}\r\nEvents: {events}\r\n\r\n".encode(),
            action_id,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def new_id(self) -> str:
        """An ActionID that this client has not used."""
        return next(self._ids)

    def send(self, data: bytes, *, bytewise: bool = False) -> None:
        """Write the bytes; `bytewise` with a segment for each of them."""
        if not bytewise:
            self._socket.sendall(data)
            return
        for position in range(len(data)):
            self._socket.sendall(data[position : position + 1])

    def ask(self, data: bytes, action_id: str, *, bytewise: bool = False) -> Headers:
        """Write the bytes and return the response that names the ActionID; names in lower case.

        Raises:
            TimeoutError: no such response came.
            EOFError: the connection was closed before.
        """
        self.send(data, bytewise=bytewise)
        return self.response(action_id)

    def action(self, *headers: tuple[str, str]) -> Headers:
        """Send an action, plainly written, and return its response."""
        action_id = self.new_id()
        lines = [headers[0], ("ActionID", action_id), *headers[1:]]
        text = "".join(f"{name}: {value}\r\n" for name, value in lines)
        return self.ask(f"{text}\r\n".encode(), action_id)

    def response(self, action_id: str) -> Headers:
        """The response that names the ActionID; an empty one for the next that names none.

        Raises:
            TimeoutError: it did not come.
            EOFError: the connection was closed before.
        """
        return self._message("response", "actionid", action_id)

    def event(self, name: str, header: str = "event", value: str | None = None) -> Headers:
        """The next event of that name, with that value of a header where one is given.

        Raises:
            TimeoutError: it did not come.
            EOFError: the connection was closed before.
        """
        while True:
            event = self._message("event", "event", name)
            if value is None or event.get(header) == value:
                return event

    def close(self) -> None:
        """End the connection without a word."""
        self._socket.close()

    def _message(self, kind: str, header: str, value: str) -> Headers:
        while True:
            for message in self._waiting:
                if kind in message and message.get(header, "") == value:
                    self._waiting.remove(message)
                    return message
            block = self._until(b"\r\n\r\n").decode(errors="replace")
            pairs = (line.partition(":") for line in block.split("\r\n") if line)
            message = {}
            for name, _, text in pairs:
                message.setdefault(name.lower(), text.strip())
            self._waiting.append(message)

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            if not (chunk := self._socket.recv(65536)):
                raise EOFError(f"{self.username}: the AMI connection was closed")
            self._buffer += chunk
        found, _, self._buffer = self._buffer.partition(end)
        return found
