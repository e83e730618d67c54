"""What was said, held against what is in the ledger.

Owns every claim of the long runs that is about both. Reads the ledger as any program may: by
SQL, beside the bridge or after it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from tests.soak.bridge import CAP
from tests.soak.calls import EMERGENCY, EXEMPT, Said

_SHOWN = 5


def whole(ledger: Path) -> list[str]:
    """What is wrong with the file and its log as they lie there; they are left as they are."""
    with tempfile.TemporaryDirectory(dir=ledger.parent) as name:
        copy = Path(name) / ledger.name
        for suffix in ("", "-wal"):
            if Path(f"{ledger}{suffix}").exists():
                shutil.copyfile(f"{ledger}{suffix}", f"{copy}{suffix}")
        with closing(sqlite3.connect(copy)) as conn:
            found = [str(row[0]) for row in conn.execute("PRAGMA integrity_check")]
    return [] if found == ["ok"] else [f"integrity_check: {line}" for line in found[:_SHOWN]]


def newest(ledger: Path) -> int:
    """The id of the newest attempt; 0 where there is none."""
    with closing(sqlite3.connect(ledger)) as conn:
        found: int = conn.execute("SELECT coalesce(max(id), 0) FROM attempt").fetchone()[0]
    return found


def nothing_lost(
    ledger: Path, said: Iterable[Said], *, told_all: bool, recorded_all: bool, since: int = 0
) -> list[str]:
    """What is wrong between the answers and the ledger; empty when nothing is.

    Args:
        told_all: nobody was killed: there is no attempt in force that nobody was told of, but for
            callers who left without an answer: it may have been on its way to them.
        recorded_all: the ledger could be written throughout: each refusal is in it.
        since: attempts up to this id were there before.
    """
    told = list(said)
    allowed = [one for one in told if one.verdict == "ALLOW" and one.attempt]
    with closing(sqlite3.connect(ledger)) as conn:
        kept = {
            row[0]: (row[1], row[2])
            for row in conn.execute(
                "SELECT id, number, call FROM attempt WHERE id > ? AND voided_at IS NULL", (since,)
            )
        }
        refused = Counter(row[0] for row in conn.execute("SELECT call FROM refusal"))
    wrong = each(
        "allowed, and not in the ledger as told",
        (one.line for one in allowed if kept.get(one.attempt) != (one.number, one.call)),
    )
    ids = Counter(one.attempt for one in allowed)
    wrong += each("attempt told twice", (key for key, times in ids.items() if times > 1))
    numbers = Counter(one.number for one in allowed)
    wrong += each("over the cap", (key for key, times in numbers.items() if times > CAP))
    calls = Counter(call for _, call in kept.values())
    wrong += each("one question, two attempts", (one.line for one in told if calls[one.call] > 1))
    counted = Counter(number for number, _ in kept.values())
    wrong += each("over the cap on disk", (key for key, n in counted.items() if n > CAP))
    wrong += each(
        "exempt, and yet refused",
        (one.line for one in told if one.dialled in (EMERGENCY, EXEMPT)
         and one.verdict == "REFUSE"),
    )  # fmt: skip
    if told_all:
        known = {one.attempt for one in allowed}
        known |= kept_for_nobody(kept, told)
        wrong += each("in the ledger, and nobody was told", (key for key in kept.keys() - known))
    if recorded_all:
        wrong += each(
            "refusals told and recorded differ",
            (one.line for one in told if not _as_recorded(one, refused[one.call])),
        )
    return wrong


def counted(ledger: Path, calls: Iterable[str]) -> list[str]:
    """Those of some calls that have an attempt in force."""
    with closing(sqlite3.connect(ledger)) as conn:
        kept = {row[0] for row in conn.execute("SELECT call FROM attempt WHERE voided_at IS NULL")}
    return [call for call in calls if call in kept]


def _as_recorded(one: Said, refusals: int) -> bool:
    """Whether a call has the refusals in the ledger that it was told of."""
    if one.verdict in ("ALLOW", "no connection"):
        return refusals == 0
    # One that was too late may have been judged all the same, and then has both.
    if one.verdict == "REFUSE":
        return refusals == 1 or (one.rule == "unavailable" and refusals == 2)
    return refusals <= 2  # it left before it heard what was recorded


def kept_for_nobody(kept: Mapping[int, tuple[int, str]], told: Iterable[Said]) -> set[int]:
    """Attempts in force, of calls that left before they heard anything."""
    left = {one.call for one in told if one.verdict == "nothing"}
    return {attempt for attempt, (_, call) in kept.items() if call in left}


def each(what: str, found: Iterable[object]) -> list[str]:
    """One line for everything of a kind that was found wrong; none when nothing was."""
    shown = list(found)
    return [f"{what}: {len(shown)}, such as {shown[:_SHOWN]}"] if shown else []
