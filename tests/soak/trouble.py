"""What goes wrong beneath a bridge while it is asked, and what its callers then get.

`python -m tests.soak.trouble [NAME…]` brings one trouble after another over a bridge under load
and prints what was said before, during and after it. Owns how each trouble is made and ended;
what is right of an answer is in `checks`.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.fixture import work_folder
from tests.running import WITHIN_S, Running, environ
from tests.soak import checks
from tests.soak.bridge import Figures, configured, free_port
from tests.soak.calls import FIRST, Calls, Said
from tests.soak.history import ledger_with

NUMBERS = 100_000
_SMALL_DISK = "16m"


@dataclass(frozen=True)
class Scene:
    """A bridge, and where its ledger lies: in a folder of its own, on a small disk if need be."""

    running: Running
    config: Path
    ledger: Path
    disk: Path

    @property
    def pid(self) -> int:
        return self.running.process.pid


Making = Callable[[Scene], AbstractContextManager[None]]


@contextmanager
def locked(scene: Scene, how: str = "IMMEDIATE") -> Iterator[None]:
    """Another process is in the midst of a transaction that does not end."""
    with closing(sqlite3.connect(scene.ledger, isolation_level=None, timeout=30)) as conn:
        conn.execute(f"BEGIN {how}")
        yield
        conn.execute("ROLLBACK")


@contextmanager
def read_from(scene: Scene) -> Iterator[None]:
    """Another process reads one state for as long as it takes: the log cannot start anew."""
    with closing(sqlite3.connect(scene.ledger, isolation_level=None)) as conn:
        conn.execute("BEGIN")
        conn.execute("SELECT count(*) FROM attempt").fetchone()
        yield
        conn.execute("ROLLBACK")


@contextmanager
def imported_into(scene: Scene) -> Iterator[None]:
    """A list of two million numbers is imported beside the calls."""
    numbers = scene.disk / "numbers.csv"
    with numbers.open("w") as stream:
        stream.write("number\n")
        stream.writelines(f"+{FIRST + 5 * n}\n" for n in range(1, 2_000_000))
    words = ("list", "import", "spare", str(numbers), "--config", str(scene.config))
    with subprocess.Popen(
        [sys.executable, "-m", "dialwarden", *words], env=environ(), stdout=subprocess.DEVNULL
    ) as process:
        yield
        if process.wait() != 0:
            raise RuntimeError(f"the import ended with {process.returncode}")


@contextmanager
def syncing(scene: Scene, what: str) -> Iterator[None]:
    """Every fsync of the bridge's is late, or fails, as strace has it."""
    if shutil.which("strace") is None:
        raise PermissionError("this takes strace")
    calls = "fsync,fdatasync"
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(scene.pid), "-e", f"trace={calls}",
         "-e", f"inject={calls}:{what}"],
    ) as process:  # fmt: skip
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def full(scene: Scene) -> Iterator[None]:
    """Nothing more goes onto the disk; then something is removed from it."""
    ballast = scene.disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12):
            try:
                while stream.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    yield
    ballast.unlink()


