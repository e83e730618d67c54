"""Shadow mode and break-glass on a real bridge, with the commands as processes beside it."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.doors.asking import ask
from tests.running import CONFIG, WITHIN_S, Running, environ, write_config

from bench.ports import free_tcp_port
from dialwarden.ledger.attempt_list import list_attempts
from dialwarden.ledger.connection import open_ledger

DIALLED = "0612345678"
SHUT = """
[http]
listen = "127.0.0.1:{http}"
[campaigns.shut]
professional = "free"
policy = "none"
region = "FR"
[campaigns.shut.tighten]
caps = [{{ max = 1, period = "30 days" }}]
"""
_calls = itertools.count(1)


@pytest.fixture
def http() -> int:
    return free_tcp_port()


@pytest.fixture
def config(tmp_path: Path, http: int) -> Path:
    return write_config(tmp_path, CONFIG + SHUT.format(http=http))


@pytest.fixture
def running(config: Path) -> Iterator[Running]:
    with Running.start(config) as one:
        yield one


def dialwarden(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dialwarden", *words, "--config", str(config)],
        env=environ(), capture_output=True, text=True, check=True, timeout=WITHIN_S,
    )  # fmt: skip


def begin(config: Path, length: str = "30m") -> int:
    told = dialwarden(
        config, "override", "--campaign", "shut", "--rule", "frequency", "--for", length,
        "--by", "Anna", "--why", "a flood", "--json",
    )  # fmt: skip
    found: int = json.loads(told.stdout)["id"]
    return found


def health(port: int) -> dict[str, Any]:
    """What `/healthz` says; only once the bridge serves."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=WITHIN_S) as page:
        found: dict[str, Any] = json.load(page)
        return found


async def check(port: int, campaign: str = "shut") -> str:
    call = f"1800000000.{next(_calls)}"
    said = await ask(port, "check", number=DIALLED, campaign=campaign, call=call)
    return f"{said['DIALWARDEN_VERDICT']} {said['DIALWARDEN_RULE']}".strip()


async def heard(running: Running, words: str) -> None:
    await asyncio.to_thread(running.until_said, words)


async def test_an_override_holds_for_the_next_question_until_it_is_ended(
    running: Running, config: Path, http: int
) -> None:
    port = running.port
    assert [await check(port), await check(port)] == ["ALLOW", "REFUSE frequency"]
    made = begin(config)
    assert await check(port) == "ALLOW"
    await heard(running, f"override {made} begins: campaign shut, frequency let go until ")
    (shown,) = health(http)["overrides"]
    assert (shown["id"], shown["campaign"], shown["rules"], shown["by"]) == (
        made, "shut", ["frequency"], "Anna",
    )  # fmt: skip
    dialwarden(config, "override", "end", str(made), "--by", "Bob", "--why", "dry again")
    assert await check(port) == "REFUSE frequency"
    await heard(running, f"override {made} is over: campaign shut, frequency enforced again; "
                "ended by Bob: dry again")  # fmt: skip
    assert health(http)["overrides"] == []
    assert f"let go under override {made} (frequency, by Anna) +336" in running.log
    assert running.stop() == 0
    with closing(open_ledger(config.parent / "ledger.db", create=False)) as conn:
        told = [(row["enforced"], row["overrides"]) for row in list_attempts(conn)]
    assert told == [(True, "{}"), (False, json.dumps({"frequency": made}))]


async def test_an_override_outlives_a_kill_of_the_bridge(config: Path, http: int) -> None:
    with Running.start(config) as running:
        assert await check(running.port) == "ALLOW"
        made = begin(config)
        assert await check(running.port) == "ALLOW"
        running.signal(signal.SIGKILL)
        running.ended()
    with Running.start(config) as running:
        assert await check(running.port) == "ALLOW"
        await heard(running, f"override {made} is in force: campaign shut, frequency let go until ")
        assert [one["id"] for one in health(http)["overrides"]] == [made]


async def test_an_override_ends_by_itself(running: Running, config: Path, http: int) -> None:
    assert await check(running.port) == "ALLOW"
    made = begin(config, "1s")
    await heard(running, f"override {made} is over: campaign shut, frequency enforced again; "
                "its time is up")  # fmt: skip
    assert await check(running.port) == "REFUSE frequency"
    assert health(http)["overrides"] == []


async def test_the_start_and_a_reload_name_the_campaigns_in_shadow_mode(
    running: Running, config: Path, http: int
) -> None:
    assert running.port
    assert "SHADOW MODE" not in running.log
    assert health(http)["shadow"] == []
    with config.open("a") as file:
        file.write("[defaults]\nenforce = false\n")
    running.signal(signal.SIGHUP)
    await heard(running, "reload: configuration")
    said = "SHADOW MODE for every campaign (capped, free, listed, shut): refusals are logged"
    (line,) = [line for line in running.lines if line["message"].startswith(said)]
    assert line["level"] == "warning"
    assert health(http)["shadow"] == ["capped", "free", "listed", "shut"]
    assert [await check(running.port) for _ in range(3)] == ["ALLOW"] * 3
    await heard(running, '"would_refuse": true')
    assert running.stop() == 0
    with Running.start(config) as another:
        assert another.port
        assert said in another.log
