from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest
from tests.ledger.helpers import A, attempt
from tests.ledger.test_lists import put

from dialwarden.errors import LedgerBroken, LedgerError, LedgerUnavailable
from dialwarden.facts import Listing
from dialwarden.ledger import attempts, group_commit
from dialwarden.ledger.connection import open_ledger, snapshot, transaction
from dialwarden.ledger.group_commit import Ledger


def reserve(conn: sqlite3.Connection) -> int:
    return attempts.reserve(conn, attempt())


def count(conn: sqlite3.Connection) -> int:
    found: int = conn.execute("SELECT count(*) FROM attempt").fetchone()[0]
    return found


def count_in(path: Path) -> int:
    conn = open_ledger(path, create=False)
    try:
        return count(conn)
    finally:
        conn.close()


def move(path: Path, to: Path, *suffixes: str) -> None:
    for suffix in suffixes:
        Path(f"{path}{suffix}").rename(f"{to}{suffix}")


def remove(path: Path, *suffixes: str) -> None:
    for suffix in suffixes:
        Path(f"{path}{suffix}").unlink()


def size_of(path: Path, suffix: str = "") -> int:
    """Bytes; 0 for a file that is not there."""
    found = Path(f"{path}{suffix}")
    return found.stat().st_size if found.exists() else 0


class Gate:
    """A work that holds its thread until it is let go."""

    def __init__(self, work: Callable[[sqlite3.Connection], int] = reserve) -> None:
        self.work = work
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, conn: sqlite3.Connection) -> int:
        self.entered.set()
        assert self.opened.wait(30)
        return self.work(conn)


@contextlib.asynccontextmanager
async def held(gate: Gate, running: Coroutine[object, object, int]) -> AsyncIterator[None]:
    task = asyncio.create_task(running)
    await asyncio.to_thread(gate.entered.wait, 30)
    try:
        yield
    finally:
        gate.opened.set()
        await task


def held_batch(ledger: Ledger) -> contextlib.AbstractAsyncContextManager[None]:
    """A batch that runs for as long as the block does."""
    gate = Gate()
    return held(gate, ledger.transact(gate))


def held_read(ledger: Ledger) -> contextlib.AbstractAsyncContextManager[None]:
    """A read that runs for as long as the block does."""
    gate = Gate(count)
    return held(gate, ledger.read(gate))


async def test_two_hundred_works_are_few_commits(ledger: Ledger) -> None:
    ids = await asyncio.gather(*(ledger.transact(reserve) for _ in range(200)))
    assert sorted(ids) == list(range(1, 201))
    assert ledger.works == 200
    assert ledger.batches <= 3


