"""Golden files: cases worked out by hand from the law, one file a pack, and how each is asked.

Owns the form of the files; knows no law. A case says a clock, where the callee is and what is on
record, and which rules must fail.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dialwarden.facts import (
    Appointment,
    Consent,
    Facts,
    Listing,
    Objection,
    PastAttempt,
    Scope,
    SilentCall,
)
from dialwarden.numbers import Number, Place, places_of_region, read_number
from dialwarden.policy.figures import RegionalDays
from dialwarden.policy.model import Policy
from dialwarden.policy.terms import Mandate, mandate
from dialwarden.question import CallerId, Dialling, Purpose, Relationship
from dialwarden.rules.case import Matter, matter_of
from dialwarden.rules.judge import judge, next_allowed

GOLDEN = Path(__file__).parent / "golden"
_KEYS = frozenset(
    [
        "name",
        "at",
        "region",
        "clock",
        "number",
        "rules",
        "next",
        "regime",
        "until",
        "not_judged",
        "attempts",
        "objections",
        "consents",
        "appointments",
        "silent",
        "lists",
        "relationship",
        "purpose",
        "sector",
        "dial",
        "callerid",
        "directory",
        "caller_ids",
        "regional",
        "unverified",
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One case of a golden file."""

    policy: str
    name: str
    given: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.policy}: {self.name}"


@cache
def cases_of(policy: str) -> tuple[Case, ...]:
    """The cases of a pack; each knows only the keys that there are."""
    read = tomllib.loads((GOLDEN / f"{policy}.toml").read_text("utf-8"))
    assert read["policy"] == policy
    cases = tuple(Case(policy, given["name"], given) for given in read["cases"])
    for case in cases:
        unknown = case.given.keys() - _KEYS
        assert not unknown, f"{case}: {unknown}"
    names = [case.name for case in cases]
    repeated = {name for name in names if names.count(name) > 1}
    assert not repeated, f"{policy}: two cases are named {repeated}"
    return cases


@cache
def excused(policy: str) -> Mapping[str, str]:
    """Changes to a pack that no case can notice -> why not."""
    read = tomllib.loads((GOLDEN / f"{policy}.toml").read_text("utf-8"))
    return dict(read.get("excused", {}))


