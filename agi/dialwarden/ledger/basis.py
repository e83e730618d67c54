"""What a verdict was judged by, one row for each distinct combination.

Owns the table `basis`: the evidence that a verdict of last year can be explained with.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass

from dialwarden.ledger.listing import Reading, as_is


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything besides the facts that a verdict rests on.

    Attributes:
        regime: id of the regime, or several joined by "&"; "" when none was in force.
        lists: name and version id of each list consulted, None for one never imported.
        tzdata, program: versions, of the time-zone data and of ourselves.
        overrides: by rule that was let go, the id of the override.
    """

    regime: str
    policy: str
    policy_sha256: str
    lists: tuple[tuple[str, int | None], ...]
    tzdata: str
    program: str
    config_sha256: str
    overrides: tuple[tuple[str, int], ...] = ()


# What a listing of verdicts reads of this table; `lists` is the JSON of name and version,
# `overrides` of rule and id.
EVIDENCE: dict[str, Reading] = {
    "regime": as_is,
    "policy": as_is,
    "policy_sha256": as_is,
    "lists": as_is,
    "tzdata": as_is,
    "program": as_is,
    "config_sha256": as_is,
    "overrides": as_is,
}

# Basis -> (digest, id in the file that last had it). An id is believed only when the file, asked
# by primary key, shows that digest under it: the row may have gone with a transaction that was
# rolled back, and the file may be another one.
_known: dict[Basis, tuple[bytes, int]] = {}
_KNOWN_LIMIT = 1024


def basis_id(conn: sqlite3.Connection, basis: Basis) -> int:
    """The id of that combination, recorded now if it is new. Needs a write transaction."""
    known = _known.get(basis)
    if known is not None:
        row = conn.execute("SELECT digest FROM basis WHERE id = ?", (known[1],)).fetchone()
        if row is not None and row[0] == known[0]:
            return known[1]
    digest = known[0] if known is not None else _digest(basis)
    found = _find_or_record(conn, basis, digest)
    if len(_known) >= _KNOWN_LIMIT:
        _known.clear()
    _known[basis] = (digest, found)
    return found


def _fields(basis: Basis) -> tuple[str, ...]:
    return (
        basis.regime,
        basis.policy,
        basis.policy_sha256,
        json.dumps(dict(sorted(basis.lists))),
        basis.tzdata,
        basis.program,
        basis.config_sha256,
        json.dumps(dict(basis.overrides)),
    )


def _digest(basis: Basis) -> bytes:
    # Of a basis without overrides it is what it was before there were any.
    fields = _fields(basis) if basis.overrides else _fields(basis)[:-1]
    return hashlib.sha256(json.dumps(fields).encode()).digest()


def _find_or_record(conn: sqlite3.Connection, basis: Basis, digest: bytes) -> int:
    row = conn.execute("SELECT id FROM basis WHERE digest = ?", (digest,)).fetchone()
    if row is not None:
        found: int = row[0]
        return found
    cursor = conn.execute(
        "INSERT INTO basis (digest, regime, policy, policy_sha256, lists, tzdata, program,"
        " config_sha256, overrides) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (digest, *_fields(basis)),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
