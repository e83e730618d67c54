"""The AGI scripts: what the dialplan asks, and the variables that it gets for an answer.

Owns the keys of each script and the form of each variable: the dialplan contract. The wire is the
server's, the judgement the gate's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeVar
from weakref import WeakKeyDictionary

from dialwarden import variables
from dialwarden.doors.agi_conversation import Trouble
from dialwarden.doors.seldom import SeldomLog
from dialwarden.gate.decision import Answer
from dialwarden.gate.gate import Gate
from dialwarden.gate.recording import Recorder, RecordingError
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
from dialwarden.verdict import Reason
from dialwarden.wire.agi_request import AgiRequest

log = logging.getLogger("dialwarden.agi")

Script = Callable[[AgiRequest, str], Awaitable[Mapping[str, str]]]

E = TypeVar("E", Purpose, Dialling)

_QUESTION_KEYS = frozenset(
    {
        "number", "campaign", "call", "callerid", "region", "relationship", "purpose", "dial",
        "person", "dialstatus", "rang",
    }
)  # fmt: skip
_OBJECTION_KEYS = frozenset({"number", "call", "attempt", "campaign", "scope"})
# Asterisk's own ids end at 149 (AST_MAX_UNIQUEID); what is longer is none of its.
_LONGEST_ID = 150
_ALLOWED = {Purpose: "sales, survey or service", Dialling: "manual or automatic"}


class AgiScripts:
    """`check`, `peek` and `objection`, as the server's `answer`."""

    def __init__(self, gate: Gate, recorder: Recorder, *, deadline: timedelta) -> None:
        self._gate = gate
        self._recorder = recorder
        self._deadline = deadline
        self._seldom = SeldomLog(log)
        # What was answered, for as long as the server holds the request: it may come back as
        # undelivered.
        self._answers: WeakKeyDictionary[AgiRequest, Answer] = WeakKeyDictionary()
        self._scripts: Mapping[str, Script] = {
            "check": self._check,
            "peek": self._peek,
            "objection": self._objection,
        }

    async def answer(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        """The variables that answer a request; the server's entry."""
        script = self._scripts.get(request.script.strip("/"))
        if script is not None:
            return await script(request, peer)
        self._seldom.warning(
            "script", "%s asked for the script %s, which does not exist", peer,
            ascii(request.script[:40]),
        )  # fmt: skip
        known = ", ".join(self._scripts)
        reason = Reason(
            "unavailable_script", {"script": ascii(request.script[:40]), "known": known}
        )
        return self._no_verdict(request, reason)

    def unavailable(self, request: AgiRequest, why: Trouble) -> Mapping[str, str]:
        """The variables for a request that the gate did not answer in time or at all."""
        return self._no_verdict(request, self._reason(why))

    def undelivered(self, request: AgiRequest, why: Trouble) -> None:
        """The server's word that an answer is not on the channel: its attempt was wasted."""
        answer = self._answers.pop(request, None)
        # A peer that says it did not take an ALLOW has had it all the same: that one counts.
        if answer is not None and why is not Trouble.REJECTED:
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

    def _no_verdict(self, request: AgiRequest, reason: Reason) -> Mapping[str, str]:
        language = self._gate.rulebook.language
        if request.script.strip("/") == "objection":
            log.error(
                "an objection is not known to be recorded (%s); unless another line says so, "
                "record it by hand: %s",
                sentence(reason, "en"), ascii(dict(request.arguments)),
            )  # fmt: skip
            return failed(sentence(reason, language))
        recorded = request.script.strip("/") != "peek"
        answer = self._gate.unanswered(_bare_question(request), reason, recorded=recorded)
        return {**verdict_variables(answer, language), variables.RESULT: "FAILED"}

    async def _check(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        answer = await self._gate.ask(self._question(request, peer))
        self._answers[request] = answer
        return verdict_variables(answer, self._gate.rulebook.language)

    async def _peek(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        answer = await self._gate.peek(self._question(request, peer))
        return verdict_variables(answer, self._gate.rulebook.language)

    async def _objection(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        # Not cancelled with the connection: a no that was heard is recorded whoever still listens.
        return await asyncio.shield(self._gate.keep(self._record_objection(request, peer)))

    async def _record_objection(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        self._warn_unknown(request, _OBJECTION_KEYS)
        given = request.arguments
        try:
            if request.faults:
                raise RecordingError(Reason("number_faults", {"detail": str(request.faults[0])}))
            await self._recorder.objection(
                number=given.get("number", ""),
                call=_utf8(given.get("call", "")),
                attempt=given.get("attempt", ""),
                campaign=given.get("campaign", ""),
                scope=given.get("scope", ""),
                door=Door.AGI,
                by=_utf8(request.channel) or peer,
            )
        except RecordingError as error:
            # A no must not be lost: whoever reads the log can record it by hand.
            log.error(
                "an objection was NOT recorded (%s); record it by hand: %s",
                sentence(error.reason, "en"), ascii(dict(given)),
            )  # fmt: skip
            return failed(sentence(error.reason, self._gate.rulebook.language))
        except Exception:
            # Whoever asked may be gone: nobody else would tell of it.
            log.exception(
                "an objection was NOT recorded; record it by hand: %s", ascii(dict(given))
            )
            reason = Reason("unavailable_error", {"why": "failed"})
            return failed(sentence(reason, self._gate.rulebook.language))
        return {variables.RESULT: "OK", variables.REASON: ""}

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
                raise QuestionError("call", given["call"], f"at most {_LONGEST_ID} characters")
        except QuestionError as error:
            misread = error
        return Question(
            dialled=given.get("number", ""),
            campaign=given.get("campaign", ""),
            # Without the linkedid, the channel's own id still joins what this channel asks.
            call=_utf8(given.get("call", "") or request.uniqueid),
            # The shipped dialplan always has the key: empty says nothing about what is presented.
            caller_id=_utf8(given.get("callerid", "")) or None,
            region=given.get("region", ""),
            relationship=relationship,
            purpose=purpose,
            dialling=dialling,
            person=_utf8(given.get("person", "")),
            dial_status=given.get("dialstatus", ""),
            rang=bool(given.get("rang", "")),
            door=Door.AGI,
            asked_by=_utf8(request.channel) or peer,
            faults=tuple(map(str, request.faults)),
            misread=misread,
        )

    def _warn_unknown(self, request: AgiRequest, known: frozenset[str]) -> None:
        unknown = request.arguments.keys() - known
        if unknown:
            self._seldom.warning(
                "keys", "%s: unknown keys ignored: %s", ascii(self._gate.veiled(request.channel)),
                ascii(", ".join(sorted(unknown))[:200]),
            )  # fmt: skip


def _utf8(text: str) -> str:
    """A peer's text as the ledger takes it; what is no UTF-8 is written out, so two stay two."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _member(kind: type[E], key: str, text: str) -> E | None:
    if not text:
        return None
    try:
        return kind(text.lower())
    except ValueError:
        raise QuestionError(key, text, _ALLOWED[kind]) from None


def _bare_question(request: AgiRequest) -> Question:
    """Of a question that could not be read whole, what an exemption and a record need."""
    return Question(
        dialled=request.arguments.get("number", ""),
        campaign=request.arguments.get("campaign", ""),
        call=_utf8(request.arguments.get("call", "") or request.uniqueid),
        door=Door.AGI,
        asked_by=_utf8(request.channel),
        faults=tuple(map(str, request.faults)),
    )


def failed(why: str) -> dict[str, str]:
    return {variables.RESULT: "FAILED", variables.REASON: why}


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
        variables.REASON: reason_of(answer, language) if refused else "",
    }
    return {name: values[name] for name in variables.VERDICT_VARIABLES}
