"""How often the log tells of a ledger that takes nothing, and what."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.helpers import attempt

from dialwarden.errors import LedgerBroken, LedgerError, LedgerUnavailable
from dialwarden.ledger import attempts, group_commit
from dialwarden.ledger.connection import translated
from dialwarden.ledger.group_commit import Ledger
from dialwarden.ledger.trouble import TroubleLog

FULL = LedgerUnavailable("x.db", "the disk is full", "make room on it")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trouble(clock: Clock) -> TroubleLog:
    return TroubleLog("x.db", clock)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def failing(trouble: TroubleLog, clock: Clock, *, times: int, works: int, every_s: float) -> None:
    for _ in range(times):
        trouble.failed(FULL, works)
        clock.now += every_s


def test_a_trouble_is_told_at_once_then_seldom_with_a_count_and_at_its_end(
    trouble: TroubleLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    # 12 s, a batch of 3 works each 20 ms: told at 0, 5 and 10 s.
    failing(trouble, clock, times=600, works=3, every_s=0.02)
    trouble.worked()
    trouble.worked()
    levels, texts = zip(*said(caplog), strict=True)
    assert levels == (logging.ERROR, logging.ERROR, logging.ERROR, logging.WARNING)
    assert all("the disk is full; make room on it; calls are refused" in t for t in texts[:3])
    assert "(works not written since the last such line: 3)" in texts[0]
    counts = [int(text.rpartition(" ")[2].rstrip(")")) for text in texts]
    assert sum(counts) == 600 * 3
    assert "written again after 12.0 s" in texts[3]


def test_a_trouble_that_comes_and_goes_is_told_no_more_often(
    trouble: TroubleLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(500):  # 10 s
        failing(trouble, clock, times=1, works=1, every_s=0.01)
        trouble.worked()
        clock.now += 0.01
    assert len(said(caplog)) <= 6


def test_a_ledger_without_trouble_says_nothing(
    trouble: TroubleLog, caplog: pytest.LogCaptureFixture
) -> None:
    trouble.worked()
    assert said(caplog) == []


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (sqlite3.SQLITE_FULL, LedgerUnavailable, "the disk is full (x); make room on it"),
        (sqlite3.SQLITE_BUSY, LedgerUnavailable, "`fuser` on the file names who has it open"),
        (sqlite3.SQLITE_IOERR | 4 << 8, LedgerUnavailable, "the kernel's log says more"),
        (sqlite3.SQLITE_READONLY, LedgerUnavailable, "the right to write it"),
        (sqlite3.SQLITE_CORRUPT, LedgerBroken, "restore it from a backup"),
    ],
)
def test_what_sqlite_says_comes_with_what_to_do(
    code: int, kind: type[LedgerError], text: str
) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    problem = translated(error, "x.db")
    assert type(problem) is kind
    assert text in str(problem)


async def test_a_log_that_cannot_be_copied_into_a_damaged_file_ends_the_trust_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def damaged(conn: sqlite3.Connection) -> int:
        raise LedgerBroken("x.db", "the file is damaged")

    monkeypatch.setattr(group_commit, "CHECKPOINT_PAGES", 1)
    monkeypatch.setattr(group_commit, "copy_most", damaged)
    ledger = await Ledger.open(tmp_path / "ledger.db")
    for expected in range(1, 6):
        found = await ledger.transact(lambda conn: attempts.reserve(conn, attempt()))
        assert found == expected
        await ledger.read(lambda conn: None)  # behind the copying, which is the reader's
    await ledger.close()
    assert "opened anew" in caplog.text
    assert caplog.text.count("the log was not copied") == 1
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as conn:
        assert conn.execute("SELECT count(*) FROM attempt").fetchone() == (5,)
