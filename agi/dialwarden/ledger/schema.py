"""The tables of the ledger and how an older file becomes a newer one.

Owns the order in which migrations are applied, and that each is recorded. What they hold is in
`tables`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dialwarden.ledger import tables

APPLICATION_ID = 0x44574152  # "DWAR", in the file's header: `file` and we can tell whose it is


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "first", tables.FIRST),
    Migration(2, "silent calls", tables.SILENT_CALLS),
    Migration(3, "legs", tables.LEGS),
    Migration(4, "retention", tables.RETENTION),
    Migration(5, "overrides", tables.OVERRIDES),
    Migration(6, "erasures", tables.ERASURES),
)


def newest(migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """The version of the ledger that this program writes."""
    return migrations[-1].version


def version(conn: sqlite3.Connection) -> int:
    """The version of the ledger as it is on disk; 0 for an empty file."""
    found: int = conn.execute("PRAGMA user_version").fetchone()[0]
    return found


def pending(
    conn: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[Migration, ...]:
    """The migrations that this file has not had yet, in order. Writes nothing."""
    here = version(conn)
    return tuple(migration for migration in migrations if migration.version > here)


def migrate(
    conn: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[Migration, ...]:
    """Apply what is pending, each migration and its record in one transaction.

    Two processes at once are safe: what is pending is asked again under the write lock.

    Returns:
        The migrations that this call applied.
    """
    applied: list[Migration] = []
    while pending(conn, migrations):
        conn.execute("BEGIN IMMEDIATE")
        try:
            todo = pending(conn, migrations)
            if todo:
                _apply(conn, todo[0])
                applied.append(todo[0])
            conn.execute("COMMIT")
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
    return tuple(applied)


def _apply(conn: sqlite3.Connection, migration: Migration) -> None:
    for statement in _statements(migration.sql):
        conn.execute(statement)
    conn.execute(
        "INSERT INTO migration (version, name, applied_at) VALUES (?, ?, ?)",
        (migration.version, migration.name, time.time_ns() // 1000),
    )
    # Both live in the file's header and are part of the transaction.
    conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    conn.execute(f"PRAGMA user_version = {migration.version}")


def _statements(sql: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit before each run."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"a migration ends inside a statement: {statement.strip()[:60]!r}")
