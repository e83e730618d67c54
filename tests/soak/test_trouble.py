"""What callers get while something is wrong beneath the bridge: the short version."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from tests.running import Running
from tests.soak.bridge import ask_once, configured
from tests.soak.calls import EMERGENCY, EXEMPT, FIRST, Said
from tests.soak.history import ledger_with
from tests.soak.trouble import Report, endure

AT_ONCE = 150


def endured(directory: Path, name: str) -> Report:
    return endure(directory, name, seconds=0.5, rate=150, calls=150)


def told(said: list[Said]) -> Counter[str]:
    return Counter(f"{one.verdict} {one.rule}".strip() for one in said)


def exempt(said: list[Said]) -> set[str]:
    """What numbers that always pass were told."""
    return {one.verdict for one in said if one.dialled in (EMERGENCY, EXEMPT)}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("locked", "locked by another process"),
        ("locked exclusively", "locked by another process"),
        ("files may not grow", "the disk reports an error"),
        ("folder gone", "there is no such file"),
        ("file gone", "was replaced or removed while its log (-wal) stayed"),
        ("file and log gone", "there is no such file"),
        ("log gone", "its log (-wal) was removed while in use"),
    ],
)
def test_while_the_ledger_cannot_be_written_calls_are_refused_and_then_allowed_again(
    tmp_path: Path, name: str, why: str
) -> None:
    report = endured(tmp_path, name)
    assert report.wrong == []
    during = report.said["during"]
    assert told(during)["REFUSE unavailable"] > 50
    reasons = {one.reason for one in during if one.rule == "unavailable"}
    assert any(why in reason for reason in reasons)
    assert exempt(during) == {"ALLOW"}
    assert told(report.said["after"])["ALLOW"] > 50


@pytest.mark.mounts
@pytest.mark.timeout(180)
def test_a_full_disk_refuses_until_there_is_room_and_loses_nothing(tmp_path: Path) -> None:
    report = endured(tmp_path, "disk full")
    assert report.wrong == []
    during = report.said["during"]
    assert any("the disk is full" in one.reason for one in during if one.rule == "unavailable")
    assert exempt(during) == {"ALLOW"}
    assert told(report.said["after"])["ALLOW"] > 50


@pytest.mark.timeout(180)
def test_a_process_that_stood_still_counts_nothing_but_what_was_on_its_way(tmp_path: Path) -> None:
    report = endured(tmp_path, "stopped")
    assert report.wrong == []
    assert report.left > 10
    assert told(report.said["after"])["ALLOW"] > 50


@pytest.mark.timeout(180)
def test_somebody_who_reads_for_long_keeps_nobody_from_calling(tmp_path: Path) -> None:
    report = endured(tmp_path, "read from")
    assert report.wrong == []
    during = report.said["during"]
    assert told(during)["ALLOW"] > 50
    # On a starved machine some come too late; none for the reading's sake.
    reasons = {one.reason for one in during if one.rule == "unavailable"}
    assert all("no verdict within" in reason for reason in reasons)


def test_while_another_process_holds_the_lock_each_call_is_refused_at_once(
    tmp_path: Path,
) -> None:
    """One after another: were each to wait as the first does, the test would not end in time."""
    ledger_with(0, tmp_path / "ledger.db")
    with Running.start(configured(tmp_path)) as running:
        port = running.port
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as conn:
            conn.execute("BEGIN IMMEDIATE")
            refused = [ask_once(port, f"+{FIRST + 1}", f"17.{n}") for n in range(AT_ONCE)]
            assert ask_once(port, EMERGENCY, "17.112")["DIALWARDEN_VERDICT"] == "ALLOW"
            conn.execute("ROLLBACK")
        assert {said["DIALWARDEN_RULE"] for said in refused} == {"unavailable"}
        assert all("locked by another process" in said["DIALWARDEN_REASON"] for said in refused)
        assert ask_once(port, f"+{FIRST + 1}", "18.1")["DIALWARDEN_VERDICT"] == "ALLOW"
        assert running.stop() == 0
    # One line when it began and one when it ended, not one for each call.
    assert running.log.count('"logger": "dialwarden.ledger') < AT_ONCE // 5
