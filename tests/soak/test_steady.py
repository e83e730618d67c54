"""Some seconds of what `make soak` does for ten minutes, and what it would find."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.soak import steady as soak
from tests.soak.steady import Minute, Plan, steady

MIB = 2**20


@pytest.mark.timeout(300)
def test_calls_beside_imports_reads_and_reloads_are_all_answered_and_recorded(
    tmp_path: Path,
) -> None:
    plan = Plan(
        seconds=8, rate=60, attempts=2000, numbers=400,
        report_s=2, import_s=3, read_s=1, reload_s=1.5,
    )  # fmt: skip
    minutes: list[Minute] = []
    report = steady(tmp_path, plan, minutes.append)
    assert report.wrong == []
    assert report.told["ALLOW"] > 100
    assert report.told["REFUSE opposition"] > 10
    assert report.told["REFUSE frequency"] > 10
    assert report.commands > 0
    assert minutes == report.minutes
    assert minutes
    log = (tmp_path / "dialwarden.log").read_text()
    assert "in force, 1 campaigns" in log


@pytest.mark.parametrize(
    ("seconds", "mib_a_minute", "grows"),
    [
        (600, 0, False),
        (600, 1, False),  # 4 MiB between the middles of the two halves
        (600, 6, True),  # 24 MiB
        (60, 30, False),  # caches fill
        (60, 1000, True),
    ],
)
def test_memory_that_grows_is_found(seconds: int, mib_a_minute: float, grows: bool) -> None:
    samples = [(float(at), int((60 + at / 60 * mib_a_minute) * MIB)) for at in range(seconds)]
    assert bool(soak._growth(samples)) is grows
    assert soak.slope(soak.warm(samples)) * 60 / MIB == pytest.approx(mib_a_minute, abs=0.01)
