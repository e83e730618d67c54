"""Periods: calendar days in the callee's zone, or rolling hours and minutes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.policy.period import Period, day_start, whole_second_up

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "period", "written"),
    [
        ("30 days", Period(days=30), "30 days"),
        ("1 day", Period(days=1), "1 day"),
        ("1 days", Period(days=1), "1 day"),
        ("48 hours", Period(rolling=timedelta(hours=48)), "48 hours"),
        ("1 hour", Period(rolling=timedelta(hours=1)), "1 hour"),
        ("90 minutes", Period(rolling=timedelta(minutes=90)), "90 minutes"),
        ("60 minutes", Period(rolling=timedelta(hours=1)), "1 hour"),
        (" 2 Hours ", Period(rolling=timedelta(hours=2)), "2 hours"),
        ("2hours", Period(rolling=timedelta(hours=2)), "2 hours"),
        ("24 hours", Period(rolling=timedelta(hours=24)), "24 hours"),  # never "1 day"
    ],
)
def test_a_period_is_read_and_written(text: str, period: Period, written: str) -> None:
    assert Period.parse(text) == period
    assert str(period) == written
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    "text", ["", "30", "days", "0 days", "000 hours", "-1 days", "1.5 hours", "2 weeks", "1 month",
             "30 seconds", "100000 days", "1 day 2 hours", "٣ days x"],
)  # fmt: skip
def test_what_is_no_period_is_told_with_the_forms_allowed(text: str) -> None:
    with pytest.raises(ValueError, match='"30 days", "48 hours" or "90 minutes"'):
        Period.parse(text)


@pytest.mark.parametrize(
    ("past", "now", "period", "held"),
    [
        ("2026-11-03T00:00+01:00", "2026-12-02T23:59+01:00", "30 days", True),
        ("2026-11-02T23:59+01:00", "2026-12-02T00:00+01:00", "30 days", False),
        ("2026-11-02T23:30+00:00", "2026-12-02T12:00+01:00", "30 days", True),  # the 3rd in Paris
        ("2026-11-24T10:00+01:00", "2026-11-26T09:59:59+01:00", "48 hours", True),
        ("2026-11-24T10:00+01:00", "2026-11-26T10:00:00+01:00", "48 hours", False),
        # Across the change of 25 October the wall clocks are 47 hours apart, the instants 48.
        ("2026-10-24T12:00+02:00", "2026-10-26T10:59:59+01:00", "48 hours", True),
        ("2026-10-24T12:00+02:00", "2026-10-26T11:00:00+01:00", "48 hours", False),
        ("2026-11-26T10:00+01:00", "2026-11-24T10:00+01:00", "1 hour", True),  # in the future
        ("2026-11-26T10:00+01:00", "2026-11-24T10:00+01:00", "1 day", True),
    ],
)
def test_what_a_period_holds(past: str, now: str, period: str, held: bool) -> None:
    instants = datetime.fromisoformat(past), datetime.fromisoformat(now)
    assert Period.parse(period).holds(*instants, PARIS) is held


ZONES = st.sampled_from(
    ["Europe/Paris", "Africa/Cairo", "America/Santiago", "Asia/Beirut", "America/Havana",
     "Australia/Lord_Howe", "Pacific/Apia"]
).map(ZoneInfo)  # fmt: skip
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
PERIODS = st.one_of(
    st.integers(1, 40).map(lambda days: Period(days=days)),
    st.integers(1, 9000).map(lambda minutes: Period(rolling=timedelta(minutes=minutes))),
)


@settings(max_examples=200)
@given(INSTANTS, PERIODS, ZONES)
def test_an_event_is_held_until_it_leaves_and_not_after(
    past: datetime, period: Period, zone: ZoneInfo
) -> None:
    leaves = period.leaves(past, zone)
    assert leaves.tzinfo is zone
    assert leaves > past
    assert not period.holds(past, leaves.astimezone(UTC), zone)
    assert period.holds(past, leaves.astimezone(UTC) - timedelta(microseconds=1), zone)
    # What is read from the ledger reaches back far enough.
    assert leaves.astimezone(UTC) - past <= period.longest


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        ("Europe/Paris", "2026-10-25", "2026-10-25T00:00:00+02:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"),  # midnight is skipped
        ("America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-29T01:00:00+03:00"),
        ("Asia/Beirut", "2026-10-25", "2026-10-25T00:00:00+02:00"),  # 23:00 was repeated
        ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"),  # the first of two
    ],
)
def test_a_day_starts_at_its_first_real_instant(zone: str, day: str, first: str) -> None:
    start = day_start(date.fromisoformat(day), ZoneInfo(zone))
    assert start.isoformat() == first
    before = (start.astimezone(UTC) - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    assert before.date() == start.date() - timedelta(days=1)


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-11-24T10:00:00+00:00", "Europe/Paris", "2026-11-24T11:00:00+01:00"),
        ("2026-11-24T10:00:00.000001+00:00", "Europe/Paris", "2026-11-24T11:00:01+01:00"),
        ("2026-11-24T22:59:59.999999+00:00", "Europe/Paris", "2026-11-25T00:00:00+01:00"),
        # Over a change of the clock, forward and back.
        ("2027-03-28T00:59:59.5+00:00", "Europe/Paris", "2027-03-28T03:00:00+02:00"),
        ("2026-10-25T00:59:59.5+00:00", "Europe/Paris", "2026-10-25T02:00:00+01:00"),
        ("2026-10-25T01:30:00.5+00:00", "Europe/Paris", "2026-10-25T02:30:01+01:00"),
    ],
)
def test_an_instant_is_rounded_up_to_the_second_on_its_own_clock(
    at: str, zone: str, expected: str
) -> None:
    rounded = whole_second_up(datetime.fromisoformat(at).astimezone(ZoneInfo(zone)))
    assert rounded.isoformat() == expected
    assert rounded.tzinfo is ZoneInfo(zone)
