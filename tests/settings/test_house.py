"""House rules against the law: what is wider is told, what is as strict or stricter is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dialwarden.policy.figures import Cap, Gap, GapAfter, HoursRule
from dialwarden.policy.hours import parse_week
from dialwarden.policy.model import HouseRules, Regime
from dialwarden.policy.period import Period
from dialwarden.question import Purpose
from dialwarden.settings.house import covers, wider_than_law

EVERY = frozenset(Purpose)
LAW = Regime(
    id="r",
    start=date(2026, 1, 1),
    title="law",
    purposes=frozenset({Purpose.SALES}),
    hours=HoursRule(parse_week({"mon-fri": ["10:00-13:00"]}), "art. 1"),
    caps=(Cap(4, Period(days=30), frozenset({Purpose.SALES}), "art. 2"),),
    gaps=(Gap(Period.parse("2 hours"), frozenset({Purpose.SALES}), "art. 3"),),
)


def cap(most: int, period: str) -> HouseRules:
    return HouseRules(caps=(Cap(most, Period.parse(period), EVERY, "house"),))


def gap(period: str) -> HouseRules:
    return HouseRules(gaps=(Gap(Period.parse(period), EVERY, "house"),))


def hours(**days: list[str]) -> HouseRules:
    return HouseRules(hours=parse_week(days))


@pytest.mark.parametrize(
    ("house", "sentences"),
    [
        (HouseRules(), []),
        (hours(mon=["10:00-13:00"]), []),
        (hours(mon=["11:00-12:00"]), []),
        (
            hours(mon=["09:59-13:00"]),
            ["hours.mon (09:59-13:00) is wider than the law's (10:00-13:00, art. 1); what lies"],
        ),
        (
            hours(sat=["10:00-11:00"]),
            ["hours.sat (10:00-11:00) is wider than the law's (closed, art. 1); what lies"],
        ),
        (cap(4, "30 days"), []),
        (cap(3, "30 days"), []),
        (cap(4, "31 days"), []),
        (cap(3, "1 day"), []),
        (cap(5, "30 days"), ["max 5 in 30 days is wider than the law's 4 in 30 days (art. 2)"]),
        (cap(4, "1 day"), ["max 4 in 1 day is wider than the law's 4 in 30 days (art. 2)"]),
        (cap(9, "48 hours"), ["max 9 in 48 hours is wider than the law's 4 in 30 days (art. 2)"]),
        (gap("2 hours"), []),
        (gap("3 hours"), []),
        (gap("90 minutes"), ["gap 90 minutes is shorter than the law's 2 hours (art. 3)"]),
    ],
)
def test_only_what_is_wider_is_told(house: HouseRules, sentences: list[str]) -> None:
    told = wider_than_law(house, LAW, Purpose.SALES)
    assert len(told) == len(sentences)
    assert all(a.startswith(b) for a, b in zip(told, sentences, strict=True))
    assert wider_than_law(house, LAW, Purpose.SERVICE) == []


def test_hours_are_compared_with_those_of_the_purpose() -> None:
    survey = HoursRule(parse_week({"mon": ["08:00-10:00"]}), "art. 4")
    both = replace(LAW, purposes=EVERY, hours_for={Purpose.SURVEY: survey})
    early = hours(mon=["08:30-09:30"])
    assert wider_than_law(early, both, Purpose.SURVEY) == []
    (told,) = wider_than_law(early, both, Purpose.SALES)
    assert told.startswith("hours.mon (08:30-09:30) is wider than the law's (10:00-13:00, art. 1)")


@pytest.mark.parametrize(
    "law",
    [
        pytest.param(Gap(Period.parse("9 hours"), EVERY, "s", after=GapAfter.SILENT), id="silence"),
        pytest.param(Gap(None, EVERY, "s", full_days=5), id="whole days"),
    ],
)
def test_a_gap_is_compared_with_one_of_its_kind_only(law: Gap) -> None:
    regime = replace(LAW, gaps=(law,))
    assert wider_than_law(gap("90 minutes"), regime, Purpose.SALES) == []


@pytest.mark.parametrize(
    ("outer", "inner", "covered"),
    [
        ("2 days", "2 days", True),
        ("2 days", "3 days", False),
        ("2 days", "23 hours", True),
        ("2 days", "24 hours", False),
        ("1 day", "1 minute", False),
        ("24 hours", "1 day", False),
        ("25 hours", "1 day", True),
        ("2 hours", "120 minutes", True),
        ("2 hours", "121 minutes", False),
    ],
)
def test_period_covers_what_it_surely_holds(outer: str, inner: str, *, covered: bool) -> None:
    assert covers(Period.parse(outer), Period.parse(inner)) is covered
