"""Hours of the week: reading, intersecting, and what opens on the day of a clock change."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.policy.hours import (
    WEEKDAYS,
    Window,
    Windows,
    clock_changes,
    intersect,
    is_open,
    openings,
    parse_week,
    parse_windows,
)


@pytest.mark.parametrize(
    ("text", "seconds", "written"),
    [
        ("10:00-13:00", (36000, 46800), "10:00-13:00"),
        (" 09:30 - 09:31 ", (34200, 34260), "09:30-09:31"),
        ("00:00-24:00", (0, 86400), "00:00-24:00"),
        ("23:59-24:00", (86340, 86400), "23:59-24:00"),
    ],
)
def test_a_window_is_read_and_written(text: str, seconds: tuple[int, int], written: str) -> None:
    window = Window.parse(text)
    assert (window.start_s, window.end_s) == seconds
    assert str(window) == written


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no window"),
        ("10:00", "is no window"),
        ("10-13", "is no window"),
        ("9:00-13:00", "is no window"),
        ("10:00-25:00", "is no window"),
        ("24:00-24:00", "is no window"),
        ("10:00-24:01", "is no window"),
        ("10:60-13:00", "is no window"),
        ("10:00:00-13:00:00", "is no window"),
        ("10:00-10:00", "ends at or before its start"),
        ("13:00-10:00", "crosses midnight is two"),
        ("22:00-00:00", "crosses midnight is two"),
    ],
)
def test_what_is_no_window_is_told(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Window.parse(text)


@pytest.mark.parametrize(
    ("texts", "written"),
    [
        ([], ""),
        (["14:00-20:00", "10:00-13:00"], "10:00-13:00 14:00-20:00"),
        (["10:00-13:00", "13:00-20:00"], "10:00-20:00"),
        (["00:00-01:00", "01:00-02:00", "03:00-24:00"], "00:00-02:00 03:00-24:00"),
    ],
)
def test_windows_are_put_in_order_and_joined_where_they_touch(
    texts: list[str], written: str
) -> None:
    assert " ".join(map(str, parse_windows(texts))) == written


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["10:00-13:00", "12:59-14:00"], "windows 10:00-13:00 and 12:59-14:00 overlap"),
        (["10:00-13:00", "10:00-13:00"], "windows 10:00-13:00 and 10:00-13:00 overlap"),
        (["10:00-20:00", "12:00-13:00"], "windows 10:00-20:00 and 12:00-13:00 overlap"),
    ],
)
def test_windows_that_overlap_are_told(texts: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_windows(texts)


@pytest.mark.parametrize(
    ("table", "open_days"),
    [
        ({}, ""),
        ({"mon-fri": ["10:00-13:00"]}, "mon tue wed thu fri"),
        ({"mon-sun": ["10:00-13:00"]}, "mon tue wed thu fri sat sun"),
        ({"MON-Tue": ["10:00-13:00"], "sat": ["10:00-12:00"], "sun": []}, "mon tue sat"),
        ({"wed-wed": ["10:00-13:00"]}, "wed"),
    ],
)
def test_days_not_named_are_closed(table: dict[str, list[str]], open_days: str) -> None:
    week = parse_week(table)
    monday = date(2026, 11, 23)
    is_named = [bool(week.on(monday + timedelta(n))) for n in range(7)]
    assert " ".join(d for d, named in zip(WEEKDAYS, is_named, strict=True) if named) == open_days


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"monday": []}, "'monday' is no day"),
        ({"": []}, "'' is no day"),
        ({"fri-mon": []}, "'fri-mon' is no day"),
        ({"mon-": []}, "'mon-' is no day"),
        ({"mon-wed-fri": []}, "'mon-wed-fri' is no day"),
        ({"mon-wed": [], "wed": []}, "wed is named twice, by 'wed' and another key"),
        ({"mon": ["10:00"]}, "'10:00' is no window"),
    ],
)
def test_a_week_that_cannot_be_read_is_told(table: dict[str, list[str]], complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse_week(table)


MINUTES = st.integers(0, 24 * 60)
WINDOWS: st.SearchStrategy[Windows] = st.lists(MINUTES, max_size=8, unique=True).map(
    lambda edges: tuple(
        Window(a * 60, b * 60)
        for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)
    )
)


@settings(max_examples=150)
@given(WINDOWS, WINDOWS, st.integers(0, 86399))
def test_an_intersection_is_open_where_both_are(left: Windows, right: Windows, second: int) -> None:
    clock = datetime(2026, 11, 24) + timedelta(seconds=second)
    both = intersect(left, right)
    assert is_open(both, clock) == (is_open(left, clock) and is_open(right, clock))
    assert list(both) == sorted(both)
    assert intersect(right, left) == both


@pytest.mark.parametrize(
    ("zone", "day", "texts", "opens"),
    [
        pytest.param("Europe/Paris", "2026-11-24", ["10:00-13:00", "14:00-20:00"],
                     ["10:00:00+01:00", "14:00:00+01:00"], id="a day without a change"),
        pytest.param("Europe/Paris", "2026-11-24", [], [], id="a closed day"),
        pytest.param("Europe/Paris", "2026-10-25", ["10:00-13:00"], ["10:00:00+01:00"],
                     id="long after the change"),
        pytest.param("Europe/Paris", "2026-10-25", ["01:00-04:00"], ["01:00:00+02:00"],
                     id="open through the repeated hour: once"),
        pytest.param("Europe/Paris", "2026-10-25", ["02:00-03:00"], ["02:00:00+02:00"],
                     id="the repeated hour itself: once, two hours long"),
        pytest.param("Europe/Paris", "2026-10-25", ["02:30-03:00"],
                     ["02:30:00+02:00", "02:30:00+01:00"], id="start repeated: twice"),
        pytest.param("Europe/Paris", "2026-10-25", ["01:30-02:30"],
                     ["01:30:00+02:00", "02:00:00+01:00"], id="end repeated: twice"),
        pytest.param("Europe/Paris", "2027-03-28", ["01:00-04:00"], ["01:00:00+01:00"],
                     id="open through the skipped hour: once"),
        pytest.param("Europe/Paris", "2027-03-28", ["02:30-04:00"], ["03:00:00+02:00"],
                     id="start skipped: at the change"),
        pytest.param("Europe/Paris", "2027-03-28", ["02:00-03:00"], [], id="skipped whole"),
        pytest.param("Europe/Paris", "2027-03-28", ["01:00-01:45", "02:30-03:30"],
                     ["01:00:00+01:00", "03:00:00+02:00"], id="never inside an open window"),
        pytest.param("Africa/Cairo", "2026-04-24", ["00:30-05:00"], ["01:00:00+03:00"],
                     id="start in a skipped midnight hour"),
        pytest.param("Africa/Cairo", "2026-04-23", ["00:00-24:00"], ["00:00:00+02:00"],
                     id="the day before a skipped midnight"),
        pytest.param("Africa/Cairo", "2026-04-24", ["00:00-24:00"], ["01:00:00+03:00"],
                     id="the day that begins late"),
        pytest.param("America/Havana", "2025-11-02", ["00:15-00:45"],
                     ["00:15:00-04:00", "00:15:00-05:00"], id="repeated after midnight"),
        pytest.param("Asia/Beirut", "2026-10-24", ["23:30-24:00"],
                     ["23:30:00+03:00", "23:30:00+02:00"], id="repeated before midnight"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", ["02:15-03:00"], ["02:30:00+11:00"],
                     id="half an hour skipped"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", ["01:45-02:00"],
                     ["01:45:00+11:00", "01:45:00+10:30"], id="half an hour repeated"),
    ],
)  # fmt: skip
def test_openings(zone: str, day: str, texts: list[str], opens: list[str]) -> None:
    found = openings(parse_windows(texts), date.fromisoformat(day), ZoneInfo(zone))
    assert [str(opening) for opening in found] == [f"{day} {clock}" for clock in opens]


@pytest.mark.parametrize(
    ("zone", "day", "changes"),
    [
        ("Europe/Paris", "2026-10-24", []),
        ("Europe/Paris", "2026-10-25", ["2026-10-25T01:00:00+00:00"]),
        ("Europe/Paris", "2026-10-26", []),
        ("Africa/Cairo", "2026-04-23", []),
        ("Africa/Cairo", "2026-04-24", ["2026-04-23T22:00:00+00:00"]),
        ("Africa/Cairo", "2026-04-25", []),
        ("Asia/Beirut", "2026-10-24", ["2026-10-24T21:00:00+00:00"]),
        ("Asia/Beirut", "2026-10-25", []),
    ],
)
def test_clock_changes_belong_to_one_date(zone: str, day: str, changes: list[str]) -> None:
    found = clock_changes(date.fromisoformat(day), ZoneInfo(zone))
    assert [change.isoformat() for change in found] == changes


@settings(max_examples=40)
@given(
    WINDOWS,
    st.sampled_from(
        [("Europe/Paris", "2026-10-25"), ("Europe/Paris", "2027-03-28"),
         ("America/Santiago", "2026-04-04"), ("America/Santiago", "2026-09-06"),
         ("America/Havana", "2026-03-08"), ("America/Havana", "2025-11-02"),
         ("Australia/Lord_Howe", "2026-10-04"), ("Africa/Casablanca", "2026-02-15")]
    ),
)  # fmt: skip
def test_openings_are_the_minutes_at_which_closed_turns_open(
    windows: Windows, where: tuple[str, str]
) -> None:
    zone, day = ZoneInfo(where[0]), date.fromisoformat(where[1])
    minute = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    minute -= timedelta(hours=2)
    expected, was_open = [], False
    for _ in range(28 * 60):
        local = minute.astimezone(zone)
        now_open = local.date() == day and is_open(windows, local)
        if now_open and not was_open:
            expected.append(minute)
        was_open = now_open
        minute += timedelta(minutes=1)
    assert [opening.astimezone(UTC) for opening in openings(windows, day, zone)] == expected
