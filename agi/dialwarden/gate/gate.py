"""The gate of a running bridge: every question gets an answer, and the answer is on disk first.

Owns the way from a question to a recorded answer through the ledger's group commit, and what is
said when that way is blocked: a refusal, `unavailable`, in the log stream when nowhere else.
Knows no door: AGI, gateway and guard ask here alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from dialwarden.errors import LedgerError
from dialwarden.gate.decision import (
    Answer,
    Decider,
    exempt_verdict,
    not_decided,
)
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.record import record_refusal
from dialwarden.gate.rulebook import Rulebook
from dialwarden.ledger import attempts
from dialwarden.ledger.group_commit import Ledger
from dialwarden.log import VerdictLog, log
from dialwarden.question import Question
from dialwarden.verdict import Reason, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Grant:
    """An ALLOW that leaves us with an attempt behind it.

    Attributes:
        number: the digits of E.164.
        call, permit: what the call is known by; "" where it is not.
        unbound: the leg will carry neither; it is known by its number.
    """

    attempt: int
    number: int
    campaign: str
    call: str
    permit: str
    at: datetime
    unbound: bool = False


class GrantListener(Protocol):
    """Is told of every ALLOW, before whoever asked is."""

    def granted(self, grant: Grant) -> None: ...

    def revoked(self, attempt: int) -> None:
        """The ALLOW was surely not acted on, and the attempt is taken out of the count."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def _nothing(_: sqlite3.Connection) -> None:
    """A work that only waits for those before it."""


def _grant(answer: Answer, attempt: int, question: Question) -> Grant:
    verdict = answer.verdict
    return Grant(
        attempt,
        int(verdict.number.removeprefix("+")),
        verdict.campaign,
        question.call,
        question.permit,
        verdict.at,
        question.unbound,
    )


