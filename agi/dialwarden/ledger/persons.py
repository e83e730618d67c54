"""Persons: the ids that join one consumer's numbers, as callers gave them with a call or a no.

Owns no table: reads the ids where they stand. What was reduced says no more whose it is.
"""

from __future__ import annotations

import sqlite3

from dialwarden.ledger.listing import e164
from dialwarden.ledger.reduced import is_reduced

_TABLES = ("attempt", "objection", "silent_call")
_OF_NUMBER = " UNION ".join(
    f"SELECT person FROM {table} WHERE number = :number AND person IS NOT NULL" for table in _TABLES
)
_NUMBERS = " UNION ".join(
    f"SELECT number FROM {table} WHERE person = :person AND number > 0" for table in _TABLES
)


def persons_of(conn: sqlite3.Connection, number: int) -> dict[str, tuple[str, ...]]:
    """The persons that a number was said to belong to, each with its other numbers in E.164."""
    persons = [
        row[0]
        for row in conn.execute(f"{_OF_NUMBER} ORDER BY 1", {"number": number})
        if not is_reduced(row[0])
    ]
    return {
        person: tuple(
            e164(row[0])
            for row in conn.execute(f"{_NUMBERS} ORDER BY 1", {"person": person})
            if row[0] != number
        )
        for person in persons
    }
