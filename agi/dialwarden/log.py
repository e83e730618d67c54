"""The log: one line per verdict, and the words around it.

The contract of the levels: INFO is one line per verdict, plus start and stop and what changed;
WARNING needs a human today, a call that left without asking among it; ERROR is a refusal that
should not have been, or a fault of ours; DEBUG is for whoever mends dialwarden. Callees' numbers
are masked unless configured otherwise; what a peer sent is escaped.

Two formats on standard error: JSON, one object a line, for programs; console, for people. A third
goes to systemd's journal itself, field by field (`journal`).
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping

from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import Answer
from dialwarden.journal import SOCKET, JournalLines
from dialwarden.log_lines import (
    FIELDS,
    ConsoleFormatter,
    JsonFormatter,
    NeverWaiting,
    StreamLines,
    printable,
)
from dialwarden.numbers import mask
from dialwarden.question import Door, Question
from dialwarden.reasons import sentence
from dialwarden.verdict import Rule, Verdict

log = logging.getLogger("dialwarden")
_verdict_log = logging.getLogger("dialwarden.verdict")

# As long as a subscriber's number is. Asterisk's counter at the end of a channel's name
# (-0000001f, and ;2 for the far half of a Local channel), its ids (1764000000.42) and ours
# (dw- and random hexadecimal) are none.
_NUMBER_IN_TEXT = re.compile(r"\+?\d{6,}")
# As a person writes one down: "+33 (0)6 12-34.56 78". A date written in digits goes with it.
_NUMBER_IN_WORDS = re.compile(r"\+?\(?\d(?:[\s./()-]{0,3}\d){5,}")
_COUNTED = re.compile(r"(?<![\w/])(\w+/[^\s(),]+)(-0[0-9a-f]{7}(?:;[12])?)(?![\w;-])")
_UNIQUEID = re.compile(r"([\w.]+-)?\d{9,11}\.\d+(;[12])?|dw-(unbound-)?[0-9a-f]{24}")


class VerdictLog:
    """Writes the one line of each verdict."""

    def __init__(self, *, clear_numbers: bool = False) -> None:
        self.clear_numbers = clear_numbers

    def shown(self, number: str) -> str:
        """A callee's number, or what was dialled for one, as the log may have it."""
        return printable(number) if self.clear_numbers else mask(number)

    def veiled(self, text: str) -> str:
        """A text of the PBX's, such as a channel's name, without the numbers that stand in it.

        A dialer's channel is Local/0612345678@outbound-00000001;2: as good as the number itself.
        """
        if self.clear_numbers or _UNIQUEID.fullmatch(text):
            return printable(text)
        channel = _COUNTED.fullmatch(text)
        if channel is not None:
            return printable(_masked(channel[1]) + channel[2])
        if not _NUMBER_IN_TEXT.search(text):
            return printable(text)
        # By turns what stands between channels, a channel's name, and its counter.
        parts = _COUNTED.split(text)
        parts[0::3] = map(_masked, parts[0::3])
        parts[1::3] = map(_masked, parts[1::3])
        return printable("".join(parts))

    def veiled_words(self, text: str) -> str:
        """What a person wrote, a name or a reason, without the numbers in it, however written."""
        if not self.clear_numbers:
            text = _NUMBER_IN_WORDS.sub(lambda found: mask(found[0]), text)
        return printable(text)

    def write(self, answer: Answer, question: Question, rulebook: Rulebook, started: float) -> None:
        """One line: at INFO, at WARNING where a call left without asking, or at ERROR where we
        could not decide, since it may be nowhere else.

        Args:
            started: `time.perf_counter()` of when the question came.
        """
        verdict = answer.verdict
        level = _level(verdict, question)
        if not _verdict_log.isEnabledFor(level):
            return
        number = self.shown(verdict.number or question.dialled) or "(no number)"
        fields: dict[str, object] = {
            "verdict": "ALLOW" if verdict.allowed else "REFUSE",
            "number": number,
            "campaign": self.veiled(verdict.campaign),
            "call": self.veiled(question.call),
            "door": str(question.door),
            "rules": list(verdict.rules) if verdict.refusals else [],
        }
        if verdict.exempt:
            fields["exempt"] = verdict.exempt
        # A reason may quote what a peer sent: a number where a campaign was expected, say.
        reason = ""
        if verdict.refusals or verdict.waived:
            reason = fields["reason"] = self.veiled(reason_of(answer, rulebook.language))
        if verdict.refusals:
            fields["next"] = verdict.next.isoformat() if verdict.next else ""
        if verdict.not_judged:
            fields["not_judged"] = [silence.rule for silence in verdict.not_judged]
        if answer.let_go:
            fields["would_refuse"] = True
        if verdict.waived:
            fields["overrides"] = [
                {"id": one.override, "rule": one.refusal.rule, "by": self.veiled_words(one.by)}
                for one in verdict.waived
            ]
        if answer.attempt is not None:
            fields["attempt"] = answer.attempt
            fields["repeated"] = not answer.reserved
        fields["professional"] = verdict.professional
        fields["policy"] = verdict.policy
        fields["policy_sha256"] = rulebook.policy_sha256(verdict.campaign)
        fields["regime"] = verdict.regime
        if verdict.unverified:
            fields["unverified"] = list(verdict.unverified)
        fields["zones"] = list(verdict.zones)
        fields["lists"] = dict(answer.lists)
        fields["asked_by"] = self.veiled(question.asked_by)
        fields["ms"] = round((time.perf_counter() - started) * 1000, 3)
        _say(level, self._headline(answer, number, reason), fields)

    def _headline(self, answer: Answer, number: str, reason: str) -> str:
        verdict = answer.verdict
        if verdict.exempt:
            return f"exempt {number} ({verdict.exempt})"
        again = "" if answer.reserved else " again"
        if verdict.waived:
            return f"let go under {self._overrides(verdict)} {number}{again}: {reason}"
        if verdict.allowed:
            return f"allowed {number}{again}, attempt {answer.attempt}"
        word = "would refuse" if answer.let_go else "refused"
        rules = "&".join(verdict.rules)
        return f"{word} {number}: {rules}: {reason}"

    def _overrides(self, verdict: Verdict) -> str:
        """ "override 3 (hours&holiday, by Anna)", and what else there is of them."""
        told = []
        for override, by in dict.fromkeys((one.override, one.by) for one in verdict.waived):
            rules = [w.refusal.rule.value for w in verdict.waived if w.override == override]
            told.append(f"override {override} ({'&'.join(rules)}, by {self.veiled_words(by)})")
        return " and ".join(told)


