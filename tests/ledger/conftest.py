"""A fresh ledger for each test, and values to fill it with."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.group_commit import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def conn(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_ledger(path)
    yield connection
    connection.close()


@pytest_asyncio.fixture
async def ledger(path: Path) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(path, busy_timeout_s=0.1)
    yield opened
    await opened.close()
