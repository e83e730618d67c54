"""Opening the file, transactions, instants, and what SQLite's errors mean to us.

Owns the pragmas and the translation of `sqlite3.Error` into `LedgerError`.
Knows no table.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dialwarden.errors import LedgerBroken, LedgerError, LedgerUnavailable
from dialwarden.ledger import schema
from dialwarden.ledger.ledger_file import AS_OWNER, check_file, check_rights, prepare_file

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# One question reads a handful of pages; a cache of 32 MiB holds the upper levels of the indexes
# of some 5 million attempts.
_CACHE_KIB = 32 * 1024

# By primary result code. What may pass by itself, and what needs a person.
_HOLDER = "`fuser` on the file names who has it open"
_DISK = "the kernel's log says more"
_RIGHTS = "give dialwarden's user the right to write it, and its folder"
_PASSING = {
    sqlite3.SQLITE_BUSY: ("locked by another process", _HOLDER),
    sqlite3.SQLITE_LOCKED: ("locked by another connection", ""),
    sqlite3.SQLITE_FULL: ("the disk is full", "make room on it"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", _DISK),
    sqlite3.SQLITE_READONLY: ("cannot be written", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _RIGHTS),
    sqlite3.SQLITE_PERM: ("access denied", _RIGHTS),
    sqlite3.SQLITE_AUTH: ("access denied", _RIGHTS),
    sqlite3.SQLITE_NOMEM: ("out of memory", ""),
    sqlite3.SQLITE_PROTOCOL: ("locked by another process", _HOLDER),
    sqlite3.SQLITE_INTERRUPT: ("interrupted", ""),
}
_LASTING = {
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "is no SQLite file",
    sqlite3.SQLITE_FORMAT: "is no SQLite file that can be read",
}


class LedgerConnection(sqlite3.Connection):
    """A connection that knows which file it opened, and which log, by name and by inode.

    Attributes:
        path: the ledger's name as it was configured.
        place: what that name led to through symbolic links: SQLite's log lies beside that one.
        size: bytes of the file, the most that were seen.
        hash_key: that file's, once it is known; see `reduced`.
    """

    path: str = ""
    place: str = ""
    inode: tuple[int, int] | None = None
    log: tuple[int, int] | None = None
    hash_key: bytes | None = None
    size: int = 0


def micros(instant: datetime) -> int:
    """Microseconds since 1970 in UTC.

    Raises:
        ValueError: `instant` is naive.
    """
    if instant.tzinfo is None:
        raise ValueError(f"naive instant {instant!r}: the ledger takes aware ones only")
    return (instant - EPOCH) // _MICROSECOND


def instant(micros: int) -> datetime:
    """The aware instant, in UTC."""
    return EPOCH + timedelta(0, 0, micros)


def maybe_micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def maybe_instant(at: int | None) -> datetime | None:
    return None if at is None else instant(at)


def file_id(path: str) -> tuple[int, int] | None:
    """Device and inode of the file of that name now; None when there is none."""
    return _id_and_size(path)[0]


def _id_and_size(path: str) -> tuple[tuple[int, int] | None, int]:
    try:
        found = os.stat(path)  # noqa: PTH116  asked at every batch; Path would double its price
    except OSError:
        return None, 0
    return (found.st_dev, found.st_ino), found.st_size


def replaced(conn: sqlite3.Connection) -> bool:
    """Whether the name stands for another file by now, or for none, and may be opened anew.

    What is written to a file that has no name any more is hidden from everybody. Two calls of
    `stat`, some 3 us: cheap enough for every batch.

    Raises:
        LedgerBroken: the log is not the file's own any more. SQLite finds a log by its name: it
            would play a former file's log into the new one, or lose what only the removed log
            holds (the last connection to close still saves that: hence the advice to restart).
            Or the file became shorter, as when a copy is written over it. SQLite would go on with
            the pages that it has in memory; nothing of ours ever makes a ledger shorter.
    """
    if not isinstance(conn, LedgerConnection):
        return False
    if conn.log is None:
        conn.log = file_id(f"{conn.place}-wal")
    same_log = conn.log == file_id(f"{conn.place}-wal")
    inode, size = _id_and_size(conn.path)
    if inode == conn.inode:
        if not same_log:
            raise LedgerBroken(
                conn.path, "its log (-wal) was removed while in use", "restart dialwarden"
            )
        if size < conn.size:
            raise LedgerBroken(
                conn.path,
                f"was cut to {size} bytes while in use, or written over",
                "stop dialwarden, restore the file, remove its -wal and -shm, start again",
            )
        conn.size = size
        return False
    if os.path.realpath(conn.path) != conn.place:
        return True
    if same_log and conn.log is not None:
        raise LedgerBroken(
            conn.path,
            "was replaced or removed while its log (-wal) stayed",
            "stop dialwarden, restore the file, remove its -wal and -shm, start again",
        )
    return True


def translated(error: sqlite3.Error, path: str) -> LedgerError | None:
    """What an error of SQLite means for the ledger; None when it is a fault of our own."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary in _LASTING:
        return LedgerBroken(path, f"{_LASTING[primary]} ({error})", "restore it from a backup")
    if primary in _PASSING:
        what, do = _PASSING[primary]
        return LedgerUnavailable(path, f"{what} ({error})", do)
    return None


