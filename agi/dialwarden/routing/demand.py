"""What somebody would have the PBX dial: the value that the rest of routing gives.

Owns how several demands become one. Knows no action and no application.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dialwarden.routing.trunks import Reach
from dialwarden.verdict import Rule

Problem = tuple[Rule, str]

_DIGITS: Final = re.compile(r"[0-9]+")
_SHOWN: Final = 40  # characters of a peer's text that a sentence quotes

# Two trunk channels to one callee at once, for one permission.
TWICE: Final[Problem] = (
    Rule.FREQUENCY,
    "the request dials the same number twice at once; dial it once, and another trunk only after "
    "the first has failed",
)
# It would ring, as an inside telephone, wherever it is told to: nothing of that shows in a call.
CONTACT: Final[Problem] = (
    Rule.BYPASS,
    "the entry of Asterisk's database says where a telephone is registered; let the telephone "
    "register",
)


@dataclass(frozen=True, slots=True)
class Demand:
    """What an AMI action would have the PBX dial.

    Attributes:
        reaches: what is to be asked of the gate, in order, each destination once.
        places_call: the action itself sets off the call: ask, and reserve. Else it lets one
            happen later, or in a dialplan: a dry look is enough.
        problem: why it must be refused whatever the gate says: (rule, sentence).
        channel: the channel on whose behalf it dials; "" where the call is a new one.
        apart: what is dialled is a call of its own, which no id of the request's reaches.
    """

    reaches: tuple[Reach, ...] = ()
    places_call: bool = False
    problem: Problem | None = None
    channel: str = ""
    apart: bool = False


NOTHING: Final = Demand()


def dialled(reach: Reach | None) -> Demand:
    """A destination that is called; None: it stays inside."""
    return Demand((reach,), places_call=True) if reach is not None else NOTHING


def extension(number: str) -> Demand:
    """An extension of the dialplan that a call is sent to: ours if it is a telephone number."""
    runs = tuple(_DIGITS.findall(number))
    return Demand((Reach("", number, runs, optional=True),)) if runs else NOTHING


def refused(rule: Rule, sentence: str) -> Demand:
    return Demand(problem=(rule, sentence))


def together(demands: Iterable[Demand], *, at_once: bool = True) -> Demand:
    """Several demands as one; the first problem is that of all.

    Args:
        at_once: every one of them is carried out, so that a number named twice rings twice. Else
            they are alternatives.
    """
    demands = tuple(demands)
    problem = next((demand.problem for demand in demands if demand.problem), None)
    places_call = any(demand.places_call for demand in demands)
    reaches: list[Reach] = []
    for reach in (reach for demand in demands for reach in demand.reaches):
        place = next((at for at, other in enumerate(reaches) if _same(reach, other)), None)
        if place is None:
            reaches.append(reach)
        elif not reach.optional and reaches[place].optional:
            reaches[place] = reach  # what must be judged is not hidden behind what may be
        if place is not None and at_once and places_call and problem is None:
            problem = TWICE
    channel = next((demand.channel for demand in demands if demand.channel), "")
    apart = any(demand.apart for demand in demands)
    return Demand(tuple(reaches), places_call, problem, channel, apart)


def quoted(text: str) -> str:
    """A peer's text as a sentence may quote it."""
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def _same(one: Reach, other: Reach) -> bool:
    """Whether two destinations are one callee, as far as their digits tell.

    Two addresses of which nobody knows yet whether they are telephone numbers stay two: the gate
    tells then.
    """
    if one == other:
        return bool(one.number)
    digits = "".join(_DIGITS.findall(one.number))
    same = bool(digits) and digits == "".join(_DIGITS.findall(other.number))
    return same and not (one.optional and other.optional)
