"""frequency: so many attempts in a period, whatever came of them."""

from __future__ import annotations

import pytest

from dialwarden.facts import PastAttempt
from dialwarden.policy.period import Period
from dialwarden.question import Purpose
from dialwarden.rules.frequency import judge_frequency

from .situations import PROFESSIONAL, attempts, finding, house, instant, matter, until

CONTRACT = "contract"
FOUR = ("2026-11-02 11:00", "2026-11-05 11:00", "2026-11-10 11:00", "2026-11-20 11:00")


@pytest.mark.parametrize(
    ("made", "clock", "free_at"),
    [
        pytest.param(FOUR[:3], "2026-11-24 11:00", "", id="three, and the fourth is asked for"),
        pytest.param(FOUR, "2026-11-24 11:00", "2026-12-02 00:00:00+01:00", id="four"),
        pytest.param(FOUR, "2026-12-01 23:59:59", "2026-12-02 00:00:00+01:00", id="last second"),
        pytest.param(FOUR, "2026-12-02 00:00:00", "", id="first second"),
        pytest.param(
            (*FOUR, "2026-11-23 11:00"), "2026-11-24 11:00", "2026-12-05 00:00:00+01:00",
            id="five, as imported: two must leave",
        ),
        pytest.param(("2026-11-24 11:00",) * 4, "2026-11-24 11:00:01",
                     "2026-12-24 00:00:00+01:00", id="four at one instant"),
        pytest.param(
            ("2026-11-24 12:00",) * 4, "2026-11-24 11:00", "2026-12-24 00:00:00+01:00",
            id="four in the future: a clock that jumped back hides nothing",
        ),
    ],
)  # fmt: skip
def test_four_in_thirty_calendar_days(made: tuple[str, ...], clock: str, free_at: str) -> None:
    asked = matter("fr", attempts=attempts(*made), relationship=CONTRACT)
    assert until(finding(judge_frequency, asked, clock)) == free_at


@pytest.mark.parametrize(
    ("cap", "clock", "free_at"),
    [
        ((1, "1 day"), "2026-11-20 23:59:59", "2026-11-21 00:00:00+01:00"),
        ((1, "1 day"), "2026-11-21 00:00:00", ""),
        ((1, "48 hours"), "2026-11-22 10:59:59", "2026-11-22 11:00:00+01:00"),
        ((1, "48 hours"), "2026-11-22 11:00:00", ""),
        ((1, "90 minutes"), "2026-11-20 12:29:59", "2026-11-20 12:30:00+01:00"),
        ((1, "90 minutes"), "2026-11-20 12:30:00", ""),
        ((2, "11 days"), "2026-11-20 12:00", "2026-11-21 00:00:00+01:00"),
        ((2, "10 days"), "2026-11-20 12:00", ""),
    ],
)
def test_days_are_calendar_days_and_hours_are_rolling(
    cap: tuple[int, str], clock: str, free_at: str
) -> None:
    asked = matter("none", tighten=house(caps=[cap]), attempts=attempts(*FOUR))
    assert until(finding(judge_frequency, asked, clock)) == free_at


def test_of_several_caps_the_one_that_holds_longest_is_told() -> None:
    caps = house(caps=[(1, "1 day"), (2, "48 hours"), (1, "3 hours")])
    made = attempts("2026-11-24 09:00", "2026-11-24 10:00")
    refusal = finding(
        judge_frequency, matter("none", tighten=caps, attempts=made), "2026-11-24 11:00"
    )
    assert refusal is not None
    assert until(refusal) == "2026-11-26 09:00:00+01:00"
    assert refusal.source == "tighten"
    assert refusal.reason.values == {
        "made": 2,
        "max": 2,
        "period": Period.parse("48 hours"),
        "professional": PROFESSIONAL,
        "until": refusal.until,
    }


@pytest.mark.parametrize(
    ("purposes", "refused"),
    [
        ((Purpose.SALES,) * 4, True),
        ((Purpose.SALES, Purpose.SALES, Purpose.SALES, Purpose.SERVICE), False),
        ((Purpose.SURVEY,) * 9, False),
    ],
)
def test_french_caps_count_the_attempts_to_sell(
    purposes: tuple[Purpose, ...], refused: bool
) -> None:
    made = tuple(PastAttempt(instant("2026-11-20 11:00"), purpose) for purpose in purposes)
    asked = matter("fr", attempts=made, relationship=CONTRACT)
    assert (finding(judge_frequency, asked, "2026-11-24 11:00") is not None) is refused


def test_a_purpose_the_law_does_not_bind_has_the_houses_caps_only() -> None:
    asked = matter("fr", purpose=Purpose.SERVICE, attempts=attempts(*FOUR))
    assert finding(judge_frequency, asked, "2026-11-24 11:00") is None
    caps = house(caps=[(4, "30 days")])
    strict = matter("fr", purpose=Purpose.SERVICE, attempts=attempts(*FOUR), tighten=caps)
    assert finding(judge_frequency, strict, "2026-11-24 11:00") is not None


def test_the_attempts_of_the_old_law_count_under_the_new_one() -> None:
    made = attempts("2026-07-28 11:00", "2026-07-29 11:00", "2026-08-04 11:00", "2026-08-10 11:00")
    asked = matter("fr", attempts=made, relationship=CONTRACT)
    assert until(finding(judge_frequency, asked, "2026-08-11 11:00")) == "2026-08-27 00:00:00+02:00"
