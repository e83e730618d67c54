"""The profile of a decision: its seams are there, and what is within what is told apart."""

from __future__ import annotations

import itertools
import time

import pytest
from tests.bench.profile import SEAMS, Stage, StageClock, seam, told
from tests.bench.table import Spread


@pytest.mark.parametrize("place", list(itertools.chain(*SEAMS.values())))
def test_every_seam_is_a_function_of_the_program(place: str) -> None:
    owner, name = seam(place)
    assert callable(getattr(owner, name))


def test_a_stage_is_charged_for_itself_and_not_for_those_within_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The clock is read when a stage begins and when it ends: outer 0-100, inner 10-40 and 50-60.
    ticks = iter([0, 10, 40, 50, 60, 100])
    monkeypatch.setattr(time, "thread_time_ns", lambda: next(ticks))
    clock = StageClock()
    inner = clock.wrapped("inner", lambda: None)
    clock.wrapped("outer", lambda: (inner(), inner()))()
    assert clock.nanoseconds == {"inner": 40, "outer": 60}
    assert clock.calls == {"inner": 2, "outer": 1}
    assert clock.within == {"inner": 0, "outer": 2}


def test_what_raises_is_charged_too_and_raises_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0, 7])
    monkeypatch.setattr(time, "thread_time_ns", lambda: next(ticks))
    clock = StageClock()
    with pytest.raises(ZeroDivisionError):
        clock.wrapped("stage", lambda: 1 / 0)()
    assert clock.nanoseconds == {"stage": 7}


def test_the_rest_is_what_the_stages_leave_of_the_whole() -> None:
    stages = [Stage("rules", 30.0, 1.0), Stage("facts", 20.0, 0.5)]
    text = told(stages, Spread(200, 190, 210), Spread(50, 40, 60))
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert cells[2:] == [
        ["rules", "30.0", "15%", "1.00"],
        ["facts", "20.0", "10%", "0.50"],
        ["the loop, sockets, threads", "150.0", "75%", ""],
        ["the whole, without wrappers", "200 (190-210)", "100%", ""],
        ["a bare uvloop server, the whole", "50 (40-60)", "", ""],
    ]
