"""One run of the benchmark: how much is measured, what a round of load is, and taking turns.

Owns the callees that were used up, the answers that were given, and the check of them against the
ledgers. What is measured with it is for `decisions`, `growth` and `others`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import fixture
from tests.bench.load import Generator, Tally
from tests.bench.people import Callees, Shares
from tests.bench.servers import Cores, Server

# Most of a list of contacts has never been called; what is opposed was mostly taken out of it.
MIXED = Shares(called=0.35, opposed=0.05)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes:
        attempts, numbers: of the ledger that decisions are measured on.
        grown_attempts, grown_numbers: sizes to compare.
        at_once: calls under way where the processor is measured.
        rates: calls a second where latencies are.
        postgres: False leaves the SQL check out.
        turns: of screening, relaying and imports, beside what each is compared with.
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
    turns: int = 3


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
    turns=1,
)


@dataclass
class Bench:
    """One run: where things are, and which callees were asked about already.

    Attributes:
        drawn: how many of them.
        verdicts: what our own bridges answered, and how often.
        errors: what went wrong, of whatever server; there should be none.
        allows: attempts that our ALLOWs named, by bridge.
        per_second: calls answered a second in the last round.
    """

    folder: Path
    size: Size
    cores: Cores
    say: Callable[[str], None]
    drawn: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    allows: dict[str, set[str]] = field(default_factory=dict)
    per_second: float = 0.0

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
        shares: Shares = MIXED,
        rate: float = 0.0,
        seconds: float | None = None,
        whole: bool = False,
    ) -> Tally:
        """One round of load.

        Args:
            place: what a bridge of ours runs on; None for a peer, which has no ledger.
            whole: the environment in one piece, not line by line.
        """
        size = self.size
        listed = place.numbers if place else size.numbers
        if not listed:
            shares = Shares(shares.called)
        callees = Callees(shares, listed=listed, first=self.drawn, seed=self.drawn + 1)
        generator = Generator(
            ("127.0.0.1", server.port), campaign, callees, whole=whole, first=self.drawn
        )
        lasting = size.seconds if seconds is None else seconds
        if rate:
            tally = generator.at_rate(rate, lasting)
        else:
            tally = generator.at_once(size.at_once, lasting)
        self.per_second = tally.answered / tally.seconds
        # Calls are told apart by their serial numbers: those are used up too.
        self.drawn = max(callees.drawn, generator.serial)
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


def turns(subjects: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """A value of each in every round, in alternating order."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(rounds):
        order = list(subjects) if turn % 2 == 0 else list(reversed(subjects))
        for name in order:
            found[name].append(subjects[name]())
    return found


def bridge(name: str, place: fixture.Place, bench: Bench) -> Server:
    return Server.bridge(name, place.config, place.port, bench.cores)


def warm_up(bench: Bench, servers: Sequence[Server], places: Mapping[str, fixture.Place]) -> None:
    """Have done what is done at the start, and with the first calls."""
    for server in servers:
        server.settle()
        bench.ask(server, place=places.get(server.name), seconds=bench.size.seconds / 4)
