"""How a decision's cost grows with what is on record, and how long a start takes with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.bench.people import Shares
from tests.bench.run import Bench, bridge, turns, warm_up
from tests.bench.table import Row, Spread, alone


@dataclass(frozen=True, slots=True)
class Grown:
    """What a decision costs with one size of ledger. Microseconds of processor; bytes."""

    attempts: int
    numbers: int
    fresh: Spread
    called: Spread
    resident: int


def growth(bench: Bench) -> list[Grown]:
    """The same decision with every size of list and of history, in turns.

    Lists are compared without a history, histories with the list that decisions are measured on.
    """
    size = bench.size
    sizes = [(0, numbers) for numbers in size.grown_numbers]
    sizes += [(attempts, size.numbers) for attempts in size.grown_attempts]
    sizes = list(dict.fromkeys(sizes))
    with ExitStack() as stack:
        places = {one: bench.place(f"grown-{one[0]}-{one[1]}", *one) for one in sizes}
        servers = {
            one: stack.enter_context(bridge(place.folder.name, place, bench))
            for one, place in places.items()
        }
        bench.say(f"processor a call with each of {len(sizes)} sizes, {size.rounds} rounds")
        warm_up(bench, list(servers.values()), {one.folder.name: one for one in places.values()})
        resident = {one: server.resident() for one, server in servers.items()}

        def measured(one: tuple[int, int], shares: Shares) -> Callable[[], float]:
            return lambda: bench.processor(
                servers[one], place=places[one], shares=shares, seconds=size.seconds / 2
            )[0]

        found = turns(
            {
                f"{one} {kind}": measured(one, shares)
                for one in sizes
                for kind, shares in (("fresh", Shares()), ("called", Shares(called=1.0)))
            },
            size.rounds,
        )
        for one, server in servers.items():
            server.stop()
            bench.check(server.name, places[one])
            places[one].clear()
    return [
        Grown(*one, Spread.of(found[f"{one} fresh"]), Spread.of(found[f"{one} called"]),
              resident[one])
        for one in sizes
    ]  # fmt: skip


def told_growth(grown: Sequence[Grown]) -> str:
    """The growth table, in the form of Markdown."""
    lines = [
        "| attempts   | numbers    | fresh callee, us  | called before, us | memory, MiB |",
        "|------------|------------|-------------------|-------------------|-------------|",
    ]
    for one in grown:
        cells = [
            f"{one.attempts:,}".ljust(10),
            f"{one.numbers:,}".ljust(10),
            *(
                f"{s.median:.0f} ({s.low:.0f}-{s.high:.0f})".ljust(17)
                for s in (one.fresh, one.called)
            ),
            f"{one.resident / (1 << 20):.0f}".ljust(11),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def start(bench: Bench) -> list[Row]:
    """From the process's start to its first answer, on a ledger with a history."""
    size, times = bench.size, []
    place = bench.place("start", size.attempts, size.numbers)
    for _ in range(size.starts):
        with bridge("start", place, bench) as server:
            tally = bench.ask(server, place=place, shares=Shares(), rate=1.0, seconds=1.0)
            times.append(time.perf_counter() - server.started)
        if tally.verdicts != {"ALLOW": 1}:
            raise SystemExit(f"the first answer was {tally.summary()}")
    place.clear()
    what = f"start with {size.attempts:,} attempts, to the first answer"
    return [alone(what, times, unit="s", digits=2, at_most=3.0)]
