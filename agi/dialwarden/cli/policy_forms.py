"""A policy as a person reads it: every figure, its source, and what nobody read shouted out.

Owns the words for each part of a regime; reads nothing. For programs: `policy_json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from dialwarden.policy.figures import (
    AppointmentRule,
    CallerIdRule,
    Cap,
    ConsentRule,
    ConsentWhen,
    Exemption,
    Gap,
    GapAfter,
    HolidayRule,
    HoursRule,
    ListRule,
    LocalDays,
    ObjectionRule,
    RegionalDays,
    RegionRules,
    SectorConsent,
    SectorRule,
    SilentShare,
)
from dialwarden.policy.hours import WEEKDAYS, WeekHours
from dialwarden.policy.model import Confidence, Policy, Regime, Source
from dialwarden.policy.period import Period
from dialwarden.question import Purpose


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that a regime says: what it is about, the figure, its citation."""

    name: str
    told: str
    source: str


def told(policy: Policy) -> Iterator[str]:
    """The lines of a policy; figures quote their sources, which stand at the end, by number."""
    sources = all_sources(policy)
    numbers = {citation: place for place, citation in enumerate(sources, 1)}
    yield f"{policy.id}: {policy.title}"
    if policy.binds:
        yield _line("binds", policy.binds)
    yield _line("country", policy.country or "none")
    if policy.extends:
        yield _line("extends", policy.extends)
    yield _line("file", f"{policy.file}, sha256 {policy.sha256}")
    for regime in policy.regimes:
        yield ""
        until = f" through {regime.end}" if regime.end else ", no end"
        yield f"{regime.id}: {regime.title}"
        yield _line("in force", f"from {regime.start}{until}")
        if regime.extends and regime.extends != regime.id:
            yield _line("extends", regime.extends)
        yield _line("purposes", _joined(regime.purposes))
        for figure in figures(regime):
            source = regime.sources.get(figure.source)
            place = f" [{numbers[figure.source]}]" if figure.source in numbers else ""
            yield _line(figure.name, f"{figure.told}{place}{_doubt(source)}")
    if sources:
        yield ""
        yield "sources"
    for citation, source in sources.items():
        yield f"  [{numbers[citation]}] {source}"
        yield f"      {dated_and_read(source)}"
        if source.note:
            yield f"      note: {source.note}"


def all_sources(policy: Policy) -> dict[str, Source]:
    """The sources of all regimes by citation, in the order in which figures quote them."""
    quoted = [figure.source for regime in policy.regimes for figure in figures(regime)]
    known = {
        citation: source for regime in policy.regimes for citation, source in regime.sources.items()
    }
    return {
        citation: known[citation]
        for citation in dict.fromkeys([*quoted, *known])
        if citation in known
    }


def dated_and_read(source: Source) -> str:
    """Since when a text holds, how surely it was read and when."""
    dated = f"{source.dated}; " if source.dated else ""
    read = f", read {source.read}" if source.read else ""
    surely = source.confidence.value
    if source.confidence is Confidence.UNVERIFIED:
        surely = "UNVERIFIED: do not rely on it"
    return f"{dated}{surely}{read}"


def figures(regime: Regime) -> Iterator[Figure]:
    """Every figure of a regime, in the order of the format's reference."""
    yield from _weekly(regime, regime)
    if regime.objection:
        yield _objection(regime.objection)
    for listed in regime.lists:
        yield _list(listed, regime)
        yield from _exemption_elsewhere("list", listed.name, listed)
    if regime.consent:
        yield _consent(regime.consent, regime)
        yield from _exemption_elsewhere("consent", "", regime.consent)
    if regime.appointments:
        yield _appointments(regime.appointments)
    for sector in regime.sectors:
        yield _sector(sector, regime)
        yield from _exemption_elsewhere("sector", _joined(sector.sectors), sector)
    yield from (_caller_id(rule, regime) for rule in regime.caller_id)
    if regime.silent_share:
        yield _silent_share(regime.silent_share)
    if regime.evidence_years:
        years = _counted(regime.evidence_years, "year")
        yield Figure("evidence", f"kept {years}", regime.evidence_source)
    for part in regime.regions:
        where = _joined(part.regions)
        for figure in _weekly(part, regime):
            yield Figure(figure.name, f"{where}: {figure.told}", figure.source)


