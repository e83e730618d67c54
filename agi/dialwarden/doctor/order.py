"""Which lines of a dialplan run without having passed a question: its order, line by line.

Owns what follows upon what: the next line, unless this one ends there, and where a jump lands,
labels heeded. Refuses to know what a question is, and where a jump may lead: that is handed in.

It errs towards telling: every condition may turn out either way, and of an extension that is
entered at its top all lines up to the question are taken to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from dialwarden.doctor.dialplan_text import Step

Place: TypeAlias = tuple[str, str]  # context, extension
Way: TypeAlias = tuple[str, str, str]  # context, extension, priority or label, as they are written

# What stands behind one of these is not run, unless somebody jumps there.
_ENDING = frozenset({"goto", "hangup", "return", "macroexit", "congestion", "busy"})


def landing(steps: Sequence[Step], told: str) -> int:
    """The priority that a jump to `told`, a number or a label, lands on.

    Where nobody knows it is the first: Asterisk shows no label of a first priority.
    """
    if told.isdecimal():
        return int(told)
    return next((step.priority for step in steps if step.label and step.label == told), 1)


def run_from(steps: Sequence[Step], start: int, stops: Callable[[Step], bool]) -> Iterator[int]:
    """The priorities that run from one on, up to the line that stops it, which is none of them."""
    for step in steps:
        if step.priority < start:
            continue
        if stops(step):
            return
        yield step.priority
        if start > 1 and step.application.lower() in _ENDING:
            return


def lines_run(
    begin: Iterable[Place],
    jumps: Mapping[Place, Sequence[tuple[int, Way]]],
    *,
    steps_of: Callable[[Place], Sequence[Step]],
    lead: Callable[[Way], Iterable[Place]],
    stops: Callable[[Place, Step], bool],
) -> dict[Place, set[int]]:
    """The priorities that run before anything stops them, by extension.

    Args:
        begin: extensions that are entered at their top.
        jumps: by extension, the line of each jump and where it leads.
        steps_of: an extension's lines.
        lead: the extensions that a jump may lead to.
        stops: whether a line of an extension ends the way.
    """
    found: dict[Place, set[int]] = {}
    gone: set[Way] = set()
    waiting = [(place, 1) for place in begin]
    while waiting:
        place, start = waiting.pop()
        known = found.setdefault(place, set())
        if start in known:
            continue
        run = set(run_from(steps_of(place), start, partial(stops, place)))
        new = run - known
        known |= new
        for priority, way in jumps.get(place, ()):
            if priority in new and way not in gone:
                gone.add(way)
                waiting += [(to, landing(steps_of(to), way[2])) for to in lead(way)]
    return found


def reached_by(
    begin: Iterable[tuple[Place, Way]],
    leaving: Mapping[Place, Sequence[Way]],
    lead: Callable[[Way], Iterable[Place]],
) -> set[Place]:
    """The extensions that are reached from these jumps on, whatever line they are entered at.

    Args:
        begin: who jumps, and where.
        leaving: by extension, where its jumps lead.
        lead: the extensions that a jump may lead to.
    """
    waiting = list(begin)
    reached: set[Place] = set()
    came: dict[Way, set[Place]] = {}
    while waiting:
        place, way = waiting.pop()
        there = came.setdefault(way, set())
        # A jump to oneself reaches nobody; of two who come by a way one is another.
        if place in there or len(there) > 1:
            continue
        there.add(place)
        for target in lead(way):
            if target not in reached and there != {target}:
                reached.add(target)
                waiting += [(target, further) for further in leaving.get(target, ())]
    return reached
