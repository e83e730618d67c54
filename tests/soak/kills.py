"""The bridge killed (SIGKILL) again and again under load: nothing that was allowed is forgotten.

`python -m tests.soak.kills` kills it fifty times; `--attempts 5000000` gives the ledger a past.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.fixture import work_folder
from tests.running import Running
from tests.soak import checks
from tests.soak.bridge import configured, free_port, seconds_to_first_answer, size_of
from tests.soak.calls import Calls, Said
from tests.soak.history import ledger_with

NUMBERS = 5000
# Looking through more than this after each kill would take longer than all the rest.
_SMALL = 100_000
# From the spawn behind a kill to the first answer, whatever the ledger holds.
MOST_START_S = 3.0


@dataclass
class Report:
    """What was seen. `wrong` is to be empty."""

    wrong: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    logs: list[int] = field(default_factory=list)  # bytes of the -wal that each kill left


def kill(
    directory: Path, *, kills: int, rate: float, attempts: int, up_s: tuple[float, float]
) -> Report:
    """Kill a bridge so many times, each after it was up for a random while, and compare."""
    chance = random.Random(kills)
    report = Report()
    ledger = directory / "ledger.db"
    ledger_with(attempts, ledger)
    port = free_port()
    config = configured(directory, port=port, level="warning")
    said: list[Said] = []
    with Calls(
        port, directory / "said", rate=rate, seconds=100_000, numbers=NUMBERS, seed=kills
    ) as calls:
        for _ in range(kills):
            with Running.start(config) as running:
                seconds_to_first = seconds_to_first_answer(running, port, time.monotonic())
                report.starts.append(seconds_to_first)
                time.sleep(chance.uniform(*up_s))
            # The end of the block killed it.
            report.logs.append(size_of(ledger, "-wal"))
            if attempts <= _SMALL:
                report.wrong += checks.whole(ledger)
        with Running.start(config) as running:
            report.starts.append(seconds_to_first_answer(running, port, time.monotonic()))
            calls.stop()
            said += calls.new()
            if running.stop() != 0:
                report.wrong.append(f"the last bridge did not stop well\n{running.log[-2000:]}")
    report.told = Counter(f"{one.verdict} {one.rule}".strip() for one in said)
    report.wrong += checks.whole(ledger)
    report.wrong += checks.nothing_lost(
        ledger, said, told_all=False, recorded_all=False, since=attempts
    )
    report.wrong += [
        f"in the log: {line}" for line in _lines_of_trouble(config.with_suffix(".log"))
    ]
    return report


def _lines_of_trouble(log: Path) -> list[str]:
    """Faults of ours in the log: a verdict that came too late on a busy machine is none."""
    with log.open(errors="replace") as stream:
        return [
            line
            for line in stream
            if "Traceback" in line
            or ('"level": "error"' in line and '"logger": "dialwarden.verdict"' not in line)
        ][:5]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.soak.kills")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rate", type=float, default=500.0, help="calls a second")
    parser.add_argument("--attempts", type=int, default=10_000, help="in the ledger beforehand")
    words = parser.parse_args()
    with work_folder() as folder:
        report = kill(
            folder, kills=words.kills, rate=words.rate, attempts=words.attempts, up_s=(0.05, 1.5)
        )
    print(f"{words.kills} kills; answers: {dict(report.told)}")
    print(f"spawn to first answer: median {statistics.median(report.starts):.2f} s, "
          f"max {max(report.starts):.2f} s; logs left behind: up to "
          f"{max(report.logs) / 2**20:.1f} MiB")  # fmt: skip
    found = report.wrong + slow(report.starts)
    for line in found:
        print(f"WRONG {line}")
    print("nothing lost" if not found else f"{len(found)} things wrong")
    return 1 if found else 0


def slow(starts: Sequence[float]) -> list[str]:
    """What is wrong with starts, in seconds, on a machine that does nothing else."""
    late = [one for one in starts if one > MOST_START_S]
    return [
        f"{len(late)} of {len(starts)} starts took more than {MOST_START_S:g} s to the first "
        f"answer: up to {max(late):.2f} s"
    ] if late else []  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
