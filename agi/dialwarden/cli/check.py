"""`dialwarden check`: one question, judged by the real rules, and nothing recorded.

Owns how a verdict is shown. What is wrong in the question is a verdict too: exit status 1.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, tzinfo

import click

from dialwarden.cli.common import (
    Site,
    config_option,
    instant_option,
    json_option,
    open_site,
    utc_now,
)
from dialwarden.cli.output import clock, print_json, printable
from dialwarden.errors import LedgerError
from dialwarden.gate.decision import Decider
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.verdicts import (
    Answer,
    answer_without_number,
    exempt_verdict,
    not_decided,
)
from dialwarden.imports.people import zones_of
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.list_cache import ListCache
from dialwarden.numbers import zone
from dialwarden.policy.period import whole_second_up
from dialwarden.question import Dialling, Purpose, Question, QuestionError, Relationship
from dialwarden.reasons import sentence
from dialwarden.rules import RULES
from dialwarden.verdict import NotJudged, Reason, Refusal, Rule, Verdict, Waived

log = logging.getLogger(__name__)


def _relationship(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> Relationship | None:
    try:
        return Relationship.parse(value or "")
    except QuestionError as error:
        raise click.BadParameter(f"found {error.found!r}; allowed: {error.allowed}") from None


@click.command("check", short_help="Judge one number, dry, and say what every rule finds.")
@click.argument("number")
@click.option("--campaign", metavar="C", default="", help="The campaign; else [defaults] campaign.")
@click.option(
    "--at",
    metavar="ISO",
    help="Judge at this instant, by what was dated at or before it. Without an offset it is local "
    "time where the callee is.",
)
@click.option("--region", metavar="R", default="", help="Where the callee is: FR-974, IT-BZ.")
@click.option("--callerid", metavar="N", help="The number that the callee would see.")
@click.option(
    "--relationship",
    metavar="WORD",
    callback=_relationship,
    help="contract, ended:DATE, press or request:DATE.",
)
@click.option("--purpose", type=click.Choice([p.value for p in Purpose]), help="What it is about.")
@click.option(
    "--dial", type=click.Choice([d.value for d in Dialling]), help="By whom it is placed."
)
@click.option("--person", metavar="ID", default="", help="Joins one consumer's numbers.")
@config_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    number: str,
    campaign: str,
    at: str | None,
    region: str,
    callerid: str | None,
    relationship: Relationship | None,
    purpose: str | None,
    dial: str | None,
    person: str,
    config: str | None,
    as_json: bool,
) -> None:
    """Judge one NUMBER as the bridge would, record nothing, and say what every rule finds.

    Exit status 0 when the call is allowed, 1 when it is refused: also when the number cannot be
    read, the campaign is unknown or the ledger does not answer.
    """
    site = open_site(config)
    question = Question(
        dialled=number,
        campaign=campaign,
        caller_id=callerid,
        region=region,
        relationship=relationship,
        purpose=Purpose(purpose) if purpose else None,
        dialling=Dialling(dial) if dial else None,
        person=person,
    )
    reading = read_question(question, site.rulebook)
    as_of = instant_option(at, _zones(reading, site))
    answer = _judge(site, reading, as_of)
    verdict = answer.verdict
    if as_json:
        found = verdict_as_json(verdict, site.language, live=as_of is None)
        # As `unverified`: there where there is something to say.
        print_json({**found, **({"let_go": "shadow mode"} if answer.let_go else {})})
    else:
        for line in verdict_as_text(verdict, site.language):
            click.echo(line)
        if answer.let_go:
            click.echo("Shadow mode: the call would be let go, and logged as would_refuse.")
    ctx.exit(0 if verdict.allowed else 1)


def _zones(reading: Reading, site: Site) -> tuple[tzinfo, ...]:
    """Where an instant without an offset was meant: at the callee's, else at the campaign's."""
    if reading.zones:
        return reading.zones
    if reading.entry is not None:
        return zones_of([reading.entry.region])
    # Nothing is judged then; an instant is read only to be shown.
    return site.zones[:1] or (UTC,)


def _judge(site: Site, reading: Reading, as_of: datetime | None) -> Answer:
    at = as_of or utc_now()
    if reading.exempt:
        return Answer(exempt_verdict(reading, reading.exempt, at))
    if reading.number is None:
        return answer_without_number(reading, at)
    try:
        with site.reading() as conn, snapshot(conn):
            lists = ListCache()
            lists.refresh(conn)
            return Decider(lists).judge_dry(conn, reading, site.rulebook, at, as_of=as_of)
    except LedgerError as error:
        why = error.what + (f", {error.do}" if error.do else "")
        reason = Reason("unavailable_ledger", {"why": why})
    except Exception as error:
        log.exception("judging failed")
        reason = Reason("unavailable_error", {"why": type(error).__name__})
    return Answer(not_decided(reading, at, reason))


def verdict_as_json(verdict: Verdict, language: str, *, live: bool) -> dict[str, object]:
    """The public form of a verdict.

    Args:
        live: it was judged now: the fractions of the second are left out.
    """
    waived = [
        {**_refusal(one.refusal, language), "override": one.override, "by": one.by}
        for one in verdict.waived
    ]
    return {
        "verdict": verdict.decision.value,
        "exempt": verdict.exempt,
        "number": verdict.number,
        "campaign": verdict.campaign,
        "professional": verdict.professional,
        "policy": verdict.policy,
        "regime": verdict.regime,
        "at": verdict.at.isoformat(timespec="seconds" if live else "auto"),
        "zones": list(verdict.zones),
        "refusals": [_refusal(refusal, language) for refusal in verdict.refusals],
        "not_judged": [
            {"rule": silence.rule.value, "why": sentence(silence.reason, language)}
            for silence in verdict.not_judged
        ],
        "next": verdict.next.isoformat() if verdict.next else None,
        **({"unverified": list(verdict.unverified)} if verdict.unverified else {}),
        **({"waived": waived} if waived else {}),
    }


def _refusal(refusal: Refusal, language: str) -> dict[str, object]:
    return {
        "rule": refusal.rule.value,
        "reason": sentence(refusal.reason, language),
        # Rounded up, as `next` is: what is allowed at it is allowed.
        "until": whole_second_up(refusal.until).isoformat() if refusal.until else None,
        "source": refusal.source,
    }


def verdict_as_text(verdict: Verdict, language: str) -> list[str]:
    """The lines that a floor manager reads: the verdict, for whom, where and when, every rule."""
    lines = [f"{verdict.decision.value}  {printable(verdict.number) or '(no number)'}"]
    if verdict.exempt:
        lines.append(f"  never judged: {exemption(verdict.exempt)}")
        return lines
    campaign = printable(verdict.campaign) or "(none)"
    if verdict.professional:
        campaign += f", for {verdict.professional}"
    lines.append(f"  campaign  {campaign}")
    if verdict.policy:
        regime = f", regime {verdict.regime}" if verdict.regime else ""
        lines.append(f"  policy    {verdict.policy}{regime}")
    lines.append(f"  at        {_local_times(verdict)}")
    if not verdict.allowed:
        told = clock(verdict.next) if verdict.next else "never by waiting alone"
        lines.append(f"  next      {told}")
    lines.append("")
    lines += _findings(verdict, language)
    if verdict.unverified:
        lines += ["", "  UNVERIFIED, no text was read for these: " + "; ".join(verdict.unverified)]
    return lines


def exemption(exempt: str) -> str:
    """Why a call is never judged, for people."""
    return _EXEMPT.get(exempt, f"list {exempt}")


_EXEMPT = {
    "emergency": "an emergency number",
    "pattern": "[defaults] exempt",
}


# A toll-free number of North America may be in more than fifty; --json has them all.
_ZONES_TOLD = 4


def _local_times(verdict: Verdict) -> str:
    zones: list[tzinfo] = [zone(name) for name in verdict.zones] or [UTC]
    told = "; ".join(clock(verdict.at.astimezone(each)) for each in zones[:_ZONES_TOLD])
    more = len(zones) - _ZONES_TOLD
    return f"{told}; and {more} other time zones" if more > 0 else told


def _findings(verdict: Verdict, language: str) -> list[str]:
    refusals = {refusal.rule: refusal for refusal in verdict.refusals}
    waived = {one.refusal.rule: one for one in verdict.waived}
    silences = {silence.rule: silence for silence in verdict.not_judged}
    judged = bool(verdict.regime)
    order = [Rule.NUMBER, Rule.CAMPAIGN, *(rule for rule, _ in RULES)] if judged else []
    rules = [
        rule
        for rule in Rule
        if rule in order or rule in refusals or rule in silences or rule in waived
    ]
    width = max((len(rule) for rule in rules), default=0)
    lines = []
    for rule in rules:
        told = _finding(refusals.get(rule), silences.get(rule), waived.get(rule), language)
        lines.append(f"  {rule.value.ljust(width)}  {told[0]}")
        lines += [" " * (width + 4) + line for line in told[1:]]
    return lines


def _finding(
    refusal: Refusal | None, silence: NotJudged | None, let_go: Waived | None, language: str
) -> list[str]:
    if let_go is not None:
        told = [f"let go      {printable(sentence(let_go.refusal.reason, language))}"]
        told.append(" " * 12 + f"under override {let_go.override}, by {printable(let_go.by)}")
        return told
    if refusal is not None:
        told = [f"refused     {printable(sentence(refusal.reason, language))}"]
        until = f"until {clock(refusal.until)}" if refusal.until else "waiting does not help"
        told.append(" " * 12 + until + (f"; {refusal.source}" if refusal.source else ""))
        return told
    if silence is not None:
        return [f"not judged  {printable(sentence(silence.reason, language))}"]
    return ["ok"]
