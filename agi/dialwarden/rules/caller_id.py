"""caller_id: the number that the callee is shown must be one that the law lets be shown."""

from __future__ import annotations

from dialwarden.policy.figures import CallerIdRule
from dialwarden.question import CallerId
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, NotJudged, Reason, Refusal, Rule


def judge_caller_id(case: Case) -> Finding:
    """Refuse a number that is withheld, forbidden, or none of those required.

    What nobody said (the number, or how the call is dialled where that decides) leaves the rule
    not judged. Waiting helps only where the duty ends.
    """
    dialling = case.matter.dialling
    rules = [
        rule
        for rule in case.terms.caller_id
        if rule.in_force(case.today) and (dialling is None or rule.dialling in (None, dialling))
    ]
    if not rules:
        return None
    shown = case.matter.caller_id
    if shown is None:
        return NotJudged(Rule.CALLER_ID, Reason("caller_id_unknown"))
    silence = None
    for rule in rules:
        reason = _fault(rule, shown, case.matter.mandate.caller_ids)
        if reason is None:
            continue
        if rule.dialling is None or dialling is not None:
            until = case.after(rule.end)
            return Refusal(Rule.CALLER_ID, reason, until=until, source=rule.source)
        silence = NotJudged(Rule.CALLER_ID, Reason("caller_id_dial_unknown"))
    return silence


def _fault(rule: CallerIdRule, shown: CallerId, own: frozenset[str]) -> Reason | None:
    declared = shown.digits in own
    if rule.identified and not declared:
        if shown.withheld:
            return Reason("caller_id_withheld")
        if not shown.e164:
            return Reason("caller_id_unreadable", {"shown": ascii(shown.shown[:40])})
    if rule.forbidden and not (shown.e164 or shown.withheld or declared):
        # What cannot be read may be one of these: "sip:0612345678@pbx" is.
        return Reason("caller_id_unreadable", {"shown": ascii(shown.shown[:40])})
    number = shown.e164 or shown.shown
    forbidden = next((prefix for prefix in rule.forbidden if number.startswith(prefix)), None)
    if forbidden is not None:
        return Reason("caller_id_forbidden", {"shown": number, "prefix": forbidden})
    if not rule.required and not rule.declared:
        return None
    if (rule.declared and declared) or number.startswith(rule.required):
        return None
    values: dict[str, object] = {"shown": number if shown.e164 else ascii(shown.shown[:40])}
    if rule.required:
        values["prefixes"] = rule.required
    key = "caller_id_undeclared" if not rule.required else "caller_id_required"
    if rule.required and rule.declared:
        key = "caller_id_required_or_declared"
    return Reason(key, values)
