"""What a purge would do, counted and not done: by kind and professional, and the oldest kept."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from dialwarden.ledger.connection import instant
from dialwarden.ledger.purge import Progress, last_id, slices
from dialwarden.ledger.purge_kinds import Kind, Kinds, Plan, kinds_of
from dialwarden.ledger.purge_lists import stale_versions, used_bases


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one kind and one professional.

    Attributes:
        professional: "" where the rows are nobody's own.
        reduced: they would be kept without saying of whom; else they would be removed.
        rows: how many would go.
        oldest_kept: of those that would stay as they are; None when none would.
    """

    kind: str
    professional: str
    reduced: bool
    rows: int
    oldest_kept: datetime | None = None


def survey(
    conn: sqlite3.Connection, plan: Plan, now: datetime, progress: Progress | None = None
) -> list[Found]:
    """Everything that a purge at that instant would find, in its order, and what it would keep.

    Writes nothing and holds no lock; rows that come meanwhile may or may not be seen.
    """
    kinds = kinds_of(plan, now)
    ends = {kind: last_id(conn, kind.table) for kind in kinds.all}
    total, before = sum(ends.values()), 0
    found: list[Found] = []
    for kind in kinds.all:
        tally = _Tally(kind, plan)
        for first, last in slices(conn, kind.table, ends[kind]):
            tally.count(conn, kinds, first, last)
            if progress is not None:
                progress(before + last, total)
        before += ends[kind]
        found += tally.found
    kept = _kept_bases(conn, kinds)
    bases = {row[0] for row in conn.execute("SELECT id FROM basis")}
    found.append(Found("bases", "", False, len(bases - kept)))
    stale = stale_versions(conn, plan.lists_before, kept)
    found.append(Found("list versions", "", False, len(stale)))
    return found


class _Tally:
    """The rows of one kind, as far as they were looked at."""

    def __init__(self, kind: Kind, plan: Plan) -> None:
        self._kind = kind
        self._plan = plan
        self._rows: dict[str, int] = {}
        self._children: dict[str, int] = {}
        self._oldest: dict[str, int] = {}

    def count(self, conn: sqlite3.Connection, kinds: Kinds, first: int, last: int) -> None:
        kind = self._kind
        children = "0"
        if kind.children is not None:
            children = (
                f"sum((SELECT count(*) FROM {kind.children[1]}"
                f" WHERE {kind.table}_id = {kind.table}.id))"
            )
        # What was reduced before is neither kept as it was nor going.
        as_it_was = " AND reduced_at IS NULL" if kind.reduced else ""
        rows = conn.execute(
            f"SELECT {kind.whose}, ({kind.over}) IS TRUE AS gone, count(*), min({kind.dated}),"
            f" {children} FROM {kind.table} WHERE id BETWEEN :first AND :last{as_it_was}"
            " GROUP BY 1, 2",
            {**kinds.values, "first": first, "last": last},
        )
        for whose, gone, count, oldest, of_these in rows:
            professional = self._plan.of_campaign.get(whose, "") if kind.by_campaign else whose
            if gone:
                self._rows[professional] = self._rows.get(professional, 0) + count
                self._children[professional] = self._children.get(professional, 0) + of_these
            else:
                known = self._oldest.get(professional, oldest)
                self._oldest[professional] = min(known, oldest)

    @property
    def found(self) -> list[Found]:
        kind, of = self._kind, sorted({*self._rows, *self._oldest})
        told = []
        for name in of:
            oldest = self._oldest.get(name)
            kept = None if oldest is None else instant(oldest)
            told.append(Found(kind.name, name, kind.reduced, self._rows.get(name, 0), kept))
        if kind.children is not None:
            told += [
                Found(kind.children[0], name, False, rows)
                for name, rows in sorted(self._children.items())
                if rows
            ]
        return told


def _kept_bases(conn: sqlite3.Connection, kinds: Kinds) -> set[int]:
    kept: set[int] = set()
    for kind in kinds.all:
        if kind.table in ("attempt", "refusal"):
            kept |= used_bases(conn, kind.table, f"({kind.over}) IS NOT TRUE", kinds.values)
    return kept
