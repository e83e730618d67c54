"""Bypasses on record: whether what a bridge is about to write down of a leg is there already.

Two bridges on one PBX, as while one hands over to the next, see the same leg. Reads `refusal`; what
is written of a bypass is for `refusals` and `attempts`.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from dialwarden.ledger.connection import micros
from dialwarden.question import Door

_TOLD = """
SELECT EXISTS (
    SELECT 1 FROM refusal
    WHERE at >= ? AND call = ? AND door = ?
      AND json_extract(findings, '$[0].values.channel') = ?
)
"""


def told(conn: sqlite3.Connection, *, call: str, channel: str, since: datetime) -> bool:
    """Whether a leg's bypass was written down at `since` or later.

    Args:
        call, channel: the leg's Linkedid, and its channel's name.
    """
    values = (micros(since), call, Door.GUARD.value, channel)
    return bool(conn.execute(_TOLD, values).fetchone()[0])
