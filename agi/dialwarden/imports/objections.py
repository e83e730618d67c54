"""Objections that were collected elsewhere.

number,professional,at
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from dialwarden.imports.people import People
from dialwarden.imports.report import Report
from dialwarden.imports.rows import Columns, Row
from dialwarden.imports.tables import Kind
from dialwarden.ledger.attempts import Imported
from dialwarden.ledger.objections import NewObjection, add
from dialwarden.question import Door

REQUIRED = ("number", "professional", "at")


def noes(people: People, report: Report, *, now: datetime, by: str) -> Kind[NewObjection]:
    """How such a file is read and written."""

    def parse(row: Row, columns: Columns) -> NewObjection:
        professional = people.professional(row.cell(columns["professional"]), report)
        return NewObjection(
            number=people.number(row.cell(columns["number"]), professional),
            professional=professional,
            # Of a time that occurred twice the later one: it ends more consents.
            at=people.instant(row.cell(columns["at"]), professional, now, day="end"),
            recorded_at=now,
            door=Door.IMPORT,
            by=by,
        )

    return Kind(REQUIRED, (), parse, _write)


def _write(conn: sqlite3.Connection, rows: Sequence[NewObjection]) -> Imported:
    added = sum(add(conn, row) for row in rows)
    return Imported(added, len(rows) - added)
