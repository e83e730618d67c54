"""What one regime allows that another forbids: for the author of a policy that extends a policy.

Owns the comparison of two regimes, part by part, for warnings only: nothing is judged by it.
Where two figures cannot be held against each other (calendar days and rolling hours, months and
days) whatever may be laxer is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain

from dialwarden.policy import laxer_duties as duties
from dialwarden.policy.calendar import holiday_on
from dialwarden.policy.figures import (
    EVERYTHING,
    Cap,
    Gap,
    HolidayRule,
    HoursRule,
    RegionalDays,
    RegionRules,
)
from dialwarden.policy.hours import WEEKDAYS, Window, Windows, intersect
from dialwarden.policy.model import Regime
from dialwarden.question import Purpose
from dialwarden.settings.house import covers

_ALL_DAY: Windows = (Window(0, 86400),)
_MORE_DAYS = (RegionalDays.OFF, RegionalDays.ADVISORY, RegionalDays.COUNTED)


def laxer(ours: Regime, base: Regime) -> Iterator[tuple[str, str]]:
    """What is laxer in a regime than in one of another policy, on the days that both are in force.

    Yields:
        The part, as it is named in the file ("purposes" and "regions" too), and a sentence with
        both figures.
    """
    within = max(ours.start, base.start), min(ours.end or date.max, base.end or date.max)
    if within[0] > within[1]:
        return
    name = base.id
    left = base.purposes - ours.purposes
    if left:
        yield "purposes", f"binds no {', '.join(sorted(left))} calls; {name} does"
    # What is not bound any more is told once, not with each part again.
    bound = EVERYTHING - left
    parts = {
        "hours": chain.from_iterable(
            _hours([ours.hours_of(purpose)], [base.hours_of(purpose)], name)
            for purpose in Purpose
            if purpose in base.purposes & bound
        ),
        "holidays": _holidays([ours.holidays], base.holidays, name),
        "caps": _caps(ours.caps, base.caps, bound, name),
        "gaps": _gaps(ours.gaps, base.gaps, bound, name),
        "objection": duties.objection(ours.objection, base.objection, name),
        "lists": duties.lists(ours.lists, base.lists, bound, name),
        "consent": duties.consent(ours.consent, base.consent, bound, name),
        "appointments": duties.appointments(ours.appointments, base.appointments, name),
        "sectors": duties.sectors(ours.sectors, base.sectors, bound, within, name),
        "caller_id": duties.caller_ids(ours.caller_id, base.caller_id, bound, within, name),
        "silent_share": duties.silent_share(ours.silent_share, base.silent_share, name),
        "evidence": _evidence(ours, base),
        "regions": _regions(ours, base, bound),
    }
    for part, sentences in parts.items():
        # Hours that are alike for several purposes are told alike.
        yield from ((part, sentence) for sentence in dict.fromkeys(sentences))


def _hours(
    ours: list[HoursRule | None], theirs: list[HoursRule | None], base: str
) -> Iterator[str]:
    """Of each weekday and of its eve, the windows that lie in all of ours and not in theirs."""
    own = [rule for rule in ours if rule is not None]
    law = [rule for rule in theirs if rule is not None]
    if not law:
        return
    if not own:
        yield f"no hours; {base} has some"
        return
    eves = any(rule.eve is not None for rule in law)
    for eve in (False, True) if eves else (False,):
        wider: dict[tuple[Windows, Windows], list[str]] = {}
        for weekday, name in enumerate(WEEKDAYS):
            here, there = _open(own, weekday, eve=eve), _open(law, weekday, eve=eve)
            if intersect(here, there) != here:
                wider.setdefault((here, there), []).append(name)
        for (here, there), days in wider.items():
            when = f"{', '.join(days)}{' before a holiday' if eve else ''}"
            yield f"{when} {_told(here)}; {_told(there)} in {base}"


def _open(rules: Iterable[HoursRule], weekday: int, *, eve: bool) -> Windows:
    windows = _ALL_DAY
    for rule in rules:
        windows = intersect(windows, rule.week.days[weekday])
        if eve and rule.eve is not None:
            windows = intersect(windows, rule.eve)
    return windows


def _told(windows: Windows) -> str:
    return ", ".join(map(str, windows)) or "closed"


def _holidays(
    ours: list[HolidayRule | None], theirs: HolidayRule | None, base: str
) -> Iterator[str]:
    """What none of ours closes; of several, what the one that lacks least does not."""
    own = [rule for rule in ours if rule is not None]
    if theirs is None:
        return
    if not own:
        calendar = f" of {theirs.calendar}" if theirs.calendar else ""
        yield f"no holidays; {base} closes those{calendar}"
        return
    yield from min((list(_fewer_days(rule, theirs, base)) for rule in own), key=len)


def _fewer_days(ours: HolidayRule, theirs: HolidayRule, base: str) -> Iterator[str]:
    # A part's calendar holds its country's days.
    if theirs.calendar and ours.calendar.partition("-")[0] != theirs.calendar != ours.calendar:
        yield f"the holidays of {ours.calendar or 'none'}; of {theirs.calendar} in {base}"
    else:
        if theirs.observed and not ours.observed:
            yield f"no days in lieu of holidays; {base} closes them"
        for day in sorted({*ours.remove, *theirs.add}):
            name = holiday_on(theirs, day)
            if name is not None and holiday_on(ours, day) is None:
                yield f"{day} is open; in {base} it is {name}"
    if ours.open_for - theirs.open_for:
        purposes = ", ".join(sorted(ours.open_for - theirs.open_for))
        yield f"holidays are open for {purposes}; not in {base}"
    if _MORE_DAYS.index(ours.regional) < _MORE_DAYS.index(theirs.regional):
        yield f'regional = "{ours.regional}"; "{theirs.regional}" in {base}'
    if theirs.subdivisions and not ours.subdivisions:
        yield f"subdivisions = false; true in {base}"
    for local in theirs.local:
        kept = {
            region
            for days in ours.local
            if (days.day, days.easter) == (local.day, local.easter)
            for region in days.regions
        }
        if local.regions - kept:
            where = ", ".join(sorted(local.regions - kept))
            yield f"{local.name} is open in {where}; not in {base}"


def _caps(
    ours: Iterable[Cap], theirs: Iterable[Cap], bound: frozenset[Purpose], base: str
) -> Iterator[str]:
    own = list(ours)
    for law in theirs:
        kept = any(
            cap.max <= law.max
            and covers(cap.period, law.period)
            and cap.purposes >= law.purposes & bound
            for cap in own
        )
        if not kept:
            here = ", ".join(f"at most {cap.max} in {cap.period}" for cap in own) or "no cap"
            yield f"{here}; at most {law.max} in {law.period} in {base}"


def _gaps(
    ours: Iterable[Gap], theirs: Iterable[Gap], bound: frozenset[Purpose], base: str
) -> Iterator[str]:
    own = list(ours)
    for law in theirs:
        if not any(_kept(gap, law, bound) for gap in own):
            here = ", ".join(map(_gap, own)) or "no gap"
            yield f"{here}; {_gap(law)} in {base}"


def _kept(ours: Gap, theirs: Gap, bound: frozenset[Purpose]) -> bool:
    if theirs.period is None:
        as_long = ours.full_days >= theirs.full_days
    else:
        as_long = ours.period is not None and covers(ours.period, theirs.period)
    return (
        as_long
        and ours.after is theirs.after
        and ours.agent_first >= theirs.agent_first
        and ours.unless_agent <= theirs.unless_agent
        and ours.purposes >= theirs.purposes & bound
    )


def _gap(gap: Gap) -> str:
    length = f"{gap.full_days} full days" if gap.period is None else str(gap.period)
    flags = [name for name in ("agent_first", "unless_agent") if getattr(gap, name)]
    return ", ".join([f"{length} after {_AFTER[gap.after.value]}", *flags])


_AFTER = {"attempt": "an attempt", "silent": "a silent call"}


def _evidence(ours: Regime, base: Regime) -> Iterator[str]:
    if base.evidence_years and (ours.evidence_years or 0) < base.evidence_years:
        here = f"{ours.evidence_years} years" if ours.evidence_years else "not asked for"
        yield f"evidence {here}; {base.evidence_years} years in {base.id}"


def _regions(ours: Regime, base: Regime, bound: frozenset[Purpose]) -> Iterator[str]:
    """What the base adds for a region and neither our regime nor what it adds there holds."""
    lacking: dict[str, list[str]] = {}
    for part in base.regions:
        for region in sorted(part.regions):
            for sentence in dict.fromkeys(_region(ours, part, region, bound, base.id)):
                lacking.setdefault(sentence, []).append(region)
    for sentence, regions in lacking.items():
        yield f"{', '.join(regions)}: {sentence}"


def _region(
    ours: Regime, part: RegionRules, region: str, bound: frozenset[Purpose], base: str
) -> Iterator[str]:
    own = [mine for mine in ours.regions if region in mine.regions]
    hours = [mine.hours for mine in own]
    for purpose in sorted(ours.purposes):
        yield from _hours([ours.hours_of(purpose), *hours], [part.hours], base)
    yield from _holidays([ours.holidays, *(mine.holidays for mine in own)], part.holidays, base)
    caps = (*ours.caps, *(cap for mine in own for cap in mine.caps))
    yield from _caps(caps, part.caps, bound, base)
    gaps = (*ours.gaps, *(gap for mine in own for gap in mine.gaps))
    yield from _gaps(gaps, part.gaps, bound, base)
