"""The two values a reading gives: a number, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dialwarden.numbers.regions import Place

Code = Literal["empty", "characters", "too_short", "too_long", "impossible", "ambiguous", "no_zone"]
# An English format string and what goes into it; a value may be such a pair itself.
Words = tuple[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that can be called.

    Attributes:
        digits: E.164 without the +; at most fifteen digits, so it fits a signed 64-bit column.
        country: ISO 3166 country phonenumbers gives it ("FR", "RE", "IT"); "" for none.
        places: where the callee may be, one a region and clock, at least one.
    """

    digits: int
    country: str
    places: tuple[Place, ...]

    @property
    def e164(self) -> str:
        """With its +: "+33612345678"."""
        return f"+{self.digits}"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a text is no number that may be called. A value, not an exception: it is a verdict.

    Attributes:
        code: "empty" (no digit at all), "characters" (something that no number holds),
            "too_short", "too_long", "impossible" (no such country code, no number of that
            length), "ambiguous" (two different callees could be meant), "no_zone" (a number of
            no country, whose local time nobody knows).
        detail: a few words for a person, in plain ASCII: never the number, never what a peer
            sent as it was.
        words: the same before its values were filled in, for who says it in another language.
    """

    code: Code
    detail: str
    words: Words | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, code: Code, words: Words) -> Unreadable:
        """One whose detail is these words, filled in."""
        return cls(code, _filled_in(words), words)


def _filled_in(words: Words) -> str:
    template, values = words
    parts = {
        name: _filled_in(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }
    return template.format_map(parts)
