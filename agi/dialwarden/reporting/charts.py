"""The geometry of a bar chart: numbers in, rectangles, ticks and labels out. No colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 860.0, 220.0
_LEFT, _BOTTOM, _TOP = 52.0, 24.0, 8.0
_GAP = 0.22  # of a bar's place
_MOST_LABELS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a stacked bar. `series` is its place among the values of a row."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Lengths are in the units of a `WIDTH` by `HEIGHT` picture, the origin at the upper left."""

    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    left: float = _LEFT
    bottom: float = HEIGHT - _BOTTOM
    width: float = WIDTH
    height: float = HEIGHT


def stacked(rows: Sequence[tuple[str, str, Sequence[int]]], names: Sequence[str]) -> Chart:
    """A stacked bar a row.

    Args:
        rows: short label, long label, and the value of each series.
        names: of the series, for the bars' titles.
    """
    most = nice_top(max((sum(values) for _, _, values in rows), default=0))
    floor = HEIGHT - _BOTTOM
    scale = (floor - _TOP) / most
    place = (WIDTH - _LEFT) / max(len(rows), 1)
    width = place * (1 - _GAP)
    bars, across = [], []
    every = -(-len(rows) // _MOST_LABELS)  # rounded up
    for n, (short, long, values) in enumerate(rows):
        x, y = _LEFT + n * place + place * _GAP / 2, floor
        for series, value in enumerate(values):
            if value:
                y -= value * scale
                title = f"{long}: {value:,} {names[series]}"
                bars.append(Bar(round(x, 2), round(y, 2), round(width, 2),
                                round(value * scale, 2), series, title))  # fmt: skip
        if every and n % every == 0:
            across.append(Tick(round(x + width / 2, 2), short))
    steps = next((n for n in (4, 5, 3, 2) if most % n == 0), 1)
    up = [
        Tick(round(floor - most * n / steps * scale, 2), f"{most * n // steps:,}")
        for n in range(steps + 1)
    ]
    return Chart(tuple(bars), tuple(across), tuple(up))


def nice_top(most: int) -> int:
    """The least round number that is not below, and at least 1: it parts into whole ticks."""
    if most <= 10:
        return max(most, 1)
    power = 1
    while True:
        for digits in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80):
            if digits * power >= most:
                return digits * power
        power *= 10
