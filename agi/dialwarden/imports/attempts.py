"""A dialer's call history, so that caps hold from the first day.

number,professional,at[,outcome,purpose,person]
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from dialwarden.imports.people import People
from dialwarden.imports.report import Report, RowFault
from dialwarden.imports.rows import Columns, Row
from dialwarden.imports.tables import Kind
from dialwarden.ledger.attempts import HistoryRow, Imported, insert_history
from dialwarden.ledger.states import Outcome

REQUIRED = ("number", "professional", "at")
OPTIONAL = ("outcome", "purpose", "person")

# Besides our own words, those of Asterisk's CDR (disposition) and DIALSTATUS.
_OUTCOMES = {
    **{outcome.value: outcome for outcome in Outcome},
    "answer": Outcome.ANSWERED,
    "noanswer": Outcome.NO_ANSWER,
    "cancel": Outcome.CANCELLED,
    "canceled": Outcome.CANCELLED,
    "congestion": Outcome.FAILED,
    "chanunavail": Outcome.FAILED,
}


def history(people: People, report: Report, *, now: datetime) -> Kind[HistoryRow]:
    """How such a file is read and written."""

    def parse(row: Row, columns: Columns) -> HistoryRow:
        professional = people.professional(row.cell(columns["professional"]), report)
        return HistoryRow(
            number=people.number(row.cell(columns["number"]), professional),
            professional=professional,
            at=people.instant(row.cell(columns["at"]), professional, now),
            outcome=_outcome(row.cell(columns["outcome"])),
            purpose=people.purpose(row.cell(columns["purpose"]), professional),
            person=row.cell(columns["person"]),
        )

    return Kind(REQUIRED, OPTIONAL, parse, _write)


def _write(conn: sqlite3.Connection, rows: Sequence[HistoryRow]) -> Imported:
    return insert_history(conn, rows)


def _outcome(text: str) -> Outcome | None:
    if not text:
        return None
    found = _OUTCOMES.get(text.lower().replace(" ", "_").replace("-", "_"))
    if found is None:
        allowed = ", ".join(Outcome)
        raise RowFault(f"outcome {text[:40]!a}; allowed: {allowed}, or none")
    return found
