"""Judging a matter: every rule, in every place the callee may be in, and the next instant.

Owns the meeting of the candidates (the strictest holds) and the search for `next`. Pure: the
instant is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from dialwarden.policy.period import day_start, earlier, whole_second_up
from dialwarden.rules import OF_ATTEMPTS, RULES
from dialwarden.rules.case import Case, Matter
from dialwarden.rules.opening import opens_after
from dialwarden.verdict import REPORT_ORDER, NotJudged, Reason, Refusal, Rule

NEXT_HORIZON = timedelta(days=400)
# How often a search may judge a zone: it runs while the ledger is locked for writing. One takes 15
# to 40 us with the few windows a day that laws have, so that 50 ms or so is the worst, and then
# there is no answer. Measured for the 22 zones of +1 and windows that never meet: 10 ms with two
# windows a day, 50 with ten, 150 with twenty. How many it takes: 1 to 3 for a French number with
# caps, gaps and holidays, 71 for the 22 zones of +1 with one window a day; in 800 random weeks over
# 6 to 22 zones every answer came within 300, one half a year away among them, and that there is
# none was sure within 1,700.
MOST_ZONE_JUDGEMENTS = 2000
_WEEK = timedelta(weeks=1)
_BY_CALENDAR = frozenset({Rule.HOLIDAY, Rule.HOURS})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say at one instant.

    Attributes:
        regimes: ids of the regimes in force in the candidate zones, without repeats.
        refusals: one per failing rule, in the order of reports, the strictest candidate's.
        clears: the earliest instant at which another judgement can be better, when refused;
            None when no waiting helps.
        unverified: citations that this rests on and that no text was read for: of a refusal, those
            of its rules; else all those of the terms in force.
    """

    regimes: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    not_judged: tuple[NotJudged, ...]
    clears: datetime | None
    unverified: tuple[str, ...] = ()


def judge(matter: Matter, at: datetime) -> Judgement:
    """Every rule's word on a matter at an aware instant; every place must allow it.

    Raises:
        ValueError: `at` is naive; it would be read on the server's own clock.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} is naive")
    strictest: dict[Rule, Refusal] = {}
    cases: dict[Rule, Case] = {}
    silent: dict[Rule, NotJudged] = {}
    regimes: list[str] = []
    bounds: list[datetime | None] = []
    doubtful: set[str] = set()
    rested: list[str] = []
    for spot in _spots(matter):
        zone = spot.zone
        local = at.astimezone(zone)
        refusals, not_judged, case = _judge_at(matter, spot, local)
        if case is not None:
            terms = case.terms
            if terms.regime not in regimes:
                regimes.append(terms.regime)
            doubtful |= terms.doubtful
            rested += terms.unverified
            if matter.relationship is not None:
                rested += _exemptions(case)
        change = _regime_change(matter, local, zone) if refusals else None
        for refusal in refusals:
            bounds.append(earlier(refusal.until, change))
            known = strictest.get(refusal.rule)
            if known is None or _later(refusal.until, known.until):
                strictest[refusal.rule] = refusal
                if case is not None:
                    cases[refusal.rule] = case
        for silence in not_judged:
            silent.setdefault(silence.rule, silence)
    if not strictest:
        unverified = tuple(dict.fromkeys(rested))
        return Judgement(tuple(regimes), (), tuple(silent.values()), None, unverified)
    _tell_openings(strictest, cases)
    ordered = sorted(strictest.values(), key=lambda refusal: REPORT_ORDER[refusal.rule])
    return Judgement(
        regimes=tuple(regimes),
        refusals=tuple(ordered),
        not_judged=tuple(n for rule, n in silent.items() if rule not in strictest),
        clears=_latest(bounds),
        unverified=tuple(
            dict.fromkeys(refusal.source for refusal in ordered if refusal.source in doubtful)
        ),
    )


def attempts_matter(matter: Matter, at: datetime) -> bool:
    """Whether the attempts on record make any rule say what it would not say without them.

    False where they do not, for a callee of whom nothing else is on record: then the judgement is
    that of one who was never called.
    """
    for spot in _spots(matter):
        local = at.astimezone(spot.zone)
        terms = matter.mandate.terms_on(local.date(), matter.purpose, spot.region)
        if terms is None:
            continue
        case = Case(matter, terms, spot.zone, local, spot.region)
        if any(rule(case) is not None for rule in OF_ATTEMPTS):
            return True
    return False


def _tell_openings(strictest: dict[Rule, Refusal], cases: dict[Rule, Case]) -> None:
    """Let who is refused by the calendar know when it opens, besides when one rule would."""
    known: dict[int, datetime | None] = {}
    for rule in _BY_CALENDAR & cases.keys():
        case, refusal = cases[rule], strictest[rule]
        if id(case) not in known:  # a holiday on a weekend: both rules, one place
            known[id(case)] = opens_after(case)
        opens = known[id(case)]
        if opens is not None:
            values = {**refusal.reason.values, "opens": opens}
            strictest[rule] = replace(refusal, reason=Reason(refusal.reason.key, values))


class _Spot(NamedTuple):
    """One of the places where the callee may be."""

    region: str
    zone: tzinfo


def _spots(matter: Matter) -> list[_Spot]:
    return [
        _Spot(place.region, zone) for place, zone in zip(matter.places, matter.zones, strict=True)
    ]


def _exemptions(case: Case) -> list[str]:
    """Citations, not verified, of the exemptions that the callee's relationship makes use of."""
    terms = case.terms
    consent = (terms.consent,) if terms.consent is not None else ()
    return [
        rule.exempt.source
        for rule in (*terms.lists, *terms.sectors, *consent)
        if rule.exempt.source in terms.doubtful and case.exempt(rule.exempt)
    ]


