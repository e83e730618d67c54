"""User events of the dialplan that record: an objection, a call that no agent took.

Owns their names, their headers, and the promise that what cannot be recorded is in the log for a
person. Nobody waits for the answer to a user event, and one that is sent while our link is down
never comes: where it matters that it is on disk, the dialplan asks by AGI.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from dialwarden.doors.agi_recording import utf8
from dialwarden.gate.callee import RecordingError
from dialwarden.gate.recording import Recorder
from dialwarden.question import Door
from dialwarden.reasons import sentence

log = logging.getLogger("dialwarden.ami")

# As far as they are remembered, so that each unknown one is told once.
_NAMES_REMEMBERED = 100
_PREFIX = "dialwarden"
_WHO = ("number", "campaign", "call", "attempt")
# By event, in lower case: what it records, as a sentence of the log names it; the command that
# does the same; its headers.
_RECORDED: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "dialwardenobjection": ("an objection", "objection add", (*_WHO, "scope")),
    "dialwardensilent": ("a silent call", "silent add", _WHO),
}


class UserEvents:
    """`DialwardenObjection` and `DialwardenSilent`."""

    def __init__(self, recorder: Recorder) -> None:
        # Each takes the headers of its event as keywords.
        self._recorders: Mapping[str, Callable[..., Coroutine[Any, Any, None]]] = {
            "dialwardenobjection": partial(recorder.objection, door=Door.AMI),
            "dialwardensilent": recorder.silent,
        }
        self._unknown: set[str] = set()

    def take(self, event: Mapping[str, str]) -> Coroutine[Any, Any, None] | None:
        """The work of recording what an event of Asterisk's tells; None when that is nothing.

        Args:
            event: header names in lower case, the first of equal ones.

        Returns:
            A coroutine, to be brought to its end whoever waits; it raises nothing.
        """
        name = event.get("userevent", "")
        if event.get("event", "").lower() != "userevent" or not name.lower().startswith(_PREFIX):
            return None
        if name.lower() not in _RECORDED:
            self._tell_unknown(name)
            return None
        _, _, headers = _RECORDED[name.lower()]
        given = {header: event[header] for header in headers if event.get(header)}
        # An event of a channel's brings the call it is in; one that AMI was told to send does not.
        if "call" not in given and event.get("linkedid"):
            given["call"] = event["linkedid"]
        return self._record(name.lower(), given, event.get("channel") or "user event")

    async def _record(self, name: str, given: Mapping[str, str], by: str) -> None:
        what, command, headers = _RECORDED[name]
        try:
            words = {header: utf8(given.get(header, "")) for header in headers}
            await self._recorders[name](by=utf8(by), **words)
        except RecordingError as error:
            log.error(
                "%s was NOT recorded (%s); record it by hand, dialwarden %s: %s",
                what, sentence(error.reason, "en"), command, ascii({**given, "by": by}),
            )  # fmt: skip
        except Exception:
            log.exception(
                "%s was NOT recorded; record it by hand, dialwarden %s: %s",
                what, command, ascii({**given, "by": by}),
            )  # fmt: skip

    def _tell_unknown(self, name: str) -> None:
        if name in self._unknown or len(self._unknown) >= _NAMES_REMEMBERED:
            return
        self._unknown.add(name)
        log.warning(
            "user event %a is unknown and ignored; known are DialwardenObjection and "
            "DialwardenSilent", name,
        )  # fmt: skip
