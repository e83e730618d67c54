"""Latencies: a figure of a load that was late itself, or of refusals at the deadline, is none."""

from __future__ import annotations

import pytest
from tests.bench.decisions import believed
from tests.bench.table import alone, compared


@pytest.mark.parametrize(
    ("late_ms", "unavailable", "ours_ms", "reached", "said"),
    [
        (0.3, 0, 3.0, True, "p99"),
        (0.3, 0, 5.0, False, "p99"),
        (5.0, 0, 3.0, True, "p99"),
        (5.1, 0, 3.0, None, "p99: not measured, the load was late"),
        (0.3, 7, 3.0, False, "p99: 7 refused as unavailable"),
        (900.0, 7, 3.0, None, "p99: not measured, the load was late"),
    ],
)
def test_a_tail_counts_only_when_it_is_the_servers_own(
    late_ms: float, unavailable: int, ours_ms: float, reached: bool | None, said: str
) -> None:
    tail = compared("p99", [ours_ms], [2.0], "peer", unit="ms", at_most=2.0)
    row = believed(tail, alone("late", [late_ms], unit="ms"), unavailable)
    assert (row.reached, row.what) == (reached, said)
