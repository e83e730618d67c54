"""Erasing what is on record of one number: what is over goes, and what stays is told until when.

Owns the going through one number's rows. What is over, and what is reduced, is for `purge_kinds`:
the very conditions of a purge, so that nothing goes that a cap, a gap or a duty still needs. Where
the periods come from is told by whoever asks.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from dialwarden.ledger import erasures
from dialwarden.ledger.connection import transaction
from dialwarden.ledger.log_copy import copy_log
from dialwarden.ledger.purge import reduce_rows, remove_rows
from dialwarden.ledger.purge_kinds import Kind, Kinds, Plan, kinds_of
from dialwarden.ledger.reduced import make_key, subject
from dialwarden.ledger.refusals import dialled_so

# Rows a transaction: some milliseconds, so that a call beside it hardly waits.
_BITE = 100
# What is not over by then is told to stay without end.
_HORIZON = timedelta(days=150 * 365)
# What is over on a day is over by noon in UTC, when it ends in the last zone that has it.
_NOON = time(12, tzinfo=UTC)

# Those of which a row is one number's. What else a purge goes through is nobody's own.
_OF_A_NUMBER = frozenset(
    {"appointment", "attempt", "consent", "exempt_call", "objection", "refusal", "silent_call",
     "withdrawal"}
)  # fmt: skip
# A purge removes a silent call before the call by an agent that followed it. Where that silent call
# was to another number of the same person it is not ours to remove, and without what followed it it
# would never be over.
_NOT_RESTED_ON = (
    "NOT EXISTS (SELECT 1 FROM silent_call WHERE silent_call.person = attempt.person"
    " AND silent_call.professional = attempt.professional"
    " AND silent_call.number <> attempt.number AND silent_call.at < attempt.at)"
)
_REDUCIBLE = frozenset({"objection", "withdrawal"})

# What is over at an instant, as a purge at that instant would see it.
PlanAt = Callable[[datetime], Plan]


@dataclass(frozen=True, slots=True)
class Whom:
    """A callee as the ledger knows them.

    Attributes:
        number: digits of E.164.
        dialled: the digits that were dialled for it, where no number is on record.
    """

    number: int
    dialled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Going:
    """Rows of one kind that are over."""

    kind: Kind
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Staying:
    """Rows of one kind and professional that stay as they are.

    Attributes:
        kind: as it is told and counted: "attempts".
        professional: "" where nothing says whose they are.
        until: the first day on which all of them go; None: as things are they never do.
        reduced_from: the first day on which all of them can be reduced, where they are kept without
            saying whose they are then.
        reduced: how many of them were reduced before.
    """

    kind: str
    professional: str
    rows: int
    until: date | None
    reduced_from: date | None = None
    reduced: int = 0


@dataclass(frozen=True, slots=True)
class Sifted:
    """What is on record of a number, in two heaps."""

    going: tuple[Going, ...]
    staying: tuple[Staying, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """As they are recorded: rows by what becomes of them, and kind."""
        done: dict[str, Counter[str]] = {"removed": Counter(), "reduced": Counter()}
        for one in self.going:
            done["reduced" if one.kind.reduced else "removed"][one.kind.name] += len(one.ids)
        kept = Counter[str]()
        for stays in self.staying:
            kept[stays.kind] += stays.rows
        return {"removed": {**done["removed"]}, "reduced": {**done["reduced"]}, "kept": {**kept}}


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    Attributes:
        id: of the row that says that it was done.
        counts: rows by what became of them ("removed", "reduced", "kept"), and kind.
    """

    id: int
    staying: tuple[Staying, ...]
    counts: Mapping[str, Mapping[str, int]]


def sift(conn: sqlite3.Connection, whom: Whom, plan_at: PlanAt, now: datetime) -> Sifted:
    """What would go at an instant, aware, and what stays. Writes nothing."""
    rows = _Rows(conn, whom)
    going = rows.going(plan_at(now), now)
    gone: dict[str, set[int]] = {}
    for one in going:
        gone.setdefault(one.kind.table, set()).update(one.ids)
    return Sifted(tuple(going), tuple(_staying(rows, gone, plan_at, now)))


def erase(
    conn: sqlite3.Connection,
    whom: Whom,
    plan_at: PlanAt,
    now: datetime,
    *,
    by: str,
    why: str,
    rest: Callable[[], None] = lambda: None,
) -> Erased:
    """Remove and reduce what is over at an instant, aware, and record that it was done.

    In short transactions, each of which notes how far it came: one that is cut short is on record
    with what it did, and may be made again. What is removed is overwritten in the file.

    Args:
        conn: from `open_ledger`, outside a transaction.
        rest: called between two transactions.

    Raises:
        LedgerUnavailable, LedgerBroken: the ledger was locked for long, or cannot be written.
    """
    conn.execute("PRAGMA secure_delete = ON")
    key = make_key(conn, now)
    found = sift(conn, whom, plan_at, now)
    done: dict[str, Counter[str]] = {"removed": Counter(), "reduced": Counter()}
    with transaction(conn):
        erasure = erasures.begin(conn, number=whom.number, at=now, by=by, why=why)
    values = kinds_of(plan_at(now), now).values
    for kind, bite in _bites(found.going):
        chosen = {**values, "ids": json.dumps(bite)}
        with transaction(conn):
            if kind.reduced:
                done["reduced"][kind.name] += reduce_rows(conn, kind, key, now, chosen)
            else:
                rows, children = remove_rows(conn, kind, chosen)
                done["removed"][kind.name] += rows
                if kind.children is not None and children:
                    done["removed"][kind.children[0]] += children
            erasures.note(conn, erasure, done)
        rest()
    counts = {
        "removed": {**done["removed"]},
        "reduced": {**done["reduced"]},
        "kept": found.counts()["kept"],
    }
    with transaction(conn):
        erasures.note(conn, erasure, counts, ended_at=now)
    copy_log(conn)
    return Erased(erasure, found.staying, counts)


