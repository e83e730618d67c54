"""What a rule is given: one question with its facts, and one place and instant of it.

Owns nothing but the bringing together, and what several rules ask of it (is there a good
consent?). Every value is an argument: no clock, no ledger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property

from dialwarden.facts import Consent, Facts, Objection, Scope
from dialwarden.policy.model import ListRule
from dialwarden.policy.terms import Mandate, Terms
from dialwarden.question import Bond, Purpose, Relationship
from dialwarden.verdict import Refusal


@dataclass(frozen=True, slots=True)
class Matter:
    """A question that can be judged: its number is read and its campaign known.

    Attributes:
        zones: the callee's candidate time zones; at least one.
    """

    mandate: Mandate
    purpose: Purpose
    zones: tuple[tzinfo, ...]
    facts: Facts
    relationship: Relationship | None = None


@dataclass(frozen=True)  # without slots: a cached property needs a place for its value
class Case:
    """A matter at one instant, in one of the callee's candidate zones.

    Attributes:
        local: the instant on the callee's clock, aware in `zone`.
        terms: those in force on that local date.
    """

    matter: Matter
    terms: Terms
    zone: tzinfo
    local: datetime

    @property
    def facts(self) -> Facts:
        return self.matter.facts

    @property
    def today(self) -> date:
        return self.local.date()

    def bound_by(self, bonds: frozenset[Bond]) -> bool:
        """Whether the callee's relationship is one of these."""
        relationship = self.matter.relationship
        return relationship is not None and relationship.bond in bonds

    def ended_within(self, days: int) -> bool:
        """Whether the callee's contract ended fewer than `days` local days ago."""
        relationship = self.matter.relationship
        if relationship is None or relationship.bond is not Bond.ENDED or not relationship.since:
            return False
        return 0 <= (self.today - relationship.since).days < days

    @cached_property
    def objections(self) -> tuple[Objection, ...]:
        """The objections that reach this campaign."""
        campaign = self.matter.mandate.campaign
        return tuple(
            objection
            for objection in self.facts.objections
            if objection.scope is not Scope.CAMPAIGN or objection.campaign == campaign
        )

    @cached_property
    def good_consents(self) -> tuple[Consent, ...]:
        """The consents that stand here and now: covering, not void, lapsed or overruled."""
        return tuple(
            consent for consent in self.facts.consents if why_not_good(consent, self) is None
        )

    def lifts(self, rule: ListRule) -> bool:
        """Whether the callee's relationship lifts the duty to consult a list."""
        return self.bound_by(rule.exempt) or self.ended_within(rule.ended_within_days)


def why_not_good(consent: Consent, case: Case) -> str | None:
    """Why a consent does not stand in this case, as a word; None when it does.

    The words, in the order in which they are looked for: "scope", "withdrawn", "overruled" (an
    objection came at the same instant or later), "not_yet", "incomplete", "lapsed".
    """
    mandate = case.matter.mandate
    covers = ("professional", mandate.campaign, mandate.sector or None, case.matter.purpose.value)
    if consent.scope not in covers:
        return "scope"
    if consent.withdrawn_at is not None:
        return "withdrawn"
    # A no and a yes of the same instant: the no wins.
    given_at = consent.given_at
    if case.facts.objections and any(no.at >= given_at for no in case.objections):
        return "overruled"
    if given_at > case.local:
        return "not_yet"
    rule = case.terms.consent
    given = given_at.astimezone(case.zone).date()
    if rule and rule.void_before and given < rule.void_before and not consent.complete:
        return "incomplete"
    if case.today > last_good_day(consent, given, rule.max_years if rule else None):
        return "lapsed"
    return None


def last_good_day(consent: Consent, given: date, max_years: int | None) -> date:
    """The last local date on which a consent is good, the law's limit and its own together.

    A consent given on day D for at most a year is good through the day before D + 1 year; one
    given on 29 February through 28 February. The shorter reading of "one year".
    """
    own = consent.until or date.max
    if max_years is None:
        return own
    try:
        anniversary = given.replace(year=given.year + max_years)
    except ValueError:
        anniversary = date(given.year + max_years, 3, 1)
    return min(own, anniversary - timedelta(1))


def longest(refusals: list[Refusal]) -> Refusal | None:
    """Of several refusals by one rule, the one that holds longest; None of none."""
    return max(refusals, key=_until_s, default=None)


def _until_s(refusal: Refusal) -> float:
    # Seconds since 1970, not wall clocks: those of one zone compare wrongly around a change.
    return refusal.until.timestamp() if refusal.until else math.inf
