"""Which lines of a dialplan dial a trunk of ours, and whether anybody asked before.

Owns the reading of a dialplan's order: from the top of an extension down, into what it calls by
Gosub and Macro, and back to who calls it. Of variables only global ones are known: a destination
with another in the place of its endpoint is `dynamic`, and what it will be is the guard's to see.

It errs towards telling: a jump over the question is not seen, and an extension that several reach
counts as asked only if all of them asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from dialwarden.doctor.dialplan_text import Context, Dialplan, Step
from dialwarden.doctor.steps import VALUE, Target, calls, destinations, opened, readings, targets
from dialwarden.numbers.patterns import compile_pattern
from dialwarden.routing.dial_string import read_destination, split_destinations
from dialwarden.routing.trunks import Trunks

_SAMPLE = "33612345678"  # what a variable in the number's place may hold
_AGI_CHECK = re.compile(r"agi://[^/,]*:(?P<port>\d+)/check\b", re.IGNORECASE)
_VERDICT = "DIALWARDEN_VERDICT"
_DEEPEST = 12
_NOTHING: Mapping[str, str] = MappingProxyType({})
_TELLING = 7  # characters of a context's name beside a variable that tell it; "macro-" has six

_Place = tuple[str, str]  # context, extension
_Leads = tuple[str, bool, str]  # trunk, whether it is in a variable, number


@dataclass(frozen=True, slots=True)
class Dialled:
    """A destination that a line of the dialplan dials.

    Attributes:
        trunk: whose it is; "" for `dynamic`.
        texts: the destination as it may be, what global variables hold put in.
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
    texts: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """The destination for a person; what stands in a variable is not told."""
        return self.text.replace(VALUE, "${…}")

    @property
    def samples(self) -> tuple[str, ...]:
        """The destination with a telephone number for each variable; () where it is dynamic."""
        return tuple(text.replace(VALUE, _SAMPLE) for text in self.texts)

    @property
    def where(self) -> str:
        place = f" ({self.step.place})" if ":" in self.step.place else ""
        return f"{self.extension}@{self.context} priority {self.step.priority}{place}"


