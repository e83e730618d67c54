"""A bridge that scanners, dead peers and a crowd hold on to goes on answering calls."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.doors.asking import ask, environment
from tests.running import Running
from tests.soak import checks
from tests.soak.bridge import Figures, configured
from tests.soak.calls import CAMPAIGN, FIRST, Calls, Said
from tests.soak.history import ledger_with

HALF_OPEN = 1000
GARBAGE = 1000
CROWD = 2000
ANSWERED = 50  # calls allowed while the others hold on
QUESTION = environment("check", "number=+33612345678", f"campaign={CAMPAIGN}")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    ledger_with(0, tmp_path / "ledger.db")
    return configured(tmp_path, connections=3000)


def garbage(dice: random.Random) -> bytes:
    return dice.choice(
        (
            lambda: dice.randbytes(dice.randrange(1, 20_000)),
            lambda: b"\n" * dice.randrange(1, 2000),
            lambda: b"agi_network: yes\n" * 5000,
            lambda: b"A" * 100_000,
            lambda: QUESTION[: dice.randrange(1, len(QUESTION))],
            lambda: QUESTION + b"HANGUP\n" * 50,
            lambda: b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            lambda: b"\x16\x03\x01\x02\x00\x01\x00" + dice.randbytes(100),
            lambda: b"",
        )
    )()


async def throw(port: int, data: bytes) -> None:
    """Send it, take what comes, leave; how that ends is the bridge's to say."""
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(), 0.2)
        writer.close()


@contextlib.asynccontextmanager
async def half_open(port: int, count: int) -> AsyncIterator[None]:
    """Connections that begin a question and never end it; each one cut is made again."""
    over = False

    async def hold() -> None:
        while not over:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(QUESTION[:40])
                await reader.read()
                writer.close()

    tasks = [asyncio.create_task(hold()) for _ in range(count)]
    try:
        yield
    finally:
        over = True
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.mark.timeout(180)
async def test_garbage_and_half_open_connections_by_the_thousand_cost_no_call(
    config: Path, tmp_path: Path
) -> None:
    dice = random.Random(1)
    said: list[Said] = []
    with Running.start(config) as running:
        port = running.port
        with Calls(port, tmp_path / "said", rate=40, seconds=10_000, numbers=10_000) as calls:
            async with half_open(port, HALF_OPEN):
                for _ in range(GARBAGE // 100):
                    await asyncio.gather(*(throw(port, garbage(dice)) for _ in range(100)))
                while sum(one.attempt > 0 for one in said) < ANSWERED:
                    assert calls.placing
                    await asyncio.sleep(0.05)
                    said += calls.new()
            calls.stop()
            said += calls.new()
        # Those that were cut are gone from its tables too.
        await asyncio.to_thread(
            running.until, lambda: Figures.of(running.process.pid).descriptors < 100
        )
        assert running.stop() == 0
    told = Counter(one.verdict for one in said)
    # Whoever waited too long on a slow machine gave up; nobody was answered with nonsense.
    assert set(told) <= {"ALLOW", "REFUSE", "nothing"}
    ours = [one for one in said if one.attempt]
    assert checks.nothing_lost(
        tmp_path / "ledger.db", ours, told_all=False, recorded_all=False
    ) == []  # fmt: skip
    assert "Traceback" not in running.log


@pytest.mark.timeout(180)
async def test_two_thousand_calls_at_once_are_all_answered(config: Path, tmp_path: Path) -> None:
    with Running.start(config) as running:
        port = running.port
        told = await asyncio.gather(
            *(
                ask(port, "check", number=f"+{FIRST + 1 + 7 * n}", campaign=CAMPAIGN, call=f"9.{n}")
                for n in range(CROWD)
            )
        )
        assert running.stop() == 0
    # On a slow machine the last of them are refused: their deadline has passed. Or two thousand
    # clients in one process are so slow to ask that some are cut off, and the dialplan refuses.
    refused = {"DIALWARDEN_VERDICT": "REFUSE", "DIALWARDEN_RULE": "unavailable"}
    said = [
        Said(0.0, 0.0, one["DIALWARDEN_VERDICT"], one["DIALWARDEN_RULE"],
             int(one.get("DIALWARDEN_ATTEMPT") or 0), FIRST + 1 + 7 * n, "", f"9.{n}", "")
        for n, one in enumerate(answered or refused for answered in told)
    ]  # fmt: skip
    assert {(one.verdict, one.rule) for one in said} <= {("ALLOW", ""), ("REFUSE", "unavailable")}
    assert sum(one.verdict == "ALLOW" for one in said) > CROWD // 10
    assert checks.nothing_lost(
        tmp_path / "ledger.db", said, told_all=True, recorded_all=False
    ) == []  # fmt: skip
    assert "Traceback" not in running.log


@pytest.mark.timeout(180)
async def test_two_bridges_under_load_on_one_ledger_keep_every_cap(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    ledger_with(0, ledger)
    said: list[Said] = []
    with (
        Running.start(configured(tmp_path, name="one.toml")) as one,
        Running.start(configured(tmp_path, name="two.toml")) as two,
    ):
        with (
            Calls(one.port, tmp_path / "first", rate=100, seconds=4, numbers=60, seed=1) as first,
            Calls(two.port, tmp_path / "second", rate=100, seconds=4, numbers=60, seed=2) as second,
        ):
            for calls in (first, second):
                await asyncio.to_thread(calls.ended)
                said += calls.new()
        assert (one.stop(), two.stop()) == (0, 0)
    told = Counter(f"{one.verdict} {one.rule}".strip() for one in said)
    assert told["REFUSE frequency"] > 100  # the caps were met
    assert told["ALLOW"] > 100
    assert checks.nothing_lost(ledger, said, told_all=True, recorded_all=False) == []
    assert checks.whole(ledger) == []
