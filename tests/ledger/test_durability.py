"""What a kill, a crowd and a second process may not do to the ledger."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from tests.ledger.helpers import LONG_AGO, A, attempt, start_python

from dialwarden.ledger.attempts import reserve
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.group_commit import Ledger

RESERVE_FOREVER = """
import asyncio, sys
from datetime import datetime, UTC
from dialwarden.ledger.attempts import NewAttempt, reserve
from dialwarden.ledger.group_commit import Ledger
from dialwarden.question import Door, Purpose

async def caller(ledger, who):
    while True:
        new = NewAttempt(
            33600000000 + who, "acme", "energy", Purpose.SALES, Door.AGI, datetime.now(UTC)
        )
        one = await ledger.transact(lambda conn: reserve(conn, new))
        sys.stdout.write(f"{one}\\n")
        sys.stdout.flush()

async def main():
    ledger = await Ledger.open(sys.argv[1])
    await asyncio.gather(*(caller(ledger, who) for who in range(40)))

asyncio.run(main())
"""


@pytest.mark.parametrize("printed", [1, 150, 1000])
def test_what_was_answered_is_on_disk_after_a_kill(path: Path, printed: int) -> None:
    process = start_python(RESERVE_FOREVER, path)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(printed)]
    process.kill()
    rest = process.communicate()[0]
    answered = [int(line) for line in lines + rest.splitlines(keepends=True) if "\n" in line]
    assert len(answered) >= printed
    conn = open_ledger(path, create=False)
    kept = {row[0] for row in conn.execute("SELECT id FROM attempt")}
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    conn.close()
    assert set(answered) <= kept


CAP = 4


def reserve_below_cap(conn: sqlite3.Connection) -> int | None:
    """What the gate does: count, then reserve, in one transaction."""
    known = read_facts(conn, number=A, professional="acme", attempts_since=LONG_AGO)
    return reserve(conn, attempt()) if len(known.attempts) < CAP else None


def test_threads_racing_for_the_last_attempts_never_get_one_too_many(path: Path) -> None:
    open_ledger(path).close()
    start = threading.Barrier(12)
    won: list[int | None] = []

    def race() -> None:
        conn = open_ledger(path, busy_timeout_s=30)
        start.wait()
        for _ in range(3):
            with transaction(conn):
                result = reserve_below_cap(conn)
            won.append(result)
        conn.close()

    threads = [threading.Thread(target=race) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 36
    assert len([one for one in won if one is not None]) == CAP


RACE = """
import asyncio, sys
from datetime import datetime, UTC
from dialwarden.ledger.attempts import NewAttempt, reserve
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.group_commit import Ledger
from dialwarden.question import Door, Purpose

NOW = datetime.now(UTC)

def below_cap(number):
    def work(conn):
        known = read_facts(conn, number=number, professional="acme", attempts_since=NOW)
        if len(known.attempts) >= 4:
            return None
        return reserve(
            conn, NewAttempt(number, "acme", "energy", Purpose.SALES, Door.AGI, datetime.now(UTC))
        )
    return work

async def main():
    ledger = await Ledger.open(sys.argv[1], busy_timeout_s=30)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(33600000000, 33600000010):
        results = await asyncio.gather(*(ledger.transact(below_cap(number)) for _ in range(100)))
        print(sum(one is not None for one in results), flush=True)
    await ledger.close()

asyncio.run(main())
"""


def test_two_processes_racing_for_a_cap_never_get_one_too_many(path: Path) -> None:
    # NOW of the one may be later than an attempt of the other: they start from one instant.
    script = RACE.replace("datetime.now(UTC)\n\ndef", "datetime(2000, 1, 1, tzinfo=UTC)\n\ndef")
    processes = [start_python(script, path) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [list(map(int, process.communicate()[0].split())) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [one + other for one, other in zip(*won, strict=True)] == [CAP] * 10


async def test_two_hundred_questions_at_once_for_one_callee_pass_the_cap_and_no_more(
    path: Path,
) -> None:
    first, second = await Ledger.open(path), await Ledger.open(path, create=False)
    results = await asyncio.gather(
        *((first, second)[i % 2].transact(reserve_below_cap) for i in range(200))
    )
    assert len([one for one in results if one is not None]) == CAP
    await first.close()
    await second.close()