def _judge_at(
    matter: Matter, spot: _Spot, local: datetime
) -> tuple[list[Refusal], list[NotJudged], Case | None]:
    """What the rules find at one place, and the case they were given; None where no law is."""
    mandate = matter.mandate
    region, zone = spot
    terms = mandate.terms_on(local.date(), matter.purpose, region)
    if terms is None:
        reason = Reason("no_regime", {"policy": mandate.policy.id, "day": local.date()})
        until = _regime_change(matter, local, zone)
        return [Refusal(Rule.CAMPAIGN, reason, until=until, source=mandate.policy.file)], [], None
    case = Case(matter, terms, zone, local, region)
    refusals: list[Refusal] = []
    not_judged: list[NotJudged] = []
    for _, rule in RULES:
        finding = rule(case)
        if finding is None:
            continue
        if isinstance(finding, Refusal):
            refusals.append(finding)
        else:
            not_judged.append(finding)
    return refusals, not_judged, case


def _regime_change(matter: Matter, local: datetime, zone: tzinfo) -> datetime | None:
    """When the law itself changes next: nothing a rule says is known to hold beyond that."""
    policy = matter.mandate.policy
    following = policy.regime_after(local.date())
    ends = policy.regime_on(local.date())
    if ends is not None and ends.end is not None:
        return day_start(ends.end + timedelta(1), zone)
    return day_start(following.start, zone) if following else None


def _latest(bounds: Iterable[datetime | None]) -> datetime | None:
    """Every failing rule must clear: the latest of their bounds, None when one is without end."""
    latest: datetime | None = None
    for bound in bounds:
        if bound is None:
            return None
        if latest is None or _later(bound, latest):
            latest = bound
    return latest


def _later(left: datetime | None, right: datetime | None) -> bool:
    """Whether `left` is the stricter of two untils; None is without end."""
    if left is None or right is None:
        return left is None and right is not None
    return left.timestamp() > right.timestamp()


def next_allowed(matter: Matter, at: datetime, first: Judgement | None = None) -> datetime | None:
    """The first whole second after `at` at which every rule allows, within 400 days.

    The facts are frozen: no new attempts, consents or list versions. Each refusal says the
    instant before which it cannot end, so the search jumps from one such bound to the next,
    never past an allowed second. One zone that refuses is enough to jump: what it waits for, all
    wait for.

    Args:
        first: the judgement at `at`, when it is at hand.

    Returns:
        An aware instant in the callee's (first) zone, or None when waiting does not help, or
        when `MOST_ZONE_JUDGEMENTS` did not settle it.
    """
    first = first or judge(matter, at)
    if not first.refusals:
        return at.astimezone(matter.zones[0])
    horizon = at + NEXT_HORIZON
    spots = _spots(matter)
    # Where an eve or an appointment makes one day unlike the same weekday of another week, no week
    # tells of the next.
    alike = _weeks_are_alike(matter)
    # Since when the hours of one zone or another have refused every second.
    shut_since = before = at
    clears, by_hours = first.clears, False
    budget = MOST_ZONE_JUDGEMENTS
    while clears is not None:
        instant = whole_second_up(clears.astimezone(UTC))
        if instant <= before:
            return None  # a rule whose `until` does not move
        if not by_hours:
            shut_since = instant
        elif alike and instant - shut_since >= _WEEK:
            shut_since = instant = _after_equal_weeks(matter, instant, horizon)
        if instant > horizon:
            return None
        # Those that refused last come first, since two at odds take turns; but the very last one
        # has just come to its bound, and is asked when all others agree.
        for spot in (*spots[1:], spots[0]):
            if not budget:
                return None
            budget -= 1
            local = instant.astimezone(spot.zone)
            refusals, _, _ = _judge_at(matter, spot, local)
            if refusals:
                break
        else:
            return instant.astimezone(matter.zones[0])
        spots.remove(spot)
        spots.insert(0, spot)
        change = _regime_change(matter, local, spot.zone)
        bounds = {refusal.rule: earlier(refusal.until, change) for refusal in refusals}
        before, clears = instant, _latest(bounds.values())
        by_hours = Rule.HOURS in bounds and not _later(clears, bounds[Rule.HOURS])
    return None


def _weeks_are_alike(matter: Matter) -> bool:
    """Whether nothing but clocks and laws makes a week unlike the one before."""
    if any(agreed.used_by is None for agreed in matter.facts.appointments):
        return False
    return all(terms.eve_hours is None for terms in matter.mandate.terms.values())


def _after_equal_weeks(matter: Matter, instant: datetime, horizon: datetime) -> datetime:
    """The instant, or as many weeks later as are sure to be like the one before it.

    In that week the hours of some zone refused every second. They are the same week after week
    while no zone's clock changes and no law does (a consent that lapses only makes them
    stricter), so those weeks need not be judged. Looking once a week sees every change: in the
    time-zone data no clock changes twice within seven days (2020 to 2040, every zone).
    """
    known = _clocks_and_laws(matter, instant)
    if known != _clocks_and_laws(matter, instant - _WEEK):
        return instant
    while instant <= horizon and known == _clocks_and_laws(matter, instant + _WEEK):
        instant += _WEEK
    return instant


def _clocks_and_laws(matter: Matter, instant: datetime) -> list[tuple[timedelta | None, str]]:
    """What the weekly hours hang on, by zone: the clock's offset and the regime in force."""
    regime_on = matter.mandate.policy.regime_on
    states = []
    for zone in matter.zones:
        local = instant.astimezone(zone)
        regime = regime_on(local.date())
        states.append((local.utcoffset(), regime.id if regime else ""))
    return states
