"""Screening many rows: the verdict of each is the one that it would get by itself."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap64
from tests.gate.world import NOW, import_list, object_to, overlay, rulebook_of

from dialwarden.errors import LedgerBroken
from dialwarden.facts import Scope
from dialwarden.gate.decision import Decider
from dialwarden.gate.reading import Reading, read_question
from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.screening import Asked, Screened, Screener, When
from dialwarden.gate.verdicts import Answer, exempt_verdict, not_decided, refused_as_read
from dialwarden.gate.waiving import WAIVABLE
from dialwarden.ledger import (
    appointments,
    attempts,
    consents,
    list_body,
    lists,
    objections,
    silent_calls,
)
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.connection import open_ledger, snapshot, transaction
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.lists import Op
from dialwarden.ledger.objections import NewObjection
from dialwarden.ledger.overrides import NewOverride, begin_override
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.ledger.states import Outcome
from dialwarden.question import Door, Purpose, Question, QuestionError, Relationship
from dialwarden.verdict import Reason, Rule, Verdict

CONFIG = """
[store]
path = "ledger.db"

[defaults]
exempt = ["_3949", "_08001234XX", "_+3933399."]

[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{number}@carrier"]
strip = "9"

[lists.house]
kind = "opposition"

[lists.weekly]
kind = "opposition"
max_age = "7 days"

[lists.staff]
kind = "exempt"

[lists.lift]
kind = "exempt"

[campaigns.paris]
professional = "acme"
policy = "fr"
lists = ["house", "weekly"]

[campaigns.paris.tighten]
caps = [{ max = 2, period = "3 days" }]
gap = "2 hours"

[campaigns.rome]
professional = "bella"
policy = "it-assocontact"

[campaigns.plain]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]

[campaigns.plain.tighten]
hours = { mon-sat = ["09:00-20:00"] }
caps = [{ max = 1, period = "1 day" }]

[campaigns.lenient]
professional = "acme"
policy = "none"
region = "FR"
count_failed = false

[campaigns.lenient.tighten]
caps = [{ max = 1, period = "1 day" }]

