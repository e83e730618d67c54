"""What a decision costs and how long it takes, beside every peer.

Owns which servers take turns, and the rows about them: processor a call with many at once, and
latencies at fixed rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from tests.bench import fixture
from tests.bench.load import quantile
from tests.bench.people import Shares
from tests.bench.postgres import NoPostgres, Postgres
from tests.bench.run import Bench, bridge, turns, warm_up
from tests.bench.servers import Server
from tests.bench.table import Row, alone, compared, missing

ASYNCIO, UVLOOP = "panoramisk on asyncio", "panoramisk on uvloop"
BARE, BARE_UVLOOP = "bare asyncio", "bare uvloop"
SQL = "SQL check"
# A load that leaves later than this, in the median of the rounds' p99, had no core to itself.
MOST_LATE_MS = 5.0


def decisions(bench: Bench) -> list[Row]:
    """Processor a decision beside every peer, what the log's line costs, and latencies."""
    size = bench.size
    with ExitStack() as stack:
        place = bench.place("ours", size.attempts, size.numbers)
        quiet = bench.place("quiet", size.attempts, size.numbers, level="warning")
        servers = {"ours": stack.enter_context(bridge("ours", place, bench))}
        servers["quiet"] = stack.enter_context(bridge("quiet", quiet, bench))
        for name, module, loop in (
            (ASYNCIO, "with_panoramisk", "asyncio"),
            (UVLOOP, "with_panoramisk", "uvloop"),
            (BARE, "bare", "asyncio"),
            (BARE_UVLOOP, "bare", "uvloop"),
        ):
            servers[name] = stack.enter_context(
                Server.peer(name, module, loop, bench.cores, bench.folder)
            )
        no_sql = "left out" if not size.postgres else ""
        if not no_sql:
            try:
                bench.say("PostgreSQL: a cluster with the same numbers")
                with bench.cores.served():
                    postgres = stack.enter_context(Postgres(size.attempts, size.numbers))
                servers[SQL] = stack.enter_context(
                    Server.peer(
                        SQL, "sql", "uvloop", bench.cores, bench.folder, env=postgres.environ,
                        beside=postgres.pid,
                    )
                )  # fmt: skip
            except NoPostgres as error:
                no_sql = str(error)
        rows = _processor_rows(bench, servers, place, quiet, no_sql)
        rows += _latency_rows(bench, servers, place)
        servers["ours"].stop()
        servers["quiet"].stop()
        bench.check("ours", place)
        bench.check("quiet", quiet)
        place.clear()
        quiet.clear()
    return rows


def _processor_rows(
    bench: Bench,
    servers: Mapping[str, Server],
    place: fixture.Place,
    quiet: fixture.Place,
    no_sql: str,
) -> list[Row]:
    size = bench.size
    places = {"ours": place, "quiet": quiet}
    bench.say(f"processor a call, {size.at_once} at once, {size.rounds} rounds in turns")
    warm_up(bench, list(servers.values()), places)
    beside: list[float] = []
    rates: dict[str, list[float]] = {}

    def measured(name: str, **how: Any) -> Callable[[], float]:
        def measure() -> float:
            own, database = bench.processor(servers[name], place=places.get(name), **how)
            if name == SQL:
                beside.append(database)
            if not how:
                rates.setdefault(name, []).append(bench.per_second)
            return own

        return measure

    subjects = {name: measured(name) for name in servers}
    subjects["house"] = measured("ours", campaign="house")
    subjects["fresh"] = measured("ours", shares=Shares())
    subjects["called"] = measured("ours", shares=Shares(called=1.0))
    subjects["one piece"] = measured("ours", whole=True)
    subjects["their one piece"] = measured(ASYNCIO, whole=True)
    found = turns(subjects, size.rounds)
    what = f"processor a decision, {size.at_once} at once, line by line"
    us = {"unit": "us"}
    ours = found["ours"]
    rows = [
        compared(what, ours, found[ASYNCIO], ASYNCIO, at_most=1.0, **us),
        # Line by line the load and the kernel are the limit, whatever the server.
        compared("… calls answered a second", rates["ours"], rates[ASYNCIO], ASYNCIO, unit="/s"),
        compared("… callees who are fresh only", found["fresh"], found[ASYNCIO], ASYNCIO, **us),
        compared("… who were called before only", found["called"], found[ASYNCIO], ASYNCIO, **us),
        compared("… the environment in one piece", found["one piece"], found["their one piece"],
                 ASYNCIO, **us),
        compared(what, ours, found[UVLOOP], UVLOOP, **us),
        compared(what, ours, found[BARE], BARE, **us),
        compared(what, ours, found[BARE_UVLOOP], BARE_UVLOOP, **us),
    ]  # fmt: skip
    if no_sql:
        rows.append(missing(f"{what}, beside a pooled {SQL}", no_sql, "at most 0.6"))
    else:
        whole = [own + other for own, other in zip(found[SQL], beside, strict=True)]
        rows += [
            compared(what, ours, found[SQL], f"{SQL}, without its database", at_most=0.6, **us),
            compared(what, ours, whole, f"{SQL}, with it", **us),
        ]
    rows += [
        compared("… with the house's own rules only", found["house"], ours, "every rule", **us),
        compared("… with the log at warning", found["quiet"], ours, "at info", **us),
    ]
    return rows


def believed(tail: Row, lateness: Row, unavailable: int) -> Row:
    """A tail of latencies, unless it measures something else.

    Args:
        lateness: of the load itself: where it did not get its core, everybody was asked late.
        unavailable: how many were refused at the deadline: that is no short latency.
    """
    if lateness.ratio is not None and lateness.ratio > MOST_LATE_MS:
        return replace(tail, what=f"{tail.what}: not measured, the load was late", reached=None)
    if unavailable:
        what = f"{tail.what}: {unavailable} refused as unavailable"
        return replace(tail, what=what, reached=False)
    return tail


def _latency_rows(bench: Bench, servers: Mapping[str, Server], place: fixture.Place) -> list[Row]:
    rows = []
    for rate in bench.size.rates:
        bench.say(f"latency at {rate} calls a second, {bench.size.rounds} rounds in turns")
        ours, theirs = [], []
        # In each round the same order: what a round is compared with stands beside it.
        for _ in range(bench.size.rounds):
            ours.append(bench.ask(servers["ours"], place=place, rate=rate))
            theirs.append(bench.ask(servers[BARE], rate=rate))
        what = f"latency at {rate} calls/s, from the scheduled instant"
        late = [quantile(one.late, 0.99) * 1000 for one in (*ours, *theirs)]
        unavailable = sum(one.verdicts["REFUSE unavailable"] for one in ours)
        tail, middle = (
            compared(
                name, [one.quantile(share) * 1000 for one in ours],
                [one.quantile(share) * 1000 for one in theirs], BARE, unit="ms", digits=2,
                at_most=most,
            )
            for name, share, most in ((f"{what}, p99", 0.99, 2.0), ("… p50", 0.5, None))
        )  # fmt: skip
        lateness = alone("… p99 of how late the load itself was", late, unit="ms", digits=2)
        rows += [believed(tail, lateness, unavailable), middle, lateness]
    return rows
