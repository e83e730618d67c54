"""Opposition and exempt lists as they stand in the file: versions, and overlays over them.

Owns the tables `list_*` and the form in which a body is stored: the serialised bitmap of the
E.164 digits, and beside it, where the list has dates, one 16-bit count of days since 1970 for
each number in the bitmap's order, 0 for none, compressed. `list_cache` answers questions.
"""

from __future__ import annotations

import array
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pyroaring import BitMap64

from dialwarden.errors import LedgerBroken
from dialwarden.ledger.connection import instant, micros, path_of, transaction
from dialwarden.ledger.listing import e164
from dialwarden.ledger.log_copy import copy_log

# A part is written in one transaction. 4 MiB keep the write lock for some 10 ms; 70 MB (30
# million numbers) in one would keep a bridge from answering for about as long as it waits.
_PART_BYTES = 4 * 1024 * 1024
# Two imports may run at once: what is younger than this may still be coming in.
_ORPHAN_AGE_US = 24 * 3600 * 1_000_000

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Op(StrEnum):
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Head:
    """A version of a list, without its numbers."""

    version: int
    name: str
    as_of: date | None
    imported_at: datetime
    count: int
    sha256: str
    source: str
    crc: int
    body_id: int


@dataclass(frozen=True, slots=True)
class Body:
    """The numbers of a version; `since` holds a day for each of them, in the bitmap's order."""

    numbers: BitMap64
    since: array.array[int] | None

    def day_of(self, number: int) -> date | None:
        """The date since when a number that is in the list stands there, where it is known."""
        if self.since is None:
            return None
        day = self.since[self.numbers.rank(number) - 1]
        return date.fromordinal(_EPOCH_ORDINAL + day) if day else None


@dataclass(frozen=True, slots=True)
class ListStatus:
    """What the file knows of one list.

    Attributes:
        head: the version in force for live questions; None when it was never imported.
        versions: how many versions are kept.
        added, removed: numbers whose last overlay is an addition, a removal.
    """

    name: str
    head: Head | None
    versions: int
    added: int
    removed: int


