"""The lists that a configuration knows: by its own `[lists]`, or because a policy asks for one.

Owns what is said of a list besides its numbers: its kind, its greatest age, how its national
numbers are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from dialwarden.imports.people import only, zones_of
from dialwarden.settings.config import Config
from dialwarden.settings.sections import ListKind


@dataclass(frozen=True, slots=True)
class KnownList:
    """One list.

    Attributes:
        dated: some regime, past ones too, or its own entry gives it a greatest age: a version of
            it needs an as-of date.
        limit_days: the least of the greatest ages that hold today or later; None for no limit.
        region: how its national numbers are read; "" when nothing says so, or several things
            say otherwise.
    """

    name: str
    kind: ListKind
    dated: bool
    limit_days: int | None
    region: str

    def stale_from(self, as_of: date | None) -> date | None:
        """The first local date on which a version of it is too old."""
        if self.limit_days is None or as_of is None:
            return None
        return as_of + timedelta(days=self.limit_days + 1)


def known_lists(config: Config, today: date) -> Mapping[str, KnownList]:
    """Every list by name: of `[lists]`, and of the policies of configured campaigns."""
    ages: dict[str, set[int]] = {}
    limits: dict[str, set[int]] = {}
    countries: dict[str, set[str]] = {}
    askers: dict[str, set[str]] = {}
    for campaign in config.campaigns.values():
        asked: set[str] = set()
        for regime in campaign.policy.regimes:
            for rule in regime.lists:
                asked.add(rule.name)
                countries.setdefault(rule.name, set()).add(campaign.policy.country)
                if rule.max_age_days is not None:
                    ages.setdefault(rule.name, set()).add(rule.max_age_days)
                    if regime.end is None or regime.end >= today:
                        limits.setdefault(rule.name, set()).add(rule.max_age_days)
        for rule in campaign.own_lists:
            askers.setdefault(rule.name, set()).add(campaign.region)
            if rule.max_age_days is not None and rule.name not in asked:
                ages.setdefault(rule.name, set()).add(rule.max_age_days)
                limits.setdefault(rule.name, set()).add(rule.max_age_days)
    everywhere = {campaign.region for campaign in config.campaigns.values()}
    known = {}
    for name in {*config.lists, *countries, *askers}:
        entry = config.lists.get(name)
        own = entry.max_age if entry else None
        known[name] = KnownList(
            name=name,
            kind=entry.kind if entry else ListKind.OPPOSITION,
            dated=bool(ages.get(name)) or own is not None,
            limit_days=min(limits.get(name, set()) | ({own} if own else set()), default=None),
            region=(entry.region if entry else "")
            or only(countries.get(name, ()) or askers.get(name, ()) or everywhere),
        )
    return dict(sorted(known.items()))


def today_of(known: KnownList | None, now: datetime, region: str = "") -> date:
    """The date where a list is at home; of several zones, the furthest on."""
    zones: tuple[tzinfo, ...] = zones_of([region or (known.region if known else "")])
    return max((now.astimezone(zone).date() for zone in zones), default=now.date())
