"""Asterisk's end of one client's relay.

Owns the connection to Asterisk's AMI that belongs to one client: opening it, its bytes in, its end.
Refuses to know messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from dialwarden.doors.ami_gateway import Upstream

# A host that vanished is noticed after a minute and a half; the kernel's own is two hours.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class Downstream(Protocol):
    """What is told of Asterisk's connection."""

    def upstream_made(self, transport: asyncio.Transport) -> None: ...
    def upstream_data(self, data: bytes) -> None: ...
    def upstream_full(self, full: bool) -> None: ...
    def upstream_ended(self, error: Exception | None) -> None: ...
    def upstream_closed(self) -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """The asyncio protocol of a connection to Asterisk."""

    __slots__ = ("_downstream",)

    def __init__(self, downstream: Downstream) -> None:
        self._downstream = downstream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        set_options(transport)
        # uvloop's is none by inheritance
        self._downstream.upstream_made(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        self._downstream.upstream_data(data)

    def pause_writing(self) -> None:
        self._downstream.upstream_full(True)

    def resume_writing(self) -> None:
        self._downstream.upstream_full(False)

    def eof_received(self) -> None:
        self._downstream.upstream_ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._downstream.upstream_ended(exc)
        self._downstream.upstream_closed()


async def connect(
    upstream: Upstream, downstream: Downstream, loop: asyncio.AbstractEventLoop
) -> None:
    """Open a connection to Asterisk's AMI.

    Raises:
        OSError: it cannot be reached, or its certificate is not what it should be.
        TimeoutError: not in time; an OSError too.
    """
    async with asyncio.timeout(upstream.connect_timeout_s):
        await loop.create_connection(
            lambda: UpstreamConnection(downstream),
            upstream.host,
            upstream.port,
            ssl=upstream.ssl,
            server_hostname=upstream.server_hostname,
        )


def set_options(transport: asyncio.BaseTransport) -> None:
    """No delay for small writes, and an early notice of a peer that vanished."""
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it is gone already, which its loss will tell
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            option = getattr(socket, name, None)  # not everywhere
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
