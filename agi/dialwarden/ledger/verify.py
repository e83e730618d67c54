"""Whether a ledger is what it should be: the file, its version, its lists, and what rows promise.

Reads only. What SQLite holds by itself (constraints, keys, indexes) it is asked for; the rest is
looked for row by row, each promise by one query.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialwarden.errors import LedgerBroken
from dialwarden.ledger import schema
from dialwarden.ledger.connection import open_ledger_to_read, snapshot, translating
from dialwarden.ledger.lists import Head, has_numbers, known_names, live_head, read_body, versions

_SHOWN = 5
_RESTORE = "restore the newest backup that `dialwarden ledger verify FILE` finds good"
_REPORT = "keep a copy of the file and report this: dialwarden writes no such row"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        wrong: what was found amiss, a sentence each; empty when all is well.
        note: what was found besides.
        do: what to do when something is wrong.
    """

    name: str
    wrong: tuple[str, ...] = ()
    note: str = ""
    do: str = ""


@contextmanager
def opened(path: Path, *, live: bool) -> Iterator[sqlite3.Connection]:
    """A ledger to be verified, left as it is.

    Args:
        live: it may be in use. A copy is not: nothing is written beside it, and it may lie on a
            disk that cannot be written to.

    Raises:
        LedgerUnavailable, LedgerBroken: it cannot be opened.
    """
    if live or Path(f"{path}-wal").exists():
        conn = open_ledger_to_read(path, busy_timeout_s=10.0)
    else:
        with translating(str(path)):
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            conn = sqlite3.connect(uri, uri=True, isolation_level=None)
    with contextlib.closing(conn), translating(str(path)):
        yield conn


def verify(conn: sqlite3.Connection, told: Callable[[Check], None] = lambda _: None) -> list[Check]:
    """Look at everything, in one snapshot.

    Args:
        told: told of each check as it is done.

    Raises:
        LedgerBroken: the file cannot be read at all.
    """
    checks: list[Check] = []

    def note(check: Check) -> bool:
        checks.append(check)
        told(check)
        return not check.wrong

    with snapshot(conn):
        # In a file that is damaged, or is another program's, nothing else means anything.
        if note(_ours(conn)) and note(_integrity(conn)):
            note(_references(conn))
            note(_version(conn))
            if schema.version(conn) == schema.newest():
                note(_lists(conn))
                note(_key(conn))
            else:
                note(Check("lists", note="looked at in a ledger of this version only"))
            for promise in _PROMISES:
                note(_promise(conn, promise))
            note(_ids(conn))
    return checks


def _ours(conn: sqlite3.Connection) -> Check:
    mark = conn.execute("PRAGMA application_id").fetchone()[0]
    wrong = () if mark == schema.APPLICATION_ID else ("it is no ledger of dialwarden",)
    return Check("file", wrong, do="name a ledger, or a backup of one")


def _integrity(conn: sqlite3.Connection) -> Check:
    """Every page, index, NOT NULL and CHECK."""
    try:
        rows = conn.execute(f"PRAGMA integrity_check({_SHOWN})").fetchall()
    except sqlite3.DatabaseError as error:
        rows = [(str(error),)]
    found = tuple(row[0] for row in rows if row[0] != "ok")
    return Check("integrity", found, do=_RESTORE)


def _references(conn: sqlite3.Connection) -> Check:
    rows = conn.execute("PRAGMA foreign_key_check").fetchmany(_SHOWN)
    wrong = tuple(f"row {row[1]} of {row[0]} names a row of {row[2]} that is not there"
                  for row in rows)  # fmt: skip
    return Check("references", wrong, do=_REPORT)


def _version(conn: sqlite3.Connection) -> Check:
    here, ours = schema.version(conn), schema.newest()
    told = conn.execute("SELECT ifnull(max(version), 0) FROM migration").fetchone()[0]
    wrong = []
    if told != here:
        wrong.append(f"the file says version {here}, its table of migrations {told}")
    if here > ours:
        wrong.append(f"version {here} is newer than this program's {ours}")
    note = f"version {here}" + (f"; {ours} from the next start on" if here < ours else "")
    return Check("version", tuple(wrong), note, do="run the newer dialwarden, or restore a backup")


def _lists(conn: sqlite3.Connection) -> Check:
    wrong, removed, whole = [], 0, 0
    for name in known_names(conn):
        live = live_head(conn, name)
        for head in versions(conn, name):
            in_force = live is not None and live.version == head.version
            if not has_numbers(conn, head) and not in_force:
                removed += 1
                continue
            fault = _fault(conn, head)
            whole += not fault
            if fault:
                standing = "in force" if in_force else "not in force"
                wrong.append(f"list {name}, version {head.version} ({standing}): {fault}")
    note = f"{whole} versions whole" + (f", {removed} purged" if removed else "")
    return Check("lists", tuple(wrong), note, do="import the list again from its file")