@contextmanager
def limited(scene: Scene) -> Iterator[None]:
    """No file may grow: to the bridge that is a disk that fails, and says EFBIG."""
    former = resource.prlimit(scene.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(scene.pid, resource.RLIMIT_FSIZE, (4096, former[1]))
    yield
    resource.prlimit(scene.pid, resource.RLIMIT_FSIZE, former)


@contextmanager
def stopped(scene: Scene) -> Iterator[None]:
    """The process gets no time, as on a machine that swaps or a virtual one that is moved."""
    scene.running.signal(signal.SIGSTOP)
    yield
    scene.running.signal(signal.SIGCONT)


@contextmanager
def gone(scene: Scene) -> Iterator[None]:
    """Its folder has another name for a while."""
    aside = scene.ledger.parent.with_name("aside")
    scene.ledger.parent.rename(aside)
    yield
    aside.rename(scene.ledger.parent)


@contextmanager
def moved(scene: Scene, *suffixes: str) -> Iterator[None]:
    """The ledger, with or without what lies beside it, has another name for a while."""
    names = [Path(f"{scene.ledger}{suffix}") for suffix in suffixes]
    for name in names:
        name.rename(f"{name}.aside")
    yield
    for name in reversed(names):
        Path(f"{name}.aside").rename(name)


TROUBLES: dict[str, Making] = {
    "locked": locked,
    "locked exclusively": lambda scene: locked(scene, "EXCLUSIVE"),
    "read from": read_from,
    "imported into": imported_into,
    "slow disk": lambda scene: syncing(scene, "delay_exit=100000"),  # microseconds
    "disk at a crawl": lambda scene: syncing(scene, "delay_exit=1000000"),
    "disk that fails": lambda scene: syncing(scene, "error=EIO"),
    "disk full": full,
    "files may not grow": limited,
    "stopped": stopped,
    "folder gone": gone,
    "file gone": lambda scene: moved(scene, ""),
    "file and log gone": lambda scene: moved(scene, "", "-wal", "-shm"),
    "log gone": lambda scene: moved(scene, "-wal"),
}
# While these last nobody who is not exempt is told ALLOW. A process that is stopped tells
# nobody anything, and then some who have waited; on a full disk the log is written to where it
# was written before, until there is no such room left.
REFUSING = frozenset(TROUBLES) - {
    "stopped", "read from", "imported into", "slow disk", "disk at a crawl", "disk full",
}  # fmt: skip


@dataclass
class Report:
    """What was seen before the trouble, during it and after it. `wrong` is to be empty.

    Attributes:
        healed: seconds from its end to the first ALLOW that rests on the ledger.
        growth: bytes of memory taken meanwhile.
        left: callers who came and left while a process was stopped.
        lines: of the log, while it lasted, by level and logger; INFO left out.
    """

    said: dict[str, list[Said]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    healed: float = 0.0
    growth: int = 0
    left: int = 0
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)
    log: str = ""


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """A disk of some megabytes, in memory.

    Raises:
        PermissionError: this takes root, and a machine that lets root mount.
    """
    disk = directory / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK},mode=0700", "none", str(disk)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        raise PermissionError(
            f"a small disk takes root and the right to mount: {mounted.stderr.strip()}"
        )
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def endure(directory: Path, name: str, *, seconds: float, rate: float, calls: int = 0) -> Report:
    """Bring one trouble over a bridge under load, end it, and compare.

    Args:
        seconds: it lasts at least so long.
        calls: … and until so many were answered since it began.
    """
    if name == "disk full":
        with small_disk(directory) as disk:
            return _endure(directory, disk, name, seconds, rate, calls)
    disk = directory / "disk"
    disk.mkdir()
    return _endure(directory, disk, name, seconds, rate, calls)


