"""A policy as JSON: every figure, its source, how surely and when that was read.

Owns the form; reads nothing. Sets are written in order, spans and periods as the file has them.
"""

from __future__ import annotations

from dialwarden.policy.figures import (
    CallerIdRule,
    Cap,
    ConsentRule,
    Exemption,
    Gap,
    HolidayRule,
    HoursRule,
    ListRule,
    LocalDays,
    ObjectionRule,
    RegionRules,
    SectorRule,
    SilentShare,
)
from dialwarden.policy.hours import WEEKDAYS, WeekHours
from dialwarden.policy.model import Confidence, Policy, Regime, Source

Json = dict[str, object]


def summary(policy: Policy) -> Json:
    return {
        "id": policy.id,
        "title": policy.title,
        "country": policy.country,
        "extends": policy.extends or None,
        "regimes": [
            {"id": regime.id, "title": regime.title, "from": regime.start, "until": regime.end}
            for regime in policy.regimes
        ],
        "lists": sorted({rule.name for regime in policy.regimes for rule in regime.lists}),
        "file": policy.file,
        "sha256": policy.sha256,
    }


def everything(policy: Policy, sources: dict[str, Source]) -> Json:
    """Every figure of every regime.

    Args:
        sources: by citation, as the figures quote them, in the order in which they are written.
    """
    return {
        **summary(policy),
        "binds": policy.binds,
        "regimes": [_Regime(regime).as_json() for regime in policy.regimes],
        "sources": {
            citation: {
                "text": source.text,
                "article": source.article,
                "dated": source.dated,
                "read": source.read,
                "confidence": source.confidence.value,
                "note": source.note,
            }
            for citation, source in sources.items()
        },
    }


def week(hours: WeekHours) -> Json:
    return {
        day: [str(window) for window in windows]
        for day, windows in zip(WEEKDAYS, hours.days, strict=True)
    }


class _Regime:
    """One regime; a part that it has not is null, or an empty array where it may have several."""

    def __init__(self, regime: Regime) -> None:
        self._of = regime

    def as_json(self) -> Json:
        regime = self._of
        appointments = regime.appointments
        return {
            "id": regime.id,
            "title": regime.title,
            "from": regime.start,
            "until": regime.end,
            "extends": regime.extends or None,
            "purposes": regime.purposes,
            "hours": self._hours(regime.hours),
            "hours_for": {
                purpose.value: self._hours(rule) for purpose, rule in regime.hours_for.items()
            },
            "holidays": self._holidays(regime.holidays),
            "caps": [self._cap(cap) for cap in regime.caps],
            "gaps": [self._gap(gap) for gap in regime.gaps],
            "objection": self._objection(regime.objection),
            "lists": [self._list(rule) for rule in regime.lists],
            "consent": self._consent(regime.consent),
            "appointments": {
                "tolerance_minutes": int(appointments.tolerance.total_seconds()) // 60,
                "waives": appointments.waives,
                **self._cited(appointments.source),
            }
            if appointments
            else None,
            "sectors": [self._sector(rule) for rule in regime.sectors],
            "caller_id": [self._caller_id(rule) for rule in regime.caller_id],
            "regions": [self._region(part) for part in regime.regions],
            "silent_share": self._silent_share(regime.silent_share),
            "evidence": {"years": regime.evidence_years, **self._cited(regime.evidence_source)}
            if regime.evidence_years
            else None,
        }

    def _cited(self, citation: str) -> Json:
        source = self._of.sources.get(citation)
        confidence = source.confidence if source else Confidence.UNVERIFIED
        return {
            "source": citation,
            "confidence": confidence.value,
            "read": source.read if source else None,
        }

    def _hours(self, rule: HoursRule | None) -> Json | None:
        if rule is None:
            return None
        eve = None if rule.eve is None else [str(window) for window in rule.eve]
        return {"week": week(rule.week), "eve": eve, **self._cited(rule.source)}

    def _holidays(self, rule: HolidayRule | None) -> Json | None:
        if rule is None:
            return None
        return {
            "calendar": rule.calendar or None,
            "observed": rule.observed,
            "add": {day.isoformat(): name for day, name in sorted(rule.add.items())},
            "remove": rule.remove,
            "open_for": rule.open_for,
            "regional": rule.regional.value,
            "local": [self._local(days) for days in rule.local],
            "subdivisions": rule.subdivisions,
            **self._cited(rule.source),
        }

    def _local(self, days: LocalDays) -> Json:
        return {
            "name": days.name,
            "regions": days.regions,
            "day": f"{days.day[0]:02}-{days.day[1]:02}" if days.day else None,
            "easter": days.easter,
            **self._cited(days.source),
        }

    def _cap(self, cap: Cap) -> Json:
        return {
            "max": cap.max,
            "period": cap.period,
            "purposes": cap.purposes,
            **self._cited(cap.source),
        }

    def _gap(self, gap: Gap) -> Json:
        return {
            "period": gap.period,
            "full_days": gap.full_days or None,
            "after": gap.after.value,
            "agent_first": gap.agent_first,
            "unless_agent": gap.unless_agent,
            "purposes": gap.purposes,
            **self._cited(gap.source),
        }

    def _objection(self, rule: ObjectionRule | None) -> Json | None:
        if rule is None:
            return None
        return {
            "days": rule.days or None,
            "floor_days": rule.floor_days or None,
            "floor_for": rule.floor_for,
            **self._cited(rule.source),
        }

    def _exempt(self, exemption: Exemption) -> Json | None:
        if not exemption:
            return None
        return {
            "bonds": exemption.bonds,
            "ended_within": exemption.ended_within,
            "requested_within": exemption.requested_within,
            **self._cited(exemption.source),
        }

    def _list(self, rule: ListRule) -> Json:
        return {
            "name": rule.name,
            "max_age_days": rule.max_age_days,
            "exempt": self._exempt(rule.exempt),
            "later_consent_wins": rule.later_consent_wins,
            "purposes": rule.purposes,
            **self._cited(rule.source),
        }

    def _consent(self, rule: ConsentRule | None) -> Json | None:
        if rule is None:
            return None
        return {
            "required": rule.required,
            "when": rule.when.value,
            "max_years": rule.max_years,
            "void_before": rule.void_before,
            "exempt": self._exempt(rule.exempt),
            "waives": rule.waives,
            "purposes": rule.purposes,
            **self._cited(rule.source),
        }

    def _sector(self, rule: SectorRule) -> Json:
        return {
            "sectors": rule.sectors,
            "consent": rule.consent.value,
            "exempt": self._exempt(rule.exempt),
            "request_consents": rule.request_consents,
            "from": rule.start,
            "until": rule.end,
            "purposes": rule.purposes,
            **self._cited(rule.source),
        }

    def _caller_id(self, rule: CallerIdRule) -> Json:
        return {
            "identified": rule.identified,
            "forbidden": rule.forbidden,
            "required": rule.required,
            "declared": rule.declared,
            "dial": rule.dialling.value if rule.dialling else None,
            "from": rule.start,
            "until": rule.end,
            "purposes": rule.purposes,
            **self._cited(rule.source),
        }

    def _silent_share(self, share: SilentShare | None) -> Json | None:
        if share is None:
            return None
        return {"percent": share.percent, "days": share.days, **self._cited(share.source)}

    def _region(self, part: RegionRules) -> Json:
        return {
            "regions": part.regions,
            "hours": self._hours(part.hours),
            "holidays": self._holidays(part.holidays),
            "caps": [self._cap(cap) for cap in part.caps],
            "gaps": [self._gap(gap) for gap in part.gaps],
        }
