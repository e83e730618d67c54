"""What a call of the self-test's own dialplan tells of itself, over AGI.

Owns the port it is told on, and the questions it reads there: they ask nothing and are closed.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import unquote

from dialwarden.selftest.plugs import Told
from dialwarden.wire.agi import AgiSession
from dialwarden.wire.agi_request import AgiRequest
from dialwarden.wire.errors import ProtocolError


class Call:
    """One call, from before it begins until its dialplan has told of its end."""

    def __init__(self, number: int) -> None:
        self.id = str(number)
        self.over = threading.Event()
        self._began = time.monotonic()
        self._told: Mapping[str, str] = {}
        self._after_s = 0.0
        self._left = False
        self._cause: int | None = None

    def take(self, script: str, said: Mapping[str, str]) -> None:
        match script:
            case "told":
                self._told = said
                self._after_s = time.monotonic() - self._began
            case "left":
                self._left = True
            case "ended":
                cause = said.get("cause", "")
                self._cause = int(cause) if cause.isdigit() else None
                self.over.set()

    def told(self) -> Told:
        said = self._told
        return Told(
            verdict=said.get("verdict", ""),
            rule=said.get("rule", ""),
            reason=unquote(said.get("reason", "")),
            left=self._left,
            agi=said.get("agi", ""),
            cause=self._cause,
            after_s=self._after_s,
        )


class Reporter:
    """Listens on a free port of 127.0.0.1 from its making until `close`."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._call: Call | None = None
        self._ids = itertools.count(1)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def call(self) -> Iterator[Call]:
        """One call at a time; what an earlier one still tells is not taken for this one's."""
        self._call = Call(next(self._ids))
        try:
            yield self._call
        finally:
            self._call = None

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            with conn, suppress(OSError, ProtocolError):
                request = _read(conn)
                call = self._call
                if request and call and request.arguments.get("call") == call.id:
                    call.take(request.script, request.arguments)


def _read(conn: socket.socket) -> AgiRequest | None:
    session = AgiSession()
    while data := conn.recv(4096):
        event = session.receive(data)
        if isinstance(event, AgiRequest):
            return event
    return None
