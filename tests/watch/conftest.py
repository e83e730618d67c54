"""A scene over a fresh ledger for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.gate.world import World
from tests.watch.scene import Scene


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    opened = await World.open(tmp_path)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    made = Scene(world)
    await made.open()
    yield made
    await made.close()
