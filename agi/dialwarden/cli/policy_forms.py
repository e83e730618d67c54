"""A policy as JSON and as a person has it: every figure, its source, how surely it was read.

Owns the two forms; reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from dialwarden.policy.hours import WEEKDAYS, WeekHours
from dialwarden.policy.model import Confidence, Policy, Regime, Source


def summary(policy: Policy) -> dict[str, object]:
    return {
        "id": policy.id,
        "title": policy.title,
        "country": policy.country,
        "regimes": [
            {"id": regime.id, "title": regime.title, "from": regime.start, "until": regime.end}
            for regime in policy.regimes
        ],
        "lists": sorted({rule.name for regime in policy.regimes for rule in regime.lists}),
        "file": policy.file,
        "sha256": policy.sha256,
    }


def everything(policy: Policy) -> dict[str, object]:
    """Every figure of every regime; `sources` once, by the citation that the figures quote."""
    return {
        **summary(policy),
        "binds": policy.binds,
        "regimes": [_regime(regime) for regime in policy.regimes],
        "sources": {
            citation: {
                "text": source.text,
                "article": source.article,
                "dated": source.dated,
                "read": source.read,
                "confidence": source.confidence.value,
                "note": source.note,
            }
            for citation, source in _all_sources(policy).items()
        },
    }


def _all_sources(policy: Policy) -> dict[str, Source]:
    """The sources of all regimes, in the order in which figures quote them."""
    quoted = [source for regime in policy.regimes for _, _, source in _figures(regime) if source]
    known = {
        citation: source for regime in policy.regimes for citation, source in regime.sources.items()
    }
    return {
        citation: known[citation]
        for citation in dict.fromkeys([*quoted, *known])
        if citation in known
    }


def _regime(regime: Regime) -> dict[str, object]:
    holidays, objection, consent = regime.holidays, regime.objection, regime.consent
    return {
        "id": regime.id,
        "title": regime.title,
        "from": regime.start,
        "until": regime.end,
        "extends": regime.extends or None,
        "purposes": regime.purposes,
        "hours": {"week": _week(regime.hours), **_cited(regime, regime.hours_source)}
        if regime.hours
        else None,
        "holidays": {
            "calendar": holidays.calendar,
            "add": {day.isoformat(): name for day, name in sorted(holidays.add.items())},
            "remove": holidays.remove,
            "open_for": holidays.open_for,
            **_cited(regime, holidays.source),
        }
        if holidays
        else None,
        "caps": [
            {
                "max": cap.max,
                "period": cap.period,
                "purposes": cap.purposes,
                **_cited(regime, cap.source),
            }
            for cap in regime.caps
        ],
        "gaps": [
            {"period": gap.period, "purposes": gap.purposes, **_cited(regime, gap.source)}
            for gap in regime.gaps
        ],
        "objection": {
            "days": objection.days or None,
            "floor_days": objection.floor_days or None,
            "floor_for": objection.floor_for,
            **_cited(regime, objection.source),
        }
        if objection
        else None,
        "lists": [
            {
                "name": rule.name,
                "max_age_days": rule.max_age_days,
                "exempt": rule.exempt,
                "ended_within_days": rule.ended_within_days or None,
                "later_consent_wins": rule.later_consent_wins,
                **_cited(regime, rule.source),
            }
            for rule in regime.lists
        ],
        "consent": {
            "required": consent.required,
            "max_years": consent.max_years,
            "void_before": consent.void_before,
            "exempt": consent.exempt,
            "waives": consent.waives,
            **_cited(regime, consent.source),
        }
        if consent
        else None,
        "evidence_years": regime.evidence_years,
        "evidence_source": regime.evidence_source or None,
    }


def _cited(regime: Regime, citation: str) -> dict[str, object]:
    source = regime.sources.get(citation)
    confidence = source.confidence if source else Confidence.UNVERIFIED
    return {"source": citation, "confidence": confidence.value}


def _week(hours: WeekHours) -> dict[str, list[str]]:
    return {
        day: [str(window) for window in windows]
        for day, windows in zip(WEEKDAYS, hours.days, strict=True)
    }


def told(policy: Policy) -> Iterator[str]:
    """The lines of a policy; figures quote their sources, which stand at the end, by number."""
    sources = _all_sources(policy)
    numbers = {citation: place for place, citation in enumerate(sources, 1)}
    yield f"{policy.id}: {policy.title}"
    if policy.binds:
        yield f"  binds      {policy.binds}"
    yield f"  country    {policy.country or 'none'}"
    yield f"  file       {policy.file}, sha256 {policy.sha256}"
    for regime in policy.regimes:
        yield ""
        until = f" through {regime.end}" if regime.end else ", no end"
        yield f"{regime.id}: {regime.title}"
        yield f"  in force   from {regime.start}{until}"
        yield f"  purposes   {_joined(regime.purposes)}"
        for name, figure, source in _figures(regime):
            place = f" [{numbers[source]}]" if source in numbers else ""
            yield f"  {name:<9}  {figure}{place}{_doubt(regime.sources.get(source))}"
    if sources:
        yield ""
        yield "sources"
    for citation, source_ in sources.items():
        yield f"  [{numbers[citation]}] {source_}"
        dated = f"{source_.dated}; " if source_.dated else ""
        read = f", read {source_.read}" if source_.read else ""
        yield f"      {dated}{_surely(source_)}{read}"
        if source_.note:
            yield f"      note: {source_.note}"


def _figures(regime: Regime) -> Iterator[tuple[str, str, str]]:
    """Every figure of a regime: what it is about, the figure, its citation."""
    if regime.hours:
        yield "hours", _hours(regime.hours), regime.hours_source
    if regime.holidays:
        rule = regime.holidays
        figure = f"closed on the holidays of {rule.calendar}" if rule.calendar else "closed on"
        figure += "".join(f"; also {day} ({name})" for day, name in sorted(rule.add.items()))
        figure += "".join(f"; not {day}" for day in sorted(rule.remove))
        figure += f"; open for {_joined(rule.open_for)}" if rule.open_for else ""
        yield "holiday", figure, rule.source
    for cap in regime.caps:
        yield "frequency", f"at most {cap.max} in {cap.period}", cap.source
    for gap in regime.gaps:
        yield "gap", f"at least {gap.period} between two attempts", gap.source
    if regime.objection:
        no = regime.objection
        figure = f"holds {no.days} full days" if no.days else "holds until a later consent"
        if no.floor_for:
            figure += f"; {no.floor_days} full days for {_joined(no.floor_for)}"
        yield "objection", figure, no.source
    for rule_ in regime.lists:
        figure = rule_.name
        if rule_.max_age_days is not None:
            figure += f", at most {rule_.max_age_days} days old"
        if rule_.exempt:
            figure += f"; not for {_joined(rule_.exempt)}"
        if rule_.ended_within_days:
            figure += f", nor a contract ended less than {rule_.ended_within_days} days ago"
        if rule_.later_consent_wins:
            figure += "; a later consent wins"
        yield "list", figure, rule_.source
    if regime.consent:
        yes = regime.consent
        figure = "required before any call" if yes.required else "not required"
        if yes.max_years:
            figure += f"; good for {yes.max_years} year{'s' if yes.max_years > 1 else ''}"
        figure += (
            f"; void if given before {yes.void_before}, unless complete" if yes.void_before else ""
        )
        figure += f"; not for {_joined(yes.exempt)}" if yes.exempt else ""
        figure += f"; lifts {_joined(yes.waives)}" if yes.waives else ""
        yield "consent", figure, yes.source
    if regime.evidence_years:
        yield "evidence", f"kept {regime.evidence_years} years", regime.evidence_source


def _hours(hours: WeekHours) -> str:
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


def _surely(source: Source) -> str:
    if source.confidence is Confidence.UNVERIFIED:
        return "UNVERIFIED: do not rely on it"
    return source.confidence.value


def _doubt(source: Source | None) -> str:
    """What stands behind a figure that no text was read for."""
    if source is None or source.confidence is Confidence.UNVERIFIED:
        return " UNVERIFIED"
    return ""


def _joined(words: frozenset[object] | frozenset[str]) -> str:  # enums of text, sorted
    return ", ".join(sorted(str(word) for word in words))