class Reader:
    """A dialplan, ready to be asked.

    Args:
        agi_port: of `[agi] listen`: an AGI line of the admin's own to it asks too.
        variables: global ones, by name.
        entries: contexts where calls come in from telephones: reached without anybody's asking.
    """

    def __init__(
        self,
        plan: Dialplan,
        trunks: Trunks,
        *,
        agi_port: int,
        entries: frozenset[str],
        variables: Mapping[str, str] = _NOTHING,
    ) -> None:
        self._plan = plan
        self._trunks = trunks
        self._agi_port = agi_port
        self._variables = variables
        self._found: dict[_Place, list[_Place]] = {}
        self._asking: dict[_Place, bool] = {}
        self._entries = self._with_included(entries)
        self._jumps = self._all_jumps()
        self._ways = self._all_ways()
        self._first_question = {place: self._first(place) for place in self._places()}
        self._reached_asked = self._all_reached_asked()

    def dialled(self) -> Iterator[Dialled]:
        """Every destination that is dialled, of trunks and of nobody knows whom."""
        for context, extension, steps in self._everything():
            for step in steps:
                for written in destinations(step):
                    found = self._found_out(opened(written), written)
                    if found:
                        trunk, dynamic, number = next(iter(found.values()))
                        texts = () if dynamic else tuple(found)
                        text = opened(written)
                        yield Dialled(context, extension, step, text, trunk, dynamic, number, texts)

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

    def _places(self) -> Iterator[_Place]:
        return ((context, extension) for context, extension, _ in self._everything())

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
        return self._asked_before(place, one.step.priority) or place in self._reached_asked

    def _asked_before(self, place: _Place, priority: int) -> bool:
        first = self._first_question[place]
        return first is not None and first < priority

    def _first(self, place: _Place) -> int | None:
        """The first priority of an extension that asks, itself or in what it calls."""
        context, extension = place
        steps = self._plan[context].extensions[extension]
        return next((s.priority for s in steps if self._asks(s, context, extension)), None)

    def _all_reached_asked(self) -> set[_Place]:
        """Extensions that somebody reaches who asked, and nobody who did not.

        A ring of jumps that nobody enters is reached by nobody at all.
        """
        jumps = [
            (place, way, span)
            for way, found in self._jumps.items()
            for place, span in found.items()
        ]
        asked = [(place, way) for place, way, (_, last) in jumps if self._asked_before(place, last)]
        # Where telephones come in, or nobody is seen to come, somebody may who asked nobody.
        open_to_all = {
            place
            for place in self._places()
            if place[0] in self._entries or place not in self._ways
        }
        unasked: dict[_Place, list[_Place]] = {}
        everything: dict[_Place, list[_Place]] = {}
        for place, way, (first, _) in jumps:
            everything.setdefault(place, []).append(way)
            if not self._asked_before(place, first):
                unasked.setdefault(place, []).append(way)
        begin = [(place, way) for place in open_to_all for way in unasked.get(place, ())]
        return self._spread(set(), asked, everything) - self._spread(open_to_all, begin, unasked)

    def _spread(
        self,
        reached: set[_Place],
        waiting: list[tuple[_Place, _Place]],
        leaving: Mapping[_Place, list[_Place]],
    ) -> set[_Place]:
        """Whoever is reached, from place to place.

        Args:
            reached: to begin with; more are added.
            waiting: extensions and the ways by which they go on.
            leaving: by which ways each goes on that is reached.
        """
        came: dict[_Place, set[_Place]] = {}
        while waiting:
            place, way = waiting.pop()
            there = came.setdefault(way, set())
            # A jump to oneself reaches nobody; of two who come by a way one is another.
            if place in there or len(there) > 1:
                continue
            there.add(place)
            for target in self._extensions(*way):
                if target not in reached and there != {target}:
                    reached.add(target)
                    waiting += [(target, further) for further in leaving.get(target, ())]
        return reached

    # One step.

    def _asks_itself(self, step: Step, context: str) -> bool:
        for call in calls(step):
            if call.application == "agi":
                found = _AGI_CHECK.search(call.data)
                if found and int(found["port"]) == self._agi_port:
                    return True
            if any(
                (target.context, target.extension) == ("dialwarden", "check")
                for target in targets(call, context, "")
            ):
                return True
        return False

    def _asks(self, step: Step, context: str, extension: str) -> bool:
        """Whether a step asks, itself or in what it calls and comes back from."""
        return self._asks_itself(step, context) or any(
            self._subroutine_asks(target)
            for call in calls(step)
            for target in targets(call, context, extension)
            if target.returns
        )

    def _subroutine_asks(self, target: Target) -> bool:
        found = self._extensions(target.context, target.extension)
        return bool(found) and all(map(self._extension_asks, found))

    def _extension_asks(self, place: _Place) -> bool:
        if place not in self._asking:
            self._asking[place] = False  # one that calls itself asks by its other lines
            context, extension = place
            steps = self._plan[context].extensions[extension]
            self._asking[place] = any(self._asks(step, context, extension) for step in steps)
        return self._asking[place]

    def _found_out(self, text: str, written: str) -> dict[str, _Leads]:
        """Where a destination leads; what is in a variable, by what global variables hold.

        By its text, several where several are known to be ours; nothing: it stays inside.
        """
        found = self._destination(text)
        if found is None:
            return {}
        if not found[1]:
            return {text: found}
        known = {one: self._destination(one) for one in readings(written, self._variables)}
        ours = {one: leads for one, leads in known.items() if leads is not None and not leads[1]}
        return ours or {text: found}

    def _destination(self, text: str) -> _Leads | None:
        """Trunk, whether it is in a variable, and number; None: it stays inside."""
        for technology, resource in split_destinations(text):
            if not technology:
                return ("", True, "") if VALUE in resource else None
            if technology.lower() == "local":
                continue
            endpoint = read_destination(technology.lower(), resource, ()).endpoints[0]
            if VALUE in technology or VALUE in endpoint:
                return "", True, ""
            reach = self._trunks.reach(technology, resource.replace(VALUE, _SAMPLE))
            if reach is not None and reach.trunk:
                return reach.trunk, False, "" if VALUE in resource else reach.number
        return None

    # The whole.

    def _extensions(self, context: str, extension: str) -> list[_Place]:
        """What an extension of a context may be, includes and patterns heeded."""
        asked = (context, extension)
        if asked not in self._found:
            self._found[asked] = [
                found
                for name in self._contexts(context)
                for found in self._look_up(name, extension, 0)
            ]
        return self._found[asked]

    def _contexts(self, name: str) -> list[str]:
        """What a context may be that has a variable in its name: macro-dundi-${DIAL_TRUNK}."""
        if VALUE not in name:
            return [name]
        parts = name.split(VALUE)
        if max(map(len, parts)) < _TELLING:
            return []
        may_be = re.compile(".+".join(map(re.escape, parts)))
        return [context for context in self._plan if may_be.fullmatch(context)]

    def _look_up(self, context: str, extension: str, depth: int) -> list[_Place]:
        here = self._plan.get(context)
        if here is None or depth > _DEEPEST:
            return []
        if VALUE in extension:
            found = [(context, name) for name in here.extensions if name not in _SPECIAL]
        elif extension in here.extensions:
            return [(context, extension)]
        else:
            found = [(context, name) for name in here.extensions if _matches(name, extension)][:1]
        for included in here.includes:
            found += self._look_up(included, extension, depth + 1)
        return found

    def _all_jumps(self) -> dict[_Place, dict[_Place, tuple[int, int]]]:
        """By where a jump leads, as it is written: who jumps, and their first and last priority."""
        jumps: dict[_Place, dict[_Place, tuple[int, int]]] = {}
        for context, extension, steps in self._everything():
            for step in steps:
                for call in calls(step):
                    for target in targets(call, context, extension):
                        callers = jumps.setdefault((target.context, target.extension), {})
                        first, _ = callers.get((context, extension), (step.priority, 0))
                        callers[context, extension] = first, step.priority
        return jumps

    def _all_ways(self) -> dict[_Place, list[_Place]]:
        """By extension: the jumps that may lead there, others' than its own."""
        ways: dict[_Place, list[_Place]] = {}
        for way, callers in self._jumps.items():
            for place in self._extensions(*way):
                if callers.keys() != {place}:
                    ways.setdefault(place, []).append(way)
        return ways

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
