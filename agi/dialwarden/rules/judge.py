"""Judging a matter: every rule, in every zone the callee may be in, and the next instant.

Owns the meeting of the candidates (the strictest holds) and the search for `next`. Pure: the
instant is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from dialwarden.policy.period import day_start
from dialwarden.rules import RULES
from dialwarden.rules.case import Case, Matter
from dialwarden.verdict import REPORT_ORDER, NotJudged, Reason, Refusal, Rule

NEXT_HORIZON = timedelta(days=400)
# Each step of the search moves past a window, a holiday, a cap or a regime; 400 days of two
# windows a day take 800. More means a rule whose `until` does not move: no answer is given.
_MOST_STEPS = 2000


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say at one instant.

    Attributes:
        regimes: ids of the regimes in force in the candidate zones, without repeats.
        refusals: one per failing rule, in the order of reports, the strictest candidate's.
        clears: the earliest instant at which another judgement can be better, when refused;
            None when no waiting helps.
    """

    regimes: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    not_judged: tuple[NotJudged, ...]
    clears: datetime | None


def judge(matter: Matter, at: datetime) -> Judgement:
    """Every rule's word on a matter at an aware instant; all candidate zones must allow it.

    Raises:
        ValueError: `at` is naive; it would be read on the server's own clock.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} is naive")
    strictest: dict[Rule, Refusal] = {}
    silent: dict[Rule, NotJudged] = {}
    regimes: list[str] = []
    bounds: list[datetime | None] = []
    for zone in matter.zones:
        local = at.astimezone(zone)
        refusals, not_judged, regime = _judge_in_zone(matter, zone, local)
        if regime and regime not in regimes:
            regimes.append(regime)
        change = _regime_change(matter, local, zone) if refusals else None
        for refusal in refusals:
            bounds.append(_earlier(refusal.until, change))
            known = strictest.get(refusal.rule)
            if known is None or _later(refusal.until, known.until):
                strictest[refusal.rule] = refusal
        for silence in not_judged:
            silent.setdefault(silence.rule, silence)
    if not strictest:
        return Judgement(tuple(regimes), (), tuple(silent.values()), None)
    ordered = sorted(strictest.values(), key=lambda refusal: REPORT_ORDER[refusal.rule])
    # Every failing rule must clear, so the latest of their bounds is the earliest hope.
    clears = None
    if bounds and all(bounds):
        clears = max((bound for bound in bounds if bound), key=datetime.timestamp)
    return Judgement(
        regimes=tuple(regimes),
        refusals=tuple(ordered),
        not_judged=tuple(n for rule, n in silent.items() if rule not in strictest),
        clears=clears,
    )


def _judge_in_zone(
    matter: Matter, zone: tzinfo, local: datetime
) -> tuple[list[Refusal], list[NotJudged], str]:
    mandate = matter.mandate
    terms = mandate.terms_on(local.date(), matter.purpose)
    if terms is None:
        reason = Reason("no_regime", {"policy": mandate.policy.id, "day": local.date()})
        until = _regime_change(matter, local, zone)
        return [Refusal(Rule.CAMPAIGN, reason, until=until, source=mandate.policy.file)], [], ""
    case = Case(matter, terms, zone, local)
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
    return refusals, not_judged, terms.regime


def _regime_change(matter: Matter, local: datetime, zone: tzinfo) -> datetime | None:
    """When the law itself changes next: nothing a rule says is known to hold beyond that."""
    policy = matter.mandate.policy
    following = policy.regime_after(local.date())
    ends = policy.regime_on(local.date())
    if ends is not None and ends.end is not None:
        return day_start(ends.end + timedelta(1), zone)
    return day_start(following.start, zone) if following else None


def _earlier(left: datetime | None, right: datetime | None) -> datetime | None:
    if left is None or right is None:
        return left or right
    return min(left, right, key=datetime.timestamp)


def _later(left: datetime | None, right: datetime | None) -> bool:
    """Whether `left` is the stricter of two untils; None is without end."""
    if left is None or right is None:
        return left is None and right is not None
    return left.timestamp() > right.timestamp()


def next_allowed(matter: Matter, at: datetime, first: Judgement | None = None) -> datetime | None:
    """The first whole second after `at` at which every rule allows, within 400 days.

    The facts are frozen: no new attempts, consents or list versions. Each refusal says the
    instant before which it cannot end, so the search jumps from one such bound to the next,
    never past an allowed second.

    Args:
        first: the judgement at `at`, when it is at hand.

    Returns:
        An aware instant in the callee's (first) zone, or None when waiting does not help.
    """
    judgement = first or judge(matter, at)
    instant = at
    horizon = at + NEXT_HORIZON
    for _ in range(_MOST_STEPS):
        if not judgement.refusals:
            return instant.astimezone(matter.zones[0])
        if judgement.clears is None:
            return None
        clears = _whole_second_up(judgement.clears.astimezone(UTC))
        if clears <= instant or clears > horizon:
            return None
        instant = clears
        judgement = judge(matter, instant)
    return None


def _whole_second_up(instant: datetime) -> datetime:
    if not instant.microsecond:
        return instant
    return instant.replace(microsecond=0) + timedelta(seconds=1)
