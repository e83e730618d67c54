"""The numbers in memory: none that is in the ledger may be missing, whoever wrote it and how."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest
from tests.ledger.helpers import T0, A, B, attempt, objection

from dialwarden.errors import LedgerUnavailable
from dialwarden.ledger import (
    appointments,
    attempts,
    consents,
    known,
    learning,
    objections,
    silent_calls,
)
from dialwarden.ledger.connection import open_ledger, roll_back, transaction
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.group_commit import Ledger
from dialwarden.ledger.known import KnownNumbers, Learning, Numbers
from dialwarden.ledger.learning import learn
from dialwarden.ledger.reduced import key_of, make_key, reduced_number
from dialwarden.ledger.silent_calls import NewSilentCall

WRITE = {
    "attempt": lambda conn, number: attempts.reserve(conn, attempt(number)),
    "objection": lambda conn, number: objections.add(conn, objection(number)),
    "consent": lambda conn, number: consents.grant(conn, NewConsent(number, "acme", T0, T0)),
    "appointment": lambda conn, number: appointments.add(
        conn, number=number, professional="acme", at=T0, recorded_at=T0
    ),
    "silent_call": lambda conn, number: silent_calls.add(
        conn, NewSilentCall(number, "acme", T0, T0)
    ),
}


def learnt(conn: sqlite3.Connection) -> Numbers:
    learning = Learning()
    while learning.step(conn):
        pass
    return learning.numbers


def believed(conn: sqlite3.Connection) -> KnownNumbers:
    numbers = KnownNumbers()
    with transaction(conn):
        numbers.adopt(conn, learnt(conn))
    numbers.committed()
    return numbers


def look(conn: sqlite3.Connection, numbers: KnownNumbers) -> None:
    with transaction(conn):
        numbers.begin(conn)
        numbers.look(conn)
    numbers.committed()


@pytest.mark.parametrize("table", WRITE)
@pytest.mark.parametrize("when", ["before", "beside", "within"])
def test_a_number_is_known_by_whatever_is_on_record_of_it(
    conn: sqlite3.Connection, path: Path, table: str, when: str
) -> None:
    write = WRITE[table]
    if when == "before":
        with transaction(conn):
            write(conn, A)
    numbers = believed(conn)
    if when == "beside":
        other = open_ledger(path)
        with transaction(other):
            write(other, A)
        other.close()
    with transaction(conn):
        numbers.begin(conn)
        if when == "within":
            numbers.look(conn)
            write(conn, A)
            numbers.written()
        numbers.look(conn)
        assert (numbers.called(A), numbers.told(conn, A)) == (
            table == "attempt",
            table != "attempt",
        )
        assert not numbers.called(B)
        assert not numbers.told(conn, B)


def test_until_they_were_learnt_every_number_counts_as_known(conn: sqlite3.Connection) -> None:
    numbers = KnownNumbers()
    look(conn, numbers)
    assert not numbers.complete
    assert numbers.called(A)
    assert numbers.told(conn, A)


def test_numbers_that_come_while_the_others_are_learnt_are_known(
    conn: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "SLICE", 3)
    with transaction(conn):
        for number in range(A, A + 20):
            attempts.reserve(conn, attempt(number))
    learning = Learning()
    other = open_ledger(path)
    more = iter((A - 1, A + 5, A + 30, A - 20, A + 31))
    while learning.step(conn):
        if (number := next(more, None)) is not None:
            with transaction(other):
                attempts.reserve(other, attempt(number))
                objections.add(other, objection(number))
    other.close()
    numbers = KnownNumbers()
    with transaction(conn):
        numbers.adopt(conn, learning.numbers)
        numbers.look(conn)
        for number in (*range(A, A + 20), A - 1, A + 30, A - 20, A + 31):
            assert numbers.called(number)
        for number in (A - 1, A + 5, A + 30, A - 20, A + 31):
            assert numbers.told(conn, number)


def reduce(conn: sqlite3.Connection, number: int = A) -> None:
    key = make_key(conn, T0)
    with transaction(conn):
        conn.execute(
            "UPDATE objection SET number = ? WHERE number = ?",
            (reduced_number(key, number), number),
        )


def test_a_number_that_was_reduced_is_known_by_its_hash(conn: sqlite3.Connection) -> None:
    with transaction(conn):
        objections.add(conn, objection(A))
    reduce(conn)
    numbers = believed(conn)
    assert numbers.told(conn, A)
    assert not numbers.told(conn, B)


@pytest.mark.parametrize("slices", range(8))
def test_a_number_that_is_reduced_while_the_others_are_learnt_is_known(
    conn: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch, slices: int
) -> None:
    monkeypatch.setattr(known, "SLICE", 3)
    numbers = range(A, A + 20)
    with transaction(conn):
        for number in (*numbers, A + 100):  # the last one stays: its row is how far we know
            objections.add(conn, objection(number))
    learning = Learning()
    for _ in range(slices):
        assert learning.step(conn)
    other = open_ledger(path)
    for number in numbers:
        reduce(other, number)
    other.close()
    while learning.step(conn):
        pass
    believed = KnownNumbers()
    with transaction(conn):
        believed.adopt(conn, learning.numbers)
        believed.look(conn)
        assert believed.complete
        assert [number for number in numbers if not believed.told(conn, number)] == []
        assert not believed.told(conn, A - 1)


def test_numbers_that_were_reduced_take_a_few_bytes_each(
    conn: sqlite3.Connection,
) -> None:
    key = make_key(conn, T0)
    numbers = Numbers()
    numbers.add("objection", [reduced_number(key, A + n) for n in range(50_000)])
    stored = len(numbers.told.serialize()) + len(numbers.reduced.serialize())
    assert stored < 15 * 50_000  # a few bytes each, and what 2^16 containers take


def test_a_number_that_is_reduced_later_stays_known(conn: sqlite3.Connection, path: Path) -> None:
    with transaction(conn):
        objections.add(conn, objection(A))
        objections.add(conn, objection(A + 1))
    numbers = believed(conn)
    other = open_ledger(path)
    reduce(other)
    other.close()
    look(conn, numbers)
    assert numbers.told(conn, A)
    assert not numbers.told(conn, B)


def test_what_was_rolled_back_leaves_the_ids_to_others(conn: sqlite3.Connection) -> None:
    numbers = believed(conn)
    conn.execute("BEGIN IMMEDIATE")
    numbers.begin(conn)
    numbers.look(conn)
    numbers.reserved(attempts.reserve(conn, attempt(A)), A)
    roll_back(conn)
    # The same id, for another number, by somebody who does not tell us.
    with transaction(conn):
        attempts.reserve(conn, attempt(B))
    numbers.written()
    look(conn, numbers)
    assert numbers.called(B)


def test_a_ledger_restored_in_place_is_learnt_anew(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    with transaction(conn):
        attempts.reserve(conn, attempt(A))
    backup = sqlite3.connect(tmp_path / "backup.db")
    conn.backup(backup)
    with transaction(conn):
        attempts.reserve(conn, attempt(A + 1))
    numbers = believed(conn)
    other = open_ledger(tmp_path / "ledger.db")
    backup.backup(other)
    with transaction(other):
        attempts.reserve(other, attempt(B))  # under the id that A + 1 had
    other.close()
    backup.close()
    look(conn, numbers)
    assert not numbers.complete
    assert numbers.called(B)


@pytest.mark.parametrize("complete", [True, False])
def test_the_key_of_a_ledger_restored_in_place_is_asked_for_anew(
    conn: sqlite3.Connection, tmp_path: Path, complete: bool
) -> None:
    with transaction(conn):
        objections.add(conn, objection(A))
    backup = sqlite3.connect(tmp_path / "backup.db")
    conn.backup(backup)  # from before anything was reduced: it has no key
    reduce(conn)
    numbers = believed(conn) if complete else KnownNumbers()
    look(conn, numbers)
    former = key_of(conn)
    other = open_ledger(tmp_path / "ledger.db")
    backup.backup(other)
    backup.close()
    reduce(other)
    conn.execute("BEGIN IMMEDIATE")
    numbers.begin(conn)
    numbers.look(conn)
    assert numbers.told(conn, A)
    assert former != key_of(conn) == key_of(other)
    roll_back(conn)
    other.close()


def test_a_long_import_beside_is_not_read_while_the_ledger_is_locked(
    conn: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = believed(conn)
    monkeypatch.setattr(known, "SLICE", 10)
    other = open_ledger(path)
    with transaction(other):
        for number in range(A, A + 11):
            attempts.reserve(other, attempt(number))
    other.close()
    look(conn, numbers)
    assert not numbers.complete
    assert numbers.called(A)


@pytest.mark.parametrize("seed", range(30))
def test_no_number_of_the_ledger_is_ever_missing(
    path: Path, conn: sqlite3.Connection, seed: int
) -> None:
    """Two processes write, commit, fail and roll back at random; ours tells what it knows."""
    chance = random.Random(seed)
    other = open_ledger(path)
    numbers = believed(conn)
    for _ in range(60):
        if chance.random() < 0.3:
            with transaction(other):
                WRITE[chance.choice(list(WRITE))](other, A + chance.randrange(200))
        if chance.random() < 0.1:
            numbers.forget()
        if not numbers.complete and chance.random() < 0.5:
            numbers = believed(conn)
        conn.execute("BEGIN IMMEDIATE")
        numbers.begin(conn)
        for _ in range(chance.randrange(4)):
            number = A + chance.randrange(200)
            kind = chance.choice(["decision", "work", "failing work"])
            if kind == "decision":
                numbers.look(conn)
                numbers.reserved(attempts.reserve(conn, attempt(number)), number)
            else:
                conn.execute("SAVEPOINT work")
                WRITE[chance.choice(list(WRITE))](conn, number)
                if kind == "failing work":
                    conn.execute("ROLLBACK TO work")
                    numbers.begin(conn)
                numbers.written()
                conn.execute("RELEASE work")
            numbers.look(conn)
            _check(conn, numbers)
        if chance.random() < 0.2:
            roll_back(conn)
        else:
            conn.execute("COMMIT")
            if chance.random() < 0.9:  # else it failed, as far as we were told
                numbers.committed()
    other.close()


def _check(conn: sqlite3.Connection, numbers: KnownNumbers) -> None:
    for (number,) in conn.execute("SELECT number FROM attempt"):
        assert numbers.called(number)
    for table in ("objection", "consent", "appointment", "silent_call"):
        for (number,) in conn.execute(f"SELECT number FROM {table}"):
            assert numbers.told(conn, number)


def take_the_place(fresh: Path, path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    fresh.rename(path)


async def test_a_running_ledger_learns_and_keeps_up(ledger: Ledger, path: Path) -> None:
    await ledger.transact(lambda conn: attempts.reserve(conn, attempt(A)))
    await learn(ledger)
    assert ledger.known.complete
    await ledger.transact(lambda conn: attempts.reserve(conn, attempt(B)))
    seen = await ledger.transact(lambda conn: _seen(conn, ledger.known))
    assert seen == [True, True, False]
    # Another ledger takes its place: what was known of the first one is nothing here.
    fresh = path.with_name("other.db")
    other = open_ledger(fresh)
    with transaction(other):
        attempts.reserve(other, attempt(A + 9))
    other.close()
    take_the_place(fresh, path)
    await ledger.transact(lambda conn: None)
    assert await ledger.transact(lambda conn: _seen(conn, ledger.known)) == [True, True, True]
    assert not ledger.known.complete
    await learn(ledger)
    assert await ledger.transact(lambda conn: _seen(conn, ledger.known)) == [False, False, True]


async def test_a_learning_that_failed_is_begun_anew(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = iter([ZeroDivisionError("in a slice"), LedgerUnavailable("ledger.db", "is locked")])

    async def sometimes(ledger: Ledger) -> None:
        for error in broken:
            raise error
        await learn(ledger)

    monkeypatch.setattr(learning, "learn", sometimes)
    monkeypatch.setattr(learning, "_AFTER_TROUBLE_S", 0.0)
    keeping = asyncio.create_task(learning.keep_learning(ledger))
    async with asyncio.timeout(10):
        while not ledger.known.complete:  # noqa: ASYNC110 - a condition of another's state
            await asyncio.sleep(0.005)
    keeping.cancel()
    assert "in a slice" in caplog.text


def _seen(conn: sqlite3.Connection, numbers: KnownNumbers) -> list[bool]:
    numbers.look(conn)
    return [numbers.called(number) for number in (A, B, A + 9)]
