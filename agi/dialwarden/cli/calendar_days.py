"""The days of a calendar: when it is open on each, and what closes it.

Owns the reading of a policy's terms day by day, for whoever is in one region. Knows no form.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dialwarden.numbers import zone
from dialwarden.numbers.regions import Place
from dialwarden.policy.days import Day, Holiday, day_of
from dialwarden.policy.hours import Window, Windows, clock_changes, intersect
from dialwarden.policy.model import Regime
from dialwarden.policy.terms import Mandate, Terms
from dialwarden.question import Purpose

ALL_DAY = (Window(0, 86400),)


class Closed(enum.StrEnum):
    """Why nothing is open on a date."""

    NO_REGIME = "no_regime"
    HOLIDAY = "holiday"
    CAMPAIGN = "campaign"  # its closed dates, or its hours
    WEEKDAY = "weekday"
    EVE = "eve"  # the eve's hours and the weekday's have nothing in common


@dataclass(frozen=True, slots=True)
class View:
    """Whose calendar it is.

    Attributes:
        region: ISO 3166, where the callee is.
        known: the callee is there, and not anywhere in a country that has several parts.
        zones: IANA names of the clocks there, at least one.
    """

    mandate: Mandate
    purpose: Purpose
    region: str
    known: bool
    zones: tuple[str, ...]

    @classmethod
    def of(cls, mandate: Mandate, purpose: Purpose, places: tuple[Place, ...]) -> View:
        """The calendar for callees who are in one of some places of one country."""
        regions = {place.region for place in places}
        region = places[0].region
        if len(regions) > 1:
            region = region.partition("-")[0]
        return cls(
            mandate=mandate,
            purpose=purpose,
            region=region,
            known=len(regions) == 1 and "-" in region,
            zones=tuple(dict.fromkeys(place.zone for place in places)),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A clock that is changed on a date: what it shows before and after, and whose it is."""

    zone: str
    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True)
class Sheet:
    """One date of a calendar.

    Attributes:
        regime: the one in force; None when none is.
        day: what the policy's terms make of the date; None without a regime.
        closed: why `windows` is empty; None when something is open.
        windows: local time of the callee; 00:00-24:00 where nobody limits the hours.
        hours, holidays: citations of what the date was worked out by.
        unverified: those of them that rest on no text that was read.
    """

    date: date
    regime: Regime | None
    day: Day | None
    closed: Closed | None
    windows: Windows
    changes: tuple[Change, ...]
    hours: tuple[str, ...] = ()
    holidays: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    @property
    def holiday(self) -> Holiday | None:
        return self.day.holiday if self.day else None

    @property
    def doubt(self) -> Holiday | None:
        return self.day.doubt if self.day else None

    @property
    def eve_of(self) -> str:
        """The holiday of the next day, where its eve has hours and is not closed itself."""
        eve_counts = self.closed in (None, Closed.EVE)
        return self.day.eve_of if self.day and eve_counts else ""


def sheets(view: View, first: date, days: int) -> Iterator[Sheet]:
    """The dates from `first` on."""
    for place in range(days):
        yield _sheet(view, first + timedelta(place))


def _sheet(view: View, today: date) -> Sheet:
    changes = tuple(_changes(view, today))
    regime = view.mandate.policy.regime_on(today)
    # Of a country, what holds in all of it; the head of the sheet says which regions differ.
    region = view.region if "-" in view.region else ""
    terms = view.mandate.terms_on(today, view.purpose, region)
    if regime is None or terms is None:
        return Sheet(today, None, None, Closed.NO_REGIME, (), changes)
    day = day_of(terms, today, view.region, known=view.known)
    windows = ALL_DAY if day.windows is None else day.windows
    closed = _closed(terms, day, windows)
    house = terms.house.source if terms.house.hours is not None else ""
    hours = _once(*(rule.source for rule in terms.law), house)
    regional = (one.source for one in (day.holiday, day.doubt) if one is not None)
    holidays = _once(*(rule.source for rule in terms.holidays), *regional)
    return Sheet(
        date=today,
        regime=regime,
        day=day,
        closed=closed,
        windows=() if closed else windows,
        changes=changes,
        hours=hours,
        holidays=holidays,
        unverified=tuple(name for name in _once(*hours, *holidays) if name in terms.doubtful),
    )


def _closed(terms: Terms, day: Day, windows: Windows) -> Closed | None:
    if day.holiday is not None:
        return Closed.HOLIDAY
    if day.date in terms.house.closed:
        return Closed.CAMPAIGN
    if windows:
        return None
    if not _law(terms, day.date, eve=False):
        return Closed.WEEKDAY
    if day.eve_of and not _law(terms, day.date, eve=True):
        return Closed.EVE
    return Closed.CAMPAIGN


def _law(terms: Terms, day: date, *, eve: bool) -> Windows:
    """What the law alone leaves open."""
    windows: Windows = ALL_DAY
    for rule in terms.law:
        windows = intersect(windows, rule.week.on(day))
        if eve and rule.eve is not None:
            windows = intersect(windows, rule.eve)
    return windows


def _changes(view: View, day: date) -> Iterator[Change]:
    for name in view.zones:
        clock = zone(name)
        for instant in clock_changes(day, clock):
            before = (instant - timedelta(seconds=1)).astimezone(clock)
            # What the clock would have shown had nobody touched it.
            yield Change(name, before + timedelta(seconds=1), instant.astimezone(clock))


def _once(*citations: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(citation for citation in citations if citation))
