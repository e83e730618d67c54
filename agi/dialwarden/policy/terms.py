"""The terms under which a campaign may dial for a purpose: one regime narrowed by house rules.

Owns the meeting of the law (a regime, and what a region adds to it) and the admin's own `tighten`
and lists: everything that does not depend on the call is worked out here, once, so that the rules
read one value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from dialwarden.numbers.clocks import clock
from dialwarden.numbers.regions import Place, is_part_of
from dialwarden.policy.figures import (
    AppointmentRule,
    CallerIdRule,
    Cap,
    ConsentRule,
    Gap,
    HolidayRule,
    HoursRule,
    ListRule,
    ObjectionRule,
    RegionalDays,
    RegionRules,
    SectorRule,
)
from dialwarden.policy.hours import WeekHours, week
from dialwarden.policy.model import Confidence, HouseRules, Policy, Regime
from dialwarden.question import Purpose
from dialwarden.verdict import Rule

P = TypeVar("P", Cap, Gap, ListRule, SectorRule, CallerIdRule)

# A part of a country that is known, and on which nothing hangs.
ELSEWHERE = "-"
# Where a regime says nothing of a no, the no holds until the callee says otherwise.
ENDLESS_OBJECTION = ObjectionRule(source="the callee's right to object")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules read.

    Attributes:
        law: the hours of the law and of the callee's region, each with its source.
        hours: law and house together, the margin taken off; None when nobody limits the hours.
        eve_hours: the same on the eve of a holiday; None where an eve is a day like another.
        house_hours: those of the house alone, for whom the law's are lifted.
        holidays: of the law and of the region.
        caps, gaps, lists: of the law, of the region and of the house.
        unverified: citations of the parts that rest on no text that was read.
        days: `policy.days` keeps here what it worked out.
    """

    regime: str
    house: HouseRules
    law: tuple[HoursRule, ...]
    hours: WeekHours | None
    eve_hours: WeekHours | None
    house_hours: WeekHours | None
    holidays: tuple[HolidayRule, ...]
    caps: tuple[Cap, ...]
    gaps: tuple[Gap, ...]
    lists: tuple[ListRule, ...]
    objection: ObjectionRule
    consent: ConsentRule | None
    appointments: AppointmentRule | None
    sectors: tuple[SectorRule, ...]
    caller_id: tuple[CallerIdRule, ...]
    doubtful: frozenset[str]
    unverified: tuple[str, ...]
    days: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def waives(self, rule: Rule) -> bool:
        """Whether a good consent lifts the law's part of a rule."""
        return self.consent is not None and rule in self.consent.waives


def terms_of(
    regime: Regime,
    purpose: Purpose,
    house: HouseRules,
    own_lists: tuple[ListRule, ...],
    max_ages: Mapping[str, int],
    *,
    region: str = "",
    regional: RegionalDays | None = None,
) -> Terms:
    """The terms of one regime for one purpose, where a region is.

    A purpose that the regime's text does not bind is left with lists of the campaign's own, the
    house rules and objections: these hold whatever the call is about.

    Args:
        max_ages: by list, the greatest age in days that the admin allows it; it narrows the law's.
        region: ISO 3166-2; what the regime adds for it holds too. Of a country, everything that
            it adds for any part of it: the callee may be there.
        regional: what regional holidays do, where the campaign says so.
    """
    bound = purpose in regime.purposes
    near = [part for part in regime.regions if _may_be_in(region, part.regions)]
    additions = near if bound else []
    law = _hours_rules(regime, purpose, additions) if bound else ()
    lists = _for(regime.lists, purpose)
    named = {rule.name for rule in lists}
    consent = regime.consent if regime.consent and purpose in regime.consent.purposes else None
    holidays = tuple(
        _looked_at(rule, regional)
        for rule in (regime.holidays if bound else None, *(part.holidays for part in additions))
        if rule is not None and purpose not in rule.open_for
    )
    caps = _for((*regime.caps, *(cap for part in near for cap in part.caps)), purpose)
    gaps = _for((*regime.gaps, *(gap for part in near for gap in part.gaps)), purpose)
    sectors = _for(regime.sectors, purpose)
    caller_id = _for(regime.caller_id, purpose)
    appointments = regime.appointments if bound else None
    objection = regime.objection if bound else None
    parts = (
        *law, *holidays, *caps, *gaps, *lists, *sectors, *caller_id,
        *(part for part in (consent, appointments, objection) if part is not None),
    )  # fmt: skip
    doubtful = frozenset(
        citation
        for citation, source in regime.sources.items()
        if source.confidence is Confidence.UNVERIFIED
    )
    margin_s = int(house.margin.total_seconds())
    return Terms(
        regime=regime.id,
        house=house,
        law=law,
        hours=_open(law, house, margin_s, eve=False),
        eve_hours=_open(law, house, margin_s, eve=True)
        if any(rule.eve is not None for rule in law)
        else None,
        house_hours=house.hours.shortened(margin_s) if house.hours else None,
        holidays=holidays,
        caps=(*caps, *house.caps),
        gaps=(*gaps, *house.gaps),
        lists=(
            *(_younger(rule, max_ages) for rule in lists),
            *(rule for rule in own_lists if rule.name not in named),
        ),
        objection=objection or ENDLESS_OBJECTION,
        consent=consent,
        appointments=appointments,
        sectors=sectors,
        caller_id=caller_id,
        doubtful=doubtful,
        unverified=tuple(dict.fromkeys(part.source for part in parts if part.source in doubtful)),
    )


