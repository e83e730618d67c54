"""Waiving: what an override makes of a verdict that refuses.

Owns which rules a person may let go at all, and that a call leaves only when every rule that
refuses it is let go. Pure: the overrides in force are handed in, and no ruling that is kept ever
has one in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from dialwarden.facts import Listing
from dialwarden.gate.reading import Reading
from dialwarden.ledger.overrides import Override
from dialwarden.verdict import Decision, Refusal, Rule, Verdict, Waived

# What the callee decided is nobody else's to let go, and what could not be judged is not known to
# be harmless.
_THE_CALLEES = "what the callee said, or had registered, nobody else may take back"
NEVER: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.NUMBER: "there is no number that could be called",
        Rule.CAMPAIGN: "without a campaign, or without a law in force for it, nothing is judged",
        Rule.CONSENT: _THE_CALLEES,
        Rule.OPPOSITION: _THE_CALLEES,
        Rule.OBJECTION: _THE_CALLEES,
        Rule.UNAVAILABLE: "what could not be judged may be a callee who said no",
        Rule.BYPASS: "a call that nobody asked about belongs to no campaign",
    }
)
WAIVABLE: tuple[Rule, ...] = tuple(rule for rule in Rule if rule not in NEVER)


def waived(
    verdict: Verdict,
    reading: Reading,
    listings: Mapping[str, Listing],
    overrides: Sequence[Override],
    at: datetime,
) -> Verdict | None:
    """The ALLOW that overrides make of a refusal; None where a rule that refuses still stands.

    Args:
        listings: what every list that is asked for says of the number.
        overrides: those in force at the instant for campaigns of that name, in the order of ids.
    """
    # Another call centre on this ledger may have a campaign of that name for somebody else.
    ours = [one for one in overrides if one.professional == verdict.professional]
    if not ours or not verdict.refusals or reading.refusals:
        return None
    let_go: list[Waived] = []
    for refusal in verdict.refusals:
        override = _override_of(refusal, ours)
        if override is None:
            return None
        let_go.append(Waived(refusal, override.id, override.by))
    if Rule.LIST_STALE in verdict.rules and not _all_imported(reading.lists_asked(at), listings):
        return None
    if Rule.SECTOR in verdict.rules and reading.banned_but_for_consent(at):
        return None
    return replace(verdict, decision=Decision.ALLOW, refusals=(), next=None, waived=tuple(let_go))


def _override_of(refusal: Refusal, overrides: Iterable[Override]) -> Override | None:
    if refusal.rule in NEVER:
        return None
    return next((one for one in overrides if refusal.rule in one.rules), None)


def _all_imported(names: Iterable[str], listings: Mapping[str, Listing]) -> bool:
    """Whether of each list there is a version, of whatever age: of none is known who is on it.

    The rule names one list; another one may never have been imported.
    """
    return all(name in listings and listings[name].version is not None for name in names)