def _endure(
    directory: Path, disk: Path, name: str, seconds: float, rate: float, calls: int
) -> Report:
    report = Report()
    folder = disk / "ledger"
    folder.mkdir()
    ledger = folder / "ledger.db"
    ledger_with(0, ledger)
    port = free_port()
    config = configured(directory, ledger=str(ledger), port=port)
    heard: list[Said] = []

    def until(happened: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + WITHIN_S
        while not happened():
            if time.monotonic() > give_up:
                report.wrong.append(f"not within {WITHIN_S} s: {what}")
                return
            time.sleep(0.02)
            heard.extend(placed.new())

    def since(instant: float, verdict: str = "") -> int:
        return sum(
            one.due >= instant and (not verdict or (one.verdict == verdict and one.attempt > 0))
            for one in heard
        )

    with Running.start(config) as running:
        assert running.port == port
        with Calls(port, directory / "said", rate=rate, seconds=100_000, numbers=NUMBERS) as placed:
            until(lambda: since(0, "ALLOW") > rate, "calls are allowed")
            scene = Scene(running, config, ledger, disk)
            before = Figures.of(scene.pid).resident
            said_before = len(running.log)
            with TROUBLES[name](scene):
                began = time.monotonic()
                time.sleep(seconds)
                until(lambda: since(began) >= calls, f"{calls} answers while it lasts")
                report.growth = Figures.of(scene.pid).resident - before
                report.lines = _lines(running.log[said_before:])
                ended = time.monotonic()
            until(lambda: since(ended, "ALLOW") > 0, "calls are allowed again")
            until(lambda: since(ended) > 1.5 * rate, "and answered as before")
            placed.stop()
            heard.extend(placed.new())
        if running.stop() != 0:
            report.wrong.append("it did not stop well")
        report.log = running.log
    report.said = {
        "before": [one for one in heard if one.due < began],
        "during": [one for one in heard if began <= one.due < ended],
        "after": [one for one in heard if one.due >= ended],
    }
    report.healed = (
        min((one.due + one.after for one in report.said["after"] if one.attempt), default=ended)
        - ended
    )
    report.wrong += checks.nothing_lost(ledger, heard, told_all=True, recorded_all=False)
    report.wrong += checks.whole(ledger)
    if name == "stopped":
        # They asked while it stood still, and had left before it went on: nobody could hear it.
        left = [one.call for one in report.said["during"]
                if one.verdict == "nothing" and one.due > began + 0.5
                and one.due + one.after < ended]  # fmt: skip
        report.left = len(left)
        report.wrong += checks.each("counted, and nobody was there", checks.counted(ledger, left))
    if name in REFUSING:
        report.wrong += checks.each(
            "allowed while it lasted",
            # An answer may have been on its way when it began.
            (one.line for one in report.said["during"]
             if one.attempt and one.due > began + 0.5 and one.due + one.after < ended),
        )  # fmt: skip
    if "Traceback" in report.log:
        report.wrong.append(report.log[report.log.index("Traceback") :][:1500])
    return report


def _lines(log: str) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for line in log.splitlines():
        level, logger = (line.partition(f'"{key}": "')[2].partition('"')[0]
                         for key in ("level", "logger"))  # fmt: skip
        if level not in ("", "info"):
            found[level, logger] += 1
    return found


def figures(said: Sequence[Said]) -> str:
    told = Counter(f"{one.verdict} {one.rule}".strip() for one in said)
    after = sorted(one.after * 1000 for one in said) or [0.0]
    half, most = after[len(after) // 2], after[len(after) * 99 // 100]
    return f"p50 {half:7.1f} ms  p99 {most:7.1f} ms  max {after[-1]:7.1f} ms  {dict(told)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.soak.trouble")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(TROUBLES)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="that each lasts")
    parser.add_argument("--rate", type=float, default=300.0, help="calls a second")
    words = parser.parse_args()
    if unknown := set(words.names) - TROUBLES.keys():
        parser.error(f"no such trouble: {', '.join(sorted(unknown))}")
    failed = False
    for name in words.names or TROUBLES:
        print(f"== {name}", flush=True)
        with work_folder() as folder:
            try:
                report = endure(folder, name, seconds=words.seconds, rate=words.rate)
            except PermissionError as error:
                print(f"left out: {error}")
                continue
        for when, said in report.said.items():
            print(f"{when:7} {figures(said)}")
        reasons = Counter(one.reason for one in report.said["during"] if one.rule == "unavailable")
        for reason, times in reasons.most_common(4):
            print(f"        {times} told: {reason[:150]}")
        print(f"        allowed again after {report.healed * 1000:.0f} ms; memory "
              f"{report.growth / 2**20:+.1f} MiB; log: {dict(report.lines)}")  # fmt: skip
        for line in report.wrong:
            print(f"WRONG {line}")
        failed = failed or bool(report.wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
