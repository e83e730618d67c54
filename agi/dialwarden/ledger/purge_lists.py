"""What is left when attempts and refusals are gone: what they were judged by, and old lists.

Owns which rows of `basis` nobody leans on any more, and which versions of lists are nobody's: their
numbers go, the row that says that there was such a version stays.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dialwarden.ledger.connection import micros
from dialwarden.ledger.lists import known_names, live_head, versions

_JUDGED = ("attempt", "refusal")
_SLICE = 20_000
_BREATH_S = 0.001
# Of each list so many of the newest stay whatever their age: one that is taken back leaves the one
# before it in force.
_NEWEST = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """How far attempts and refusals were looked through: by table, the greatest id."""

    last: dict[str, int]

    def remove(self, conn: sqlite3.Connection, bases: list[int]) -> int:
        """Remove bases that nobody came to lean on since; how many. Under the lock for writing."""
        late = {
            row[0]
            for table, last in self.last.items()
            for row in conn.execute(f"SELECT basis_id FROM {table} WHERE id > ?", (last,))
        }
        gone = json.dumps([one for one in bases if one not in late])
        return conn.execute(
            "DELETE FROM basis WHERE id IN (SELECT value FROM json_each(?))", (gone,)
        ).rowcount


def stale_bases(
    conn: sqlite3.Connection, breathe: Callable[[float], None]
) -> tuple[list[int], Seen]:
    """The bases that no attempt and no refusal leans on, and how far was looked.

    Reads both tables, in slices; there is no index of it, which every call would have to keep.
    """
    bases = {row[0] for row in conn.execute("SELECT id FROM basis")}
    last = {}
    for table in _JUDGED:
        last[table] = conn.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()[0]
        bases -= used_bases(conn, table, "1", {}, breathe)
    return sorted(bases), Seen(last)


def used_bases(
    conn: sqlite3.Connection,
    table: str,
    which: str,
    values: dict[str, object],
    breathe: Callable[[float], None] | None = None,
) -> set[int]:
    """The bases that the rows of a table lean on, of those that a condition holds for."""
    used: set[int] = set()
    after, last = conn.execute(
        f"SELECT ifnull(min(id), 1) - 1, ifnull(max(id), 0) FROM {table}"
    ).fetchone()
    while after < last:
        used.update(
            row[0]
            for row in conn.execute(
                f"SELECT DISTINCT basis_id FROM {table} WHERE id > :after"
                f" AND id <= :after + {_SLICE} AND basis_id IS NOT NULL AND ({which})",
                {**values, "after": after},
            )
        )
        after += _SLICE
        if breathe is not None:
            breathe(_BREATH_S)
    return used


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the numbers of a version."""

    body: int
    kind: str
    part: int

    def remove(self, conn: sqlite3.Connection) -> None:
        conn.execute(
            "DELETE FROM list_part WHERE body_id = ? AND kind = ? AND part = ?",
            (self.body, self.kind, self.part),
        )


def stale_versions(
    conn: sqlite3.Connection, before: datetime | None, kept: set[int] | None = None
) -> list[int]:
    """The bodies of versions that no call was judged by and none will be, and that are there still.

    Args:
        before: those that were imported earlier; None: of any age, none is stale.
        kept: the bases that count; None: all that there are.
    """
    if before is None:
        return []
    needed = {
        version
        for basis, lists in conn.execute("SELECT id, lists FROM basis")
        if kept is None or basis in kept
        for version in json.loads(lists).values()
    }
    rows = conn.execute("SELECT id FROM list_version WHERE withdrawn_at IS NOT NULL")
    taken_back = {row[0] for row in rows}
    stale = []
    for name in known_names(conn):
        heads = list(versions(conn, name))
        standing = [head for head in heads if head.version not in taken_back]
        newest = sorted(
            standing, key=lambda head: (head.as_of or head.imported_at.date(), head.version)
        )[-_NEWEST:]
        needed.update(head.version for head in (*newest, *standing[-_NEWEST:]))
        live = live_head(conn, name)
        stale += [
            head.body_id
            for head in heads
            if head.version not in needed
            and (live is None or head.version != live.version)
            and micros(head.imported_at) < micros(before)
            and next(parts_of(conn, head.body_id), None) is not None
        ]
    return stale


def parts_of(conn: sqlite3.Connection, body: int) -> Iterator[Part]:
    """The pieces of a version's numbers, first the one without which there are none."""
    rows = conn.execute(
        "SELECT kind, part FROM list_part WHERE body_id = ? ORDER BY kind, part", (body,)
    ).fetchall()
    for kind, part in rows:
        yield Part(body, kind, part)
