"""A fake manager interface, what the link to it hears, and what it logs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.link.fake_ami import FakeAmi, Heard, a_fake_ami, log_lines


@pytest_asyncio.fixture
async def ami() -> AsyncIterator[FakeAmi]:
    async with a_fake_ami() as one:
        yield one


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def lines() -> Iterator[list[logging.LogRecord]]:
    with log_lines() as records:
        yield records