def _say(level: int, message: str, fields: Mapping[str, object]) -> None:
    """A line of fields, as through the logger; straight to our own handler where that is it.

    A record, its filters and its way up cost as much as all that is in the line.
    """
    handler = log.handlers[0] if len(log.handlers) == 1 and not log.propagate else None
    if isinstance(handler, NeverWaiting) and not _verdict_log.handlers:
        handler.say(level, _verdict_log.name, message, fields)
    else:
        _verdict_log.log(level, message, extra={FIELDS: fields})


def reason_of(answer: Answer, language: str) -> str:
    """The sentence of the first rule that failed, let go by an override or not; "" of none."""
    verdict = answer.verdict
    if verdict.refusals:
        return sentence(verdict.refusals[0].reason, language)
    return sentence(verdict.waived[0].refusal.reason, language) if verdict.waived else ""


def _level(verdict: Verdict, question: Question) -> int:
    if not verdict.refusals:
        return logging.INFO
    if Rule.UNAVAILABLE in verdict.rules:
        return logging.ERROR
    bypassed = question.door is Door.GUARD and Rule.BYPASS in verdict.rules
    return logging.WARNING if bypassed else logging.INFO


def _masked(text: str) -> str:
    return _NUMBER_IN_TEXT.sub(lambda found: mask(found[0]), text)


def set_up_logging(*, style: str, level: str, journal: str = SOCKET) -> None:
    """Log in one of the formats from now on: "json" and "console" to standard error, "journal" to
    systemd's journal, or as JSON where there is none.

    Args:
        journal: the journal's socket.
    """
    lost = lines_lost()
    handler: NeverWaiting
    if style == "journal" and (there := JournalLines.at(journal)) is not None:
        handler = there
    else:
        lines = ConsoleFormatter() if style == "console" else JsonFormatter()
        handler = StreamLines(sys.stderr, lines)
    handler.lost_before = lost
    for former in log.handlers:
        former.close()
    log.handlers[:] = [handler]
    log.setLevel(level.upper())
    log.propagate = False
    # A log that cannot be written (a full disk, a closed pipe) must not refuse a call.
    logging.raiseExceptions = False
    # What no format of ours shows need not be gathered a line: where in the code it was logged,
    # thread, process. A seventh of what a line costs; the switches are the logging HOWTO's.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    if style == "journal" and not isinstance(handler, JournalLines):
        log.warning("[log] format = journal: %s is no journal of systemd's; the log goes to "
                    "standard error, as JSON", journal)  # fmt: skip


def lines_lost() -> int:
    """How many lines nobody read fast enough, since the start."""
    return sum(one.lost_ever for one in log.handlers if isinstance(one, NeverWaiting))
