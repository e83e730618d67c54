"""The geometry of the charts: nothing leaves the picture, and heights are to scale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.reporting.charts import HEIGHT, WIDTH, nice_top, stacked

ROWS = st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), max_size=60)


@given(ROWS)
def test_every_bar_stands_within_the_picture_and_to_scale(values: list[tuple[int, int]]) -> None:
    chart = stacked([("x", "x", row) for row in values], ("a", "b"))
    assert len(chart.bars) == sum(value > 0 for row in values for value in row)
    for bar in chart.bars:
        assert chart.left <= bar.x
        assert bar.x + bar.width <= WIDTH + 0.1
        assert bar.y >= 0
        assert bar.y + bar.height <= chart.bottom + 0.1 <= HEIGHT
    top = chart.up[-1]
    scale = (chart.bottom - top.at) / int(top.label.replace(",", ""))
    for bar in chart.bars:
        value = int(bar.title.split()[1].replace(",", ""))
        assert bar.height == pytest.approx(value * scale, abs=0.02)


@given(ROWS)
def test_parts_of_a_bar_stand_upon_one_another(values: list[tuple[int, int]]) -> None:
    rows = [row for row in values if all(row)]
    bars = stacked([("x", "x", row) for row in rows], ("a", "b")).bars
    for lower, upper in zip(bars[::2], bars[1::2], strict=True):
        assert upper.y + upper.height == pytest.approx(lower.y, abs=0.02)


@given(st.integers(0, 10**12))
def test_the_top_is_round_and_not_below(most: int) -> None:
    top = nice_top(most)
    assert max(most, 1) <= top <= max(2 * most, 1)
    assert len(str(top).rstrip("0")) <= 2


def test_of_many_bars_only_some_have_a_label() -> None:
    chart = stacked([(str(n), str(n), (1,)) for n in range(49)], ("a",))
    assert [tick.label for tick in chart.across] == [str(n) for n in range(0, 49, 3)]


def test_a_chart_of_nothing_has_an_axis() -> None:
    chart = stacked([], ("a",))
    assert (chart.bars, [tick.label for tick in chart.up]) == ((), ["0", "1"])
