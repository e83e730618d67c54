"""Calls beside a purge: the same load on the same bridge, without one and with one.

The ledger is made up: attempts of six years, each with a leg and a refusal, half of them over. What
is compared is the latency of calls, from the instant each was due, in three turns: before the
purge, while it runs, and after it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop
from tests.bench.load import Tally, load
from tests.running import CONFIG, Running, environ, write_config

from dialwarden.ledger.connection import micros, open_ledger

_YEARS = 3
_RETENTION = f"\n[retention]\nyears = {_YEARS}\n"


def fill(path: Path, rows: int) -> None:
    """A ledger with so many attempts, in the order in which they were made."""
    chance = random.Random(1)
    start = datetime.now(UTC) - timedelta(days=2 * _YEARS * 365)
    step = timedelta(days=2 * _YEARS * 365) / rows
    with closing(open_ledger(path)) as conn:
        for first in range(0, rows, 50_000):
            many = range(first, min(first + 50_000, rows))
            conn.execute("BEGIN")
            conn.executemany(
                "INSERT INTO attempt (id, number, professional, campaign, purpose, door, call, at,"
                " state, outcome, settled_at, zones)"
                " VALUES (?, ?, 'free', 'free', 'sales', 'agi', ?, ?, 'settled', 'no_answer', ?,"
                " 'Europe/Paris')",
                [
                    (n + 1, 33600000000 + chance.randrange(10**8), f"17.{n}", at, at)
                    for n in many
                    for at in (micros(start + n * step),)
                ],
            )
            conn.executemany(
                "INSERT INTO leg (attempt_id, pbx, uniqueid, channel, trunk, at, state, ending,"
                " ended_at) VALUES (?, 'pbx', ?, 'PJSIP/carrier-1', 'carrier', 1, 'rang',"
                " 'no_answer', 1)",
                [(n + 1, f"17.{n}.1") for n in many],
            )
            conn.executemany(
                "INSERT INTO refusal (at, number, dialled, professional, campaign, door, call,"
                " asked_by, rule, rules, findings) VALUES (?, ?, '06', 'free', 'free', 'agi', '',"
                " '', 'hours', 'hours', '[]')",
                [(micros(start + n * step), 33600000000 + chance.randrange(10**8)) for n in many],
            )
            conn.execute("COMMIT")


def told(tally: Tally) -> str:
    summary = tally.summary()
    return json.dumps({key: summary[key] for key in ("answered", "errors", "verdicts", "ms")})


async def ask(port: int, rate: float, seconds: float) -> Tally:
    return await load(host="127.0.0.1", port=port, campaign="free", seconds=seconds, rate=rate)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.purge")
    parser.add_argument("--rows", type=int, default=200_000, help="attempts in the ledger")
    parser.add_argument("--rate", type=float, default=200.0, help="questions a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each turn")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder), CONFIG + _RETENTION)
        fill(Path(folder) / "ledger.db", words.rows)
        command = (sys.executable, "-m", "dialwarden", "purge", "--config", str(config))
        began = time.monotonic()
        subprocess.run([*command, "--dry-run"], env=environ(), check=True)
        print(f"dry run: {time.monotonic() - began:.1f} s", flush=True)
        with Running.start(config) as running:
            port = running.port
            for turn in ("before", "beside a purge", "after"):
                purge = None
                if turn == "beside a purge":
                    purge = subprocess.Popen([*command, "--json"], env=environ())
                tally = uvloop.run(ask(port, words.rate, words.seconds))
                print(f"{turn}: {told(tally)}", flush=True)
                if purge is not None:
                    began = time.monotonic()
                    if purge.poll() is None:
                        print("(the purge is still at work)", flush=True)
                    purge.wait()
                    print(f"purge ended {time.monotonic() - began:.1f} s later", flush=True)
            return running.stop()


if __name__ == "__main__":
    sys.exit(main())
