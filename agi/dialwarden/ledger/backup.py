"""A copy of a ledger that is in use, whole and checked, or none.

Owns the copy's name: it is there from the beginning, empty and nobody else's to read, and is
replaced by the whole copy at the end. Nothing that was there before is ever overwritten.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from dialwarden.errors import DialwardenError, LedgerBroken, LedgerError
from dialwarden.ledger.connection import path_of, snapshot, translating

# Pages of 4 KiB a step: what is copied between two looks at a progress bar.
_STEP_PAGES = 1024


class BackupRefused(DialwardenError):
    """The copy cannot be made there."""

    def __init__(self, target: Path, what: str, do: str) -> None:
        self.target = target
        self.what = what
        self.do = do
        super().__init__(f"backup {target}: {what}; {do}")


def back_up(
    conn: sqlite3.Connection, target: Path, progress: Callable[[int, int], None] | None = None
) -> int:
    """Copy a ledger as it is at this moment; returns the copy's length in bytes.

    One snapshot is copied, however long that takes and whoever writes meanwhile: until it is done
    the log grows by what they write.

    Args:
        conn: of the ledger; not inside a transaction.
        progress: told how many pages of how many are copied.

    Raises:
        BackupRefused: the name is taken, or cannot be written, or its disk is full.
        LedgerUnavailable: the ledger cannot be read.
        LedgerBroken: the ledger is damaged, and so is its copy; there is none then.
    """
    folder = target.parent
    try:
        # Before the work begins, and against whoever takes the same name meanwhile.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise BackupRefused(target, "exists already", "name another file") from None
    except OSError as error:
        what = f"cannot be made ({error.strerror})"
        raise BackupRefused(target, what, "name a file in a folder that you may write") from None
    made: Path | None = None
    try:
        # Mode 0600; in the same folder, so that it can take the place of the first.
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=folder)
        os.close(descriptor)
        made = Path(name)
        _copy(conn, made, progress)
        _check(made, path_of(conn))
        _sync(made)
        length = made.stat().st_size
        made.replace(target)
        _sync(folder)
    except BaseException as error:
        for left in (made, target):
            if left is not None:
                with contextlib.suppress(OSError):
                    left.unlink()
        if isinstance(error, OSError) or _is_full(error):
            why = error.strerror if isinstance(error, OSError) else "the disk is full"
            what = f"cannot be written ({why})"
            raise BackupRefused(target, what, "make room, or name another disk") from error
        raise
    return length


def _is_full(error: BaseException) -> bool:
    # Nothing but the copy is written: it is its disk, whatever file SQLite's own words are about.
    cause = getattr(error.__cause__, "sqlite_errorcode", None)
    return isinstance(error, LedgerError) and cause == sqlite3.SQLITE_FULL


def _copy(
    conn: sqlite3.Connection, target: Path, progress: Callable[[int, int], None] | None
) -> None:
    def told(_: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        # Nobody reads it before it is whole and synced: no journal is needed until then.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        # Without a snapshot of its own each step would begin anew after what others wrote.
        with snapshot(conn):
            conn.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            conn.backup(copy, pages=_STEP_PAGES, progress=told)


def _check(copy: Path, source: str) -> None:
    # Immutable: no -wal and no -shm are made beside it.
    uri = f"{copy.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as conn, translating(source):
        found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise LedgerBroken(
            source,
            f"its copy is damaged, and was removed ({found})",
            "run `dialwarden ledger verify`, and keep the backups that you have",
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
