"""Finding one attempt: by its id, or as the last one of a call.

For whoever knows a call or an id and wants the callee: an agent's objection, a dial's end.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from dialwarden.ledger.states import State

_OVER = frozenset({State.SETTLED, State.VOIDED})
_COLUMNS = "SELECT id, number, professional, campaign, person, state, zones FROM attempt"


@dataclass(frozen=True, slots=True)
class FoundAttempt:
    """Whom an attempt was to reach, and for whom.

    Attributes:
        person: "" when none was given.
        zones: the names of the callee's candidate zones, as they were judged; () when the attempt
            was imported.
    """

    id: int
    number: int
    professional: str
    campaign: str
    person: str
    state: State
    zones: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing can come of it any more."""
        return self.state in _OVER


def find(conn: sqlite3.Connection, attempt: int) -> FoundAttempt | None:
    """The attempt of an id; None when there is none."""
    return _found(conn.execute(f"{_COLUMNS} WHERE id = ?", (attempt,)).fetchone())


def last_of_call(conn: sqlite3.Connection, call: str) -> FoundAttempt | None:
    """The newest attempt of a call (linkedid) that was not voided; None when there is none."""
    if not call:
        return None
    return _found(
        conn.execute(
            f"{_COLUMNS} WHERE call = ? AND call <> '' AND voided_at IS NULL"
            " ORDER BY id DESC LIMIT 1",
            (call,),
        ).fetchone()
    )


def _found(row: tuple[int, int, str, str, str | None, str, str] | None) -> FoundAttempt | None:
    if row is None:
        return None
    attempt, number, professional, campaign, person, state, zones = row
    return FoundAttempt(
        attempt, number, professional, campaign, person or "", State(state), tuple(zones.split())
    )
