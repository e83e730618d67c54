"""A gate over a real ledger, with a clock that tests turn, and the words to ask it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pyroaring import BitMap64

from dialwarden.facts import Scope
from dialwarden.gate.decision import Decider
from dialwarden.gate.gate import Gate
from dialwarden.gate.reading import read_question
from dialwarden.gate.recording import Recorder
from dialwarden.gate.rulebook import Rulebook, compile_rulebook
from dialwarden.gate.verdicts import Answer
from dialwarden.ledger import appointments, attempt_list, consents, lists, objections, refusals
from dialwarden.ledger.connection import open_ledger, snapshot, transaction
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.group_commit import Ledger
from dialwarden.ledger.known import KnownNumbers, Learning, Numbers
from dialwarden.ledger.learning import learn
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.objections import NewObjection
from dialwarden.log import VerdictLog
from dialwarden.policies import load_policies
from dialwarden.question import Door, Question
from dialwarden.settings.config import load_config

# A Monday, 10:30 in Paris; the opt-in regime is in force.
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
DIALLED = "0612345678"
NUMBER = 33612345678
OTHER = "0687654321"

CONFIG = """
[store]
path = "ledger.db"

[defaults]
exempt = ["_3949", "_0800."]

[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{number}@carrier"]
strip = "9"

[lists.house]
kind = "opposition"

[lists.staff]
kind = "exempt"

# Of one professional: they share their counters.
[campaigns.capped]
professional = "acme"
policy = "none"
region = "FR"
[campaigns.capped.tighten]
caps = [{ max = 2, period = "1 day" }]

[campaigns.sister]
professional = "acme"
policy = "none"
region = "FR"
[campaigns.sister.tighten]
caps = [{ max = 2, period = "1 day" }]

[campaigns.rival]
professional = "rival"
policy = "none"
region = "FR"
[campaigns.rival.tighten]
caps = [{ max = 2, period = "1 day" }]

[campaigns.listed]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]

[campaigns.free]
professional = "free"
policy = "none"
region = "FR"

[campaigns.solar]
professional = "seller"
policy = "fr"
region = "FR"
[campaigns.solar.tighten]
caps = [{ max = 1, period = "2 hours" }]

