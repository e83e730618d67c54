"""`dialwarden ledger`: backup and verify, as a person runs them."""

from __future__ import annotations

import pytest
from tests.cli.site import Site

from dialwarden.ledger.schema import newest


@pytest.fixture
def filled(site: Site) -> Site:
    site.run("objection", "add", "+33612345678", "--campaign", "plain")
    return site


def test_a_backup_is_made_checked_and_good(filled: Site) -> None:
    copy = filled.folder / "copy.db"
    told = filled.out("ledger", "backup", copy)
    assert told == f"{copy}: {copy.stat().st_size:,} bytes, checked and on disk\n"
    assert f"{copy}: good" in filled.out("ledger", "verify", copy)
    assert filled.json("ledger", "backup", "other.db")["bytes"] == copy.stat().st_size


def test_a_backup_overwrites_nothing(filled: Site) -> None:
    there = filled.file("mine")
    assert "exists already; name another file" in filled.err("ledger", "backup", there)
    assert there.read_text() == "mine"
    filled.err("ledger", "backup", filled.ledger)


def test_there_is_no_backup_of_no_ledger(site: Site) -> None:
    assert "there is no such file" in site.err("ledger", "backup", "copy.db", status=1)
    assert not (site.folder / "copy.db").exists()


def test_a_good_ledger_is_told_check_by_check(filled: Site) -> None:
    told = filled.out("ledger", "verify")
    assert "ok    integrity\n" in told
    assert f"ok    version (version {newest()})\n" in told
    assert told.endswith(f"{filled.ledger}: good\n")
    found = filled.json("ledger", "verify")
    assert found["good"] is True
    assert all(check["wrong"] == [] and check["do"] == "" for check in found["checks"])


def test_what_is_wrong_is_told_with_what_to_do(filled: Site) -> None:
    with filled.writing() as conn:
        conn.execute("UPDATE objection SET reduced_at = 1")
    told = filled.out("ledger", "verify", status=1)
    assert "WRONG objections are reduced as they say" in told
    assert "1 rows of objection, the first with id 1" in told
    assert "what to do: keep a copy of the file" in told
    assert told.endswith("something is WRONG\n")
    found = filled.json("ledger", "verify", status=1)
    assert found["good"] is False


def test_a_file_that_is_no_ledger_is_wrong(filled: Site) -> None:
    other = filled.file("number\n+33612345678\n" * 99)
    assert "is no SQLite file" in filled.out("ledger", "verify", other, status=1)
    assert filled.json("ledger", "verify", other, status=1)["good"] is False


def test_a_file_that_is_not_there_is_a_wrong_flag(site: Site) -> None:
    assert "there is no file" in site.err("ledger", "verify", "none.db")