def _fault(conn: sqlite3.Connection, head: Head) -> str:
    try:
        body = read_body(conn, head)
    except LedgerBroken as error:
        return error.what
    except Exception as error:
        return f"its numbers cannot be read ({error})"
    if len(body.numbers) != head.count:
        return f"it should have {head.count:,} numbers and has {len(body.numbers):,}"
    return ""


def _key(conn: sqlite3.Connection) -> Check:
    rows = conn.execute("SELECT length(bytes) FROM hash_key").fetchall()
    reduced = conn.execute(
        "SELECT (SELECT count(*) FROM objection WHERE number < 0 AND reduced_at IS NOT NULL)"
        " + (SELECT count(*) FROM withdrawal WHERE number < 0 AND reduced_at IS NOT NULL)"
    ).fetchone()[0]
    wrong = []
    if rows and rows[0][0] != _KEY_BYTES:
        wrong.append(f"the key has {rows[0][0]} bytes; it should have {_KEY_BYTES}")
    if reduced and not rows:
        wrong.append(f"{reduced} rows are reduced, and the key that finds them is gone")
    return Check("key", tuple(wrong), f"{reduced} rows reduced", do=_RESTORE)


@dataclass(frozen=True, slots=True)
class _Promise:
    """What holds of every row of a table, as the condition of those that break it."""

    name: str
    table: str
    broken: str
    since: int = 1


_PROMISES = (
    _Promise(
        "attempts are voided as they say", "attempt",
        "(state = 'voided') <> (voided_at IS NOT NULL)",
    ),
    _Promise(
        "attempts are settled as they say", "attempt",
        "(state = 'settled') <> (settled_at IS NOT NULL)"
        " OR (outcome IS NOT NULL AND state <> 'settled')",
    ),
    _Promise(
        "what rang is not settled as failed", "attempt",
        "rang_at IS NOT NULL AND outcome IS 'failed'",
    ),
    _Promise("attempts have a number", "attempt", "number <= 0"),
    _Promise("refusals have a number or none", "refusal", "number <= 0"),
    _Promise("refusals have a rule", "refusal", "rule = '' OR NOT json_valid(findings)"),
    _Promise("bases name their lists", "basis", "NOT json_valid(lists)"),
    _Promise("legs end once", "leg", "ending IS NOT NULL AND ended_at IS NULL", since=3),
    _Promise(
        "consents have days", "consent",
        "number <= 0 OR (until IS NOT NULL AND date(until, '+0 days') IS NOT until)",
    ),
    _Promise(
        "objections are reduced as they say", "objection",
        "(number < 0) <> (reduced_at IS NOT NULL) OR number = 0", since=4,
    ),
    _Promise(
        "withdrawals are reduced as they say", "withdrawal",
        "(number < 0) <> (reduced_at IS NOT NULL) OR number = 0", since=4,
    ),
    _Promise("erasures are told in counts", "erasure", "NOT json_valid(counts)", since=6),
    _Promise(
        "bases name overrides that are there", "basis",
        "NOT json_valid(overrides) OR EXISTS (SELECT 1 FROM json_each(basis.overrides) AS named"
        " WHERE named.value NOT IN (SELECT override.id FROM override))", since=5,
    ),
    _Promise(
        "overrides are ended by somebody", "override",
        "(ended_at IS NULL) <> (ended_by = '')", since=5,
    ),
    _Promise(
        "objections to a campaign name it", "objection", "scope = 'campaign' AND campaign = ''"
    ),
)  # fmt: skip


def _promise(conn: sqlite3.Connection, promise: _Promise) -> Check:
    if schema.version(conn) < promise.since:
        return Check(promise.name, note="not of this version")
    count, least = conn.execute(
        f"SELECT count(*), min(id) FROM {promise.table} WHERE {promise.broken}"
    ).fetchone()
    wrong = (f"{count} rows of {promise.table}, the first with id {least}",) if count else ()
    return Check(promise.name, wrong, do=_REPORT)


def _ids(conn: sqlite3.Connection) -> Check:
    """An id that was given once is not given again: SQLite's own table of them says so."""
    wrong = []
    for table, given in conn.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
        most = conn.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()[0]
        if most > given:
            wrong.append(f"{table} has id {most}, and only {given} were given")
    return Check("ids are given once", tuple(wrong), do=_REPORT)
