"""`make bench`: every figure that dialwarden is to reach, measured in one run, as one table.

Servers take turns and the load comes from another core; ratios of the turns count, since machines
differ and this one may be busy with something else. What is measured, how, and what it was: see
docs/measured.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.bench import decisions, fixture, growth, others
from tests.bench.run import QUICK, Bench, Size
from tests.bench.servers import Cores
from tests.bench.table import Row, as_json, rendered

# In the order of the table.
_PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "decisions": decisions.decisions,
    "imports": others.imports,
    "start": growth.start,
    "screen": others.screen,
    "relay": others.relay,
}
_GROWTH = "growth"


def _say(line: str) -> None:
    print(f"== {line}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench")
    names = [*_PARTS, _GROWTH]
    parser.add_argument("--quick", action="store_true", help="small ledgers, short rounds, no SQL")
    parser.add_argument("--only", default=",".join(names), metavar="PART,…",
                        help=f"of {', '.join(names)}")  # fmt: skip
    parser.add_argument("--rounds", type=int, help="turns of each server")
    parser.add_argument("--seconds", type=float, help="of each turn")
    parser.add_argument("--no-sql", action="store_true", help="without PostgreSQL")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures for programs")
    words = parser.parse_args(argv)
    wanted = words.only.split(",")
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"--only {unknown[0]}: none of {', '.join(names)}")
    size = QUICK if words.quick else Size()
    if words.rounds:
        size = replace(size, rounds=words.rounds)
    if words.seconds:
        size = replace(size, seconds=words.seconds)
    if words.no_sql:
        size = replace(size, postgres=False)
    cores = Cores()
    if cores.alone:
        _say("one core: the servers and the load share it, and the figures say little")
    cores.ask()
    # What a collection costs the load it would charge to a server.
    gc.collect()
    gc.freeze()
    before, began = os.getloadavg(), time.monotonic()
    with fixture.work_folder() as folder:
        bench = Bench(folder, size, cores, _say)
        table = [row for name, part in _PARTS.items() if name in wanted for row in part(bench)]
        grown = growth.growth(bench) if _GROWTH in wanted else []
    if words.quick:
        _say("quick: everything ran, and was too small and too short for the figures to say much")
    machine = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load_before": before[0],
        "seconds": round(time.monotonic() - began),
    }
    print(f"Python {machine['python']}, {machine['system']}, {machine['cores']} cores, "
          f"load before {before[0]:.1f}, {machine['seconds']} s")  # fmt: skip
    if table:
        print(rendered(table))
    if grown:
        print("\nProcessor a decision, by what is on record:\n" + growth.told_growth(grown))
    if bench.verdicts:
        counted = ", ".join(f"{verdict} {count:,}" for verdict, count in bench.verdicts.items())
        print(f"\nAnswers of ours: {counted}; every ALLOW is an attempt in its ledger"
              if not bench.errors else f"\nAnswers of ours: {counted}")  # fmt: skip
    if bench.errors:
        print(f"errors: {bench.errors}", file=sys.stderr)
    if words.json:
        words.json.write_text(
            json.dumps(
                {
                    "machine": machine,
                    "rows": as_json(table),
                    "growth": [asdict(one) for one in grown],
                    "verdicts": bench.verdicts,
                    "errors": bench.errors,
                },
                indent=2,
                ensure_ascii=False,
            )
            + "\n"
        )
    return 1 if bench.errors else 0


if __name__ == "__main__":
    sys.exit(main())
