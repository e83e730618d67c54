from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from tests.ledger.helpers import T0, A, start_python

from dialwarden.errors import LedgerBroken
from dialwarden.facts import Facts
from dialwarden.ledger import attempts, schema
from dialwarden.ledger.attempt_list import AttemptFilter, list_attempts
from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.facts import read_facts

NEXT = (*schema.MIGRATIONS, schema.Migration(2, "notes", "CREATE TABLE note (id INTEGER);\n"))


def recorded(conn: sqlite3.Connection) -> list[tuple[int, str]]:
    return conn.execute("SELECT version, name FROM migration ORDER BY version").fetchall()


def test_a_fresh_file_gets_every_migration_recorded(conn: sqlite3.Connection) -> None:
    assert recorded(conn) == [(each.version, each.name) for each in schema.MIGRATIONS]
    assert schema.version(conn) == schema.newest()
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
    assert recorded(conn)[-1] == (2, "notes")


def test_asking_what_is_pending_writes_nothing(conn: sqlite3.Connection) -> None:
    conn.execute("PRAGMA query_only = ON")
    assert [each.version for each in schema.pending(conn, NEXT)] == [2]


def test_a_migration_that_fails_leaves_nothing_behind(conn: sqlite3.Connection) -> None:
    broken = schema.Migration(2, "broken", "CREATE TABLE note (id INTEGER);\nSELECT nothing;\n")
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(conn, (*schema.MIGRATIONS, broken))
    assert schema.version(conn) == 1
    assert recorded(conn) == [(1, "first")]
    assert not conn.in_transaction
    conn.execute("CREATE TABLE note (id INTEGER)")


def test_a_newer_ledger_is_refused_with_both_versions(path: Path) -> None:
    conn = open_ledger(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    with pytest.raises(LedgerBroken, match="version 99, newer than this program's 1"):
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
    assert [process.communicate()[0] for process in processes] == ["1\n"] * 4
    assert [process.returncode for process in processes] == [0] * 4
    conn = open_ledger(path)
    assert recorded(conn) == [(1, "first")]
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
        if "attempt" in row[3] or "SCAN" in row[3]
    ]


@pytest.mark.parametrize("as_of", [None, T0])
def test_a_callees_attempts_are_one_look_up_in_an_index_that_holds_all(
    conn: sqlite3.Connection, as_of: datetime | None
) -> None:
    def ask(person: str) -> Facts:
        return read_facts(
            conn, number=A, professional="acme", person=person, attempts_since=T0, as_of=as_of
        )

    by_number, by_person = (
        f"SEARCH attempt USING COVERING INDEX attempt_by_{subject}"
        f" ({subject}=? AND professional=? AND at>? AND at<?)"
        for subject in ("number", "person")
    )
    used = "SEARCH attempt USING INTEGER PRIMARY KEY (rowid=?)"
    assert plans(conn, lambda: ask("")) == [by_number, used]
    assert plans(conn, lambda: ask("P1")) == [by_person, by_number, used]


@pytest.mark.parametrize(
    "wanted", [{"number": A}, {"person": "P1"}, {"call": "c"}, {"permit": "p"}, {"attempt": 1}]
)
def test_listing_one_callee_or_call_does_not_read_the_whole_ledger(
    conn: sqlite3.Connection, wanted: dict[str, object]
) -> None:
    asked = AttemptFilter(**wanted)  # type: ignore[arg-type]
    found = plans(conn, lambda: list(list_attempts(conn, asked)))
    assert [plan.partition(" USING")[0] for plan in found] == ["SEARCH attempt"]


def test_a_call_and_a_permit_are_one_look_up(conn: sqlite3.Connection) -> None:
    assert plans(conn, lambda: attempts.open_attempt(conn, "c", A, "acme")) == [
        "SEARCH attempt USING INDEX attempt_by_call (call=? AND number=?)"
    ]
    assert plans(conn, lambda: attempts.permit_known(conn, "p")) == [
        "SEARCH attempt USING COVERING INDEX attempt_by_permit (permit=?)"
    ]
