"""A number as somebody dialled it, read to E.164: the one door to all readings.

Owns the order: the fast forms, then a small memory of the slow ones, then the slow reading. What
a text may hold and which reading wins is said in `slow.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from dialwarden.numbers.fast import read_fast
from dialwarden.numbers.number import Number, Unreadable
from dialwarden.numbers.slow import MAX_TEXT, read_slowly

__all__ = ["Number", "Unreadable", "read_number"]

# Slow readings remembered: one call asks several times (each trunk, gateway then dialplan), and a
# busy hour has a few thousand numbers. Some 2 MB when full.
_REMEMBERED: Final = 8192


def read_number(dialled: str, *, region: str, strips: Sequence[str] = ()) -> Number | Unreadable:
    """Read a number as dialled.

    Args:
        dialled: any text at all; only + 0-9 ( ) . - and blanks make a number.
        region: where it is dialled from (the campaign's home), "FR" or "FR-974"; what is no region
            leaves only the international forms.
        strips: what the trunks' dialers put in front, "9"; a + may stand behind it.

    Returns:
        The number, or why there is none. Never raises, for any text.
    """
    if len(dialled) <= MAX_TEXT:
        number = read_fast(dialled, region, strips)
        if number is not None:
            return number
        return _remembered(dialled, region, tuple(strips))
    return read_slowly(dialled, region, strips)


_remembered = lru_cache(maxsize=_REMEMBERED)(read_slowly)
