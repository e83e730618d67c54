"""Which lines of a dialplan dial a trunk of ours, and whether anybody asked before.

Owns the reading of a dialplan's order: from the top of an extension down, into what it calls by
Gosub and Macro, and back to who calls it. Variables are not followed: a destination that holds one
in the place of its endpoint is `dynamic`, and what it will be is the guard's to see.

It errs towards telling: a jump over the question is not seen, and an extension that several reach
counts as asked only if all of them asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from dialwarden.doctor.dialplan_text import Context, Dialplan, Step
from dialwarden.numbers.patterns import compile_pattern
from dialwarden.routing.dial_string import read_destination, split_destinations
from dialwarden.routing.trunks import Trunks

# Stands for a variable or an expression: a private use character, which no dialplan holds.
_VALUE = "\ue002"
_SAMPLE = "33612345678"  # what a variable in the number's place may hold
_INNERMOST = re.compile(r"\$(?:\{[^${}]*\}|\[[^$\[\]]*\])")
_WITHIN = re.compile(r"\b(Dial|RetryDial|Page|Originate|Gosub|Macro|Goto|AGI)\(", re.IGNORECASE)
_AGI_CHECK = re.compile(r"agi://[^/,]*:(?P<port>\d+)/check\b", re.IGNORECASE)
_VERDICT = "DIALWARDEN_VERDICT"
_CONDITIONAL = {"gosubif": "gosub", "gotoif": "goto", "macroif": "macro"}
_WRAPPERS = frozenset({"execif", "exec", "tryexec"})
_DEEPEST = 12

_Place = tuple[str, str]  # context, extension


@dataclass(frozen=True, slots=True)
class Dialled:
    """A destination that a line of the dialplan dials.

    Attributes:
        trunk: whose it is; "" for `dynamic`.
        number: as it is written there; "" where it is in a variable, or cannot be read.
        dynamic: the endpoint is in a variable.
        text: the destination, with a mark for each variable.
    """

    context: str
    extension: str
    step: Step
    text: str
    trunk: str
    dynamic: bool
    number: str = ""

    @property
    def written(self) -> str:
        """The destination for a person; what stands in a variable is not told."""
        return self.text.replace(_VALUE, "${…}")

    @property
    def where(self) -> str:
        place = f" ({self.step.place})" if ":" in self.step.place else ""
        return f"{self.extension}@{self.context} priority {self.step.priority}{place}"


@dataclass(frozen=True, slots=True)
class _Call:
    """One application of a step, those within an ExecIf taken out."""

    application: str
    data: str


@dataclass(frozen=True, slots=True)
class _Target:
    context: str
    extension: str
    returns: bool  # what follows the step runs behind it


class Reader:
    """A dialplan, ready to be asked.

    Args:
        agi_port: of `[agi] listen`: an AGI line of the admin's own to it asks too.
        entries: contexts where calls come in from telephones: reached without anybody's asking.
    """

    def __init__(
        self, plan: Dialplan, trunks: Trunks, *, agi_port: int, entries: frozenset[str]
    ) -> None:
        self._plan = plan
        self._trunks = trunks
        self._agi_port = agi_port
        self._found: dict[_Place, list[_Place]] = {}
        self._entries = self._with_included(entries)
        self._callers = self._all_callers()

    def dialled(self) -> Iterator[Dialled]:
        """Every destination that is dialled, of trunks and of nobody knows whom."""
        for context, extension, steps in self._everything():
            for step in steps:
                for text in _destinations(step):
                    if (found := self._destination(text)) is not None:
                        trunk, dynamic, number = found
                        yield Dialled(context, extension, step, text, trunk, dynamic, number)

    def unasked(self) -> list[Dialled]:
        """Those of `dialled` before which nobody asked."""
        return [one for one in self.dialled() if not self._asked_on_the_way(one)]

    def unheeded(self) -> list[Dialled]:
        """Those that the very extension asked about, and dials whatever the verdict."""
        return [
            one
            for one in self.dialled()
            if (asked := self._own_question(one)) is not None
            and not any(
                _VERDICT in step.data
                for step in self._steps(one)
                if asked < step.priority <= one.step.priority
            )
        ]

    def switches(self) -> tuple[str, ...]:
        """Contexts whose lines lie elsewhere (realtime, Lua), which nobody reads here."""
        return tuple(context.name for context in self._plan.values() if context.switches)

    # One extension.

    def _everything(self) -> Iterator[tuple[str, str, list[Step]]]:
        for context in self._plan.values():
            for extension, steps in context.extensions.items():
                yield context.name, extension, steps

    def _steps(self, one: Dialled) -> list[Step]:
        return self._plan[one.context].extensions[one.extension]

    def _own_question(self, one: Dialled) -> int | None:
        asked = [
            step.priority
            for step in self._steps(one)
            if step.priority < one.step.priority and self._asks_itself(step, one.context)
        ]
        return asked[-1] if asked else None

    def _asked_on_the_way(self, one: Dialled) -> bool:
        place = (one.context, one.extension)
        return self._asked_before(place, one.step.priority) or self._reached_asked(place, ())

    def _asked_before(self, place: _Place, priority: int) -> bool:
        context, extension = place
        steps = self._plan[context].extensions[extension]
        return any(self._asks(s, context, extension) for s in steps if s.priority < priority)

    def _reached_asked(self, place: _Place, on_the_way: tuple[_Place, ...]) -> bool:
        """Whether everybody who comes to an extension asked before; nobody comes: no."""
        if place[0] in self._entries or len(on_the_way) > _DEEPEST:
            return False
        callers = [
            caller
            for caller in self._callers.get(place, ())
            if caller[0] != place and caller[0] not in on_the_way
        ]
        return bool(callers) and all(
            self._asked_before(caller, priority)
            or self._reached_asked(caller, (*on_the_way, place))
            for caller, priority in callers
        )

    # One step.

    def _asks_itself(self, step: Step, context: str) -> bool:
        for call in _calls(step):
            if call.application == "agi":
                found = _AGI_CHECK.search(call.data)
                if found and int(found["port"]) == self._agi_port:
                    return True
            if any(
                (target.context, target.extension) == ("dialwarden", "check")
                for target in _targets(call, context, "")
            ):
                return True
        return False

    def _asks(self, step: Step, context: str, extension: str, depth: int = 0) -> bool:
        """Whether a step asks, itself or in what it calls and comes back from."""
        if self._asks_itself(step, context):
            return True
        if depth > _DEEPEST:
            return False
        return any(
            self._subroutine_asks(target, depth)
            for call in _calls(step)
            for target in _targets(call, context, extension)
            if target.returns
        )

    def _subroutine_asks(self, target: _Target, depth: int) -> bool:
        found = self._extensions(target.context, target.extension)
        return bool(found) and all(
            any(self._asks(step, context, name, depth + 1) for step in steps)
            for context, name in found
            for steps in [self._plan[context].extensions[name]]
        )

    def _destination(self, text: str) -> tuple[str, bool, str] | None:
        """Trunk, whether it is in a variable, and number; None: it stays inside."""
        for technology, resource in split_destinations(text):
            if not technology:
                return ("", True, "") if _VALUE in resource else None
            if technology.lower() == "local":
                continue
            endpoint = read_destination(technology.lower(), resource, ()).endpoints[0]
            if _VALUE in technology or _VALUE in endpoint:
                return "", True, ""
            reach = self._trunks.reach(technology, resource.replace(_VALUE, _SAMPLE))
            if reach is not None and reach.trunk:
                return reach.trunk, False, "" if _VALUE in resource else reach.number
        return None

    # The whole.

    def _extensions(self, context: str, extension: str) -> list[_Place]:
        """What an extension of a context may be, includes and patterns heeded."""
        asked = (context, extension)
        if asked not in self._found:
            self._found[asked] = self._look_up(context, extension, 0)
        return self._found[asked]

    def _look_up(self, context: str, extension: str, depth: int) -> list[_Place]:
        here = self._plan.get(context)
        if here is None or depth > _DEEPEST:
            return []
        if _VALUE in extension:
            found = [(context, name) for name in here.extensions if name not in _SPECIAL]
        elif extension in here.extensions:
            return [(context, extension)]
        else:
            found = [(context, name) for name in here.extensions if _matches(name, extension)][:1]
        for included in here.includes:
            found += self._look_up(included, extension, depth + 1)
        return found

    def _all_callers(self) -> dict[_Place, list[tuple[_Place, int]]]:
        callers: dict[_Place, list[tuple[_Place, int]]] = {}
        for context, extension, steps in self._everything():
            for step in steps:
                for call in _calls(step):
                    for target in _targets(call, context, extension):
                        for place in self._extensions(target.context, target.extension):
                            came = ((context, extension), step.priority)
                            callers.setdefault(place, []).append(came)
        return callers

    def _with_included(self, contexts: frozenset[str]) -> frozenset[str]:
        found, waiting = set(contexts), list(contexts)
        while waiting:
            here = self._plan.get(waiting.pop())
            for name in (here or Context("")).includes:
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return frozenset(found)


_SPECIAL = frozenset({"h", "t", "i", "T", "e", "failed"})  # reached by themselves


@cache
def _matches(pattern: str, extension: str) -> bool:
    if not pattern.startswith("_"):
        return False
    try:
        return compile_pattern(pattern).matches(extension)
    except ValueError:
        return False


def _calls(step: Step) -> Iterator[_Call]:
    application = step.application.lower()
    data = _opened(step.data)
    if application not in _WRAPPERS:
        yield _Call(application, data)
        return
    for found in _WITHIN.finditer(data):
        yield _Call(found[1].lower(), _to_closing(data[found.end() :]))


def _targets(call: _Call, context: str, extension: str) -> Iterator[_Target]:
    """Where a call leads in the dialplan."""
    application = _CONDITIONAL.get(call.application, call.application)
    texts = [call.data]
    if application != call.application:
        _, _, branches = call.data.partition("?")
        texts = _split(branches, ":") if application != "macro" else [branches.partition(":")[0]]
    for text in texts:
        if application in ("gosub", "goto"):
            # Gosub's own arguments stand in parentheses behind the priority.
            parts = [part.strip() for part in _split(text, ",")]
            if text.strip():
                named = parts[-3] if len(parts) > 2 else context
                at = parts[-2] if len(parts) > 1 else extension
                yield _Target(named, at, returns=application == "gosub")
        elif application == "macro":
            yield _Target(f"macro-{_split(text, ',')[0].strip()}", "s", returns=True)
    for text in _dial_arguments(call):
        for technology, resource in split_destinations(text):
            if technology.lower() == "local":
                name, _, rest = resource.partition("@")
                yield _Target(rest.partition("/")[0] or "default", name, returns=False)


def _destinations(step: Step) -> Iterator[str]:
    for call in _calls(step):
        for text in _dial_arguments(call):
            yield from (one for one in text.split("&") if one.strip())


def _dial_arguments(call: _Call) -> Iterator[str]:
    if call.application in ("dial", "page", "originate"):
        yield _split(call.data, ",")[0]
    elif call.application == "retrydial":
        yield from _split(call.data, ",")[3:4]


def _opened(text: str) -> str:
    """Every variable and expression as one mark, from the inside out."""
    while True:
        closed = _INNERMOST.sub(_VALUE, text)
        if closed == text:
            return text
        text = closed


def _split(text: str, delimiter: str) -> list[str]:
    """Split outside parentheses; brackets of variables are gone by now."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == delimiter and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _to_closing(text: str) -> str:
    depth = 1
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if not depth:
            return text[:at]
    return text
