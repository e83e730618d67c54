"""What is kept of a verdict: a refusal with its reasons, and what any verdict was judged by.

Owns the form of the evidence. Whether something is recorded, and when, is `decision`'s to say.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC

from dialwarden import __version__, tzdata
from dialwarden.gate.reading import Reading
from dialwarden.gate.rulebook import Rulebook
from dialwarden.ledger import refusals
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.reasons import sentence
from dialwarden.verdict import Refusal, Verdict, Waived

# The lists that a verdict consulted, each with the version that it was.
Consulted = tuple[tuple[str, int | None], ...]


def record_refusal(
    conn: sqlite3.Connection,
    reading: Reading,
    rulebook: Rulebook,
    verdict: Verdict,
    consulted: Consulted = (),
    *,
    would: bool = False,
    findings: str | None = None,
    waived: tuple[Waived, ...] = (),
) -> None:
    """Write a refusal with its reasons and its basis.

    Args:
        would: the call was let go.
        waived: which refusals overrides have let go; all of them, or none.
        findings: what `findings_of` gives, when it is at hand.
    """
    question = reading.question
    refusals.record(
        conn,
        refusals.NewRefusal(
            at=verdict.at.astimezone(UTC),
            number=reading.number.digits if reading.number else None,
            dialled=question.dialled,
            rules=verdict.rules,
            findings=findings or findings_of(verdict, rulebook.language, waived),
            door=question.door,
            professional=verdict.professional,
            campaign=verdict.campaign,
            call=question.call,
            asked_by=question.asked_by,
            next=verdict.next,
            would=would,
            basis_id=basis_id(conn, basis_of(verdict, reading, rulebook, consulted, waived)),
        ),
    )


def findings_of(verdict: Verdict, language: str, waived: tuple[Waived, ...] = ()) -> str:
    """The refusals of a verdict as they are kept, in JSON."""
    overrides = {one.refusal.rule: one.override for one in waived}
    found = []
    for refusal in verdict.refusals:
        one = finding(refusal, language, unverified=refusal.source in verdict.unverified)
        if refusal.rule in overrides:
            one["override"] = overrides[refusal.rule]
        found.append(one)
    return refusals.findings_text(found)


def finding(refusal: Refusal, language: str, *, unverified: bool = False) -> dict[str, object]:
    """A refusal as it is kept: for people and for programs.

    Args:
        unverified: no text was read for what it rests on.
    """
    return {
        "rule": refusal.rule.value,
        "reason": sentence(refusal.reason, language),
        "key": refusal.reason.key,
        "values": refusal.reason.values,
        "until": refusal.until,
        "source": refusal.source,
        **({"unverified": True} if unverified else {}),
    }


def basis_of(
    verdict: Verdict,
    reading: Reading,
    rulebook: Rulebook,
    consulted: Consulted,
    waived: tuple[Waived, ...] = (),
) -> Basis:
    """What the verdict rests on besides the facts."""
    policy = reading.entry.mandate.policy if reading.entry else None
    return Basis(
        regime=verdict.regime,
        policy=verdict.policy,
        policy_sha256=policy.sha256 if policy else "",
        lists=consulted,
        tzdata=tzdata.VERSION,
        program=__version__,
        config_sha256=rulebook.config_sha256,
        overrides=tuple((one.refusal.rule.value, one.override) for one in waived or verdict.waived),
    )
