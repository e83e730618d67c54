"""What a rule is given: one question with its facts, and one place and instant of it.

Owns nothing but the bringing together, and what several rules ask of it (is there a good
consent?). Every value is an argument: no clock, no ledger.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

from dialwarden.facts import Appointment, Consent, Facts, Objection, Scope
from dialwarden.numbers.clocks import zone
from dialwarden.numbers.regions import Place
from dialwarden.policy.days import Closing, Day, Holiday, day_of
from dialwarden.policy.figures import Exemption, SectorRule
from dialwarden.policy.period import day_start
from dialwarden.policy.terms import Mandate, Terms
from dialwarden.question import Bond, CallerId, Dialling, Purpose, Relationship
from dialwarden.verdict import Refusal, Rule


@dataclass(frozen=True, slots=True)
class Matter:
    """A question that can be judged: its number is read and its campaign known.

    Attributes:
        places: where the callee may be, as far as the mandate tells places apart; at least one.
        zones: their clocks, in the same order.
        known: where the callee is is known, to the part of the country.
        caller_id, dialling: None when nobody said.
    """

    mandate: Mandate
    purpose: Purpose
    places: tuple[Place, ...]
    zones: tuple[tzinfo, ...]
    facts: Facts
    known: bool = False
    relationship: Relationship | None = None
    caller_id: CallerId | None = None
    dialling: Dialling | None = None


def matter_of(
    mandate: Mandate, purpose: Purpose, places: tuple[Place, ...], facts: Facts, **given: Any
) -> Matter:
    """A matter from all the places that a number or a question gives; see `Matter`."""
    apart = mandate.candidates(places)
    return Matter(
        mandate=mandate,
        purpose=purpose,
        places=apart,
        zones=tuple([zone(place.zone) for place in apart]),
        facts=facts,
        known="-" in places[0].region and len({place.region for place in places}) == 1,
        **given,
    )


@dataclass(frozen=True)  # without slots: a cached property needs a place for its value
class Case:
    """A matter at one instant, in one of the places where the callee may be.

    Attributes:
        local: the instant on the callee's clock, aware in `zone`.
        region: ISO 3166 code of the place.
        terms: those in force there on that local date.
    """

    matter: Matter
    terms: Terms
    zone: tzinfo
    local: datetime
    region: str = ""

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

    def exempt(self, exemption: Exemption) -> bool:
        """Whether the callee's relationship lifts a duty here and now."""
        relationship = self.matter.relationship
        if relationship is None:
            return False
        bond, since = relationship.bond, relationship.since
        if since is not None and since > self.today:
            return False  # a contract that is still to end, a request still to come: no claim
        if bond in exemption.bonds:
            return True
        within = {
            Bond.ENDED: exemption.ended_within,
            Bond.REQUEST: exemption.requested_within,
        }.get(bond)
        if within is None or since is None:
            return False
        return within.holds(since, self.today, self._no_working_day)

    def _no_working_day(self, day: date) -> bool:
        """Whether a date is a holiday of the country: a region's closes, and lengthens nothing."""
        holiday = self.day(day).holiday
        return holiday is not None and holiday.kind is Closing.NATIONAL

    @cached_property
    def banning(self) -> tuple[SectorRule, ...]:
        """The bans in force today of what this campaign sells."""
        sector = self.matter.mandate.sector
        return tuple(
            rule
            for rule in self.terms.sectors
            if sector in rule.sectors and rule.in_force(self.today)
        )

    @property
    def asked_for(self) -> bool:
        """Whether the callee's request, which lifts a ban, stands for the consent as well."""
        relationship = self.matter.relationship
        if relationship is None or relationship.bond is not Bond.REQUEST:
            return False
        return any(rule.request_consents and self.exempt(rule.exempt) for rule in self.banning)

    def day(self, day: date) -> Day:
        """A local date where the callee is."""
        return day_of(self.terms, day, self.region, known=self.matter.known)

    def after(self, last: date | None) -> datetime | None:
        """The first instant after the last day of a part, in the callee's zone; None of no end."""
        return day_start(last + timedelta(1), self.zone) if last is not None else None

    def closing(self, day: date) -> Holiday | None:
        """The holiday that closes a local date here.

        A regional one closes it where the callee is known to be, and where it is kept at every
        place where the callee may be: whichever it is, the day is closed.
        """
        here = self.day(day)
        if here.holiday is not None or here.doubt is None:
            return here.holiday
        if not self._kept_everywhere(day):
            return None
        return replace(here.doubt, kind=Closing.ADVISORY)

    def _kept_everywhere(self, day: date) -> bool:
        matter = self.matter
        for place in matter.places:
            terms = matter.mandate.terms_on(day, matter.purpose, place.region)
            if terms is None or "-" not in place.region:
                return False
            there = day_of(terms, day, place.region)
            if there.holiday is None and there.doubt is None:
                return False
        return True

    @cached_property
    def appointment(self) -> Appointment | None:
        """The appointment with the callee whose time it is, if the law heeds appointments."""
        return self.agreed_at(self.local) if self.facts.appointments else None

    def agreed_at(self, instant: datetime) -> Appointment | None:
        """The appointment whose time an instant is: half-open, as every window is."""
        rule = self.terms.appointments
        if rule is None:
            return None
        for agreed in self.appointments:
            if agreed.at - rule.tolerance <= instant < agreed.at + rule.tolerance:
                return agreed
        return None

    @property
    def appointments(self) -> Iterator[Appointment]:
        """The appointments with this campaign that stand, in no order.

        A no that came after it has ended one, whatever else the callee agreed to since.
        """
        campaign = self.matter.mandate.campaign
        no = max((objection.at for objection in self.objections), default=None)
        for agreed in self.facts.appointments:
            if agreed.used_by is not None or agreed.campaign not in ("", campaign):
                continue
            if no is None or agreed.agreed_at > no:
                yield agreed

    def lifted(self, rule: Rule) -> bool:
        """Whether a good consent, or an appointment, lifts the law's part of a rule now."""
        if self.lifted_by_consent(rule):
            return True
        appointments = self.terms.appointments
        return (
            appointments is not None
            and rule in appointments.waives
            and self.appointment is not None
        )

    def lifted_by_consent(self, rule: Rule) -> bool:
        """Whether a good consent lifts the law's part of a rule, at whatever hour."""
        return self.terms.waives(rule) and bool(self.good_consents)

    def awaited(self, rule: Rule) -> Iterator[datetime]:
        """From when on appointments that are not over lift the law's part of a rule: now, or later.

        Aware, in the callee's zone, in order.
        """
        appointments = self.terms.appointments
        if appointments is None or rule not in appointments.waives:
            return
        tolerance = appointments.tolerance
        for at in sorted(agreed.at for agreed in self.appointments):
            if self.local < at + tolerance:
                yield max(at - tolerance, self.local).astimezone(self.zone)

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
