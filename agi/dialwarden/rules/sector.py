"""sector: what may not be sold by telephone at all, but for the exceptions that the ban names."""

from __future__ import annotations

from dialwarden.policy.figures import SectorConsent, SectorRule
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, NotJudged, Reason, Refusal, Rule

_KEYS = {
    SectorConsent.NONE: "sector",
    SectorConsent.SPECIFIC: "sector_consent",
    SectorConsent.ANY: "sector_consent_any",
}


def judge_sector(case: Case) -> Finding:
    """Refuse a banned sector unless the callee's relationship or consent lifts the ban.

    Of a campaign that does not say what it sells nothing can be said: the rule is not judged.
    """
    rules = [rule for rule in case.terms.sectors if rule.in_force(case.today)]
    if not rules:
        return None
    sector = case.matter.mandate.sector
    if not sector:
        banned = tuple(sorted({name for rule in rules for name in rule.sectors}))
        values: dict[str, object] = {"campaign": case.matter.mandate.campaign, "banned": banned}
        return NotJudged(Rule.SECTOR, Reason("sector_unknown", values))
    for rule in case.banning:
        if case.exempt(rule.exempt) or _consented(rule, case):
            continue
        reason = Reason(_KEYS[rule.consent], {"sector": sector})
        return Refusal(Rule.SECTOR, reason, until=case.after(rule.end), source=rule.source)
    return None


def _consented(rule: SectorRule, case: Case) -> bool:
    """Whether a good consent lifts the ban; a specific one names the sector or the campaign."""
    match rule.consent:
        case SectorConsent.NONE:
            return False
        case SectorConsent.ANY:
            return bool(case.good_consents)
        case SectorConsent.SPECIFIC:
            mandate = case.matter.mandate
            specific = (mandate.sector, mandate.campaign)
            return any(consent.scope in specific for consent in case.good_consents)
