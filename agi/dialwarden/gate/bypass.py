"""Bypasses: calls that left without asking, as they are recorded.

Owns what is written of one: a refusal, rule `bypass`, and an attempt where the callee was or may
have been reached. Nobody said for whom such a call was made; it is put down to the default
campaign, or to the one professional there is, and to nobody otherwise. Finds none: that is the
guard's.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from dialwarden.errors import LedgerError
from dialwarden.gate.decision import Answer, refused_as_read
from dialwarden.gate.gate import Gate
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.record import basis_of, record_refusal
from dialwarden.gate.rulebook import Rulebook
from dialwarden.ledger import attempts
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.ledger.basis import basis_id
from dialwarden.log import log
from dialwarden.numbers import Number, read_number
from dialwarden.question import Door, Purpose, Question
from dialwarden.verdict import Phrase, Reason, Refusal, Rule, Verdict


@dataclass(frozen=True, slots=True)
class Bypass:
    """A leg that was dialled without a permit.

    Attributes:
        number: as it was dialled; "" where the dial string holds none.
        dial_string, channel: Asterisk's, of the leg.
        call: its Linkedid.
        caller: the channel that dialled it; "" for a leg that was originated.
        by: who did it, as far as that can be told.
        hung_up: it was hung up for that; else it was let go.
    """

    number: str
    dial_string: str
    channel: str
    call: str
    caller: str
    by: Phrase
    hung_up: bool


class BypassLog:
    """Records bypasses, in the ledger and in the log stream."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def record(self, bypass: Bypass, *, counted: bool) -> int | None:
        """Write one down; with the ledger gone it is in the log alone.

        Args:
            counted: the callee was or may be reached: it is an attempt.

        Returns:
            The attempt that it counts as; None when it counts for nobody.
        """
        rulebook, started = self._gate.rulebook, time.perf_counter()
        reading = _reading(bypass, rulebook)

        def work(conn: sqlite3.Connection) -> Answer:
            verdict = self._verdict(reading, bypass)
            record_refusal(conn, reading, rulebook, verdict, would=not bypass.hung_up)
            attempt = _count(conn, reading, rulebook, verdict) if counted else None
            return Answer(verdict, attempt, reserved=attempt is not None, let_go=not bypass.hung_up)

        answer = await self._written(work, bypass)
        if answer is None:
            answer = Answer(self._verdict(reading, bypass), let_go=not bypass.hung_up)
        self._gate.say(answer, reading.question, rulebook, started)
        return answer.attempt

    async def count(self, bypass: Bypass) -> int | None:
        """Make an attempt of one that was hung up and reached the callee all the same."""
        rulebook = self._gate.rulebook
        reading = _reading(bypass, rulebook)

        def work(conn: sqlite3.Connection) -> Answer:
            verdict = self._verdict(reading, bypass)
            return Answer(verdict, _count(conn, reading, rulebook, verdict))

        answer = await self._written(work, bypass)
        if answer is None or answer.attempt is None:
            return None
        log.warning("%s was hung up and rang all the same: it counts, attempt %d",
                    self._gate.veiled(bypass.channel), answer.attempt)  # fmt: skip
        return answer.attempt

    async def _written(
        self, work: Callable[[sqlite3.Connection], Answer], bypass: Bypass
    ) -> Answer | None:
        try:
            return await self._gate.ledger.transact(work)
        except LedgerError as error:
            log.error("bypass by %s is in this log only: %s",
                      self._gate.veiled(bypass.channel), error)  # fmt: skip
        except Exception:
            log.exception("bypass by %s is in this log only", self._gate.veiled(bypass.channel))
        return None

    def _verdict(self, reading: Reading, bypass: Bypass) -> Verdict:
        reason = Reason("bypass", {"channel": bypass.channel, "by": bypass.by})
        refused = replace(reading, refusals=(Refusal(Rule.BYPASS, reason),))
        return refused_as_read(refused, self._gate.now())


def _reading(bypass: Bypass, rulebook: Rulebook) -> Reading:
    """The number of a bypass, and whom it is put down to."""
    question = Question(
        bypass.number or bypass.dial_string, _campaign(rulebook), call=bypass.call,
        door=Door.GUARD, asked_by=bypass.caller or bypass.channel,
    )  # fmt: skip
    reading = read_question(question, rulebook)
    if reading.number is not None or not bypass.number:
        return reading
    # Nobody to put it down to; whom it reached is told all the same, where only one is meant.
    regions = {entry.region for entry in rulebook.entries.values()}
    read = {read_number(bypass.number, region=one, strips=rulebook.strips) for one in regions}
    numbers = {one.digits: one for one in read if isinstance(one, Number)}
    if len(numbers) != 1:
        return reading
    (number,) = numbers.values()
    names = tuple(dict.fromkeys(place.zone for place in number.places))
    return replace(reading, number=number, zone_names=names)


def _campaign(rulebook: Rulebook) -> str:
    if rulebook.default_campaign:
        return rulebook.default_campaign
    professionals = {entry.mandate.professional for entry in rulebook.entries.values()}
    return next(iter(rulebook.entries)) if len(professionals) == 1 else ""


def _count(
    conn: sqlite3.Connection, reading: Reading, rulebook: Rulebook, verdict: Verdict
) -> int | None:
    number, entry, question = reading.number, reading.entry, reading.question
    if number is None:
        return None  # nobody to count it for
    return attempts.reserve(
        conn,
        NewAttempt(
            number=number.digits,
            professional=entry.mandate.professional if entry else "",
            campaign=reading.campaign if entry else "",
            purpose=reading.purpose if entry else Purpose.SALES,
            door=Door.GUARD,
            at=verdict.at,
            call=question.call,
            asked_by=question.asked_by,
            zones=reading.zone_names,
            enforced=False,
            basis_id=basis_id(conn, basis_of(verdict, reading, rulebook, ())),
        ),
    )
