from __future__ import annotations

import itertools
import sqlite3
import zlib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyroaring import BitMap64
from tests.ledger.helpers import T0, A, B, day

from dialwarden.errors import LedgerBroken
from dialwarden.ledger import list_body, lists
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.lists import Op


def put(
    conn: sqlite3.Connection,
    numbers: list[int],
    as_of: date | None = None,
    imported_at: datetime = T0,
    name: str = "bloctel",
    since: dict[int, date] | None = None,
) -> int:
    bitmap = BitMap64(numbers)
    return lists.import_version(
        conn,
        name,
        bitmap,
        since=None if since is None else list_body.days_by_rank(bitmap, since),
        as_of=as_of,
        imported_at=imported_at,
        source="list.csv",
        sha256=f"sha of {numbers}",
    )


def test_a_body_comes_back_as_it_was_whatever_its_size(
    conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_body, "_PART_NUMBERS", 30)
    monkeypatch.setattr(list_body, "_PART_BYTES", 100)
    monkeypatch.setattr(list_body, "_TRANSACTION_BYTES", 100)
    numbers = [*range(33600000000, 33700000000, 999_983), 262692000000, 999_999_999_999_999]
    since = {number: date(2020, 1, 1 + i % 28) for i, number in enumerate(numbers) if i % 3}
    put(conn, numbers, since=since)
    head = lists.live_head(conn, "bloctel")
    assert head is not None
    body = lists.read_body(conn, head)
    assert list(body.numbers) == numbers
    assert {n: body.day_of(n) for n in numbers} == {n: since.get(n) for n in numbers}
    assert conn.execute("SELECT count(*) FROM list_part").fetchone()[0] > 3


def test_an_empty_list_is_a_known_list(conn: sqlite3.Connection) -> None:
    put(conn, [])
    head = lists.live_head(conn, "bloctel")
    assert head is not None
    assert (head.count, list(lists.read_body(conn, head).numbers)) == (0, [])


ORDERS = list(itertools.permutations([date(2026, 10, 1), date(2026, 11, 1), date(2026, 9, 1)]))


@pytest.mark.parametrize("order", ORDERS)
def test_the_newest_as_of_date_holds_in_whatever_order_it_came(
    conn: sqlite3.Connection, order: tuple[date, ...]
) -> None:
    for i, as_of in enumerate(order):
        put(conn, [A], as_of, day(i))
    head = lists.live_head(conn, "bloctel")
    assert head is not None
    assert head.as_of == date(2026, 11, 1)


@pytest.mark.parametrize("former", [None, date(2026, 11, 1), date(2027, 11, 1)])
def test_an_import_without_as_of_holds_whatever_the_clock_was_before(
    conn: sqlite3.Connection, former: date | None
) -> None:
    put(conn, [A], former, day(400))
    put(conn, [B], None, day(0))
    head = lists.live_head(conn, "bloctel")
    assert head is not None
    assert head.version == 2


def test_of_two_with_one_as_of_date_the_newest_import_holds(conn: sqlite3.Connection) -> None:
    put(conn, [A], date(2026, 11, 1), day(1))
    again = put(conn, [B], date(2026, 11, 1), day(0))
    head = lists.live_head(conn, "bloctel")
    assert head is not None
    assert head.version == again


AT = [
    (date(2026, 9, 30), None),
    (date(2026, 10, 1), 2),
    (date(2026, 10, 31), 2),
    (date(2026, 11, 1), 1),
    (date(2027, 1, 1), 1),
]


@pytest.mark.parametrize(("local_date", "version"), AT)
def test_at_an_instant_the_newest_as_of_not_after_it_holds_whenever_imported(
    conn: sqlite3.Connection, local_date: date, version: int | None
) -> None:
    put(conn, [A], date(2026, 11, 1), day(300))
    put(conn, [A], date(2026, 10, 1), day(301))
    noon = datetime(local_date.year, local_date.month, local_date.day, 12, tzinfo=UTC)
    head = lists.head_at(conn, "bloctel", noon, local_date)
    assert (head.version if head else None) == version


def test_a_list_without_as_of_speaks_of_the_time_before_it_too(conn: sqlite3.Connection) -> None:
    first = put(conn, [A], None, day(0))
    second = put(conn, [B], None, day(2))
    found = [lists.head_at(conn, "bloctel", day(d), day(d).date()) for d in (-1, 0, 1, 2)]
    assert [head.version if head else None for head in found] == [first, first, first, second]


def test_a_list_with_dates_says_nothing_of_the_time_before_them(conn: sqlite3.Connection) -> None:
    put(conn, [A], None, day(0))
    put(conn, [B], day(3).date(), day(3))
    assert lists.head_at(conn, "bloctel", day(-1), day(-1).date()) is None


def test_a_damaged_body_is_broken_and_not_read(conn: sqlite3.Connection) -> None:
    put(conn, [A, B])
    conn.execute("UPDATE list_part SET bytes = substr(bytes, 1, length(bytes) - 3)")
    head = lists.live_head(conn, "bloctel")
    assert head is not None
    with pytest.raises(LedgerBroken, match="version 1 of list bloctel is damaged"):
        lists.read_body(conn, head)


