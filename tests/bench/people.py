"""Who is called in the benchmarks: which numbers are opposed, were called before, or are fresh.

Owns the numbering alone: each kind is a function from an index to a number, so that a ledger, a
PostgreSQL table and the load agree on millions of numbers without exchanging them. French numbers,
01 to 06; which kind a number is can be read from its remainder by four. Asked about are mobiles,
0640000000 to 0689999999.
"""

from __future__ import annotations

import array
import random
from collections.abc import Iterator
from dataclasses import dataclass

# +33 1 00 00 00 00 to +33 6 99 99 99 99, in groups of four: one may be opposed, the second called
# before, the third fresh, the fourth is nobody's.
_FIRST = 33_100_000_000
_GROUPS = 150_000_000
_ASKED_FIRST = 33_640_000_000
_ASKED_GROUPS = 12_500_000
_ASKED_FROM = (_ASKED_FIRST - _FIRST) // 4
CALLED_NUMBERS = 4_000_000
_CALLED_STRIDE = _ASKED_GROUPS // CALLED_NUMBERS
# Without a factor in common with the counts above, so that a walk in such steps meets each once.
_STEP = 7_368_787


def opposed(index: int, count: int) -> int:
    """The number at `index` of a list of `count`: ascending, one somewhere in each stretch."""
    stride = _GROUPS // count
    return _FIRST + 4 * (index * stride + _scattered(index) % stride)


def _scattered(index: int) -> int:
    return index * 2_654_435_761 >> 7


def opposed_sql(count: int) -> str:
    """`opposed` as an expression over `i`, in SQL of PostgreSQL."""
    stride = _GROUPS // count
    return f"{_FIRST} + 4 * (i * {stride} + ((i * 2654435761) >> 7) % {stride})"


def opposed_numbers(count: int) -> Iterator[array.array[int]]:
    """All of a list, ascending, a million at a time: 64-bit integers."""
    for start in range(0, count, 1_000_000):
        indexes = range(start, min(count, start + 1_000_000))
        yield array.array("Q", [opposed(index, count) for index in indexes])


def called_sql() -> str:
    """The number of attempt `i` as an expression in SQL: all are met, the first ones twice."""
    return f"{_ASKED_FIRST} + 4 * {_CALLED_STRIDE} * ((i * {_STEP}) % {CALLED_NUMBERS}) + 1"


def called(index: int) -> int:
    """A number with a history; no number comes twice before all have come."""
    return _ASKED_FIRST + 4 * _CALLED_STRIDE * (index * _STEP % CALLED_NUMBERS) + 1


def fresh(index: int) -> int:
    """A number without one; no number comes twice before 12,500,000 have come."""
    return _ASKED_FIRST + 4 * (index * _STEP % _ASKED_GROUPS) + 2


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the questions, which part is about whom; the rest is about fresh numbers."""

    called: float = 0.0
    opposed: float = 0.0


class Callees:
    """The numbers of a load, one after another, digits of E.164.

    Args:
        listed: how many numbers the opposition list of the ledger has.
        first: how many fresh and called ones were drawn before: those are left out.
    """

    def __init__(self, shares: Shares, *, listed: int = 0, first: int = 0, seed: int = 1) -> None:
        self._shares = shares
        self._listed = listed
        self._draw = random.Random(seed)
        self._fresh = self._called = first
        if shares.opposed and not listed:
            raise ValueError("a share of opposed numbers, and no list that has them")

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        chance = self._draw.random()
        if chance < self._shares.opposed:
            stride = _GROUPS // self._listed
            first = -(-_ASKED_FROM // stride)
            last = (_ASKED_FROM + _ASKED_GROUPS) // stride - 1
            return opposed(self._draw.randint(first, last), self._listed)
        if chance < self._shares.opposed + self._shares.called:
            self._called += 1
            return called(self._called - 1)
        self._fresh += 1
        return fresh(self._fresh - 1)

    @property
    def drawn(self) -> int:
        """What to give as `first` to whoever goes on."""
        return max(self._fresh, self._called)
