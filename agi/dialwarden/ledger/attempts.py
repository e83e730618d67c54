"""Attempts: the calls that were allowed, and what came of them.

Owns the table `attempt`. Whether an attempt counts, and for how long, is for the rules; which step
may follow which is for `states`; the channels by which it was dialled are for `legs`.

The id of an attempt is public (DIALWARDEN_ATTEMPT, logs): its decimal text. Ids are never reused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dialwarden.errors import DialwardenError
from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.evidence import bounded
from dialwarden.ledger.states import OPEN, Event, Outcome, State, after
from dialwarden.question import Dialling, Door, Purpose, Relationship


class NoSuchAttempt(DialwardenError):
    """No attempt has that id."""

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        super().__init__(f"no attempt has the id {attempt}")


class PermitTaken(DialwardenError):
    """The ChannelId that was to be the permit has been one before."""

    def __init__(self, permit: str) -> None:
        self.permit = permit
        super().__init__(f"permit {permit!r} is in the ledger already: use another ChannelId")


# Not frozen: a frozen one of these takes twice the time to make, and each call makes one.
@dataclass(slots=True)
class NewAttempt:
    """An ALLOW that is about to leave.

    Attributes:
        call: what joins the legs of one call (linkedid); "" when it is not known.
        asked_by: the channel or peer that asked; kept up to 128 characters.
        permit: the ChannelId that it will travel as; None when there is none.
        zones: the callee's candidate zones, as they were judged.
        enforced: False when a refusal was let go (shadow mode, a bypass that was reported only).
    """

    number: int
    professional: str
    campaign: str
    purpose: Purpose
    door: Door
    at: datetime
    call: str = ""
    asked_by: str = ""
    person: str = ""
    permit: str | None = None
    caller_id: str | None = None
    region: str = ""
    dialling: Dialling | None = None
    relationship: Relationship | None = None
    zones: tuple[str, ...] = ()
    enforced: bool = True
    basis_id: int | None = None


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt whose ALLOW may be repeated for the same call and number."""

    id: int
    at: datetime
    state: State
    asked: int
    permit: str | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A call from before our time, as another system recorded it.

    Attributes:
        silent: it was answered and no agent took it; `silent_calls.add_history` records that.
    """

    number: int
    professional: str
    at: datetime
    outcome: Outcome | None = None
    purpose: Purpose = Purpose.SALES
    person: str = ""
    campaign: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows went in, and how many were there already."""

    added: int
    duplicates: int


_RESERVE = (
    "INSERT INTO attempt (number, professional, campaign, person, purpose, door, call, asked_by,"
    " permit, caller_id, region, dialling, relationship, zones, at, state, enforced, basis_id,"
    " objection_mark) VALUES "
)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'reserved', ?, ?, ?)"
# Rows a statement: few enough texts for all of them to stay prepared, and one step of SQLite's,
# for which Python's lock is let go once, in place of one a row.
_SIZES = (64, 16, 4, 1)
_RESERVE_ROWS = {size: _RESERVE + ", ".join([_ROW] * size) for size in _SIZES}


def reserve(conn: sqlite3.Connection, new: NewAttempt) -> int:
    """Record an attempt; returns its id. The caller judged it in this same transaction.

    Raises:
        PermitTaken: the permit is in the ledger already.
    """
    return reserve_all(conn, (new,))[0]


def reserve_all(
    conn: sqlite3.Connection, attempts: Sequence[NewAttempt], *, objection_mark: int | None = None
) -> list[int]:
    """Record attempts; returns their ids, in order, each greater than every id before.

    Args:
        objection_mark: the id of the newest objection, where it is at hand.

    Raises:
        PermitTaken: one of their permits is in the ledger already; some may have been recorded.
    """
    mark = objection_mark
    if mark is None:
        mark = conn.execute("SELECT ifnull(max(id), 0) FROM objection").fetchone()[0]
    ids: list[int] = []
    for size in _SIZES:
        while len(attempts) - len(ids) >= size:
            rows = attempts[len(ids) : len(ids) + size]
            values = [value for new in rows for value in _row(new, mark)]
            try:
                last = conn.execute(_RESERVE_ROWS[size], values).lastrowid
            except sqlite3.IntegrityError as error:
                permits = [new.permit for new in rows if new.permit]
                if permits and error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                    raise PermitTaken(", ".join(permits)) from error
                raise
            assert last is not None
            # Within one statement AUTOINCREMENT gives each row the next id.
            ids += range(last - size + 1, last + 1)
    return ids


