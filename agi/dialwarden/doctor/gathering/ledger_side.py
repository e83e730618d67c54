"""The ledger, opened as any command opens it to read, and left as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from dialwarden.doctor.snapshot import LedgerSide, ListFact, Missing, Override, Seen
from dialwarden.errors import LedgerError
from dialwarden.ledger.connection import open_ledger_to_read, snapshot
from dialwarden.ledger.lists import known_names, status
from dialwarden.ledger.overrides import overrides_in_force
from dialwarden.ledger.vitals import vitals


def look(path: Path, now: datetime, timeout_s: float) -> Seen[LedgerSide]:
    """What of the ledger the checks are about."""
    try:
        conn = open_ledger_to_read(path, busy_timeout_s=timeout_s)
    except LedgerError as error:
        return Missing(error.what, error.do or "start the bridge, or see docs/operating.md")
    try:
        with closing(conn), snapshot(conn):
            found = vitals(conn, now)
            return LedgerSide(
                lists={name: _list(conn, name) for name in known_names(conn)},
                newest=found.newest,
                rows=found.rows,
                rows_month=found.rows_month,
                overrides=_overrides(conn, now),
            )
    except (LedgerError, sqlite3.Error) as error:
        return Missing(f"it cannot be read: {error}", "dialwarden ledger verify")


def _list(conn: sqlite3.Connection, name: str) -> ListFact:
    told = status(conn, name)
    head = told.head
    return ListFact(
        name=name,
        as_of=head.as_of if head else None,
        imported_at=head.imported_at if head else None,
        count=head.count if head else 0,
        added=told.added,
        removed=told.removed,
    )


def _overrides(conn: sqlite3.Connection, now: datetime) -> tuple[Override, ...]:
    return tuple(
        Override(one.id, one.campaign, " and ".join(one.rules), one.until, one.by, one.why)
        for one in overrides_in_force(conn, now)
    )
