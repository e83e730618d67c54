"""Spans: how long after a date something holds, in days, months or working days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.policy.calendar import holidays_of
from dialwarden.policy.period import Span


@pytest.mark.parametrize(
    ("text", "span", "written", "amount_and_unit"),
    [
        ("30 days", Span(days=30), "30 days", (30, "day")),
        ("1 day", Span(days=1), "1 day", (1, "day")),
        ("18 months", Span(months=18), "18 months", (18, "month")),
        ("1 months", Span(months=1), "1 month", (1, "month")),
        ("2 months", Span(months=2), "2 months", (2, "month")),
        ("5 working days", Span(working_days=5), "5 working days", (5, "working_day")),
        (" 1 Working Day ", Span(working_days=1), "1 working day", (1, "working_day")),
        ("10000 days", Span(days=10_000), "10000 days", (10_000, "day")),
    ],
)
def test_a_span_is_read_and_written(
    text: str, span: Span, written: str, amount_and_unit: tuple[int, str]
) -> None:
    assert Span.parse(text) == span
    assert str(span) == written
    assert Span.parse(str(span)) == span
    assert span.amount_and_unit == amount_and_unit


@pytest.mark.parametrize(
    "text",
    ["", "30", "days", "0 days", "0 working days", "-1 days", "1.5 months", "48 hours", "2 weeks",
     "1 year", "10001 days", "99999 months", "5 workingdays", "5 working  days", "1 month 2 days"],
)  # fmt: skip
def test_what_is_no_span_is_told_with_the_forms_allowed(text: str) -> None:
    with pytest.raises(ValueError, match='"30 days", "18 months" or "5 working days"'):
        Span.parse(text)


def no_holiday(day: date) -> bool:
    return False


@pytest.mark.parametrize(
    ("span", "since", "last"),
    [
        # The date itself is the first day: of one day it is the only one.
        ("1 day", "2026-11-24", "2026-11-24"),
        ("2 days", "2026-11-24", "2026-11-25"),
        ("30 days", "2026-11-01", "2026-11-30"),
        ("30 days", "2026-02-15", "2026-03-16"),  # fourteen days of February, then sixteen
        ("30 days", "2028-02-15", "2028-03-15"),  # fifteen in a leap year
        ("1 month", "2026-11-24", "2026-12-23"),
        ("1 month", "2026-12-15", "2027-01-14"),
        ("12 months", "2026-11-24", "2027-11-23"),
        ("18 months", "2025-05-24", "2026-11-23"),
        ("24 months", "2026-12-31", "2028-12-30"),
        # A month without such a day ends the span on its last day.
        ("1 month", "2026-01-31", "2026-02-27"),
        ("1 month", "2028-01-31", "2028-02-28"),
        ("1 month", "2026-01-28", "2026-02-27"),
        ("6 months", "2023-08-31", "2024-02-28"),
        ("3 months", "2026-08-31", "2026-11-29"),
        ("3 months", "2026-08-30", "2026-11-29"),
        ("12 months", "2028-02-29", "2029-02-27"),
        ("48 months", "2028-02-29", "2032-02-28"),
    ],
)
def test_days_and_months_are_reckoned_from_the_date_itself(
    span: str, since: str, last: str
) -> None:
    first, end = date.fromisoformat(since), date.fromisoformat(last)
    holds = Span.parse(span).holds
    assert not holds(first, first - timedelta(1), no_holiday)
    assert holds(first, first, no_holiday)
    assert holds(first, end, no_holiday)
    assert not holds(first, end + timedelta(1), no_holiday)


def french_holiday(day: date) -> bool:
    return day in holidays_of("FR", day.year)


@pytest.mark.parametrize(
    ("span", "since", "last"),
    [
        # Weeks without a holiday: 23 November 2026 is a Monday.
        ("1 working day", "2026-11-23", "2026-11-24"),
        ("1 working day", "2026-11-20", "2026-11-23"),  # Friday, then Monday
        ("5 working days", "2026-11-23", "2026-11-30"),  # 24 25 26 27, 30
        ("5 working days", "2026-11-20", "2026-11-27"),  # Friday: 23 to 27
        ("5 working days", "2026-11-21", "2026-11-27"),  # Saturday
        ("5 working days", "2026-11-22", "2026-11-27"),  # Sunday
        ("5 working days", "2026-11-19", "2026-11-26"),  # Thursday: 20, 23 to 26
        ("10 working days", "2026-11-13", "2026-11-27"),  # Friday: two full weeks
        # 11 November 2026 is a Wednesday.
        ("5 working days", "2026-11-06", "2026-11-16"),  # 9 10, 12 13, 16
        ("5 working days", "2026-11-11", "2026-11-18"),  # on it: 12 13, 16 17 18
        ("1 working day", "2026-11-10", "2026-11-12"),
        # Christmas is a Friday, New Year's Day the next: 28 29 30 31, 4.
        ("5 working days", "2026-12-24", "2027-01-04"),
        # Easter Monday 2027 is 29 March: 26, 30 31, 1 2.
        ("5 working days", "2027-03-25", "2027-04-02"),
    ],
)
def test_working_days_are_those_after_it_without_weekends_and_holidays(
    span: str, since: str, last: str
) -> None:
    first, end = date.fromisoformat(since), date.fromisoformat(last)
    holds = Span.parse(span).holds
    assert not holds(first, first - timedelta(1), french_holiday)
    assert holds(first, first, french_holiday)
    assert holds(first, end, french_holiday)
    assert not holds(first, end + timedelta(1), french_holiday)


def test_working_days_without_end_end_all_the_same() -> None:
    """Where every day is a holiday nothing is claimed for ever: five days are 24 at the most."""
    since = date(2026, 11, 1)
    holds = Span(working_days=5).holds
    assert holds(since, since + timedelta(24), lambda day: True)
    assert not holds(since, since + timedelta(25), lambda day: True)


def test_a_span_beyond_the_calendar_does_not_end() -> None:
    assert Span(months=10_000).holds(date(9500, 1, 1), date(9999, 12, 30), no_holiday)


SPANS = st.one_of(
    st.integers(1, 60).map(lambda n: Span(days=n)),
    st.integers(1, 30).map(lambda n: Span(months=n)),
    st.integers(1, 30).map(lambda n: Span(working_days=n)),
)
DATES = st.dates(date(2024, 1, 1), date(2029, 12, 31))


@settings(max_examples=200)
@given(SPANS, DATES, st.integers(-3, 1000))
def test_what_is_over_stays_over_and_nothing_holds_before_its_date(
    span: Span, since: date, later: int
) -> None:
    held = [span.holds(since, since + timedelta(n), french_holiday) for n in (later, later + 1)]
    assert held[0] or not held[1] or later == -1
    assert later >= 0 or not held[0]


@settings(max_examples=200)
@given(st.integers(1, 30), DATES, st.integers(0, 100))
def test_a_holiday_may_lengthen_working_days_and_never_shortens_them(
    amount: int, since: date, later: int
) -> None:
    span, today = Span(working_days=amount), since + timedelta(later)
    if span.holds(since, today, no_holiday):
        assert span.holds(since, today, french_holiday)
    # As many calendar days hold no more working days than that.
    if later < amount:
        assert span.holds(since, today, no_holiday)
