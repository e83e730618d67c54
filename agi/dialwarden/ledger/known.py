"""The numbers that the ledger knows anything of, in memory: of all others nothing need be read.

Owns two sets of numbers, those that were called and those of whom something is on record (a no, a
yes, an appointment, a silent call), and how they are kept true. A number in a set may have left
the ledger since, which costs a read that finds nothing; one that is in the ledger and not in its
set would be a call too many. So until both are complete every number counts as known.

Bounded whatever the history: some 2 bytes a number, 5 one that was reduced, and less than 60 MB if
every number of a country's plan were in it. Which rows matter, and for how long, is for `facts` and
the rules.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from pyroaring import BitMap, BitMap64

from dialwarden.ledger.connection import forget_key
from dialwarden.ledger.reduced import key_of, reduced_number

# Each has an id that only grows (AUTOINCREMENT), and an index that begins with the number.
_CALLED = ("attempt",)
_TOLD = ("objection", "consent", "appointment", "silent_call")
_TABLES = (*_CALLED, *_TOLD)
_NEWEST = "SELECT " + ", ".join(f"(SELECT max(id) FROM {table})" for table in _TABLES)
# Some 5 ms each at 5 million attempts: no read waits long behind one.
SLICE = 20_000
_HIGHEST = (1 << 63) - 1
_LOWER_HALF = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far a table is known: the newest row of which we know, and its number."""

    id: int = 0
    number: int | None = None


_NOTHING = dict.fromkeys(_TABLES, _Mark())


class Numbers:
    """Numbers of the ledger, and up to which row of each table they are complete.

    Attributes:
        reduced: the lower half of the hashes that stand for numbers. Whole ones, which have
            nothing in common, take 120 bytes each, and halves meet seldom: that costs a read.
    """

    def __init__(self) -> None:
        self.called = BitMap64()
        self.told = BitMap64()
        self.reduced = BitMap()
        self.marks: dict[str, _Mark] = dict(_NOTHING)

    def add(self, table: str, numbers: Collection[int]) -> None:
        """Add numbers as they stand in a table: one that was reduced is negative."""
        if table in _CALLED:
            self.called.update(numbers)
        else:
            self.told.update([number for number in numbers if number >= 0])
            self.reduced.update([number & _LOWER_HALF for number in numbers if number < 0])


