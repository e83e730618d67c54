"""The ledger's files taken away, turned, cut and put back beneath whoever writes to them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.helpers import attempt

from dialwarden.errors import LedgerBroken
from dialwarden.ledger import attempts
from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.group_commit import Ledger


def reserve(conn: sqlite3.Connection) -> int:
    return attempts.reserve(conn, attempt())


def count(conn: sqlite3.Connection) -> int:
    found: int = conn.execute("SELECT count(*) FROM attempt").fetchone()[0]
    return found


def count_in(path: Path) -> int:
    with closing(open_ledger(path, create=False)) as conn:
        return count(conn)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two ledgers, each in a folder of its own."""
    for name in ("one", "two"):
        open_ledger(tmp_path / name / "ledger.db").close()
    return tmp_path / "one" / "ledger.db", tmp_path / "two" / "ledger.db"


@pytest.fixture
def link(tmp_path: Path, places: tuple[Path, Path]) -> Path:
    path = tmp_path / "ledger.db"
    path.symlink_to(places[0])
    return path


def beside(path: Path) -> list[Path]:
    return sorted(path.parent.iterdir())


def turn(link: Path, to: Path) -> None:
    link.unlink()
    link.symlink_to(to)


def remove_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


async def test_a_log_removed_behind_a_link_is_noticed(
    link: Path, places: tuple[Path, Path]
) -> None:
    linked = await Ledger.open(link)
    await linked.transact(reserve)
    remove_log(places[0])
    for run in (linked.transact(reserve), linked.read(count)):
        with pytest.raises(LedgerBroken, match=r"its log \(-wal\) was removed"):
            await run
    await linked.close()
    assert count_in(places[0]) == 1


async def test_a_link_that_is_turned_is_followed_and_both_ledgers_stay_whole(
    link: Path, places: tuple[Path, Path]
) -> None:
    linked = await Ledger.open(link)
    await linked.transact(reserve)
    turn(link, places[1])
    for _ in range(2):
        await linked.transact(reserve)
    assert await linked.read(count) == 2
    await linked.close()
    assert (count_in(places[0]), count_in(places[1])) == (1, 2)


async def test_the_log_behind_a_link_is_copied_into_the_ledger_at_the_end(
    link: Path, places: tuple[Path, Path]
) -> None:
    ledger = await Ledger.open(link)
    await ledger.transact(reserve)
    await ledger.close()
    assert beside(places[0]) == [places[0]]
    assert count_in(places[0]) == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
async def test_a_ledger_that_was_cut_short_gives_no_allow(tmp_path: Path, share: float) -> None:
    # SQLite would go on for a while: it has the pages in memory, and the log is as it was.
    path = tmp_path / "ledger.db"
    ledger = await Ledger.open(path)
    await ledger.transact(reserve)
    os.truncate(path, int(path.stat().st_size * share))
    for run in (ledger.transact(reserve), ledger.read(count), ledger.transact(reserve)):
        with pytest.raises(LedgerBroken, match="while in use, or written over; stop dialwarden"):
            await run
    await ledger.close()


async def test_a_shorter_copy_written_over_a_ledger_gives_no_allow(tmp_path: Path) -> None:
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    open_ledger(copy).close()
    ledger = await Ledger.open(path)
    for _ in range(400):
        await ledger.transact(reserve)
    await ledger.close()
    ledger = await Ledger.open(path)
    await ledger.transact(reserve)
    assert copy.stat().st_size < path.stat().st_size
    path.write_bytes(copy.read_bytes())
    with pytest.raises(LedgerBroken, match="written over"):
        await ledger.transact(reserve)
    await ledger.close()


async def test_a_ledger_that_grows_is_no_ledger_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger, other = await Ledger.open(path), await Ledger.open(path)
    size = path.stat().st_size
    for _ in range(300):
        await ledger.transact(reserve)
    await ledger.close()  # copies the log: the file grows beneath the other
    await other.transact(reserve)
    assert path.stat().st_size > size
    assert await other.read(count) == 301
    await other.close()
