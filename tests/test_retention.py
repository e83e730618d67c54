"""The bridge's own purge: when it is due, what it says, and that it ends with the bridge."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from tests.bench.load import load
from tests.ledger.helpers import attempt
from tests.running import CONFIG, Running, environ, write_config

from dialwarden import retention as module
from dialwarden.ledger.attempts import reserve
from dialwarden.ledger.connection import micros, open_ledger
from dialwarden.ledger.purge import Purged
from dialwarden.ledger.verify import opened, verify
from dialwarden.policies import load_policies
from dialwarden.retention import DailyPurge, _passed, told
from dialwarden.settings.config import Config, load_config

PURGE = (sys.executable, "-m", "dialwarden", "purge", "--json", "--config")
HALF_PAST_THREE = time(3, 30)


def clock(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("02T03:29:50", "02T03:30:10", True),
        ("02T03:29:50", "02T03:30:00", True),
        ("02T03:30:00", "02T03:30:20", False),
        ("02T03:29:00", "02T03:29:20", False),
        ("01T23:59:50", "02T00:00:10", False),
        # The machine slept, or its clock was put on: a time that was left out has passed.
        ("01T12:00:00", "02T12:00:00", True),
        ("02T02:59:50", "02T04:00:10", True),
        ("02T03:00:00", "03T01:00:00", True),
        # The clock was put back.
        ("02T03:59:50", "02T03:00:10", False),
    ],
)
def test_the_time_has_come_once_a_day(before: str, now: str, expected: bool) -> None:
    assert _passed(HALF_PAST_THREE, clock(before), clock(now)) == expected
    assert not _passed(None, clock(before), clock(now))


def test_midnight_is_a_time_of_day() -> None:
    assert _passed(time(0, 0), clock("01T23:59:50"), clock("02T00:00:10"))


@pytest.mark.parametrize(
    ("done", "line"),
    [
        (Purged({}, {}, True), "nothing was over"),
        (
            Purged({"attempts": 1200}, {"objections": 3}, True),
            "attempts: 1,200 removed, objections: 3 reduced",
        ),
        (
            Purged({"attempts": 1}, {}, False),
            "attempts: 1 removed; stopped before its end, it goes on the next time",
        ),
    ],
)
def test_what_it_did_is_one_line(done: Purged, line: str) -> None:
    assert told(done) == line


OVER = datetime.now(UTC) - timedelta(days=4 * 366)


def config_with(directory: Path, retention: str) -> Config:
    path = write_config(directory, f"{CONFIG}\n[retention]\n{retention}\n")
    return load_config(path, {}, load_policies)


def fill(path: Path, rows: int = 3) -> None:
    with closing(open_ledger(path)) as conn:
        for _ in range(rows):
            reserve(conn, attempt(at=OVER))


def left(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        return int(conn.execute("SELECT count(*) FROM attempt").fetchone()[0])


class Turned:
    """A clock that stands a little later at every look."""

    def __init__(self) -> None:
        self.now = clock("02T03:29:00")

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=10)
        return self.now


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.001)
    monkeypatch.setattr(module, "_local_now", Turned())


async def until(happened: object, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not happened():  # type: ignore[operator]  # noqa: ASYNC110  of another thread
            await asyncio.sleep(0.005)


async def test_at_its_time_what_is_over_goes(
    tmp_path: Path, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_with(tmp_path, 'years = 3\ndaily = "03:30"')
    fill(config.store.path)
    daily = DailyPurge(config)
    caplog.set_level("INFO")
    daily.start()
    await until(lambda: "attempts: 3 removed" in caplog.text)
    await daily.stop()
    assert left(config.store.path) == 0


async def test_without_a_time_nothing_goes_until_a_reload_gives_one(
    tmp_path: Path, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_with(tmp_path, "years = 3")
    fill(config.store.path)
    caplog.set_level("INFO")
    daily = DailyPurge(config)
    daily.start()
    assert caplog.text.count("nothing is removed but by `dialwarden purge`") == 1
    await asyncio.sleep(0.05)
    assert left(config.store.path) == 3
    daily.reload(config_with(tmp_path, 'years = 3\ndaily = "03:30"'))
    await until(lambda: "attempts: 3 removed" in caplog.text)
    await daily.stop()


async def test_stopping_ends_a_purge_within_a_few_rows(
    tmp_path: Path, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_with(tmp_path, 'years = 3\ndaily = "03:30"')
    fill(config.store.path, 2000)
    caplog.set_level("INFO")
    daily = DailyPurge(config)
    daily.start()
    await until(lambda: "purge: removing" in caplog.text)
    await daily.stop()
    assert "stopped before its end, it goes on the next time" in caplog.text
    assert left(config.store.path) > 0


async def test_a_clock_that_may_be_ahead_removes_nothing_and_is_told_in_one_line(
    tmp_path: Path, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_with(tmp_path, 'years = 3\ndaily = "03:30"')
    with closing(open_ledger(config.store.path)) as conn:
        conn.execute("UPDATE migration SET applied_at = ?", (micros(OVER) - 1,))
    fill(config.store.path)
    daily = DailyPurge(config)
    daily.start()
    await until(lambda: "purge: not done" in caplog.text)
    await daily.stop()
    assert left(config.store.path) == 3
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "this server's clock may be ahead" in line.getMessage()


async def test_a_ledger_that_is_away_is_told_and_tried_another_day(
    tmp_path: Path, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_with(tmp_path, 'years = 3\ndaily = "03:30"')
    daily = DailyPurge(config)
    daily.start()
    await until(lambda: "not finished, it goes on the next time" in caplog.text)
    fill(config.store.path)
    caplog.set_level("INFO")
    await until(lambda: "attempts: 3 removed" in caplog.text)
    await daily.stop()


def test_a_bridge_says_when_it_never_purges_and_stops_with_one_that_would(tmp_path: Path) -> None:
    with Running.start(write_config(tmp_path)) as running:
        running.until_said("is ready")
        running.until_said("[retention] daily is not set")
        assert running.stop() == 0
    later = (datetime.now() + timedelta(hours=2)).strftime("%H:%M")
    path = write_config(tmp_path, f'{CONFIG}\n[retention]\nyears = 3\ndaily = "{later}"\n')
    with Running.start(path) as running:
        running.until_said("is ready")
        assert running.stop() == 0
        assert "daily is not set" not in running.log


@pytest.mark.timeout(120)
async def test_calls_are_answered_while_a_purge_removes_thousands_of_rows(tmp_path: Path) -> None:
    path = write_config(tmp_path, f"{CONFIG}\n[retention]\nyears = 3\n")
    fill(tmp_path / "ledger.db", 4000)
    with Running.start(path) as running:
        port = await asyncio.to_thread(lambda: running.port)
        purge = await asyncio.create_subprocess_exec(
            *PURGE, str(path), env=environ(), stdout=asyncio.subprocess.PIPE
        )
        tally = await load(host="127.0.0.1", port=port, campaign="free", seconds=3, rate=60)
        printed, _ = await purge.communicate()
        assert json.loads(printed)["removed"] == {"attempts": 4000}
        assert not tally.errors
        assert set(tally.verdicts) == {"ALLOW"}
        assert running.stop() == 0
    assert left(tmp_path / "ledger.db") == tally.verdicts["ALLOW"] == 180
    with opened(tmp_path / "ledger.db", live=True) as conn:
        assert not [check for check in verify(conn) if check.wrong]
