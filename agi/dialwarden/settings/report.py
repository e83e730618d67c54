"""How a fault in a settings file is told: the key, the value found, the words allowed.

Owns the collected problems of one file and the spelling of keys and values in them. Refuses to
know when something is a fault.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from dialwarden.errors import Problem
from dialwarden.settings.locate import KeyPath

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN_LENGTH = 60


def dotted(path: KeyPath) -> str:
    """A path as an admin reads it: `campaigns.x.tighten.caps[1].max`, places counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            plain = _PLAIN_KEY.fullmatch(part)
            text += ("." if text else "") + (part if plain else f'"{part}"')
    return text


def allowed_of(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


class Report:
    """The problems of one file, and the lines of its keys."""

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        self.file = file
        self._lines = lines
        self.problems: list[Problem] = []

    def line(self, path: KeyPath) -> int:
        """The line of a path, or of the nearest table around it that has one; 0 for none."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 0)

    def add(self, path: KeyPath, message: str) -> None:
        problem = Problem(self.file, dotted(path), self.line(path), message)
        if problem not in self.problems:
            self.problems.append(problem)


def quoted(text: str) -> str:
    return f'"{text}"'


def shown(value: object) -> str:
    """A value as it stands in the file, or what kind of thing it is."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            short = value if len(value) <= _SHOWN_LENGTH else value[: _SHOWN_LENGTH - 1] + "…"
            return quoted(short.encode("unicode_escape").decode() if "\n" in short else short)
        case dict():
            return "a table"
        case list():
            return "an array" if value else "an empty array"
        case _:
            return str(value)


def choose_from(name: str, known: Iterable[str], what: str) -> str:
    """The message for a name that is none of those known."""
    names = sorted(known)
    message = f'found "{name}"'
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        message += f", did you mean {near[0]}?"
    return f"{message}; allowed {what}: {', '.join(names) or 'none is configured'}"


def bounds(minimum: int | None, maximum: int | None) -> str:
    """`, 4 or more`, and its like; to stand behind what they bound."""
    match minimum, maximum:
        case None, None:
            return ""
        case low, None:
            return f", {low} or more"
        case None, high:
            return f", {high} or less"
        case low, high:
            return f" from {low} to {high}"
    return ""
