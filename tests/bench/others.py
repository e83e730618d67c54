"""The figures that other benchmarks of ours measure, as rows of the same table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
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


_IMPORTED = re.compile(r"^(\S+) .* clock: +([\d.]+) s to +([\d.]+) s", re.MULTILINE)
_LOADED = re.compile(r"loaded in ([\d.]+) s, ([\d.]+) bytes a number")


def imports(bench: Bench) -> list[Row]:
    """Opposition lists: into the ledger, beside sqlite3's own import, and into memory."""
    count = bench.size.loaded
    what, loading = "importing a list", f"loading a list of {count:,} numbers"
    if not (Path(__file__).parent / "imports.py").exists():
        why = "not measured yet"
        return [missing(what, why, "at most 1"), missing(loading, why, "at most 1 s")]
    told = _told_by("imports", ["--rows", str(bench.size.imported)], bench)
    rows = [
        compared(f"{what}, {form}", [float(ours)], [float(theirs)], "sqlite3 .import", unit="s",
                 digits=2, at_most=1.0)
        for form, ours, theirs in _IMPORTED.findall(told)
    ]  # fmt: skip
    found = _LOADED.findall(_told_by("imports", ["--load", str(count)], bench))
    if found:
        seconds, sizes = ([float(one[place]) for one in found] for place in (0, 1))
        rows.append(alone(loading, seconds, unit="s", digits=2, at_most=1.0))
        rows.append(alone("… memory a number", sizes, unit="bytes", digits=2, at_most=3.0))
    return rows or [missing(what, f"failed: {told[-200:]}", "at most 1")]


def _told_by(module: str, words: Sequence[str], bench: Bench) -> str:
    """What another benchmark of ours prints."""
    bench.say(f"python -m tests.bench.{module} {' '.join(words)}")
    with bench.cores.all():
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.{module}", *words],
            check=False, cwd=ROOT, env=environ(), capture_output=True, text=True,
        )  # fmt: skip
    return done.stdout or done.stderr


def _of_script(module: str, words: Sequence[str], bench: Bench) -> dict[str, Any] | str:
    """What another benchmark of ours writes as JSON; why not, when it failed."""
    file = bench.folder / f"{module}.json"
    told = _told_by(module, [*words, "--json", str(file)], bench)
    if not file.exists():
        return f"failed: {told.strip()[-200:]}"
    found: dict[str, Any] = json.loads(file.read_text())
    return found
