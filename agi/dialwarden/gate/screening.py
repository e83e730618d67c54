"""Many questions on one state of the ledger, each judged as `Decider.judge_dry` does, quickly.

Nothing is reserved or recorded. Owns what makes it quick: whatever is on record of a few callees,
the others, who are where they are for the same reasons, share one verdict. Knows no file, and not
what becomes of the findings.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple

from pyroaring import BitMap64

from dialwarden.errors import LedgerError
from dialwarden.gate.decision import Decider
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import not_decided, refused_as_read
from dialwarden.ledger.bulk_facts import SnapshotLists, numbers_on_record, persons_on_record
from dialwarden.numbers import Number, Place, is_emergency, read_number
from dialwarden.question import Question, QuestionError, Relationship
from dialwarden.verdict import Decision, Reason, Rule, Verdict

log = logging.getLogger(__name__)

# How many kinds of callee (where they may be, and what the row claims of them) are remembered, and
# how many verdicts of a kind: one for each date that a list has of a number.
_MOST_KINDS = 10_000
_MOST_VERDICTS = 10_000


class Asked(NamedTuple):
    """One row's question.

    Attributes:
        region, relationship, person: as `Question` has them, but unread; "" when nobody said.
        fault: why the number cannot be trusted, whatever is read in it; "" for most.
    """

    dialled: str
    region: str = ""
    relationship: str = ""
    person: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """The instant that a row is judged at.

    Attributes:
        at: aware.
        as_of: None for a live question; else what was dated later does not count.
        untold: why there is none for this row, which is then refused as `unavailable`.
    """

    at: datetime
    as_of: datetime | None = None
    untold: Reason | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict without its number; rows that are alike share one.

    Attributes:
        rules: those that refuse, in the order of reports.
        next: the first instant at which it would be allowed, in the callee's zone.
        exempt: the call is never judged.
        why: what the row says that cannot be read, or why it could not be judged; None where
            rules have spoken.
        words: verdict, rules and `next` as they are written; "" where there is none.
    """

    allowed: bool
    rules: tuple[Rule, ...] = ()
    next: datetime | None = None
    exempt: bool = False
    why: Reason | None = None
    words: tuple[str, str, str] = field(init=False)

    def __post_init__(self) -> None:
        # Written once for all the rows that share it.
        verdict = Decision.ALLOW if self.allowed else Decision.REFUSE
        upcoming = self.next.isoformat() if self.next else ""
        object.__setattr__(self, "words", (verdict.value, "&".join(self.rules), upcoming))


class Screened(NamedTuple):
    """What is found of one row; `digits` of E.164, None when there are none."""

    finding: Finding
    digits: int | None


@dataclass(slots=True)
class _Kind:
    """Callees of whom nothing is on record, and of whom therefore the same is found."""

    reading: Reading
    when: When
    # By what the lists say of them.
    findings: dict[object, Finding] = field(default_factory=dict)


class _Plain(NamedTuple):
    """A row that is judged as its kind is, unless something is on record of its callee."""

    asked: Asked
    digits: int
    kind: _Kind


