"""gap: a least time since the last attempt."""

from __future__ import annotations

import pytest

from dialwarden.facts import PastAttempt
from dialwarden.policy.figures import Gap
from dialwarden.policy.model import HouseRules
from dialwarden.policy.period import Period
from dialwarden.question import Purpose
from dialwarden.rules.gap import judge_gap

from .situations import attempts, finding, house, instant, matter, until

LAST = ("2026-11-19 11:00", "2026-11-20 11:00")


@pytest.mark.parametrize(
    ("gap", "clock", "free_at"),
    [
        ("2 hours", "2026-11-20 12:59:59", "2026-11-20 13:00:00+01:00"),
        ("2 hours", "2026-11-20 13:00:00", ""),
        ("30 minutes", "2026-11-20 11:29:59", "2026-11-20 11:30:00+01:00"),
        ("30 minutes", "2026-11-20 11:30:00", ""),
        ("1 day", "2026-11-20 23:59:59", "2026-11-21 00:00:00+01:00"),
        ("1 day", "2026-11-21 00:00:00", ""),
        ("5 days", "2026-11-24 23:59:59", "2026-11-25 00:00:00+01:00"),
        ("5 days", "2026-11-25 00:00:00", ""),
        ("2 hours", "2026-11-20 10:00:00", "2026-11-20 13:00:00+01:00"),  # a clock set back
    ],
)
def test_the_gap_counts_from_the_last_attempt(gap: str, clock: str, free_at: str) -> None:
    asked = matter("none", tighten=house(gap=gap), attempts=attempts(*LAST))
    assert until(finding(judge_gap, asked, clock)) == free_at


def test_a_first_attempt_has_no_gap() -> None:
    asked = matter("none", tighten=house(gap="5 days"))
    assert finding(judge_gap, asked, "2026-11-24 11:00") is None


def test_of_several_gaps_the_longest_is_told() -> None:
    everything = frozenset(Purpose)
    rules = HouseRules(
        gaps=tuple(
            Gap(Period.parse(text), everything, text) for text in ("2 hours", "9 hours", "3 hours")
        )
    )
    refusal = finding(
        judge_gap, matter("none", tighten=rules, attempts=attempts(*LAST)), "2026-11-20 12:00"
    )
    assert refusal is not None
    assert refusal.source == "9 hours"
    assert until(refusal) == "2026-11-20 20:00:00+01:00"
    assert refusal.reason.values["last"] == instant("2026-11-20 10:00")


def test_a_gap_looks_at_the_purposes_it_names() -> None:
    rules = HouseRules(gaps=(Gap(Period(days=3), frozenset({Purpose.SALES}), "tighten"),))
    made = (
        PastAttempt(instant("2026-11-24 08:00"), Purpose.SERVICE),
        PastAttempt(instant("2026-11-22 08:00"), Purpose.SALES),
    )
    asked = matter("none", tighten=rules, attempts=made)
    assert until(finding(judge_gap, asked, "2026-11-24 11:00")) == "2026-11-25 00:00:00+01:00"
