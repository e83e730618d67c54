"""panoramisk's `fast_agi`, as its documentation serves it, answering a constant."""

from __future__ import annotations

import asyncio
import socket

from panoramisk.fast_agi import Application, Request
from tests.bench.peers.common import ALLOW, run


async def _check(request: Request) -> None:
    await request.send_command(ALLOW)


async def _serve(sock: socket.socket) -> None:
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("check", _check)
    await asyncio.start_server(application.handler, sock=sock, backlog=4096)


if __name__ == "__main__":
    run("with_panoramisk", _serve)