class Campaigns:
    """The mandates that cases ask for under one policy, each worked out once."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._known: dict[object, Mandate] = {}

    def mandate(self, given: Mapping[str, Any]) -> Mandate:
        sector, directory = given.get("sector", ""), given.get("directory", "")
        own = frozenset(text.lstrip("+") for text in given.get("caller_ids", ()))
        regional = given.get("regional")
        key = (sector, directory, own, regional)
        if key not in self._known:
            self._known[key] = mandate(
                campaign="campaign",
                professional="professional",
                policy=self.policy,
                sector=sector,
                unlisted={"unlisted": True, "listed": False}.get(directory),
                caller_ids=own,
                regional=RegionalDays(regional) if regional else None,
            )
        return self._known[key]


def wrong(case: Case, campaigns: Campaigns) -> list[str]:
    """What a policy says otherwise than a case expects; nothing when it holds."""
    given = case.given
    asked = _matter(given, campaigns)
    at = _instant(given["at"], given.get("clock") or str(asked.zones[0]))
    judgement = judge(asked, at)
    told: dict[str, object] = {"rules": "&".join(refusal.rule for refusal in judgement.refusals)}
    expected: dict[str, object] = {"rules": given["rules"]}
    for key in given.keys() & {"next", "regime", "until", "not_judged", "unverified"}:
        expected[key] = given[key]
    if "next" in expected:
        following = next_allowed(asked, at, judgement) if judgement.refusals else None
        told["next"] = following.isoformat(" ") if following else ""
    if "regime" in expected:
        told["regime"] = "&".join(judgement.regimes)
    if "not_judged" in expected:
        told["not_judged"] = "&".join(silence.rule for silence in judgement.not_judged)
    if "unverified" in expected:
        told["unverified"] = bool(judgement.unverified)
    if "until" in expected:
        told["until"] = {
            refusal.rule.value: refusal.until.isoformat(" ") if refusal.until else ""
            for refusal in judgement.refusals
            if refusal.rule in given["until"]
        }
    return [f"{k}: {told[k]!r}, not {expected[k]!r}" for k in expected if told[k] != expected[k]]


def _matter(given: Mapping[str, Any], campaigns: Campaigns) -> Matter:
    policy = campaigns.policy
    places = _places(given, policy)
    zone = places[0].zone
    region = given.get("region") or policy.country or "FR"
    purpose = Purpose(given.get("purpose", "sales"))
    lists = {rule.name: _listing({}) for regime in policy.regimes for rule in regime.lists}
    lists |= {name: _listing(told) for name, told in given.get("lists", {}).items()}
    shown = given.get("callerid")
    return matter_of(
        campaigns.mandate(given),
        purpose,
        places,
        _facts(given, zone, purpose, lists),
        relationship=Relationship.parse(given.get("relationship", "")),
        caller_id=None if shown is None else _caller_id(shown, region),
        dialling=Dialling(given["dial"]) if "dial" in given else None,
    )


def _places(given: Mapping[str, Any], policy: Policy) -> tuple[Place, ...]:
    if "number" in given:
        read = read_number(given["number"], region=policy.country or "FR")
        assert isinstance(read, Number), given["number"]
        return read.places
    region = given.get("region") or policy.country or "FR"
    return places_of_region(region)


def _caller_id(shown: str, region: str) -> CallerId:
    read = read_number(shown, region=region)
    return CallerId(shown, read.e164 if isinstance(read, Number) else "")


def _facts(
    given: Mapping[str, Any], zone: str, purpose: Purpose, lists: Mapping[str, Listing]
) -> Facts:
    def each(key: str, name: str = "at") -> list[dict[str, Any]]:
        told = given.get(key, [])
        return [entry if isinstance(entry, dict) else {name: entry} for entry in told]

    attempts = [
        PastAttempt(_instant(entry["at"], zone), Purpose(entry.get("purpose", purpose)))
        for entry in each("attempts")
    ]
    objections = [
        Objection(
            _instant(entry["at"], zone), Scope(entry.get("scope", "professional")), "campaign"
        )
        for entry in each("objections")
    ]
    consents = [
        Consent(
            given_at=_instant(entry["given"], zone),
            until=date.fromisoformat(entry["until"]) if "until" in entry else None,
            scope=entry.get("scope", "professional"),
            complete=entry.get("complete", False),
            withdrawn_at=_instant(entry["withdrawn"], zone) if "withdrawn" in entry else None,
        )
        for entry in each("consents", "given")
    ]
    silent = [
        SilentCall(_instant(entry["at"], zone), entry.get("followed", False))
        for entry in each("silent")
    ]
    return Facts(
        attempts=tuple(sorted(attempts, key=lambda one: one.at, reverse=True)),
        objections=tuple(sorted(objections, key=lambda one: one.at, reverse=True)),
        consents=tuple(sorted(consents, key=lambda one: one.given_at, reverse=True)),
        appointments=tuple(
            Appointment(
                _instant(entry["at"], zone),
                entry.get("campaign", ""),
                place,
                1 if entry.get("used") else None,
                _instant(entry.get("agreed", "2000-01-01"), zone),
            )
            for place, entry in enumerate(each("appointments"), 1)
        ),
        silent_calls=tuple(sorted(silent, key=lambda one: one.at, reverse=True)),
        lists=lists,
    )


def _listing(told: Mapping[str, Any]) -> Listing:
    """Of a list that nothing is said of: imported, never too old, and without the number."""
    if told.get("never"):
        return Listing(version=None)
    return Listing(
        version=1,
        as_of=date.fromisoformat(told["as_of"]) if "as_of" in told else date.max,
        listed=told.get("listed", False),
        since=date.fromisoformat(told["since"]) if "since" in told else None,
    )


def _instant(text: str, zone: str) -> datetime:
    """An instant with its offset, or what a clock shows; a repeated hour is its first passing."""
    read = datetime.fromisoformat(str(text))
    return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
