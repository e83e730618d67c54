"""Dates and instants as people write them: what is read, what is refused and not guessed at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.imports.instants import (
    InstantError,
    NoOffset,
    Repeated,
    read_date,
    read_instant,
    read_past,
)

PARIS = ZoneInfo("Europe/Paris")
REUNION = ZoneInfo("Indian/Reunion")
ROME = ZoneInfo("Europe/Rome")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24T20:00+01:00", utc(2026, 12, 24, 19)),
        ("2026-12-24 20:00:30+0100", utc(2026, 12, 24, 19, 0, 30)),
        ("2026-12-24T20:00:00Z", utc(2026, 12, 24, 20)),
        ("2026-12-24T20:00:00.250z", utc(2026, 12, 24, 20, 0, 0, 250000)),
        ("2026-12-24T20:00:00,123456789+00", utc(2026, 12, 24, 20, 0, 0, 123456)),
        ("2026-12-24 20:00 -03:30", utc(2026, 12, 24, 23, 30)),
        ("  2026-12-24T20:00Z ", utc(2026, 12, 24, 20)),
        # In Paris, where the file was written.
        ("2026-12-24T20:00", utc(2026, 12, 24, 19)),
        ("2026-07-14 20:00:00", utc(2026, 7, 14, 18)),
        ("24/12/2026 20:00", utc(2026, 12, 24, 19)),
        ("24.12.2026 20:00:15", utc(2026, 12, 24, 19, 0, 15)),
        ("3/4/2026 9:05", utc(2026, 4, 3, 7, 5)),
    ],
)
def test_is_read(text: str, expected: datetime) -> None:
    assert read_instant(text, [PARIS]) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no instant"),
        ("tomorrow", "no instant"),
        ("2026-12-24", "no time of day"),
        ("24/12/2026", "no time of day"),
        ("2026-13-24T20:00Z", "no date and time that exists"),
        ("2026-02-30T20:00Z", "no date and time that exists"),
        ("2026-12-24T24:00Z", "no date and time that exists"),
        ("2026-12-24T20:61Z", "no date and time that exists"),
        ("2026-12-24T20:00+25:00", "no offset"),
        ("12/24/2026 20:00", "days come first here; write 2026-24-12".replace("24-12", "12-24")),
        ("32/13/2026 20:00", "no date and time that exists"),
        ("20261224T2000Z", "no instant"),
        ("٢٠٢٦-12-24T20:00Z", "no instant"),
        ("2026-03-29T02:30", "clocks went forward"),
        ("2026-10-25T02:30", "clocks went back"),
        ("0001-01-01T00:00+14:00", "out of every calendar"),
        ("45650.8333", "no instant"),
    ],
)
def test_is_refused_with_a_sentence(text: str, told: str) -> None:
    with pytest.raises(InstantError, match=r".") as caught:
        read_instant(text, [PARIS])
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("repeated", "expected"),
    [("earlier", utc(2026, 10, 25, 0, 30)), ("later", utc(2026, 10, 25, 1, 30))],
)
def test_of_a_repeated_hour_the_one_asked_for(repeated: Repeated, expected: datetime) -> None:
    assert read_instant("2026-10-25T02:30", [PARIS], repeated=repeated) == expected


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("day", ["start", "end"])
def test_a_day_at_the_end_of_all_calendars_is_refused(
    text: str, day: Literal["start", "end"]
) -> None:
    with pytest.raises(InstantError, match="out of every calendar"):
        read_past(text, [PARIS, ZoneInfo("America/New_York")], day=day, now=datetime.now(UTC))


def test_without_a_zone_an_offset_is_asked_for() -> None:
    with pytest.raises(NoOffset, match="has no offset from UTC; write one"):
        read_instant("2026-12-24T20:00")


def test_several_zones_with_the_same_clock_are_one() -> None:
    assert read_instant("2026-12-24T20:00", [PARIS, ROME]) == utc(2026, 12, 24, 19)


def test_several_zones_that_differ_are_named() -> None:
    with pytest.raises(NoOffset, match="Europe/Paris or Indian/Reunion"):
        read_instant("2026-12-24T20:00", [PARIS, REUNION])


@pytest.mark.parametrize("text", ["2026-12-24", "24/12/2026", "24.12.2026", " 2026-12-24 "])
def test_dates_are_read(text: str) -> None:
    assert read_date(text) == date(2026, 12, 24)


@pytest.mark.parametrize("text", ["", "24/13/2026", "2026-12-24T20:00", "24-12-2026", "24/12.2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InstantError):
        read_date(text)


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_an_error(text: str) -> None:
    try:
        found: datetime | str = read_instant(text, [PARIS])
    except InstantError as error:
        found = str(error)
    assert found.isascii() if isinstance(found, str) else found.tzinfo is UTC


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1)))
def test_what_isoformat_writes_is_read_back(wall: datetime) -> None:
    instant = wall.replace(tzinfo=UTC)
    assert read_instant(instant.astimezone(PARIS).isoformat()) == instant


NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("2026-11-19", "start", "2026-11-18T23:00:00+00:00"),
        ("2026-11-19", "end", "2026-11-19T22:59:59.999999+00:00"),
        ("20/11/2026", "end", "2026-11-20T15:00:00+00:00"),  # today: not later than now
        ("2026-11-21", "end", "2026-11-21T22:59:59.999999+00:00"),  # tomorrow stays tomorrow
        ("2026-11-19T10:00", "start", "2026-11-19T09:00:00+00:00"),
    ],
)
def test_a_day_is_taken_the_strict_way(
    text: str, day: Literal["start", "end"], expected: str
) -> None:
    assert read_past(text, (PARIS,), day=day, now=NOW).isoformat() == expected