def _row(new: NewAttempt, objection_mark: int) -> tuple[object, ...]:
    return (
        new.number,
        new.professional,
        new.campaign,
        new.person or None,
        new.purpose.value,
        new.door.value,
        new.call,
        bounded(new.asked_by),
        new.permit or None,
        new.caller_id,
        new.region,
        new.dialling.value if new.dialling else "",
        relationship_text(new.relationship) if new.relationship else "",
        " ".join(new.zones),
        micros(new.at),
        new.enforced,
        new.basis_id,
        objection_mark,
    )


def relationship_text(relationship: Relationship | None) -> str:
    """A relationship as the question writes it: `contract`, `ended:2026-05-01`."""
    if relationship is None:
        return ""
    bond = relationship.bond.value
    return f"{bond}:{relationship.since}" if relationship.since else bond


_OPEN = """
SELECT id, at, state, asked, permit,
    EXISTS (
        SELECT 1 FROM objection
        WHERE objection.id > attempt.objection_mark
          AND objection.number = attempt.number
          AND (objection.professional = attempt.professional OR objection.scope = 'all')
          AND (objection.scope <> 'campaign' OR objection.campaign = attempt.campaign)
    ) OR (
        attempt.person IS NOT NULL AND EXISTS (
            SELECT 1 FROM objection
            WHERE objection.id > attempt.objection_mark
              AND objection.person = attempt.person
              AND (objection.professional = attempt.professional OR objection.scope = 'all')
              AND (objection.scope <> 'campaign' OR objection.campaign = attempt.campaign)
        )
    )
FROM attempt WHERE call = ? AND call <> '' AND number = ? AND professional = ?
ORDER BY id DESC LIMIT 1
"""


def open_attempt(
    conn: sqlite3.Connection, call: str, number: int, professional: str
) -> OpenAttempt | None:
    """The attempt whose ALLOW is to be repeated; None when this is a new question.

    It is the newest of that call, number and professional, whichever of its campaigns asks, if no
    leg of it has rung, been answered or been busy, its life is not over, and no objection was
    recorded since.
    """
    if not call:
        return None
    row = conn.execute(_OPEN, (call, number, professional)).fetchone()
    if row is None or row[2] not in OPEN or row[5]:
        return None
    return OpenAttempt(row[0], instant(row[1]), State(row[2]), row[3], row[4])


def repeat(conn: sqlite3.Connection, attempt: int, *, basis_id: int | None = None) -> None:
    """Note that the ALLOW of an open attempt was given once more.

    Args:
        basis_id: what it was judged by this time, in place of what it was the first time. Whether
            that one was `enforced` stays: it is one call, and counted as what it was.

    Raises:
        NoSuchAttempt: nobody has that id.
    """
    changed = conn.execute(
        "UPDATE attempt SET asked = asked + 1, basis_id = ifnull(:basis, basis_id) WHERE id = :id",
        {"id": attempt, "basis": basis_id},
    )
    if not changed.rowcount:
        raise NoSuchAttempt(attempt)


# What an event writes besides the state. The first time something happened is kept.
_STAMP = {
    Event.DIALLED: "dialled_at = ifnull(dialled_at, :at), ended_at = NULL",
    Event.RANG: "rang_at = ifnull(rang_at, :at)",
    Event.ANSWERED: "rang_at = ifnull(rang_at, :at), answered_at = ifnull(answered_at, :at)",
    Event.BUSY: "ended_at = :at",
    Event.FAILED: "ended_at = :at",
}
_ADVANCE = {
    event: f"UPDATE attempt SET state = :state, {stamp} WHERE id = :id"
    for event, stamp in _STAMP.items()
}


