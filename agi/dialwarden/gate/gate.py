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
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from dialwarden.errors import LedgerError
from dialwarden.gate.counting import Counts
from dialwarden.gate.decision import Decider
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.record import record_refusal
from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import Answer, exempt_verdict, not_decided
from dialwarden.ledger import attempts
from dialwarden.ledger.batch import Job
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


class _Asked(NamedTuple):
    """A question on its way to an answer, and whoever waits for it."""

    reading: Reading
    rulebook: Rulebook
    started: float
    form: Callable[[Answer], Any]
    future: asyncio.Future[Any]


def _as_it_is(answer: Answer) -> Answer:
    return answer


class Gate:
    """Answers questions for as long as the bridge runs.

    Args:
        clock: the instant of a judgement, aware; read in the transaction that records it.

    Attributes:
        counts: what was answered since the start.
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
        self.counts = Counts()
        self._ledger = ledger
        self._verdicts = verdict_log
        self._clock = clock
        self._decider = Decider(ledger.lists, ledger.known)
        # One object: jobs of one kind are known by it.
        self._decide_all = self._decide
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

    def veiled_words(self, text: str) -> str:
        """What a person wrote without the numbers in it, as the log may have it."""
        return self._verdicts.veiled_words(text)

    def say(self, answer: Answer, question: Question, rulebook: Rulebook, started: float) -> None:
        """Count a verdict and write its line in the log stream; also of a call that did not ask.

        Args:
            started: `time.perf_counter()` of when it was met.
        """
        self.counts.answer(answer, question.door, rulebook.entries)
        self._verdicts.write(answer, question, rulebook, started)

    async def ask(self, question: Question) -> Answer:
        """Judge a question; on ALLOW the attempt is on disk when this returns.

        Never raises but for its own cancellation, and then nothing that left us is uncounted: an
        attempt that was reserved for an answer nobody waits for is voided.
        """
        answered = self.answer(question, _as_it_is)
        try:
            return await answered
        except asyncio.CancelledError:
            # Answered already, and cancelled before this task woke: nobody else knows of it.
            if answered.done() and not answered.cancelled() and answered.exception() is None:
                self._nobody_waited(answered.result())
            raise

    def answer(self, question: Question, form: Callable[[Answer], T]) -> asyncio.Future[T]:
        """As `ask`, without a task of its own: the answer's form, once it is on disk.

        Cancelled, what was reserved for it is voided.

        Args:
            form: made of the answer before anybody is told. What it raises, the future raises.
        """
        started = time.perf_counter()
        rulebook = self.rulebook
        reading = read_question(question, rulebook)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        asked = _Asked(reading, rulebook, started, form, future)
        if reading.exempt:
            self._tell(asked, Answer(exempt_verdict(reading, reading.exempt, self._clock())))
            return future
        job: Job[Answer] = Job(
            None, future, self._nobody_waited,
            together=self._decide_all, item=asked, done=self._decided,
        )  # fmt: skip
        try:
            self._ledger.enqueue(job)
        except LedgerError as error:
            self._without_ledger(asked, error)
        return future

    def _decide(self, conn: sqlite3.Connection, asked: Sequence[_Asked]) -> list[Answer]:
        """In the ledger's thread."""
        return self._decider.decide_all(
            conn, [(one.reading, one.rulebook) for one in asked], self._clock
        )

    def _decided(self, job: Job[Answer]) -> None:
        asked = cast(_Asked, job.item)
        answer = job.result
        if answer is not None and job.error is None:
            self.ledger_trouble = ""
            if answer.attempt is not None and self.listener is not None:
                self.listener.granted(_grant(answer, answer.attempt, asked.reading.question))
            self._tell(asked, answer)
        elif isinstance(job.error, LedgerError):
            self._without_ledger(asked, job.error)
        else:
            error = job.error
            call = ascii(asked.reading.question.call)
            log.error("judging failed; refused, call %s", call, exc_info=error)
            reason = Reason("unavailable_error", {"why": type(error).__name__})
            self._tell_unavailable(asked, reason)

    def _tell(self, asked: _Asked, answer: Answer) -> None:
        """The verdict's line, and the answer to whoever waits for it."""
        question = asked.reading.question
        self.counts.took_s(question.door, time.perf_counter() - asked.started)
        self.say(answer, question, asked.rulebook, asked.started)
        if asked.future.done():
            self._nobody_waited(answer)
            return
        try:
            asked.future.set_result(asked.form(answer))
        except Exception as error:
            asked.future.set_exception(error)

    def _tell_unavailable(self, asked: _Asked, reason: Reason) -> None:
        answer = self._unavailable(asked.reading, reason)
        self._in_background(self._record(asked.reading, asked.rulebook, answer.verdict))
        self._tell(asked, answer)

    def _without_ledger(self, asked: _Asked, error: LedgerError) -> None:
        self.ledger_trouble = str(error)
        if asked.rulebook.exempt_lists and asked.reading.number is not None:
            self._in_background(self._tell_exempt_or_unavailable(asked, error))
        else:
            self._refuse_without_ledger(asked, error)

    async def _tell_exempt_or_unavailable(self, asked: _Asked, error: LedgerError) -> None:
        exempt = await self._exempt_by_list(asked.reading, asked.rulebook)
        if asked.future.done():  # given up meanwhile: whoever waited has told and recorded that
            return
        if exempt is not None:
            self._tell(asked, exempt)
        else:
            self._refuse_without_ledger(asked, error)

    def _refuse_without_ledger(self, asked: _Asked, error: LedgerError) -> None:
        self._tell_unavailable(asked, Reason("unavailable_ledger", {"why": error.what}))

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
        except Exception:  # whatever it is, somebody waits for a refusal
            log.exception("looking a number up in the exempt lists failed")
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

    def unanswered(
        self,
        question: Question,
        reason: Reason,
        *,
        recorded: bool = True,
        waited_s: float | None = None,
    ) -> Answer:
        """The answer to a question that could not be brought to an end: late, broken, stopping.

        An emergency or exempt number passes all the same. The refusal is in the log stream at
        once and, but for a peek, in the ledger as soon as it takes it.

        Args:
            waited_s: how long whoever asked has waited; None where that is not known.
        """
        rulebook = self.rulebook
        reading = read_question(question, rulebook)
        if reading.exempt:
            answer = Answer(exempt_verdict(reading, reading.exempt, self._clock()))
        else:
            answer = self._unavailable(reading, reason)
            if recorded:
                self._in_background(self._record(reading, rulebook, answer.verdict))
        if waited_s is not None:
            self.counts.took_s(question.door, waited_s)
        self.say(answer, question, rulebook, time.perf_counter() - (waited_s or 0.0))
        return answer

    def undelivered(self, answer: Answer, why: str) -> None:
        """Take back an attempt whose ALLOW surely never left us."""
        if answer.reserved:
            self.counts.taken_back += 1
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
            await self._ledger.take_nothing(written=False)
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
