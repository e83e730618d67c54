"""Opposition and exempt lists as they stand in the file: versions, and overlays over them.

Owns the tables `list_version` and `list_overlay`, and which version is in force. The numbers
themselves are `list_body`'s; `list_cache` answers questions.
"""

from __future__ import annotations

import array
import sqlite3
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pyroaring import BitMap64

from dialwarden.errors import LedgerBroken
from dialwarden.ledger import list_body
from dialwarden.ledger.connection import instant, maybe_instant, micros, path_of, transaction
from dialwarden.ledger.list_body import Body
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed


class Op(StrEnum):
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Head:
    """A version of a list, without its numbers.

    Attributes:
        as_of: the day it speaks of; None where nobody said.
        withdrawn_at: when it was taken back; it is kept, for calls were judged by it.
    """

    version: int
    name: str
    as_of: date | None
    imported_at: datetime
    count: int
    sha256: str
    source: str
    crc: int
    body_id: int
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_why: str = ""


@dataclass(frozen=True, slots=True)
class ListStatus:
    """What the file knows of one list.

    Attributes:
        head: the version in force for live questions; None when it was never imported.
        versions: how many versions are kept; `withdrawn` of them were taken back.
        added, removed: numbers whose last overlay is an addition, a removal.
    """

    name: str
    head: Head | None
    versions: int
    withdrawn: int
    added: int
    removed: int


def import_version(
    conn: sqlite3.Connection,
    name: str,
    numbers: BitMap64,
    *,
    since: array.array[int] | None = None,
    as_of: date | None,
    imported_at: datetime,
    source: str,
    sha256: str,
) -> int:
    """Add a version of a list; returns its id. It holds from the commit of its last, small row.

    Outside a transaction it makes its own short ones, so that a bridge on the same file never
    waits long; inside one it is part of it.

    Args:
        since: see `list_body.days_by_rank`; None for a list without dates.
        sha256: of the file that was read.

    Raises:
        ValueError: `since` does not hold one day for each number.
        LedgerUnavailable, LedgerBroken: the version is not there.
    """
    alone = not conn.in_transaction
    body_id, crc = list_body.store(conn, numbers, since)
    with transaction(conn) if alone else nullcontext():
        version = conn.execute(
            "INSERT INTO list_version (name, as_of, imported_at, count, sha256, source, crc,"
            " body_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                name,
                as_of.isoformat() if as_of else None,
                micros(imported_at),
                len(numbers),
                sha256,
                source,
                crc,
                body_id,
            ),
        ).lastrowid
    assert version is not None
    return version


_HEAD = (
    "SELECT id, name, as_of, imported_at, count, sha256, source, crc, body_id, withdrawn_at,"
    " withdrawn_by, withdrawn_why FROM list_version WHERE name = :name"
)
# A version without an as-of date speaks of the moment it was imported.
_NEWEST_FIRST = (
    " ORDER BY ifnull(as_of, date(imported_at / 1000000, 'unixepoch')) DESC, id DESC LIMIT 1"
)
_IN_FORCE = " AND withdrawn_at IS NULL"
# One that was taken back later than `at` counts for as long as live questions were judged by it.
_COUNTS_AT = " AND (withdrawn_at IS NULL OR (imported_at <= :at AND withdrawn_at > :at))"


def live_head(conn: sqlite3.Connection, name: str, *, but: int = 0) -> Head | None:
    """The version in force now: the newest as-of date, of several the newest import.

    One without an as-of date is the list as it is from its import on: whatever was imported before
    it is over, by whatever clock that was dated. One that was taken back is none.

    Args:
        but: what would be in force without the version of this id.
    """
    standing = f"{_HEAD}{_IN_FORCE} AND id <> :but"
    newest = _one(conn, f"{standing} ORDER BY id DESC LIMIT 1", name=name, but=but)
    if newest is None or newest.as_of is None:
        return newest
    return _one(conn, f"{standing}{_NEWEST_FIRST}", name=name, but=but)


def head_at(conn: sqlite3.Connection, name: str, at: datetime, local_date: date) -> Head | None:
    """The version that speaks of an instant: the newest as-of date not after `local_date`,
    whenever it was imported; one without such a date counts from its import. A list that never
    had one is never stale once imported: of the time before, its first version speaks.

    A version that was taken back counts at the instants from its import until then, as it did for
    live questions, and at no other: not of days before its import, of which it was wrong too.
    """
    asked: dict[str, object] = {"name": name, "at": micros(at), "date": local_date.isoformat()}
    found = _one(
        conn,
        f"{_HEAD}{_COUNTS_AT} AND (as_of <= :date OR (as_of IS NULL AND imported_at <= :at))"
        f"{_NEWEST_FIRST}",
        **asked,
    )
    return found or _one(
        conn,
        f"{_HEAD}{_IN_FORCE} AND NOT EXISTS (SELECT 1 FROM list_version"
        " WHERE name = :name AND as_of IS NOT NULL AND withdrawn_at IS NULL) ORDER BY id LIMIT 1",
        name=name,
    )


def versions(conn: sqlite3.Connection, name: str) -> Iterator[Head]:
    """Every version of a list that is kept, in the order of import."""
    for row in conn.execute(f"{_HEAD} ORDER BY id", {"name": name}):
        yield _head(row)