async def test_works_queued_while_a_batch_runs_form_the_next_one(ledger: Ledger) -> None:
    async with held_batch(ledger):
        tasks = [asyncio.create_task(ledger.transact(reserve)) for _ in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert (ledger.batches, ledger.works) == (2, 51)


async def test_a_batch_is_bounded(path: Path) -> None:
    ledger = await Ledger.open(path, batch_limit=10)
    await asyncio.gather(*(ledger.transact(reserve) for _ in range(95)))
    assert (ledger.batches, ledger.works) == (10, 95)
    await ledger.close()


async def test_a_result_is_on_disk_when_it_leaves(ledger: Ledger, path: Path) -> None:
    one = await ledger.transact(reserve)
    conn = open_ledger(path)
    assert attempts.state_of(conn, one) == "reserved"
    conn.close()


async def test_a_work_that_raises_harms_no_other(ledger: Ledger) -> None:
    def fail(conn: sqlite3.Connection) -> int:
        reserve(conn)
        raise ZeroDivisionError("mine")

    def violate(conn: sqlite3.Connection) -> int:
        reserve(conn)
        conn.execute("INSERT INTO leg (attempt_id, uniqueid) VALUES (1, 'x')")
        return 0

    works = [reserve, fail, reserve, violate, reserve, fail]
    results = await asyncio.gather(*map(ledger.transact, works), return_exceptions=True)
    assert [result for result in results if isinstance(result, int)] == [1, 2, 3]
    assert [type(result) for result in results if not isinstance(result, int)] == [
        ZeroDivisionError,
        sqlite3.IntegrityError,
        ZeroDivisionError,
    ]
    assert await ledger.read(count) == 3
    assert ledger.batches == 1


async def test_a_ledger_error_of_one_work_is_its_own(ledger: Ledger) -> None:
    def fail(conn: sqlite3.Connection) -> int:
        raise LedgerBroken("x", "a list is damaged")

    results = await asyncio.gather(
        *map(ledger.transact, [reserve, fail, reserve]), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, LedgerBroken, int]


async def test_a_work_whose_caller_gave_up_before_it_began_is_not_run(ledger: Ledger) -> None:
    ran: list[str] = []

    def mark(name: str):  # type: ignore[no-untyped-def]
        return lambda conn: ran.append(name)

    told: list[object] = []
    async with held_batch(ledger):
        cancelled = asyncio.create_task(ledger.transact(mark("cancelled"), late=told.append))
        wanted = asyncio.create_task(ledger.transact(mark("wanted")))
        await asyncio.sleep(0)
        cancelled.cancel()
    await wanted
    assert ran == ["wanted"]
    assert told == []
    assert cancelled.cancelled()


async def test_a_commit_whose_caller_left_meanwhile_is_told(ledger: Ledger) -> None:
    gate = Gate()
    told: list[int] = []
    leaving = asyncio.create_task(ledger.transact(gate, late=told.append))
    await asyncio.to_thread(gate.entered.wait, 30)
    leaving.cancel()
    await asyncio.wait({leaving})
    assert leaving.cancelled()
    assert told == []
    gate.opened.set()
    assert await ledger.transact(reserve) == 2
    assert told == [1]


@contextlib.asynccontextmanager
async def cancelled_between(
    ledger: Ledger, late: Callable[[int], object], work: Callable[[sqlite3.Connection], int]
) -> AsyncIterator[asyncio.Task[int]]:
    """A caller that leaves when its future is resolved and its task has not woken yet."""
    gate = Gate()
    # `late` of the second is called where the batch is resolved, after the first was.
    leaving = asyncio.create_task(ledger.transact(work, late=late))
    second = asyncio.create_task(ledger.transact(gate, late=lambda _: leaving.cancel()))
    await asyncio.to_thread(gate.entered.wait, 30)
    second.cancel()
    await asyncio.wait({second})
    assert not leaving.done()
    gate.opened.set()
    await asyncio.wait({leaving})
    yield leaving


async def test_an_answer_that_its_caller_left_behind_is_told(ledger: Ledger) -> None:
    told: list[int] = []
    async with cancelled_between(ledger, told.append, reserve) as leaving:
        assert leaving.cancelled()
        assert told == [1]
        assert await ledger.transact(reserve) == 3


async def test_an_error_that_its_caller_left_behind_is_no_answer(ledger: Ledger) -> None:
    def fail(conn: sqlite3.Connection) -> int:
        raise ZeroDivisionError("mine")

    told: list[int] = []
    async with cancelled_between(ledger, told.append, fail) as leaving:
        assert leaving.cancelled()
    assert told == []


def raise_late(result: int) -> None:
    raise ZeroDivisionError(f"late for {result}")


async def test_whatever_the_telling_raises_the_caller_is_cancelled(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    async with cancelled_between(ledger, raise_late, reserve) as leaving:
        assert leaving.cancelled()
    assert "late for 1" in caplog.text


async def test_whatever_the_telling_raises_the_others_are_answered(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    leaving = asyncio.create_task(ledger.transact(gate, late=raise_late))
    other = asyncio.create_task(ledger.transact(reserve))
    await asyncio.to_thread(gate.entered.wait, 30)
    leaving.cancel()
    await asyncio.wait({leaving})
    gate.opened.set()
    assert await other == 2
    assert await ledger.transact(reserve) == 3
    assert "late for 1" in caplog.text


async def test_a_read_whose_caller_left_is_not_run(ledger: Ledger) -> None:
    ran: list[str] = []
    async with held_read(ledger):
        leaving = [
            asyncio.create_task(ledger.read(lambda conn: ran.append("left"))) for _ in range(300)
        ]
        await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        wanted = asyncio.create_task(ledger.read(lambda conn: ran.append("wanted")))
        await asyncio.sleep(0)
    await wanted
    assert ran == ["wanted"]
    assert all(task.cancelled() for task in leaving)


@pytest.mark.parametrize("leaves", [False, True])
async def test_more_reads_than_may_wait_are_unavailable_and_it_passes(
    path: Path, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    monkeypatch.setattr(group_commit, "READ_LIMIT", 5)
    ledger = await Ledger.open(path)
    for _ in range(2):
        async with held_read(ledger):
            tasks = [asyncio.create_task(ledger.read(count)) for _ in range(5)]
            await asyncio.sleep(0)
            if leaves:  # they still stand in the queue of the thread
                for task in tasks[:-1]:
                    task.cancel()
            with pytest.raises(LedgerUnavailable, match="5 reads are waiting"):
                await ledger.read(count)
        assert await tasks[-1] == 0  # and so the thread is past all the others
        assert [task.cancelled() for task in tasks] == [leaves] * 4 + [False]
    await ledger.close()


async def test_a_full_queue_is_unavailable(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "QUEUE_LIMIT", 5)
    async with held_batch(ledger):
        tasks = [asyncio.create_task(ledger.transact(reserve)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(LedgerUnavailable, match="5 works are waiting"):
            await ledger.transact(reserve)
    assert await asyncio.gather(*tasks) == [2, 3, 4, 5, 6]


async def refused(ledger: Ledger, error: type[LedgerError], what: str, works: int = 5) -> None:
    """Every one of some works gets that error, each an exception of its own."""
    results = await asyncio.gather(
        *(ledger.transact(reserve) for _ in range(works)), return_exceptions=True
    )
    assert [type(result) for result in results] == [error] * works
    assert all(what in str(result) for result in results), results[0]
    assert len({id(result) for result in results}) == works


async def test_a_lock_held_by_another_is_unavailable_and_passes(ledger: Ledger, path: Path) -> None:
    other = open_ledger(path)
    other.execute("BEGIN IMMEDIATE")
    await refused(ledger, LedgerUnavailable, "locked")
    other.execute("ROLLBACK")
    other.close()
    assert await ledger.transact(reserve) == 1


async def test_a_full_disk_is_unavailable_and_passes(ledger: Ledger) -> None:
    await ledger.transact(reserve)

    def limit(pages: int):  # type: ignore[no-untyped-def]
        return lambda conn: conn.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    def bulky(conn: sqlite3.Connection) -> int:
        conn.execute("INSERT INTO list_body (started_at) VALUES (1)")
        conn.execute(
            "INSERT INTO list_part VALUES (last_insert_rowid(), 'numbers', 0, zeroblob(500000))"
        )
        return reserve(conn)

    await ledger.transact(limit(1))  # SQLite takes the present size for the least
    results = await asyncio.gather(
        *map(ledger.transact, [reserve, bulky, reserve]), return_exceptions=True
    )
    assert [type(result) for result in results] == [LedgerUnavailable] * 3
    assert "full" in str(results[0])
    await ledger.transact(limit(1_000_000))
    assert await ledger.transact(bulky) == 2


async def test_a_disk_that_fails_is_unavailable_and_passes(ledger: Ledger, path: Path) -> None:
    await ledger.transact(reserve)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        await refused(ledger, LedgerUnavailable, "the disk reports an error")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert await ledger.transact(reserve) == 2
    assert count_in(path) == 2


async def test_a_file_that_vanished_is_unavailable_until_it_is_back(
    ledger: Ledger, path: Path
) -> None:
    await ledger.transact(reserve)
    away = path.with_suffix(".away")
    move(path, away, "", "-wal", "-shm")
    await refused(ledger, LedgerUnavailable, "no such file")
    with pytest.raises(LedgerUnavailable, match="no such file"):
        await ledger.read(count)
    assert not size_of(path)
    move(away, path, "-shm", "-wal", "")
    assert await ledger.transact(reserve) == 2


async def test_what_is_written_after_a_replacement_is_in_the_new_file(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    restored = tmp_path / "restored.db"
    backup = open_ledger(restored)
    for _ in range(10):
        reserve(backup)
    put(backup, [A])
    backup.close()
    await ledger.transact(reserve)
    remove(path, "", "-wal", "-shm")
    move(restored, path, "")
    assert await ledger.transact(reserve) == 11
    assert await ledger.read(count) == 11
    found = await ledger.transact(lambda conn: ledger.lists.look_up(conn, ["bloctel"], A))
    assert found == {"bloctel": Listing(1, None, True)}
    assert count_in(path) == 11


async def test_a_replacement_beside_the_old_log_is_not_opened(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    restored = tmp_path / "restored.db"
    open_ledger(restored).close()
    size = size_of(restored)
    await ledger.transact(reserve)
    move(restored, path, "")
    await refused(ledger, LedgerBroken, "while its log (-wal) stayed")
    with pytest.raises(LedgerBroken, match="stayed"):
        await ledger.read(count)
    assert size_of(path) == size


async def test_a_removed_log_stops_the_writing_and_loses_nothing(path: Path) -> None:
    ledger = await Ledger.open(path)
    await ledger.transact(reserve)
    remove(path, "-wal")
    await refused(ledger, LedgerBroken, "removed while in use")
    await ledger.close()
    assert count_in(path) == 1


async def test_an_import_elsewhere_holds_for_the_next_work(ledger: Ledger, path: Path) -> None:
    def look_up(conn: sqlite3.Connection) -> bool:
        return ledger.lists.look_up(conn, ["bloctel"], A)["bloctel"].listed

    assert not await ledger.transact(look_up)
    other = open_ledger(path)
    put(other, [A])
    assert await ledger.transact(look_up)
    assert await ledger.read(
        lambda conn: ledger.read_lists.look_up(conn, ["bloctel"], A)["bloctel"].listed
    )
    other.close()


async def test_the_log_is_copied_beside_the_batches_and_starts_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "CHECKPOINT_PAGES", 60)
    ledger = await Ledger.open(path)
    size = 0
    for _ in range(400):
        await ledger.transact(reserve)
        size = max(size, size_of(path, "-wal"))
    # One commit is some 6 pages of 4 KiB: uncopied, 400 of them would be some 10 MB.
    assert size < 2_000_000
    assert size_of(path) > 50_000
    await ledger.close()
    assert not size_of(path, "-wal")
    assert count_in(path) == 400


async def test_the_log_of_a_ledger_that_was_restored_is_copied_too(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "CHECKPOINT_PAGES", 60)
    ledger = await Ledger.open(path)
    restored = tmp_path / "restored.db"
    open_ledger(restored).close()
    await ledger.transact(reserve)
    remove(path, "", "-wal", "-shm")
    move(restored, path, "")
    size = 0
    for _ in range(400):  # and nobody reads, which would notice it too
        await ledger.transact(reserve)
        size = max(size, size_of(path, "-wal"))
    assert size < 2_000_000
    await ledger.close()
    assert count_in(path) == 400


async def test_closing_finishes_what_is_queued_and_refuses_the_rest(path: Path) -> None:
    ledger = await Ledger.open(path)
    tasks = [asyncio.create_task(ledger.transact(reserve)) for _ in range(600)]
    await asyncio.sleep(0)
    await ledger.close()
    assert len(set(await asyncio.gather(*tasks))) == 600
    for late in (ledger.transact(reserve), ledger.read(count)):
        with pytest.raises(LedgerUnavailable, match="closing"):
            await late
    assert count_in(path) == 600


async def test_opening_what_is_no_ledger_says_so(path: Path) -> None:
    await asyncio.to_thread(path.write_bytes, b"x" * 4096)
    with pytest.raises(LedgerBroken, match="no SQLite file"):
        await Ledger.open(path)
    with pytest.raises(LedgerUnavailable, match="no such file"):
        await Ledger.open(path.with_suffix(".none"), create=False)


async def test_closing_keeps_no_writer_out_while_somebody_reads(path: Path) -> None:
    ledger = await Ledger.open(path, busy_timeout_s=5)
    successor = open_ledger(path, busy_timeout_s=0)
    reader = open_ledger(path)
    with snapshot(reader):
        assert count(reader) == 0
        await ledger.transact(reserve)
        closing = asyncio.create_task(ledger.close())
        written = 0
        while not closing.done():
            with transaction(successor):
                reserve(successor)
            written += 1
            await asyncio.sleep(0)
        await closing
        assert count(reader) == 0
    reader.close()
    successor.close()
    assert not size_of(path, "-wal")
    assert count_in(path) == 1 + written