[campaigns.shadow]
professional = "shade"
policy = "fr"
enforce = false
"""

CAMPAIGNS = {
    "paris": "acme", "rome": "bella", "plain": "acme", "lenient": "acme", "shadow": "shade",
}  # fmt: skip
LISTS = ["house", "weekly", "staff", "lift", "rpo", "bloctel"]
PERSONS = ["", "", "p1", "p2", "p3 é"]
REGIONS = ["", "", "", "", "FR-974", "IT", "FR-999"]
RELATIONSHIPS = ["", "", "", "contract", "ended:2026-10-20", "request:2026-10-30", "friend"]
# Mainland, overseas with two candidates (+262) and with one, Italian, British, several zones.
STEMS = ["+336123400", "+332623400", "+26269212340", "+59069012340", "+393331234",
         "+393339900", "+44770090012", "+121255512", "+346123400"]  # fmt: skip

# Ledgers filled at random; DIALWARDEN_EXAMPLES sets their number, for a long run.
SEEDS = int(os.environ.get("DIALWARDEN_EXAMPLES", "0")) or 1


@pytest.fixture
def rulebook(tmp_path: Path) -> Rulebook:
    return rulebook_of(tmp_path, CONFIG)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_ledger(tmp_path / "ledger.db")
    yield connection
    connection.close()


def screened(
    conn: sqlite3.Connection,
    rulebook: Rulebook,
    rows: Sequence[Asked],
    campaign: str,
    when: Callable[[Reading], When],
) -> list[Screened]:
    with snapshot(conn):
        return Screener(conn, rulebook, campaign, when).screen(rows)


def one_by_one(
    conn: sqlite3.Connection,
    rulebook: Rulebook,
    rows: Sequence[Asked],
    campaign: str,
    when: Callable[[Reading], When],
) -> list[Verdict]:
    """What `dialwarden check` finds of each."""
    found = []
    cache = ListCache()
    decider = Decider(cache)
    with snapshot(conn):
        cache.refresh(conn)
        for row in rows:
            reading = read_question(_question(row, campaign), rulebook)
            at = when(reading)
            if reading.exempt:
                found.append(exempt_verdict(reading, reading.exempt, at.at))
            elif reading.number is None:
                found.append(refused_as_read(reading, at.at))
            else:
                try:
                    answer = decider.judge_dry(conn, reading, rulebook, at.at, as_of=at.as_of)
                    found.append(answer.verdict)
                except Exception as error:
                    reason = Reason("unavailable_error", {"why": type(error).__name__})
                    found.append(not_decided(reading, at.at, reason))
    return found


def _question(row: Asked, campaign: str) -> Question:
    relationship, misread = None, None
    try:
        relationship = Relationship.parse(row.relationship)
    except QuestionError as error:
        misread = error
    return Question(
        row.dialled, campaign, region=row.region, relationship=relationship, person=row.person,
        faults=(row.fault,) if row.fault else (), misread=misread,
    )  # fmt: skip


class Random:
    """A ledger full of what might be on record, and rows of callees who are and are not in it."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def number(self) -> str:
        stem = self.draw.choice(STEMS)
        return f"{stem}{self.draw.randrange(10 ** (12 - len(stem))):0{12 - len(stem)}}"

    def numbers(self) -> list[str]:
        return [self.number() for _ in range(80)]

    def instant(self) -> datetime:
        """Within forty days, and as often around the last two, where caps and gaps are."""
        days = self.draw.choice([40, 2])
        return NOW + timedelta(minutes=self.draw.randrange(-days * 1440, 1440))

    def fill(self, conn: sqlite3.Connection, numbers: Sequence[str]) -> None:
        for text in numbers:
            digits = int(text[1:])
            for _ in range(self.draw.choice([0, 1, 1, 1, 1, 2, 5])):
                self._record(conn, digits)
        # One in two is in no list: of these, only what else is on record tells them apart.
        listed = list(numbers)[::2]
        for _ in range(14):
            name = self.draw.choice(LISTS)
            chosen = sorted({int(text[1:]) for text in self.draw.sample(listed, 4)})
            since = {digits: self.instant().date() for digits in chosen if self.draw.random() < 0.7}
            body = BitMap64(chosen)
            day = None if self.draw.random() < 0.3 else self.instant().date()
            dates = list_body.days_by_rank(body, since) if self.draw.random() < 0.6 else None
            lists.import_version(
                conn, name, body, since=dates, as_of=day, imported_at=self.instant(),
                source="test", sha256=str(self.draw.random()),
            )  # fmt: skip
        for _ in range(6):
            begun = self.instant()
            new = NewOverride(
                self.draw.choice([*CAMPAIGNS]), "acme", self.draw.sample(WAIVABLE, 4), begun,
                begun + timedelta(hours=self.draw.randrange(1, 96)), "Anna", "a flood",
            )  # fmt: skip
            begin_override(conn, new)
        for text in self.draw.sample(listed, 10):
            name, op = self.draw.choice(LISTS), self.draw.choice(list(Op))
            lists.overlay(conn, name, int(text[1:]), op, at=self.instant())

    def _record(self, conn: sqlite3.Connection, digits: int) -> None:
        draw = self.draw
        at, person = self.instant(), draw.choice(PERSONS)
        campaign = draw.choice([*CAMPAIGNS])
        professional = CAMPAIGNS[campaign]
        match draw.randrange(6):
            case 0 | 1:
                row = HistoryRow(
                    digits, professional, at, draw.choice([None, *Outcome]),
                    draw.choice(list(Purpose)), person,
                )  # fmt: skip
                attempts.insert_history(conn, [row])
            case 2:
                scope = draw.choice(list(Scope))
                said = NewObjection(
                    digits, professional, at, at, Door.CLI, person, campaign, scope
                )  # fmt: skip
                objections.add(conn, said)
            case 3:
                until = draw.choice([None, (at + timedelta(days=20)).date()])
                word = draw.choice(["professional", "sales", campaign])
                yes = NewConsent(
                    digits, professional, at, at, campaign, until, word,
                    complete=draw.random() < 0.8,
                )  # fmt: skip
                consents.grant(conn, yes)
                if draw.random() < 0.2:
                    later = at + timedelta(days=draw.randrange(20))
                    consents.withdraw(
                        conn, number=digits, professional=professional, at=later, recorded_at=later
                    )
            case 4:
                # At ten at night in Paris, where nothing else lets a call go.
                agreed = datetime(2026, 10, 30, 21, tzinfo=UTC) + timedelta(
                    minutes=draw.randrange(9)
                )
                appointments.add(
                    conn, number=digits, professional=professional, recorded_at=at, at=agreed,
                    campaign=campaign,
                )  # fmt: skip
            case 5:
                silence = NewSilentCall(digits, professional, at, at, person, campaign)
                silent_calls.add(conn, silence)

    def rows(self, numbers: Sequence[str]) -> list[Asked]:
        draw = self.draw
        texts = [*numbers, *self.numbers()]
        texts += [f"0{text[3:]}" for text in numbers if text.startswith("+33")]
        texts += [f"90{text[3:]}" for text in numbers[:20] if text.startswith("+33")]
        texts += [f"{text[:3]} {text[3:6]}.{text[6:]}" for text in numbers[:20]]
        texts += ["112", "116000", "9112", "1 1 2", "3949", "3949 ", "39-49", "0800123456",
                  "+33800123456", "0800 1234 56", "0800123556", "+39333990", "", "n/a", "0612",
                  "06123456789012345678", "+8881234567890"]  # fmt: skip
        draw.shuffle(texts)
        return [
            Asked(
                text,
                draw.choice(REGIONS),
                draw.choice(RELATIONSHIPS),
                draw.choice(PERSONS),
                "the row is torn" if draw.random() < 0.02 else "",
            )
            for text in texts
        ]


