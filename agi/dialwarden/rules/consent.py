"""consent: the callee must have said yes, where the law asks for it (opt-in regimes)."""

from __future__ import annotations

from dialwarden.policy.figures import ConsentRule, ConsentWhen
from dialwarden.question import Dialling
from dialwarden.rules.case import Case, last_good_day, why_not_good
from dialwarden.verdict import Finding, NotJudged, Reason, Refusal, Rule


def judge_consent(case: Case) -> Finding:
    """Refuse without a good consent where one is required and no relationship stands in for it.

    Waiting never helps: a consent is given, it does not ripen. Where it depends on something that
    nobody said whether one is required, the rule is not judged.
    """
    rule = case.terms.consent
    if rule is None or not rule.required or case.exempt(rule.exempt) or case.good_consents:
        return None
    if case.asked_for:
        return None
    required = _required(rule, case)
    if not required:
        return None
    if isinstance(required, NotJudged):
        return required
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


def _required(rule: ConsentRule, case: Case) -> bool | NotJudged:
    match rule.when:
        case ConsentWhen.UNLISTED:
            if case.matter.mandate.unlisted is None:
                values = {"campaign": case.matter.mandate.campaign}
                return NotJudged(Rule.CONSENT, Reason("consent_directory_unknown", values))
            return case.matter.mandate.unlisted
        case ConsentWhen.AUTOMATIC:
            if case.matter.dialling is None:
                return NotJudged(Rule.CONSENT, Reason("consent_dial_unknown"))
            return case.matter.dialling is Dialling.AUTOMATIC
        case _:
            return True
