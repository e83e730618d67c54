"""Public holidays by country and year, from the `holidays` library, with a regime's corrections.

Owns the cache of years: a year of a country is computed once. The library's sets are held
against the statutes by the tests of the packs; what it lacks or has too many is corrected in the
pack (`add`, `remove`), with a source, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays

from dialwarden.policy.model import HolidayRule


class UnknownCalendar(ValueError):
    """The holidays library knows no such country."""


@lru_cache(maxsize=512)
def national_holidays(country: str, year: int) -> Mapping[date, str]:
    """The national holidays of one year, by date, with their names in its language.

    Raises:
        UnknownCalendar: the library has no such country.
    """
    try:
        # Without a language the library takes the one of the process's locale.
        own_language = holidays.country_holidays(country).default_language
        calendar = holidays.country_holidays(
            country, years=year, expand=False, language=own_language
        )
    except NotImplementedError:
        raise UnknownCalendar(f"no holiday calendar for {country!r}") from None
    return dict(calendar.items())


def holiday_on(rule: HolidayRule, day: date) -> str | None:
    """The name of the holiday that a local date is under this rule, or None."""
    if day in rule.add:
        return rule.add[day]
    if not rule.calendar or day in rule.remove:
        return None
    return national_holidays(rule.calendar, day.year).get(day)
