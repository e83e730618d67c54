"""Small packs of made-up law, and what the rules say of a question under one, in one word.

Owns no answer. A pack is written as its file would be, the head left out.
"""

from __future__ import annotations

from dialwarden.policy.model import Policy
from dialwarden.policy.parse import read_policy
from dialwarden.reasons import LANGUAGES, sentence
from dialwarden.rules.case import Matter
from dialwarden.rules.judge import Judgement, judge
from dialwarden.verdict import NotJudged, Refusal, Rule

from .situations import instant

_HEAD = """
id = "pack"
title = "A pack"
country = "{country}"
[sources.law]
text = "the law"
confidence = "primary"
[sources.other]
text = "another law"
confidence = "secondary"
[sources.rumour]
text = "a rumour"
confidence = "unverified"
[sources.hearsay]
text = "hearsay"
confidence = "unverified"
[[regimes]]
id = "regime"
title = "A regime"
from = 2020-01-01
"""


def pack(parts: str, *, country: str = "FR") -> Policy:
    """A policy of one regime, from 2020 on; its sources are law, other, rumour and hearsay."""
    return read_policy(_HEAD.format(country=country) + parts, "pack.toml")


def judged(asked: Matter, text: str, zone: str = "") -> Judgement:
    """The judgement when a clock (the callee's first, unless another is named) shows `text`.

    Every sentence of it must have all its values, in every language.
    """
    judgement = judge(asked, instant(text, zone or str(asked.zones[0])))
    for reason in [finding.reason for finding in _findings(judgement)]:
        for language in LANGUAGES:
            told = sentence(reason, language)
            assert "?" not in told, told
            assert "None" not in told, told
    return judgement


def said(asked: Matter, text: str, zone: str = "") -> str:
    """The failing rules, then those not judged: "hours&gap ?sector"; "" allows without a doubt."""
    judgement = judged(asked, text, zone)
    failing = "&".join(refusal.rule for refusal in judgement.refusals)
    silent = "".join(f" ?{silence.rule}" for silence in judgement.not_judged)
    return (failing + silent).strip()


def key(asked: Matter, text: str, rule: Rule) -> str:
    """The key of what one rule says; "" when it allows."""
    found = of(judged(asked, text), rule)
    return found.reason.key if found else ""


def of(judgement: Judgement, rule: Rule) -> Refusal | NotJudged | None:
    """What one rule says."""
    return next((finding for finding in _findings(judgement) if finding.rule is rule), None)


def _findings(judgement: Judgement) -> list[Refusal | NotJudged]:
    return [*judgement.refusals, *judgement.not_judged]


def refusal(asked: Matter, text: str, rule: Rule) -> Refusal:
    """The refusal of a rule that refuses."""
    found = of(judged(asked, text), rule)
    assert isinstance(found, Refusal)
    return found
