"""The log: one line per verdict, and the words around it.

The contract of the levels: INFO is one line per verdict, plus start and stop and what changed;
WARNING needs a human today, a call that left without asking among it; ERROR is a refusal that
should not have been, or a fault of ours; DEBUG is for whoever mends dialwarden. Callees' numbers
are masked unless configured otherwise; what a peer sent is escaped.

Two formats on standard error: JSON, one object a line, for programs and journald; console, for
people.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import select
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import Answer
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
_COUNTED = re.compile(r"(?<![\w/])(\w+/[^\s(),]+)(-0[0-9a-f]{7}(?:;[12])?)(?![\w;-])")
_UNIQUEID = re.compile(r"([\w.]+-)?\d{9,11}\.\d+(;[12])?|dw-(unbound-)?[0-9a-f]{24}")
# A LogRecord's own attributes; what else stands in it was given with `extra`.
_FIELDS = "fields"
# Made once: `json.dumps` with a default makes an encoder a line. ASCII: nothing that a peer sent
# reaches a terminal as a control character.
_ENCODE = json.JSONEncoder(default=str, check_circular=False).encode


class VerdictLog:
    """Writes the one line of each verdict."""

    def __init__(self, *, clear_numbers: bool = False) -> None:
        self.clear_numbers = clear_numbers

    def shown(self, number: str) -> str:
        """A callee's number, or what was dialled for one, as the log may have it."""
        return _printable(number) if self.clear_numbers else mask(number)

    def veiled(self, text: str) -> str:
        """A text of the PBX's, such as a channel's name, without the numbers that stand in it.

        A dialer's channel is Local/0612345678@outbound-00000001;2: as good as the number itself.
        """
        if self.clear_numbers or _UNIQUEID.fullmatch(text):
            return _printable(text)
        channel = _COUNTED.fullmatch(text)
        if channel is not None:
            return _printable(_masked(channel[1]) + channel[2])
        if not _NUMBER_IN_TEXT.search(text):
            return _printable(text)
        # By turns what stands between channels, a channel's name, and its counter.
        parts = _COUNTED.split(text)
        parts[0::3] = map(_masked, parts[0::3])
        parts[1::3] = map(_masked, parts[1::3])
        return _printable("".join(parts))

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
                {"id": one.override, "rule": one.refusal.rule, "by": self.veiled(one.by)}
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
            told.append(f"override {override} ({'&'.join(rules)}, by {self.veiled(by)})")
        return " and ".join(told)


def _say(level: int, message: str, fields: Mapping[str, object]) -> None:
    """A line of fields, as through the logger; straight to our own handler where that is it.

    A record, its filters and its way up cost as much as all that is in the line.
    """
    handler = log.handlers[0] if len(log.handlers) == 1 and not log.propagate else None
    if isinstance(handler, _NeverWaiting) and not _verdict_log.handlers:
        handler.say(level, _verdict_log.name, message, fields)
    else:
        _verdict_log.log(level, message, extra={_FIELDS: fields})


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


