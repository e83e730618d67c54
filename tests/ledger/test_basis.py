from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.connection import open_ledger, transaction

FIRST = Basis("fr-a", "fr", "aa", (("bloctel", 3), ("house", None)), "2026b", "0.1", "cc")
SECOND = Basis("fr-a", "fr", "aa", (("bloctel", 4), ("house", None)), "2026b", "0.1", "cc")


def regimes_and_lists(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    return conn.execute("SELECT regime, lists FROM basis ORDER BY id").fetchall()


def test_each_combination_is_one_row(conn: sqlite3.Connection) -> None:
    ids = [basis_id(conn, basis) for basis in (FIRST, SECOND, FIRST, SECOND)]
    assert ids[:2] == ids[2:]
    assert regimes_and_lists(conn) == [
        ("fr-a", '{"bloctel": 3, "house": null}'),
        ("fr-a", '{"bloctel": 4, "house": null}'),
    ]


def test_the_order_of_the_lists_makes_no_other_basis(conn: sqlite3.Connection) -> None:
    turned = Basis("fr-a", "fr", "aa", FIRST.lists[::-1], "2026b", "0.1", "cc")
    assert basis_id(conn, FIRST) == basis_id(conn, turned)


def test_what_was_let_go_makes_another_basis(conn: sqlite3.Connection) -> None:
    under = [replace(FIRST, overrides=(("hours", override),)) for override in (1, 2)]
    assert len({basis_id(conn, one) for one in (FIRST, *under)}) == 3
    told = [row[0] for row in conn.execute("SELECT overrides FROM basis ORDER BY id")]
    assert told == ["{}", '{"hours": 1}', '{"hours": 2}']


def test_an_id_that_was_rolled_back_is_never_handed_out(conn: sqlite3.Connection) -> None:
    def fail() -> None:
        with transaction(conn):
            basis_id(conn, FIRST)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    # SECOND takes the id that FIRST had for a moment.
    taken = basis_id(conn, SECOND)
    assert basis_id(conn, FIRST) != taken
    assert len(regimes_and_lists(conn)) == 2


def test_another_file_has_its_own_ids(conn: sqlite3.Connection, tmp_path: Path) -> None:
    basis_id(conn, SECOND)
    basis_id(conn, FIRST)
    other = open_ledger(tmp_path / "other.db")
    basis_id(other, FIRST)
    assert regimes_and_lists(other) == [("fr-a", '{"bloctel": 3, "house": null}')]
    other.close()