def _weekly(part: Regime | RegionRules, regime: Regime) -> Iterator[Figure]:
    """What a regime says of days and attempts, and a region too."""
    if part.hours:
        yield from _hours(part.hours)
    if isinstance(part, Regime):
        for purpose, rule in part.hours_for.items():
            yield from _hours(rule, purpose)
    if part.holidays:
        yield from _holidays(part.holidays)
    yield from (_cap(cap, regime) for cap in part.caps)
    yield from (_gap(gap, regime) for gap in part.gaps)


def _hours(rule: HoursRule, purpose: Purpose | None = None) -> Iterator[Figure]:
    whose = f"{purpose.value}: " if purpose else ""
    yield Figure("hours", whose + week_told(rule.week), rule.source)
    if rule.eve is not None:
        windows = " ".join(map(str, rule.eve)) or "closed"
        yield Figure(
            "hours",
            f"{whose}the eve of a holiday {windows}, as far as the weekday is open",
            rule.source,
        )


def _holidays(rule: HolidayRule) -> Iterator[Figure]:
    figure = f"closed on the holidays of {rule.calendar}" if rule.calendar else "closed on"
    if rule.calendar and not rule.observed:
        figure += ", not on the days in lieu of them"
    added = [f"{day} ({name})" for day, name in sorted(rule.add.items())]
    if added:
        figure += ("; also " if rule.calendar else " ") + ", ".join(added)
    if rule.remove:
        figure += f"; not {_joined(rule.remove)}"
    figure += f"; open for {_joined(rule.open_for)}" if rule.open_for else ""
    yield Figure("holiday", figure, rule.source)
    if rule.local or rule.subdivisions:
        library = ", the holidays library's among them" if rule.subdivisions else ""
        mode = _REGIONAL[rule.regional]
        yield Figure("holiday", f"holidays of regions{library}: {mode}", rule.source)
    yield from (_local(days) for days in rule.local)


_REGIONAL = {
    RegionalDays.OFF: "not looked at, unless the campaign's regional_holidays asks for them",
    RegionalDays.ADVISORY: "closed, out of caution, where the callee is known to be there",
    RegionalDays.COUNTED: "closed wherever the callee is, or may be, there",
}


def _local(days: LocalDays) -> Figure:
    if days.day:
        when = f"{days.day[0]:02}-{days.day[1]:02} each year"
    elif days.easter:
        side = "before" if days.easter < 0 else "after"
        when = f"{_counted(abs(days.easter), 'day')} {side} Easter Sunday"
    else:
        when = "Easter Sunday"
    return Figure("holiday", f"{_joined(days.regions)}: {when} ({days.name})", days.source)


def _cap(cap: Cap, regime: Regime) -> Figure:
    figure = f"at most {cap.max} in {cap.period}{_bound(cap.purposes, regime)}"
    return Figure("frequency", figure, cap.source)


def _gap(gap: Gap, regime: Regime) -> Figure:
    length = _counted(gap.full_days, "full day") if gap.period is None else str(gap.period)
    if gap.after is GapAfter.SILENT:
        figure = f"at least {length} after an answered call that no agent took"
    else:
        figure = f"at least {length} between two attempts"
    if gap.agent_first:
        figure += "; then the next with an agent from the start"
    if gap.unless_agent:
        figure += "; not for a call with an agent from the start"
    return Figure("gap", figure + _bound(gap.purposes, regime), gap.source)


def _objection(rule: ObjectionRule) -> Figure:
    if rule.days:
        figure = f"holds {_counted(rule.days, 'full day')}"
    else:
        figure = "holds until a later consent"
    if rule.floor_for:
        days = _counted(rule.floor_days, "full day")
        figure += f"; {days} for {_joined(rule.floor_for)}"
    return Figure("objection", figure, rule.source)


def _list(rule: ListRule, regime: Regime) -> Figure:
    figure = rule.name
    if rule.max_age_days is not None:
        figure += f", at most {_counted(rule.max_age_days, 'day')} old"
    figure += _exempt_here(rule)
    if rule.later_consent_wins:
        figure += "; a later consent wins"
    return Figure("list", figure + _bound(rule.purposes, regime), rule.source)


_REQUIRED = {
    ConsentWhen.ALWAYS: "required before any call",
    ConsentWhen.UNLISTED: "required before a call to a number in no public directory",
    ConsentWhen.AUTOMATIC: "required before a call dialled by machine",
}


def _consent(rule: ConsentRule, regime: Regime) -> Figure:
    figure = _REQUIRED[rule.when] if rule.required else "not required"
    if rule.max_years:
        figure += f"; good for {_counted(rule.max_years, 'year')}"
    if rule.void_before:
        figure += f"; void if given before {rule.void_before}, unless complete"
    figure += _exempt_here(rule)
    figure += f"; lifts {_joined(rule.waives)}" if rule.waives else ""
    return Figure("consent", figure + _bound(rule.purposes, regime), rule.source)


