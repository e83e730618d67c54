"""The table of figures: ratios of rounds, and whether they reach what they are to reach."""

from __future__ import annotations

import pytest
from tests.bench.table import alone, compared, missing, rendered


def test_a_ratio_is_that_of_each_round_and_the_median_of_those() -> None:
    row = compared("x", [10, 20, 60], [20, 20, 30], "peer", unit="us")
    assert (row.ratio, row.low, row.high) == (1.0, 0.5, 2.0)
    assert row.ours == "20 us (10-60)"
    assert row.peer == "peer 20 us (20-30)"
    assert row.reached is None


@pytest.mark.parametrize(
    ("limit", "reached", "told"),
    [
        ({"at_most": 2.0}, True, "at most 2"),
        ({"at_most": 1.9}, False, "at most 1.9"),
        ({"at_least": 2.0}, True, "at least 2"),
        ({"at_least": 2.1}, False, "at least 2.1"),
    ],
)
def test_what_is_to_be_reached_is_reached_when_it_is_met(
    limit: dict[str, float], reached: bool, told: str
) -> None:
    row = compared("x", [4], [2], "peer", unit="us", **limit)
    assert (row.reached, row.to_reach) == (reached, told)


def test_every_row_is_a_line_and_what_was_not_measured_says_why() -> None:
    text = rendered(
        [
            alone("start", [2.5, 3.5, 3.0], unit="s", digits=1, at_most=3.0),
            alone("lateness", [1.0], unit="ms"),
            missing("beside SQL", "not installed", "at most 0.6"),
        ]
    )
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert cells[0] == ["what", "ours", "peer", "ratio", "to reach", "reached"]
    assert cells[2:] == [
        ["start", "3.0 s (2.5-3.5)", "-", "-", "at most 3 s", "yes"],
        ["lateness", "1 ms (1-1)", "-", "-", "-", "-"],
        ["beside SQL", "not installed", "-", "-", "at most 0.6", "-"],
    ]
    assert len({len(line) for line in text.splitlines()}) == 1
