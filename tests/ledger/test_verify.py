"""A ledger that is well is found well, and each thing that can go wrong is named."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from pyroaring import BitMap64
from tests.ledger.helpers import T0, A, attempt, objection

from dialwarden.errors import LedgerBroken
from dialwarden.ledger import attempts, consents, objections, refusals, schema
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.legs import Ending, LegId, dialled, ended
from dialwarden.ledger.lists import import_version
from dialwarden.ledger.refusals import NewRefusal
from dialwarden.ledger.states import Outcome
from dialwarden.ledger.verify import opened, verify
from dialwarden.question import Door
from dialwarden.verdict import Rule

NEWEST = schema.newest()


def fill(conn: sqlite3.Connection) -> None:
    for n in range(4):
        attempts.reserve(conn, attempt(A + n))
    leg = LegId("pbx", "17.1", "PJSIP/carrier-1")
    dialled(conn, 1, leg, trunk="carrier", at=T0)
    ended(conn, leg, Ending.ANSWERED, cause=16, at=T0)
    attempts.settle(conn, 2, Outcome.FAILED, T0)
    attempts.void(conn, 3, "never dialled", T0)
    objections.add(conn, objection())
    consents.grant(conn, NewConsent(A, "acme", T0, T0, until=date(2027, 1, 1)))
    refusals.record(conn, NewRefusal(T0, None, "x", [Rule.NUMBER], "[]", Door.AGI))
    numbers = BitMap64(range(A, A + 1000))
    for name in ("house", "empty"):
        import_version(
            conn, name, numbers if name == "house" else BitMap64(), as_of=None, imported_at=T0,
            source="f", sha256="s",
        )  # fmt: skip


@pytest.fixture
def filled(conn: sqlite3.Connection) -> sqlite3.Connection:
    fill(conn)
    return conn


def wrong(conn: sqlite3.Connection) -> dict[str, str]:
    return {check.name: check.wrong[0] for check in verify(conn) if check.wrong}


def test_a_ledger_that_is_well_is_found_well(filled: sqlite3.Connection) -> None:
    checks = verify(filled)
    assert not [check for check in checks if check.wrong]
    assert {check.name for check in checks} >= {
        "integrity", "references", "version", "lists", "key", "ids are given once",
    }  # fmt: skip
    assert all(check.do for check in checks)


@pytest.mark.parametrize(
    ("damage", "name", "told"),
    [
        ("UPDATE attempt SET settled_at = 1 WHERE id = 4", "attempts are settled as they say",
         "1 rows of attempt, the first with id 4"),
        ("UPDATE attempt SET settled_at = NULL WHERE id = 1", "attempts are settled as they say",
         "first with id 1"),
        ("UPDATE attempt SET outcome = 'busy' WHERE id = 3", "attempts are settled as they say",
         "first with id 3"),
        ("UPDATE attempt SET rang_at = 1 WHERE id = 2", "what rang is not settled as failed",
         "first with id 2"),
        ("UPDATE attempt SET number = 0 WHERE id = 2", "attempts have a number", "id 2"),
        ("UPDATE refusal SET number = -1", "refusals have a number or none", "id 1"),
        ("UPDATE refusal SET findings = '{'", "refusals have a rule", "id 1"),
        ("UPDATE leg SET ended_at = NULL", "legs end once", "id 1"),
        ("DELETE FROM attempt WHERE id = 1", "references",
         "row 1 of leg names a row of attempt that is not there"),
        ("UPDATE consent SET until = '2027-02-30'", "consents have days", "id 1"),
        ("UPDATE objection SET number = -number", "objections are reduced as they say", "id 1"),
        ("UPDATE objection SET reduced_at = 1", "objections are reduced as they say", "id 1"),
        ("UPDATE objection SET reduced_at = 1, number = -5", "key",
         "1 rows are reduced, and the key that finds them is gone"),
        ("INSERT INTO hash_key VALUES (1, x'00', 1)", "key", "1 bytes; it should have 32"),
        ("UPDATE objection SET scope = 'campaign'", "objections to a campaign name it", "id 1"),
        ("INSERT INTO erasure (number, at, recorded_by, why, counts) VALUES (-1, 0, 'a', 'b', '{')",
         "erasures are told in counts", "id 1"),
        ("UPDATE sqlite_sequence SET seq = 2 WHERE name = 'attempt'", "ids are given once",
         "attempt has id 4, and only 2 were given"),
        ("INSERT INTO override (campaign, professional, rules, since, until, answerable, why,"
         " ended_at) VALUES ('c', 'p', 'hours', 1, 9, 'Anna', 'a flood', 5)",
         "overrides are ended by somebody", "1 rows of override, the first with id 1"),
        ("INSERT INTO basis (digest, regime, policy, policy_sha256, lists, tzdata, program,"
         " config_sha256, overrides) VALUES (x'00', '', '', '', '{}', '', '', '',"
         " '{\"hours\": 7}')",
         "bases name overrides that are there", "1 rows of basis"),
        (f"DELETE FROM migration WHERE version = {NEWEST}", "version",
         f"the file says version {NEWEST}, its table of migrations {NEWEST - 1}"),
        ("UPDATE list_part SET bytes = x'00' WHERE body_id = 1", "lists",
         "list house, version 1 (in force): version 1 of list house is damaged"),
        ("DELETE FROM list_part WHERE body_id = 1", "lists", "removed by a purge"),
        ("UPDATE list_version SET count = 7 WHERE id = 1", "lists",
         "it should have 7 numbers and has 1,000"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    filled: sqlite3.Connection, damage: str, name: str, told: str
) -> None:
    filled.execute("PRAGMA foreign_keys = OFF")
    filled.execute(damage)
    found = wrong(filled)
    assert list(found) == [name]
    assert told in found[name]


def test_a_damaged_page_is_found_and_nothing_more_is_looked_for(path: Path) -> None:
    with closing(open_ledger(path)) as conn, transaction(conn):
        for n in range(2000):
            attempts.reserve(conn, attempt(A + n))
    content = bytearray(path.read_bytes())
    content[200_000:220_000] = b"\xff" * 20_000
    path.write_bytes(content)
    with opened(path, live=False) as conn:
        checks = verify(conn)
    assert [check.name for check in checks if check.wrong] == ["integrity"]
    assert "restore the newest backup" in checks[-1].do


def test_an_empty_file_is_told_from_a_ledger(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"")
    with opened(other, live=False) as conn:
        assert wrong(conn) == {"file": "it is no ledger of dialwarden"}


def test_what_is_no_database_is_told_from_a_ledger(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"no database at all, but long enough to be one" * 99)
    with pytest.raises(LedgerBroken, match="is no SQLite file"), opened(other, live=False) as conn:
        verify(conn)


def test_a_copy_is_read_where_nothing_can_be_written(path: Path, tmp_path: Path) -> None:
    with closing(open_ledger(path)) as conn:
        fill(conn)
    folder = tmp_path / "archive"
    folder.mkdir()
    copy = Path(shutil.copy(path, folder / "copy.db"))
    copy.chmod(0o400)
    folder.chmod(0o500)
    before = copy.read_bytes()
    with opened(copy, live=False) as conn:
        assert wrong(conn) == {}
    assert [one.name for one in folder.iterdir()] == ["copy.db"]
    assert copy.read_bytes() == before
    folder.chmod(0o700)


def test_a_backup_of_an_older_version_is_well(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        schema.migrate(conn, schema.MIGRATIONS[:1])
        conn.execute("INSERT INTO list_body (started_at) VALUES (1)")
        conn.execute(
            "INSERT INTO list_version (name, imported_at, count, sha256, source, crc, body_id)"
            " VALUES ('house', 1, 0, 's', 'f', 0, 1)"
        )
    with opened(path, live=False) as conn:
        checks = {check.name: check for check in verify(conn)}
    assert not [check for check in checks.values() if check.wrong]
    assert checks["version"].note == f"version 1; {NEWEST} from the next start on"


def test_beside_a_writer_one_moment_is_looked_at(path: Path) -> None:
    with closing(open_ledger(path)) as conn:
        fill(conn)
        conn.execute("BEGIN IMMEDIATE")
        conn.execute("UPDATE attempt SET number = 0")
        with opened(path, live=True) as beside:
            assert wrong(beside) == {}
        conn.execute("ROLLBACK")
