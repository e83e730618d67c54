"""A policy as a value: its dated regimes, and every figure with where it comes from.

Owns the shape of the law as data. Refuses to know what any rule makes of it, and how it is read
from a file (`policy.parse`) or narrowed by an admin (`policy.terms`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from dialwarden.policy.figures import (
    EVERYTHING,
    AppointmentRule,
    CallerIdRule,
    Cap,
    ConsentRule,
    Gap,
    HolidayRule,
    HoursRule,
    ListRule,
    ObjectionRule,
    RegionRules,
    SectorRule,
    SilentShare,
)
from dialwarden.policy.hours import WeekHours
from dialwarden.question import Purpose


class Confidence(enum.StrEnum):
    """How a figure was read. What is less than `transcribed` needs a lawyer's eye."""

    PRIMARY = "primary"  # read in the official text
    TRANSCRIBED = "transcribed"  # the official text, read through a dated transcription
    SECONDARY = "secondary"  # press, law firms, trade pages
    UNVERIFIED = "unverified"  # from memory or disputed


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure comes from: the text, the article in it, and how surely it was read."""

    text: str
    article: str = ""
    dated: str = ""
    read: date | None = None
    confidence: Confidence = Confidence.UNVERIFIED
    note: str = ""

    def __str__(self) -> str:
        return f"{self.text}, {self.article}" if self.article else self.text


@dataclass(frozen=True, slots=True)
class Regime:
    """One dated version of a policy: what holds from `start` through `end`, both included.

    A rule whose part is None (or empty) has nothing to say under this regime. A part that binds
    other purposes than the regime says so itself.

    Attributes:
        purposes: the purposes that the text binds; for the others only lists, objections and
            the campaign's own house rules hold.
        hours_for: hours of their own for some purposes.
        regions: what regions add.
        evidence_years: how long proof must be kept.
        sources: by citation, as the parts' `source` quotes them.
        extends: id of the regime whose parts it took over where it names none; "" for none.
    """

    id: str
    start: date
    title: str
    end: date | None = None
    purposes: frozenset[Purpose] = EVERYTHING
    hours: HoursRule | None = None
    hours_for: Mapping[Purpose, HoursRule] = field(default_factory=dict)
    holidays: HolidayRule | None = None
    caps: tuple[Cap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    objection: ObjectionRule | None = None
    lists: tuple[ListRule, ...] = ()
    consent: ConsentRule | None = None
    appointments: AppointmentRule | None = None
    sectors: tuple[SectorRule, ...] = ()
    caller_id: tuple[CallerIdRule, ...] = ()
    regions: tuple[RegionRules, ...] = ()
    silent_share: SilentShare | None = None
    evidence_years: int | None = None
    evidence_source: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    extends: str = ""

    def hours_of(self, purpose: Purpose) -> HoursRule | None:
        """The hours for a purpose that the regime binds."""
        return self.hours_for.get(purpose, self.hours)


@dataclass(frozen=True, slots=True)
class HouseRules:
    """A campaign's `tighten`: only ever stricter than the law.

    Attributes:
        closed: local dates on which nothing is dialled.
        margin: windows close this long before their end.
    """

    hours: WeekHours | None = None
    closed: frozenset[date] = frozenset()
    caps: tuple[Cap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    margin: timedelta = timedelta(0)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A named rule pack.

    Attributes:
        country: ISO country; how a policy's own lists read national numbers. "" for none.
        regimes: in order of their start, without overlap.
        sha256: of the file's bytes, hexadecimal.
        file: where it was read from.
        extends: id of the policy whose regimes it took over; "" for none.
    """

    id: str
    title: str
    country: str
    regimes: tuple[Regime, ...]
    sha256: str
    file: str
    binds: str = ""
    extends: str = ""

    def regime_on(self, day: date) -> Regime | None:
        """The regime in force on a local date of the callee, or None."""
        for regime in reversed(self.regimes):
            if regime.start <= day:
                return regime if regime.end is None or day <= regime.end else None
        return None

    def regimes_from(self, day: date) -> tuple[Regime, ...]:
        """The regimes in force on a local date or later."""
        return tuple(one for one in self.regimes if one.end is None or one.end >= day)

    def regime_after(self, day: date) -> Regime | None:
        """The first regime that starts after a local date, or None."""
        return next((regime for regime in self.regimes if regime.start > day), None)
