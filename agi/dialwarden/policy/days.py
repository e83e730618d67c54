"""One local date under some terms: whether it is closed and why, and when it is open.

Owns the meeting of hours, holidays, regional holidays and eves; the rules and the calendar both
read it here. A date is worked out once for some terms and a region, and kept with the terms.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, timedelta

from dialwarden.policy.calendar import holiday_on, regional_day_on, regions_of_day
from dialwarden.policy.figures import HolidayRule, RegionalDays
from dialwarden.policy.hours import Windows
from dialwarden.policy.terms import Terms

# More than two years of every region of a country that has many; then it begins anew.
_MOST_KEPT = 20_000


class Closing(enum.StrEnum):
    """Why a date is closed as a holiday."""

    NATIONAL = "national"  # by the calendar that the law names
    REGIONAL = "regional"  # where the callee is, or may be
    ADVISORY = "advisory"  # where the callee is, out of caution


def know_year(terms: Terms, year: int, country: str) -> None:
    """Work out the holidays of a year now, the regional ones too: tens of milliseconds once."""
    for rule in terms.holidays:
        # Any date of the year asks for all of it; a regional one is not asked for on a holiday.
        holiday_on(rule, date(year, 1, 1))
        if rule.regional is not RegionalDays.OFF:
            regions_of_day(rule, date(year, 1, 1), country)


@dataclass(frozen=True, slots=True)
class Holiday:
    """What a date is called where it is a holiday, and where that stands.

    Attributes:
        region: of a regional one, the region whose it is; "" of a national one.
    """

    name: str
    source: str
    kind: Closing = Closing.NATIONAL
    region: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A local date.

    Attributes:
        holiday: what closes it; None when no holiday does.
        doubt: a regional holiday that would close it if the callee's region were known to be
            there; None when there is none, or the region is known.
        eve_of: the holiday of the day after, where the law has hours for eves; "" otherwise.
        windows: law and house; None when nobody limits the hours.
        house_windows: of the house alone.
    """

    date: date
    holiday: Holiday | None
    doubt: Holiday | None
    eve_of: str
    windows: Windows | None
    house_windows: Windows | None


def day_of(terms: Terms, day: date, region: str = "", *, known: bool = False) -> Day:
    """A local date under some terms.

    Args:
        region: where the callee is or may be: ISO 3166, a country or a part of it.
        known: that the callee is there is known, and not one of several possibilities.
    """
    key = (day, region, known)
    found = terms.days.get(key)
    if isinstance(found, Day):
        return found
    if len(terms.days) >= _MOST_KEPT:
        terms.days.clear()
    made = terms.days[key] = _day(terms, day, region, known)
    return made


def _day(terms: Terms, day: date, region: str, known: bool) -> Day:
    holiday, doubt = _holiday(terms, day, region, known)
    hours, eve_of = terms.hours, ""
    if terms.eve_hours is not None:
        following, _ = _holiday(terms, day + timedelta(1), region, known)
        # What is closed out of caution is no holiday of the law, and has no eve.
        if following is not None and following.kind is not Closing.ADVISORY:
            hours, eve_of = terms.eve_hours, following.name
    return Day(
        date=day,
        holiday=holiday,
        doubt=doubt,
        eve_of=eve_of,
        windows=hours.on(day) if hours is not None else None,
        house_windows=terms.house_hours.on(day) if terms.house_hours is not None else None,
    )


def _holiday(
    terms: Terms, day: date, region: str, known: bool
) -> tuple[Holiday | None, Holiday | None]:
    """The first holiday that closes a date, and the first that might."""
    doubt = None
    advisory = None
    for rule in terms.holidays:
        name = holiday_on(rule, day)
        if name is not None:
            return Holiday(name, rule.source), None
        if rule.regional is RegionalDays.OFF:
            continue
        found = _regional(rule, day, region)
        if found is None:
            continue
        if rule.regional is RegionalDays.COUNTED:
            return found, None
        if known and "-" in region:
            advisory = advisory or found
        else:
            doubt = doubt or found
    if advisory is not None:
        advisory = Holiday(advisory.name, advisory.source, Closing.ADVISORY, advisory.region)
    return advisory, None if advisory else doubt


def _regional(rule: HolidayRule, day: date, region: str) -> Holiday | None:
    if "-" in region:
        here = regional_day_on(rule, day, region)
        return Holiday(*here, Closing.REGIONAL, region) if here else None
    somewhere = regions_of_day(rule, day, region)
    if somewhere is None:
        return None
    there, name, source = somewhere
    return Holiday(name, source, Closing.REGIONAL, there)
