"""House rules that do nothing: what in a campaign's `tighten` is wider than the law.

Owns the comparison, for warnings only: the judging takes both together anyway. Refuses to guess
where two figures cannot be compared (calendar days against rolling hours that overlap).
"""

from __future__ import annotations

from datetime import timedelta

from dialwarden.policy.figures import GapAfter, HoursRule
from dialwarden.policy.hours import WEEKDAYS, Windows, intersect
from dialwarden.policy.model import HouseRules, Regime
from dialwarden.policy.period import Period
from dialwarden.question import Purpose


def wider_than_law(house: HouseRules, regime: Regime, purpose: Purpose) -> list[str]:
    """One sentence for each house rule that a regime makes pointless.

    A rule as strict as the law's is not wider. A regime that does not bind the purpose makes
    nothing pointless.
    """
    if purpose not in regime.purposes:
        return []
    return [
        *_hours(house, regime.hours_of(purpose)),
        *_caps(house, regime, purpose),
        *_gaps(house, regime, purpose),
    ]


def covers(outer: Period, inner: Period) -> bool:
    """Whether everything in the inner period lies in the outer one, in every zone."""
    if outer.days and inner.days:
        return outer.days >= inner.days
    if outer.days:
        # Of its days only today may be short; an hour for a clock set forward in between.
        return inner.rolling <= timedelta(days=outer.days - 1) - timedelta(hours=1)
    if inner.days:
        return outer.rolling >= timedelta(days=inner.days, hours=1)
    return outer.rolling >= inner.rolling


def _hours(house: HouseRules, law: HoursRule | None) -> list[str]:
    if house.hours is None or law is None:
        return []
    return [
        f"hours.{WEEKDAYS[weekday]} ({_told(ours)}) is wider than the law's ({_told(theirs)}, "
        f"{law.source}); what lies in both counts"
        for weekday, (ours, theirs) in enumerate(zip(house.hours.days, law.week.days, strict=True))
        if intersect(ours, theirs) != ours
    ]


def _told(windows: Windows) -> str:
    return ", ".join(map(str, windows)) or "closed"


def _caps(house: HouseRules, regime: Regime, purpose: Purpose) -> list[str]:
    return [
        f"max {ours.max} in {ours.period} is wider than the law's {law.max} in {law.period} "
        f"({law.source}); the law's counts"
        for ours in house.caps
        for law in regime.caps
        if purpose in law.purposes
        and covers(law.period, ours.period)
        and law.max <= ours.max
        and (law.max, law.period) != (ours.max, ours.period)
    ]


def _gaps(house: HouseRules, regime: Regime, purpose: Purpose) -> list[str]:
    return [
        f"gap {ours.period} is shorter than the law's {law.period} ({law.source}); the law's counts"
        for ours in house.gaps
        for law in regime.gaps
        if purpose in law.purposes and law.after is GapAfter.ATTEMPT
        if law.period and ours.period
        if covers(law.period, ours.period) and law.period != ours.period
    ]
