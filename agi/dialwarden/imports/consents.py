"""Consents that were collected elsewhere.

    number,professional,given_at[,until,scope,proof,complete]

`until` is the last day on which it is good; `complete` says whether the record that `proof` names
holds every item the law asks for: yes or no.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime

from dialwarden.imports.instants import InstantError, read_date
from dialwarden.imports.people import People
from dialwarden.imports.report import Report, RowFault
from dialwarden.imports.rows import Columns, Row
from dialwarden.imports.tables import Kind
from dialwarden.ledger.attempts import Imported
from dialwarden.ledger.consents import NewConsent, grant

REQUIRED = ("number", "professional", "given_at")
OPTIONAL = ("until", "scope", "proof", "complete")

_YES = frozenset({"yes", "y", "true", "1", "oui", "si", "sì"})
_NO = frozenset({"", "no", "n", "false", "0", "non"})


def yeses(people: People, report: Report, *, now: datetime, by: str) -> Kind[NewConsent]:
    """How such a file is read and written."""

    def parse(row: Row, columns: Columns) -> NewConsent:
        professional = people.professional(row.cell(columns["professional"]), report)
        # Of a time that occurred twice, and of a day, the earliest: what came since may have
        # ended it.
        given_at = people.instant(row.cell(columns["given_at"]), professional, now, day="start")
        return NewConsent(
            number=people.number(row.cell(columns["number"]), professional),
            professional=professional,
            given_at=given_at,
            recorded_at=now,
            until=_until(row.cell(columns["until"])),
            scope=people.scope(row.cell(columns["scope"])),
            proof=row.cell(columns["proof"]),
            complete=_complete(row.cell(columns["complete"])),
            by=by,
        )

    return Kind(REQUIRED, OPTIONAL, parse, _write)


def _until(text: str) -> date | None:
    if not text:
        return None
    try:
        return read_date(text)
    except InstantError as error:
        raise RowFault(f"until: {error}") from None


def _complete(text: str) -> bool:
    word = text.lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise RowFault(f"complete {text[:40]!a}; allowed: yes or no")


def _write(conn: sqlite3.Connection, rows: Sequence[NewConsent]) -> Imported:
    added = sum(grant(conn, row) for row in rows)
    return Imported(added, len(rows) - added)
