"""What stays on record of a number, for people: why, by which source, and until when.

Owns the words. The periods are `policy.retention`'s, what is over when is the ledger's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime

from dialwarden.cli.output import counted
from dialwarden.cli.story import Row
from dialwarden.ledger.erase import Staying, Whom, sift
from dialwarden.ledger.purge_kinds import Plan
from dialwarden.policy.retention import Keeping, Retention
from dialwarden.retention import plan_of

_NOES = frozenset({"objections", "withdrawals"})


def planning(kept: Retention) -> Callable[[datetime], Plan]:
    """What is over at any instant."""
    return lambda at: plan_of(kept, at)


def kept_of(conn: sqlite3.Connection, whom: Whom, kept: Retention, now: datetime) -> list[Row]:
    """What would stay if the number were erased at an instant."""
    return told(sift(conn, whom, planning(kept), now).staying, kept, now)


def told(staying: Iterable[Staying], kept: Retention, now: datetime) -> list[Row]:
    """One row a kind and professional, as JSON has it."""
    rows: list[Row] = []
    for one in staying:
        keeping = kept.named.get(one.professional, kept.others)
        rows.append(
            {
                "kind": one.kind,
                "professional": one.professional,
                "rows": one.rows,
                "until": one.until,
                "reduced_from": one.reduced_from,
                "reduced": one.reduced,
                "why": _why(one, keeping, now),
                "source": keeping.source,
            }
        )
    return rows


def of_lists(lists: Iterable[Row], changes: Iterable[Row]) -> list[Row]:
    """What lists keep: they are the register's or the house's own, and hold for the next call."""
    rows: list[Row] = []
    for row in lists:
        if row["listed"]:
            why = "it keeps the number from being called"
            if row["kind"] == "exempt":
                why = "calls to it are never judged"
            rows.append(_of_list(f"list {row['list']}", why, str(row["source"] or "")))
    count = len(list(changes))
    if count:
        why = "the last of them holds over every version of its list"
        rows.append({**_of_list("list changes", why, ""), "rows": count})
    return rows


def _of_list(kind: str, why: str, source: str) -> Row:
    return {
        "kind": kind, "professional": "", "rows": 1, "until": None, "reduced_from": None,
        "reduced": 0, "why": why, "source": source,
    }  # fmt: skip


def _why(one: Staying, keeping: Keeping, now: datetime) -> str:
    if one.kind in _NOES:
        if one.reduced == one.rows:
            return "it refuses on the callee's behalf, and does not say any more whose it is"
        if keeping.years is not None:
            return f"it refuses on the callee's behalf; proof for {_period(keeping)}"
        return f"it refuses on the callee's behalf; {_unknown(one)}"
    if keeping.years is None:
        return _unknown(one)
    if one.kind == "consents":
        if one.until is None:
            return "it is good without end: `dialwarden consent withdraw` ends it"
        return f"proof for {_period(keeping)} after it is over"
    if one.until is None:
        return "after a silent call an agent must come first, and none has yet"
    cut = keeping.on(now)
    if cut.before != cut.proof_before:
        days = counted(keeping.history.days, "day")
        return f"caps and gaps look back {days}, and proof for {_period(keeping)}"
    return f"proof for {_period(keeping)}"


def _period(keeping: Keeping) -> str:
    return counted(keeping.years or 0, "year")


def _unknown(one: Staying) -> str:
    of = f" for {one.professional}" if one.professional else ""
    return f"no period is known{of}: set [retention] years, and erase again"
