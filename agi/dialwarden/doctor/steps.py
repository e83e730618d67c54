"""What one priority of a dialplan does: whom it dials, where it leads, whether it is a question.

Owns the arguments of the applications that dial or jump, and what a variable may hold: the value of
a global variable, each of those that its name may mean (FreePBX keeps its trunks in OUT_1, OUT_2),
or else a mark. Refuses to know trunks and the rest of the dialplan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dialwarden.doctor.dialplan_text import Step
from dialwarden.routing.dial_string import split_destinations

# Stands for a variable or an expression: a private use character, which no dialplan holds.
VALUE = "\ue002"

_INNERMOST = re.compile(r"\$(?:\{[^${}]*\}|\[[^$\[\]]*\])")
_WITHIN = re.compile(
    r"\b(Dial|RetryDial|Page|Originate|Gosub(?:If)?|Macro(?:If|Exclusive)?|Goto(?:If(?:Time)?)?|AGI)\(",
    re.IGNORECASE,
)
_CONDITIONAL = {
    "gosubif": "gosub", "gotoif": "goto", "gotoiftime": "goto", "macroif": "macro",
}  # fmt: skip
_WRAPPERS = frozenset({"execif", "execiftime", "exec", "tryexec"})
# G, F, b and B name context^extension^priority, M a macro, U a context.
_OPTION = re.compile(r"(?P<option>[GFbBMU])\((?P<to>[^()]*)")
_OPENING, _CLOSING = "([{", ")]}"
_DIALLING = (["app", "dial"], ["app", "page"])  # Originate(…,app,Dial,PJSIP/…) calls two
_TELLING = 4  # characters of a variable's name beside another variable that tell it: OUT_
_MOST_READINGS = 64


@dataclass(frozen=True, slots=True)
class Call:
    """One application of a step, those within an ExecIf taken out.

    Attributes:
        application: in lower case.
        written: its arguments with their variables.
        data: the same with a mark for each variable and expression.
    """

    application: str
    written: str
    data: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call leads.

    Attributes:
        returns: what follows the step runs behind it.
        priority: a number or a label, as it is written.
    """

    context: str
    extension: str
    returns: bool
    priority: str = "1"


@lru_cache(maxsize=1 << 16)
def calls(step: Step) -> tuple[Call, ...]:
    """What a step runs; asked for again and again, and the same for a step."""
    application = step.application.lower()
    if application not in _WRAPPERS:
        return (Call(application, step.data, opened(step.data)),)
    inside = (
        (found[1].lower(), _to_closing(step.data[found.end() :]))
        for found in _WITHIN.finditer(step.data)
    )
    return tuple(Call(name, data, opened(data)) for name, data in inside)


def targets(call: Call, context: str, extension: str) -> Iterator[Target]:
    """Where a call leads in the dialplan."""
    application = _CONDITIONAL.get(call.application, call.application)
    texts = [call.data]
    if application != call.application:
        _, _, branches = call.data.partition("?")
        texts = _split(branches, ":")
    for text in texts:
        if application in ("gosub", "goto"):
            # Gosub's own arguments stand in parentheses behind the priority.
            parts = [part.strip() for part in _split(text, ",")]
            if text.strip():
                named = parts[-3] if len(parts) > 2 else context
                at = parts[-2] if len(parts) > 1 else extension
                priority = parts[-1].partition("(")[0].strip()
                yield Target(named, at, returns=application == "gosub", priority=priority)
        elif application in ("macro", "macroexclusive") and text.strip():
            yield Target(f"macro-{_split(text, ',')[0].strip()}", "s", returns=True)
    yield from _led_by_arguments(call)
    for text in _dial_arguments(call.application, call.data):
        for technology, resource in split_destinations(text):
            if technology.lower() == "local":
                name, _, rest = resource.partition("@")
                yield Target(rest.partition("/")[0] or "default", name, returns=False)


def _led_by_arguments(call: Call) -> Iterator[Target]:
    """Where Originate, DISA and Dial's own options lead; none of them comes back to ask for us."""
    parts = [part.strip() for part in _split(call.data, ",")]
    if call.application == "originate" and parts[1:2] == ["exten"] and len(parts) > 2:
        extension, priority = (*parts[3:5], *("s", "1")[len(parts[3:5]) :])
        yield Target(parts[2], extension, returns=False, priority=priority)
    elif call.application == "disa":
        yield Target(parts[1] if len(parts) > 1 else "disa", VALUE, returns=False)
    elif call.application in ("dial", "retrydial"):
        for found in _OPTION.finditer(",".join(parts[2:])):
            led = [part.strip() for part in found["to"].split("^")]
            if found["option"] == "M":
                yield Target(f"macro-{led[0]}", "s", returns=False)
            elif found["option"] == "U":
                yield Target(led[0], "s", returns=False)
            elif len(led) > 2:
                yield Target(led[-3], led[-2], returns=False, priority=led[-1])


def destinations(step: Step) -> Iterator[str]:
    """What a step dials, one by one, as it is written."""
    for call in calls(step):
        for text in _dial_arguments(call.application, call.written):
            yield from (one.strip() for one in _split(text, "&") if one.strip())


def _dial_arguments(application: str, data: str) -> Iterator[str]:
    if application in ("dial", "page", "originate"):
        parts = _split(data, ",")
        yield parts[0]
        if (
            application == "originate"
            and [part.strip().lower() for part in parts[1:3]] in _DIALLING
        ):
            yield from parts[3:4]
    elif application == "retrydial":
        yield from _split(data, ",")[3:4]


def opened(text: str) -> str:
    """Every variable and expression as one mark, from the inside out."""
    while True:
        closed = _INNERMOST.sub(VALUE, text)
        if closed == text:
            return text
        text = closed


def readings(text: str, variables: Mapping[str, str]) -> Iterator[str]:
    """A text with what its variables may hold; a mark where nobody knows. The first 64 of them."""
    waiting, given = [text], 0
    while waiting and given < _MOST_READINGS:
        text = waiting.pop()
        found = _INNERMOST.search(text)
        if found is None:
            given += 1
            yield text
            continue
        values = _values(found[0][2:-1], variables) if found[0][1] == "{" else []
        head, rest = text[: found.start()], text[found.end() :]
        waiting += [f"{head}{value}{rest}" for value in (values or [VALUE])]


def _values(name: str, variables: Mapping[str, str]) -> list[str]:
    if VALUE not in name:
        return [variables[name]] if name in variables else []
    parts = name.split(VALUE)
    if max(map(len, parts)) < _TELLING:
        return []
    may_be = re.compile("[A-Za-z0-9]+".join(map(re.escape, parts)))
    return [value for other, value in variables.items() if may_be.fullmatch(other)]


def _split(text: str, delimiter: str) -> list[str]:
    """Split outside parentheses and brackets of every kind."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in _OPENING) - (character in _CLOSING)
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
