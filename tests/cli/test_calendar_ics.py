"""The iCalendar file: read back by a parser, its events are the windows as the rules hold them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from tests.cli.site import CONFIG, Site

from dialwarden.cli import policy_calendar
from dialwarden.cli.calendar_ics import open_spans
from dialwarden.numbers import zone
from dialwarden.policy.hours import Window, is_open, parse_windows

OWN = """
id = "own"
title = "Our own"
country = "FR"
[sources.act]
text = "An act with a name, as laws have them; longer than seventy-five octets where é is two"
confidence = "unverified"
[[regimes]]
id = "own-1"
title = "First"
from = 2026-01-01
[regimes.hours]
mon-fri = ["10:00-13:00", "14:00-20:00"]
source = "act"
[regimes.holidays]
calendar = "FR"
regional = "advisory"
source = "act"
[[regimes.holidays.local]]
regions = ["FR-57"]
day = "12-24"
name = "Veille; de Noël"
source = "act"
"""
OFFICE = """
[campaigns.office]
professional = "acme"
policy = "own"
[campaigns.office.tighten]
hours = { mon-fri = ["10:00-12:00"] }
closed = [2026-12-22]
"""


@pytest.fixture
def own(site: Site) -> Site:
    (site.folder / "own").mkdir()
    (site.folder / "own" / "own.toml").write_text(OWN)
    (site.folder / "dialwarden.toml").write_text('[policies]\npath = "own"\n' + CONFIG + OFFICE)
    return site


def ics(site: Site, *words: object) -> bytes:
    return site.run("policy", "calendar", *words, "--ics").stdout_bytes


def events(site: Site, *words: object) -> list[Any]:
    return Calendar.from_ical(ics(site, *words)).walk("VEVENT")


def told(event: Any) -> tuple[str, object, object]:
    return str(event["summary"]), event["dtstart"].dt, event["dtend"].dt


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_windows_are_instants_across_a_change_of_clocks(own: Site) -> None:
    """10:00 in Paris is 8:00 UTC on Friday, 9:00 on Monday: clocks go back between them."""
    allowed = "Calls allowed: sales calls, FR"
    assert [told(event) for event in events(own, "own", "--from", "2026-10-23", "--days", 4)] == [
        (allowed, utc("2026-10-23 08:00"), utc("2026-10-23 11:00")),
        (allowed, utc("2026-10-23 12:00"), utc("2026-10-23 18:00")),
        (allowed, utc("2026-10-26 09:00"), utc("2026-10-26 12:00")),
        (allowed, utc("2026-10-26 13:00"), utc("2026-10-26 19:00")),
    ]


def test_holidays_are_whole_days(own: Site) -> None:
    got = events(own, "own", "--from", "2026-12-24", "--days", 2)
    assert [told(event) for event in got] == [
        (
            "Perhaps no calls: Veille; de Noël, if the callee is in FR-57",
            date(2026, 12, 24),
            date(2026, 12, 25),
        ),
        ("Calls allowed: sales calls, FR", utc("2026-12-24 09:00"), utc("2026-12-24 12:00")),
        ("Calls allowed: sales calls, FR", utc("2026-12-24 13:00"), utc("2026-12-24 19:00")),
        ("No calls: Noël", date(2026, 12, 25), date(2026, 12, 26)),
    ]
    (caution,) = events(own, "own", "--from", "2026-12-24", "--days", 1, "--region", "FR-57")
    assert told(caution)[0] == "No calls: Veille; de Noël in FR-57, out of caution"


def test_a_campaign_closes_days_and_hours(own: Site) -> None:
    got = events(own, "own", "--campaign", "office", "--from", "2026-12-21", "--days", 2)
    assert [told(event) for event in got] == [
        (
            "Calls allowed: sales calls, FR, campaign office",
            utc("2026-12-21 09:00"),
            utc("2026-12-21 11:00"),
        ),
        ("No calls: closed by the campaign", date(2026, 12, 22), date(2026, 12, 23)),
    ]


def test_each_clock_of_a_region_has_its_events(own: Site) -> None:
    """08:00-20:00 in Florida: from 13:00 UTC in the east, from 14:00 in the Panhandle."""
    got = events(own, "us", "--region", "US-FL", "--from", "2026-12-21", "--days", 1)
    assert [told(event) for event in got] == [
        (
            f"Calls allowed: sales calls, US-FL ({clock})",
            utc(f"2026-12-21 {13 + later}:00"),
            utc(f"2026-12-22 0{1 + later}:00"),
        )
        for later, clock in enumerate(("America/New_York", "America/Chicago"))
    ]


def test_what_nobody_read_is_said_in_every_event(own: Site) -> None:
    for event in events(own, "own", "--from", "2026-12-24", "--days", 2):
        assert "two (UNVERIFIED: do not rely on it)" in event["description"]


def test_the_file_is_as_the_standard_has_it(own: Site) -> None:
    lines = ics(own, "own", "--from", "2026-12-21", "--days", 7).split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    assert not any(b"\n" in line or len(line) > 75 for line in lines)
    # Something was long enough to be folded.
    assert any(line.startswith(b" ") for line in lines)


def test_a_newer_file_has_the_same_events(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for now in ("2026-11-22 10:00", "2026-11-23 11:30"):
        monkeypatch.setattr(policy_calendar, "utc_now", lambda now=now: utc(now))
        got = events(own, "own", "--from", "2026-12-21", "--days", 7)
        assert {event["dtstamp"].dt for event in got} == {utc(now)}
        names.append([str(event["uid"]) for event in got])
    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0])


def test_other_regions_purposes_and_campaigns_have_events_of_their_own(own: Site) -> None:
    day = ("own", "--from", "2026-12-21", "--days", 1)
    others = [(), ("--region", "FR-57"), ("--purpose", "survey"), ("--campaign", "office")]
    names = [{str(event["uid"]) for event in events(own, *day, *words)} for words in others]
    assert len(set.union(*names)) == sum(map(len, names))


def test_a_file_without_an_event_is_none(own: Site) -> None:
    told = own.err("policy", "calendar", "own", "--from", "2026-12-26", "--days", 2, "--ics",
                   status=1)  # fmt: skip
    assert "nothing to write" in told


PARIS = zone("Europe/Paris")

# name, windows, day, the spans in UTC
SPANS: list[tuple[str, str, str, list[tuple[str, str]]]] = [
    ("a day like any", "10:00-13:00 14:00-24:00", "2026-12-21",
     [("2026-12-21 09:00", "2026-12-21 12:00"), ("2026-12-21 13:00", "2026-12-21 23:00")]),
    ("a whole day of 25 hours", "00:00-24:00", "2026-10-25",
     [("2026-10-24 22:00", "2026-10-25 23:00")]),
    ("a whole day of 23 hours", "00:00-24:00", "2027-03-28",
     [("2027-03-27 23:00", "2027-03-28 22:00")]),
    # 02:00-03:00 is there twice: first at +02:00, then at +01:00.
    ("a window repeated", "02:30-03:30", "2026-10-25",
     [("2026-10-25 00:30", "2026-10-25 01:00"), ("2026-10-25 01:30", "2026-10-25 02:30")]),
    # 02:00-03:00 is not there at all.
    ("a window skipped", "02:00-03:00", "2027-03-28", []),
    ("a window skipped in part", "02:30-03:30", "2027-03-28",
     [("2027-03-28 01:00", "2027-03-28 01:30")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("windows", "day", "spans"), [row[1:] for row in SPANS], ids=[row[0] for row in SPANS]
)
def test_real_spans_of_a_day(windows: str, day: str, spans: list[tuple[str, str]]) -> None:
    found = open_spans(parse_windows(windows.split()), date.fromisoformat(day), PARIS)
    assert found == [(utc(start), utc(end)) for start, end in spans]


@given(
    name=st.sampled_from(["Europe/Paris", "America/Santiago", "Australia/Lord_Howe", "Asia/Tokyo"]),
    days=st.integers(0, 800),
    bounds=st.lists(st.integers(0, 24 * 4), min_size=2, max_size=6, unique=True),
    minute=st.integers(0, 24 * 60 - 1),
)
def test_an_instant_lies_in_a_span_when_the_hours_rule_finds_it_open(
    name: str, days: int, bounds: list[int], minute: int
) -> None:
    """Clocks that change at midnight (Santiago) and by half an hour (Lord Howe) are among them."""
    clock = zone(name)
    day = date(2026, 1, 1) + timedelta(days)
    marks = sorted(bounds)
    pairs = zip(marks[::2], marks[1::2], strict=False)
    windows = tuple(Window(900 * start, 900 * end) for start, end in pairs)
    instant = datetime.combine(day, time(0), tzinfo=UTC) + timedelta(minutes=minute)
    local = instant.astimezone(clock)
    spans = open_spans(windows, local.date(), clock)
    assert any(start <= instant < end for start, end in spans) == is_open(windows, local)
    assert all(start < end for start, end in spans)