class KnownNumbers:
    """What one writing connection knows; used in its thread.

    In each transaction `begin`, then `look` before what it says is believed, and `committed` after
    its end. Rolled back, even to a savepoint, it is begun anew.

    Attributes:
        complete: they can be believed; else `Learning` has to be done, or done again.
        epoch: changes when anything that was read or written in a former transaction may not be
            there any more, or not be all there is.
    """

    def __init__(self) -> None:
        self._numbers = Numbers()
        self.complete = False
        self.epoch = 0
        self._marks: dict[str, _Mark] = dict(_NOTHING)  # those of the transaction under way
        self._version: int | None = None  # data_version of the last look
        self._conn: sqlite3.Connection | None = None
        self._written = False
        self._open = False  # a transaction was begun and, as far as we know, not committed

    @property
    def count(self) -> int:
        """How many numbers they are, those both called and on record twice."""
        numbers = self._numbers
        return len(numbers.called) + len(numbers.told) + len(numbers.reduced)

    def adopt(self, conn: sqlite3.Connection, numbers: Numbers) -> None:
        """Believe what was learnt beside, from now on; what came since is added by `look`.

        In a transaction. If they are another ledger's, they are to be learnt once more.
        """
        self._numbers = numbers
        self._conn = None
        self.complete = True
        self.begin(conn)

    def begin(self, conn: sqlite3.Connection) -> bool:
        """Take note of what any other connection committed since the last transaction.

        Returns:
            False when there was nothing: what was read by us in the last one still stands.
        """
        version = conn.execute("PRAGMA data_version").fetchone()[0]
        elsewhere = conn is not self._conn or version != self._version
        self._conn, self._version = conn, version
        if elsewhere or self._open:
            self.epoch += 1
        # One that was rolled back wrote nothing, unless its COMMIT failed after all was done.
        self._written = self._written or self._open or elsewhere
        self._open = True
        self._marks = self._numbers.marks
        if elsewhere:
            forget_key(conn)
            if self.complete and not self._goes_on(conn):
                self.forget()
        return elsewhere

    def written(self) -> None:
        """Take note that a work of others in this transaction may have written rows."""
        self._written = True

    def look(self, conn: sqlite3.Connection) -> None:
        """Add the rows that were written since the last look, if any may have been."""
        if not self._written or not self.complete:
            return
        newest = conn.execute(_NEWEST).fetchone()
        for table, last in zip(_TABLES, newest, strict=True):
            mark = self._marks[table]
            if last is None or last <= mark.id:
                continue
            if last - mark.id > SLICE:
                # A history was imported: to be read beside, not while the ledger is locked.
                self.forget()
                return
            rows = conn.execute(
                f"SELECT id, number FROM {table} WHERE id > ? ORDER BY id", (mark.id,)
            ).fetchall()
            self._numbers.add(table, [number for _, number in rows])
            self._marks = {**self._marks, table: _Mark(*rows[-1])}
        self._written = False

    def reserved(self, attempt: int, number: int) -> None:
        """Add an attempt that was written right after a look, and is the newest of all."""
        if self.complete:
            self._numbers.called.add(number)
            self._marks = {**self._marks, "attempt": _Mark(attempt, number)}

    def committed(self) -> None:
        """The transaction is on disk. Without this its rows are looked at once more."""
        self._open = False
        if self.complete:
            self._numbers.marks = self._marks

    def forget(self) -> None:
        """Believe nothing until it was learnt anew."""
        self.complete = False
        self._numbers = Numbers()

    def newest_objection(self) -> int | None:
        """The id of the newest objection, right after a look; None where it is to be read."""
        return self._marks["objection"].id if self.complete else None

    def called(self, number: int) -> bool:
        """Whether the number may have been called."""
        return not self.complete or number in self._numbers.called

    def told(self, conn: sqlite3.Connection, number: int) -> bool:
        """Whether there may be a no, a yes, an appointment or a silent call of the number.

        A row that is reduced while we know its number is still known by it; one that was reduced
        before is known by the hash.
        """
        numbers = self._numbers
        if not self.complete or number in numbers.told:
            return True
        if not numbers.reduced:
            return False
        key = key_of(conn)
        return key is None or reduced_number(key, number) & _LOWER_HALF in numbers.reduced

    def _goes_on(self, conn: sqlite3.Connection) -> bool:
        """Whether the rows that we know last are still there: else it may be a former copy.

        Ids are never used twice, but by a ledger that was restored in place: it gives those that
        were given since to other numbers.
        """
        for table, mark in self._numbers.marks.items():
            if mark.id:
                row = conn.execute(f"SELECT number FROM {table} WHERE id = ?", (mark.id,))
                if row.fetchone() != (mark.number,):
                    return False
        return True


@dataclass(slots=True)
class Learning:
    """Reads the numbers of a ledger slice by slice, each in a read transaction of its own.

    Rows committed meanwhile need not be in it: the marks are taken first, and what is newer than
    they is added by `KnownNumbers`.
    """

    numbers: Numbers = field(default_factory=Numbers)
    _slices: Iterator[None] | None = None
    _conn: sqlite3.Connection | None = None

    def step(self, conn: sqlite3.Connection) -> bool:
        """Read one slice; whether there is more."""
        if conn is not self._conn:  # the first, or another file has the ledger's name by now
            self._conn = conn
            self.numbers = Numbers()
            self._slices = self._read()
        assert self._slices is not None
        return next(self._slices, False) is None

    def _read(self) -> Iterator[None]:
        for table in _TABLES:
            row = self._now.execute(
                f"SELECT id, number FROM {table} ORDER BY id DESC LIMIT 1"
            ).fetchone()
            if row is not None:
                self.numbers.marks[table] = _Mark(*row)
        for table in _TABLES:
            # From the highest down: a purge beside makes a number negative, which is yet to come
            # wherever we are. The other way it would be gone from before us, to behind us.
            last = _HIGHEST
            while True:
                # One row of text: fetched one by one, each number would wait for the interpreter
                # while calls are answered.
                (text,) = self._now.execute(
                    "SELECT group_concat(number) FROM (SELECT DISTINCT number"
                    f" FROM {table} WHERE number < ? ORDER BY number DESC LIMIT ?)",
                    (last, SLICE),
                ).fetchone()
                if text is None:
                    break
                found = [int(word) for word in text.split(",")]
                last = min(found)
                self.numbers.add(table, found)
                yield

    @property
    def _now(self) -> sqlite3.Connection:
        assert self._conn is not None
        return self._conn
