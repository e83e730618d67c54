"""Of many callees: those of whom anything may be found, and nobody of whom anything is left out."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from pyroaring import BitMap64
from tests.ledger.helpers import T0, A, B, attempt, day, objection
from tests.ledger.test_lists import put

from dialwarden.facts import Facts, Scope
from dialwarden.ledger import appointments, attempts, consents, lists, objections, silent_calls
from dialwarden.ledger.bulk_facts import SnapshotLists, numbers_on_record, persons_on_record
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.lists import Op
from dialwarden.ledger.silent_calls import NewSilentCall

SINCE = day(-30)
NOBODY = 33600000000
Write = Callable[[sqlite3.Connection], object]


def on_record(conn: sqlite3.Connection, *numbers: int) -> list[int]:
    found = numbers_on_record(conn, numbers, professional="acme", attempts_since=SINCE)
    return sorted(found)


def attempted(**more: object) -> Write:
    return lambda conn: attempts.reserve(conn, attempt(**more))  # type: ignore[arg-type]


def objected(**more: object) -> Write:
    return lambda conn: objections.add(conn, objection(**more))  # type: ignore[arg-type]


def agreed(professional: str = "acme") -> Write:
    return lambda conn: consents.grant(conn, NewConsent(A, professional, T0, T0))


def appointed(professional: str = "acme") -> Write:
    return lambda conn: appointments.add(
        conn, number=A, professional=professional, at=day(5), recorded_at=T0
    )


def fell_silent(professional: str = "acme", **more: object) -> Write:
    new = NewSilentCall(A, professional, T0, T0)
    return lambda conn: silent_calls.add(conn, replace(new, **more))  # type: ignore[arg-type]


# What is written of A, and whether a question for acme may find something.
OF_NUMBERS: list[tuple[Write, bool]] = [
    (attempted(), True),
    (attempted(at=SINCE), True),
    (attempted(at=SINCE - timedelta(seconds=1)), False),
    (attempted(at=day(4000)), True),
    (attempted(person="P1"), True),
    (attempted(professional="beta"), False),
    (objected(), True),
    (objected(professional="beta", scope=Scope.ALL), True),
    (agreed(), True),
    (agreed("beta"), False),
    (appointed(), True),
    (appointed("beta"), False),
    (fell_silent(), True),
    (fell_silent("beta"), False),
]


@pytest.mark.parametrize(("write", "found"), OF_NUMBERS)
def test_a_number_is_found_by_whatever_is_on_record_of_it(
    conn: sqlite3.Connection, write: Write, found: bool
) -> None:
    write(conn)
    assert on_record(conn, NOBODY, A, B) == ([A] if found else [])


# What is written of A and of the person P1, and whether a question about P1 may find something.
OF_PERSONS: list[tuple[Write, bool]] = [
    (attempted(person="P1"), True),
    (attempted(person="P1", at=SINCE - timedelta(seconds=1)), False),
    (attempted(person="P1", professional="beta"), False),
    (attempted(person="P2"), False),
    (objected(person="P1"), True),
    (objected(person="P1", professional="beta", scope=Scope.ALL), True),
    (fell_silent(person="P1"), True),
    (fell_silent("beta", person="P1"), False),
    (agreed(), False),
]


@pytest.mark.parametrize(("write", "found"), OF_PERSONS)
def test_a_person_is_found_on_any_number(
    conn: sqlite3.Connection, write: Write, found: bool
) -> None:
    write(conn)
    persons = persons_on_record(conn, ["P1", "P3"], professional="acme", attempts_since=SINCE)
    assert persons == (frozenset({"P1"}) if found else frozenset())


@pytest.mark.parametrize("person", ["Zoë", "a'b\"c", "x\0y", "["])
def test_a_persons_id_may_hold_anything(conn: sqlite3.Connection, person: str) -> None:
    attempts.reserve(conn, attempt(person=person))
    asked = [person, "x", f"{person}x"]
    found = persons_on_record(conn, asked, professional="acme", attempts_since=SINCE)
    assert found == frozenset({person})


def test_many_numbers_are_asked_at_once(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(A))
    assert on_record(conn, *range(A - 20_000, A + 20_000)) == [A]
    assert on_record(conn) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("as_of", [None, T0, day(3)])
def test_of_all_others_there_are_no_facts(
    conn: sqlite3.Connection, seed: int, as_of: datetime | None
) -> None:
    draw = random.Random(seed)
    numbers = [A + n for n in range(80)]
    people = ["", "P1", "P2", "P3"]
    for _ in range(60):
        at, number, who = day(draw.uniform(-60, 5)), draw.choice(numbers), draw.choice(people)
        whose = draw.choice(["acme", "beta"])
        draw.choice(
            [
                attempted(number=number, at=at, person=who, professional=whose),
                objected(number=number, at=at, person=who, professional=whose),
                fell_silent(whose, number=number, at=at, person=who),
                lambda conn, n=number, p=whose, t=at: consents.grant(conn, NewConsent(n, p, t, t)),
            ]
        )(conn)
    found = numbers_on_record(conn, numbers, professional="acme", attempts_since=SINCE)
    persons = persons_on_record(conn, people[1:3], professional="acme", attempts_since=SINCE)
    assert 0 < len(found) < len(numbers)
    for number in numbers:
        for person in people:
            facts = read_facts(
                conn, number=number, professional="acme", person=person, attempts_since=SINCE,
                as_of=as_of, silent=True,
            )  # fmt: skip
            if number not in found and (not person or person not in {*persons, "P3"}):
                assert facts == Facts()


def test_every_look_up_is_indexed(conn: sqlite3.Connection) -> None:
    asked: list[str] = []
    conn.set_trace_callback(asked.append)
    numbers_on_record(conn, [A], professional="acme", attempts_since=SINCE)
    persons_on_record(conn, ["P1"], professional="acme", attempts_since=SINCE)
    conn.set_trace_callback(None)
    plans = [row[3] for query in asked for row in conn.execute(f"EXPLAIN QUERY PLAN {query}")]
    scanned = [plan for plan in plans if plan.startswith("SCAN") and "CONSTANT ROW" not in plan]
    assert [plan.split(" VIRTUAL")[0] for plan in scanned] == ["SCAN asked"]
    assert sum(plan.startswith("SEARCH") for plan in plans) == 10  # the key is asked for twice


NAMES = ["bloctel", "house", "staff", "never"]


@pytest.mark.parametrize("seed", range(4))
def test_the_lists_say_of_each_number_what_they_say_of_one(
    conn: sqlite3.Connection, seed: int
) -> None:
    draw = random.Random(seed)
    numbers = [A + n for n in range(60)]
    for _ in range(10):
        chosen = draw.sample(numbers, 12)
        since = {number: date(2026, 1, 1 + draw.randrange(28)) for number in chosen[:6]}
        speaks_of = draw.choice([None, day(draw.randrange(-9, 9)).date()])
        put(conn, chosen, speaks_of, day(draw.randrange(-9, 9)), draw.choice(NAMES[:3]), since)
    for number in draw.sample(numbers, 10):
        name, op = draw.choice(NAMES), draw.choice(list(Op))
        lists.overlay(conn, name, number, op, at=day(draw.randrange(-9, 9)))
    plain, quick = ListCache(), SnapshotLists()
    plain.refresh(conn)
    quick.refresh(conn)
    dates = [day(-4).date(), day(-3).date()]
    for at, days in [(None, []), (day(-4), dates), (day(6), [day(6).date(), day(7).date()])]:
        standing = quick.standing(conn, NAMES, BitMap64(numbers), at, days)
        assert 0 < len(standing) < len(numbers)
        for when in days or [None]:
            others = [plain.look_up(conn, NAMES, n, at, when) for n in numbers if n not in standing]
            assert all(listings == others[0] for listings in others)
            for number in numbers:
                said = plain.look_up(conn, NAMES, number, at, when)
                assert quick.look_up(conn, NAMES, number, at, when) == said
                assert number in standing or not any(each.listed for each in said.values())


def test_a_former_version_is_read_once(
    conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        put(conn, [A], date(2026, 10, 1), name=f"list{number}")
    read: list[str] = []
    body_of = lists.read_body

    def counted(conn: sqlite3.Connection, head: lists.Head) -> lists.Body:
        read.append(head.name)
        return body_of(conn, head)

    monkeypatch.setattr("dialwarden.ledger.list_cache.read_body", counted)
    names = [f"list{number}" for number in range(12)]
    cache = SnapshotLists()
    cache.refresh(conn)
    for _ in range(3):
        assert cache.standing(conn, names, BitMap64([A, B]), T0, [T0.date()]) == BitMap64([A])
        cache.look_up(conn, names, A, T0, T0.date())
    assert sorted(read) == sorted(names)