def version_of(conn: sqlite3.Connection, name: str, version: int) -> Head | None:
    """One version of a list; None when the list has none of that number."""
    return _one(conn, f"{_HEAD} AND id = :version", name=name, version=version)


def roll_back(
    conn: sqlite3.Connection, name: str, *, at: datetime, by: str, why: str
) -> tuple[Head, Head] | None:
    """Take the version in force back, so that the one before it is in force again.

    Within a transaction of the caller's. The version is kept.

    Returns:
        The one taken back and the one in force; None, with nothing done, where there is none
        before, or a purge removed its numbers: in force, it would refuse every call.
    """
    withdrawn = live_head(conn, name)
    if withdrawn is None:
        return None
    now = live_head(conn, name, but=withdrawn.version)
    if now is None or not has_numbers(conn, now):
        return None
    conn.execute(
        "UPDATE list_version SET withdrawn_at = ?, withdrawn_by = ?, withdrawn_why = ?"
        " WHERE id = ?",
        (micros(at), by, why, withdrawn.version),
    )
    return replace(withdrawn, withdrawn_at=at, withdrawn_by=by, withdrawn_why=why), now


def _one(conn: sqlite3.Connection, query: str, **asked: object) -> Head | None:
    row = conn.execute(query, asked).fetchone()
    return None if row is None else _head(row)


def _head(row: tuple[Any, ...]) -> Head:
    version, name, as_of, imported_at, count, sha256, source, crc, body_id, *withdrawn = row
    return Head(
        version=version,
        name=name,
        as_of=date.fromisoformat(as_of) if as_of else None,
        imported_at=instant(imported_at),
        count=count,
        sha256=sha256,
        source=source,
        crc=crc,
        body_id=body_id,
        withdrawn_at=maybe_instant(withdrawn[0]),
        withdrawn_by=withdrawn[1],
        withdrawn_why=withdrawn[2],
    )


def read_body(conn: sqlite3.Connection, head: Head) -> Body:
    """The numbers of a version.

    Raises:
        LedgerBroken: what is stored is not what was written.
    """
    if not has_numbers(conn, head):
        raise LedgerBroken(
            path_of(conn),
            f"the numbers of version {head.version} of list {head.name} were removed by a purge",
            "ask about a later instant",
        )
    with list_body.reading_through(conn, head.count):
        body = list_body.load(conn, head.body_id, head.crc)
    if body is None:
        raise LedgerBroken(
            path_of(conn),
            f"version {head.version} of list {head.name} is damaged",
            "import the list again, or take that version back with `dialwarden list rollback`",
        )
    return body


def has_numbers(conn: sqlite3.Connection, head: Head) -> bool:
    """Whether the numbers of a version are there: a purge takes the first part first."""
    first = "SELECT 1 FROM list_part WHERE body_id = ? AND kind = 'numbers' AND part IN (0, 1)"
    return not head.count or conn.execute(first, (head.body_id,)).fetchone() is not None


def overlay(
    conn: sqlite3.Connection,
    name: str,
    number: int,
    op: Op,
    *,
    at: datetime,
    by: str = "",
    note: str = "",
) -> None:
    """Add or remove one number, over this version of the list and those to come.

    The last operation on a number wins. It does not move the list's as-of date.
    """
    conn.execute(
        "INSERT INTO list_overlay (name, number, op, at, recorded_by, note)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (name, number, op.value, micros(at), by, note),
    )


_OVERLAY_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "name": as_is,
    "number": e164,
    "op": as_is,
    "at": instant,
    "recorded_by AS by": as_is,
    "note": as_is,
}


def list_overlays(
    conn: sqlite3.Connection, name: str | None = None, *, number: int | None = None
) -> Iterator[dict[str, object]]:
    """Every operation on a list, or on a number, in the order in which they were made."""
    where = Where()
    where.equal("name", name)
    where.equal("number", number)
    return listed(conn, _OVERLAY_COLUMNS, "list_overlay", where)


def status(conn: sqlite3.Connection, name: str) -> ListStatus:
    """What the file knows of one list; of a list nobody has heard of, that."""
    kept, withdrawn = conn.execute(
        "SELECT count(*), count(withdrawn_at) FROM list_version WHERE name = ?", (name,)
    ).fetchone()
    ops = dict(
        conn.execute(
            "SELECT op, count(*) FROM list_overlay WHERE id IN"
            " (SELECT max(id) FROM list_overlay WHERE name = ? GROUP BY number) GROUP BY op",
            (name,),
        ).fetchall()
    )
    return ListStatus(
        name=name,
        head=live_head(conn, name),
        versions=kept,
        withdrawn=withdrawn,
        added=ops.get(Op.ADD.value, 0),
        removed=ops.get(Op.REMOVE.value, 0),
    )


def known_names(conn: sqlite3.Connection) -> tuple[str, ...]:
    """The names of all lists that were ever imported or touched, sorted."""
    rows = conn.execute("SELECT name FROM list_version UNION SELECT name FROM list_overlay")
    return tuple(sorted(row[0] for row in rows))
