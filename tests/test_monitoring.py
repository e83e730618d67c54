"""A real bridge, watched: /healthz, /metrics, and what systemd is told, as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.doors.asking import ask
from tests.running import CONFIG, Running, SystemdStandIn, environ, write_config

WATCHED = '[http]\nlisten = "127.0.0.1:0"\n'
DOOR = "/healthz and /metrics"
# Nobody listens there.
AMI = """
[ami]
address = "127.0.0.1:1"
username = "dw"
secret = "x"
[gateway]
listen = "127.0.0.1:0"
"""


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[SystemdStandIn]:
    one = SystemdStandIn(tmp_path)
    yield one
    one.close()


def page(running: Running, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{running.port_of(DOOR)}{path}"
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def health(running: Running) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page(running, "/healthz")[1])
    return found


def metric(running: Running, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(page(running, "/metrics")[1])
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def start(tmp_path: Path, more: str = "", **env: str) -> Running:
    config = write_config(tmp_path, f"{CONFIG}\n{WATCHED}{more}")
    return Running.start(config, env=environ(**env))


async def test_what_was_asked_stands_in_the_metrics(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        for number, campaign in (("0612345678", "free"), ("0612345678", "listed"), ("112", "free")):
            await ask(running.port, "check", number=number, campaign=campaign)
        verdicts = "dialwarden_verdicts_total"
        assert metric(running, verdicts, verdict="ALLOW", campaign="free", rule="") == 1
        assert metric(running, verdicts, rule="list_stale", campaign="listed", door="agi") == 1
        assert metric(running, "dialwarden_exempt_calls_total", exempt="emergency") == 1
        assert metric(running, "dialwarden_answer_seconds_count", door="agi") == 3
        assert metric(running, "dialwarden_agi_events_total", event="answered") == 3
        assert metric(running, "dialwarden_ledger_size_bytes") > 0
        assert metric(running, "dialwarden_ledger_disk_free_bytes") > 0


async def test_a_list_that_was_never_imported_is_degraded_until_it_is(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        status, body = await asyncio.to_thread(page, running, "/healthz")
        assert status == 200
        assert json.loads(body)["status"] == "degraded"
        assert json.loads(body)["why"] == [
            "list house was never imported: calls of listed are refused (list_stale); "
            "dialwarden list import house FILE"
        ]
        numbers = tmp_path / "numbers.csv"
        numbers.write_text("number\n0687654321\n")
        importing = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialwarden", "list", "import", "house", str(numbers),
            "--config", str(tmp_path / "dialwarden.toml"), env=environ(),
        )  # fmt: skip
        assert await importing.wait() == 0
        await asyncio.to_thread(running.until, lambda: health(running)["status"] == "ready")
        assert metric(running, "dialwarden_list_numbers", list="house") == 1


async def test_a_ledger_that_is_away_is_told_before_a_call_finds_out(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        assert health(running)["ledger"] == {"available": True, "why": ""}
        names = [f"ledger.db{more}" for more in ("", "-wal", "-shm")]
        (tmp_path / "aside").mkdir()
        for name in names:
            (tmp_path / name).rename(tmp_path / "aside" / name)
        await asyncio.to_thread(
            running.until, lambda: "there is no such file" in health(running)["ledger"]["why"]
        )
        assert metric(running, "dialwarden_ledger_available") == 0
        for name in names:
            (tmp_path / "aside" / name).rename(tmp_path / name)
        await asyncio.to_thread(running.until, lambda: health(running)["ledger"]["available"])


LATER = """
id = "later"
title = "Not yet"
country = "FR"
binds = "Nobody yet."
[[regimes]]
id = "later"
title = "Not yet"
from = 2999-01-01
purposes = ["sales"]
"""
OF_LATER = """
[policies]
path = "policies"
[campaigns.early]
professional = "acme"
policy = "later"
region = "FR"
"""


async def test_a_campaign_without_a_regime_in_force_is_degraded(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    write_config(tmp_path / "policies", LATER, "later.toml")
    with start(tmp_path, OF_LATER) as running:
        assert (
            "calls of early are refused (campaign): policy later has no regime in force"
            in health(running)["why"]
        )
        said = await ask(running.port, "check", number="0612345678", campaign="early")
        assert said["DIALWARDEN_RULE"] == "campaign"


async def test_blind_is_503_and_the_gateway_is_counted(tmp_path: Path) -> None:
    with start(tmp_path, AMI) as running:
        status, body = await asyncio.to_thread(page, running, "/healthz")
        assert (status, json.loads(body)["status"]) == (503, "blind")
        assert metric(running, "dialwarden_guard_blind") == 1
        assert metric(running, "dialwarden_ami_up") == 0
        assert metric(running, "dialwarden_gateway_events_total", event="relayed") == 0
        assert metric(running, "dialwarden_call_events_waiting") == 0


async def test_systemd_is_told_how_we_are_and_gets_signs_of_life(
    tmp_path: Path, systemd: SystemdStandIn
) -> None:
    watchdog = {"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "400000"}
    with start(tmp_path, **watchdog) as running:
        ready = await asyncio.to_thread(systemd.said, "READY")
        assert ready["MAINPID"] == str(running.process.pid)
        assert ready["STATUS"].startswith("degraded: list house was never imported")
        assert ready["STATUS"].endswith("; 3 campaigns, no AMI; 0 allowed, 0 refused")
        for _ in range(3):
            await asyncio.to_thread(systemd.said, "WATCHDOG")
        await ask(running.port, "check", number="0612345678", campaign="free")
        status = await asyncio.to_thread(systemd.said, "STATUS")
        assert status["STATUS"].endswith("; 1 allowed, 0 refused")
        running.signal(signal.SIGTERM)
        await asyncio.to_thread(systemd.said, "STOPPING")
        assert await asyncio.to_thread(running.ended) == 0


async def test_a_reload_is_told_to_systemd_and_in_the_metrics_also_when_it_failed(
    tmp_path: Path, systemd: SystemdStandIn
) -> None:
    with start(tmp_path, NOTIFY_SOCKET=systemd.path) as running:
        await asyncio.to_thread(systemd.said, "READY")
        assert metric(running, "dialwarden_config_reload_success") == 1
        for text, taken in (("[", 0), (f"{CONFIG}\n{WATCHED}[defaults]\nenforce = false\n", 1)):
            write_config(tmp_path, text)
            running.signal(signal.SIGHUP)
            assert int((await asyncio.to_thread(systemd.said, "RELOADING"))["MONOTONIC_USEC"])
            ready = await asyncio.to_thread(systemd.said, "READY")
            assert "MAINPID" not in ready
            assert metric(running, "dialwarden_config_reload_success") == taken
        assert metric(running, "dialwarden_campaign_shadow") == 3
        assert health(running)["shadow"] == ["capped", "free", "listed"]
        assert ready["STATUS"].startswith("ready; 3 campaigns (3 in shadow mode)")


async def test_a_successor_gives_signs_of_life_in_its_own_name(
    tmp_path: Path, systemd: SystemdStandIn
) -> None:
    watchdog = {"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "400000"}
    with start(tmp_path, **watchdog) as running:
        await asyncio.to_thread(systemd.said, "READY")
        running.signal(signal.SIGUSR2)
        successor = int((await asyncio.to_thread(systemd.said, "MAINPID"))["MAINPID"])
        try:
            assert successor != running.process.pid
            assert await asyncio.to_thread(running.ended) == 0
            while (await asyncio.to_thread(systemd.said, "WATCHDOG"))["pid"] != str(successor):
                pass
        finally:
            signal.pidfd_send_signal(handle := os.pidfd_open(successor), signal.SIGTERM)
            os.close(handle)
