"""The ledger's log (its -wal) copied into the file, by us alone.

SQLite before 3.51.3 can lose what was committed when a checkpoint begins right behind one that
has just completed, and a commit makes the log start anew in between (the WAL-reset bug,
https://sqlite.org/wal.html#walresetbug; Debian 12 has 3.40.1). Nobody makes the log start anew
while another connection is inside a transaction, or if that one reads past the log, nothing is
copied: so each copy here is made while one is, and no connection of ours copies by itself
(`wal_autocheckpoint`). The last to close copies too, but is alone then.
"""

from __future__ import annotations

import contextlib
import sqlite3

from dialwarden.errors import LedgerError
from dialwarden.ledger.connection import open_beside, roll_back


def copy_most(conn: sqlite3.Connection) -> int:
    """Copy what is committed by now, beside whoever writes. Not inside a transaction.

    Returns:
        How many pages of the log are still to be copied.

    Raises:
        sqlite3.Error, LedgerError: it was not copied; it stays in the log, and counts.
    """
    return _copy(conn, "BEGIN")


def copy_rest(conn: sqlite3.Connection) -> int:
    """Copy all of it, under the lock for writing: after `copy_most` this is little.

    The log is then written from its start again. It is not cut: overwriting is cheaper to sync
    than growing.

    Returns:
        As `copy_most`: 0 unless somebody reads what was before.

    Raises:
        sqlite3.Error, LedgerError: as `copy_most`.
    """
    return _copy(conn, "BEGIN IMMEDIATE")


def copy_log(conn: sqlite3.Connection) -> None:
    """Copy the log if that can be done now, keeping writers waiting as briefly as can be.

    For whoever wrote a lot: what cannot be copied stays in the log, and counts.
    """
    with contextlib.suppress(sqlite3.Error, LedgerError):
        copy_most(conn)
        copy_rest(conn)


def _copy(conn: sqlite3.Connection, begin: str) -> int:
    with contextlib.closing(open_beside(conn)) as copier:
        conn.execute(begin)
        try:
            conn.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()  # BEGIN alone is none
            _, pages, copied = copier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            return int(pages - copied)
        finally:
            roll_back(conn)