def test_the_days_must_fit_the_numbers(conn: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="one 16-bit day"):
        lists.import_version(
            conn,
            "x",
            BitMap64([A, B]),
            since=list_body.days_by_rank(BitMap64([A]), {}),
            as_of=None,
            imported_at=T0,
            source="",
            sha256="",
        )
    with pytest.raises(ValueError, match="1970-01-01"):
        list_body.days_by_rank(BitMap64([A]), {A: date(1970, 1, 1)})


def test_an_import_that_died_leaves_no_version_and_is_swept_later(
    conn: sqlite3.Connection,
) -> None:
    with transaction(conn):
        conn.execute("INSERT INTO list_body (id, started_at) VALUES (7, 1)")
        conn.execute("INSERT INTO list_part VALUES (7, 'numbers', 0, x'00')")
    assert lists.live_head(conn, "bloctel") is None
    put(conn, [A])
    assert conn.execute("SELECT count(*) FROM list_part WHERE body_id = 7").fetchone() == (0,)


def test_an_import_waits_for_no_long_lock_and_is_whole_or_not_there(
    path: Path, conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_body, "_PART_NUMBERS", 30)
    monkeypatch.setattr(list_body, "_PART_BYTES", 100)
    monkeypatch.setattr(list_body, "_TRANSACTION_BYTES", 100)
    other = open_ledger(path, busy_timeout_s=0)
    seen: list[object] = []

    def between(statement: str) -> None:
        if statement.startswith("COMMIT"):
            seen.append(lists.live_head(other, "bloctel"))

    conn.set_trace_callback(between)
    put(conn, list(range(33600000000, 33700000000, 999_983)))
    conn.set_trace_callback(None)
    assert len(seen) > 3
    assert set(seen) == {None}
    assert lists.live_head(other, "bloctel") is not None
    other.close()


def test_the_status_names_the_version_in_force_and_the_overlays(conn: sqlite3.Connection) -> None:
    put(conn, [A], date(2026, 11, 1))
    put(conn, [A], date(2026, 10, 1))
    for number, op in ((A, Op.REMOVE), (B, Op.REMOVE), (B, Op.ADD)):
        lists.overlay(conn, "bloctel", number, op, at=T0, by="me", note="why")
    found = lists.status(conn, "bloctel")
    assert found.head is not None
    assert (found.head.version, found.versions, found.added, found.removed) == (1, 2, 1, 1)
    assert [row["op"] for row in lists.list_overlays(conn, "bloctel")] == [
        "remove",
        "remove",
        "add",
    ]
    assert [head.version for head in lists.versions(conn, "bloctel")] == [1, 2]
    lists.overlay(conn, "house", A, Op.ADD, at=T0)
    assert lists.known_names(conn) == ("bloctel", "house")
    assert lists.status(conn, "nobody") == lists.ListStatus("nobody", None, 0, 0, 0, 0)


def test_a_version_taken_back_is_in_force_no_more_and_kept(conn: sqlite3.Connection) -> None:
    first = put(conn, [A], date(2026, 11, 1), day(0))
    second = put(conn, [B], date(2026, 11, 2), day(2))
    with transaction(conn):
        done = lists.roll_back(conn, "bloctel", at=day(4), by="me", why="half a file")
    assert done is not None
    withdrawn, now = done
    assert (withdrawn.version, now.version) == (second, first)
    head = lists.version_of(conn, "bloctel", second)
    assert head == withdrawn
    assert (head.withdrawn_at, head.withdrawn_by, head.withdrawn_why) == (
        day(4), "me", "half a file",
    )  # fmt: skip
    assert lists.live_head(conn, "bloctel") == now
    with transaction(conn):
        assert lists.roll_back(conn, "bloctel", at=day(5), by="me", why="") is None
    assert lists.status(conn, "bloctel").withdrawn == 1


def test_at_an_instant_a_version_taken_back_counts_while_live_questions_used_it(
    conn: sqlite3.Connection,
) -> None:
    first = put(conn, [A], day(-9).date(), day(-8))
    second = put(conn, [B], day(-5).date(), day(2))
    with transaction(conn):
        lists.roll_back(conn, "bloctel", at=day(4), by="me", why="")
    found = {
        days: lists.head_at(conn, "bloctel", day(days), day(days).date())
        for days in (1.9, 2, 3.9, 4, 5)
    }
    assert {days: head and head.version for days, head in found.items()} == {
        1.9: first, 2: second, 3.9: second, 4: first, 5: first,
    }  # fmt: skip


def test_a_body_of_the_former_form_is_read(conn: sqlite3.Connection) -> None:
    numbers = BitMap64(range(33600000000, 33700000000, 999_983))
    put(conn, list(numbers))
    whole = numbers.serialize()
    conn.execute("DELETE FROM list_part")
    for part, piece in enumerate((whole[:100], whole[100:])):
        conn.execute("INSERT INTO list_part VALUES (1, 'numbers', ?, ?)", (part, piece))
    conn.execute("UPDATE list_version SET crc = ?", (zlib.crc32(whole),))
    head = lists.live_head(conn, "bloctel")
    assert head is not None
    assert lists.read_body(conn, head).numbers == numbers