@contextlib.contextmanager
def translating(path: str) -> Iterator[None]:
    """Raise `LedgerError` in place of SQLite's error, where there is one for it."""
    try:
        yield
    except sqlite3.Error as error:
        ours = translated(error, path)
        if ours is None:
            raise
        raise ours from error


def path_of(conn: sqlite3.Connection) -> str:
    return conn.path if isinstance(conn, LedgerConnection) else "(ledger)"


def forget_key(conn: sqlite3.Connection) -> None:
    """Have the file asked for its key again: one restored in place may have another, or none.

    By another key a number that was reduced would not be found, and its no would be lost.
    """
    if isinstance(conn, LedgerConnection):
        conn.hash_key = None


def roll_back(conn: sqlite3.Connection) -> None:
    """End the open transaction, if there still is one, without its effects.

    SQLite has rolled back by itself after a full disk and some others; another ROLLBACK would be
    an error that hides the first.
    """
    if conn.in_transaction:
        conn.execute("ROLLBACK")


@contextlib.contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Write under the lock: commit at the end, roll back on any exception.

    Raises:
        LedgerUnavailable, LedgerBroken: in place of SQLite's own errors.
    """
    with translating(path_of(conn)):
        conn.execute("BEGIN IMMEDIATE")
        forget_key(conn)
        try:
            yield conn
            conn.execute("COMMIT")
        except BaseException:
            roll_back(conn)
            raise


@contextlib.contextmanager
def snapshot(conn: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Read one state of the ledger, however many queries and whoever writes meanwhile.

    Raises:
        LedgerUnavailable, LedgerBroken: in place of SQLite's own errors.
    """
    with translating(path_of(conn)):
        conn.execute("BEGIN")
        forget_key(conn)
        try:
            yield conn
        finally:
            roll_back(conn)


def open_ledger(
    path: Path | str, *, create: bool = True, busy_timeout_s: float = 1.0
) -> sqlite3.Connection:
    """Open the ledger, make it if need be, and bring it to this program's version.

    Args:
        create: make the file, and its directory, when there is none. False for whoever had it
            open already: a ledger that vanished has not become an empty one.
        busy_timeout_s: how long a lock of another process is waited for.

    Returns:
        A connection without implicit transactions, usable from any one thread at a time.

    Raises:
        LedgerUnavailable: missing, locked, or not to be opened.
        LedgerBroken: not a ledger of ours, newer than this program, damaged.
    """
    name = os.path.abspath(path)  # noqa: PTH100  kept as text: see file_id
    prepare_file(Path(name), create=create)

    def set_up(conn: LedgerConnection) -> None:
        _set_up(conn, name, create=create, busy_timeout_s=busy_timeout_s)

    return _connect(name, busy_timeout_s, set_up)


