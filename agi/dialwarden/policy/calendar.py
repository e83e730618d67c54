"""Public holidays by region and year, from the `holidays` library, with a regime's corrections.

Owns the cache of years: a year of a region is computed once. The library's sets are held
against the statutes by the tests of the packs; what it lacks or has too many is corrected in the
pack (`add`, `remove`, `local`), with a source, never here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import holidays
from dateutil.easter import easter

from dialwarden.numbers.regions import is_part_of
from dialwarden.policy.figures import HolidayRule, LocalDays

# ISO 3166-2 -> the library's own word, where it has another: by community, not by province or
# department. Bas-Rhin and Haut-Rhin are one collectivity there; ACT is Australia's own code.
_SUBDIVISION: Final[Mapping[str, str]] = MappingProxyType({"FR-67": "6AE", "FR-68": "6AE"})
_NOTHING: Final[Mapping[date, str]] = MappingProxyType({})


class UnknownCalendar(ValueError):
    """The holidays library knows no such country or subdivision."""


@lru_cache(maxsize=1024)
def holidays_of(region: str, year: int, observed: bool = True) -> Mapping[date, str]:
    """The holidays of one year, by date, with their names in the country's language.

    Args:
        region: an ISO 3166 country, "FR", or one of its subdivisions, "US-AL".
        observed: with the days off in lieu of a holiday that falls on a weekend.

    Raises:
        UnknownCalendar: the library has no such country or subdivision.
    """
    country, _, subdivision = region.partition("-")
    subdivision = _SUBDIVISION.get(region, subdivision)
    try:
        # Without a language the library takes the one of the process's locale.
        own_language = holidays.country_holidays(country).default_language
        calendar = holidays.country_holidays(
            country,
            subdiv=subdivision or None,
            years=year,
            expand=False,
            observed=observed,
            language=own_language,
        )
    except NotImplementedError:
        raise UnknownCalendar(f"no holiday calendar for {region!r}") from None
    return dict(calendar.items())


@lru_cache(maxsize=4096)
def _subdivision_days(region: str, year: int, observed: bool) -> Mapping[date, str]:
    """The days that a subdivision adds to its country's; none where nothing is known of it."""
    country, _, part = region.partition("-")
    if not country or not part:
        return _NOTHING
    try:
        own, national = holidays_of(region, year, observed), holidays_of(country, year, observed)
    except UnknownCalendar:
        return _NOTHING
    return {day: name for day, name in own.items() if day not in national}


def holiday_on(rule: HolidayRule, day: date) -> str | None:
    """The name of the holiday that a local date is wherever the rule holds, or None."""
    if day in rule.add:
        return rule.add[day]
    if not rule.calendar or day in rule.remove:
        return None
    return holidays_of(rule.calendar, day.year, rule.observed).get(day)


def regional_day_on(rule: HolidayRule, day: date, region: str) -> tuple[str, str] | None:
    """The regional holiday that a local date is in a region: its name and its source, or None."""
    for local in rule.local:
        if region in local.regions and _falls_on(local, day):
            return local.name, local.source
    if rule.subdivisions:
        name = _subdivision_days(region, day.year, rule.observed).get(day)
        if name is not None:
            return name, rule.source
    return None


def regions_of_day(rule: HolidayRule, day: date, country: str) -> tuple[str, str, str] | None:
    """Of a date: some region of a country whose holiday it is, with its name and source, or None.

    For callees of whom nothing but the country is known. Overseas France has country codes of its
    own, so that whoever is only known to be in FR is not there.
    """
    for local in rule.local:
        near = sorted(region for region in local.regions if is_part_of(region, country))
        if near and _falls_on(local, day):
            return near[0], local.name, local.source
    if rule.subdivisions:
        for region in _subdivisions(country):
            name = _subdivision_days(region, day.year, rule.observed).get(day)
            if name is not None:
                return region, name, rule.source
    return None


# The library has towns and school zones besides: "Barcelona", "Zone A".
_SUBDIVISION_CODE: Final = re.compile(r"[A-Z0-9]{1,3}")


@lru_cache(maxsize=64)
def _subdivisions(country: str) -> tuple[str, ...]:
    known = holidays.list_supported_countries().get(country, ())
    codes = (code for code in known if _SUBDIVISION_CODE.fullmatch(code))
    return tuple(region for code in codes if is_part_of(region := f"{country}-{code}", country))


def _falls_on(local: LocalDays, day: date) -> bool:
    if local.day is not None:
        return (day.month, day.day) == local.day
    return local.easter is not None and day == easter(day.year) + timedelta(local.easter)