class Screener:
    """Judges for one campaign, within one snapshot of the ledger.

    Args:
        when: the instant for a reading, by where the callee may be.
    """

    def __init__(
        self,
        conn: sqlite3.Connection,
        rulebook: Rulebook,
        campaign: str,
        when: Callable[[Reading], When],
    ) -> None:
        self._conn = conn
        self._rulebook = rulebook
        self._campaign = campaign
        self._entry = rulebook.entries[campaign]
        self._when = when
        self._lists = SnapshotLists()
        self._lists.refresh(conn)
        self._decider = Decider(self._lists)
        self._names = (*rulebook.exempt_lists, *self._entry.lists)
        self._kinds: dict[tuple[tuple[Place, ...], str, str, str], _Kind] = {}
        # The places of most numbers are one object, found more quickly by its address; it is kept
        # beside the kind, so that the address is nobody else's.
        self._quick: dict[tuple[int, str, str, str], tuple[tuple[Place, ...], _Kind]] = {}
        patterns = [f"(?:{p.expression.pattern})" for p in rulebook.exempt_patterns]
        self._exempt = re.compile("|".join(patterns), re.DOTALL) if patterns else None

    def screen(self, rows: Sequence[Asked]) -> list[Screened]:
        """What is found of each row; some thousands at a time are quicker than one.

        Raises:
            LedgerError: the lists are damaged.
            sqlite3.Error: the ledger failed; no row of these is judged.
        """
        read = [self._read(asked) for asked in rows]
        marked, persons = self._on_record([row for row in read if isinstance(row, _Plain)])
        found = []
        for row in read:
            if isinstance(row, Screened):
                found.append(row)
            elif row.asked.person in persons:
                found.append(Screened(self._judge_alone(row.asked), row.digits))
            else:
                on_record = marked.get(row.digits)
                if on_record is None:
                    finding = row.kind.findings.get(None) or self._judge_kind(row, None)
                elif on_record:
                    finding = self._judge_alone(row.asked)
                else:
                    finding = self._judge_listed(row)
                found.append(Screened(finding, row.digits))
        return found

    def _question(self, asked: Asked) -> Question:
        relationship, misread = None, None
        try:
            relationship = Relationship.parse(asked.relationship)
        except QuestionError as error:
            misread = error
        return Question(
            dialled=asked.dialled,
            campaign=self._campaign,
            region=asked.region,
            relationship=relationship,
            person=asked.person,
            faults=(asked.fault,) if asked.fault else (),
            misread=misread,
        )

    def _read(self, asked: Asked) -> _Plain | Screened:
        rulebook = self._rulebook
        dialled = asked.dialled
        if asked.fault or is_emergency(dialled, rulebook.emergency, rulebook.strips):
            return self._not_plain(asked)
        number = read_number(dialled, region=self._entry.region, strips=rulebook.strips)
        if not isinstance(number, Number) or self._may_be_exempt(dialled, number):
            return self._not_plain(asked)
        places = number.places
        key = (id(places), number.country, asked.region, asked.relationship)
        quick = self._quick.get(key)
        if quick is None:
            if len(self._quick) >= _MOST_KINDS:
                self._quick.clear()
            quick = self._quick[key] = places, self._kind_of(asked, number)
        return _Plain(asked, number.digits, quick[1])

    def _kind_of(self, asked: Asked, number: Number) -> _Kind:
        key = (number.places, number.country, asked.region, asked.relationship)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            reading = read_question(self._question(asked), self._rulebook)
            kind = self._kinds[key] = _Kind(reading, self._when(reading))
        return kind

    def _may_be_exempt(self, dialled: str, number: Number) -> bool:
        if self._exempt is None:
            return False
        matches = self._exempt.fullmatch
        digits = str(number.digits)
        typed = dialled.strip().replace("-", "")
        return bool(matches(digits) or matches(f"+{digits}") or matches(typed))

    def _not_plain(self, asked: Asked) -> _Plain | Screened:
        """A row that is read by itself: exempt, or without a number, or neither after all."""
        reading = read_question(self._question(asked), self._rulebook)
        if reading.exempt:
            number = read_number(
                asked.dialled, region=self._entry.region, strips=self._rulebook.strips
            )
            digits = number.digits if isinstance(number, Number) else None
            return Screened(Finding(True, exempt=True), digits)
        when = self._when(reading)
        if reading.number is None:
            return Screened(_finding(refused_as_read(reading, when.at)), None)
        return _Plain(asked, reading.number.digits, _Kind(reading, when))

    def _on_record(self, rows: Sequence[_Plain]) -> tuple[dict[int, bool], frozenset[str]]:
        """Of which numbers there are facts (True), or a list says something and no more (False).

        And of which persons there are facts.
        """
        if not rows:
            return {}, frozenset()
        numbers = BitMap64([row.digits for row in rows])
        professional = self._entry.mandate.professional
        whens = {id(row.kind.when): row.kind.when for row in rows}.values()
        since = min(when.at for when in whens) - self._entry.history
        known = numbers_on_record(
            self._conn, numbers, professional=professional, attempts_since=since
        )
        persons = persons_on_record(
            self._conn,
            {row.asked.person for row in rows if row.asked.person},
            professional=professional,
            attempts_since=since,
        )
        listed = BitMap64()
        for as_of in {when.as_of for when in whens}:
            zones = {zone for row in rows for zone in row.kind.reading.zones}
            dates = _dates(as_of, zones)
            listed |= self._lists.standing(self._conn, self._names, numbers, as_of, dates)
        marked = dict.fromkeys(listed, False)
        marked.update(dict.fromkeys(known, True))
        return marked, persons

    def _judge_listed(self, row: _Plain) -> Finding:
        """A row of whose callee the lists say something, and nothing else is on record."""
        as_of, zones = row.kind.when.as_of, row.kind.reading.zones
        if as_of is None:
            said = [self._lists.look_up(self._conn, self._names, row.digits)]
        else:
            said = [
                self._lists.look_up(self._conn, self._names, row.digits, as_of, day)
                for day in sorted(_dates(as_of, zones))
            ]
        key = tuple(tuple(listings.values()) for listings in said)
        return row.kind.findings.get(key) or self._judge_kind(row, key)

    def _judge_kind(self, row: _Plain, key: object) -> Finding:
        findings = row.kind.findings
        if len(findings) >= _MOST_VERDICTS:
            findings.clear()
        finding = findings[key] = self._judge_alone(row.asked)
        return finding

    def _judge_alone(self, asked: Asked) -> Finding:
        """Judge one row by whatever is on record of it, as `dialwarden check` does."""
        reading = read_question(self._question(asked), self._rulebook)
        when = self._when(reading)
        if when.untold is not None:
            return Finding(False, (Rule.UNAVAILABLE,), why=when.untold)
        try:
            answer = self._decider.judge_dry(
                self._conn, reading, self._rulebook, when.at, as_of=when.as_of
            )
        except (LedgerError, sqlite3.Error):
            raise
        except Exception as error:
            log.exception("judging failed")
            reason = Reason("unavailable_error", {"why": type(error).__name__})
            return _finding(not_decided(reading, when.at, reason))
        return _finding(answer.verdict)


def _dates(as_of: datetime | None, zones: Iterable[tzinfo]) -> set[date]:
    """The dates of an instant where callees may be; in UTC too, for those who may be anywhere."""
    return {as_of.astimezone(zone).date() for zone in (UTC, *zones)} if as_of else set()


def _finding(verdict: Verdict) -> Finding:
    reasons = {refusal.rule: refusal.reason for refusal in verdict.refusals}
    return Finding(
        allowed=verdict.allowed,
        rules=verdict.rules,
        next=verdict.next,
        exempt=verdict.exempt is not None,
        why=reasons.get(Rule.NUMBER) or reasons.get(Rule.UNAVAILABLE),
    )
