"""The measurements behind the table: servers in turns, asked by one generator in one run.

Owns what is measured of a server by one round of load, and which servers take turns for which row.
Each function gives rows; `table` makes the ratios, `servers` and `fixture` what is measured.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import fixture
from tests.bench.load import Generator, Tally, quantile
from tests.bench.people import Callees, Shares
from tests.bench.postgres import NoPostgres, Postgres
from tests.bench.servers import ROOT, Cores, Server
from tests.bench.table import Row, Spread, alone, compared, missing
from tests.running import environ

_MIXED = Shares(called=0.35, opposed=0.05)
ASYNCIO, UVLOOP = "panoramisk on asyncio", "panoramisk on uvloop"
BARE, BARE_UVLOOP = "bare asyncio", "bare uvloop"
SQL = "SQL check"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes:
        attempts, numbers: of the ledger that decisions are measured on.
        grown_attempts, grown_numbers: sizes to compare.
        at_once: calls under way where the processor is measured.
        rates: calls a second where latencies are.
        postgres: False leaves the SQL check out.
    """

    attempts: int = 5_000_000
    numbers: int = 5_000_000
    grown_attempts: tuple[int, ...] = (0, 1_000_000, 5_000_000)
    grown_numbers: tuple[int, ...] = (0, 1_000_000, 5_000_000, 30_000_000)
    at_once: int = 128
    rates: tuple[int, ...] = (500, 2000)
    rounds: int = 5
    seconds: float = 4.0
    starts: int = 5
    postgres: bool = True
    screened: int = 100_000
    relayed_mb: int = 200
    imported: int = 1_000_000
    loaded: int = 30_000_000


QUICK = Size(
    attempts=50_000,
    numbers=100_000,
    grown_attempts=(0, 50_000),
    grown_numbers=(0, 100_000),
    rates=(200,),
    rounds=2,
    seconds=0.7,
    starts=1,
    postgres=False,
    screened=3_000,
    relayed_mb=6,
    imported=20_000,
    loaded=100_000,
)


@dataclass
class Bench:
    """One run: where things are, and which callees were asked about already.

    Attributes:
        verdicts: what our own bridges answered, and how often.
        errors: what went wrong, of whatever server; there should be none.
        allows: attempts that our ALLOWs named, by bridge.
    """

    folder: Path
    size: Size
    cores: Cores
    say: Callable[[str], None]
    drawn: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    allows: dict[str, set[str]] = field(default_factory=dict)

    def place(
        self, name: str, attempts: int, numbers: int, *, level: str = "info"
    ) -> fixture.Place:
        self.say(f"{name}: a ledger of {attempts:,} attempts, a list of {numbers:,} numbers")
        return fixture.Place(self.folder / name, attempts, numbers, level=level)

    def ask(
        self,
        server: Server,
        *,
        place: fixture.Place | None = None,
        campaign: str = "bench",
        shares: Shares = _MIXED,
        rate: float = 0.0,
        seconds: float | None = None,
    ) -> Tally:
        """One round of load.

        Args:
            place: what a bridge of ours runs on; None for a peer, which has no ledger.
        """
        size = self.size
        listed = place.numbers if place else size.numbers
        if place and not (fixture.has_history(place.attempts) and listed):
            # Fewer have a history than there are called numbers: what they are is then mixed.
            shares = Shares(shares.called, shares.opposed if listed else 0.0)
        callees = Callees(shares, listed=listed, first=self.drawn, seed=self.drawn + 1)
        generator = Generator(("127.0.0.1", server.port), campaign, callees, first=self.drawn)
        lasting = size.seconds if seconds is None else seconds
        if rate:
            tally = generator.at_rate(rate, lasting)
        else:
            tally = generator.at_once(size.at_once, lasting)
        self.drawn = callees.drawn
        for what, count in tally.errors.items():
            key = f"{server.name}: {what}"
            self.errors[key] = self.errors.get(key, 0) + count
        if place:
            self.allows.setdefault(server.name, set()).update(tally.attempts)
            for verdict, count in tally.verdicts.items():
                self.verdicts[verdict] = self.verdicts.get(verdict, 0) + count
        return tally

    def processor(
        self, server: Server, *, place: fixture.Place | None = None, **how: Any
    ) -> tuple[float, float]:
        """Microseconds of processor a call, the server's own and its database's."""
        own, beside = server.processor(), server.processor_beside()
        tally = self.ask(server, place=place, **how)
        answered = max(1, tally.answered)
        return (
            (server.processor() - own) / answered * 1e6,
            (server.processor_beside() - beside) / answered * 1e6,
        )

    def check(self, name: str, place: fixture.Place) -> None:
        """Every ALLOW that was answered is an attempt that counts, and no other does.

        Its bridge has been stopped: what it had still to write is written.
        """
        found, said = place.reserved(), len(self.allows.get(name, ()))
        if found != said:
            self.errors[f"{name}: {said} ALLOWs answered, attempts in its ledger"] = found


