"""The AGI scripts that record: what the callee said, and a call that no agent took.

Owns their keys and their two variables, and the promise that what an agent or a dialplan reports
is on disk before it is told `OK`, and in the log for a person when it cannot be. How far the words
reach is the recorder's to say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from dialwarden import variables
from dialwarden.gate.callee import RecordingError
from dialwarden.gate.gate import Gate
from dialwarden.gate.recording import Recorder
from dialwarden.question import Door
from dialwarden.reasons import sentence
from dialwarden.verdict import Phrase, Reason
from dialwarden.wire.agi_request import AgiRequest

log = logging.getLogger("dialwarden.agi")

Script = Callable[[AgiRequest, str], Awaitable[Mapping[str, str]]]

_WHO = frozenset({"number", "call", "attempt", "campaign"})
# By script: what it records, as a sentence of the log names it, and its keys.
_RECORDED: Mapping[str, tuple[str, frozenset[str]]] = {
    "objection": ("an objection", _WHO | {"scope"}),
    "consent": ("a consent", _WHO | {"until", "scope", "proof"}),
    "appointment": ("an appointment", _WHO | {"at"}),
    "silent": ("a silent call", _WHO),
}


class RecordingScripts:
    """`objection`, `consent`, `appointment` and `silent`.

    Args:
        warn_unknown: told of each request and the keys that its script knows.
    """

    def __init__(
        self,
        gate: Gate,
        recorder: Recorder,
        warn_unknown: Callable[[AgiRequest, frozenset[str]], None],
    ) -> None:
        self._gate = gate
        self._warn_unknown = warn_unknown
        # Each takes the keys of its script as keywords.
        self._recorders: Mapping[str, Callable[..., Awaitable[None]]] = {
            "objection": partial(recorder.objection, door=Door.AGI),
            "consent": recorder.consent,
            "appointment": recorder.appointment,
            "silent": recorder.silent,
        }
        self.scripts: Mapping[str, Script] = dict.fromkeys(_RECORDED, self._run)

    def unanswered(self, request: AgiRequest, reason: Reason) -> Mapping[str, str]:
        """The variables for a request that was not brought to an end in time or at all."""
        what, _ = _RECORDED[_script(request)]
        log.error(
            "%s is not known to be recorded (%s); unless another line says so, "
            "record it by hand: %s",
            what, sentence(reason, "en"), ascii(dict(request.arguments)),
        )  # fmt: skip
        return self._failed(reason)

    async def _run(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        # Not cancelled with the connection: what was heard is recorded whoever still listens.
        return await asyncio.shield(self._gate.keep(self._recorded(request, peer)))

    async def _recorded(self, request: AgiRequest, peer: str) -> Mapping[str, str]:
        script, given = _script(request), request.arguments
        what, keys = _RECORDED[script]
        self._warn_unknown(request, keys)
        try:
            if request.faults:
                fault = Phrase(*request.faults[0].words)
                raise RecordingError(Reason("number_faults", {"detail": fault}))
            words = {key: utf8(given.get(key, "")) for key in keys}
            await self._recorders[script](by=utf8(request.channel) or peer, **words)
        except RecordingError as error:
            # It must not be lost: whoever reads the log can record it by hand.
            log.error(
                "%s was NOT recorded (%s); record it by hand: %s",
                what, sentence(error.reason, "en"), ascii(dict(given)),
            )  # fmt: skip
            return self._failed(error.reason)
        except Exception:
            # Whoever asked may be gone: nobody else would tell of it.
            log.exception("%s was NOT recorded; record it by hand: %s", what, ascii(dict(given)))
            return self._failed(Reason("unavailable_error", {"why": "failed"}))
        return {variables.RESULT: "OK", variables.REASON: ""}

    def _failed(self, reason: Reason) -> Mapping[str, str]:
        why = sentence(reason, self._gate.rulebook.language)
        return {variables.RESULT: "FAILED", variables.REASON: why}


def _script(request: AgiRequest) -> str:
    return request.script.strip("/")


def utf8(text: str) -> str:
    """A peer's text as the ledger takes it; what is no UTF-8 is written out, so two stay two."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
