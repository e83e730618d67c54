"""How the lists are, as far as calls of today hang on them: their age, its limit, who is refused.

Owns the joining of what the configuration asks for with the versions that are in force. The rule
`list_stale` judges each call in the callee's own zone; here it is the day where the list is at
home, on which a list is over the limit for the first callees.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from dialwarden.doors.health import ListHealth
from dialwarden.known_lists import KnownList, known_lists, today_of
from dialwarden.ledger.lists import Head
from dialwarden.settings.config import Config


def lists_health(
    config: Config, heads: Mapping[str, Head | None], now: datetime
) -> tuple[ListHealth, ...]:
    """Every list that the configuration knows, by name.

    Args:
        heads: by name, the version in force; None for a list that was never imported.
        now: aware.
    """
    known = known_lists(config, now.date())
    return tuple(_health(config, one, heads.get(name), now) for name, one in known.items())


def _health(config: Config, known: KnownList, head: Head | None, now: datetime) -> ListHealth:
    today = today_of(known, now)
    limits = _limits_today(config, known.name, today)
    ages = [limit for limit in limits.values() if limit is not None]
    limit = min(ages, default=known.limit_days)
    as_of = head.as_of if head else None
    age = (today - as_of).days if as_of else None
    stale = [name for name, most in limits.items() if _is_stale(head, age, most)]
    # In shadow mode nothing is refused.
    refused = [name for name in stale if config.campaigns[name].enforce]
    return ListHealth(
        name=known.name,
        as_of=as_of,
        age_days=age,
        limit_days=limit,
        numbers=head.count if head else 0,
        imported_at=head.imported_at if head else None,
        stale=bool(stale),
        why=_why(known.name, head, age, limit, refused) if refused else "",
    )


def _limits_today(config: Config, name: str, today: date) -> dict[str, int | None]:
    """The campaigns that ask for a list on a day, each with the greatest age that it may have."""
    return {
        campaign.name: rule.max_age_days
        for campaign in config.campaigns.values()
        for rule in campaign.lists_on(today)
        if rule.name == name
    }


def _is_stale(head: Head | None, age: int | None, most: int | None) -> bool:
    return head is None or (most is not None and (age is None or age > most))


def _why(
    name: str, head: Head | None, age: int | None, limit: int | None, campaigns: list[str]
) -> str:
    who = f"calls of {', '.join(campaigns)} are refused (list_stale)"
    if head is None:
        return f"list {name} was never imported: {who}; dialwarden list import {name} FILE"
    dated = f"is {age} days old (limit {limit})" if age is not None else "has no as-of date"
    return f"list {name} {dated}: {who}; dialwarden list import {name} FILE --as-of DATE"
