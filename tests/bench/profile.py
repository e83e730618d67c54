"""Where the microseconds of a decision go, measured in a bridge that answers a real load.

A bridge of its own process, its functions wrapped at the seams between stages, is asked as any
other; each wrapper counts the processor that its thread took within it and in no wrapped function
below. What a wrapper itself costs is measured and taken off. Beside it, in turns, the same bridge
without wrappers gives the whole, and a bare uvloop protocol what a question over a socket costs at
least: what is left between the stages and the whole is the loop, the sockets and the threads.

With `--cprofile`, Python's own profiler instead, of the loop's thread and of the ledger's.
"""

from __future__ import annotations

import argparse
import cProfile
import functools
import importlib
import io
import json
import pstats
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import fixture
from tests.bench.people import Shares
from tests.bench.run import QUICK, Bench, Size, bridge
from tests.bench.servers import Cores, Server
from tests.bench.table import Spread

_DOORS, _GATE, _LEDGER = "dialwarden.doors", "dialwarden.gate", "dialwarden.ledger"
# A stage, and the functions that are it: where they are called by, since a name that was imported
# is looked up there. In the order of a question's way.
SEAMS: dict[str, tuple[str, ...]] = {
    "the connection's events": (
        f"{_DOORS}.agi_conversation:Conversation.connection_made",
        f"{_DOORS}.agi_conversation:Conversation.data_received",
        f"{_DOORS}.agi_conversation:Conversation.connection_lost",
        f"{_DOORS}.agi_conversation:Conversation._answered",
    ),
    "reading the environment": ("dialwarden.wire.agi:AgiSession.receive",),
    "the question": (f"{_DOORS}.agi_scripts:AgiScripts._question",),
    "the number, places, caller id": (f"{_GATE}.gate:read_question",),
    "into the batch and out of it": (
        f"{_GATE}.gate:Gate.answer",
        f"{_GATE}.gate:Gate._decided",
    ),
    "begin and commit": (f"{_LEDGER}.batch:Batch.commit",),
    "lists": (f"{_LEDGER}.list_cache:ListCache.look_up",),
    "facts": (f"{_GATE}.decision:read_facts",),
    "rules": (
        f"{_GATE}.alike:Rulings.ruling",
        f"{_GATE}.alike:judged",
        f"{_GATE}.decision:judged",
    ),
    "what it was judged by": (
        f"{_GATE}.alike:basis_of",
        f"{_GATE}.decision:basis_of",
        f"{_GATE}.decision:basis_id",
    ),
    "the attempts' rows": (f"{_LEDGER}.attempts:reserve_all",),
    "the refusal's row": (f"{_GATE}.decision:record_refusal",),
    "deciding, besides": (f"{_GATE}.decision:Decider.decide_all",),
    "variables": (f"{_DOORS}.agi_scripts:verdict_variables",),
    "the command": (f"{_DOORS}.agi_conversation:set_variables",),
    "the log's line": ("dialwarden.log:VerdictLog.write",),
}
_COMMIT = f"{_LEDGER}.batch:Batch.commit"


