"""One client of the AMI gateway, and the connection to Asterisk that is its own.

Owns the two sockets: bytes from Asterisk to the client as they are, ours between its messages, and
how each end leaves. What the client sends goes through `ami_requests.py`.

Memory is bounded both ways. A client that leaves `max_backlog` bytes unread is cut; were Asterisk
not read instead, its events for that client would pile up there. A client is not read while
Asterisk does not take what it sent, or while too much of it is being ruled on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from dialwarden.doors import ami_upstream
from dialwarden.doors.ami_requests import RequestQueue
from dialwarden.wire.ami_stream import StreamCutter

if TYPE_CHECKING:
    from dialwarden.doors.ami_gateway import AmiGateway

# Errors of ours that wait for the end of a message of Asterisk's; after these the client waits.
MOST_UNSAID = 64


class AmiClient(asyncio.Protocol):
    """The asyncio protocol of a client's connection."""

    _transport: asyncio.Transport

    def __init__(self, gateway: AmiGateway, loop: asyncio.AbstractEventLoop) -> None:
        self._gateway = gateway
        self._loop = loop
        self._requests = RequestQueue(gateway, self, loop)
        self._cutter = StreamCutter()
        self._unsaid: list[bytes] = []
        self._upstream: asyncio.Transport | None = None
        self._upstream_full = False
        self._connecting: asyncio.Task[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._login_timer: asyncio.TimerHandle | None = None
        self._entered = False
        self._connected = False  # the client's own connection
        self._paused = False
        self._half_closed = False  # the client will send no more
        self._finishing = False
        self._over = False
        self.peer = "?"

    # What the client's transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._connected = True
        address = transport.get_extra_info("peername")
        # No address: it was gone before it was looked at.
        if not address or not self._gateway.admits(str(address[0])):
            self._refuse()
            return
        self.peer = f"{address[0]}:{address[1]}"
        if not self._gateway.enter(self):
            self._refuse()
            return
        self._entered = True
        # Its login or its end is told: a dialer may connect anew for every call.
        self._gateway.log.debug("AMI client %s connected", self.peer)
        ami_upstream.set_options(transport)
        self._transport.set_write_buffer_limits(high=self._gateway.settings.max_backlog)
        self._pause(True)
        timeout_s = self._gateway.settings.login_timeout_s
        self._login_timer = self._loop.call_later(timeout_s, self._no_login)
        self._connecting = self._loop.create_task(self._connect())
        self._connecting.add_done_callback(self._connect_ended)
        self._gateway.keep(self._connecting)

    def data_received(self, data: bytes) -> None:
        if not self._over and not self._finishing:
            self._requests.receive(data)

    def eof_received(self) -> bool:
        """Go on with what it sent, as Asterisk does, when the connection can be half closed."""
        self._half_closed = True
        # TLS cannot, and asyncio's transport closes whatever we say.
        keep = not self._over and self._gateway.settings.ssl is None
        if keep:
            self.moved()
        return keep

    def pause_writing(self) -> None:
        if self._over:
            return
        self._gateway.counters.cut += 1
        self._gateway.seldom.warning(
            "cut", "AMI client %s cut: it left %d bytes unread (gateway.backlog = %d)",
            self._name, self._transport.get_write_buffer_size(), self._gateway.settings.max_backlog,
        )  # fmt: skip
        self._end("it did not read and was cut")
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connected = False
        if self._entered:
            self._end("the client left before it was sent" + (f" ({exc})" if exc else ""))
        self._leave_if_gone()

    # What Asterisk's connection calls.

    async def _connect(self) -> None:
        upstream = self._gateway.upstream
        try:
            await ami_upstream.connect(upstream, self, self._loop)
        except OSError as error:  # TimeoutError and ssl.SSLError are some
            self._gateway.counters.refused_upstream += 1
            self._gateway.seldom.warning(
                "upstream", "AMI client %s closed: Asterisk's AMI on %s cannot be reached (%s)",
                self.peer, upstream, str(error) or f"no answer in {upstream.connect_timeout_s:g} s",
            )  # fmt: skip
            self._close("Asterisk could not be reached")

    def _connect_ended(self, task: asyncio.Task[None]) -> None:
        self._connecting = None
        self._leave_if_gone()

    def upstream_made(self, transport: asyncio.Transport) -> None:
        self._upstream = transport
        if self._over:
            transport.abort()
        else:
            self._requests.advance()

    def upstream_data(self, data: bytes) -> None:
        if self._over:
            return
        cutter = self._cutter
        sendable = cutter.feed(data)
        if sendable:
            self._transport.write(sendable)
        if self._unsaid and cutter.at_boundary:
            self._say_unsaid()
        if cutter.responses:
            for response in cutter.responses:
                self._requests.response(response)

    def upstream_full(self, full: bool) -> None:
        self._upstream_full = full
        if not full:
            self._requests.advance()

    def upstream_ended(self, error: Exception | None) -> None:
        if self._over:
            return
        self._gateway.counters.upstream_lost += 1
        rest = self._cutter.flush()
        if rest:
            self._transport.write(rest)
        # Whoever hangs up first: Asterisk does it too when it is told that no more comes.
        who = "the client left" if self._half_closed else "Asterisk closed its connection"
        self._close(who + (f" ({error})" if error else ""))

    def upstream_closed(self) -> None:
        self._upstream = None
        self._leave_if_gone()

    # What the requests call.

    @property
    def can_send(self) -> bool:
        upstream = self._upstream
        return upstream is not None and not self._upstream_full and not upstream.is_closing()

    @property
    def can_say(self) -> bool:
        return len(self._unsaid) < MOST_UNSAID

    def send(self, data: bytes) -> None:
        assert self._upstream is not None
        self._upstream.write(data)

    def say(self, data: bytes) -> None:
        self._unsaid.append(data)
        if self._cutter.at_boundary:
            self._say_unsaid()

    def watch(self, watching: bool) -> None:
        self._cutter.watching = watching

    def logged_in(self, user: str) -> None:
        self._stop_login_timer()
        self._gateway.log.info("AMI client %s logged in", self._name)

    def moved(self) -> None:
        if self._over:
            return
        self._pause(self._requests.full or self._finishing or self._upstream is None)
        if self._half_closed and self._requests.drained:
            self._half_close_upstream()
        if self._finishing and self._requests.idle and not self._unsaid:
            self._close("the gateway is stopping")

    # What the gateway calls.

    def finish(self) -> None:
        """Read no more of the client's requests, and close when none is under way."""
        self._finishing = True
        self._requests.read_no_more()
        self.moved()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._end("the gateway is stopping")
        if self._connected:
            self._transport.abort()
        if self._upstream is not None:
            self._upstream.abort()

    # How it ends.

    def _refuse(self) -> None:
        self._over = True
        self._transport.abort()

    def _no_login(self) -> None:
        self._login_timer = None
        self._gateway.counters.login_timeouts += 1
        self._gateway.seldom.warning(
            "login", "AMI client %s closed: no login that Asterisk accepted within %g s",
            self.peer, self._gateway.settings.login_timeout_s,
        )  # fmt: skip
        self._close("it did not log in")

    def _half_close_upstream(self) -> None:
        upstream = self._upstream
        if upstream is None or upstream.is_closing():
            return
        if upstream.can_write_eof():
            upstream.write_eof()
        elif self._requests.idle:  # TLS: closing it now would lose the answers
            self._close("the client has sent everything")

    def _close(self, why: str) -> None:
        """Close both connections, after what was written has left."""
        if self._over:
            return
        self._end(why)
        self._close_slowly(self._transport)

    def _end(self, why: str) -> None:
        """Relay nothing any more, and let go of Asterisk's connection."""
        if self._over:
            return
        self._over = True
        self._gateway.log.info("AMI client %s closed: %s", self._name, why)
        self._requests.drop(why)
        self._unsaid.clear()
        self._stop_login_timer()
        if self._connecting is not None and self._connecting is not asyncio.current_task():
            self._connecting.cancel()
        if self._upstream is not None:
            self._close_slowly(self._upstream)

    def _close_slowly(self, transport: asyncio.Transport) -> None:
        """Close, but do not wait for ever for a peer that does not take what is written."""
        transport.close()
        linger_s = self._gateway.settings.linger_s
        self._timers.append(self._loop.call_later(linger_s, transport.abort))

    def _leave_if_gone(self) -> None:
        if self._connected or self._upstream is not None or self._connecting is not None:
            return
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._entered:
            self._gateway.leave(self)

    # Small things.

    def _say_unsaid(self) -> None:
        said, self._unsaid = b"".join(self._unsaid), []
        self._transport.write(said)

    def _pause(self, pause: bool) -> None:
        if pause is self._paused or self._transport.is_closing():
            return
        self._paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _stop_login_timer(self) -> None:
        if self._login_timer is not None:
            self._login_timer.cancel()
            self._login_timer = None

    @property
    def _name(self) -> str:
        user = self._requests.user
        return f"{ascii(user)[1:-1]}@{self.peer}" if user else self.peer
