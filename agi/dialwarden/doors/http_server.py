"""A small HTTP/1.1 server for pages that are made at once: what monitoring asks for.

Owns the connections: how many, how long, how much of a request is read before it is refused.
Refuses to know what the pages say: each is a function under its path.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import h11

from dialwarden.doors.listeners import Listeners
from dialwarden.doors.seldom import SeldomLog

BACKLOG = 128
MOST_CONNECTIONS = 64
HEAD_LIMIT_BYTES = 8192
# A request is whole by then, an answer taken, a connection between two requests used again.
REQUEST_S = 5.0
IDLE_S = 30.0
_METHODS = (b"GET", b"HEAD")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request a page may heed.

    Attributes:
        accept: the Accept headers, joined as one; "" for none.
    """

    accept: str = ""


Pages = Mapping[str, Callable[[Asked], Page]]


class HttpServer:
    """Serves pages on listening sockets until it is stopped.

    Args:
        pages: path ("/healthz") to what makes it; called in the event loop, so it must not block.
            One that raises is a 500 and a line in the log.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        request_s: float = REQUEST_S,
        idle_s: float = IDLE_S,
        max_connections: int = MOST_CONNECTIONS,
        log: logging.Logger | None = None,
    ) -> None:
        self.pages = pages
        self.request_s = request_s
        self.idle_s = idle_s
        self.seldom = SeldomLog(log or logging.getLogger("dialwarden.http"))
        self._max_connections = max_connections
        self._listeners = Listeners()
        self._open: set[_Connection] = set()
        self._quiet = asyncio.Event()  # nobody is connected
        self._quiet.set()

    @property
    def open_connections(self) -> int:
        return len(self._open)

    async def start(self, sock: socket.socket) -> None:
        """Accept connections on `sock`, a bound stream socket, which is closed at the end."""
        await self._listeners.add(sock, lambda: _Connection(self), backlog=BACKLOG)

    async def stop(self) -> None:
        """Stop accepting and close every connection; what was answered is still sent."""
        await self._listeners.close()
        for connection in list(self._open):
            connection.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), self.request_s)
        for connection in list(self._open):
            connection.abort()

    def enter(self, connection: _Connection) -> bool:
        """Count a connection in, unless there are too many."""
        if len(self._open) >= self._max_connections:
            self.seldom.warning("limit", "closed: %d connections are open", len(self._open))
            return False
        self._open.add(connection)
        self._quiet.clear()
        return True

    def leave(self, connection: _Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._quiet.set()

    def page(self, request: h11.Request) -> Page:
        """What is answered to a request."""
        try:
            path = urlsplit(request.target.decode("ascii")).path
        except ValueError:
            return _plain(400, "the target cannot be read")
        make = self.pages.get(path)
        if make is None:
            return _plain(404, f"not here; there is {', '.join(sorted(self.pages))}")
        if request.method not in _METHODS:
            return _plain(405, "GET or HEAD only")
        accept = b", ".join(value for name, value in request.headers if name == b"accept")
        try:
            return make(Asked(accept.decode("latin-1")))
        except Exception as error:
            self.seldom.warning("page", "%s could not be made: %r", path, error)
            return _plain(500, "could not be made; see the log")


class _Connection(asyncio.Protocol):
    """One client: its requests in turn, each answered as soon as its head is read.

    One at a time: a page takes milliseconds, and many requests may come in one piece. Between two
    of them the loop comes round, and calls are answered.
    """

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT_BYTES)
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._reading_on = True  # False: nothing that still comes is looked at
        self._paused = False
        self._next: asyncio.Handle | None = None  # takes up what has come already

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Told, not asserted: uvloop's transports are none of asyncio's classes.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        if not self._server.enter(self):
            transport.abort()
            return
        self._within(self._server.request_s)

    def data_received(self, data: bytes) -> None:
        if not self._reading_on:
            return
        if self._http.their_state is h11.IDLE and not self._http.trailing_data[0]:
            self._within(self._server.request_s)
        self._http.receive_data(data)
        if self._next is None:
            self._go_on()

    def pause_writing(self) -> None:
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()
        self._within(self._server.request_s)

    def resume_writing(self) -> None:
        self._paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._wait_for_next()
            self._soon()

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._reading_on = False
        self._server.leave(self)

    def close(self) -> None:
        """Close once what was written is sent."""
        self._reading_on = False
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What comes of it.

    def _soon(self) -> None:
        """Go on when the loop has come round; until then no more is read."""
        if self._next is None and self._transport is not None:
            self._transport.pause_reading()
            self._next = asyncio.get_running_loop().call_soon(self._take_up)

    def _take_up(self) -> None:
        self._next = None
        if self._paused or self._transport is None or self._transport.is_closing():
            return
        self._transport.resume_reading()
        self._go_on()

    def _go_on(self) -> None:
        """Answer a request that has come whole, as long as the answers are taken."""
        if not self._reading_on or self._paused:
            return
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            self._refuse(error)
            return
        if isinstance(event, h11.Request):
            self._answer(event)
            if self._reading_on and self._http.trailing_data[0]:
                self._soon()

    def _answer(self, request: h11.Request) -> None:
        page = self._server.page(request)
        try:
            whole = isinstance(self._http.next_event(), h11.EndOfMessage)
        except h11.RemoteProtocolError:
            whole = False
        # A body is for none of our pages: it is not waited for.
        self._send(page, last=not whole, bare=request.method == b"HEAD")
        if not whole or self._http.our_state is not h11.DONE:
            self._linger()
            return
        self._http.start_next_cycle()
        if not self._paused:
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        begun = bool(self._http.trailing_data[0])
        self._within(self._server.request_s if begun else self._server.idle_s)

    def _refuse(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send(_plain(error.error_status_hint, "no HTTP request"), last=True)
        self._linger()

    def _send(self, page: Page, *, last: bool, bare: bool = False) -> None:
        headers = [
            ("Content-Type", page.content_type),
            ("Content-Length", str(len(page.body))),
            ("Cache-Control", "no-store"),
        ]
        if page.status == 405:
            headers.append(("Allow", "GET, HEAD"))
        if last:
            headers.append(("Connection", "close"))
        response = h11.Response(status_code=page.status, headers=headers)
        parts = [self._http.send(response)]
        if not bare:
            parts.append(self._http.send(h11.Data(data=page.body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        assert self._transport is not None
        self._transport.write(b"".join(part for part in parts if part))

    def _linger(self) -> None:
        """Say that nothing more comes, and let the client read: a close now might reset it."""
        self._reading_on = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()
            self._within(self._server.request_s)

    def _within(self, seconds: float) -> None:
        """From now on this long, then the connection ends."""
        if self._deadline is not None:
            self._deadline.cancel()
        loop = asyncio.get_running_loop()
        assert self._transport is not None
        self._deadline = loop.call_later(seconds, self._transport.abort)


def _plain(status: int, sentence: str) -> Page:
    return Page(status, sentence.encode() + b"\n", "text/plain; charset=utf-8")
