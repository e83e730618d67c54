"""How much is on record, and how fast it grows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.ledger.helpers import T0, attempt

from dialwarden.ledger.attempts import reserve
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.vitals import Vitals, vitals


def seen(folder: Path, *ages_in_days: float) -> Vitals:
    conn = open_ledger(folder / "ledger.db")
    with transaction(conn):
        for days in ages_in_days:
            reserve(conn, attempt(at=T0 - timedelta(days=days)))
    found = vitals(conn, T0)
    conn.close()
    return found


def test_an_empty_ledger_has_none(tmp_path: Path) -> None:
    assert seen(tmp_path) == Vitals(None, 0, 0)


@pytest.mark.parametrize(
    ("ages", "month"),
    [
        ((0,), 1),
        ((31,), 0),
        ((30,), 1),  # exactly thirty days old
        ((90, 60, 31, 30.5, 29, 1), 2),
        (tuple(range(100, 0, -1)), 30),
        (tuple(range(20, 0, -1)), 20),
    ],
)
def test_the_last_thirty_days_are_counted(
    tmp_path: Path, ages: tuple[float, ...], month: int
) -> None:
    found = seen(tmp_path, *ages)
    assert (found.rows, found.rows_month) == (len(ages), month)
    assert found.newest == T0 - timedelta(days=ages[-1])


def test_ids_that_were_purged_do_not_confuse_it(tmp_path: Path) -> None:
    conn = open_ledger(tmp_path / "ledger.db")
    with transaction(conn):
        for days in range(60, 0, -1):
            reserve(conn, attempt(at=T0 - timedelta(days=days)))
        conn.execute("DELETE FROM attempt WHERE id % 2 = 0 AND id < 40")
    assert vitals(conn, T0) == Vitals(T0 - timedelta(days=1), 60, 30)
    conn.close()