def same_as_one_by_one(found: Sequence[Screened], expected: Sequence[Verdict]) -> None:
    assert [
        (each.finding.allowed, each.finding.rules, each.finding.next, each.finding.exempt)
        for each in found
    ] == [
        (verdict.allowed, verdict.rules, verdict.next, verdict.exempt is not None)
        for verdict in expected
    ]
    for each, verdict in zip(found, expected, strict=True):
        if verdict.exempt is None:
            assert ("" if each.digits is None else f"+{each.digits}") == verdict.number


WHENS: list[tuple[str, Callable[[Reading], When]]] = [
    ("live", lambda reading: When(NOW)),
    ("at", lambda reading: When(NOW - timedelta(days=8), NOW - timedelta(days=8))),
    ("to come", lambda reading: When(NOW + timedelta(days=9), NOW + timedelta(days=9))),
    ("before the law", lambda reading: When(datetime(2026, 8, 9, 22, tzinfo=UTC),
                                            datetime(2026, 8, 9, 22, tzinfo=UTC))),
    ("local", lambda reading: _local(reading)),
]  # fmt: skip


def _local(reading: Reading) -> When:
    """Ten at night where the callee is: another instant, and at times another date, for each."""
    zone = reading.zones[0] if reading.zones else UTC
    at = datetime(2026, 10, 30, 22, 0, tzinfo=zone).astimezone(UTC)
    return When(at, at)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "when"), WHENS, ids=[name for name, _ in WHENS])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_row_is_judged_as_by_itself(
    conn: sqlite3.Connection,
    rulebook: Rulebook,
    seed: int,
    name: str,
    when: Callable[[Reading], When],
) -> None:
    chance = Random(seed)
    numbers = chance.numbers()
    with transaction(conn):
        chance.fill(conn, numbers)
    for campaign in CAMPAIGNS:
        rows = chance.rows(numbers)
        found = screened(conn, rulebook, rows, campaign, when)
        same_as_one_by_one(found, one_by_one(conn, rulebook, rows, campaign, when))


def test_a_list_is_asked_for_the_callees_own_date(
    conn: sqlite3.Connection, rulebook: Rulebook
) -> None:
    """At 22:00 in New York it is the next day in UTC, and another version speaks of that."""
    callee = 12125551234
    with transaction(conn):
        import_list("house", [callee], date(2026, 10, 30))(conn)
        import_list("house", [], date(2026, 10, 31))(conn)
    at = datetime(2026, 10, 31, 2, 0, tzinfo=UTC)
    rows = [Asked("+12125551235"), Asked(f"+{callee}")]
    with snapshot(conn):
        other, listed = Screener(conn, rulebook, "plain", lambda _: When(at, at)).screen(rows)
    assert (other.finding.rules, listed.finding.rules) == (
        (Rule.HOURS,),
        (Rule.OPPOSITION, Rule.HOURS),
    )


ROWS = [Asked(f"06123400{n:02}") for n in range(100)]


def live(reading: Reading) -> When:
    return When(NOW)


def plainly(
    conn: sqlite3.Connection, rulebook: Rulebook, *rows: Asked, campaign: str = "plain"
) -> list[tuple[str, str, str]]:
    """The words of each row."""
    return [each.finding.words for each in screened(conn, rulebook, rows, campaign, live)]


def test_rows_in_parts_are_judged_as_together(conn: sqlite3.Connection, rulebook: Rulebook) -> None:
    chance = Random(7)
    numbers = chance.numbers()
    with transaction(conn):
        chance.fill(conn, numbers)
    rows = chance.rows(numbers)
    with snapshot(conn):
        screener = Screener(conn, rulebook, "paris", live)
        together = screener.screen(rows)
        parts = [screener.screen(rows[start : start + 7]) for start in range(0, len(rows), 7)]
    assert [each for part in parts for each in part] == together


