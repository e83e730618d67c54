"""The table of permits: found by any id of the call, used once, gone when their life is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from dialwarden.gate.gate import Grant
from dialwarden.watch.permits import LIFE_S, Permits, Use

AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def grant(attempt: int = 1, *, call: str = "call", permit: str = "", number: int = 336) -> Grant:
    return Grant(attempt, number, "c", call, permit, AT)


def attempts(permits: Permits, *ids: str) -> list[int]:
    return [permit.attempt for permit in permits.of_call(ids)]


def test_a_permit_is_found_by_its_call_and_by_its_channel_id() -> None:
    permits = Permits()
    permits.granted(grant(1, call="call", permit="dw-1"))
    assert attempts(permits, "call") == attempts(permits, "x", "dw-1") == [1]
    assert attempts(permits, "call", "dw-1") == [1]
    assert attempts(permits, "other") == attempts(permits) == []


def test_the_newest_permit_of_a_call_comes_first() -> None:
    permits = Permits()
    permits.granted(grant(1))
    permits.granted(grant(2, number=337))
    assert attempts(permits, "call") == [2, 1]


def test_a_permit_without_an_id_is_nobodys() -> None:
    permits = Permits()
    permits.granted(grant(1, call=""))
    assert attempts(permits, "") == []


def test_the_same_attempt_granted_again_stays_as_far_used_as_it_was() -> None:
    permits = Permits()
    permits.granted(grant())
    permits.take(1)
    permits.granted(grant())
    (permit,) = permits.of_call(["call"])
    assert permit.use is Use.DIALLED


@pytest.mark.parametrize(
    ("steps", "use"),
    [
        ([], Use.FREE),
        (["take"], Use.DIALLED),
        (["take", "released"], Use.FREE),
        (["take", "reached"], Use.SPENT),
        (["take", "reached", "released"], Use.SPENT),
        (["take", "released", "take", "reached"], Use.SPENT),
        (["released"], Use.FREE),
    ],
)
def test_one_live_leg_at_a_time_and_none_after_the_callee_was_reached(
    steps: list[str], use: Use
) -> None:
    permits = Permits()
    permits.granted(grant())
    for step in steps:
        getattr(permits, step)(1)
    (permit,) = permits.of_call(["call"])
    assert permit.use is use
    assert permit.dialled is ("take" in steps)


def test_a_permit_ends_with_its_life() -> None:
    clock = Clock()
    permits = Permits(clock=clock)
    permits.granted(grant(1))
    clock.now += LIFE_S - 0.001
    assert attempts(permits, "call") == [1]
    assert permits.expire() == []
    clock.now += 0.001
    assert attempts(permits, "call") == []
    assert [permit.attempt for permit in permits.expire()] == [1]
    assert len(permits) == 0
    assert permits.expire() == []


def test_one_taken_up_from_the_ledger_is_as_old_as_it_is() -> None:
    clock = Clock()
    permits = Permits(clock=clock)
    permits.begin_seeing()
    permits.granted(grant(1), age_s=50.0)
    (permit,) = permits.of_call(["call"])
    assert not permit.seen
    clock.now += 10.0
    assert attempts(permits, "call") == []


def test_one_that_was_revoked_is_used_up() -> None:
    permits = Permits()
    permits.granted(grant(1, permit="dw-1"))
    permits.granted(grant(2, number=337))
    permits.revoked(1)
    permits.revoked(9)
    permits.released(1)
    assert [permit.use for permit in permits.of_call(["call"])] == [Use.FREE, Use.SPENT]


def test_the_table_is_bounded_and_the_oldest_go() -> None:
    permits = Permits(most=3)
    for attempt in range(1, 6):
        permits.granted(grant(attempt, call=f"call-{attempt}"))
    assert len(permits) == 3
    assert [attempts(permits, f"call-{n}") for n in range(1, 6)] == [[], [], [3], [4], [5]]


@pytest.mark.parametrize(
    ("before", "lost", "seen"),
    [(True, False, True), (False, False, False), (True, True, False)],
)
def test_only_a_life_that_the_link_saw_whole_is_seen(before: bool, lost: bool, seen: bool) -> None:
    permits = Permits()
    if before:
        permits.begin_seeing()
    permits.granted(grant())
    permits.begin_seeing()
    if lost:
        permits.stop_seeing()
        permits.begin_seeing()
    (permit,) = permits.of_call(["call"])
    assert permit.seen is seen


def test_what_else_was_dialled_in_a_call_puts_its_permits_in_doubt() -> None:
    permits = Permits()
    permits.granted(grant(1))
    permits.granted(grant(2, call="another"))
    permits.doubt(["x", "call"])
    assert permits.of_call(["call"])[0].in_doubt
    assert not permits.of_call(["another"])[0].in_doubt
