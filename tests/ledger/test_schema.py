from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.ledger.helpers import LONG_AGO, T0, A, B, attempt, day, start_python

from dialwarden.errors import LedgerBroken
from dialwarden.facts import Appointment, Facts, SilentCall
from dialwarden.ledger import appointments, attempts, objections, schema, silent_calls
from dialwarden.ledger.attempt_list import AttemptFilter, list_attempts
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.connection import micros, open_ledger, transaction
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.overrides import NewOverride, begin_override
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.verdict import Rule

NOTES = schema.Migration(schema.newest() + 1, "notes", "CREATE TABLE note (id INTEGER);\n")
NEXT = (*schema.MIGRATIONS, NOTES)
RELEASED = [
    (1, "first"),
    (2, "silent calls"),
    (3, "legs"),
    (4, "retention"),
    (5, "overrides"),
    (6, "erasures"),
]


def recorded(conn: sqlite3.Connection) -> list[tuple[int, str]]:
    return conn.execute("SELECT version, name FROM migration ORDER BY version").fetchall()


def test_a_fresh_file_gets_every_migration_recorded(conn: sqlite3.Connection) -> None:
    assert recorded(conn) == RELEASED
    assert schema.version(conn) == schema.newest() == len(RELEASED)
    assert schema.pending(conn) == ()


def test_opening_again_changes_nothing(path: Path) -> None:
    open_ledger(path).close()
    before = path.read_bytes()
    conn = open_ledger(path)
    assert schema.migrate(conn) == ()
    conn.close()
    assert path.read_bytes() == before


def test_a_later_migration_is_applied_to_an_older_file_once(conn: sqlite3.Connection) -> None:
    assert [each.name for each in schema.migrate(conn, NEXT)] == ["notes"]
    assert schema.migrate(conn, NEXT) == ()
    assert recorded(conn) == [*RELEASED, (schema.newest() + 1, "notes")]


def test_asking_what_is_pending_writes_nothing(conn: sqlite3.Connection) -> None:
    conn.execute("PRAGMA query_only = ON")
    assert [each.version for each in schema.pending(conn, NEXT)] == [schema.newest() + 1]


def test_a_migration_that_fails_leaves_nothing_behind(conn: sqlite3.Connection) -> None:
    broken = schema.Migration(NOTES.version, "broken", NOTES.sql + "SELECT nothing;\n")
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(conn, (*schema.MIGRATIONS, broken))
    assert schema.version(conn) == schema.newest()
    assert recorded(conn) == RELEASED
    assert not conn.in_transaction
    conn.execute("CREATE TABLE note (id INTEGER)")


