"""What a kill may not do to a bridge under load: the short version of `make soak`'s kills."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.soak import checks
from tests.soak.calls import Said
from tests.soak.history import ledger_with
from tests.soak.kills import kill, slow


@pytest.mark.timeout(300)
def test_three_kills_under_load_forget_nothing_that_was_allowed(tmp_path: Path) -> None:
    report = kill(tmp_path, kills=3, rate=150, attempts=1000, up_s=(0.3, 0.8))
    assert report.wrong == []
    # It did happen: they were allowed, refused at their caps, and turned away by nobody there.
    assert report.told["ALLOW"] > 50
    assert report.told["REFUSE opposition"] > 5
    assert report.told["no connection"] > 5
    assert len(report.starts) == 4


@pytest.mark.parametrize(
    ("starts", "found"), [([0.4, 3.0], []), ([0.4, 3.1, 7.25], ["2 of 3 starts took more"])]
)
def test_a_start_behind_a_kill_has_the_time_of_any_start(
    starts: list[float], found: list[str]
) -> None:
    assert [line[:23] for line in slow(starts)] == found


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
    """Two attempts, told as 1 and 2; refusals of calls 1.8, 1.7 (two) and 1.6 (three)."""
    path = tmp_path / "ledger.db"
    ledger_with(0, path)
    with closing(sqlite3.connect(path)) as conn:
        conn.executemany(
            "INSERT INTO attempt (number, professional, campaign, purpose, door, call, at, state)"
            f" VALUES ({NUMBER}, 'acme', 'soak', 'sales', 'agi', ?, 0, 'reserved')",
            [("1.1",), ("1.2",)],
        )
        conn.executemany(
            "INSERT INTO refusal (at, number, dialled, professional, campaign, door, call,"
            " asked_by, rule, rules, findings)"
            f" VALUES (0, {NUMBER}, '', 'acme', 'soak', 'agi', ?, '', 'hours', 'hours', '[]')",
            [("1.8",), *[("1.7",)] * 2, *[("1.6",)] * 3],
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
        ([said(1), said(2), said(0, "no connection", call="1.8")],
         ["refusals told and recorded differ: 1"]),
        # Judged, and told at the deadline that it was not.
        ([said(1), said(2), said(0, "REFUSE", rule="unavailable", call="1.7")], []),
        ([said(1), said(2), said(0, "REFUSE", rule="frequency", call="1.7")],
         ["refusals told and recorded differ: 1"]),
        ([said(1), said(2), said(0, "nothing", call="1.7")], []),
        ([said(1), said(2), said(0, "nothing", call="1.6")],
         ["refusals told and recorded differ: 1"]),
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


def test_a_question_that_was_counted_twice_is_found(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as conn:
        conn.execute("UPDATE attempt SET call = '1.1' WHERE id = 2")
        conn.commit()
    told = [said(1), said(0, "nothing", call="1.2")]
    wrong = checks.nothing_lost(ledger, told, told_all=False, recorded_all=False)
    assert [line.partition(",")[0] for line in wrong] == ["one question"]


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
