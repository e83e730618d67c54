"""Which lines of a dialplan dial a trunk of ours, and whether anybody asked before.

Owns the reading of a dialplan's order: from the top of an extension down, into what it calls by
Gosub and Macro, and back to who calls it. Of variables only global ones are known: a destination
with another in the place of its endpoint is `dynamic`, and what it will be is the guard's to see.

It errs towards telling: a jump past the question is taken, whatever its condition, and an extension
that several reach counts as asked only if all of them asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

from dialwarden.doctor.dialled import SAMPLE, Dialled
from dialwarden.doctor.dialplan_text import Context, Dialplan, Step
from dialwarden.doctor.order import Place, Way, lines_run, reached_by
from dialwarden.doctor.steps import VALUE, Target, calls, destinations, opened, readings, targets
from dialwarden.numbers.patterns import compile_pattern
from dialwarden.routing.dial_string import read_destination, split_destinations
from dialwarden.routing.trunks import Trunks

_AGI_CHECK = re.compile(r"agi://[^/,]*:(?P<port>\d+)/check\b", re.IGNORECASE)
_VERDICT = "${DIALWARDEN_VERDICT"
_TALKING = frozenset({"noop", "verbose", "log"})  # these only tell what it is
_OURS = "dialwarden"
_EMERGENCY = "DIALPLAN_EXISTS(dialwarden-emergency,"
_DEEPEST = 12
_NOTHING: Mapping[str, str] = MappingProxyType({})
_TELLING = 7  # characters of a context's name beside a variable that tell it; "macro-" has six

_Leads = tuple[str, bool, str]  # trunk, whether it is in a variable, number


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
        self._found: dict[Place, list[Place]] = {}
        self._for_callers = {
            context: names
            for context, here in plan.items()
            if (names := [name for name in here.extensions if "/" in name])
        }
        self._asking: dict[Place, bool] = {}
        self._looking: dict[Place, bool] = {}
        self._entries = self._with_included(entries)
        # Past the question when the number is one of those that pass: as our own files do it.
        self._for_emergencies = {
            ((context, extension), step.priority)
            for context, extension, steps in self._everything()
            for step in steps
            if _EMERGENCY in step.data and step.application.lower() == "gotoif"
        }
        self._jumps = self._all_jumps()
        self._ways = self._all_ways()
        self._first_question = {place: self._first(place) for place in self._places()}
        self._unasked = self._without(self._ends_unasked)
        self._unlooked = self._without(self._looks)
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
        """Those that were asked about, here or on the way, and are dialled whatever the verdict."""
        return [one for one in self.dialled() if self._ignores_verdict(one)]

    def relied_on(self) -> bool:
        """Whether a line is only right because of who comes to it."""
        return any(
            not self._asked_before((one.context, one.extension), one.step.priority)
            for one in self.dialled()
            if self._asked_on_the_way(one)
        )

    def switches(self) -> tuple[str, ...]:
        """Contexts whose lines lie elsewhere (realtime, Lua), which nobody reads here."""
        return tuple(context.name for context in self._plan.values() if context.switches)

    # One extension.

    def _everything(self) -> Iterator[tuple[str, str, list[Step]]]:
        for context in self._plan.values():
            for extension, steps in context.extensions.items():
                yield context.name, extension, steps

    def _places(self) -> Iterator[Place]:
        return ((context, extension) for context, extension, _ in self._everything())

    def _steps(self, one: Dialled) -> list[Step]:
        return self._plan[one.context].extensions[one.extension]

    def _ignores_verdict(self, one: Dialled) -> bool:
        place = (one.context, one.extension)
        behind = [step for step in self._steps(one) if step.priority < one.step.priority]
        asked = [step for step in behind if self._asks(step, *place)]
        if not asked:
            on_the_way = one.step.priority in self._unlooked.get(place, ())
            return on_the_way and self._asked_on_the_way(one)
        return not any(
            self._looks(place, step)
            for step in self._steps(one)
            if asked[-1].priority <= step.priority <= one.step.priority
        )

    def _looks(self, place: Place, step: Step) -> bool:
        """Whether a line looks at the verdict, itself or in what it calls, which may hang up."""
        return _looks(step) or any(
            self._extension_looks(called)
            for call in calls(step)
            for target in targets(call, *place)
            if target.returns and target.context != _OURS
            for called in self._extensions(target.context, target.extension)
        )

    def _extension_looks(self, place: Place) -> bool:
        if place not in self._looking:
            self._looking[place] = False  # one that calls itself looks by its other lines
            steps = self._plan[place[0]].extensions[place[1]]
            self._looking[place] = any(self._looks(place, step) for step in steps)
        return self._looking[place]

    def _asked_on_the_way(self, one: Dialled) -> bool:
        place = (one.context, one.extension)
        if one.step.priority in self._unasked.get(place, ()):
            return False
        return self._asked_before(place, one.step.priority) or place in self._reached_asked

    def _ends_unasked(self, place: Place, step: Step) -> bool:
        """Whether a line asks, or looks behind the question: who jumped past that is sent away."""
        if self._asks(step, *place):
            return True
        return _looks(step) and self._asked_before(place, step.priority)

    def _asked_before(self, place: Place, priority: int) -> bool:
        first = self._first_question[place]
        return first is not None and first < priority

    def _first(self, place: Place) -> int | None:
        """The first priority of an extension that asks, itself or in what it calls."""
        context, extension = place
        steps = self._plan[context].extensions[extension]
        return next((s.priority for s in steps if self._asks(s, context, extension)), None)

    def _open_to_all(self) -> set[Place]:
        """Where telephones come in, or nobody is seen to come: somebody may who asked nobody.

        One for some callers only is theirs, too: who jumps to its number may be another.
        """
        return {
            place
            for place in self._places()
            if place[0] in self._entries or place not in self._ways or "/" in place[1]
        }

    def _without(self, stops: Callable[[Place, Step], bool]) -> dict[Place, set[int]]:
        """The priorities that somebody may reach whom no line stopped, by extension."""
        leaving: dict[Place, list[tuple[int, Way]]] = {}
        for way, callers in self._jumps.items():
            for place, priorities in callers.items():
                leaving.setdefault(place, []).extend(
                    (one, way) for one in priorities if (place, one) not in self._for_emergencies
                )
        return lines_run(
            self._open_to_all(),
            leaving,
            steps_of=lambda place: self._plan[place[0]].extensions[place[1]],
            lead=lambda way: self._extensions(*way[:2]),
            stops=stops,
        )

    def _all_reached_asked(self) -> set[Place]:
        """Extensions that somebody reaches who asked, and nobody who did not.

        A ring of jumps that nobody enters is reached by nobody at all.
        """
        everything: dict[Place, list[Way]] = {}
        waiting: list[tuple[Place, Way]] = []
        for way, callers in self._jumps.items():
            for place, priorities in callers.items():
                everything.setdefault(place, []).append(way)
                if self._asked_before(place, max(priorities)):
                    waiting.append((place, way))
        reached = reached_by(waiting, everything, lambda way: self._extensions(*way[:2]))
        return {
            (context, extension)
            for context, extension in reached
            if self._plan[context].extensions[extension][0].priority
            not in self._unasked.get((context, extension), ())
        }

    # One step.

    def _asks_itself(self, step: Step, context: str) -> bool:
        for call in calls(step):
            if call.application == "agi":
                found = _AGI_CHECK.search(call.data)
                if found and int(found["port"]) == self._agi_port:
                    return True
            if any(
                (target.context, target.extension) == (_OURS, "check")
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

    def _extension_asks(self, place: Place) -> bool:
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
            reach = self._trunks.reach(technology, resource.replace(VALUE, SAMPLE))
            if reach is not None and reach.trunk:
                return reach.trunk, False, "" if VALUE in resource else reach.number
        return None

    # The whole.

    def _extensions(self, context: str, extension: str) -> list[Place]:
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

    def _look_up(self, context: str, extension: str, depth: int) -> list[Place]:
        here = self._plan.get(context)
        if here is None or depth > _DEEPEST:
            return []
        if VALUE in extension:
            found = [(context, name) for name in here.extensions if name not in _SPECIAL]
        else:
            found = [
                (context, name)
                for name in self._for_callers.get(context, ())
                if (head := name.partition("/")[0]) == extension or _matches(head, extension)
            ]
            if extension in here.extensions:
                return [(context, extension), *found]
            found += [(context, name) for name in here.extensions if _matches(name, extension)][:1]
        for included in here.includes:
            found += self._look_up(included, extension, depth + 1)
        return found

    def _all_jumps(self) -> dict[Way, dict[Place, list[int]]]:
        """By where a jump leads, as it is written: who jumps, and from which priorities."""
        jumps: dict[Way, dict[Place, list[int]]] = {}
        for context, extension, steps in self._everything():
            for step in steps:
                for call in calls(step):
                    for target in targets(call, context, extension):
                        way = (target.context, target.extension, target.priority)
                        callers = jumps.setdefault(way, {})
                        callers.setdefault((context, extension), []).append(step.priority)
        return jumps

    def _all_ways(self) -> dict[Place, list[Way]]:
        """By extension: the jumps that may lead there, others' than its own."""
        ways: dict[Place, list[Way]] = {}
        for way, callers in self._jumps.items():
            for place in self._extensions(*way[:2]):
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


def _looks(step: Step) -> bool:
    return _VERDICT in step.data and step.application.lower() not in _TALKING


_SPECIAL = frozenset({"h", "t", "i", "T", "e", "failed"})  # reached by themselves


@cache
def _matches(pattern: str, extension: str) -> bool:
    if not pattern.startswith("_"):
        return False
    try:
        return compile_pattern(pattern).matches(extension)
    except ValueError:
        return False