def advance(conn: sqlite3.Connection, attempt: int, event: Event, at: datetime) -> State:
    """Record what happened to a leg of an attempt; returns the attempt's new state.

    Raises:
        IllegalTransition: the attempt cannot have that event now.
        NoSuchAttempt: nobody has that id.
        ValueError: `SETTLED` and `VOIDED` have functions of their own.
    """
    if event not in _ADVANCE:
        raise ValueError(f"{event.value}: use settle or void")
    state = after(state_of(conn, attempt), event)
    conn.execute(_ADVANCE[event], {"state": state.value, "at": micros(at), "id": attempt})
    return state


def settle(conn: sqlite3.Connection, attempt: int, outcome: Outcome, at: datetime) -> None:
    """End an attempt's life with what came of it.

    Raises:
        IllegalTransition: it is over already, or that outcome does not fit what happened.
        NoSuchAttempt: nobody has that id.
    """
    state = after(state_of(conn, attempt), Event.SETTLED, outcome)
    conn.execute(
        "UPDATE attempt SET state = :state, outcome = :outcome, settled_at = :at,"
        " ended_at = ifnull(ended_at, :at) WHERE id = :id",
        {"state": state.value, "outcome": outcome.value, "at": micros(at), "id": attempt},
    )


_VOID = "UPDATE attempt SET state = 'voided', voided_at = :at, voided_why = :why WHERE id = :id"


def void(conn: sqlite3.Connection, attempt: int, why: str, at: datetime) -> None:
    """Take an attempt that was never dialled out of the count; its appointment is good again.

    Raises:
        IllegalTransition: it was dialled, or is over already.
        NoSuchAttempt: nobody has that id.
    """
    after(state_of(conn, attempt), Event.VOIDED)
    conn.execute(_VOID, {"id": attempt, "why": why, "at": micros(at)})


def void_unsent(conn: sqlite3.Connection, attempt: int, why: str, at: datetime) -> bool:
    """Void an attempt whose ALLOW never left us; False when somebody may have acted on one.

    An ALLOW that was repeated left at least once, and one that was dialled surely did: such an
    attempt stays.
    """
    changed = conn.execute(
        _VOID + " AND state = 'reserved' AND asked = 1",
        {"id": attempt, "why": why, "at": micros(at)},
    )
    return changed.rowcount > 0


def state_of(conn: sqlite3.Connection, attempt: int) -> State:
    """The state an attempt is in.

    Raises:
        NoSuchAttempt: nobody has that id.
    """
    row = conn.execute("SELECT state FROM attempt WHERE id = ?", (attempt,)).fetchone()
    if row is None:
        raise NoSuchAttempt(attempt)
    return State(row[0])


# The one look-up serves as the duplicate test too: an index of its own for it would weigh some
# 150 MB at 5 million rows.
_IMPORT = """
INSERT INTO attempt (
    number, professional, at, outcome, purpose, person, campaign, door, state, settled_at
)
SELECT :number, :professional, :at, :outcome, :purpose, :person, :campaign, 'import',
    'settled', :at
WHERE NOT EXISTS (
    SELECT 1 FROM attempt
    WHERE number = :number AND professional = :professional AND at = :at AND door = 'import'
)
"""


def insert_history(conn: sqlite3.Connection, rows: Iterable[HistoryRow]) -> Imported:
    """Import calls made before our time; they count like any attempt.

    A row with the number, professional and instant of one imported before is a duplicate and
    skipped: running an import twice is safe. The caller chunks, a transaction a chunk.
    """
    offered = 0

    def parameters() -> Iterable[dict[str, object]]:
        nonlocal offered
        for row in rows:
            offered += 1
            yield {
                "number": row.number,
                "professional": row.professional,
                "at": micros(row.at),
                "outcome": row.outcome.value if row.outcome else None,
                "purpose": row.purpose.value,
                "person": row.person or None,
                "campaign": row.campaign,
            }

    before = conn.total_changes
    conn.executemany(_IMPORT, parameters())
    added = conn.total_changes - before
    return Imported(added, offered - added)
