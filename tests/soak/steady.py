"""A bridge at a steady rate for as long as it takes to see what grows.

`python -m tests.soak.steady`: ten minutes at 500 calls a second on a ledger with a past, while
lists are imported, the ledger is read by commands, and the configuration is taken anew.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.fixture import work_folder
from tests.running import Running, environ
from tests.soak import checks
from tests.soak.bridge import Figures, configured, free_port, seconds_to_first_answer, size_of
from tests.soak.calls import FIRST, Calls, Said
from tests.soak.history import LISTED, ledger_with

# SQLite's pages of two connections (32 MiB each) and two generations of the list fill up first.
_WARMING_MIB = 96
# From then on: between the first and the second half of what is left.
_MOST_GROWTH_MIB = 16
_WARM_UP_S = 120
# The slowest minute's p99 beside the median minute's; imports and reports take the other core.
_MOST_P99, _P99_FLOOR_S = 5.0, 0.050


@dataclass(frozen=True)
class Plan:
    """How long, how much, and every how many seconds something else is done."""

    seconds: float
    rate: float
    attempts: int
    numbers: int
    report_s: float = 60.0
    import_s: float = 120.0
    read_s: float = 15.0
    reload_s: float = 30.0


@dataclass(frozen=True)
class Minute:
    """What was seen in one stretch of the run: seconds, bytes, shares of one core."""

    at: float
    answered: int
    p50: float
    p99: float
    worst: float
    cpu: float
    figures: Figures
    ledger: int
    log: int


@dataclass
class Report:
    """What was seen. `wrong` is to be empty, and on a machine that does nothing else `slow` too."""

    wrong: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    minutes: list[Minute] = field(default_factory=list)
    resident: list[tuple[float, int]] = field(default_factory=list)  # seconds, bytes
    commands: int = 0


class _Commands:
    """What people do beside the calls, one after another, until told to stop."""

    def __init__(self, plan: Plan, config: Path, running: Running) -> None:
        self.done = 0
        self.failed: list[str] = []
        self._config = config
        self._running = running
        self._over = threading.Event()
        numbers = config.parent / "house.csv"
        numbers.write_text("number\n" + "".join(f"+{FIRST + n * 7}\n" for n in range(1, LISTED)))
        reads = (
            ("attempts", "list", "--number", f"+{FIRST}", "--json"),
            ("refusals", "--since", "10s", "--json"),
            ("list", "status"),
            ("attempts", "list", "--json"),
        )
        self._turns: list[tuple[float, Callable[[int], None]]] = [
            (plan.import_s, lambda _: self._command("list", "import", "house", str(numbers))),
            (plan.read_s, lambda turn: self._command(*reads[turn % len(reads)])),
            (plan.reload_s, lambda _: running.signal(signal.SIGHUP)),
        ]
        self._threads = [
            threading.Thread(target=self._every, args=turn, daemon=True) for turn in self._turns
        ]

    def __enter__(self) -> _Commands:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _every(self, seconds: float, do: Callable[[int], None]) -> None:
        turn = 0
        while not self._over.wait(seconds):
            do(turn)
            turn += 1

    def _command(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "dialwarden", *words, "--config", str(self._config)],
            env=environ(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
        self.done += 1
        if done.returncode:
            self.failed.append(f"{' '.join(words[:2])}: {done.returncode}: {done.stderr[-500:]}")


def steady(directory: Path, plan: Plan, tell: Callable[[Minute], None]) -> Report:
    """Run it; `tell` is given each stretch as it ends."""
    report = Report()
    ledger = directory / "ledger.db"
    ledger_with(plan.attempts, ledger)
    port = free_port()
    config = configured(directory, port=port)
    said: list[Said] = []
    with Running.start(config) as running:
        seconds_to_first_answer(running, port, time.monotonic())
        # Asked by the harness itself, to know that it is up.
        since = checks.newest(ledger)
        pid = running.process.pid
        with (
            Calls(port, directory / "said", rate=plan.rate, seconds=plan.seconds,
                  numbers=plan.numbers) as calls,
            _Commands(plan, config, running) as commands,
        ):  # fmt: skip
            began = last = time.monotonic()
            before = Figures.of(pid)
            while calls.placing:
                time.sleep(min(1.0, plan.report_s / 4))
                now = time.monotonic()
                figures = Figures.of(pid)
                report.resident.append((now - began, figures.resident))
                if now - last >= plan.report_s:
                    stretch = list(calls.new())
                    said += stretch
                    cpu = (figures.cpu - before.cpu) / (now - last)
                    report.minutes.append(_minute(now - began, stretch, cpu, figures, ledger))
                    tell(report.minutes[-1])
                    last, before = now, figures
            calls.ended()
            said += calls.new()
        report.commands = commands.done
        report.wrong += commands.failed
        if running.stop() != 0:
            report.wrong.append("it did not stop well")
    report.told = Counter(f"{one.verdict} {one.rule}".strip() for one in said)
    report.wrong += checks.nothing_lost(ledger, said, told_all=True, recorded_all=True, since=since)
    report.wrong += checks.whole(ledger)
    report.slow += [
        f"answers of no use: {what}: {times}" for what, times in report.told.items()
        if not what.startswith(("ALLOW", "REFUSE")) or "unavailable" in what
    ]  # fmt: skip
    report.wrong += _errors(config.with_suffix(".log"))
    report.wrong += _growth(report.resident)
    report.slow += _unsteady(report.minutes)
    return report


def _minute(at: float, said: Sequence[Said], cpu: float, figures: Figures, ledger: Path) -> Minute:
    after = sorted(one.after for one in said) or [0.0]
    return Minute(
        at, len(said), after[len(after) // 2], after[len(after) * 99 // 100], after[-1],
        cpu, figures, size_of(ledger), size_of(ledger, "-wal"),
    )  # fmt: skip


def _errors(log: Path) -> list[str]:
    with log.open(errors="replace") as stream:
        found = [line for line in stream if "Traceback" in line or _is_error(line)]
    return [f"in the log, and {len(found)} such: {found[0]}"] if found else []


def _is_error(line: str) -> bool:
    # A verdict that came too late is told of as an answer of no use.
    return '"level": "error"' in line and '"logger": "dialwarden.verdict"' not in line


def slope(samples: Sequence[tuple[float, int]]) -> float:
    """Bytes a second, by least squares."""
    return statistics.linear_regression(*zip(*samples, strict=True)).slope


def warm(samples: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """What came after the warm-up; of a short run, its second half."""
    end = samples[-1][0]
    return [one for one in samples if one[0] >= min(_WARM_UP_S, end / 2)]


def _growth(samples: Sequence[tuple[float, int]]) -> list[str]:
    rest = warm(samples)
    middle = len(rest) // 2
    first, second = (
        statistics.median(resident for _, resident in half) / 2**20
        for half in (rest[:middle], rest[middle:])
    )
    most = _MOST_GROWTH_MIB if samples[-1][0] > 2 * _WARM_UP_S else _WARMING_MIB
    if second - first <= most:
        return []
    return [f"memory grows: {first:.0f} MiB, then {second:.0f} MiB"]


def _unsteady(minutes: Sequence[Minute]) -> list[str]:
    if len(minutes) < 3:
        return []
    middle = statistics.median(one.p99 for one in minutes)
    return [
        f"p99 of {one.p99 * 1000:.0f} ms at {one.at:.0f} s, where {middle * 1000:.0f} is usual"
        for one in minutes
        if one.p99 > max(_MOST_P99 * middle, _P99_FLOOR_S)
    ]


def show(one: Minute) -> None:
    mib = 2**20
    print(
        f"{one.at:5.0f} s  {one.answered:7,} answered  p50 {one.p50 * 1000:6.2f} ms  "
        f"p99 {one.p99 * 1000:6.2f} ms  max {one.worst * 1000:5.0f} ms  "
        f"cpu {one.cpu:4.0%}  rss {one.figures.resident / mib:5.0f} MiB  "
        f"ledger {one.ledger / mib:5.0f} MiB  wal {one.log / mib:4.0f} MiB  "
        f"{one.figures.descriptors} fds",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.soak.steady")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=500.0, help="calls a second")
    parser.add_argument("--attempts", type=int, default=1_000_000, help="in the ledger beforehand")
    parser.add_argument("--numbers", type=int, default=1_000_000, help="callees; few meet caps")
    words = parser.parse_args()
    plan = Plan(
        words.seconds, words.rate, words.attempts, words.numbers,
        report_s=min(60.0, words.seconds / 6),
    )  # fmt: skip
    with work_folder() as folder:
        report = steady(folder, plan, show)
    rest = warm(report.resident)
    print(f"answers: {dict(report.told)}; {report.commands} commands beside them")
    print(f"memory after the warm-up: {slope(rest) * 60 / 1024:+.0f} KiB a minute")
    found = report.wrong + report.slow
    for line in found:
        print(f"WRONG {line}")
    print("all well" if not found else f"{len(found)} things wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
