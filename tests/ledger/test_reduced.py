"""A no that outlived its proof: kept, found by whose it was, and told of nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.helpers import LONG_AGO, T0, A, B, day, objection

from dialwarden.facts import Facts, Objection, Scope
from dialwarden.ledger import appointments, consents, objections
from dialwarden.ledger.bulk_facts import numbers_on_record, persons_on_record
from dialwarden.ledger.connection import micros, open_ledger, snapshot
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.reduced import key_of, make_key, reduced_number, reduced_person, subject

KEY = bytes(range(32))
LATER = day(2000)


def reduce_all(conn: sqlite3.Connection) -> None:
    """Every objection and withdrawal, as a purge leaves it."""
    key = make_key(conn, T0)
    for table, person in (("objection", "person"), ("withdrawal", "NULL")):
        rows = conn.execute(f"SELECT id, number, {person} FROM {table}").fetchall()
        for row, number, who in rows:
            conn.execute(
                f"UPDATE {table} SET number = ?, reduced_at = ? WHERE id = ?",
                (reduced_number(key, number), micros(T0), row),
            )
            if who:
                conn.execute(
                    "UPDATE objection SET person = ? WHERE id = ?", (reduced_person(key, who), row)
                )


def facts(conn: sqlite3.Connection, number: int = A, person: str = "") -> Facts:
    return read_facts(
        conn, number=number, professional="acme", person=person, attempts_since=LONG_AGO
    )


def test_a_number_becomes_one_below_zero_that_its_key_decides() -> None:
    # blake2b of the number's digits, eight bytes, without the highest bit.
    assert reduced_number(KEY, A) == reduced_number(KEY, A) < 0
    assert reduced_number(KEY, A) != reduced_number(KEY, B)
    assert reduced_number(KEY, A) != reduced_number(KEY[::-1], A)


@given(st.integers(1, 10**15 - 1), st.binary(min_size=32, max_size=32))
def test_it_fits_the_column(number: int, key: bytes) -> None:
    assert -(1 << 63) < reduced_number(key, number) < 0


def test_a_ledger_has_no_key_before_it_needs_one_and_one_for_good(path: Path) -> None:
    first, second = open_ledger(path), open_ledger(path)
    assert key_of(first) is None
    assert subject(first, A, "P1") == (A, A, "P1", "P1")
    key = make_key(first, T0)
    assert len(key) == 32
    assert key_of(second) == key == make_key(second, T0)
    assert first.execute("SELECT count(*) FROM hash_key").fetchone() == (1,)
    first.close()
    second.close()


def test_of_a_ledger_restored_in_place_no_former_key_is_used(path: Path, tmp_path: Path) -> None:
    conn, restored = open_ledger(path), sqlite3.connect(tmp_path / "backup.db")
    objections.add(conn, objection(A))
    conn.backup(restored)
    former = make_key(conn, T0)
    restored.backup(conn)
    restored.close()
    other = open_ledger(path)
    reduce_all(other)
    with snapshot(conn):
        assert len(facts(conn).objections) == 1
    assert former != make_key(conn, T0) == make_key(other, T0)
    conn.close()
    other.close()


def test_a_key_is_never_made_within_another_transaction(conn: sqlite3.Connection) -> None:
    conn.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        make_key(conn, T0)
    conn.rollback()
    assert key_of(conn) is None


def test_a_reduced_no_is_found_by_its_number_and_its_person(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(A, person="P1"))
    reduce_all(conn)
    said = (Objection(T0, Scope.PROFESSIONAL, ""),)
    assert facts(conn).objections == said
    assert facts(conn, person="P1").objections == said  # once, though both are its
    assert facts(conn, B, "P1").objections == said
    assert facts(conn, B).objections == facts(conn, B, "P2").objections == ()
    assert conn.execute("SELECT number < 0, person FROM objection").fetchone() == (
        1, reduced_person(key_of(conn) or b"", "P1"),
    )  # fmt: skip


def test_an_old_no_and_a_new_one_of_a_callee_are_both_found(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(A))
    reduce_all(conn)
    objections.add(conn, objection(A, at=day(9)))
    assert [one.at for one in facts(conn).objections] == [day(9), T0]


def test_the_same_no_is_known_though_it_was_reduced(conn: sqlite3.Connection) -> None:
    for said in (objection(A, person="P1"), objection(B)):
        assert objections.add(conn, said)
    reduce_all(conn)
    for said in (objection(A, person="P1"), objection(B)):
        assert not objections.add(conn, said)
    for said in (objection(A, person="P2"), objection(A), objection(A, person="P1", at=day(1))):
        assert objections.add(conn, said)


def test_it_is_listed_without_saying_of_whom(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(A, person="P1"))
    reduce_all(conn)
    objections.add(conn, objection(B))
    rows = list(objections.list_objections(conn))
    assert [(row["number"], row["person"], row["reduced_at"]) for row in rows] == [
        ("reduced", "reduced", T0), (f"+{B}", None, None),
    ]  # fmt: skip
    for wanted in ({"number": A}, {"person": "P1"}):
        found = list(objections.list_objections(conn, **wanted))  # type: ignore[arg-type]
        assert [row["id"] for row in found] == [1]


def test_a_consent_from_before_a_reduced_withdrawal_does_not_rise(
    conn: sqlite3.Connection,
) -> None:
    consents.withdraw(conn, number=A, professional="acme", at=day(5), recorded_at=day(5))
    reduce_all(conn)
    for at in (T0, day(5), day(6)):
        consents.grant(conn, NewConsent(A, "acme", at, LATER))
    consents.grant(conn, NewConsent(B, "acme", T0, LATER))
    withdrawn = [one.withdrawn_at for one in facts(conn).consents]
    assert withdrawn == [None, day(5), day(5)]
    assert facts(conn, B).consents[0].withdrawn_at is None


def test_a_yes_said_live_is_later_than_a_reduced_no(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(A, at=day(1), person="P1"))
    consents.withdraw(conn, number=B, professional="acme", at=day(2), recorded_at=T0)
    reduce_all(conn)

    def later(number: int, person: str = "") -> bool:
        asked = consents.after_every_no(
            conn, number=number, professional="acme", now=T0, person=person
        )
        return asked > T0

    assert later(A)
    assert later(B)
    assert later(33700000000, "P1")
    assert not later(33700000000)


def test_an_appointment_is_ended_by_a_reduced_no_and_withdrawal(conn: sqlite3.Connection) -> None:
    def agree(number: int) -> bool:
        return appointments.add(conn, number=number, professional="acme", at=LATER, recorded_at=T0)

    assert agree(A)
    assert agree(B)
    assert not agree(A)
    objections.add(conn, objection(A, at=day(1)))
    consents.withdraw(conn, number=B, professional="acme", at=day(1), recorded_at=day(1))
    reduce_all(conn)
    assert len(facts(conn).appointments) == 1  # a no is for the rules to heed
    assert facts(conn, B).appointments == ()
    assert agree(A)
    assert agree(B)


def test_many_at_once_are_found_too(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(A, person="P1"))
    reduce_all(conn)
    found = numbers_on_record(conn, [A, B], professional="acme", attempts_since=T0)
    assert list(found) == [A]
    persons = persons_on_record(conn, ["P1", "P2"], professional="acme", attempts_since=T0)
    assert persons == {"P1"}


def searched(conn: sqlite3.Connection, ask: Callable[[], object]) -> list[str]:
    queries: list[str] = []
    conn.set_trace_callback(queries.append)
    ask()
    conn.set_trace_callback(None)
    rows = [row[3] for query in queries for row in conn.execute(f"EXPLAIN QUERY PLAN {query}")]
    return [row for row in rows if any(word in row for word in ("objection", "taken", "SCAN"))]


OBJECTION = "SEARCH objection USING INDEX objection_by_{0} ({0}=?)"


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("", [OBJECTION.format("number")]),
        ("P1", [OBJECTION.format("number"), OBJECTION.format("person")]),
    ],
)
def test_both_names_are_looked_up_in_the_index(
    conn: sqlite3.Connection, keyed: bool, person: str, expected: list[str]
) -> None:
    if keyed:
        make_key(conn, T0)
        expected = [one for one in expected for _ in range(2)]
    plan = searched(conn, lambda: facts(conn, person=person))
    taken = "SEARCH taken USING INDEX withdrawal_by_number (number=? AND professional=?)"
    assert plan == [*expected, taken]