class Gate:
    """Answers questions for as long as the bridge runs.

    Args:
        clock: the instant of a judgement, aware; read in the transaction that records it.
    """

    def __init__(
        self,
        ledger: Ledger,
        rulebook: Rulebook,
        verdict_log: VerdictLog,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.rulebook = rulebook
        self._ledger = ledger
        self._verdicts = verdict_log
        self._clock = clock
        self._decider = Decider(ledger.lists)
        self._dry_decider = Decider(ledger.read_lists)
        self._background: set[asyncio.Task[Any]] = set()
        self.listener: GrantListener | None = None
        # Why the ledger did not take the last question; "" when it did.
        self.ledger_trouble = ""

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    def now(self) -> datetime:
        return self._clock()

    def shown(self, number: str) -> str:
        """A callee's number as the log may have it."""
        return self._verdicts.shown(number)

    def veiled(self, text: str) -> str:
        """A text of the PBX's without the numbers in it, as the log may have it."""
        return self._verdicts.veiled(text)

    def say(self, answer: Answer, question: Question, rulebook: Rulebook, started: float) -> None:
        """A verdict's line in the log stream, of a call that did not ask.

        Args:
            started: `time.perf_counter()` of when it was met.
        """
        self._verdicts.write(answer, question, rulebook, started)

    async def ask(self, question: Question) -> Answer:
        """Judge a question; on ALLOW the attempt is on disk when this returns.

        Never raises but for its own cancellation, and then nothing that left us is uncounted: an
        attempt that was reserved for an answer nobody waits for is voided.
        """
        started = time.perf_counter()
        rulebook = self.rulebook
        reading = read_question(question, rulebook)
        if reading.exempt:
            answer = Answer(exempt_verdict(reading, reading.exempt, self._clock()))
            self._verdicts.write(answer, question, rulebook, started)
            return answer

        def work(conn: sqlite3.Connection) -> Answer:
            return self._decider.decide(conn, reading, rulebook, self._clock())

        try:
            answer = await self._ledger.transact(work, late=self._nobody_waited)
            self.ledger_trouble = ""
            if answer.attempt is not None and self.listener is not None:
                self.listener.granted(_grant(answer, answer.attempt, question))
        except LedgerError as error:
            self.ledger_trouble = str(error)
            exempt = await self._exempt_by_list(reading, rulebook)
            if exempt is not None:
                answer = exempt
            else:
                why = Reason("unavailable_ledger", {"why": error.what})
                answer = self._unavailable(reading, why)
                log.error("ledger: %s; refused, call %s", error, ascii(question.call))
                self._in_background(self._record(reading, rulebook, answer.verdict))
        except Exception as error:
            log.exception("judging failed; refused, call %s", ascii(question.call))
            reason = Reason("unavailable_error", {"why": type(error).__name__})
            answer = self._unavailable(reading, reason)
            self._in_background(self._record(reading, rulebook, answer.verdict))
        self._verdicts.write(answer, question, rulebook, started)
        return answer

    async def _exempt_by_list(self, reading: Reading, rulebook: Rulebook) -> Answer | None:
        """ALLOW for a number on an exempt list although nothing can be written; else None.

        A ledger that another process has locked can still be read.
        """
        number = reading.number
        if number is None or not rulebook.exempt_lists:
            return None
        names, lists = rulebook.exempt_lists, self._ledger.read_lists
        try:
            listings = await self._ledger.read(
                lambda conn: lists.look_up(conn, names, number.digits)
            )
        except LedgerError:
            return None
        listed = next((name for name in names if listings[name].listed), None)
        return Answer(exempt_verdict(reading, listed, self._clock())) if listed else None

    async def peek(self, question: Question) -> Answer:
        """Judge a question and record nothing: no attempt, no refusal."""
        reading = read_question(question, self.rulebook)
        if reading.exempt:
            return Answer(exempt_verdict(reading, reading.exempt, self._clock()))
        rulebook = self.rulebook

        def work(conn: sqlite3.Connection) -> Answer:
            return self._dry_decider.judge_dry(conn, reading, rulebook, self._clock())

        try:
            return await self._ledger.read(work)
        except LedgerError as error:
            return self._unavailable(reading, Reason("unavailable_ledger", {"why": error.what}))
        except Exception as error:
            log.exception("judging failed")
            reason = Reason("unavailable_error", {"why": type(error).__name__})
            return self._unavailable(reading, reason)

    def unanswered(self, question: Question, reason: Reason, *, recorded: bool = True) -> Answer:
        """The answer to a question that could not be brought to an end: late, broken, stopping.

        An emergency or exempt number passes all the same. The refusal is in the log stream at
        once and, but for a peek, in the ledger as soon as it takes it.
        """
        rulebook = self.rulebook
        reading = read_question(question, rulebook)
        if reading.exempt:
            answer = Answer(exempt_verdict(reading, reading.exempt, self._clock()))
        else:
            answer = self._unavailable(reading, reason)
            if recorded:
                self._in_background(self._record(reading, rulebook, answer.verdict))
        self._verdicts.write(answer, question, rulebook, time.perf_counter())
        return answer

    def undelivered(self, answer: Answer, why: str) -> None:
        """Take back an attempt whose ALLOW surely never left us."""
        if answer.reserved:
            if self.listener is not None and answer.attempt is not None:
                self.listener.revoked(answer.attempt)
            self._in_background(self._void_unsent(answer, why))

    def keep(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Bring a work to its end whoever still waits for it; `close` waits too."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._kept)
        return task

    async def close(self) -> None:
        """Wait for what is still being recorded."""
        # The batch under way may hold answers that nobody waits for any more: this one comes after
        # it, and what is to be taken back is known then.
        with contextlib.suppress(LedgerError):
            await self._ledger.transact(_nothing)
        while self._background:
            await asyncio.wait(self._background)

    def _kept(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        # Whoever waited for it may be gone, or never was: then nobody else would tell.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a work behind a call failed", exc_info=error)

    def _unavailable(self, reading: Reading, reason: Reason) -> Answer:
        return Answer(not_decided(reading, self._clock(), reason))

    async def _record(self, reading: Reading, rulebook: Rulebook, verdict: Verdict) -> None:
        try:
            await self._ledger.transact(
                lambda conn: record_refusal(conn, reading, rulebook, verdict)
            )
        except Exception as error:  # whatever it is, the verdict's own line is written already
            log.info("a refusal is in this log only: %s", error)

    def _nobody_waited(self, answer: Answer) -> None:
        self.undelivered(answer, "the answer came when nobody waited for it any more")

    async def _void_unsent(self, answer: Answer, why: str) -> None:
        attempt = answer.attempt
        assert attempt is not None
        try:
            await self._ledger.transact(
                lambda conn: attempts.void_unsent(conn, attempt, why, self._clock())
            )
        except LedgerError as error:
            log.warning("attempt %d was never answered and stays counted: %s", attempt, error)

    def _in_background(self, work: Coroutine[object, object, None]) -> None:
        self.keep(work)