def test_callees_of_whom_nothing_is_on_record_are_judged_once(
    conn: sqlite3.Connection, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    judge_dry = Decider.judge_dry

    def counted(
        self: Decider, conn: sqlite3.Connection, reading: Reading, *args: Any, **more: Any
    ) -> Answer:
        judged.append(reading.question.dialled)
        return judge_dry(self, conn, reading, *args, **more)

    monkeypatch.setattr(Decider, "judge_dry", counted)
    with transaction(conn):
        import_list("house", [33612340010, 33612340011], NOW.date())(conn)
        object_to(33612340020)(conn)
    rows = [*ROWS, Asked("+393331234567")]
    found = screened(conn, rulebook, rows, "plain", live)
    # The first, the first listed, the one who said no, the Italian: the others are as these.
    assert judged == ["0612340000", "0612340010", "0612340020", "+393331234567"]
    refused = [
        row.dialled for row, each in zip(rows, found, strict=True) if not each.finding.allowed
    ]
    assert refused == ["0612340010", "0612340011", "0612340020"]


def attempted(conn: sqlite3.Connection) -> None:
    attempts.insert_history(conn, [HistoryRow(33612340001, "acme", NOW - timedelta(hours=2))])


def agreed(conn: sqlite3.Connection) -> None:
    at = NOW - timedelta(days=9)
    consents.grant(conn, NewConsent(33612340001, "shade", at, at, complete=True))


def appointed(conn: sqlite3.Connection) -> None:
    appointments.add(
        conn, number=33612340001, professional="shade", recorded_at=NOW, at=LATE, campaign="shadow"
    )


def fell_silent(conn: sqlite3.Connection) -> None:
    at = NOW - timedelta(days=1)
    silent_calls.add(conn, NewSilentCall(33612340001, "bella", at, at))


# 23:00 in Paris.
LATE = datetime(2026, 11, 2, 22, tzinfo=UTC)
# What is on record of the second of three; campaign, instant, and what refuses the others and it.
ALONE = [
    (attempted, "plain", NOW, "", "frequency"),
    (object_to(33612340001), "plain", NOW, "", "objection"),
    (agreed, "shadow", NOW, "consent", ""),
    (appointed, "shadow", LATE, "consent&hours", "consent"),
    (fell_silent, "rome", NOW, "", "gap"),
]


@pytest.mark.parametrize(("write", "campaign", "at", "others", "one"), ALONE)
def test_one_thing_on_record_is_enough_to_be_judged_alone(
    conn: sqlite3.Connection,
    rulebook: Rulebook,
    write: Callable[[sqlite3.Connection], object],
    campaign: str,
    at: datetime,
    others: str,
    one: str,
) -> None:
    with transaction(conn):
        for name in ("house", "rpo"):
            import_list(name, [], NOW.date())(conn)
        write(conn)
    rows = [Asked(f"+3361234000{n}") for n in range(3)]
    found = screened(conn, rulebook, rows, campaign, lambda _: When(at))
    assert [each.finding.words[1] for each in found] == [others, one, others]


# An attempt of this morning; what the next one is refused for, where failures count and where not.
FAILURES = [
    (Outcome.FAILED, "frequency", ""),
    (Outcome.NO_ANSWER, "frequency", "frequency"),
    (Outcome.CANCELLED, "frequency", "frequency"),
    (None, "frequency", "frequency"),
]


@pytest.mark.parametrize(("outcome", "plain", "lenient"), FAILURES)
def test_a_failure_that_does_not_count_lets_the_next_call_go(
    conn: sqlite3.Connection, rulebook: Rulebook, outcome: Outcome | None, plain: str, lenient: str
) -> None:
    row = HistoryRow(33612340001, "acme", NOW - timedelta(hours=1), outcome)
    with transaction(conn):
        import_list("house", [], NOW.date())(conn)
        attempts.insert_history(conn, [row])
    rows = [Asked("+33612340001")]
    for campaign, expected in (("plain", plain), ("lenient", lenient)):
        found = screened(conn, rulebook, rows, campaign, live)
        assert found[0].finding.words[1] == expected
        assert [str(r) for r in one_by_one(conn, rulebook, rows, campaign, live)[0].rules] == (
            [expected] if expected else []
        )


def test_each_list_has_its_own_say(conn: sqlite3.Connection, rulebook: Rulebook) -> None:
    with transaction(conn):
        import_list("house", [33612340001, 33612340002, 33612340003], NOW.date())(conn)
        import_list("staff", [33612340004], NOW.date())(conn)
        overlay("house", 33612340002, Op.REMOVE)(conn)
        overlay("staff", 33612340003)(conn)
        overlay("house", 33612340005)(conn)
        overlay("rpo", 33612340006)(conn)
    found = screened(conn, rulebook, ROWS[:7], "plain", live)
    told = [each.finding.words[1] or ("exempt" if each.finding.exempt else "") for each in found]
    assert told == ["", "opposition", "", "exempt", "exempt", "opposition", ""]


def test_words_are_those_of_a_verdict(conn: sqlite3.Connection, rulebook: Rulebook) -> None:
    with transaction(conn):
        import_list("house", [], NOW.date())(conn)
        attempts.insert_history(conn, [HistoryRow(33612340001, "acme", NOW)])
        object_to(33612340002)(conn)
    rows = [*ROWS[:3], Asked("n/a"), Asked("112")]
    assert plainly(conn, rulebook, *rows) == [
        ("ALLOW", "", ""),
        ("REFUSE", "frequency", "2026-11-03T09:00:00+01:00"),
        ("REFUSE", "objection", ""),
        ("REFUSE", "number", ""),
        ("ALLOW", "", ""),
    ]


def test_shadow_mode_changes_no_verdict(conn: sqlite3.Connection, rulebook: Rulebook) -> None:
    assert plainly(conn, rulebook, ROWS[0], campaign="shadow") == [("REFUSE", "consent", "")]


def test_a_number_that_is_exempt_is_told_with_its_digits(
    conn: sqlite3.Connection, rulebook: Rulebook
) -> None:
    with transaction(conn):
        overlay("staff", 33612340000)(conn)
    rows = [Asked("06 12 34 00 00"), Asked("0800123456"), Asked("112")]
    found = screened(conn, rulebook, rows, "paris", live)
    assert [(each.finding.exempt, each.digits) for each in found] == [
        (True, 33612340000),
        (True, 33800123456),
        (True, None),
    ]


WORDS = [
    (Asked("0612340000", relationship="friend"), "unavailable", 33612340000),
    (Asked("0612340000", region="FR-999"), "unavailable", 33612340000),
    (Asked("n/a", relationship="friend"), "number&unavailable", None),
    (Asked("0612340000", fault="torn"), "number", None),
]


@pytest.mark.parametrize(("row", "rules", "digits"), WORDS)
def test_a_word_that_cannot_be_read_refuses_its_row_and_says_so(
    conn: sqlite3.Connection, rulebook: Rulebook, row: Asked, rules: str, digits: int | None
) -> None:
    found, other = screened(conn, rulebook, [row, ROWS[0]], "plain", live)
    assert (found.finding.words, found.digits) == (("REFUSE", rules, ""), digits)
    assert found.finding.why is not None
    assert other.finding.why is None


def test_a_row_without_an_instant_is_refused(conn: sqlite3.Connection, rulebook: Rulebook) -> None:
    why = Reason("unavailable_question", {"key": "at"})

    def when(reading: Reading) -> When:
        return When(NOW, NOW, None if len(reading.zones) == 1 else why)

    rows = [ROWS[0], Asked("+262692123401"), Asked("n/a"), Asked("112")]
    found = screened(conn, rulebook, rows, "shadow", when)
    assert [each.finding.rules for each in found] == [
        (Rule.CONSENT,), (Rule.UNAVAILABLE,), (Rule.NUMBER,), (),
    ]  # fmt: skip
    assert found[1].finding.why is why


def test_a_rule_that_raises_refuses(
    conn: sqlite3.Connection, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dialwarden.gate.verdicts.judge", raises)
    assert plainly(conn, rulebook, ROWS[0]) == [("REFUSE", "unavailable", "")]


def test_a_damaged_list_judges_nothing(conn: sqlite3.Connection, rulebook: Rulebook) -> None:
    with transaction(conn):
        import_list("house", [33612340000], NOW.date())(conn)
        conn.execute("UPDATE list_part SET bytes = x'00'")
    with pytest.raises(LedgerBroken, match="is damaged"):
        screened(conn, rulebook, ROWS, "plain", live)


def test_nothing_is_recorded(conn: sqlite3.Connection, rulebook: Rulebook) -> None:
    chance = Random(3)
    numbers = chance.numbers()
    with transaction(conn):
        chance.fill(conn, numbers)
    before = list(conn.iterdump())
    screened(conn, rulebook, chance.rows(numbers), "paris", live)
    assert list(conn.iterdump()) == before
