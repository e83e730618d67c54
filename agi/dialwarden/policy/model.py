"""A policy as a value: its dated regimes, and every figure with where it comes from.

Owns the shape of the law as data. Refuses to know what any rule makes of it, and how it is read
from a file (`policy.parse`) or narrowed by an admin (`policy.terms`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from dialwarden.policy.hours import WeekHours
from dialwarden.policy.period import Period
from dialwarden.question import Bond, Purpose
from dialwarden.verdict import Rule


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
class Cap:
    """At most `max` attempts in a period, counting those made for the purposes named."""

    max: int
    period: Period
    purposes: frozenset[Purpose]
    source: str


@dataclass(frozen=True, slots=True)
class Gap:
    """At least this long between two attempts."""

    period: Period
    purposes: frozenset[Purpose]
    source: str


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Which days are closed as holidays.

    Attributes:
        calendar: ISO country whose national holidays close the day; "" for none.
        add, remove: dates the calendar lacks or has too many, with their names.
        open_for: purposes for which a holiday is a day like another.
    """

    calendar: str
    source: str
    add: Mapping[date, str] = field(default_factory=dict)
    remove: frozenset[date] = frozenset()
    open_for: frozenset[Purpose] = frozenset()


@dataclass(frozen=True, slots=True)
class ObjectionRule:
    """What a callee's no does.

    Attributes:
        days: full calendar days it holds, the day after it being the first; 0 for no end.
        floor_days: days it holds for the callees bound by one of `floor_for`, where it would
            otherwise hold until a new consent.
    """

    source: str
    days: int = 0
    floor_days: int = 0
    floor_for: frozenset[Bond] = frozenset()


@dataclass(frozen=True, slots=True)
class ListRule:
    """An opposition list that must have been consulted.

    Attributes:
        max_age_days: greatest age, as calendar days in the callee's zone; None for no limit.
        exempt: bonds that lift it.
        ended_within_days: a contract that ended fewer days ago than this lifts it too; 0: never.
        later_consent_wins: a consent given after the number's own date in the list lifts it.
    """

    name: str
    source: str
    max_age_days: int | None = None
    exempt: frozenset[Bond] = frozenset()
    ended_within_days: int = 0
    later_consent_wins: bool = False


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """What a consent is needed for, how long it is good, and what it lifts.

    Attributes:
        required: without a good consent, or a bond in `exempt`, the call is refused.
        max_years: greatest age in years; None for no limit.
        void_before: a consent given on an earlier local date is void unless marked complete.
        waives: rules that a good consent lifts.
    """

    source: str
    required: bool = False
    max_years: int | None = None
    void_before: date | None = None
    exempt: frozenset[Bond] = frozenset()
    waives: frozenset[Rule] = frozenset()


@dataclass(frozen=True, slots=True)
class Regime:
    """One dated version of a policy: what holds from `start` through `end`, both included.

    A rule whose part is None (or empty) has nothing to say under this regime.

    Attributes:
        purposes: the purposes that the text binds; for the others only lists, objections and
            the campaign's own house rules hold.
        evidence_years: how long proof must be kept.
        sources: by citation, as the parts' `source` quotes them.
        extends: id of the regime whose parts it took over where it names none; "" for none.
    """

    id: str
    start: date
    title: str
    end: date | None = None
    purposes: frozenset[Purpose] = frozenset(Purpose)
    hours: WeekHours | None = None
    hours_source: str = ""
    holidays: HolidayRule | None = None
    caps: tuple[Cap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    objection: ObjectionRule | None = None
    lists: tuple[ListRule, ...] = ()
    consent: ConsentRule | None = None
    evidence_years: int | None = None
    evidence_source: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    extends: str = ""


@dataclass(frozen=True, slots=True)
class HouseRules:
    """A campaign's `tighten`: only ever stricter than the law.

    Attributes:
        closed: local dates on which nothing is dialled.
    """

    hours: WeekHours | None = None
    closed: frozenset[date] = frozenset()
    caps: tuple[Cap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A named rule pack.

    Attributes:
        country: ISO country; how a policy's own lists read national numbers. "" for none.
        regimes: in order of their start, without overlap.
        sha256: of the file's bytes, hexadecimal.
        file: where it was read from.
    """

    id: str
    title: str
    country: str
    regimes: tuple[Regime, ...]
    sha256: str
    file: str
    binds: str = ""

    def regime_on(self, day: date) -> Regime | None:
        """The regime in force on a local date of the callee, or None."""
        for regime in reversed(self.regimes):
            if regime.start <= day:
                return regime if regime.end is None or day <= regime.end else None
        return None

    def regime_after(self, day: date) -> Regime | None:
        """The first regime that starts after a local date, or None."""
        return next((regime for regime in self.regimes if regime.start > day), None)
