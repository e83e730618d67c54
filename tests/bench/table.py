"""The figures as a table and as JSON: what was measured, beside whom, and whether that is enough.

Owns what a ratio of noisy rounds is: each round's own, since what else the machine did then bore on
both; the median of those, with the least and the greatest beside it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        what: what is measured.
        ours, peer: each with its unit; "-" where there is no peer.
        ratio: ours to the peer's, or where there is no peer ours in the unit of `to_reach`; None
            when it could not be measured.
        low, high: the least and the greatest of the rounds.
        to_reach: what `ratio` is to be, for people.
        reached: whether it is; None when there is nothing to reach, or it was not measured.
    """

    what: str
    ours: str
    peer: str
    ratio: float | None
    low: float | None
    high: float | None
    to_reach: str
    reached: bool | None


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, and how far they lay apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def of_ratios(cls, ours: Sequence[float], peers: Sequence[float]) -> Spread:
        """Of each round's ratio."""
        return cls.of([one / other for one, other in zip(ours, peers, strict=True) if other])

    def told(self, unit: str, digits: int = 0) -> str:
        return f"{self.median:.{digits}f} {unit} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def compared(
    what: str,
    ours: Sequence[float],
    peers: Sequence[float],
    peer: str,
    *,
    unit: str,
    digits: int = 0,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    """A row of rounds taken in turns, ours and the peer's.

    Args:
        at_most, at_least: the ratio to reach, one of them or none.
    """
    ratio = Spread.of_ratios(ours, peers)
    to_reach, reached = "", None
    if at_most is not None:
        to_reach, reached = f"at most {at_most:g}", ratio.median <= at_most
    elif at_least is not None:
        to_reach, reached = f"at least {at_least:g}", ratio.median >= at_least
    return Row(
        what,
        Spread.of(ours).told(unit, digits),
        f"{peer} {Spread.of(peers).told(unit, digits)}",
        ratio.median,
        ratio.low,
        ratio.high,
        to_reach,
        reached,
    )


def alone(
    what: str, values: Sequence[float], *, unit: str, digits: int = 0, at_most: float | None = None
) -> Row:
    """A row of rounds without a peer."""
    found = Spread.of(values)
    return Row(
        what, found.told(unit, digits), "-", found.median, found.low, found.high,
        "" if at_most is None else f"at most {at_most:g} {unit}",
        None if at_most is None else found.median <= at_most,
    )  # fmt: skip


def missing(what: str, why: str, to_reach: str = "") -> Row:
    """A row that could not be measured."""
    return Row(what, why, "-", None, None, None, to_reach, None)


def rendered(rows: Sequence[Row]) -> str:
    """The table, in the form of Markdown, which a terminal shows well enough."""
    cells = [("what", "ours", "peer", "ratio", "to reach", "reached")]
    for row in rows:
        ratio = "-"
        if row.ratio is not None and row.peer != "-":
            ratio = f"{row.ratio:.2f} ({row.low:.2f}-{row.high:.2f})"
        said = {True: "yes", False: "NO", None: "-"}[row.reached]
        cells.append((row.what, row.ours, row.peer, ratio, row.to_reach or "-", said))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    return [asdict(row) for row in rows]