class StageClock:
    """Processor within wrapped functions, by stage and thread."""

    def __init__(self) -> None:
        self.nanoseconds: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        # How many wrapped calls were made within a stage: what they cost falls to it.
        self.within: dict[str, int] = {}
        self._thread = threading.local()

    def wrapped(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        for counter in (self.nanoseconds, self.calls, self.within):
            counter.setdefault(stage, 0)
        thread, now = self._thread, time.thread_time_ns

        @functools.wraps(function)
        def timed(*args: Any, **named: Any) -> Any:
            # [what wrapped functions below took, how many they were] of each that is running
            stack = thread.__dict__.setdefault("stack", [])
            below = [0, 0]
            stack.append(below)
            start = now()
            try:
                return function(*args, **named)
            finally:
                took = now() - start
                stack.pop()
                self.nanoseconds[stage] += took - below[0]
                self.calls[stage] += 1
                self.within[stage] += below[1]
                if stack:
                    stack[-1][0] += took
                    stack[-1][1] += 1

        return timed

    def costs(self) -> tuple[float, float]:
        """Nanoseconds that a wrapper adds to its own stage, and to the one around it."""
        probe = StageClock()
        inner = probe.wrapped("inner", lambda: None)
        count = 20_000

        def many() -> None:
            for _ in range(count):
                inner()

        def none() -> None:
            for _ in range(count):
                pass

        probe.wrapped("outer", many)()
        empty = StageClock()
        empty.wrapped("outer", none)()
        outer = probe.nanoseconds["outer"] - empty.nanoseconds["outer"]
        return probe.nanoseconds["inner"] / count, outer / count


def seam(place: str) -> tuple[Any, str]:
    """The object that has a seam, and the name it has there."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    return functools.reduce(getattr, owners, importlib.import_module(module)), name


def _serve_timed(config: Path, file: Path) -> int:
    """A bridge with wrapped seams, until it is stopped; then what they counted."""
    from dialwarden.bridge import run as serve

    clock = StageClock()
    for stage, places in SEAMS.items():
        for place in places:
            owner, name = seam(place)
            setattr(owner, name, clock.wrapped(stage, getattr(owner, name)))
    own, around = clock.costs()
    status = serve(config)
    counted = {
        stage: {
            "calls": clock.calls[stage],
            "us": (
                clock.nanoseconds[stage] - own * clock.calls[stage] - around * clock.within[stage]
            )
            / 1000,
        }
        for stage in SEAMS
    }
    file.write_text(json.dumps(counted))
    return status


def _serve_profiled(config: Path, file: Path) -> int:
    """A bridge under cProfile, a profile a thread, until it is stopped."""
    from dialwarden.bridge import run as serve

    profiles = {"the loop's thread": cProfile.Profile()}
    owner, name = seam(_COMMIT)
    commit = getattr(owner, name)

    def begin(*args: Any, **named: Any) -> Any:
        if "the ledger's thread" not in profiles:
            profiles["the ledger's thread"] = cProfile.Profile()
            profiles["the ledger's thread"].enable()
        return commit(*args, **named)

    setattr(owner, name, begin)
    status = profiles["the loop's thread"].runcall(serve, config)
    told = io.StringIO()
    for thread, profile in profiles.items():
        told.write(f"== {thread}\n")
        pstats.Stats(profile, stream=told).sort_stats("tottime").print_stats(40)
    file.write_text(told.getvalue())
    return status


_SERVING = {"timed": _serve_timed, "profiled": _serve_profiled}


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage takes of a decision: microseconds of processor, and how often it runs."""

    name: str
    us: float
    calls: float


def _server(how: str, place: fixture.Place, cores: Cores) -> tuple[Server, Path]:
    file = place.folder / f"{how}.out"
    argv = [sys.executable, "-m", "tests.bench.profile", "--serve", how, str(place.config),
            str(file)]  # fmt: skip
    log = place.config.with_suffix(".log")
    return Server(how, argv, cores=cores, log=log, port=place.port), file


def measured(bench: Bench, shares: Shares, rate: float) -> tuple[list[Stage], Spread, Spread]:
    """The stages of a decision; the whole of one, without wrappers; the bare server's whole.

    Args:
        rate: calls a second; 0 keeps as many as ever under way.
    """
    size = bench.size
    timed_place = bench.place("timed", size.attempts, size.numbers)
    whole_place = bench.place("whole", size.attempts, size.numbers)
    timed, file = _server("timed", timed_place, bench.cores)
    wholes, bares, asked = [], [], 0
    with (
        timed,
        bridge("whole", whole_place, bench) as ours,
        Server.peer("bare uvloop", "bare", "uvloop", bench.cores, bench.folder) as bare,
    ):
        for server in (timed, ours):
            server.settle()
        for turn in range(size.rounds + 1):
            asked += bench.ask(timed, place=timed_place, shares=shares, rate=rate).answered
            whole, _ = bench.processor(ours, place=whole_place, shares=shares, rate=rate)
            least, _ = bench.processor(bare, shares=shares, rate=rate)
            if turn:  # the first one warms up; the stages are so many calls that it does not show
                wholes.append(whole)
                bares.append(least)
        timed.stop()
    found = json.loads(file.read_text())
    for place in (timed_place, whole_place):
        place.clear()
    stages = [Stage(name, one["us"] / asked, one["calls"] / asked) for name, one in found.items()]
    return stages, Spread.of(wholes), Spread.of(bares)


def told(stages: list[Stage], whole: Spread, bare: Spread) -> str:
    """The table of stages, in the form of Markdown."""
    counted = sum(stage.us for stage in stages)
    lines = [
        "| stage                            | us a decision | share | times |",
        "|----------------------------------|---------------|-------|-------|",
    ]
    rest = Stage("the loop, sockets, threads", whole.median - counted, 1.0)
    for stage in (*stages, rest):
        share = stage.us / whole.median
        times = f"{stage.calls:5.2f}" if stage is not rest else "     "
        lines.append(f"| {stage.name:32} | {stage.us:13.1f} | {share:5.0%} | {times} |")
    lines.append(f"| {'the whole, without wrappers':32} | {_shown(whole):>13} |  100% |       |")
    lines.append(f"| {'a bare uvloop server, the whole':32} | {_shown(bare):>13} |       |       |")
    return "\n".join(lines)


def _shown(spread: Spread) -> str:
    return f"{spread.median:.0f} ({spread.low:.0f}-{spread.high:.0f})"


def _profile(bench: Bench) -> str:
    place = bench.place("profiled", bench.size.attempts, bench.size.numbers)
    server, file = _server("profiled", place, bench.cores)
    with server:
        bench.ask(server, place=place, seconds=bench.size.seconds * bench.size.rounds)
        server.stop()
    text = file.read_text()
    place.clear()
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.profile")
    parser.add_argument("--quick", action="store_true", help="a small ledger, short rounds")
    parser.add_argument("--rate", type=float, default=0.0, help="calls a second; 0: at once")
    parser.add_argument("--cprofile", action="store_true", help="Python's own profiler")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures for programs")
    parser.add_argument("--serve", nargs=3, metavar=("HOW", "CONFIG", "FILE"),
                        help=argparse.SUPPRESS)  # fmt: skip
    words = parser.parse_args()
    if words.serve:
        how, config, file = words.serve
        return _SERVING[how](Path(config), Path(file))
    cores = Cores()
    cores.ask()
    size = QUICK if words.quick else Size()
    with fixture.work_folder() as folder:
        bench = Bench(folder, size, cores, lambda line: print(f"== {line}", file=sys.stderr))
        if words.cprofile:
            print(_profile(bench))
            return 0
        figures = {}
        for kind, shares in (
            ("fresh callees", Shares()),
            ("callees with a history", Shares(called=1.0)),
        ):
            stages, whole, bare = measured(bench, shares, words.rate)
            load = f"{words.rate:g} a second" if words.rate else f"{size.at_once} at once"
            print(f"\n{kind}, {load}, {size.rounds} rounds\n")
            print(told(stages, whole, bare))
            figures[kind] = {
                "stages": [asdict(stage) for stage in stages],
                "whole": asdict(whole),
                "bare": asdict(bare),
            }
    if words.json:
        words.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