def _turns(subjects: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """A value of each in every round, in alternating order."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(rounds):
        order = list(subjects) if turn % 2 == 0 else list(reversed(subjects))
        for name in order:
            found[name].append(subjects[name]())
    return found


def decisions(bench: Bench) -> list[Row]:
    """Processor a decision beside every peer, what the log's line costs, and latencies."""
    size = bench.size
    with ExitStack() as stack:
        place = bench.place("ours", size.attempts, size.numbers)
        quiet = bench.place("quiet", size.attempts, size.numbers, level="warning")
        servers = {"ours": stack.enter_context(_bridge("ours", place, bench))}
        servers["quiet"] = stack.enter_context(_bridge("quiet", quiet, bench))
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


def _bridge(name: str, place: fixture.Place, bench: Bench) -> Server:
    return Server.bridge(name, place.config, place.port, bench.cores)


def _warm_up(bench: Bench, servers: Sequence[Server], places: Mapping[str, fixture.Place]) -> None:
    """Have done what is done at the start, and with the first calls."""
    for server in servers:
        server.settle()
        bench.ask(server, place=places.get(server.name), seconds=bench.size.seconds / 4)


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
    _warm_up(bench, list(servers.values()), places)
    beside: list[float] = []

    def measured(name: str, **how: Any) -> Callable[[], float]:
        def measure() -> float:
            own, database = bench.processor(servers[name], place=places.get(name), **how)
            if name == SQL:
                beside.append(database)
            return own

        return measure

    subjects = {name: measured(name) for name in servers}
    subjects["house"] = measured("ours", campaign="house")
    subjects["fresh"] = measured("ours", shares=Shares())
    subjects["called"] = measured("ours", shares=Shares(called=1.0))
    found = _turns(subjects, size.rounds)
    what = f"processor a decision, {size.at_once} at once, line by line"
    us = {"unit": "us"}
    ours = found["ours"]
    rows = [
        compared(what, ours, found[ASYNCIO], ASYNCIO, at_most=1.0, **us),
        compared("… callees who are fresh only", found["fresh"], found[ASYNCIO], ASYNCIO, **us),
        compared("… who were called before only", found["called"], found[ASYNCIO], ASYNCIO, **us),
        compared(what, ours, found[UVLOOP], UVLOOP, **us),
        compared(what, ours, found[BARE], BARE, **us),
        compared(what, ours, found[BARE_UVLOOP], BARE_UVLOOP, **us),
    ]
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
        # Within the deadline, or refused: a bridge that refuses at 1.5 s must not look quick.
        late_answers = sum(one.verdicts["REFUSE unavailable"] for one in ours)
        if late_answers:
            what += f" ({late_answers} refused as unavailable)"
        for name, share, most in ((f"{what}, p99", 0.99, 2.0), ("… p50", 0.5, None)):
            rows.append(
                compared(
                    name, [one.quantile(share) * 1000 for one in ours],
                    [one.quantile(share) * 1000 for one in theirs], BARE, unit="ms", digits=2,
                    at_most=most,
                )
            )  # fmt: skip
        late = [quantile(one.late, 0.99) * 1000 for one in (*ours, *theirs)]
        rows.append(alone("… p99 of how late the load itself was", late, unit="ms", digits=2))
    return rows


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

    Lists are compared without a history, histories with the largest list but one at hand.
    """
    size = bench.size
    sizes = [(0, numbers) for numbers in size.grown_numbers]
    sizes += [(attempts, size.numbers) for attempts in size.grown_attempts]
    sizes = list(dict.fromkeys(sizes))
    with ExitStack() as stack:
        places = {one: bench.place(f"grown-{one[0]}-{one[1]}", *one) for one in sizes}
        servers = {
            one: stack.enter_context(_bridge(place.folder.name, place, bench))
            for one, place in places.items()
        }
        bench.say(f"processor a call with each of {len(sizes)} sizes, {size.rounds} rounds")
        _warm_up(bench, list(servers.values()), {one.folder.name: one for one in places.values()})
        resident = {one: server.resident() for one, server in servers.items()}

        def measured(one: tuple[int, int], shares: Shares) -> Callable[[], float]:
            return lambda: bench.processor(
                servers[one], place=places[one], shares=shares, seconds=size.seconds / 2
            )[0]

        found = _turns(
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
        server = _bridge("start", place, bench)
        callees = Callees(Shares(), first=bench.drawn)
        address = ("127.0.0.1", server.port)
        tally = Generator(address, "bench", callees, first=bench.drawn).at_rate(1.0, 1.0)
        bench.drawn = callees.drawn
        if tally.verdicts != {"ALLOW": 1}:
            raise SystemExit(f"the first answer was {tally.summary()}")
        times.append(time.perf_counter() - server.started)
        server.stop()
    place.clear()
    what = f"start with {size.attempts:,} attempts, to the first answer"
    return [alone(what, times, unit="s", digits=2, at_most=3.0)]


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


_IMPORTED = re.compile(r"^(\S+) .* dialwarden +([\d.]+) s +sqlite3 +([\d.]+) s", re.MULTILINE)
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
