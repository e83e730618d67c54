"""A bare protocol that answers a constant: what reading a question and answering it costs at least.

Collects what comes until the blank line, writes the command, waits for the reply, closes.
"""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from tests.bench.peers.common import ALLOW, run

_COMMAND = f"{ALLOW}\n".encode()


class Bare(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.received = b""
        self.answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.answered:
            self.transport.close()
            return
        self.received += data
        if self.received.endswith(b"\n\n"):
            self.answered = True
            self.asked()

    def asked(self) -> None:
        self.transport.write(_COMMAND)


async def _serve(sock: socket.socket) -> None:
    await asyncio.get_running_loop().create_server(Bare, sock=sock, backlog=4096)


if __name__ == "__main__":
    run("bare", _serve)