def _may_be_in(region: str, regions: frozenset[str]) -> bool:
    if not region or "-" in region:
        return region in regions
    return any(is_part_of(part, region) for part in regions)


def _for(parts: tuple[P, ...], purpose: Purpose) -> tuple[P, ...]:
    return tuple(part for part in parts if purpose in part.purposes)


def _hours_rules(
    regime: Regime, purpose: Purpose, additions: Iterable[RegionRules]
) -> tuple[HoursRule, ...]:
    rules = (regime.hours_of(purpose), *(part.hours for part in additions))
    return tuple(rule for rule in rules if rule is not None)


def _looked_at(rule: HolidayRule, regional: RegionalDays | None) -> HolidayRule:
    """The rule with what the campaign says of regional days: what the law counts stays counted."""
    if regional is None or rule.regional is RegionalDays.COUNTED:
        return rule
    if not rule.local and not rule.subdivisions:
        return rule
    return replace(rule, regional=regional)


def _open(
    law: Iterable[HoursRule], house: HouseRules, margin_s: int, *, eve: bool
) -> WeekHours | None:
    """What is open by every rule; on an eve its windows are cut by the weekday's."""
    weeks = [rule.week for rule in law]
    if eve:
        weeks += [week([rule.eve] * 7) for rule in law if rule.eve is not None]
    if house.hours is not None:
        weeks.append(house.hours)
    if not weeks:
        return None
    both = weeks[0]
    for other in weeks[1:]:
        both = both.intersect(other)
    return both.shortened(margin_s)


def _younger(rule: ListRule, max_ages: Mapping[str, int]) -> ListRule:
    ages = [age for age in (rule.max_age_days, max_ages.get(rule.name)) if age is not None]
    return replace(rule, max_age_days=min(ages, default=None))


@dataclass(frozen=True, slots=True)
class Mandate:
    """A campaign as the rules see it.

    Attributes:
        terms: by (regime id, purpose, region): every regime of the policy, past and to come; of
            regions, those for which a regime adds something and their countries, and "" for all
            others.
        sector: what is sold, "" when nobody said.
        unlisted: whether the numbers dialled stand in no public directory; None: nobody said.
        caller_ids: numbers that the professional declared as its own: digits of E.164, or as
            they are where they are none.
        heeds_regions: the holidays of regions, as the calendar of each has them, are looked at.
    """

    campaign: str
    professional: str
    policy: Policy
    sector: str
    terms: Mapping[tuple[str, Purpose, str], Terms]
    unlisted: bool | None = None
    caller_ids: frozenset[str] = frozenset()
    heeds_regions: bool = False
    _candidates: dict[tuple[Place, ...], tuple[Place, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def terms_on(self, day: date, purpose: Purpose, region: str = "") -> Terms | None:
        """The terms in force on a local date of the callee; None when no regime is."""
        regime = self.policy.regime_on(day)
        if regime is None:
            return None
        terms = self.terms.get((regime.id, purpose, region))
        return terms if terms is not None else self.terms[regime.id, purpose, ""]

    def candidates(self, places: tuple[Place, ...]) -> tuple[Place, ...]:
        """The places that this policy tells apart: a region stays where something hangs on it.

        Of several, all others are `ELSEWHERE` on their clock, each clock once: of the fifty states
        a few are judged by themselves. A country stands for a part of it that is not known, and
        stays.
        """
        if len({place.region for place in places}) < 2:
            return places
        known = self._candidates.get(places)
        if known is None:
            known = self._candidates[places] = tuple(self._told_apart(places))
        return known

    def _told_apart(self, places: tuple[Place, ...]) -> Iterator[Place]:
        apart = {region for _, _, region in self.terms}
        for terms in self.terms.values():
            apart.update(*(days.regions for rule in terms.holidays for days in rule.local))
        clocks = set()
        for place in places:
            if self.heeds_regions or place.region in apart or "-" not in place.region:
                yield place
            elif (shown := clock(place.zone)) not in clocks:
                clocks.add(shown)
                yield Place(ELSEWHERE, place.zone)


def _regions_of(regime: Regime) -> list[str]:
    """The regions that a regime adds something for, and the countries that they are parts of."""
    named = {region for part in regime.regions for region in part.regions}
    return sorted(named | {region.partition("-")[0] for region in named})


def mandate(
    *,
    campaign: str,
    professional: str,
    policy: Policy,
    sector: str = "",
    house: HouseRules | None = None,
    own_lists: tuple[ListRule, ...] = (),
    max_ages: Mapping[str, int] | None = None,
    unlisted: bool | None = None,
    caller_ids: frozenset[str] = frozenset(),
    regional: RegionalDays | None = None,
) -> Mandate:
    """Work out the terms of a campaign for every regime, purpose and region; see `terms_of`."""
    house = house or HouseRules()
    terms = {
        (regime.id, purpose, region): terms_of(
            regime, purpose, house, own_lists, max_ages or {}, region=region, regional=regional
        )
        for regime in policy.regimes
        for purpose in Purpose
        for region in ("", *_regions_of(regime))
    }
    return Mandate(
        campaign=campaign,
        professional=professional,
        policy=policy,
        sector=sector,
        terms=terms,
        unlisted=unlisted,
        caller_ids=caller_ids,
        heeds_regions=any(
            rule.subdivisions and rule.regional is not RegionalDays.OFF
            for one in terms.values()
            for rule in one.holidays
        ),
    )
