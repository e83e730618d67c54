"""Questions for the rules in few words: a policy, a callee's clock, and what is on file.

Everything is asked of `judge`; nothing here knows an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dialwarden.facts import Consent, Facts, Listing, Objection, PastAttempt, Scope
from dialwarden.numbers import Number, Place, places_of_region, read_number
from dialwarden.policies import load_policies
from dialwarden.policy.figures import Cap, Gap, ListRule, RegionalDays
from dialwarden.policy.hours import WeekHours, parse_week
from dialwarden.policy.model import HouseRules, Policy
from dialwarden.policy.period import Period
from dialwarden.policy.terms import mandate
from dialwarden.question import CallerId, Dialling, Purpose, Relationship
from dialwarden.rules.case import Case, Matter, matter_of
from dialwarden.rules.judge import Judgement, judge, next_allowed
from dialwarden.verdict import Finding, Refusal

POLICIES = load_policies()
PARIS = "Europe/Paris"
ROME = "Europe/Rome"
REUNION = "Indian/Reunion"
MAYOTTE = "Indian/Mayotte"
MARTINIQUE = "America/Martinique"
TAHITI = "Pacific/Tahiti"
CAMPAIGN = "energy-paris"
PROFESSIONAL = "acme"


def instant(text: str, zone: str = "UTC") -> datetime:
    """The instant that a clock in a zone shows, in UTC; a repeated hour is its first passing."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def attempts(*texts: str, zone: str = PARIS) -> tuple[PastAttempt, ...]:
    """Sales attempts at these clocks, newest first as the ledger gives them."""
    instants = sorted((instant(text, zone) for text in texts), reverse=True)
    return tuple(PastAttempt(at, Purpose.SALES) for at in instants)


def objected(text: str, zone: str = PARIS, scope: Scope = Scope.PROFESSIONAL) -> Objection:
    return Objection(instant(text, zone), scope, CAMPAIGN if scope is Scope.CAMPAIGN else "")


def consented(text: str, zone: str = PARIS, **details: Any) -> Consent:
    return Consent(instant(text, zone), **details)


def house(
    *,
    hours: Mapping[str, list[str]] | None = None,
    closed: Iterable[str] = (),
    caps: Iterable[tuple[int, str]] = (),
    gap: str = "",
) -> HouseRules:
    """A campaign's `tighten`; caps and gap count attempts of every purpose."""
    everything = frozenset(Purpose)
    week: WeekHours | None = None if hours is None else parse_week(hours)
    return HouseRules(
        hours=week,
        closed=frozenset(map(date.fromisoformat, closed)),
        caps=tuple(Cap(most, Period.parse(text), everything, "tighten") for most, text in caps),
        gaps=(Gap(Period.parse(gap), everything, "tighten"),) if gap else (),
        source="tighten",
    )


def matter(
    policy: str | Policy = "fr",
    *,
    zones: str | tuple[str, ...] = PARIS,
    purpose: Purpose = Purpose.SALES,
    relationship: str = "",
    tighten: HouseRules | None = None,
    own_lists: tuple[ListRule, ...] = (),
    sector: str = "",
    region: str = "",
    number: str = "",
    unlisted: bool | None = None,
    caller_ids: Iterable[str] = (),
    regional: str = "",
    callerid: str | None = None,
    dial: str = "",
    lists: Mapping[str, Listing] | None = None,
    **facts: Any,
) -> Matter:
    """A question that can be judged; without `lists`, those of the policy are fresh and empty.

    Args:
        region: with one, the callee is there, and `zones` counts for nothing.
        number: with one, the callee is wherever it may be.
    """
    policy = POLICIES[policy] if isinstance(policy, str) else policy
    if lists is None:
        lists = fresh(rule.name for regime in policy.regimes for rule in regime.lists)
    names = (zones,) if isinstance(zones, str) else zones
    country = policy.country
    places = places_of_region(region) if region else tuple(Place(country, z) for z in names)
    if number:
        read = read_number(number, region=country)
        assert isinstance(read, Number)
        places = read.places
    return matter_of(
        mandate(
            campaign=CAMPAIGN,
            professional=PROFESSIONAL,
            policy=policy,
            sector=sector,
            house=tighten,
            own_lists=own_lists,
            unlisted=unlisted,
            caller_ids=frozenset(caller_ids),
            regional=RegionalDays(regional) if regional else None,
        ),
        purpose,
        places,
        Facts(lists=lists, **facts),
        relationship=Relationship.parse(relationship),
        caller_id=presented(callerid, country),
        dialling=Dialling(dial) if dial else None,
    )


def presented(shown: str | None, region: str) -> CallerId | None:
    """A caller id as the gate reads it."""
    if shown is None:
        return None
    read = read_number(shown, region=region)
    return CallerId(shown, read.e164 if isinstance(read, Number) else "")


def fresh(names: Iterable[str]) -> dict[str, Listing]:
    """Lists that never grow old, without the number: for rows that are about something else."""
    return {name: Listing(version=1, as_of=date.max) for name in names}


def failing(judgement: Judgement) -> str:
    """The failing rules as a channel variable has them: "" is an ALLOW."""
    return "&".join(refusal.rule for refusal in judgement.refusals)


def rules_at(asked: Matter, text: str, zone: str = "") -> str:
    """The failing rules when a clock (the callee's, unless another is named) shows `text`."""
    return failing(judge(asked, instant(text, zone or str(asked.zones[0]))))


def next_at(asked: Matter, text: str, zone: str = "") -> str:
    """`next` on the callee's own clock, with its offset; "" when waiting does not help."""
    following = next_allowed(asked, instant(text, zone or str(asked.zones[0])))
    return following.isoformat(" ") if following else ""


def finding(rule: Callable[[Case], Finding], asked: Matter, text: str) -> Refusal | None:
    """What one rule says in the callee's first zone, when that clock shows `text`."""
    zone = asked.zones[0]
    local = instant(text, str(zone)).astimezone(zone)
    region = asked.places[0].region
    terms = asked.mandate.terms_on(local.date(), asked.purpose, region)
    assert terms is not None
    found = rule(Case(asked, terms, zone, local, region))
    assert found is None or isinstance(found, Refusal)
    return found


def until(refusal: Refusal | None) -> str:
    """A refusal's `until` as text; "never" without one, "" for no refusal at all."""
    if refusal is None:
        return ""
    return refusal.until.isoformat(" ") if refusal.until else "never"