def days_by_rank(numbers: BitMap64, since: Mapping[int, date]) -> array.array[int]:
    """The dates of a list in the form that `import_version` takes; those not in `since` have none.

    Raises:
        ValueError: a date before 1970-01-02 or after 2149-06-06.
    """
    days = array.array("H", bytes(2 * len(numbers)))
    for number, day in since.items():
        ordinal = day.toordinal() - _EPOCH_ORDINAL
        if not 0 < ordinal <= 0xFFFF:
            raise ValueError(f"{day}: a list's dates lie between 1970-01-02 and 2149-06-06")
        days[numbers.rank(number) - 1] = ordinal
    return days


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
        since: see `days_by_rank`; None for a list without dates.
        sha256: of the file that was read.

    Raises:
        ValueError: `since` does not hold one day for each number.
        LedgerUnavailable, LedgerBroken: the version is not there.
    """
    if since is not None and (len(since) != len(numbers) or since.typecode != "H"):
        raise ValueError("since holds one 16-bit day for each number")
    stored = numbers.serialize()
    dates = b"" if since is None else zlib.compress(since.tobytes(), 1)
    alone = not conn.in_transaction
    with transaction(conn) if alone else nullcontext():
        _drop_orphans(conn)
        body_id = conn.execute(
            "INSERT INTO list_body (started_at) VALUES (?)", (time.time_ns() // 1000,)
        ).lastrowid
    for kind, part, piece in _pieces(stored, dates):
        with transaction(conn) if alone else nullcontext():
            conn.execute(
                "INSERT INTO list_part (body_id, kind, part, bytes) VALUES (?, ?, ?, ?)",
                (body_id, kind, part, piece),
            )
        if alone:
            copy_log(conn)
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
                zlib.crc32(dates, zlib.crc32(stored)),
                body_id,
            ),
        ).lastrowid
    assert version is not None
    return version


def _pieces(stored: bytes, dates: bytes) -> Iterator[tuple[str, int, memoryview]]:
    for kind, whole in (("numbers", stored), ("since", dates)):
        for part, start in enumerate(range(0, len(whole), _PART_BYTES)):
            yield kind, part, memoryview(whole)[start : start + _PART_BYTES]


def _drop_orphans(conn: sqlite3.Connection) -> None:
    """Remove the bodies that an import left behind when it was killed."""
    conn.execute(
        "DELETE FROM list_body WHERE started_at < ?"
        " AND id NOT IN (SELECT body_id FROM list_version)",
        (time.time_ns() // 1000 - _ORPHAN_AGE_US,),
    )


_HEAD = "SELECT id, name, as_of, imported_at, count, sha256, source, crc, body_id FROM list_version"
# A version without an as-of date speaks of the moment it was imported.
_NEWEST_FIRST = (
    " ORDER BY ifnull(as_of, date(imported_at / 1000000, 'unixepoch')) DESC, id DESC LIMIT 1"
)


def live_head(conn: sqlite3.Connection, name: str) -> Head | None:
    """The version in force now: the newest as-of date, of several the newest import.

    One without an as-of date is the list as it is from its import on: whatever was imported before
    it is over, by whatever clock that was dated.
    """
    newest = _head(
        conn.execute(f"{_HEAD} WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)).fetchone()
    )
    if newest is None or newest.as_of is None:
        return newest
    row = conn.execute(f"{_HEAD} WHERE name = ?{_NEWEST_FIRST}", (name,)).fetchone()
    return _head(row)


def head_at(conn: sqlite3.Connection, name: str, at: datetime, local_date: date) -> Head | None:
    """The version that speaks of an instant: the newest as-of date not after `local_date`,
    whenever it was imported; one without such a date counts from its import. A list that never
    had one is never stale once imported: of the time before, its first version speaks."""
    row = conn.execute(
        f"{_HEAD} WHERE name = ? AND (as_of <= ? OR (as_of IS NULL AND imported_at <= ?))"
        f"{_NEWEST_FIRST}",
        (name, local_date.isoformat(), micros(at)),
    ).fetchone()
    if row is None:
        row = conn.execute(
            f"{_HEAD} WHERE name = :name AND NOT EXISTS (SELECT 1 FROM list_version"
            " WHERE name = :name AND as_of IS NOT NULL) ORDER BY id LIMIT 1",
            {"name": name},
        ).fetchone()
    return _head(row)


def versions(conn: sqlite3.Connection, name: str) -> Iterator[Head]:
    """Every version of a list that is kept, in the order of import."""
    for row in conn.execute(f"{_HEAD} WHERE name = ? ORDER BY id", (name,)):
        head = _head(row)
        assert head is not None
        yield head


def _head(row: tuple[int, str, str | None, int, int, str, str, int, int] | None) -> Head | None:
    if row is None:
        return None
    version, name, as_of, imported_at, count, sha256, source, crc, body_id = row
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
    stored = _joined(conn, head.body_id, "numbers")
    dates = _joined(conn, head.body_id, "since")
    # Checked before the bitmap library, which trusts what it is given, sees a byte of it.
    if zlib.crc32(dates, zlib.crc32(stored)) != head.crc:
        raise LedgerBroken(
            path_of(conn),
            f"version {head.version} of list {head.name} is damaged",
            "import the list again",
        )
    since = None
    if dates:
        since = array.array("H")
        since.frombytes(zlib.decompress(dates))
    return Body(BitMap64.deserialize(stored), since)


def has_numbers(conn: sqlite3.Connection, head: Head) -> bool:
    """Whether the numbers of a version were not removed; an empty list has a first part too."""
    first = "SELECT 1 FROM list_part WHERE body_id = ? AND kind = 'numbers' AND part = 0"
    return conn.execute(first, (head.body_id,)).fetchone() is not None


def _joined(conn: sqlite3.Connection, body_id: int, kind: str) -> bytes:
    rows = conn.execute(
        "SELECT bytes FROM list_part WHERE body_id = ? AND kind = ? ORDER BY part",
        (body_id, kind),
    )
    return b"".join(row[0] for row in rows)


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


def list_overlays(conn: sqlite3.Connection, name: str) -> Iterator[dict[str, object]]:
    """Every operation on a list, in the order in which they were made."""
    for row in conn.execute(
        "SELECT id, number, op, at, recorded_by, note FROM list_overlay WHERE name = ? ORDER BY id",
        (name,),
    ):
        yield {
            "id": row[0],
            "name": name,
            "number": e164(row[1]),
            "op": row[2],
            "at": instant(row[3]),
            "by": row[4],
            "note": row[5],
        }


def status(conn: sqlite3.Connection, name: str) -> ListStatus:
    """What the file knows of one list; of a list nobody has heard of, that."""
    count = conn.execute("SELECT count(*) FROM list_version WHERE name = ?", (name,)).fetchone()
    ops = dict(
        conn.execute(
            "SELECT op, count(*) FROM list_overlay WHERE id IN"
            " (SELECT max(id) FROM list_overlay WHERE name = ? GROUP BY number) GROUP BY op",
            (name,),
        ).fetchall()
    )
    return ListStatus(
        name, live_head(conn, name), count[0], ops.get(Op.ADD.value, 0), ops.get(Op.REMOVE.value, 0)
    )


def known_names(conn: sqlite3.Connection) -> tuple[str, ...]:
    """The names of all lists that were ever imported or touched, sorted."""
    rows = conn.execute("SELECT name FROM list_version UNION SELECT name FROM list_overlay")
    return tuple(sorted(row[0] for row in rows))
