"""`dialwarden list import` timed beside sqlite3's own `.import`, and what loading a list costs.

A made-up French list: mobiles and landlines in random order, some of them twice, some lines that
are no number. The same file goes into a fresh ledger by our command, and by `sqlite3 .import` into
a table with an index as a user would make one: `n INTEGER PRIMARY KEY` where the file holds digits
alone, which is the quickest there is, and `n TEXT PRIMARY KEY` without a rowid. Ours reads, checks
and counts each number besides. They take turns, and the quickest turn of each counts: the slower
ones measure what else the machine does.

With --load: a list of so many numbers is written to a ledger, and a new process, as a bridge that
starts, loads it; told are the time, the memory, and the longest that another thread had to wait.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pyroaring import BitMap64
from tests.running import environ

from dialwarden.ledger import lists
from dialwarden.ledger.connection import open_ledger

_CONFIG = """
[store]
path = "ledger.db"
[lists.house]
kind = "opposition"
[campaigns.bench]
professional = "bench"
policy = "none"
region = "FR"
lists = ["house"]
"""

_AS_TEXT = "CREATE TABLE t (n TEXT PRIMARY KEY) WITHOUT ROWID;"
# How a number is written, by the form's name; and the table that sqlite3 puts it into.
_FORMS: dict[str, tuple[str, str]] = {
    "digits": ("33{}", "CREATE TABLE t (n INTEGER PRIMARY KEY);"),
    "E.164": ("+33{}", _AS_TEXT),
    "national": ("0{}", _AS_TEXT),
    "CSV": ("{serial};0{};Nom {serial}", "CREATE TABLE t (id, n, name); CREATE INDEX i ON t (n);"),
}

_LOADING = """
import os, sys, threading, time
from dialwarden.ledger.connection import open_ledger_to_read, snapshot
from dialwarden.ledger.list_cache import ListCache

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

longest, loaded = 0.0, threading.Event()

def tick():
    global longest
    last = time.perf_counter()
    while not loaded.is_set():
        time.sleep(0.0005)
        now = time.perf_counter()
        longest = max(longest, now - last)
        last = now

conn = open_ledger_to_read(sys.argv[1])
cache = ListCache()
before = resident()
ticking = threading.Thread(target=tick)
ticking.start()
began = time.perf_counter()
with snapshot(conn):
    cache.refresh(conn)
    cache.look_up(conn, ["house"], 33612345678)
took = time.perf_counter() - began
loaded.set()
ticking.join()
print(took, resident() - before, longest)
"""


def _numbers(count: int, draw: random.Random) -> Iterator[int]:
    """National French numbers without their 0: half of them mobiles."""
    for _ in range(count):
        yield int(draw.choice("6677712345")) * 10**8 + int(draw.random() * 10**8)


def _write(path: Path, rows: int, form: str, seed: int) -> None:
    draw = random.Random(seed)
    written, _ = _FORMS[form]
    with path.open("w") as file:
        if form == "CSV":
            file.write("id;number;name\n")
        for serial, number in enumerate(_numbers(rows, draw), 1):
            file.write(written.format(number, serial=serial) + "\n")
            if serial % 10_000 == 0 and form != "digits":
                file.write("n/a\n")


def _timed(words: list[str], folder: Path, script: str = "") -> tuple[float, float]:
    """Seconds on the clock, and seconds of processor, of a command."""
    clock, processor = time.perf_counter(), _processor_s()
    # sqlite3 ends with 1 for numbers that stand in the file twice; it goes on behind each.
    subprocess.run(
        words, cwd=folder, env=environ(), input=script.encode(), check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - clock, _processor_s() - processor


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _count(folder: Path, database: str, query: str) -> int:
    found = subprocess.run(
        ["sqlite3", database, query], cwd=folder, check=True, capture_output=True, text=True
    )
    return int(found.stdout)


def _ours(folder: Path) -> tuple[float, float]:
    for left in folder.glob("ledger.db*"):
        left.unlink()
    took = _timed(
        [sys.executable, "-m", "dialwarden", "list", "import", "house", "list.csv", "--config",
         "dialwarden.toml"],
        folder,
    )  # fmt: skip
    assert _count(folder, "ledger.db", "SELECT sum(count) FROM list_version") > 0
    return took


def _theirs(folder: Path, table: str, delimiter: str) -> tuple[float, float]:
    (folder / "peer.db").unlink(missing_ok=True)
    script = f"{table}\n.separator {delimiter}\n.import list.csv t\n"
    took = _timed(["sqlite3", "peer.db"], folder, script)
    assert _count(folder, "peer.db", "SELECT count(*) FROM t") > 0
    return took


def _compare(folder: Path, form: str, rows: int, turns: int, seed: int) -> dict[str, list[float]]:
    """Every turn's seconds, on the clock and of processor."""
    _write(folder / "list.csv", rows, form, seed)
    _, table = _FORMS[form]
    ours, theirs = [], []
    for _ in range(turns):
        ours.append(_ours(folder))
        theirs.append(_theirs(folder, table, ";" if form == "CSV" else ","))
    size = (folder / "list.csv").stat().st_size / 1e6
    print(f"{form:9} {size:7.1f} MB", end="")
    for place, name in enumerate(("clock", "processor")):
        one, other = (min(turn[place] for turn in each) for each in (ours, theirs))
        told = f"{one:5.2f} s to {other:5.2f} s, ratio {one / other:.2f}"
        print(f"   {name}: {told}", end="")
    print(flush=True)
    return {
        f"{who}_{unit}": [turn[place] for turn in each]
        for who, each in (("ours", ours), ("peer", theirs))
        for place, unit in enumerate(("s", "cpu_s"))
    }


def _load(folder: Path, count: int, turns: int, seed: int) -> dict[str, list[float]]:
    """Every turn's seconds, and bytes a number."""
    figures: dict[str, list[float]] = {"s": [], "bytes": []}
    draw = random.Random(seed)
    numbers = BitMap64()
    while len(numbers) < count:
        missing = min(count - len(numbers), 1_000_000)
        numbers.update([33_000_000_000 + number for number in _numbers(missing, draw)])
    path = folder / "load.db"
    with closing(open_ledger(path)) as conn:
        lists.import_version(
            conn, "house", numbers, as_of=None, imported_at=datetime.now(UTC), source="bench",
            sha256="bench",
        )  # fmt: skip
    for _ in range(turns):
        done = subprocess.run(
            [sys.executable, "-c", _LOADING, str(path)], env=environ(), check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        took, memory, longest = map(float, done.stdout.split())
        figures["s"].append(took)
        figures["bytes"].append(memory / count)
        print(
            f"{count:,} numbers: loaded in {took:.3f} s, {memory / count:.2f} bytes a number, "
            f"longest wait of another thread {longest * 1000:.1f} ms",
            flush=True,
        )
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.imports")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--form", choices=_FORMS, action="append", help="all of them by default")
    parser.add_argument("--load", type=int, metavar="N", help="load a list of N numbers instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every turn's figures")
    words = parser.parse_args()
    if not words.load and shutil.which("sqlite3") is None:
        parser.error("there is no sqlite3 here to compare with")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures: object
        if words.load:
            figures = _load(folder, words.load, words.turns, words.seed)
        else:
            (folder / "dialwarden.toml").write_text(_CONFIG)
            print(f"{words.rows:,} rows; {words.turns} turns each, the quickest counts")
            figures = {
                form: _compare(folder, form, words.rows, words.turns, words.seed)
                for form in words.form or _FORMS
            }
    if words.json:
        words.json.write_text(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
