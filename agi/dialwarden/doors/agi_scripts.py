"""The AGI scripts: what the dialplan asks, and the variables that it gets for an answer.

Owns the keys of the scripts that judge, `check` and `peek`, and the form of each variable: the
dialplan contract. The scripts that record are `agi_recording`'s, the wire is the server's, the
judgement the gate's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import TypeVar

from dialwarden import variables
from dialwarden.doors.agi_conversation import Trouble
from dialwarden.doors.agi_recording import RecordingScripts, Script, utf8
from dialwarden.doors.seldom import SeldomLog
from dialwarden.gate.gate import Gate
from dialwarden.gate.recording import Recorder
from dialwarden.gate.verdicts import Answer
from dialwarden.log import reason_of
from dialwarden.question import (
    Dialling,
    Door,
    Purpose,
    Question,
    QuestionError,
    Relationship,
)
from dialwarden.reasons import sentence
from dialwarden.verdict import Phrase, Reason
from dialwarden.wire.agi_request import AgiRequest

log = logging.getLogger("dialwarden.agi")

E = TypeVar("E", Purpose, Dialling)

_QUESTION_KEYS = frozenset(
    {
        "number", "campaign", "call", "callerid", "region", "relationship", "purpose", "dial",
        "person", "dialstatus", "rang",
    }
)  # fmt: skip
# Asterisk's own ids end at 149 (AST_MAX_UNIQUEID); what is longer is none of its.
_LONGEST_ID = 150
_ALLOWED = {
    Purpose: Phrase("sales, survey or service"),
    Dialling: Phrase("manual or automatic"),
}


class AgiScripts:
    """`check`, `peek` and the scripts that record, as the server's `answer`."""

    def __init__(self, gate: Gate, recorder: Recorder, *, deadline: timedelta) -> None:
        self._gate = gate
        self._deadline = deadline
        self._seldom = SeldomLog(log)
        self._recording = RecordingScripts(gate, recorder, self._warn_unknown)
        self._scripts: Mapping[str, Script] = {
            "peek": self._peek,
            **self._recording.scripts,
        }

    def answer(self, request: AgiRequest, peer: str) -> Awaitable[Mapping[str, str]]:
        """The variables that answer a request; the server's entry."""
        script = request.script.strip("/")
        if script == "check":
            return self._check(request, peer)
        known = self._scripts.get(script)
        return known(request, peer) if known is not None else self._no_script(request, peer)

    async def _no_script(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        self._seldom.warning(
            "script", "%s asked for the script %s, which does not exist", peer,
            ascii(request.script[:40]),
        )  # fmt: skip
        known = ", ".join(("check", *self._scripts))
        reason = Reason(
            "unavailable_script", {"script": ascii(request.script[:40]), "known": known}
        )
        return self._no_verdict(request, reason)

    def unavailable(self, request: AgiRequest, why: Trouble) -> Mapping[str, str]:
        """The variables for a request that the gate did not answer in time or at all."""
        waited_s = self._deadline.total_seconds() if why is Trouble.LATE else None
        return self._no_verdict(request, self._reason(why), waited_s)

    def undelivered(self, request: AgiRequest, why: Trouble) -> None:
        """The server's word that an answer is not on the channel: its attempt was wasted."""
        answer, request.answer = request.answer, None
        # A peer that says it did not take an ALLOW has had it all the same: that one counts.
        if isinstance(answer, Answer) and why is not Trouble.REJECTED:
            self._gate.undelivered(answer, f"the answer did not reach the channel: {why.value}")

    def _reason(self, why: Trouble) -> Reason:
        match why:
            case Trouble.LATE:
                seconds = f"{self._deadline.total_seconds():g}"
                return Reason("unavailable_deadline", {"seconds": seconds})
            case Trouble.STOPPING:
                return Reason("unavailable_stopping")
            case _:
                return Reason("unavailable_error", {"why": why.value})

    def _no_verdict(
        self, request: AgiRequest, reason: Reason, waited_s: float | None = None
    ) -> Mapping[str, str]:
        script = request.script.strip("/")
        if script in self._recording.scripts:
            return self._recording.unanswered(request, reason)
        answer = self._gate.unanswered(
            _bare_question(request), reason, recorded=script != "peek", waited_s=waited_s
        )
        language = self._gate.rulebook.language
        return {**verdict_variables(answer, language), variables.RESULT: "FAILED"}

    def _check(self, request: AgiRequest, peer: str) -> asyncio.Future[Mapping[str, str]]:
        """A future, not a coroutine: a task for each call is a tenth of what it costs."""

        def form(answer: Answer) -> Mapping[str, str]:
            request.answer = answer  # it may come back as undelivered
            return verdict_variables(answer, self._gate.rulebook.language)

        return self._gate.answer(self._question(request, peer), form)

    async def _peek(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        answer = await self._gate.peek(self._question(request, peer))
        return verdict_variables(answer, self._gate.rulebook.language)

    def _question(self, request: AgiRequest, peer: str) -> Question:
        """The question that a request asks; a word of it that cannot be read is told in it."""
        self._warn_unknown(request, _QUESTION_KEYS)
        given = request.arguments
        relationship, purpose, dialling, misread = None, None, None, None
        try:
            relationship = Relationship.parse(given.get("relationship", ""))
            purpose = _member(Purpose, "purpose", given.get("purpose", ""))
            dialling = _member(Dialling, "dial", given.get("dial", ""))
            if len(given.get("call", "")) > _LONGEST_ID:
                allowed = Phrase("at most {count} characters", {"count": _LONGEST_ID})
                raise QuestionError("call", given["call"], allowed)
        except QuestionError as error:
            misread = error
        return Question(
            dialled=given.get("number", ""),
            campaign=given.get("campaign", ""),
            # Without the linkedid, the channel's own id still joins what this channel asks.
            call=utf8(given.get("call", "") or request.uniqueid),
            # The shipped dialplan always has the key: empty says nothing about what is presented.
            caller_id=utf8(given.get("callerid", "")) or None,
            region=given.get("region", ""),
            relationship=relationship,
            purpose=purpose,
            dialling=dialling,
            person=utf8(given.get("person", "")),
            dial_status=given.get("dialstatus", ""),
            rang=bool(given.get("rang", "")),
            door=Door.AGI,
            asked_by=utf8(request.channel) or peer,
            faults=_faults(request),
            misread=misread,
        )

    def _warn_unknown(self, request: AgiRequest, known: frozenset[str]) -> None:
        if not known.issuperset(request.arguments):
            unknown = request.arguments.keys() - known
            self._seldom.warning(
                "keys", "%s: unknown keys ignored: %s", ascii(self._gate.veiled(request.channel)),
                ascii(", ".join(sorted(unknown))[:200]),
            )  # fmt: skip


def _member(kind: type[E], key: str, text: str) -> E | None:
    if not text:
        return None
    try:
        return kind(text.lower())
    except ValueError:
        raise QuestionError(key, text, _ALLOWED[kind]) from None


def _faults(request: AgiRequest) -> tuple[str, ...]:
    return tuple(Phrase(*fault.words) for fault in request.faults) if request.faults else ()


def _bare_question(request: AgiRequest) -> Question:
    """Of a question that could not be read whole, what an exemption and a record need."""
    return Question(
        dialled=request.arguments.get("number", ""),
        campaign=request.arguments.get("campaign", ""),
        call=utf8(request.arguments.get("call", "") or request.uniqueid),
        door=Door.AGI,
        asked_by=utf8(request.channel),
        faults=_faults(request),
    )


def _told(answer: Answer, language: str) -> str:
    """Why a call is refused; of one that goes out although rules refuse it, why it does."""
    why = reason_of(answer, language)
    if not why or not answer.allowed:
        return why
    if answer.let_go:
        return sentence(Reason("let_go_shadow", {"why": why}), language)
    overrides = dict.fromkeys(str(one.override) for one in answer.verdict.waived)
    reason = Reason("let_go_override", {"overrides": tuple(overrides), "why": why})
    return sentence(reason, language)


def verdict_variables(answer: Answer, language: str) -> dict[str, str]:
    """Every variable of a verdict, all of them at each answer: none survives from a former one.

    In the order of `VERDICT_VARIABLES`, which matters.
    """
    verdict = answer.verdict
    refused = not answer.allowed
    attempt = "" if refused or answer.attempt is None else str(answer.attempt)
    values = {
        variables.RULE: verdict.rules[0].value if refused else "",
        variables.RULES: "&".join(verdict.rules) if refused else "",
        variables.NEXT: verdict.next.isoformat() if refused and verdict.next else "",
        variables.NUMBER: verdict.number,
        variables.ATTEMPT: attempt,
        variables.VERDICT: "REFUSE" if refused else "ALLOW",
        variables.REASON: _told(answer, language),
    }
    return {name: values[name] for name in variables.VERDICT_VARIABLES}
