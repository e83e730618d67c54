"""The figures that other benchmarks of ours measure, as rows of the same table."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.bench.run import Bench
from tests.bench.servers import ROOT
from tests.bench.table import Row, alone, compared, missing
from tests.running import environ


def screen(bench: Bench) -> list[Row]:
    """A contact file, beside phonenumbers reading its numbers."""
    what, to_reach = f"screening {bench.size.screened:,} contacts", "at most 1"
    found = _of_script("screen", ["--rows", str(bench.size.screened)], bench)
    if isinstance(found, str):
        return [missing(what, found, to_reach)]
    return [
        compared(what, found["ours_s"], found["peer_s"], "phonenumbers alone", unit="s", digits=2,
                 at_most=1.0)
    ]  # fmt: skip


def relay(bench: Bench) -> list[Row]:
    """AMI events through the gateway, beside a bare relay."""
    what, to_reach = "relaying AMI events", "at least 0.5"
    found = _of_script("relay", ["--megabytes", str(bench.size.relayed_mb)], bench)
    if isinstance(found, str):
        return [missing(what, found, to_reach)]
    rows = []
    for name, turns in found.items():
        rows.append(
            compared(f"{what}, {name}", turns["gateway_mb_s"], turns["bare_mb_s"], "bare relay",
                     unit="MB/s", at_least=0.5)
        )  # fmt: skip
        rows.append(
            compared("… processor a GB", turns["gateway_s_gb"], turns["bare_s_gb"], "bare relay",
                     unit="s", digits=2)
        )  # fmt: skip
    return rows


def imports(bench: Bench) -> list[Row]:
    """Opposition lists: into the ledger, beside sqlite3's own import, and into memory."""
    what, to_reach = "importing a list", "at most 1"
    found = _of_script("imports", ["--rows", str(bench.size.imported)], bench)
    if isinstance(found, str):
        rows = [missing(what, found, to_reach)]
    else:
        rows = [
            row
            for form, turns in found.items()
            for row in (
                compared(f"{what}, {form}", turns["ours_s"], turns["peer_s"], "sqlite3 .import",
                         unit="s", digits=2, at_most=1.0),
                compared("… processor", turns["ours_cpu_s"], turns["peer_cpu_s"],
                         "sqlite3 .import", unit="s", digits=2),
            )
        ]  # fmt: skip
    count = bench.size.loaded
    what = f"loading a list of {count:,} numbers"
    found = _of_script("imports", ["--load", str(count)], bench)
    if isinstance(found, str):
        return [*rows, missing(what, found, "at most 1 s")]
    return [
        *rows,
        alone(what, found["s"], unit="s", digits=2, at_most=1.0),
        alone("… memory a number", found["bytes"], unit="bytes", digits=2, at_most=3.0),
    ]


def _told_by(module: str, words: Sequence[str], bench: Bench) -> str:
    """What another benchmark of ours prints."""
    bench.say(f"python -m tests.bench.{module} {' '.join(words)}")
    with bench.cores.all():
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.{module}", *words],
            check=False, cwd=ROOT, env=environ(), capture_output=True, text=True,
        )  # fmt: skip
    return done.stdout if done.returncode == 0 else done.stderr


def _of_script(module: str, words: Sequence[str], bench: Bench) -> dict[str, Any] | str:
    """What another benchmark of ours writes as JSON; why not, when it failed."""
    file = bench.folder / f"{module}.json"
    file.unlink(missing_ok=True)
    more = ["--turns", str(bench.size.turns), "--json", str(file)]
    told = _told_by(module, [*words, *more], bench)
    if not file.exists():
        # The last line says why; more than one would not fit into a table.
        return f"failed: {(told.splitlines() or ['without a word'])[-1][-200:]}"
    found: dict[str, Any] = json.loads(file.read_text())
    return found
