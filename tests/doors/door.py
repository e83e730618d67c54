"""A FastAGI server before a real gate, and the words to ask it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from tests.doors.asking import ask
from tests.gate.world import CONFIG, DIALLED, World

from dialwarden.doors.agi_scripts import AgiScripts
from dialwarden.doors.fastagi import FastAgiServer, FastAgiSettings
from dialwarden.doors.listening import listen

_calls = itertools.count(1)


class Door:
    """A FastAGI server before a gate."""

    def __init__(self, world: World, server: FastAgiServer, port: int) -> None:
        self.world = world
        self.server = server
        self.port = port

    async def ask(self, script: str = "check", *more: str, **keys: str) -> dict[str, str]:
        return await ask(self.port, script, *more, **keys)

    async def check(self, number: str = DIALLED, campaign: str = "capped", **keys: str) -> str:
        """The verdict and the first rule of a check."""
        keys.setdefault("call", f"1800000000.{next(_calls)}")
        said = await self.ask("check", number=number, campaign=campaign, **keys)
        return f"{said['DIALWARDEN_VERDICT']} {said['DIALWARDEN_RULE']}".strip()


@contextlib.asynccontextmanager
async def opened(
    directory: Path, config: str = CONFIG, deadline_s: float = 5.0
) -> AsyncIterator[Door]:
    world = await World.open(directory, config)
    deadline = timedelta(seconds=deadline_s)
    scripts = AgiScripts(world.gate, world.recorder, deadline=deadline)
    server = FastAgiServer(
        scripts.answer,
        unavailable=scripts.unavailable,
        undelivered=scripts.undelivered,
        settings=FastAgiSettings(question_deadline_s=deadline_s, environment_timeout_s=0.3),
    )
    sock = listen("127.0.0.1:0")
    port = sock.getsockname()[1]
    await server.start(sock)
    try:
        yield Door(world, server, port)
    finally:
        await server.stop(1.0)
        assert server.open_connections == 0
        await world.close()
