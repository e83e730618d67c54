"""Permits: attempts that were allowed and may still be dialled.

Reads the table `attempt`, and of `leg` only whether one is known. Which leg a permit lets through,
and for how long, is for the watch over Asterisk's events; what becomes of a leg is for `legs`.

A permit is found by what a channel carries: the ChannelId that it was told to travel as, or the
linkedid of the call that it was asked in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.legs import LegId
from dialwarden.ledger.states import OPEN, State


@dataclass(frozen=True, slots=True)
class OpenPermit:
    """An attempt whose callee has not been reached yet, as far as is known.

    Attributes:
        attempt: its id.
        number: digits of E.164.
        call: the linkedid of the call that asked; "" when it is not known.
        permit: the ChannelId that it travels as; "" when there is none.
        at: when it was allowed, in UTC.
        state: reserved, dialled or failed.
    """

    attempt: int
    number: int
    campaign: str
    call: str
    permit: str
    at: datetime
    state: State


_STATES = ", ".join(f"'{state}'" for state in sorted(OPEN))
_COLUMNS = "SELECT id, number, campaign, call, permit, at, state FROM attempt"
# The first two conditions are those of the index of what is unsettled.
_SINCE = (
    f"{_COLUMNS} WHERE settled_at IS NULL AND voided_at IS NULL AND at >= ?"
    f" AND state IN ({_STATES}) AND door <> 'import' ORDER BY at"
)


def open_permits(conn: sqlite3.Connection, *, since: datetime) -> list[OpenPermit]:
    """All that were allowed at `since` or later and may still be dialled, oldest first.

    For the start: what a bridge before us allowed holds.
    """
    return [_permit(row) for row in conn.execute(_SINCE, (micros(since),))]


def find_permits(
    conn: sqlite3.Connection, ids: Sequence[str], *, since: datetime
) -> list[OpenPermit]:
    """Those whose call or permit is one of `ids`, allowed at `since` or later, oldest first.

    Args:
        ids: what a channel carries (Uniqueid, Linkedid); "" stands for nobody.
    """
    wanted = tuple(dict.fromkeys(text for text in ids if text))
    if not wanted:
        return []
    marks = ", ".join("?" * len(wanted))
    kept = f"at >= ? AND state IN ({_STATES}) AND door <> 'import'"
    values = (*wanted, micros(since))
    rows = conn.execute(
        f"{_COLUMNS} WHERE call IN ({marks}) AND call <> '' AND {kept}"
        f" UNION {_COLUMNS} WHERE permit IN ({marks}) AND {kept} ORDER BY at, id",
        (*values, *values),
    )
    return [_permit(row) for row in rows]


def leg_known(conn: sqlite3.Connection, leg: LegId, *, since: datetime) -> int | None:
    """The attempt of a leg that is on record, up or begun at `since` or later; else None.

    By its channel's name too: whoever sets off a call by hand may give it a Uniqueid that was there
    before, and what that one's end was may not have been seen.
    """
    row = conn.execute(
        "SELECT attempt_id FROM leg"
        " WHERE pbx = ? AND uniqueid = ? AND channel = ? AND (ended_at IS NULL OR at >= ?)",
        (*leg, micros(since)),
    ).fetchone()
    return None if row is None else row[0]


_TAKEN = (
    "SELECT EXISTS (SELECT 1 FROM attempt WHERE permit = :id)"
    " OR EXISTS (SELECT 1 FROM attempt WHERE call = :id AND call <> '')"
)


def id_taken(conn: sqlite3.Connection, channel_id: str) -> bool:
    """Whether that ChannelId has been the permit or the call of an attempt, whatever came of it."""
    return bool(channel_id) and bool(conn.execute(_TAKEN, {"id": channel_id}).fetchone()[0])


def _permit(row: tuple[int, int, str, str, str | None, int, str]) -> OpenPermit:
    attempt, number, campaign, call, permit, at, state = row
    return OpenPermit(attempt, number, campaign, call, permit or "", instant(at), State(state))
