"""A number's story for people: how it was read, one line of time, and what may be done now.

Owns the words; knows neither the ledger nor a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import click

from dialwarden.cli.check import exemption
from dialwarden.cli.output import clock, counted, isoformat_values, printable
from dialwarden.cli.story import Row
from dialwarden.cli.why_story import Story, Told
from dialwarden.numbers import zone
from dialwarden.policy.period import whole_second_up
from dialwarden.reasons import sentence
from dialwarden.verdict import Verdict

_FLAWS = {
    "scope": "given for something else",
    "withdrawn": "withdrawn",
    "overruled": "an objection came since",
    "not_yet": "given later",
    "incomplete": "void: its record is not complete",
    "lapsed": "over",
}
_ENDED = {"consent": "ended by a later consent", "time": "over by time"}
_TO = {"professional": "to {professional}", "campaign": "to campaign {campaign}", "all": "to all"}


def print_story(story: Story, language: str, *, most_refusals: int | None) -> None:
    """All of it on standard output.

    Args:
        most_refusals: the newest so many are told, and how many there are besides; None: all.
    """
    names = {place.zone for place in story.number.places}
    here = zone(names.pop()) if len(names) == 1 else UTC
    for line in _who(story):
        click.echo(printable(line))
    click.echo()
    for line in _happened(story, here, most_refusals):
        click.echo(printable(line))
    click.echo(f"\nMay it be called, {clock(story.at.astimezone(here))}?")
    if not story.campaigns:
        click.echo("  no campaign is configured")
    for told in story.campaigns:
        for line in _verdict(told, language):
            click.echo(printable(line))


def _who(story: Story) -> Iterator[str]:
    number, records = story.number, story.records
    places = ", ".join(dict.fromkeys(place.region for place in number.places))
    zones = ", ".join(dict.fromkeys(place.zone for place in number.places))
    yield f"{number.e164}  read from {story.typed}: {places}; {zones}"
    on = [_membership(row) for row in records.lists if row["listed"]]
    off = [str(row["list"]) for row in records.lists if row["listed"] is False and row["version"]]
    never = [str(row["list"]) for row in records.lists
             if row["listed"] is False and row["version"] is None]  # fmt: skip
    for label, names in (("on lists", on), ("not on", off), ("never imported", never)):
        if names:
            yield f"  {label.ljust(15)} {', '.join(names)}"
    for row in records.lists:
        if row["fault"]:
            yield f"  cannot be read  list {row['list']}: {row['fault']}"
    for person, numbers in records.persons.items():
        others = ", ".join(numbers) or "no other number"
        yield f"  person          {person}, with {others}"


def _membership(row: Row) -> str:
    of = f" of {row['as_of']}" if row["as_of"] else ""
    since = f", since {row['since']}" if row["since"] else ""
    version = f"version {row['version']}{of}" if row["version"] else "never imported, but added"
    exempt = ", exempt: never judged" if row["kind"] == "exempt" else ""
    return f"{row['list']} ({version}{since}{exempt})"


def _happened(story: Story, here: tzinfo, most_refusals: int | None) -> Iterator[str]:
    sections = story.records.sections
    refused = sections["refusals"]
    shown = refused if most_refusals is None else refused[-most_refusals:]
    lines: list[tuple[datetime, str, str]] = []
    for section, column, word, tell in _TELLERS:
        for row in shown if section == "refusals" else sections[section]:
            at = row[column]
            assert isinstance(at, datetime)
            lines.append((at, word, tell(row, here)))
    if not lines:
        yield "Nothing else is on record of it."
        return
    yield "What is on record, in the order of time:"
    lines.sort(key=lambda line: line[0])
    times = [clock(at.astimezone(here)) for at, _, _ in lines]
    width = max(map(len, times))
    for time, (_, word, told) in zip(times, lines, strict=True):
        yield f"  {time.ljust(width)}  {word.ljust(11)}  {told}"
    hidden = len(refused) - len(shown)
    if hidden:
        yield f"  and {counted(hidden, 'earlier refusal')}: --all"


def _whose(row: Row) -> str:
    campaign, professional = row["campaign"], row["professional"]
    return f"{campaign}, for {professional}" if campaign else f"for {professional}"


def _attempt(row: Row, here: tzinfo) -> str:
    if row["voided_at"] is not None:
        became = f"never placed ({row['voided_why']}), counts for nothing"
    else:
        became = str(row["outcome"] or row["state"])
        became += ", silent" if row["silent"] else ""
    asked = f"{row['door']}{f' by {by}' if (by := row['asked_by']) else ''}"
    shadow = "" if row["enforced"] else f", let go{_overridden(row) or ' in shadow mode'}"
    if row["enforced"] and (under := _overridden(row)):
        shadow = f", for its next trunk let go{under}"
    told = f"{row['id']}, {_whose(row)}: {became}; asked at {asked}{shadow}"
    held: dict[str, datetime] = {}
    for found in _standing(row).values():
        for cap in found["counts_against"]:
            label = f"{cap['max']} in {cap['period']}"
            held[label] = max(cap["until"], held.get(label, cap["until"]))
    counts = [f"{label} until {clock(until.astimezone(here))}" for label, until in held.items()]
    return told + (f"; counts against {' and '.join(counts)}" if counts else "")


def _refusal(row: Row, here: tzinfo) -> str:
    findings = row["findings"]
    assert isinstance(findings, list)
    why = "; ".join(f"{one.get('rule')}: {one.get('reason')}" for one in findings)
    would = f", let go{_overridden(row) or ' all the same'}" if row["would"] else ""
    following = row["next"]
    next_ = f"; next {clock(following.astimezone(here))}" if isinstance(following, datetime) else ""
    campaign = row["campaign"] or "(no campaign)"
    return f"{campaign} at {row['door']}{would}: {why or row['rules']}{next_}"


def _overridden(row: Row) -> str:
    """Which overrides a call was let go under; "" of one that was under none."""
    held = isoformat_values(row).get("overrides")
    if not isinstance(held, dict) or not held:
        return ""
    return " under " + ", ".join(f"override {id_} ({rule})" for rule, id_ in held.items())


def _objection(row: Row, here: tzinfo) -> str:
    told = _TO[str(row["scope"])].format_map(row)
    if row["reduced_at"] is not None:
        told += ", kept without saying whose it was"
    else:
        told += f", told at {row['door']}{f' by {by}' if (by := row['by']) else ''}"
        told += f" ({row['note']})" if row["note"] else ""
    standing = _standing(row)
    holds: dict[str, list[str]] = {}
    for campaign, found in standing.items():
        if not found["in_force"]:
            word = _ENDED[found["ended_by"]]
        else:
            until = found["until"]
            word = f"in force until {clock(until.astimezone(here))}" if until else "in force"
        holds.setdefault(word, []).append(campaign)
    return told + _by_campaign(holds)


def _consent(row: Row, here: tzinfo) -> str:
    scope = "" if row["scope"] == "professional" else f" for {row['scope']}"
    until = f" until {row['until']}" if row["until"] else ""
    proof = f", proof {row['proof']}" if row["proof"] else ", no proof on record"
    told = f"to {row['professional']}{scope}{until}{proof}"
    holds: dict[str, list[str]] = {}
    for campaign, found in _standing(row).items():
        if found["good"]:
            last = found["last_day"]
            word = f"good through {last}" if isinstance(last, date) else "good"
        else:
            word = f"not good ({_FLAWS[found['why_not']]})"
        holds.setdefault(word, []).append(campaign)
    return told + _by_campaign(holds)


def _by_campaign(holds: Mapping[str, list[str]]) -> str:
    return "".join(f"; {word} for {', '.join(names)}" for word, names in holds.items())


def _standing(row: Row) -> Mapping[str, Mapping[str, Any]]:
    found = row.get("standing", {})
    assert isinstance(found, dict)
    return found


def _withdrawal(row: Row, here: tzinfo) -> str:
    what = f"for campaign {row['campaign']}" if row["campaign"] else "of all consent"
    return f"{what}, from {row['professional']}" + (f", by {row['by']}" if row["by"] else "")


def _appointment(row: Row, here: tzinfo) -> str:
    at = row["at"]
    assert isinstance(at, datetime)
    used = f", used by attempt {row['used_by']}" if row["used_by"] else ""
    stands = [campaign for campaign, found in _standing(row).items() if found["stands"]]
    good = f"; good for {', '.join(stands)}" if stands else "; lifts nothing now"
    return f"{_whose(row)}: to be called {clock(at.astimezone(here))}{used}{'' if used else good}"


def _silent(row: Row, here: tzinfo) -> str:
    of = f" (attempt {row['attempt']})" if row["attempt"] else ""
    return f"{_whose(row)}: answered, and no agent took the call{of}"


def _exempt(row: Row, here: tzinfo) -> str:
    return f"let pass by list {row['list']}, asked at {row['door']} by {row['asked_by'] or '?'}"


def _list_change(row: Row, here: tzinfo) -> str:
    word = "put on" if row["op"] == "add" else "taken off"
    by, note = row["by"], row["note"]
    return f"{word} list {row['name']}{f' by {by}' if by else ''}{f' ({note})' if note else ''}"


def _erasure(row: Row, here: tzinfo) -> str:
    counts = row["counts"]
    assert isinstance(counts, dict)
    done = [f"{counted(sum(of.values()), 'row')} {what}" for what, of in counts.items() if of]
    return f"by {row['by']} ({row['why']}): {', '.join(done) or 'cut short'}"


# Section, the column of its instant, the word for it, and how a row of it is told.
_TELLERS: tuple[tuple[str, str, str, Callable[[Row, tzinfo], str]], ...] = (
    ("attempts", "at", "attempt", _attempt),
    ("refusals", "at", "refused", _refusal),
    ("objections", "at", "objection", _objection),
    ("consents", "given_at", "consent", _consent),
    ("withdrawals", "at", "withdrawal", _withdrawal),
    ("appointments", "recorded_at", "appointment", _appointment),
    ("silent_calls", "at", "silent call", _silent),
    ("exempt_calls", "at", "exempt", _exempt),
    ("list_changes", "at", "list", _list_change),
    ("erasures", "at", "erasure", _erasure),
)


def _verdict(told: Told, language: str) -> Iterator[str]:
    verdict: Verdict = told.answer.verdict
    if verdict.exempt:
        yield f"  {verdict.campaign}: never judged, {exemption(verdict.exempt)}"
        return
    regime = f", regime {verdict.regime}" if verdict.regime else ""
    policy = f" (for {verdict.professional}, policy {verdict.policy}{regime})"
    shadow = "" if verdict.allowed or told.enforced else "; shadow mode: it would be let go"
    yield f"  {verdict.campaign}: {verdict.decision.value}{policy}{shadow}"
    yield from _refusals(verdict, language)
    for waived in verdict.waived:
        rule, reason = waived.refusal.rule.value, sentence(waived.refusal.reason, language)
        yield f"      {rule}: {reason}; let go under override {waived.override}, by {waived.by}"
    for silence in verdict.not_judged:
        yield f"      {silence.rule.value} not judged: {sentence(silence.reason, language)}"
    if not verdict.allowed:
        told_next = clock(verdict.next) if verdict.next else "never by waiting alone"
        yield f"      next: {told_next}"
    for person, answer in told.as_person.items():
        yield f"      asked with person {person}: {answer.verdict.decision.value}"
        for line in _refusals(answer.verdict, language):
            yield f"    {line}"


def _refusals(verdict: Verdict, language: str) -> Iterator[str]:
    for refusal in verdict.refusals:
        until = f", until {clock(whole_second_up(refusal.until))}" if refusal.until else ""
        yield f"      {refusal.rule.value}: {sentence(refusal.reason, language)}{until}"
