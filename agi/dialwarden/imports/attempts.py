"""A dialer's call history, so that caps hold from the first day.

number,professional,at[,outcome,purpose,person]

The outcome `silent` is a call that was answered and that no agent took.
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
from dialwarden.ledger.silent_calls import add_history
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
_SILENT = "silent"


def history(people: People, report: Report, *, now: datetime, by: str) -> Kind[HistoryRow]:
    """How such a file is read and written."""

    def parse(row: Row, columns: Columns) -> HistoryRow:
        professional = people.professional(row.cell(columns["professional"]), report)
        outcome, silent = _outcome(row.cell(columns["outcome"]))
        return HistoryRow(
            number=people.number(row.cell(columns["number"]), professional),
            professional=professional,
            at=people.instant(row.cell(columns["at"]), professional, now),
            outcome=outcome,
            purpose=people.purpose(row.cell(columns["purpose"]), professional),
            person=row.cell(columns["person"]),
            silent=silent,
        )

    def write(conn: sqlite3.Connection, rows: Sequence[HistoryRow]) -> Imported:
        imported = insert_history(conn, rows)
        add_history(conn, rows, recorded_at=now, by=by)
        return imported

    return Kind(REQUIRED, OPTIONAL, parse, write)


def _outcome(text: str) -> tuple[Outcome | None, bool]:
    """What came of a call, and whether it was silent."""
    if not text:
        return None, False
    word = text.lower().replace(" ", "_").replace("-", "_")
    if word == _SILENT:
        return Outcome.ANSWERED, True
    if word not in _OUTCOMES:
        allowed = ", ".join((*Outcome, _SILENT))
        raise RowFault(f"outcome {text[:40]!a}; allowed: {allowed}, or none")
    return _OUTCOMES[word], False
