"""What is kept without end without saying of whom: numbers and persons as keyed hashes.

Owns the table `hash_key`, and what a number and a person become in a row that was reduced. Whoever
has the file has the key, and may try all numbers: what this keeps is that nobody reads them in it
by looking, or by accident.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from dialwarden.ledger.connection import LedgerConnection, micros, transaction

_KEY_BYTES = 32
_63_BITS = (1 << 63) - 1
_PERSON_MARK = "h:"
_PERSON_BYTES = 16
# Whole: a dialer's own ids may begin so.
_REDUCED_PERSON = re.compile(f"{_PERSON_MARK}[0-9a-f]{{{2 * _PERSON_BYTES}}}")


class Subject(NamedTuple):
    """A callee under both names: as they are, and as reduced rows have them.

    Where the ledger has no key there are no such rows, and both are the same. `person` and
    `reduced_person` are None where nobody said who it is.
    """

    number: int
    reduced: int
    person: str | None
    reduced_person: str | None


def key_of(conn: sqlite3.Connection) -> bytes | None:
    """The ledger's key; None until something was reduced for the first time.

    Asked by primary key until there is one: another process may make it.
    """
    if isinstance(conn, LedgerConnection) and conn.hash_key is not None:
        return conn.hash_key
    row = conn.execute("SELECT bytes FROM hash_key WHERE id = 1").fetchone()
    if row is None:
        return None
    key: bytes = row[0]
    if isinstance(conn, LedgerConnection):
        conn.hash_key = key
    return key


def make_key(conn: sqlite3.Connection, now: datetime) -> bytes:
    """The ledger's key, made if there is none; in a transaction of its own.

    Never within another one: a key that was rolled back would be remembered.

    Raises:
        LedgerUnavailable, LedgerBroken: it could not be written.
    """
    with transaction(conn):
        conn.execute(
            "INSERT INTO hash_key (id, bytes, made_at) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
            (secrets.token_bytes(_KEY_BYTES), micros(now)),
        )
    key = key_of(conn)
    assert key is not None
    return key


def reduced_number(key: bytes, number: int) -> int:
    """What stands for a number (digits of E.164) in a reduced row: below zero."""
    digest = blake2b(b"%d" % number, digest_size=8, key=key).digest()
    # Zero is no number of anybody's, and has no minus.
    return -(int.from_bytes(digest, "big") & _63_BITS or 1)


def reduced_person(key: bytes, person: str) -> str:
    """What stands for a person's id in a reduced row."""
    named = b"person:" + person.encode(errors="surrogatepass")
    return _PERSON_MARK + blake2b(named, digest_size=_PERSON_BYTES, key=key).hexdigest()


def is_reduced(person: str) -> bool:
    """Whether what stands in a row is no person's id but its hash."""
    return _REDUCED_PERSON.fullmatch(person) is not None


def subject(conn: sqlite3.Connection, number: int, person: str = "") -> Subject:
    """A callee, to be looked for among objections and withdrawals."""
    name = person or None
    key = key_of(conn)
    if key is None:
        return Subject(number, number, name, name)
    return Subject(
        number, reduced_number(key, number), name, reduced_person(key, person) if person else None
    )
