"""What a kill may not do to a bridge under load: the short version of `make soak`'s kills."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.soak import checks
from tests.soak.calls import Said
from tests.soak.history import ledger_with
from tests.soak.kills import kill


@pytest.mark.timeout(300)
def test_three_kills_under_load_forget_nothing_that_was_allowed(tmp_path: Path) -> None:
    report = kill(tmp_path, kills=3, rate=150, attempts=1000, up_s=(0.3, 0.8))
    assert report.wrong == []
    # It did happen: they were allowed, refused at their caps, and turned away by nobody there.
    assert report.told["ALLOW"] > 50
    assert report.told["REFUSE opposition"] > 5
    assert report.told["no connection"] > 5
    assert len(report.starts) == 4


# The comparison itself: what it would find.

NUMBER = 33_600_000_001


def said(attempt: int, verdict: str = "ALLOW", **more: object) -> Said:
    values: dict[str, object] = {
        "due": 0.0, "after": 0.0, "verdict": verdict, "rule": "", "attempt": attempt,
        "number": NUMBER, "dialled": f"+{NUMBER}", "call": f"1.{attempt}", "reason": "", **more,
    }  # fmt: skip
    return Said(**values)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two attempts, told as 1 and 2."""
    path = tmp_path / "ledger.db"
    ledger_with(0, path)
    with closing(sqlite3.connect(path)) as conn:
        conn.executemany(
            "INSERT INTO attempt (number, professional, campaign, purpose, door, call, at, state)"
            f" VALUES ({NUMBER}, 'acme', 'soak', 'sales', 'agi', ?, 0, 'reserved')",
            [("1.1",), ("1.2",)],
        )
        conn.commit()
    return path


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([said(1), said(2)], []),
        ([said(1)], ["in the ledger, and nobody was told: 1"]),
        ([said(1), said(2), said(3)], ["allowed, and not in the ledger as told: 1"]),
        ([said(1), said(2, call="1.9")], ["allowed, and not in the ledger as told: 1"]),
        ([said(1), said(2, number=NUMBER + 1)], ["allowed, and not in the ledger as told: 1"]),
        ([said(1), said(2), said(2)], ["attempt told twice: 1"]),
        ([said(1), said(2), said(0, "REFUSE")], ["refusals told and recorded differ: 1"]),
        ([said(1), said(2), said(0, "REFUSE", dialled="112", call="1.0")],
         ["exempt, and yet refused: 1", "refusals told and recorded differ: 1"]),
        ([said(1), said(2), said(0, "no connection")], []),
        # Whoever left while the answer was on its way: it counts.
        ([said(1), said(0, "nothing", call="1.2")], []),
    ],
)  # fmt: skip
def test_the_comparison_finds_what_is_wrong(
    ledger: Path, told: list[Said], found: list[str]
) -> None:
    wrong = checks.nothing_lost(ledger, told, told_all=True, recorded_all=True)
    assert [line.partition(",")[0] for line in wrong] == [
        line.partition(",")[0] for line in found
    ]  # fmt: skip


def test_an_attempt_that_was_voided_is_not_in_force(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as conn:
        conn.execute("UPDATE attempt SET state = 'voided', voided_at = 1 WHERE id = 2")
        conn.commit()
    assert checks.nothing_lost(ledger, [said(1)], told_all=True, recorded_all=True) == []
    assert checks.nothing_lost(ledger, [said(1), said(2)], told_all=True, recorded_all=True)


def test_a_fifth_attempt_is_over_the_cap(ledger: Path) -> None:
    fifth = [said(n, call="") for n in range(1, 6)]
    assert any(
        "over the cap" in line
        for line in checks.nothing_lost(ledger, fifth, told_all=True, recorded_all=True)
    )


def test_a_damaged_ledger_is_not_whole(ledger: Path) -> None:
    assert checks.whole(ledger) == []
    with closing(sqlite3.connect(ledger)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute(
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master"
            " WHERE name = 'refusal_by_at') WHERE name = 'attempt_by_number'"
        )
        conn.commit()
    assert checks.whole(ledger) != []