def test_a_newer_ledger_is_refused_with_both_versions(path: Path) -> None:
    conn = open_ledger(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    with pytest.raises(
        LedgerBroken, match=f"version 99, newer than this program's {schema.newest()}"
    ):
        open_ledger(path)


MAKE = """
import sys
from dialwarden.ledger.attempt_list import AttemptFilter, list_attempts
from dialwarden.ledger.connection import open_ledger
sys.stdin.readline()
conn = open_ledger(sys.argv[1], busy_timeout_s=20)
print(conn.execute("SELECT count(*) FROM migration").fetchone()[0])
"""


def test_processes_that_make_one_ledger_together_all_get_it(path: Path) -> None:
    processes = [start_python(MAKE, path) for _ in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == [f"{schema.newest()}\n"] * 4
    assert [process.returncode for process in processes] == [0] * 4
    conn = open_ledger(path)
    assert recorded(conn) == RELEASED
    conn.close()


def make_version_1(path: Path) -> None:
    """A ledger as the first version made it, with a callee's whole story in it.

    A was called twice, the second time on an appointment; a third attempt was voided.
    """
    conn = sqlite3.connect(path, isolation_level=None)
    schema.migrate(conn, schema.MIGRATIONS[:1])
    with transaction(conn):
        called = [attempts.reserve(conn, attempt(at=day(days), call="c")) for days in (0, 1)]
        # As that version wrote them: this one asks for tables that came later.
        at, said = micros(T0), micros(day(2))
        conn.execute(
            "INSERT INTO objection (number, professional, scope, at, recorded_at, door)"
            " VALUES (?, 'acme', 'professional', ?, ?, 'cli')", (B, said, said),
        )  # fmt: skip
        conn.execute(
            "INSERT INTO consent (number, professional, given_at, recorded_at)"
            " VALUES (?, 'acme', ?, ?)", (A, at, at),
        )  # fmt: skip
        conn.execute(
            "INSERT INTO appointment (number, professional, at, recorded_at)"
            " VALUES (?, 'acme', ?, ?)", (A, micros(day(1)), at),
        )  # fmt: skip
        assert appointments.use(conn, called[1], 1)
        attempts.void(conn, attempts.reserve(conn, attempt(at=day(3))), "never dialled", day(3))
    conn.close()


def test_a_ledger_of_version_1_keeps_its_rows_and_takes_silent_calls(path: Path) -> None:
    make_version_1(path)
    conn = open_ledger(path)
    assert recorded(conn) == RELEASED
    found = read_facts(conn, number=A, professional="acme", attempts_since=LONG_AGO, silent=True)
    assert [past.at for past in found.attempts] == [day(1), T0]
    assert [consent.given_at for consent in found.consents] == [T0]
    assert found.appointments == (Appointment(day(1), id=1, used_by=2, agreed_at=T0),)
    assert found.silent_calls == ()
    assert [row["number"] for row in objections.list_objections(conn)] == [f"+{B}"]
    rows = [(row["id"], row["state"], row["silent"]) for row in list_attempts(conn)]
    assert rows == [(1, "reserved", False), (2, "reserved", False), (3, "voided", False)]
    with transaction(conn):
        assert silent_calls.add(conn, NewSilentCall(A, "acme", T0, day(4), attempt=1))
    found = read_facts(conn, number=A, professional="acme", attempts_since=LONG_AGO, silent=True)
    assert found.silent_calls == (SilentCall(T0, followed=False),)
    assert [row["silent"] for row in list_attempts(conn)] == [True, False, False]
    conn.close()


def test_a_ledger_of_version_4_keeps_its_bases_and_takes_overrides(path: Path) -> None:
    judged = Basis("fr", "fr", "aa", (("house", 1),), "2026b", "0.1", "cc")
    values = ("fr", "fr", "aa", '{"house": 1}', "2026b", "0.1", "cc")
    digest = hashlib.sha256(json.dumps(values).encode()).digest()
    conn = sqlite3.connect(path, isolation_level=None)
    schema.migrate(conn, schema.MIGRATIONS[:4])
    # As that version wrote it: this one asks for a column that came later.
    conn.execute(
        "INSERT INTO basis (digest, regime, policy, policy_sha256, lists, tzdata, program,"
        " config_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (digest, *values),
    )  # fmt: skip
    with transaction(conn):
        attempts.reserve(conn, attempt(basis_id=1))
    conn.close()
    conn = open_ledger(path)
    assert recorded(conn) == RELEASED
    assert [row["overrides"] for row in list_attempts(conn)] == ["{}"]
    with transaction(conn):
        assert basis_id(conn, judged) == 1
        new = NewOverride("energy", "acme", [Rule.HOURS], T0, day(1), "Anna", "a flood")
        made = begin_override(conn, new)
        under = basis_id(conn, replace(judged, overrides=(("hours", made.id),)))
        attempts.reserve(conn, attempt(basis_id=under))
    assert [row["overrides"] for row in list_attempts(conn)] == ["{}", '{"hours": 1}']
    conn.close()


def plans(conn: sqlite3.Connection, ask: Callable[[], object]) -> list[str]:
    """How SQLite goes about each query that `ask` runs."""
    queries: list[str] = []
    conn.set_trace_callback(queries.append)
    ask()
    conn.set_trace_callback(None)
    return [
        row[3]
        for query in queries
        for row in conn.execute(f"EXPLAIN QUERY PLAN {query}")
        if any(word in row[3] for word in ("attempt", "silent_call", "SCAN"))
    ]


INDEXED = "SEARCH attempt USING COVERING INDEX attempt_by_{0} ({0}=? AND professional=? {1})"
BY_NUMBER, BY_PERSON = (INDEXED.format(by, "AND at>? AND at<?") for by in ("number", "person"))
SPENT = "SEARCH attempt USING INTEGER PRIMARY KEY (rowid=?)"
# What may have followed a silent call: outcomes are not in the index, and such calls are few.
AFTER_NUMBER, AFTER_PERSON = (plan.replace("COVERING ", "") for plan in (BY_NUMBER, BY_PERSON))
SILENT_NUMBER, SILENT_PERSON = (
    f"SEARCH silent_call USING INDEX silent_call_by_{by} ({by}=? AND professional=?)"
    for by in ("number", "person")
)


@pytest.mark.parametrize("as_of", [None, T0])
@pytest.mark.parametrize(
    ("person", "more", "expected"),
    [
        ("", {}, [BY_NUMBER, SPENT]),
        ("P1", {}, [BY_PERSON, BY_NUMBER, SPENT]),
        ("", {"appointments": False}, [BY_NUMBER]),
        ("", {"appointments": False, "silent": True}, [BY_NUMBER, SILENT_NUMBER, AFTER_NUMBER]),
        (
            "P1",
            {"appointments": False, "silent": True},
            [BY_PERSON, BY_NUMBER, SILENT_NUMBER, AFTER_PERSON, AFTER_NUMBER, SILENT_PERSON,
             AFTER_PERSON, AFTER_NUMBER],
        ),
    ],
)  # fmt: skip
def test_a_callees_facts_are_looked_up_in_indexes(
    conn: sqlite3.Connection,
    as_of: datetime | None,
    person: str,
    more: dict[str, bool],
    expected: list[str],
) -> None:
    def ask() -> Facts:
        return read_facts(
            conn, number=A, professional="acme", person=person, attempts_since=T0, as_of=as_of,
            **more,
        )  # fmt: skip

    assert plans(conn, ask) == expected


def test_failures_that_do_not_count_are_told_by_the_callees_few_rows(
    conn: sqlite3.Connection,
) -> None:
    def ask() -> Facts:
        return read_facts(
            conn, number=A, professional="acme", attempts_since=T0, count_failed=False
        )

    assert plans(conn, ask) == [AFTER_NUMBER, SPENT]


@pytest.mark.parametrize(
    "wanted", [{"number": A}, {"person": "P1"}, {"call": "c"}, {"permit": "p"}, {"attempt": 1}]
)
def test_listing_one_callee_or_call_does_not_read_the_whole_ledger(
    conn: sqlite3.Connection, wanted: dict[str, object]
) -> None:
    asked = AttemptFilter(**wanted)  # type: ignore[arg-type]
    found = plans(conn, lambda: list(list_attempts(conn, asked)))
    assert [plan.partition(" USING")[0] for plan in found] == [
        "SEARCH attempt", "SEARCH leg", "SEARCH silent_call",
    ]  # fmt: skip


def test_a_call_is_one_look_up(conn: sqlite3.Connection) -> None:
    assert plans(conn, lambda: attempts.open_attempt(conn, "c", A, "acme")) == [
        "SEARCH attempt USING INDEX attempt_by_call (call=? AND number=?)"
    ]


def test_a_ledger_of_the_version_before_learns_to_record_erasures(path: Path) -> None:
    conn = sqlite3.connect(path, isolation_level=None)
    before = tuple(one for one in schema.MIGRATIONS if one.name != "erasures")
    schema.migrate(conn, before)
    conn.close()
    conn = open_ledger(path)
    assert conn.execute("SELECT count(*) FROM erasure").fetchone() == (0,)
    with pytest.raises(sqlite3.IntegrityError):  # a number in clear is none of its rows
        conn.execute(
            "INSERT INTO erasure (number, at, recorded_by, why, counts)"
            " VALUES (33612345678, 0, 'a', 'b', '{}')"
        )
    conn.close()
