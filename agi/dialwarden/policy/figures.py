"""The parts of a regime as values: hours, holidays, caps, lists, consent and the rest.

Owns the shape of each figure of the law; every part says where it stands (`source`). Refuses to
know how parts make a regime (`policy.model`) and what any rule makes of them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from dialwarden.policy.hours import WeekHours, Windows
from dialwarden.policy.period import Period, Span
from dialwarden.question import Bond, Dialling, Purpose
from dialwarden.verdict import Rule

EVERYTHING = frozenset(Purpose)


class RegionalDays(enum.StrEnum):
    """What the holidays of a part of the country do, where the text does not name them."""

    OFF = "off"  # not looked at
    ADVISORY = "advisory"  # closed, out of caution, where the callee's region is known
    COUNTED = "counted"  # closed wherever the callee may be in such a region


class ConsentWhen(enum.StrEnum):
    """For which calls a consent is required."""

    ALWAYS = "always"
    UNLISTED = "unlisted"  # for numbers that stand in no public directory
    AUTOMATIC = "automatic"  # for calls dialled by a machine


class SectorConsent(enum.StrEnum):
    """Which consent lifts the ban of a sector."""

    NONE = "none"
    SPECIFIC = "specific"  # one given for the sector or for the campaign
    ANY = "any"


class GapAfter(enum.StrEnum):
    """After what a gap is to be kept."""

    ATTEMPT = "attempt"
    SILENT = "silent"  # a call that was answered and that no agent took


@dataclass(frozen=True, slots=True)
class HoursRule:
    """The windows of each weekday.

    Attributes:
        eve: windows of the eve of a holiday: they replace the weekday's and are then cut by it;
            None where an eve is a day like another.
    """

    week: WeekHours
    source: str
    eve: Windows | None = None


@dataclass(frozen=True, slots=True)
class LocalDays:
    """A holiday of some regions: `day` each year (month, day), or `easter` days from Easter."""

    regions: frozenset[str]
    name: str
    source: str
    day: tuple[int, int] | None = None
    easter: int | None = None


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Which days are closed as holidays.

    Attributes:
        calendar: ISO region whose holidays close the day ("FR", "US-AL"); "" for none.
        add, remove: dates the calendar lacks or has too many, with their names.
        open_for: purposes for which a holiday is a day like another.
        observed: the days off in lieu of a holiday that falls on a weekend are closed too.
        regional: what the days of `local` and of `subdivisions` do.
        local: holidays of some regions.
        subdivisions: the calendar of the callee's own region is one of them.
    """

    calendar: str
    source: str
    add: Mapping[date, str] = field(default_factory=dict)
    remove: frozenset[date] = frozenset()
    open_for: frozenset[Purpose] = frozenset()
    observed: bool = True
    regional: RegionalDays = RegionalDays.OFF
    local: tuple[LocalDays, ...] = ()
    subdivisions: bool = False


@dataclass(frozen=True, slots=True)
class Exemption:
    """What lifts a duty: a relationship, without limit or for a time.

    Attributes:
        bonds: these lift it for as long as they are claimed.
        ended_within: a contract that ended less than this ago does.
        requested_within: a request for information made less than this ago does.
        source: where the exemption stands.
    """

    bonds: frozenset[Bond] = frozenset()
    ended_within: Span | None = None
    requested_within: Span | None = None
    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.bonds or self.ended_within or self.requested_within)


NO_EXEMPTION = Exemption()


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `max` attempts in a period, counting those made for the purposes named."""

    max: int
    period: Period
    purposes: frozenset[Purpose]
    source: str


@dataclass(frozen=True, slots=True)
class Gap:
    """At least this long after the last attempt, or after a silent call.

    Attributes:
        period: how long; None when it is `full_days`.
        full_days: whole calendar days, the day after being the first; 0 when it is `period`.
        agent_first: after the gap, the next call must have an agent from the start.
        unless_agent: a call that has an agent from the start need not keep the gap.
    """

    period: Period | None
    purposes: frozenset[Purpose]
    source: str
    full_days: int = 0
    after: GapAfter = GapAfter.ATTEMPT
    agent_first: bool = False
    unless_agent: bool = False


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
        exempt: what lifts the duty.
        later_consent_wins: a consent given after the number's own date in the list lifts it.
    """

    name: str
    source: str
    max_age_days: int | None = None
    exempt: Exemption = NO_EXEMPTION
    later_consent_wins: bool = False
    purposes: frozenset[Purpose] = EVERYTHING


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """What a consent is needed for, how long it is good, and what it lifts.

    Attributes:
        required: without a good consent, or what `exempt` says, the call is refused.
        when: for which calls it is required.
        max_years: greatest age in years; None for no limit.
        void_before: a consent given on an earlier local date is void unless marked complete.
        waives: rules that a good consent lifts.
    """

    source: str
    required: bool = False
    when: ConsentWhen = ConsentWhen.ALWAYS
    max_years: int | None = None
    void_before: date | None = None
    exempt: Exemption = NO_EXEMPTION
    waives: frozenset[Rule] = frozenset()
    purposes: frozenset[Purpose] = EVERYTHING


@dataclass(frozen=True, slots=True)
class AppointmentRule:
    """What a date and time agreed with the callee lifts, as near to it as `tolerance`."""

    tolerance: timedelta
    waives: frozenset[Rule]
    source: str


@dataclass(frozen=True, slots=True)
class SectorRule:
    """Sectors that may not be sold by telephone.

    Attributes:
        consent: which consent lifts the ban.
        exempt: what else does.
        start, end: local dates of the ban, both included; None for as long as the regime.
        request_consents: a request that lifts the ban stands for the consent to be called too.
    """

    sectors: frozenset[str]
    source: str
    consent: SectorConsent = SectorConsent.NONE
    exempt: Exemption = NO_EXEMPTION
    purposes: frozenset[Purpose] = EVERYTHING
    start: date | None = None
    end: date | None = None
    request_consents: bool = False

    def in_force(self, day: date) -> bool:
        return _between(self.start, day, self.end)


@dataclass(frozen=True, slots=True)
class CallerIdRule:
    """What number the callee may be shown.

    Attributes:
        identified: it may not be withheld, and must be a number.
        forbidden, required: beginnings of E.164 numbers, with +: none of these, one of these.
        declared: besides `required`, one of the numbers that the campaign declares.
        dialling: the rule is for calls placed so; None for all.
        start, end: local dates, both included; None for as long as the regime.
    """

    source: str
    identified: bool = False
    forbidden: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    declared: bool = False
    dialling: Dialling | None = None
    purposes: frozenset[Purpose] = EVERYTHING
    start: date | None = None
    end: date | None = None

    def in_force(self, day: date) -> bool:
        return _between(self.start, day, self.end)


@dataclass(frozen=True, slots=True)
class SilentShare:
    """How many answered calls may find no agent: told to people, judged by no rule.

    Attributes:
        percent: at most so many of a hundred answered calls of a campaign.
        days: over so many calendar days, today the last; None for the whole campaign.
    """

    percent: int
    source: str
    days: int | None = None


def _between(start: date | None, day: date, end: date | None) -> bool:
    return (start is None or start <= day) and (end is None or day <= end)


@dataclass(frozen=True, slots=True)
class RegionRules:
    """What some regions add to the regime of their country; the strictest holds."""

    regions: frozenset[str]
    hours: HoursRule | None = None
    holidays: HolidayRule | None = None
    caps: tuple[Cap, ...] = ()
    gaps: tuple[Gap, ...] = ()