[campaigns.shadow]
professional = "shade"
policy = "none"
region = "FR"
enforce = false
[campaigns.shadow.tighten]
caps = [{ max = 1, period = "1 day" }]
"""


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


def rulebook_of(directory: Path, text: str = CONFIG) -> Rulebook:
    path = directory / "dialwarden.toml"
    path.write_text(text)
    return compile_rulebook(load_config(path, {}, load_policies))


@dataclass
class World:
    """One gate, and another process's view of its ledger: `elsewhere` writes beside it."""

    path: Path
    ledger: Ledger
    gate: Gate
    clock: Clock
    recorder: Recorder

    @classmethod
    async def open(cls, directory: Path, config: str = CONFIG) -> World:
        path = directory / "ledger.db"
        ledger = await Ledger.open(path, busy_timeout_s=0.1)
        await learn(ledger)
        clock = Clock()
        gate = Gate(ledger, rulebook_of(directory, config), VerdictLog(), clock=clock)
        return cls(path, ledger, gate, clock, Recorder(gate))

    async def close(self) -> None:
        await self.gate.close()
        await self.ledger.close()

    async def ask(self, dialled: str = DIALLED, campaign: str = "capped", **more: Any) -> Answer:
        return await self.gate.ask(question(dialled, campaign, **more))

    async def rules(self, dialled: str = DIALLED, campaign: str = "capped", **more: Any) -> str:
        """The failing rules of a question; "" is an ALLOW."""
        return failing(await self.ask(dialled, campaign, **more))

    def elsewhere(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Write as another process does: over a connection of its own."""
        conn = open_ledger(self.path, create=False)
        try:
            with transaction(conn):
                work(conn)
        finally:
            conn.close()

    def attempts(self) -> list[dict[str, object]]:
        return self._rows(attempt_list.list_attempts)

    def counted(self) -> list[dict[str, object]]:
        return [attempt for attempt in self.attempts() if attempt["state"] != "voided"]

    def refusals(self) -> list[dict[str, object]]:
        return self._rows(refusals.list_refusals)

    def objections(self) -> list[dict[str, object]]:
        return self._rows(objections.list_objections)

    def _rows(self, read: Callable[[sqlite3.Connection], Any]) -> list[dict[str, object]]:
        conn = open_ledger(self.path, create=False)
        try:
            with snapshot(conn):
                return list(read(conn))
        finally:
            conn.close()


def learnt(conn: sqlite3.Connection) -> Numbers:
    """What is learnt of a ledger over this one connection."""
    learning = Learning()
    while learning.step(conn):
        pass
    return learning.numbers


class Bench:
    """A decider on one connection; each question is a transaction of its own."""

    def __init__(self, conn: sqlite3.Connection, rulebook: Rulebook) -> None:
        self.conn = conn
        self.rulebook = rulebook
        self.lists = ListCache()
        self.known = KnownNumbers()
        with transaction(conn):
            self.known.adopt(conn, learnt(conn))
        self.decider = Decider(self.lists, self.known)
        self.now = NOW

    def ask(self, dialled: str = DIALLED, campaign: str = "capped", **more: object) -> Answer:
        reading = read_question(question(dialled, campaign, **more), self.rulebook)
        with transaction(self.conn):
            self.lists.refresh(self.conn)
            self.known.begin(self.conn)
            self.known.written()
            (answer,) = self.decider.decide_all(
                self.conn, [(reading, self.rulebook)], lambda: self.now
            )
            return answer

    def dry(
        self, dialled: str = DIALLED, campaign: str = "capped",
        as_of: datetime | None = None, **more: object,
    ) -> Answer:  # fmt: skip
        reading = read_question(question(dialled, campaign, **more), self.rulebook)
        with snapshot(self.conn):
            self.lists.refresh(self.conn)
            return self.decider.judge_dry(self.conn, reading, self.rulebook, self.now, as_of=as_of)

    def attempts(self) -> list[dict[str, object]]:
        return list(attempt_list.list_attempts(self.conn))

    def refusals(self) -> list[dict[str, object]]:
        return list(refusals.list_refusals(self.conn))

    def state(self, attempt: int | None) -> tuple[object, object]:
        found = next(row for row in self.attempts() if row["id"] == attempt)
        return found["state"], found["outcome"]


_calls = iter(range(1, 1 << 30))


def question(dialled: str = DIALLED, campaign: str = "capped", **more: Any) -> Question:
    """A question; a call of its own unless one is given."""
    values: dict[str, Any] = {"call": f"1700000000.{next(_calls)}", "door": Door.AGI, **more}
    return Question(dialled, campaign, **values)


def failing(answer: Answer) -> str:
    return "&".join(answer.verdict.rules)


def object_to(
    number: int = NUMBER, professional: str = "acme", at: datetime = NOW, **more: Any
) -> Callable[[sqlite3.Connection], object]:
    new = NewObjection(
        number=number, professional=professional, at=at, recorded_at=at, door=Door.CLI,
        **{"scope": Scope.PROFESSIONAL, **more},
    )  # fmt: skip
    return lambda conn: objections.add(conn, new)


def consent_to(
    number: int = NUMBER, professional: str = "seller", at: datetime = NOW - timedelta(days=1)
) -> Callable[[sqlite3.Connection], object]:
    new = NewConsent(number=number, professional=professional, given_at=at, recorded_at=at)
    return lambda conn: consents.grant(conn, new)


def withdraw(
    number: int = NUMBER, professional: str = "seller", at: datetime = NOW
) -> Callable[[sqlite3.Connection], object]:
    return lambda conn: consents.withdraw(
        conn, number=number, professional=professional, at=at, recorded_at=at
    )


def agree(
    at: datetime, number: int = NUMBER, professional: str = "seller", campaign: str = ""
) -> Callable[[sqlite3.Connection], object]:
    """Record an appointment, as of long ago."""
    return lambda conn: appointments.add(
        conn, number=number, professional=professional, at=at, campaign=campaign,
        recorded_at=NOW - timedelta(days=30),
    )  # fmt: skip


def import_list(
    name: str, numbers: Sequence[int] = (), as_of: date | None = None
) -> Callable[[sqlite3.Connection], object]:
    return lambda conn: lists.import_version(
        conn, name, BitMap64(numbers), as_of=as_of, imported_at=NOW, source="test", sha256=name
    )


def overlay(
    name: str, number: int = NUMBER, op: lists.Op = lists.Op.ADD
) -> Callable[[sqlite3.Connection], object]:
    return lambda conn: lists.overlay(conn, name, number, op, at=NOW)


async def settled(world: World) -> None:
    """Until everything that was set off in the background is on disk."""
    await world.gate.close()
    await asyncio.sleep(0)
