"""The terms under which a campaign may dial for a purpose: one regime narrowed by house rules.

Owns the meeting of the law (a regime) and the admin's own `tighten` and lists: everything that
does not depend on the call is worked out here, once, so that the rules read one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from dialwarden.policy.hours import WeekHours
from dialwarden.policy.model import (
    Cap,
    ConsentRule,
    Gap,
    HolidayRule,
    HouseRules,
    ListRule,
    ObjectionRule,
    Policy,
    Regime,
)
from dialwarden.question import Purpose
from dialwarden.verdict import Rule

# Where a regime says nothing of a no, the no holds until the callee says otherwise.
ENDLESS_OBJECTION = ObjectionRule(source="the callee's right to object")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules read.

    Attributes:
        hours: law and house together; None when nobody limits the hours.
        law_hours, hours_source: the law's alone, and where they stand.
        caps, gaps, lists: of the law and of the house.
    """

    regime: str
    house: HouseRules
    hours: WeekHours | None
    law_hours: WeekHours | None
    hours_source: str
    holidays: HolidayRule | None
    caps: tuple[Cap, ...]
    gaps: tuple[Gap, ...]
    lists: tuple[ListRule, ...]
    objection: ObjectionRule
    consent: ConsentRule | None

    def waives(self, rule: Rule) -> bool:
        """Whether a good consent lifts the law's part of a rule."""
        return self.consent is not None and rule in self.consent.waives


def terms_of(
    regime: Regime,
    purpose: Purpose,
    house: HouseRules,
    own_lists: tuple[ListRule, ...],
    max_ages: Mapping[str, int],
) -> Terms:
    """The terms of one regime for one purpose.

    A purpose that the regime's text does not bind is left with lists of the campaign's own, the
    house rules and objections: these hold whatever the call is about.

    Args:
        max_ages: by list, the greatest age in days that the admin allows it; it narrows the law's.
    """
    bound = purpose in regime.purposes
    law_hours = regime.hours if bound else None
    named = {rule.name for rule in regime.lists} if bound else set()
    return Terms(
        regime=regime.id,
        house=house,
        hours=_both(law_hours, house.hours),
        law_hours=law_hours,
        hours_source=regime.hours_source,
        holidays=regime.holidays
        if bound and regime.holidays and purpose not in regime.holidays.open_for
        else None,
        caps=(*(regime.caps if bound else ()), *house.caps),
        gaps=(*(regime.gaps if bound else ()), *house.gaps),
        lists=(
            *(_younger(rule, max_ages) for rule in (regime.lists if bound else ())),
            *(rule for rule in own_lists if rule.name not in named),
        ),
        objection=(regime.objection if bound else None) or ENDLESS_OBJECTION,
        consent=regime.consent if bound else None,
    )


def _younger(rule: ListRule, max_ages: Mapping[str, int]) -> ListRule:
    ages = [age for age in (rule.max_age_days, max_ages.get(rule.name)) if age is not None]
    return replace(rule, max_age_days=min(ages, default=None))


def _both(law: WeekHours | None, house: WeekHours | None) -> WeekHours | None:
    if law is None or house is None:
        return law or house
    return law.intersect(house)


@dataclass(frozen=True, slots=True)
class Mandate:
    """A campaign as the rules see it.

    Attributes:
        terms: by (regime id, purpose): every regime of the policy, past and to come.
    """

    campaign: str
    professional: str
    policy: Policy
    sector: str
    terms: Mapping[tuple[str, Purpose], Terms]

    def terms_on(self, day: date, purpose: Purpose) -> Terms | None:
        """The terms in force on a local date of the callee; None when no regime is."""
        regime = self.policy.regime_on(day)
        return self.terms[regime.id, purpose] if regime else None


def mandate(
    *,
    campaign: str,
    professional: str,
    policy: Policy,
    sector: str = "",
    house: HouseRules | None = None,
    own_lists: tuple[ListRule, ...] = (),
    max_ages: Mapping[str, int] | None = None,
) -> Mandate:
    """Work out the terms of a campaign for every regime and purpose; see `terms_of`."""
    house = house or HouseRules()
    return Mandate(
        campaign=campaign,
        professional=professional,
        policy=policy,
        sector=sector,
        terms={
            (regime.id, purpose): terms_of(regime, purpose, house, own_lists, max_ages or {})
            for regime in policy.regimes
            for purpose in Purpose
        },
    )
