"""Of many callees at once: of which is anything on record, and in which list do they stand.

Most callees of a contact file were never called, never said anything and stand in no list. Owns
the few queries that find the others among thousands; what there is of those, `facts` and
`list_cache` say, one by one. All of it in one snapshot: nothing here is asked anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import date, datetime

from pyroaring import BitMap64

from dialwarden.ledger.connection import micros
from dialwarden.ledger.list_cache import ListCache, LoadedBody
from dialwarden.ledger.lists import Head
from dialwarden.ledger.reduced import key_of, reduced_number, reduced_person

# Whatever the rules may ask for, and no more finely than it can be asked quickly: a row that turns
# out not to count costs one look-up.
_NUMBERS = """
SELECT asked.value FROM json_each(:asked) AS asked WHERE
    EXISTS (SELECT 1 FROM attempt
        WHERE number = asked.value AND professional = :professional AND at >= :since)
    OR EXISTS (SELECT 1 FROM objection WHERE number = asked.value)
    OR EXISTS (SELECT 1 FROM consent
        WHERE number = asked.value AND professional = :professional)
    OR EXISTS (SELECT 1 FROM appointment
        WHERE number = asked.value AND professional = :professional)
    OR EXISTS (SELECT 1 FROM silent_call
        WHERE number = asked.value AND professional = :professional)
"""
_REDUCED = """
SELECT asked.value FROM json_each(:asked) AS asked
WHERE EXISTS (SELECT 1 FROM objection WHERE number = asked.value)
"""
# Bound one by one, not as JSON: a person's id may hold any character.
_PERSON = """
SELECT EXISTS (SELECT 1 FROM attempt
        WHERE person = :person AND professional = :professional AND at >= :since)
    OR EXISTS (SELECT 1 FROM objection WHERE person IN (:person, :reduced_person))
    OR EXISTS (SELECT 1 FROM silent_call
        WHERE person = :person AND professional = :professional)
"""


def numbers_on_record(
    conn: sqlite3.Connection,
    numbers: Iterable[int],
    *,
    professional: str,
    attempts_since: datetime,
) -> BitMap64:
    """Those numbers, digits of E.164, of which `read_facts` may find anything.

    Args:
        attempts_since: how far back attempts are wanted, inclusive.
    """
    asked = list(numbers)
    rows = conn.execute(
        _NUMBERS,
        {
            "asked": json.dumps(asked),
            "professional": professional,
            "since": micros(attempts_since),
        },
    )
    found = BitMap64([row[0] for row in rows])
    key = key_of(conn)
    if key is not None:
        of_reduced = {reduced_number(key, number): number for number in asked}
        rows = conn.execute(_REDUCED, {"asked": json.dumps(list(of_reduced))})
        found.update(of_reduced[row[0]] for row in rows)
    return found


def persons_on_record(
    conn: sqlite3.Connection,
    persons: Iterable[str],
    *,
    professional: str,
    attempts_since: datetime,
) -> frozenset[str]:
    """Those persons of whom `read_facts` may find anything besides their number's."""
    since = micros(attempts_since)
    key = key_of(conn)
    return frozenset(
        person
        for person in persons
        if conn.execute(
            _PERSON,
            {
                "person": person,
                "reduced_person": reduced_person(key, person) if key else person,
                "professional": professional,
                "since": since,
            },
        ).fetchone()[0]
    )


class SnapshotLists(ListCache):
    """The lists as one snapshot has them: each former version is looked for once.

    `refresh` first, once, in the snapshot.
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[tuple[str, datetime, date], tuple[Head, LoadedBody] | None] = {}
        self._overlaid_numbers: BitMap64 | None = None

    def standing(
        self,
        conn: sqlite3.Connection,
        names: Iterable[str],
        numbers: BitMap64,
        at: datetime | None = None,
        local_dates: Iterable[date] = (),
    ) -> BitMap64:
        """Those numbers that may stand in one of the lists, or were put on or taken off one.

        What `look_up` says of all others is the same for each of them.

        Args:
            at: None for a live question; else the instant asked about, and `local_dates` all
                dates that it has where the callees may be.

        Raises:
            LedgerBroken: a list's stored numbers are damaged.
        """
        if self._overlaid_numbers is None:
            rows = conn.execute("SELECT DISTINCT number FROM list_overlay")
            self._overlaid_numbers = BitMap64([row[0] for row in rows])
        found = numbers & self._overlaid_numbers
        dates = tuple(local_dates)
        for name in names:
            if at is None:
                versions = [self._live[name] if name in self._live else self._load(conn, name)]
            else:
                versions = [self.version_at(conn, name, at, day) for day in dates]
            for version in versions:
                if version is not None:
                    found |= numbers & version[1].body.numbers
        return found

    def version_at(
        self, conn: sqlite3.Connection, name: str, at: datetime, local_date: date
    ) -> tuple[Head, LoadedBody] | None:
        asked = (name, at, local_date)
        if asked not in self._found:
            self._found[asked] = super().version_at(conn, name, at, local_date)
        return self._found[asked]
