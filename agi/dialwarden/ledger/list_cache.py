"""What the lists say of a number, from memory.

Owns the bitmaps in memory. Whether anything changed is asked once a batch (`refresh`), with three
short look-ups; between two batches no answer is kept. A version that is not in memory is read then
and there, and holds at once. Where somebody else does the reading (`list_watch`), a long one is
waited for, and the version before it answers until it is there.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import date, datetime
from weakref import WeakValueDictionary

from dialwarden.errors import LedgerBroken
from dialwarden.facts import Listing
from dialwarden.ledger.connection import micros
from dialwarden.ledger.list_body import Body
from dialwarden.ledger.lists import Head, Op, head_at, live_head, read_body

# Former versions that `--at` asked for. `screen --at` takes one instant, a person asks of a few.
_FORMER_VERSIONS = 4

_BROKEN_FOR_S = 10.0
# Numbers; fewer are read within a call's own batch in a millisecond or two, and hold for it.
_SHORT = 100_000
# Whoever was to read a long one has had its time: it is then read as if there were nobody.
_PATIENCE_S = 10.0

# Which body it is, whatever file it comes from: a restored ledger may use an id again.
_Key = tuple[int, str, int, datetime]


class LoadedBody:
    """A body that can be shared for as long as somebody holds it."""

    __slots__ = ("__weakref__", "body", "key")

    def __init__(self, key: _Key, body: Body) -> None:
        self.key = key
        self.body = body


class ListBodies:
    """Bodies in memory, once each, for all caches of a process. Safe across threads."""

    def __init__(self) -> None:
        self._loaded: WeakValueDictionary[_Key, LoadedBody] = WeakValueDictionary()
        # To find a long list damaged takes as long as to read it, under the lock for writing: it is
        # not tried again for some seconds. Value: until when (time.monotonic), and the finding.
        self._broken: dict[_Key, tuple[float, LedgerBroken]] = {}
        # One for each body that is being read: who wants another does not wait.
        self._reading: dict[_Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, conn: sqlite3.Connection, head: Head) -> LoadedBody:
        """The body of a version, read from the file the first time.

        Raises:
            LedgerBroken: what is stored is not what was written.
        """
        key = _key(head)
        with self._lock:
            found = self._loaded.get(key)
            if found is not None:
                return found
            reading = self._reading.setdefault(key, threading.Lock())
        try:
            with reading:
                found = self._loaded.get(key)
                return found if found is not None else self._read(conn, head, key)
        finally:
            with self._lock:
                self._reading.pop(key, None)

    def _read(self, conn: sqlite3.Connection, head: Head, key: _Key) -> LoadedBody:
        until, known = self._broken.get(key, (0.0, None))
        if known is not None and time.monotonic() < until:
            raise LedgerBroken(known.path, known.what, known.do)
        try:
            found = LoadedBody(key, read_body(conn, head))
        except LedgerBroken as error:
            self._broken[key] = (time.monotonic() + _BROKEN_FOR_S, error)
            raise
        with self._lock:
            self._loaded[key] = found
            self._broken.pop(key, None)
        return found

    def is_settled(self, head: Head) -> bool:
        """Whether a version is in memory, or known to be damaged."""
        key = _key(head)
        with self._lock:
            return key in self._loaded or key in self._broken

    def known(self, head: Head) -> LoadedBody | None:
        """The body of a version, as far as that is settled.

        Raises:
            LedgerBroken: what is stored was not what was written when it was last read.
        """
        with self._lock:
            found = self._loaded.get(_key(head))
            if found is not None or _key(head) not in self._broken:
                return found
            _, known = self._broken[_key(head)]
        raise LedgerBroken(known.path, known.what, known.do)


def _key(head: Head) -> _Key:
    return head.version, head.sha256, head.crc, head.imported_at


class ListCache:
    """One connection's view of the lists. One thread at a time.

    `refresh` first, in the same transaction as the look-ups that follow.

    Attributes:
        watched: somebody reads new versions into `bodies`: long ones are left to them, and until
            they are in memory the version that was in force before answers. Each answer names the
            version that gave it.
    """

    def __init__(self, bodies: ListBodies | None = None) -> None:
        self.watched = False
        self._bodies = bodies or ListBodies()
        self._conn: sqlite3.Connection | None = None
        self._newest: tuple[object, ...] | None = None
        # The numbers that were ever put on or taken off a list, and the newest such operation: only
        # of those need anything be read.
        self._overlaid: set[int] = set()
        self._last_overlay: tuple[int, int, int] | None = None
        # name -> the version in force and its body; None for a list never imported
        self._live: dict[str, tuple[Head, LoadedBody] | None] = {}
        # What was in force before the last change, kept until each list is asked for again: most
        # are the same, and their bodies need not be read anew.
        self._held: dict[str, tuple[Head, LoadedBody] | None] = {}
        # Of those, what may still answer: of the same file, for a version that is on its way.
        self._standing_in: dict[str, tuple[Head, LoadedBody] | None] = {}
        # Whose next version is on its way, and until when it is waited for (time.monotonic).
        self._awaited: dict[str, tuple[Head, float]] = {}
        self._former: OrderedDict[_Key, LoadedBody] = OrderedDict()

    def refresh(self, conn: sqlite3.Connection) -> None:
        """Notice what anybody imported, took back or overlaid since.

        The last row is compared whole, not by id alone: an id of a transaction that was rolled
        back, or of a file that was replaced, comes again with other contents.
        """
        newest = conn.execute(
            "SELECT id, sha256, imported_at, crc FROM list_version ORDER BY id DESC LIMIT 1"
        ).fetchone()
        withdrawn = conn.execute(
            "SELECT count(*), max(withdrawn_at) FROM list_version WHERE withdrawn_at IS NOT NULL"
        ).fetchone()
        same_file = conn is self._conn
        self._refresh_overlaid(conn, same_file=same_file)
        if (newest, withdrawn) != self._newest or not same_file:
            self._held.update(self._live)
            self._standing_in = {**self._standing_in, **self._live} if same_file else {}
            self._live = {}
            self._newest = (newest, withdrawn)
            self._conn = conn
        self.settle()

    def settle(self) -> None:
        """Take the versions that were waited for and are in memory by now; as part of `refresh`,
        or in its place where nobody else wrote since."""
        for name, (head, until) in self._awaited.items():
            if self._bodies.is_settled(head) or time.monotonic() >= until:
                self._live.pop(name, None)

    def _refresh_overlaid(self, conn: sqlite3.Connection, *, same_file: bool) -> None:
        row = "SELECT id, number, at FROM list_overlay"
        newest = conn.execute(f"{row} ORDER BY id DESC LIMIT 1").fetchone()
        if same_file and newest == self._last_overlay:
            return
        last, since = self._last_overlay, 0
        if same_file and last is not None:
            still = conn.execute(f"{row} WHERE id = ?", (last[0],)).fetchone() == last
            since = last[0] if still else 0
        if not since:
            self._overlaid = set()
        numbers = conn.execute("SELECT DISTINCT number FROM list_overlay WHERE id > ?", (since,))
        self._overlaid.update(number for (number,) in numbers)
        self._last_overlay = newest

    def look_up(
        self,
        conn: sqlite3.Connection,
        names: Iterable[str],
        number: int,
        at: datetime | None = None,
        local_date: date | None = None,
    ) -> dict[str, Listing]:
        """What each of the lists says of a number.

        Args:
            at: None for a live question; else the instant asked about, and `local_date` its
                date in the callee's zone.

        Raises:
            LedgerBroken: a list's stored numbers are damaged.
            ValueError: `at` without `local_date`.
        """
        ops = self._overlays(conn, number, at) if number in self._overlaid else {}
        listings = {}
        for name in names:
            if at is None:
                found = self._live[name] if name in self._live else self._load(conn, name)
            elif local_date is None:
                raise ValueError("an instant comes with its date in the callee's zone")
            else:
                found = self.version_at(conn, name, at, local_date)
            listings[name] = _listing(found, number, ops.get(name))
        return listings

    def _load(self, conn: sqlite3.Connection, name: str) -> tuple[Head, LoadedBody] | None:
        head = live_head(conn, name)
        if head is not None and self._is_awaited(name, head):
            self._live[name] = self._standing_in[name]
            return self._live[name]
        found = None if head is None else (head, self._bodies.get(conn, head))
        self._live[name] = found
        for former in (self._held, self._standing_in, self._awaited):
            former.pop(name, None)
        return found

    def _is_awaited(self, name: str, head: Head) -> bool:
        """Whether somebody else is to read this version, and the one before stands in for it.

        Raises:
            LedgerBroken: it was read, and is damaged.
        """
        if not self.watched or head.count <= _SHORT or name not in self._standing_in:
            return False
        if self._bodies.known(head) is not None:
            return False
        awaited, until = self._awaited.get(name, (None, 0.0))
        if awaited != head:
            until = time.monotonic() + _PATIENCE_S
            self._awaited[name] = head, until
        return time.monotonic() < until

    def version_at(
        self, conn: sqlite3.Connection, name: str, at: datetime, local_date: date
    ) -> tuple[Head, LoadedBody] | None:
        """The version that was in force at an instant; None when there was none."""
        head = head_at(conn, name, at, local_date)
        if head is None:
            return None
        loaded = self._bodies.get(conn, head)
        self._former[loaded.key] = loaded
        self._former.move_to_end(loaded.key)
        while len(self._former) > _FORMER_VERSIONS:
            self._former.popitem(last=False)
        return head, loaded

    @staticmethod
    def _overlays(conn: sqlite3.Connection, number: int, at: datetime | None) -> dict[str, str]:
        """By list, the last operation on a number. Live ones in order of recording, without
        an upper bound: a clock that jumped back hides none."""
        if at is None:
            rows = conn.execute(
                "SELECT name, op FROM list_overlay WHERE number = ? ORDER BY id", (number,)
            )
        else:
            rows = conn.execute(
                "SELECT name, op FROM list_overlay WHERE number = ? AND at <= ? ORDER BY id",
                (number, micros(at)),
            )
        return dict(rows.fetchall())


def _listing(found: tuple[Head, LoadedBody] | None, number: int, op: str | None) -> Listing:
    if found is None:
        return Listing(version=None, listed=op == Op.ADD)
    head, loaded = found
    stands = number in loaded.body.numbers
    # Since when an overlay's number stands there is not said: it was added at an instant, and
    # the date of that depends on a zone that the list does not have.
    since = loaded.body.day_of(number) if stands and op is None else None
    listed = stands if op is None else op == Op.ADD
    return Listing(head.version, head.as_of, listed, since)