def _bites(going: Iterable[Going]) -> Iterator[tuple[Kind, list[int]]]:
    for one in going:
        for start in range(0, len(one.ids), _BITE):
            yield one.kind, list(one.ids[start : start + _BITE])


@dataclass(slots=True)
class _Rows:
    """The ids of a number's rows, by table, and which of them are over when."""

    conn: sqlite3.Connection
    whom: Whom
    ids: dict[str, list[int]] = field(default_factory=dict)

    def of(self, table: str) -> list[int]:
        if table not in self.ids:
            number, dialled = self.whom.number, self.whom.dialled
            if table == "refusal" and dialled:
                where, values = dialled_so(dialled), (number, *dialled)
            else:
                where, values = "number IN (?, ?)", (number, subject(self.conn, number).reduced)
            rows = self.conn.execute(f"SELECT id FROM {table} WHERE {where} ORDER BY id", values)
            self.ids[table] = [row[0] for row in rows]
        return self.ids[table]

    def going(self, plan: Plan, at: datetime) -> list[Going]:
        """Those that may go at an instant, whatever stays of other numbers."""
        found = []
        for one in self.over(plan, at):
            ids = one.ids
            if one.kind.table == "attempt":
                free = set(self._which(one.kind, _NOT_RESTED_ON, {}))
                ids = tuple(row for row in ids if row in free)
            if ids:
                found.append(Going(one.kind, ids))
        return found

    def over(self, plan: Plan, at: datetime, tables: Collection[str] = _OF_A_NUMBER) -> list[Going]:
        """Those that are over at an instant, in the order in which a purge takes them."""
        kinds: Kinds = kinds_of(plan, at)
        found = []
        for kind in kinds.all:
            if kind.table not in tables:
                continue
            ids = self._which(kind, kind.over, kinds.values)
            if ids:
                found.append(Going(kind, tuple(ids)))
        return found

    def _which(self, kind: Kind, condition: str, values: Mapping[str, object]) -> list[int]:
        if not self.of(kind.table):
            return []
        rows = self.conn.execute(
            f"SELECT id FROM {kind.table} WHERE id IN (SELECT value FROM json_each(:ids))"
            f" AND ({condition}) ORDER BY id",
            {**values, "ids": json.dumps(self.of(kind.table))},
        )
        return [row[0] for row in rows]

    def by_professional(self, kind: Kind, plan: Plan) -> dict[str, list[int]]:
        rows = self.conn.execute(
            f"SELECT {kind.whose}, id FROM {kind.table}"
            " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY 1, 2",
            (json.dumps(self.of(kind.table)),),
        )
        found: dict[str, list[int]] = {}
        for whose, row in rows:
            name = plan.of_campaign.get(whose, "") if kind.by_campaign else whose
            found.setdefault(name, []).append(row)
        return found

    def reduced(self, kind: Kind, ids: set[int]) -> set[int]:
        if kind.table not in _REDUCIBLE:
            return set()
        return ids & set(self._which(kind, "reduced_at IS NOT NULL", {}))


def _staying(
    rows: _Rows, gone: Mapping[str, set[int]], plan_at: PlanAt, now: datetime
) -> Iterator[Staying]:
    plan = plan_at(now)
    told: set[str] = set()
    for kind in kinds_of(plan, now).all:
        if kind.table in told or kind.table not in _OF_A_NUMBER:
            continue
        told.add(kind.table)
        for professional, every in rows.by_professional(kind, plan).items():
            left = set(every) - gone.get(kind.table, set())
            if not left:
                continue
            reduced = rows.reduced(kind, left)
            yield Staying(
                kind.name,
                professional,
                len(left),
                until=_first_day(rows, kind, left, plan_at, now),
                reduced_from=_first_day(rows, kind, left, plan_at, now, reduced=True)
                if kind.table in _REDUCIBLE and left - reduced
                else None,
                reduced=len(reduced),
            )


def _first_day(
    rows: _Rows,
    kind: Kind,
    ids: set[int],
    plan_at: PlanAt,
    now: datetime,
    *,
    reduced: bool = False,
) -> date | None:
    """The first day by whose noon these rows are all over; None when that never comes.

    What is over stays over: found by halving, with the conditions that a purge asks.

    Args:
        reduced: or reduced by then.
    """

    def all_over(days: int) -> bool:
        at = _noon_after(now, days)
        over = [
            one
            for one in rows.over(plan_at(at), at, (kind.table,))
            if reduced or not one.kind.reduced
        ]
        return ids <= {row for one in over for row in one.ids} | already

    already = rows.reduced(kind, ids) if reduced else set()
    least, most = 0, _HORIZON.days
    if not all_over(most):
        return None
    while least < most:
        middle = (least + most) // 2
        if all_over(middle):
            most = middle
        else:
            least = middle + 1
    return _noon_after(now, least).date()


def _noon_after(now: datetime, days: int) -> datetime:
    today = now.astimezone(UTC).date()
    noon = datetime.combine(today, _NOON)
    return noon + timedelta(days=days + (noon <= now))
