"""What monitoring wants to know of the ledger, looked up beside the calls.

Owns which version of each list is in force, when was last purged, and how big the files are. Cheap
enough to be asked every few seconds: some look-ups by index, and what the file system knows.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dialwarden.ledger.connection import instant
from dialwarden.ledger.lists import Head, live_head


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands in the ledger.

    Attributes:
        lists: by name, the version in force; None for one that was never imported.
        purge_began, purge_ended: of the newest purge on record; None where there is none, or it
            did not come to its end.
    """

    lists: Mapping[str, Head | None] = field(default_factory=dict)
    purge_began: datetime | None = None
    purge_ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class FileSizes:
    """Bytes of the file, of its log beside it, and of room on their disk; None where unknown."""

    file: int | None = None
    wal: int | None = None
    free: int | None = None


def survey(conn: sqlite3.Connection, names: Iterable[str]) -> Survey:
    """Look up the lists of these names, and the newest purge; in a read transaction."""
    row = conn.execute("SELECT began_at, ended_at FROM purge ORDER BY id DESC LIMIT 1").fetchone()
    began, ended = row or (None, None)
    return Survey(
        {name: live_head(conn, name) for name in names},
        None if began is None else instant(began),
        None if ended is None else instant(ended),
    )


def file_sizes(path: str) -> FileSizes:
    """Ask the file system; it may take its time. Without a `-wal` that one's size is 0."""
    size = _size(path)
    try:
        room = os.statvfs(path)
    except OSError:
        return FileSizes(size)
    return FileSizes(size, _size(f"{path}-wal") or 0, room.f_bavail * room.f_frsize)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116  text, as everywhere in the ledger
    except OSError:
        return None
