"""consent: the callee must have said yes, where the law asks for it (opt-in regimes)."""

from __future__ import annotations

from dialwarden.rules.case import Case, last_good_day, why_not_good
from dialwarden.verdict import Finding, Reason, Refusal, Rule


def judge_consent(case: Case) -> Finding:
    """Refuse without a good consent where one is required and no bond stands in for it.

    Waiting never helps: a consent is given, it does not ripen.
    """
    rule = case.terms.consent
    if rule is None or not rule.required or case.bound_by(rule.exempt):
        return None
    if case.good_consents:
        return None
    # The newest consent is what a person would look up first: say what is wrong with that one.
    newest = next(iter(case.facts.consents), None)
    flaw = why_not_good(newest, case) if newest else "none"
    values: dict[str, object] = {"professional": case.matter.mandate.professional}
    if newest is not None:
        given = newest.given_at.astimezone(case.zone)
        values["given"] = given.date()
        values["last"] = last_good_day(newest, given.date(), rule.max_years)
        values["scope"] = newest.scope
    if rule.void_before is not None:
        values["void_before"] = rule.void_before
    return Refusal(Rule.CONSENT, Reason(f"consent_{flaw}", values), source=rule.source)
