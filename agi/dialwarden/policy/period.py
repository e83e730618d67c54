"""A length of time as laws write it: calendar days in the callee's zone, or rolling hours.

A period in days is made of calendar days, the day of the call being the last of them; one in
hours or minutes is rolling, and what is exactly that old has left it. Also the two roundings of
instants that laws and answers lean on: a local day's start, and up to the whole second.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_PERIOD = re.compile(r"(\d{1,5}) *(day|hour|minute)s?")
PERIOD_FORMS = '"30 days", "48 hours" or "90 minutes"'


@dataclass(frozen=True, slots=True)
class Period:
    """Either `days` calendar days or a `rolling` span; exactly one is set."""

    days: int = 0
    rolling: timedelta = timedelta(0)

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read "30 days", "48 hours", "90 minutes".

        Raises:
            ValueError: anything else, or nothing at all ("0 days").
        """
        match = _PERIOD.fullmatch(text.strip().lower())
        if match is None or not int(match[1]):
            raise ValueError(f"{text!r} is no period; write {PERIOD_FORMS}")
        amount = int(match[1])
        if match[2] == "day":
            return cls(days=amount)
        unit = timedelta(hours=1) if match[2] == "hour" else timedelta(minutes=1)
        return cls(rolling=amount * unit)

    @property
    def amount_and_unit(self) -> tuple[int, str]:
        """The period as it is written: (30, "day"), (48, "hour") or (90, "minute")."""
        if self.days:
            return self.days, "day"
        minutes = int(self.rolling.total_seconds()) // 60
        return (minutes, "minute") if minutes % 60 else (minutes // 60, "hour")

    def __str__(self) -> str:
        amount, unit = self.amount_and_unit
        return f"{amount} {unit}" + ("s" if amount > 1 else "")

    @property
    def longest(self) -> timedelta:
        """A span that surely holds the period, whatever the zone and its clock changes."""
        # A calendar day may be 25 hours long, and the first one counts from its midnight.
        return timedelta(days=self.days + 1, hours=2) if self.days else self.rolling

    def holds(self, past: datetime, now: datetime, zone: tzinfo) -> bool:
        """Whether an event at `past` lies in the period that ends at `now`.

        What lies after `now` (a clock that jumped back) is held too: it must not be forgotten.
        """
        if self.days:
            return past.astimezone(zone).date() > now.astimezone(zone).date() - timedelta(self.days)
        # In UTC: taking hours from a wall clock would ignore the changes in between.
        return past > now.astimezone(UTC) - self.rolling

    def leaves(self, past: datetime, zone: tzinfo) -> datetime:
        """The first instant, aware in `zone`, at which an event at `past` is held no longer."""
        if self.days:
            return day_start(past.astimezone(zone).date() + timedelta(self.days), zone)
        # Through UTC: adding to a local time would ignore the clock changes in between.
        return (past.astimezone(UTC) + self.rolling).astimezone(zone)


_SPAN = re.compile(r"(\d{1,5}) *(day|month|working day)s?")
SPAN_FORMS = '"30 days", "18 months" or "5 working days"'


@dataclass(frozen=True, slots=True)
class Span:
    """How long after a date something holds; exactly one of the three is set.

    Days and months are reckoned from the date itself: of "30 days" the twenty-ninth day after it
    is the last. Working days are those after it, Monday to Friday without holidays: of "5 working
    days" the fifth is the last.
    """

    days: int = 0
    months: int = 0
    working_days: int = 0

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read "30 days", "18 months", "5 working days".

        Raises:
            ValueError: anything else, or nothing at all ("0 days").
        """
        match = _SPAN.fullmatch(text.strip().lower())
        if match is None or not 0 < int(match[1]) <= 10_000:
            raise ValueError(f"{text!r} is no span of days; write {SPAN_FORMS}")
        amount = int(match[1])
        match match[2]:
            case "month":
                return cls(months=amount)
            case "working day":
                return cls(working_days=amount)
            case _:
                return cls(days=amount)

    @property
    def amount_and_unit(self) -> tuple[int, str]:
        """The span as it is written: (30, "day"), (18, "month"), (5, "working_day")."""
        if self.days:
            return self.days, "day"
        return (self.months, "month") if self.months else (self.working_days, "working_day")

    def __str__(self) -> str:
        amount, unit = self.amount_and_unit
        return f"{amount} {unit.replace('_', ' ')}" + ("s" if amount > 1 else "")

    def holds(self, since: date, today: date, is_holiday: Callable[[date], bool]) -> bool:
        """Whether `today` lies in the span that begins on `since`."""
        if today < since:
            return False
        if self.days:
            return (today - since).days < self.days
        if self.months:
            return today < _months_later(since, self.months)
        # Twice as many days, and a fortnight of holidays, surely hold that many working days.
        if (today - since).days > 2 * self.working_days + 14:
            return False
        passed = (since + timedelta(n) for n in range(1, (today - since).days))
        worked = sum(day.weekday() < 5 and not is_holiday(day) for day in passed)
        return worked < self.working_days


def _months_later(day: date, months: int) -> date:
    """The same day of a later month; its last day where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if year > date.max.year:
        return date.max
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def whole_days(text: str) -> int:
    """Read a number of calendar days: "30 days".

    Raises:
        ValueError: anything else, hours and minutes too.
    """
    period = Period.parse(text)
    if not period.days:
        raise ValueError(f'found "{text}"; allowed: whole days such as "30 days"')
    return period.days


def day_start(day: date, zone: tzinfo) -> datetime:
    """The first instant of a local date; where midnight does not exist, the first one after.

    Goes through UTC and back so that a gap at midnight (Beirut, Santiago) gives a real instant.
    """
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC).astimezone(zone)


def earlier(left: datetime | None, right: datetime | None) -> datetime | None:
    """The earlier of two instants; None is one that never comes.

    As instants: two wall clocks of one zone compare wrongly around a clock change.
    """
    if left is None or right is None:
        return left or right
    return left if left.timestamp() <= right.timestamp() else right


def whole_second_up(instant: datetime) -> datetime:
    """An aware instant to the second, rounded up, in its own zone: what is waited for has come.

    Through UTC: the second after 01:59:59.5 may be 03:00:00 on the wall clock.
    """
    if not instant.microsecond:
        return instant
    whole = instant.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return whole.astimezone(instant.tzinfo)
