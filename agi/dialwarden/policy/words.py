"""The words and small forms in a policy's parts: names, prefixes, yearly dates, regions.

Owns their reading, and what each message says. Knows no part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from dialwarden.numbers.regions import UnknownRegion, places_of_region
from dialwarden.policy.calendar import UnknownCalendar, holidays_of
from dialwarden.policy.figures import RegionRules
from dialwarden.policy.period import Period
from dialwarden.question import Purpose
from dialwarden.settings.reader import Table
from dialwarden.verdict import Rule

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")
_YEARLY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_LONGEST_TOLERANCE = timedelta(hours=2)
# The rules that a consent or an appointment may lift: neither stands in for a list, a cap or a
# number.
WAIVABLE = {"hours": Rule.HOURS, "holiday": Rule.HOLIDAY}


def purposes_of(table: Table, otherwise: frozenset[Purpose]) -> frozenset[Purpose]:
    """What a figure binds; all that is above it when nothing is said."""
    if not table.has("purposes"):
        return otherwise
    found = frozenset(table.members("purposes", Purpose))
    if not found:
        table.problem("purposes", "binds nothing; name one, or leave it out")
    return found


def rebound(part: Any, were: frozenset[Purpose], now: frozenset[Purpose]) -> Any:
    """A part, or several, taken over by a regime that binds others than the one it was written for.

    One that was bound to purposes of its own keeps them.
    """
    if isinstance(part, tuple):
        return tuple(rebound(each, were, now) for each in part)
    if isinstance(part, RegionRules):
        return replace(part, caps=rebound(part.caps, were, now), gaps=rebound(part.gaps, were, now))
    if getattr(part, "purposes", None) == were:
        return replace(part, purposes=now)
    return part


def one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    """A parser of one word."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"found {text!r}; allowed: {', '.join(names)}")
        return text

    return parse


def waived(table: Table) -> frozenset[Rule]:
    return frozenset(WAIVABLE[name] for name in table.items("waives", one_of(tuple(WAIVABLE)), ()))


def dates(table: Table) -> tuple[date | None, date | None]:
    start, end = table.day("from", None), table.day("until", None)
    if start is not None and end is not None and end < start:
        table.problem("until", f"found {end}; it is the last day, not before {start}")
    return start, end


def name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"found {text!r}; allowed: small letters, digits and -")
    return text


def prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError(f'found {text!r}; allowed: the beginning of a number such as "+336"')
    return text


def tolerance(text: str) -> timedelta:
    period = Period.parse(text)
    if period.days or period.rolling > _LONGEST_TOLERANCE:
        raise ValueError(f'found "{text}"; allowed: at most 2 hours, such as "10 minutes"')
    return period.rolling


def yearly(text: str) -> tuple[int, int]:
    match = _YEARLY.fullmatch(text)
    if match is None:
        raise ValueError(f'found {text!r}; allowed: month and day, such as "12-26"')
    month, day = int(match[1]), int(match[2])
    try:
        date(2024, month, day)
    except ValueError:
        raise ValueError(f"found {text!r}, which is no day of a year") from None
    return month, day


def regions(table: Table) -> frozenset[str]:
    return frozenset(table.items("regions", region_code, (), required=True))


def region_code(text: str) -> str:
    """As numbers and questions are given it: overseas France by its department."""
    try:
        places = places_of_region(text)
    except UnknownRegion as error:
        raise ValueError(
            f"found {text!r}, did you mean {error.nearest}?; allowed: ISO 3166 codes such as US-FL"
        ) from None
    named = {place.region for place in places}
    region = named.pop()
    if named or "-" not in region:
        raise ValueError(f"found {text!r}, a whole country; allowed: parts of one, such as US-FL")
    return region


def calendar(region: str) -> str:
    try:
        holidays_of(region, 2026)
    except UnknownCalendar as error:
        raise ValueError(str(error)) from None
    return region
