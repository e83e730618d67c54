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
from datetime import UTC, timedelta

from dialwarden.errors import LedgerError
from dialwarden.gate.gate import Gate
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.record import basis_of, record_refusal
from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import Answer, refused_as_read
from dialwarden.ledger import attempts, bypasses
from dialwarden.ledger import legs as leg_table
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.ledger.basis import basis_id
from dialwarden.ledger.legs import LegId
from dialwarden.ledger.permits import leg_known
from dialwarden.log import log
from dialwarden.numbers import Number, read_number
from dialwarden.question import Door, Purpose, Question
from dialwarden.verdict import Phrase, Reason, Refusal, Rule, Verdict

Work = Callable[[sqlite3.Connection], Answer]

# Its attempt has no id yet: it will be written when the ledger takes it.
LATER = 0
# Another bridge on the same PBX may have written the same leg down, so long before.
_SAME_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Bypass:
    """A leg that was dialled without a permit.

    Attributes:
        uniqueid, trunk: of the leg.
        pbx: whose channel it is.
        number: as it was dialled; "" where the dial string holds none.
        dial_string, channel: Asterisk's, of the leg.
        call: its Linkedid.
        caller: the channel that dialled it; "" for a leg that was originated.
        by: who did it, as far as that can be told.
        hung_up: it was hung up for that; else it was let go.
    """

    uniqueid: str
    trunk: str
    pbx: str
    number: str
    dial_string: str
    channel: str
    call: str
    caller: str
    by: Phrase
    hung_up: bool

    @property
    def leg(self) -> LegId:
        return LegId(self.pbx, self.uniqueid, self.channel)


class BypassLog:
    """Records bypasses, in the ledger and in the log stream.

    Args:
        later: takes what the ledger did not, and brings it there when it can be written.
    """

    def __init__(self, gate: Gate, later: Callable[[Work], None]) -> None:
        self._gate = gate
        self._later = later

    async def record(self, bypass: Bypass, *, counted: bool) -> int | None:
        """Write one down, once however many bridges see it.

        Args:
            counted: the callee was or may be reached: it is an attempt.

        Returns:
            The attempt that it counts as; None when it counts for nobody; `LATER` when the ledger
            cannot be written now.
        """
        rulebook, started = self._gate.rulebook, time.perf_counter()
        self._gate.counts.bypass(bypass.trunk, hung_up=bypass.hung_up)
        reading = _reading(bypass, rulebook)
        verdict = self._verdict(reading, bypass)

        def work(conn: sqlite3.Connection) -> Answer:
            since = verdict.at - _SAME_WITHIN
            known = leg_known(conn, bypass.leg, since=since)
            if known is None and not bypasses.told(
                conn, call=bypass.call, channel=bypass.channel, since=since
            ):
                record_refusal(conn, reading, rulebook, verdict, would=not bypass.hung_up)
            attempt = known
            if known is None and counted:
                attempt = _count(conn, reading, rulebook, verdict, bypass)
            return Answer(verdict, attempt, reserved=attempt is not None, let_go=not bypass.hung_up)

        answer = await self._written(work, bypass)
        if answer is None:
            attempt = LATER if counted and reading.number is not None else None
            answer = Answer(verdict, let_go=not bypass.hung_up)
        else:
            attempt = answer.attempt
        self._gate.say(answer, reading.question, rulebook, started)
        return attempt

    async def count(self, bypass: Bypass) -> int | None:
        """Make an attempt of one that was hung up and reached the callee all the same.

        Returns:
            As `record`.
        """
        rulebook = self._gate.rulebook
        reading = _reading(bypass, rulebook)
        verdict = self._verdict(reading, bypass)

        def work(conn: sqlite3.Connection) -> Answer:
            since = verdict.at - _SAME_WITHIN
            known = leg_known(conn, bypass.leg, since=since)
            if known is not None:
                return Answer(verdict, known)
            return Answer(verdict, _count(conn, reading, rulebook, verdict, bypass))

        answer = await self._written(work, bypass)
        if answer is None:
            return LATER if reading.number is not None else None
        if answer.attempt is not None:
            log.warning("%s was hung up and rang all the same: it counts, attempt %d",
                        self._gate.veiled(bypass.channel), answer.attempt)  # fmt: skip
        return answer.attempt

    async def _written(self, work: Work, bypass: Bypass) -> Answer | None:
        try:
            return await self._gate.ledger.transact(work)
        except LedgerError as error:
            log.error("bypass by %s is in this log only until the ledger can be written: %s",
                      self._gate.veiled(bypass.channel), error)  # fmt: skip
        except Exception:
            log.exception("bypass by %s is in this log only", self._gate.veiled(bypass.channel))
        self._later(work)
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
    conn: sqlite3.Connection, reading: Reading, rulebook: Rulebook, verdict: Verdict, bypass: Bypass
) -> int | None:
    """Reserve the attempt, and with it its leg: by that the next bridge knows it."""
    number, entry, question = reading.number, reading.entry, reading.question
    if number is None:
        return None  # nobody to count it for
    attempt = attempts.reserve(
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
    leg_table.dialled(conn, attempt, bypass.leg, trunk=bypass.trunk, at=verdict.at.astimezone(UTC))
    return attempt
