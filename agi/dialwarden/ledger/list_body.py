"""The numbers of a list's version as they are stored, and as they are in memory.

Owns the tables `list_body` and `list_part` and the form of what is in them: the digits of E.164 as
serialised bitmaps, each part a bitmap of its own, numbered from 1 and in order; beside them, where
the list has dates, one 16-bit count of days since 1970 for each number in the bitmaps' order, 0
for none, as one compressed stream. A body whose first part is numbered 0 is one bitmap, cut; that
is how they were written once. Knows neither the list's name nor its versions.

In memory a number takes about two bytes, and two more where the list has dates. Those could be
packed, but not to one byte: days spread over three years are more than ten bits each.
"""

from __future__ import annotations

import array
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date

from pyroaring import BitMap64

from dialwarden.ledger.connection import transaction
from dialwarden.ledger.log_copy import copy_log

# What is read at once holds up every other thread: a quarter of a million numbers take some
# 0.6 ms, a list of 30 million in one piece 40 to 60.
_PART_NUMBERS = 250_000
# So many numbers take a good part of the pages that a connection keeps.
_FILLS_A_CACHE = 1_000_000
_FEW_PAGES = 64
_PART_BYTES = 1024 * 1024  # of dates
# Written in one transaction. 4 MiB keep the write lock for some 10 ms; 70 MB (30 million numbers)
# in one would keep a bridge from answering for about as long as it waits.
_TRANSACTION_BYTES = 4 * 1024 * 1024
# Two imports may run at once: what is younger than this may still be coming in.
_ORPHAN_AGE_US = 24 * 3600 * 1_000_000

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


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


def days_by_rank(numbers: BitMap64, since: Mapping[int, date]) -> array.array[int]:
    """The dates of a list in the form that `store` takes; those not in `since` have none.

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


def store(
    conn: sqlite3.Connection, numbers: BitMap64, since: array.array[int] | None
) -> tuple[int, int]:
    """Write a body; returns its id and its checksum. It counts once a version names it.

    Outside a transaction it makes its own short ones, so that a bridge on the same file never
    waits long; inside one it is part of it.

    Raises:
        ValueError: `since` does not hold one day for each number.
        LedgerUnavailable, LedgerBroken: it is not there as a whole.
    """
    if since is not None and (len(since) != len(numbers) or since.typecode != "H"):
        raise ValueError("since holds one 16-bit day for each number")
    alone = not conn.in_transaction
    with transaction(conn) if alone else nullcontext():
        _drop_orphans(conn)
        body_id = conn.execute(
            "INSERT INTO list_body (started_at) VALUES (?)", (time.time_ns() // 1000,)
        ).lastrowid
    assert body_id is not None
    crc = 0
    waiting: list[tuple[int, str, int, bytes]] = []
    for kind, part, piece in _pieces(numbers, since):
        crc = zlib.crc32(piece, crc)
        waiting.append((body_id, kind, part, piece))
        if sum(len(row[3]) for row in waiting) >= _TRANSACTION_BYTES:
            _write(conn, waiting, alone)
            waiting.clear()
    _write(conn, waiting, alone)
    return body_id, crc


def _write(conn: sqlite3.Connection, rows: list[tuple[int, str, int, bytes]], alone: bool) -> None:
    with transaction(conn) if alone else nullcontext():
        conn.executemany(
            "INSERT INTO list_part (body_id, kind, part, bytes) VALUES (?, ?, ?, ?)", rows
        )
    if alone:
        copy_log(conn)


def _pieces(numbers: BitMap64, since: array.array[int] | None) -> Iterator[tuple[str, int, bytes]]:
    taken, part = 0, 0
    while taken < len(numbers):
        start, part = numbers[taken], part + 1
        # Never over 32 bits: a range from France's numbers to Réunion's alone takes seconds.
        upto = min(taken + _PART_NUMBERS, numbers.rank(start | 0xFFFF_FFFF))
        between = BitMap64(range(start, numbers[upto - 1] + 1))
        yield "numbers", part, (numbers & between).serialize()
        taken = upto
    if since is None:
        return
    packer = zlib.compressobj(1)
    packed, part = b"", 0
    for start in range(0, len(since), _PART_BYTES):
        packed += packer.compress(since[start : start + _PART_BYTES].tobytes())
        if len(packed) >= _PART_BYTES:
            yield "since", part, packed
            packed, part = b"", part + 1
    yield "since", part, packed + packer.flush()


def _drop_orphans(conn: sqlite3.Connection) -> None:
    """Remove the bodies that an import left behind when it was killed."""
    conn.execute(
        "DELETE FROM list_body WHERE started_at < ?"
        " AND id NOT IN (SELECT body_id FROM list_version)",
        (time.time_ns() // 1000 - _ORPHAN_AGE_US,),
    )


def load(conn: sqlite3.Connection, body_id: int, crc: int) -> Body | None:
    """A body; None when what is stored is not what was written.

    In a transaction, so that it is one body that is read. No step of it holds up other threads for
    more than a millisecond or so.
    """
    # Checked as a whole before the bitmap library, which trusts what it is given, sees a byte of
    # it; read twice rather than held twice.
    found = 0
    for kind in ("numbers", "since"):
        for _, piece in _parts(conn, body_id, kind):
            found = zlib.crc32(piece, found)
    if found != crc:
        return None
    numbers = BitMap64()
    cut: list[bytes] = []
    for part, piece in _parts(conn, body_id, "numbers"):
        if part == 0 or cut:
            cut.append(piece)
        else:
            numbers |= BitMap64.deserialize(piece)
    if cut:
        numbers = BitMap64.deserialize(b"".join(cut))
    since = None
    unpacker = zlib.decompressobj()
    for _, piece in _parts(conn, body_id, "since"):
        since = array.array("H") if since is None else since
        rest = piece
        while rest:
            since.frombytes(unpacker.decompress(rest, 2 * _PART_BYTES))
            rest = unpacker.unconsumed_tail
    if since is not None:
        since.frombytes(unpacker.flush())
    return Body(numbers, since)


@contextmanager
def reading_through(conn: sqlite3.Connection, count: int) -> Iterator[None]:
    """Read a body of so many numbers without keeping its pages, which nobody asks for again.

    Of a short one they are few, and a smaller cache would have to give up what is in it.
    """
    if count < _FILLS_A_CACHE:
        yield
        return
    pages = conn.execute("PRAGMA cache_size").fetchone()[0]
    conn.execute(f"PRAGMA cache_size = {_FEW_PAGES}")
    try:
        yield
    finally:
        conn.execute(f"PRAGMA cache_size = {pages}")


def _parts(conn: sqlite3.Connection, body_id: int, kind: str) -> Iterator[tuple[int, bytes]]:
    yield from conn.execute(
        "SELECT part, bytes FROM list_part WHERE body_id = ? AND kind = ? ORDER BY part",
        (body_id, kind),
    )
