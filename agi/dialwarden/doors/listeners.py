"""The listening sockets of one server, and how they are closed without losing a connection.

Owns what asyncio and uvloop need for that. Who may connect, and how long a stop may take, is each
server's own; where the sockets come from is `listening`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable


class Listeners:
    """Listens on any number of sockets, from `add` until `close`."""

    def __init__(self) -> None:
        self._listeners: list[tuple[asyncio.Server, socket.socket]] = []

    async def add(
        self,
        sock: socket.socket,
        protocol: Callable[[], asyncio.BaseProtocol],
        *,
        backlog: int,
        secure: ssl.SSLContext | None = None,
        handshake_timeout_s: float | None = None,
    ) -> None:
        """Accept connections on `sock`, a bound stream socket, which `close` closes."""
        listener = await asyncio.get_running_loop().create_server(
            protocol,
            sock=sock,
            backlog=backlog,
            ssl=secure,
            ssl_handshake_timeout=handshake_timeout_s if secure is not None else None,
        )
        self._listeners.append((listener, sock))

    async def close(self) -> None:
        """Accept nothing any more.

        Connections that wait in the kernel's queue are left there for a process that shares the
        socket; without one they are reset.
        """
        loop = asyncio.get_running_loop()
        for _, sock in self._listeners:
            # asyncio accepts in one turn and makes the transport in the next, and up to Python
            # 3.11 a server closed between the two drops the connection with an AssertionError.
            # uvloop does both in one turn and does not let go of the descriptor.
            with contextlib.suppress(RuntimeError, ValueError):
                loop.remove_reader(sock.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        for listener, _ in self._listeners:
            listener.close()
        self._listeners.clear()
        await asyncio.sleep(0)