def _appointments(rule: AppointmentRule) -> Figure:
    around = Period(rolling=rule.tolerance)
    figure = f"one agreed on lifts {_joined(rule.waives)}, {around} before and after it"
    return Figure("appointment", figure, rule.source)


_LIFTED = {
    SectorConsent.NONE: "; no consent lifts that",
    SectorConsent.SPECIFIC: "; a consent for the sector or the campaign lifts that",
    SectorConsent.ANY: "; a consent lifts that",
}


def _sector(rule: SectorRule, regime: Regime) -> Figure:
    figure = f"{_joined(rule.sectors)}: no calls{_dates(rule.start, rule.end)}"
    figure += _LIFTED[rule.consent] + _exempt_here(rule)
    if rule.request_consents:
        figure += "; such a request stands for the consent too"
    return Figure("sector", figure + _bound(rule.purposes, regime), rule.source)


def _caller_id(rule: CallerIdRule, regime: Regime) -> Figure:
    asked = []
    if rule.identified:
        asked.append("a number that is not withheld")
    if rule.forbidden:
        asked.append(f"none of {', '.join(rule.forbidden)}")
    if rule.required:
        asked.append(f"one of {', '.join(rule.required)}")
    if rule.declared:
        declared = "one that the campaign declares"
        if rule.required:
            asked[-1] += f" or {declared}"
        else:
            asked.append(declared)
    dates = _dates(rule.start, rule.end)
    figure = "; ".join(asked) + (f";{dates}" if dates else "")
    figure += f"; for calls dialled {_DIALLED[rule.dialling.value]}" if rule.dialling else ""
    return Figure("caller id", figure + _bound(rule.purposes, regime), rule.source)


def _silent_share(share: SilentShare) -> Figure:
    over = f"{_counted(share.days, 'day')}, today the last" if share.days else "the whole campaign"
    figure = f"at most {share.percent} % of the answered calls find no agent, over {over}"
    return Figure("silent", figure, share.source)


_DIALLED = {"manual": "by hand", "automatic": "by machine"}


def _exempt_here(rule: ListRule | ConsentRule | SectorRule) -> str:
    if not rule.exempt or rule.exempt.source != rule.source:
        return ""
    return f"; not for {_exempt(rule.exempt)}"


def _exemption_elsewhere(
    name: str, what: str, rule: ListRule | ConsentRule | SectorRule
) -> Iterator[Figure]:
    """An exemption that another source has than the rule: a figure of its own."""
    if rule.exempt and rule.exempt.source != rule.source:
        whose = f"{what}: " if what else ""
        yield Figure(name, f"{whose}not for {_exempt(rule.exempt)}", rule.exempt.source)


def _exempt(exemption: Exemption) -> str:
    who = sorted(bond.value for bond in exemption.bonds)
    if exemption.ended_within:
        who.append(f"a contract that ended within {exemption.ended_within}")
    if exemption.requested_within:
        who.append(f"a request within {exemption.requested_within}")
    return ", ".join(who)


def _dates(start: date | None, end: date | None) -> str:
    return (f" from {start}" if start else "") + (f" through {end}" if end else "")


def _bound(purposes: frozenset[Purpose], regime: Regime) -> str:
    """Whom a figure binds, where it is not whom the regime binds."""
    return "" if purposes == regime.purposes else f"; binds {_joined(purposes)}"


def week_told(hours: WeekHours) -> str:
    """`mon-fri 10:00-13:00 14:00-20:00`: days with the same windows together, closed ones not."""
    parts: list[str] = []
    first = 0
    for day in range(1, 8):
        if day < 7 and hours.days[day] == hours.days[first]:
            continue
        if hours.days[first]:
            last = f"-{WEEKDAYS[day - 1]}" if day - 1 > first else ""
            parts.append(f"{WEEKDAYS[first]}{last} {' '.join(map(str, hours.days[first]))}")
        first = day
    return "; ".join(parts) or "never"


def _line(name: str, figure: str) -> str:
    return f"  {name:<11}  {figure}"


def _doubt(source: Source | None) -> str:
    """What stands behind a figure that no text was read for."""
    if source is None or source.confidence is Confidence.UNVERIFIED:
        return " UNVERIFIED"
    return ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _joined(words: Iterable[object]) -> str:  # enums of text, dates: sorted as they are written
    return ", ".join(sorted(str(word) for word in words))
