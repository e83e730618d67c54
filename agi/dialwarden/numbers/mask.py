"""A callee's number as a log may show it: enough to tell two lines apart, not enough to call."""

from __future__ import annotations

from functools import cache
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

BULLET: Final = "•"
_DIGITS: Final = frozenset("0123456789")
# Fewer hidden than this and the rest can be guessed at a phone: then nothing is shown.
_FEWEST_HIDDEN: Final = 4
_TAIL: Final = 2


def mask(e164: str) -> str:
    """The number with its middle hidden: "+33612345612" -> "+336••••••12".

    Shown: the country code, one digit more, and the last two; of a text that is not E.164 the
    first two and the last two. What is too short for that (112, an extension) is hidden whole.
    Whatever is no digit is hidden too, so nothing that a peer sent reaches a terminal.
    """
    plus = "+" if e164.startswith("+") else ""
    rest = e164[len(plus) :]
    if plus and rest.isascii() and rest.isdecimal():
        # All that follows, for what nearly every line has: a whole number, and digits alone.
        head = _head_of(rest[:3])
        if len(rest) >= head + _TAIL + _FEWEST_HIDDEN:
            return f"+{rest[:head]}{BULLET * (len(rest) - head - _TAIL)}{rest[-_TAIL:]}"
    head = _country_code_length(rest) + 1 if plus else 2
    if len(rest) < head + _TAIL + _FEWEST_HIDDEN:
        return plus + BULLET * len(rest)
    hidden = BULLET * (len(rest) - head - _TAIL)
    return plus + _digits_only(rest[:head]) + hidden + _digits_only(rest[-_TAIL:])


@cache
def _head_of(digits: str) -> int:
    """As many digits as are shown in front; by the first three, of which there are a thousand."""
    return _country_code_length(digits) + 1


def _country_code_length(digits: str) -> int:
    """Country codes are prefix-free: at most one of these is one. 2 when none is."""
    for length in (1, 2, 3):
        code = digits[:length]
        if _DIGITS.issuperset(code) and code and int(code) in COUNTRY_CODE_TO_REGION_CODE:
            return length
    return 2


def _digits_only(text: str) -> str:
    return "".join(character if character in _DIGITS else BULLET for character in text)
