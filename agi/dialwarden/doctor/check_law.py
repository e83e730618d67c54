"""The law as configured: is a regime in force, does another come, how surely was it read?

Owns how long ahead a change is told. Refuses to know what a figure says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dialwarden.doctor.finding import Item, failure, note, ok, warning
from dialwarden.doctor.snapshot import Snapshot
from dialwarden.policy.model import Confidence, Policy

_AHEAD = timedelta(days=60)


def _policies(seen: Snapshot) -> dict[str, Policy]:
    """Those of configured campaigns, by id."""
    campaigns = seen.config.campaigns.values()
    return {campaign.policy.id: campaign.policy for campaign in campaigns}


def changes(seen: Snapshot) -> Iterator[Item]:
    """law: a regime is in force, and none ends or begins soon."""
    today = seen.now.date()
    quiet = True
    for policy in _policies(seen).values():
        now = policy.regime_on(today)
        following = policy.regime_after(today)
        if now is None:
            quiet = False
            yield failure(
                f"policy {policy.id} has no regime in force today: every call is refused",
                f"dialwarden policy show {policy.id}; upgrade dialwarden, or extend the policy",
                policy.id,
            )
        if following is not None and following.start - today <= _AHEAD:
            quiet = False
            yield warning(
                f"policy {policy.id}: regime {following.id} binds from {following.start}",
                f"dialwarden policy show {policy.id}; have lists and consents ready by then",
                policy.id,
            )
        elif now is not None and now.end is not None and now.end - today <= _AHEAD:
            quiet = False
            yield failure(
                f"policy {policy.id}: regime {now.id} ends on {now.end} and no other follows: "
                "every call is refused from then on",
                "upgrade dialwarden, or extend the policy in a file of your own: docs/policies.md",
                policy.id,
            )
    if quiet:
        yield ok(f"no change within 60 days (policies: {', '.join(_policies(seen)) or 'none'})")


def unverified(seen: Snapshot) -> Iterator[Item]:
    """law.unverified: figures that nobody has read in an official text."""
    today = seen.now.date()
    found = False
    for policy in _policies(seen).values():
        citations = {
            citation
            for regime in policy.regimes_from(today)
            for citation, source in regime.sources.items()
            if source.confidence is Confidence.UNVERIFIED
        }
        if citations:
            found = True
            yield note(
                f"policy {policy.id} rests on what nobody has read in an official text: "
                f"{', '.join(sorted(citations))}",
                f"have a lawyer look: dialwarden policy show {policy.id}",
                policy.id,
            )
    if not found:
        yield ok("every figure was read somewhere")