def open_ledger_to_read(path: Path | str, *, busy_timeout_s: float = 1.0) -> sqlite3.Connection:
    """Open a ledger that is there, and leave it as it is: version, mode, journal.

    Reading takes the right to write all the same: readers are noted in the -shm, and whoever is
    the last to close puts what a killed bridge left in the -wal into the file. SQLite's `mode=ro`
    does neither, and leaves a -wal and a -shm behind that belong to whoever read.

    Returns:
        A connection on which every statement that writes fails.

    Raises:
        LedgerUnavailable: missing, locked, or not this user's to open.
        LedgerBroken: not a ledger of ours, older or newer than this program, damaged.
    """
    name = os.path.abspath(path)  # noqa: PTH100  as above
    try:
        check_file(Path(name))
        check_rights(Path(name))
    except OSError as error:
        what = f"cannot be opened ({error.strerror})"
        raise LedgerUnavailable(name, what, AS_OWNER) from error

    def set_up(conn: LedgerConnection) -> None:
        conn.execute("PRAGMA query_only = ON")
        _check_ours(conn, name, create=False)
        if schema.pending(conn):
            raise LedgerBroken(
                name,
                f"is of version {schema.version(conn)}, older than this program's"
                f" {schema.newest()}",
                "run `dialwarden serve` or a command that writes once",
            )

    return _connect(name, busy_timeout_s, set_up)


def open_beside(conn: sqlite3.Connection) -> sqlite3.Connection:
    """Another connection to the very file and log that one has open.

    Raises:
        LedgerUnavailable: their names stand for other files by now, or none.
        LedgerBroken: the log was taken away, or the file is damaged.
    """
    if not isinstance(conn, LedgerConnection) or replaced(conn):
        raise LedgerUnavailable(path_of(conn), "is another file by now")
    beside = _connect(conn.path, 0.0, lambda _: None)
    beside.log = file_id(f"{beside.place}-wal")
    if (beside.inode, beside.log) == (conn.inode, conn.log):
        return beside
    beside.close()
    raise LedgerUnavailable(conn.path, "was replaced this moment")


def _connect(
    path: str, busy_timeout_s: float, set_up: Callable[[LedgerConnection], None]
) -> LedgerConnection:
    with translating(path):
        conn = sqlite3.connect(
            # Never made here: an empty file would be taken for one that vanished.
            f"{Path(path).as_uri()}?mode=rw",
            uri=True,
            timeout=busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=LedgerConnection,
        )
        try:
            conn.path = path
            conn.place = os.path.realpath(path)
            conn.inode, conn.size = _id_and_size(path)
            if conn.inode is None:
                raise LedgerUnavailable(path, "there is no such file")
            conn.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            conn.execute("PRAGMA wal_autocheckpoint = 0")  # see log_copy
            # What a statement of many rows would take back is kept in memory, not in a file each.
            conn.execute("PRAGMA temp_store = MEMORY")
            set_up(conn)
        except BaseException:
            conn.close()
            raise
    return conn


def _set_up(conn: LedgerConnection, path: str, *, create: bool, busy_timeout_s: float) -> None:
    _check_ours(conn, path, create=create)
    _set_wal(conn, path, busy_timeout_s)
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("PRAGMA foreign_keys = ON")
    for migration in schema.migrate(conn):
        log.info("ledger %s: migrated to version %d (%s)", path, migration.version, migration.name)
    conn.log = file_id(f"{conn.place}-wal")


def _check_ours(conn: LedgerConnection, path: str, *, create: bool) -> None:
    # In one read transaction: another process may be writing the very first migration now.
    conn.execute("BEGIN")
    try:
        mark = conn.execute("PRAGMA application_id").fetchone()[0]
        tables = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        version = schema.version(conn)
    finally:
        roll_back(conn)
    if mark != schema.APPLICATION_ID and (tables or mark or version):
        raise LedgerBroken(path, "is a database of another program", "name another file")
    if mark != schema.APPLICATION_ID and not create:
        raise LedgerBroken(path, "is empty", "restore it from a backup")
    if version > schema.newest():
        raise LedgerBroken(
            path,
            f"is of version {version}, newer than this program's {schema.newest()}",
            "run the newer dialwarden",
        )


def _set_wal(conn: LedgerConnection, path: str, busy_timeout_s: float) -> None:
    # Changing the journal mode fails at once when another connection reads, without the busy
    # wait that other statements get: two processes that make one ledger together meet here.
    give_up = time.monotonic() + busy_timeout_s
    while True:
        try:
            mode = conn.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= give_up:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise LedgerUnavailable(
                path, f"journal mode is {mode}, not wal", "put it on a local file system"
            )
        return