class _NeverWaiting(logging.StreamHandler[TextIO]):
    """Writes a line, or counts it as lost when that would mean to wait.

    A pipe whose reader has stopped is full after 64 KiB, and a write to it waits: with it every
    call, in the loop that answers them. A pipe that can be written takes PIPE_BUF bytes (4 KiB) at
    once, poll(2) and pipe(7): a longer line goes in pieces, and is broken off when there is no
    room for the next one.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lost = 0
        self._broken_off = False
        self._room: select.poll | None = None
        with contextlib.suppress(OSError, ValueError):  # no descriptor: nothing to wait for
            room = select.poll()
            room.register(stream.fileno(), select.POLLOUT)
            self._room = room

    def emit(self, record: logging.LogRecord) -> None:
        if self._room is None:
            super().emit(record)
            return
        try:
            self._write_or_lose(self.format(record))
        except Exception:
            self.handleError(record)

    def say(self, level: int, name: str, message: str, fields: Mapping[str, object]) -> None:
        """Write what a record of this would be written as; what goes wrong stops nobody."""
        formatter = self.formatter
        assert isinstance(formatter, _LineFormatter)
        with contextlib.suppress(Exception):
            line = formatter.line(time.time(), logging.getLevelName(level), name, message, fields)
            self.acquire()
            try:
                if self._room is None:
                    self.stream.write(f"{line}\n")
                    self.flush()
                else:
                    self._write_or_lose(line)
            finally:
                self.release()

    def _write_or_lose(self, line: str) -> None:
        if self._lost and self._has_room():
            text = f"{self._lost} lines are lost: nobody read the log fast enough"
            lost = logging.LogRecord(log.name, logging.WARNING, "", 0, text, (), None)
            if self._write(self.format(lost)):
                self._lost = 0
        if not self._write(line):
            self._lost += 1

    def _has_room(self) -> bool:
        return self._room is not None and bool(self._room.poll(0))

    def _write(self, line: str) -> bool:
        """Whether all of the line could be written."""
        text = f"{line}\n".encode(errors="replace")
        if self._broken_off:
            text = b"\n" + text
        for start in range(0, len(text), select.PIPE_BUF):
            if not self._has_room():
                self._broken_off = self._broken_off or start > 0
                return False
            os.write(self.stream.fileno(), text[start : start + select.PIPE_BUF])
            self._broken_off = False
        return True


class _LineFormatter(logging.Formatter, ABC):
    """A line of an event, which may come as a record or without one."""

    def format(self, record: logging.LogRecord) -> str:
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        message, fields = record.getMessage(), _fields_of(record)
        return self.line(record.created, record.levelname, record.name, message, fields, traceback)

    @abstractmethod
    def line(
        self, created: float, level: str, name: str, message: str,
        fields: Mapping[str, object], traceback: str = "",
    ) -> str:  # fmt: skip
        """The line of one event; `created` in seconds since 1970."""


class JsonFormatter(_LineFormatter):
    """One JSON object a line."""

    def line(
        self, created: float, level: str, name: str, message: str,
        fields: Mapping[str, object], traceback: str = "",
    ) -> str:  # fmt: skip
        line = {
            "time": datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds"),
            "level": level.lower(),
            "logger": name,
            "message": message,
            **fields,
        }
        if traceback:
            line["traceback"] = traceback
        return _ENCODE(line)


class ConsoleFormatter(_LineFormatter):
    """Time, level, sentence, and the call's fields behind it."""

    _SHOWN = (
        "would_refuse", "campaign", "call", "door", "next", "regime", "lists", "ms",
    )  # fmt: skip

    def line(
        self, created: float, level: str, name: str, message: str,
        fields: Mapping[str, object], traceback: str = "",
    ) -> str:  # fmt: skip
        clock = datetime.fromtimestamp(created).astimezone()
        text = f"{clock:%Y-%m-%d %H:%M:%S%z} {level:<7} {message}"
        if fields:
            shown = (f"{key}={fields[key]}" for key in self._SHOWN if fields.get(key))
            # A line end in a peer's value must not begin a line of its own.
            text += "  " + _printable(" ".join(shown))
        if traceback:
            text += "\n" + traceback
        return _printable(text, but="\n")


def _fields_of(record: logging.LogRecord) -> Mapping[str, object]:
    fields = getattr(record, _FIELDS, None)
    return fields if isinstance(fields, Mapping) else {}


def _printable(text: str, *, but: str = "") -> str:
    """Escape what is not printable: a peer may send whatever a terminal obeys."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character == but
        else character.encode("unicode_escape").decode()
        for character in text
    )


def set_up_logging(*, style: str, level: str) -> None:
    """Log to standard error, in one of the two formats, from now on."""
    handler = _NeverWaiting(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else ConsoleFormatter())
    log.handlers[:] = [handler]
    log.setLevel(level.upper())
    log.propagate = False
    # A log that cannot be written (a full disk, a closed pipe) must not refuse a call.
    logging.raiseExceptions = False
    # What no format of ours shows need not be gathered a line: where in the code it was logged,
    # thread, process. A seventh of what a line costs; the switches are the logging HOWTO's.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
