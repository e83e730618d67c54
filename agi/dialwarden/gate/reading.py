"""A question made into a matter that can be judged: or refused as it stands, or exempt.

Owns the rules that speak before there is a case (`number`, `campaign`) and the exemptions that
need no list. Pure: no ledger, no clock; an emergency number passes here whatever else is broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache

from dialwarden.facts import Appointment, Facts
from dialwarden.gate.rulebook import Entry, Rulebook
from dialwarden.numbers import (
    Number,
    Place,
    UnknownRegion,
    Unreadable,
    is_emergency,
    places_of_region,
    read_number,
    zone,
)
from dialwarden.policy.figures import SectorConsent
from dialwarden.policy.terms import Terms
from dialwarden.question import CallerId, Dialling, Purpose, Question
from dialwarden.rules.case import Case, Matter, matter_of
from dialwarden.verdict import Phrase, Reason, Refusal, Rule

EMERGENCY = "emergency"
PATTERN = "pattern"
# What a peer sent stands in reasons: enough of it to be found again, not enough to flood a log.
_SHOWN = 40
_FAULTS_SHOWN = 200
# What may go back to the dialplan as it was dialled: one number or extension. An `&`, a `/` or an
# `@` in it would dial something else besides, or elsewhere.
_DIALLABLE = re.compile(r"[0-9A-Za-z+*#(). -]+")


# Not frozen: a frozen one of these takes twice the time to make, and each call makes one.
@dataclass(slots=True)
class Reading:
    """What could be made of a question without looking anything up.

    Attributes:
        exempt: EMERGENCY or PATTERN when the call is never judged, None otherwise.
        refusals: why it cannot be judged (`number`, `campaign`, `unavailable`), in order.
        caller_id: the number to be presented; None when nobody said.
        places: where the callee may be; empty when the number was not read.
        zones, zone_names: the clocks there, each once.
    """

    question: Question
    campaign: str
    exempt: str | None = None
    refusals: tuple[Refusal, ...] = ()
    entry: Entry | None = None
    number: Number | None = None
    caller_id: CallerId | None = None
    places: tuple[Place, ...] = ()
    zones: tuple[tzinfo, ...] = ()
    zone_names: tuple[str, ...] = ()

    @property
    def purpose(self) -> Purpose:
        assert self.entry is not None
        return self.question.purpose or self.entry.purpose

    @property
    def shadow(self) -> bool:
        """Whether what is refused is let go: in shadow mode, what could be dialled at all."""
        if self.entry is None or self.entry.enforce:
            return False
        return self.number is not None or is_diallable(self.question.dialled)

    def lists_asked(self, at: datetime) -> tuple[str, ...]:
        """The lists that the regimes in force, where the callee may be, ask for: the evidence."""
        return tuple(
            dict.fromkeys(rule.name for _, terms in self._in_force(at) for rule in terms.lists)
        )

    def banned_but_for_consent(self, at: datetime) -> bool:
        """Whether what the campaign sells is banned, wherever it may be, until the callee says yes.

        The refusal has the name of the sector then; what is missing is a consent.
        """
        assert self.entry is not None
        sector = self.entry.mandate.sector
        return any(
            rule.consent is not SectorConsent.NONE
            for day, terms in self._in_force(at)
            for rule in terms.sectors
            if sector in rule.sectors and rule.in_force(day)
        )

    def _in_force(self, at: datetime) -> Iterator[tuple[date, Terms]]:
        """The terms where the callee may be, with the local date there."""
        assert self.entry is not None
        mandate = self.entry.mandate
        for place in mandate.candidates(self.places):
            day = at.astimezone(zone(place.zone)).date()
            terms = mandate.terms_on(day, self.purpose, place.region)
            if terms is not None:
                yield day, terms

    def matter(self, facts: Facts) -> Matter:
        """What the rules judge; only for a reading without refusals."""
        assert self.entry is not None
        return matter_of(
            self.entry.mandate,
            self.purpose,
            self.places,
            facts,
            relationship=self.question.relationship,
            caller_id=self.caller_id,
            dialling=self.dialling,
        )

    def appointment(self, facts: Facts, at: datetime) -> Appointment | None:
        """The appointment with the callee whose time it is, wherever the callee may be."""
        if self.refusals or self.number is None or self.entry is None:
            return None
        matter = self.matter(facts)
        for place, clock in zip(matter.places, matter.zones, strict=True):
            local = at.astimezone(clock)
            terms = matter.mandate.terms_on(local.date(), matter.purpose, place.region)
            if terms is not None:
                found = Case(matter, terms, clock, local, place.region).appointment
                if found is not None:
                    return found
        return None

    @property
    def dialling(self) -> Dialling | None:
        assert self.entry is not None
        return self.question.dialling or self.entry.dialling


def _read_caller_id(shown: str | None, region: str) -> CallerId | None:
    """The number to be presented, read as the campaign's region writes numbers.

    Without a text nothing is said of it: an empty variable of the dialplan is no caller id.
    """
    if shown is None or not shown.strip():
        return None
    read = read_number(shown, region=region)
    return CallerId(shown, read.e164 if isinstance(read, Number) else "")


@lru_cache(maxsize=1024)
def _clocks(places: tuple[Place, ...]) -> tuple[tuple[str, ...], tuple[tzinfo, ...]]:
    """The clocks of some places, each once: their names and themselves."""
    names = tuple(dict.fromkeys(place.zone for place in places))
    return names, tuple(zone(name) for name in names)


def read_question(question: Question, rulebook: Rulebook) -> Reading:
    """Read a question: never raises, whatever a peer wrote."""
    campaign = question.campaign or rulebook.default_campaign
    if is_emergency(question.dialled, rulebook.emergency, rulebook.strips):
        return Reading(question, campaign, exempt=EMERGENCY)
    entry = rulebook.entries.get(campaign)
    number: Number | Unreadable | None = None
    if entry is not None and not question.faults:
        number = read_number(question.dialled, region=entry.region, strips=rulebook.strips)
    elif not question.faults:
        number = _read_anywhere(question.dialled)
    if not question.faults and _matches_pattern(question.dialled, number, rulebook):
        return Reading(question, campaign, exempt=PATTERN)
    refusals = []
    if question.faults:
        # Of two readings of a question one may be an attacker's: neither is taken.
        reason = Reason("number_faults", {"detail": _faults_told(question.faults)})
        refusals.append(Refusal(Rule.NUMBER, reason))
    elif isinstance(number, Unreadable):
        refusals.append(_refuse_number(number, entry))
    if isinstance(number, Unreadable):
        number = None
    if entry is None:
        refusals.append(_refuse_campaign(campaign, rulebook))
    if question.misread is not None:
        wrong = question.misread
        refusals.append(_refuse_question(wrong.key, wrong.found, wrong.allowed))
    if refusals or entry is None or number is None:
        return Reading(question, campaign, refusals=tuple(refusals), entry=entry, number=number)
    try:
        places = places_of_region(question.region) if question.region else number.places
    except UnknownRegion as error:
        refusal = _refuse_question("region", question.region, _regions_allowed(error.nearest))
        return Reading(question, campaign, refusals=(refusal,), entry=entry, number=number)
    names, zones = _clocks(places)
    caller_id = _read_caller_id(question.caller_id, entry.region)
    return Reading(question, campaign, None, (), entry, number, caller_id, places, zones, names)


def _read_anywhere(dialled: str) -> Number | Unreadable | None:
    """A number that is the same read from wherever, or what is wrong with it anywhere.

    None when a region is needed to tell: without a campaign there is none.
    """
    read = read_number(dialled, region="FR")
    if isinstance(read, Unreadable):
        return read if read.code in ("characters", "empty") else None
    return read if dialled.strip().startswith("+") else None


def is_diallable(text: str) -> bool:
    """Whether a text, dialled as it is, is one number or extension and nothing else."""
    return _DIALLABLE.fullmatch(text) is not None


def _matches_pattern(dialled: str, number: Number | Unreadable | None, rulebook: Rulebook) -> bool:
    if not rulebook.exempt_patterns:
        return False
    forms = [dialled.strip()] if is_diallable(dialled) else []
    if isinstance(number, Number):
        forms += [number.e164, number.e164.removeprefix("+")]
    return any(pattern.matches(form) for pattern in rulebook.exempt_patterns for form in forms)


def detail_of(unreadable: Unreadable) -> str:
    """Why a text is no number, as a value of a reason."""
    return Phrase(*unreadable.words) if unreadable.words else unreadable.detail


def _faults_told(faults: tuple[str, ...]) -> str:
    """As many of the faults as there is room for, the first one in any case."""
    told = faults[0]
    for fault in faults[1:]:
        longer = Phrase("{one}; {other}", {"one": told, "other": fault})
        if len(longer) > _FAULTS_SHOWN:
            break
        told = longer
    return told if len(told) <= _FAULTS_SHOWN else told[:_FAULTS_SHOWN]


def _regions_allowed(nearest: str) -> Phrase:
    if not nearest:
        return Phrase("an ISO 3166 code such as FR-974 or IT")
    return Phrase(
        "an ISO 3166 code such as FR-974 or IT (the nearest known is {nearest})",
        {"nearest": nearest},
    )


def _refuse_number(unreadable: Unreadable, entry: Entry | None) -> Refusal:
    values = {
        "detail": detail_of(unreadable),
        "region": entry.region if entry else "",
    }
    return Refusal(Rule.NUMBER, Reason(f"number_{unreadable.code}", values))


def _refuse_campaign(campaign: str, rulebook: Rulebook) -> Refusal:
    if not campaign:
        return Refusal(Rule.CAMPAIGN, Reason("campaign_missing"))
    known = ", ".join(sorted(rulebook.entries)) or Phrase("none")
    values = {"campaign": ascii(campaign[:_SHOWN]), "known": known}
    return Refusal(Rule.CAMPAIGN, Reason("campaign_unknown", values))


def _refuse_question(key: str, found: str, allowed: str) -> Refusal:
    said = allowed if isinstance(allowed, Phrase) else Phrase(allowed)
    values = {"key": key, "found": ascii(found[:_SHOWN]), "allowed": said}
    return Refusal(Rule.UNAVAILABLE, Reason("unavailable_question", values))
