"""The story of a number: its records with what each does now, and what each campaign makes of it.

Owns what the story is made of. Judges nothing by itself: whether the number may be called is asked
of the gate, and what a single record does of the gate's rules. How it is told is `why`'s and
`why_text`'s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from dialwarden.cli.common import (
    Site,
    instant_option,
    utc_now,
    zones_of_callee,
)
from dialwarden.cli.story import Records, Row, records_of, written_forms
from dialwarden.errors import LedgerError
from dialwarden.facts import Appointment, Consent, Objection, PastAttempt, Scope
from dialwarden.gate.decision import Decider
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.standing import Standing
from dialwarden.gate.verdicts import Answer, exempt_verdict, not_decided
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.list_cache import ListCache
from dialwarden.numbers import Number
from dialwarden.question import Purpose, Question
from dialwarden.verdict import Reason, Verdict


@dataclass(frozen=True)
class Told:
    """What one campaign makes of the number.

    Attributes:
        as_person: what it makes of a question that names a person of the number, by that person,
            where that is something else.
    """

    campaign: str
    enforced: bool
    answer: Answer
    as_person: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """All that is told.

    Attributes:
        at: the instant that is judged at; `live` is now.
        records: the rows have what they do now under `standing`, a mapping a campaign.
    """

    number: Number
    typed: str
    region: str
    at: datetime
    live: bool
    records: Records
    campaigns: list[Told]


def story_of(
    site: Site, callee: Number, typed: str, campaign: str, region: str, at: str | None
) -> Story:
    names = [campaign] if campaign else sorted(site.rulebook.entries)
    readings = [_reading(site, callee, typed, name, region) for name in names]
    zones = next((one.zones for one in readings if one.zones), zones_of_callee(callee))
    as_of = instant_option(at, zones)
    now = as_of or utc_now()
    with site.reading() as conn, snapshot(conn):
        forms = written_forms(site, callee)
        records = records_of(conn, site, callee, now, as_of=as_of, dialled=forms)
        lists = ListCache()
        lists.refresh(conn)
        decider = Decider(lists)
        told = []
        for reading in readings:
            plain = _told(conn, site, decider, reading, now, as_of)
            others = {
                person: _told(conn, site, decider, _with(reading, person), now, as_of).answer
                for person in records.persons
            }
            differ = {
                person: answer
                for person, answer in others.items()
                if _failed(answer.verdict) != _failed(plain.answer.verdict)
            }
            told.append(replace(plain, as_person=differ))
            _mark(conn, records, reading, now, as_of)
    return Story(callee, typed, region, now, as_of is None, records, told)


def _reading(site: Site, callee: Number, typed: str, campaign: str, region: str) -> Reading:
    """The number for one campaign: as it was typed where that campaign reads the same in it.

    An exempt pattern may match what is dialled, and not the number that it is.
    """
    reading = read_question(Question(typed, campaign=campaign, region=region), site.rulebook)
    if reading.exempt or (reading.number and reading.number.digits == callee.digits):
        return reading
    question = Question(callee.e164, campaign=campaign, region=region)
    return read_question(question, site.rulebook)


def _with(reading: Reading, person: str) -> Reading:
    """The same question by a dialer that knows whose number it is."""
    return replace(reading, question=replace(reading.question, person=person))


def _failed(verdict: Verdict) -> tuple[object, ...]:
    """The rules that refuse, and those that overrides have let go."""
    return (*verdict.rules, None, *(one.refusal.rule for one in verdict.waived))


def _told(
    conn: sqlite3.Connection,
    site: Site,
    decider: Decider,
    reading: Reading,
    at: datetime,
    as_of: datetime | None,
) -> Told:
    enforced = reading.entry.enforce if reading.entry else True
    if reading.exempt:
        return Told(reading.campaign, enforced, Answer(exempt_verdict(reading, reading.exempt, at)))
    try:
        answer = decider.judge_dry(conn, reading, site.rulebook, at, as_of=as_of)
    except LedgerError as error:  # a list that is damaged: the rest of the story is told
        reason = Reason("unavailable_ledger", {"why": error.what})
        answer = Answer(not_decided(reading, at, reason))
    return Told(reading.campaign, enforced, answer)


def _mark(
    conn: sqlite3.Connection,
    records: Records,
    reading: Reading,
    at: datetime,
    as_of: datetime | None,
) -> None:
    """Say of each record what it does for one campaign, under `standing`."""
    for section in ("attempts", "objections", "consents", "appointments"):
        for row in records.sections[section]:
            row.setdefault("standing", {})
    if reading.refusals or reading.number is None or reading.entry is None or reading.exempt:
        return
    standing = Standing(conn, reading, at, as_of=as_of)
    for section, of in (
        ("attempts", _attempt),
        ("objections", _objection),
        ("consents", _consent),
        ("appointments", _appointment),
    ):
        for row in records.sections[section]:
            found = of(standing, row, reading.campaign)
            by_campaign = row["standing"]
            assert isinstance(by_campaign, dict)
            if found is not None:
                by_campaign[reading.campaign] = found


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


def _attempt(standing: Standing, row: Row, campaign: str) -> object:
    if row["professional"] != standing.professional or row["voided_at"] is not None:
        return None
    held = standing.attempt(PastAttempt(_instant(row["at"]), Purpose(str(row["purpose"]))))
    return {
        "counts_against": [
            {
                "rule": "frequency",
                "max": one.cap.max,
                "period": str(one.cap.period),
                "until": one.until,
                "source": one.cap.source,
            }
            for one in held
        ]
    }


def _objection(standing: Standing, row: Row, campaign: str) -> object:
    if row["professional"] != standing.professional and row["scope"] != Scope.ALL:
        return None
    no = Objection(_instant(row["at"]), Scope(str(row["scope"])), str(row["campaign"]))
    found = standing.objection(no)
    if found is None:
        return None
    return {"in_force": found.in_force, "until": found.until, "ended_by": found.ended_by or None}


def _consent(standing: Standing, row: Row, campaign: str) -> object:
    if row["professional"] != standing.professional:
        return None
    until = row["until"]
    yes = Consent(
        given_at=_instant(row["given_at"]),
        until=until if isinstance(until, date) else None,
        scope=str(row["scope"]),
        complete=bool(row["complete"]),
    )
    found = standing.consent(yes)
    if found is None:
        return None
    return {"good": found.flaw is None, "why_not": found.flaw, "last_day": found.last_day}


def _appointment(standing: Standing, row: Row, campaign: str) -> object:
    if row["professional"] != standing.professional:
        return None
    key = row["id"]
    assert isinstance(key, int)
    return {"stands": standing.appointment(Appointment(_instant(row["at"]), id=key))}
