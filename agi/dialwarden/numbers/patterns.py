"""Asterisk's extension patterns: `_1XX`, `_[1-5]X.`, or a text that must be equal.

Owns the meaning of a pattern, after `_extension_match_core` in Asterisk's main/pbx.c:

    _ in front   it is a pattern; without it, text that must be equal
    X Z N        a digit 0-9, 1-9, 2-9 (small letters too)
    [1-36A]      one of these characters
    .            one or more characters, whatever they are
    !            none or more
    -            nothing, in a pattern, in a text and in the number: eye candy
    other        itself

Departures, each a ValueError: what Asterisk accepts with a warning or silently never matches (an
empty or unclosed set, a range backwards), what it never looks at (anything behind . or !), and
what an exempt number cannot have (a caller id behind /, blanks, backslashes).

Does not know which form of a number to try: the caller matches it as dialled and as E.164.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_CLASSES: Final = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]"}
_ENDS: Final = {".": ".+", "!": ".*"}
_FORBIDDEN: Final = {"/": "a caller id (/…)", "\\": "a backslash", "]": "a ] without its ["}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    Attributes:
        text: as it was written.
        expression: what the whole number, without its dashes, must match.
    """

    text: str
    expression: re.Pattern[str]

    def matches(self, number: str) -> bool:
        """Whether Asterisk would send this number to an extension of this pattern."""
        return self.expression.fullmatch(number.replace("-", "")) is not None


def compile_pattern(text: str) -> Pattern:
    """Compile a pattern as a configuration holds it.

    Raises:
        ValueError: it is wrong; the sentence says what and where.
    """
    if not text.strip("_-"):
        raise ValueError(f"pattern {text!r} is empty; write one like _1XX or 3949")
    if any(character.isspace() for character in text):
        raise ValueError(f"pattern {text!r} holds a blank; write it without")
    expression = _pattern(text) if text.startswith("_") else re.escape(text.replace("-", ""))
    # DOTALL: "." is any character, and a number may hold any until somebody has read it.
    return Pattern(text, re.compile(expression, re.DOTALL))


def _pattern(text: str) -> str:
    parts: list[str] = []
    at = 1
    while at < len(text):
        character = text[at]
        if character in _ENDS:
            if at + 1 < len(text):
                raise ValueError(
                    f"pattern {text!r} goes on after {character!r}; Asterisk never looks there, "
                    "and takes every number that matches so far"
                )
            parts.append(_ENDS[character])
        elif character == "[":
            end = text.find("]", at)
            if end < 0:
                raise ValueError(f"pattern {text!r} has a [ without its ]")
            parts.append(_character_set(text, text[at + 1 : end]))
            at = end
        elif character in _FORBIDDEN:
            raise ValueError(f"pattern {text!r} holds {_FORBIDDEN[character]}")
        elif character != "-":
            parts.append(_CLASSES.get(character.upper(), re.escape(character)))
        at += 1
    return "".join(parts)


def _character_set(text: str, content: str) -> str:
    """A set's inside as a regular expression; a - is a range only between two characters."""
    if not content:
        raise ValueError(f"pattern {text!r} has an empty set []; Asterisk would ignore it")
    if "\\" in content:
        raise ValueError(f"pattern {text!r} holds {_FORBIDDEN[chr(92)]}")
    parts: list[str] = []
    at = 0
    while at < len(content):
        first = content[at]
        if at + 2 < len(content) and content[at + 1] == "-":
            last = content[at + 2]
            if last < first:
                raise ValueError(
                    f"pattern {text!r} has a range backwards, {first}-{last}; it matches nothing"
                )
            parts.append(f"{re.escape(first)}-{re.escape(last)}")
            at += 3
        else:
            parts.append(re.escape(first))
            at += 1
    return f"[{''.join(parts)}]"
