"""Dates and instants as people and spreadsheets write them.

    2026-12-24T20:00+01:00   ISO 8601 with an offset or Z; a blank may stand for the T
    2026-12-24T20:00         without one: read in the zone that the caller knows, if it is one
    24/12/2026 20:00         day first, always: 12/24/2026 is refused, not guessed at
    2026-12-24, 24/12/2026   a date

A date is no instant, and midnight is not what was meant; where only the day matters, `read_past`
takes it the strict way. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Literal

from dialwarden.policy.period import day_start

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r" ?(Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_DAY_FIRST = re.compile(
    r"(\d{1,2})([/.])(\d{1,2})\2(\d{4})(?:,? +(\d{1,2}):(\d{2})(?::(\d{2}))?)?()()", re.ASCII
)
_SHOWN = 40
_ZONES_NAMED = 3
# Null dates of other programs (0001-01-01, 9999-12-31) are no instants at which anything was said.
_FIRST_YEAR, _LAST_YEAR = 1900, 2100

# Which of the two is meant when a wall clock shows a time twice, in the hour that autumn repeats.
Repeated = Literal["earlier", "later", "refuse"]


class InstantError(ValueError):
    """A text is no date, or no instant; the sentence says what may be written."""


class NoOffset(InstantError):
    """An instant without an offset, where no zone, or more than one, could be meant."""

    def __init__(self, text: str, zones: Sequence[tzinfo] = ()) -> None:
        named = " or ".join(map(str, zones[:_ZONES_NAMED]))
        more = f" or {len(zones) - _ZONES_NAMED} more zones" if len(zones) > _ZONES_NAMED else ""
        of = f", and it may be of {named}{more}" if zones else ""
        super().__init__(
            f"{text[:_SHOWN]!a} has no offset from UTC{of}; write one: 2026-12-24T20:00+01:00"
        )


def read_date(text: str) -> date:
    """Read `2026-12-24` or `24/12/2026`.

    Raises:
        InstantError: anything else.
    """
    parts = _parts(text)
    if parts is None or parts.clock is not None:
        raise InstantError(f"{text[:_SHOWN]!a} is no date; write 2026-12-24")
    return parts.day


def read_instant(
    text: str, zones: Sequence[tzinfo] = (), *, repeated: Repeated = "refuse"
) -> datetime:
    """Read an instant; it comes back aware, in UTC.

    Args:
        zones: where a text without an offset may have been written. One is enough; several must
            all give the same instant.
        repeated: what a time is that occurred twice.

    Raises:
        NoOffset: there is no offset, and the zones do not settle it.
        InstantError: not an instant, or one that no clock in the zone ever showed.
    """
    parts = _parts(text)
    if parts is None:
        raise InstantError(f"{text[:_SHOWN]!a} is no instant; write 2026-12-24T20:00+01:00")
    if parts.clock is None:
        raise InstantError(f"{text[:_SHOWN]!a} has no time of day; write 2026-12-24T20:00")
    wall = datetime.combine(parts.day, datetime.min.time()) + parts.clock
    if parts.offset is not None:
        return _in_utc(wall.replace(tzinfo=timezone(parts.offset)), text)
    if not zones:
        raise NoOffset(text)
    found = {_in_zone(wall, zone, text, repeated) for zone in zones}
    if len(found) > 1:
        raise NoOffset(text, zones)
    return found.pop()


def read_past(
    text: str, zones: Sequence[tzinfo], *, day: Literal["start", "end"], now: datetime
) -> datetime:
    """Read when something was said, of which people may know the day alone; aware, in UTC.

    Args:
        zones: where it was said; of several, the strictest holds.
        day: what a date stands for: its start for a yes, since a no of the same day must come
            after it; its end for a no, but not later than `now`.

    Raises:
        NoOffset, InstantError: as `read_instant`.
    """
    repeated: Repeated = "earlier" if day == "start" else "later"
    parts = _parts(text)
    if parts is None or parts.clock is not None:
        return read_instant(text, zones, repeated=repeated)
    if not zones:
        raise NoOffset(text)
    try:
        start = min(day_start(parts.day, zone).astimezone(UTC) for zone in zones)
        end = max(day_start(parts.day + timedelta(1), zone).astimezone(UTC) for zone in zones)
    except OverflowError:  # 9999-12-31 and 0001-01-01 are what databases write for "none"
        raise InstantError(f"{text[:_SHOWN]!a} is out of every calendar") from None
    if day == "start":
        return start
    last = end - timedelta(microseconds=1)
    return min(last, now) if start <= now else last


def _in_zone(wall: datetime, zone: tzinfo, text: str, repeated: Repeated) -> datetime:
    earlier = _in_utc(wall.replace(tzinfo=zone), text)
    later = _in_utc(wall.replace(tzinfo=zone, fold=1), text)
    if earlier == later:
        return earlier
    # PEP 495: in a gap the two readings come in the wrong order.
    if earlier > later:
        raise InstantError(f"{text[:_SHOWN]!a} does not exist in {zone}: clocks went forward")
    if repeated == "refuse":
        raise InstantError(
            f"{text[:_SHOWN]!a} occurred twice in {zone}: clocks went back; write an offset"
        )
    return earlier if repeated == "earlier" else later


def _in_utc(instant: datetime, text: str) -> datetime:
    try:
        found = instant.astimezone(UTC)
    except OverflowError:
        raise InstantError(f"{text[:_SHOWN]!a} is out of every calendar") from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise InstantError(
            f"{text[:_SHOWN]!a} is out of the years {_FIRST_YEAR} to {_LAST_YEAR}, of which "
            "holidays are known"
        )
    return found


class _Parts:
    """A text's date, its time of day (None: there is none) and its offset (None: likewise)."""

    __slots__ = ("clock", "day", "offset")

    def __init__(self, day: date, clock: timedelta | None, offset: timedelta | None) -> None:
        self.day = day
        self.clock = clock
        self.offset = offset


def _parts(text: str) -> _Parts | None:
    text = text.strip()
    match = _ISO.fullmatch(text)
    if match:
        year, month, day = match[1], match[2], match[3]
    else:
        match = _DAY_FIRST.fullmatch(text)
        if not match:
            return None
        day, month, year = match[1], match[3], match[4]
        if int(month) > 12 >= int(day):
            raise InstantError(
                f"{text[:_SHOWN]!a} has no month {month}: days come first here; "
                f"write {year}-{int(day):02}-{int(month):02}"
            )
    hour, minute, second, fraction, offset = match.groups()[-5:]
    try:
        found = date(int(year), int(month), int(day))
        if hour is None:
            return None if offset else _Parts(found, None, None)
        clock = datetime(1, 1, 1, int(hour), int(minute), int(second or 0))
    except ValueError:
        raise InstantError(f"{text[:_SHOWN]!a} is no date and time that exists") from None
    time_of_day = clock - datetime(1, 1, 1)
    if fraction:
        time_of_day += timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
    return _Parts(found, time_of_day, _offset(offset) if offset else None)


def _offset(text: str) -> timedelta:
    if text in "Zz":
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise InstantError(f"{text} is no offset from UTC; write one such as +01:00")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text[0] == "-" else offset
