"""opposition and list_stale: the lists of people who said no in advance, and their freshness."""

from __future__ import annotations

from dialwarden.facts import Listing
from dialwarden.policy.figures import ListRule
from dialwarden.policy.period import Period
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, NotJudged, Reason, Refusal, Rule

_UNKNOWN = Listing(version=None)


def judge_opposition(case: Case) -> Finding:
    """Refuse a number that stands in one of the lists. Waiting does not help.

    Of a list that was never imported nothing can be said: the rule is not judged, and
    `list_stale` refuses.
    """
    unknown = None
    for rule in case.terms.lists:
        listing = case.facts.lists.get(rule.name, _UNKNOWN)
        if case.exempt(rule.exempt):
            continue
        if listing.version is None and unknown is None:
            unknown = rule.name
        if not listing.listed or _overridden(case, rule, listing):
            continue
        values: dict[str, object] = {"list": rule.name}
        if listing.as_of is not None:
            values["as_of"] = listing.as_of
        if listing.since is not None:
            values["since"] = listing.since
        if listing.since is not None:
            key = "opposition_since"
        else:
            key = "opposition_as_of" if listing.as_of is not None else "opposition"
        return Refusal(Rule.OPPOSITION, Reason(key, values), source=rule.source)
    if unknown is not None:
        return NotJudged(Rule.OPPOSITION, Reason("opposition_unknown", {"list": unknown}))
    return None


def _overridden(case: Case, rule: ListRule, listing: Listing) -> bool:
    """A consent given after the number was registered wins, where the law says so.

    Without the date of registration the order is not known, and the list wins.
    """
    since = listing.since
    if not rule.later_consent_wins or since is None:
        return False
    return any(
        consent.given_at.astimezone(case.zone).date() > since for consent in case.good_consents
    )


def judge_list_stale(case: Case) -> Finding:
    """Refuse when a list was never imported, or the newest version of it is too old.

    The age is the call's date in the callee's zone minus the version's as-of date; equal to the
    limit is still good. Waiting makes no list younger.
    """
    for rule in case.terms.lists:
        if case.exempt(rule.exempt):
            continue
        listing = case.facts.lists.get(rule.name, _UNKNOWN)
        reason = None
        if listing.version is None:
            reason = Reason("list_never", {"list": rule.name})
        elif rule.max_age_days is not None:
            if listing.as_of is None:
                limit = Period(days=rule.max_age_days)
                reason = Reason("list_undated", {"list": rule.name, "limit": limit})
            elif (age := (case.today - listing.as_of).days) > rule.max_age_days:
                values = {
                    "list": rule.name,
                    "as_of": listing.as_of,
                    "age": Period(days=age),
                    "limit": Period(days=rule.max_age_days),
                }
                reason = Reason("list_stale", values)
        if reason is not None:
            return Refusal(Rule.LIST_STALE, reason, source=rule.source)
    return None
