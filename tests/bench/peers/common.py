"""What every peer has in common: the constant it answers, and the way it is started."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

import uvloop

from dialwarden import variables
from dialwarden.doors.fastagi import BACKLOG

_VALUES = {
    variables.NUMBER: "+33640000002",
    variables.ATTEMPT: "5000001",
    variables.VERDICT: "ALLOW",
}
# The command that an ALLOW of ours is, less its line end.
ALLOW = 'SET VARIABLE ARRAY({}) "{}"'.format(
    ",".join(variables.VERDICT_VARIABLES),
    ",".join(_VALUES.get(name, "") for name in variables.VERDICT_VARIABLES),
)
REFUSE = ALLOW.replace("ALLOW", "REFUSE")


def bound() -> socket.socket:
    """A socket to serve on, with our own backlog: asyncio's 100 would lose connections."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    sock.setblocking(False)
    return sock


def run(name: str, serve: Callable[[socket.socket], Awaitable[None]]) -> None:
    """Serve until killed, on the loop that the command line names."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.bench.peers.{name}")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), required=True)
    words = parser.parse_args()

    async def until_killed() -> None:
        sock = bound()
        await serve(sock)
        print(sock.getsockname()[1], flush=True)
        await asyncio.Event().wait()

    runner = uvloop.run if words.loop == "uvloop" else asyncio.run
    with contextlib.suppress(KeyboardInterrupt):
        runner(until_killed())
