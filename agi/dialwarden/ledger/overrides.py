"""Overrides: rules that a person has let go for a campaign, for a while, and answers for.

Owns the table `override`. One is in force from `since` on, and at `until`, or at `ended_at` when it
was ended by hand, it is not any more. Which rules may be let go at all, and what becomes of a
verdict, is for the gate. None is ever written by a running bridge: other processes do that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dialwarden.errors import DialwardenError
from dialwarden.ledger.connection import instant, maybe_instant, micros
from dialwarden.ledger.evidence import bounded
from dialwarden.ledger.listing import Where
from dialwarden.verdict import Rule


class NoSuchOverride(DialwardenError):
    """No override has that id."""

    def __init__(self, override: int) -> None:
        self.override = override
        super().__init__(
            f"no override has the id {override}; dialwarden override list --all shows them"
        )


@dataclass(frozen=True, slots=True)
class NewOverride:
    """An override that is about to begin.

    Attributes:
        rules: at least one.
        since, until: aware; half-open.
        by: the person who answers for it.
        entered_by: who typed it, as the system knows them.
    """

    campaign: str
    professional: str
    rules: Sequence[Rule]
    since: datetime
    until: datetime
    by: str
    why: str
    entered_by: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """An override on record; instants are aware, in UTC.

    Attributes:
        rules: those that it lets go, in the order of reports.
        ended_at: when it was ended by hand, before its time; None: it was not.
    """

    id: int
    campaign: str
    professional: str
    rules: tuple[Rule, ...]
    since: datetime
    until: datetime
    by: str
    why: str
    entered_by: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""

    def in_force(self, at: datetime) -> bool:
        """Whether it holds at an instant, as far as is on record today."""
        return self.since <= at < self.over_at

    @property
    def over_at(self) -> datetime:
        """The first instant at which it holds no more."""
        return self.until if self.ended_at is None else self.ended_at


_COLUMNS = (
    "id, campaign, professional, rules, since, until, answerable, why, recorded_by,"
    " ended_at, ended_by, ended_why"
)
_SELECT = f"SELECT {_COLUMNS} FROM override"
# Of those that were ended, `ended_at` is never later than `until`.
_IN_FORCE = f"{_SELECT} WHERE until > :at AND since <= :at AND ifnull(ended_at, until) > :at"


def begin_override(conn: sqlite3.Connection, new: NewOverride) -> Override:
    """Record an override, which holds for the next question; needs a write transaction."""
    rules = [rule for rule in Rule if rule in new.rules]
    cursor = conn.execute(
        "INSERT INTO override (campaign, professional, rules, since, until, answerable, why,"
        " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.campaign,
            new.professional,
            "&".join(rules),
            micros(new.since),
            micros(new.until),
            new.by,
            new.why,
            bounded(new.entered_by),
        ),
    )
    assert cursor.lastrowid is not None
    return find_override(conn, cursor.lastrowid)


def end_override(
    conn: sqlite3.Connection, override: int, *, at: datetime, by: str, why: str = ""
) -> bool:
    """End one before its time; False when it is over already. Needs a write transaction.

    Raises:
        NoSuchOverride: nobody has that id.
    """
    # A clock that was set back since ends it at its beginning: it holds for no question any more.
    ended = conn.execute(
        "UPDATE override SET ended_at = max(:at, since), ended_by = :by, ended_why = :why"
        " WHERE id = :id AND ended_at IS NULL AND until > :at",
        {"at": micros(at), "by": by, "why": why, "id": override},
    )
    if not ended.rowcount:
        find_override(conn, override)
    return ended.rowcount > 0


def find_override(conn: sqlite3.Connection, override: int) -> Override:
    """One override.

    Raises:
        NoSuchOverride: nobody has that id.
    """
    row = conn.execute(f"{_SELECT} WHERE id = ?", (override,)).fetchone()
    if row is None:
        raise NoSuchOverride(override)
    return _override(row)


def overrides_in_force(
    conn: sqlite3.Connection, at: datetime, *, campaign: str | None = None
) -> list[Override]:
    """Those in force at an instant, as far as is on record now, in the order of their ids."""
    rows = conn.execute(
        f"{_IN_FORCE} AND (:campaign IS NULL OR campaign = :campaign) ORDER BY id",
        {"at": micros(at), "campaign": campaign},
    )
    return [_override(row) for row in rows]


def list_overrides(
    conn: sqlite3.Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    campaign: str | None = None,
    after_id: int | None = None,
) -> Iterator[Override]:
    """Those that were in force at any instant of a span, ended ones too, in the order of ids.

    Args:
        since: inclusive; `until` is not.
        after_id: only those with a greater id.
    """
    where = Where()
    where.above("id", after_id)
    where.above("ifnull(ended_at, until)", since and micros(since))
    where.below("since", until and micros(until))
    where.equal("campaign", campaign)
    for row in conn.execute(f"{_SELECT}{where.sql} ORDER BY id", where.values):
        yield _override(row)


class KnownOverrides:
    """The overrides that are not over, as a connection last read them; used in its thread.

    What it costs a question where there is none: one comparison, of those that are refused.
    """

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._read_at: datetime | None = None
        self._open: tuple[Override, ...] = ()

    def in_force(
        self, conn: sqlite3.Connection, campaign: str, at: datetime, *, epoch: int | None
    ) -> tuple[Override, ...]:
        """Those of a campaign that are in force at an instant, in the order of their ids.

        Args:
            epoch: `KnownNumbers.epoch` of this transaction: they are read again when it changes,
                that is when anybody else wrote; None reads them.
        """
        # With a clock that was set back, one that seemed over when they were read is in force.
        back = self._read_at is not None and at < self._read_at
        if epoch is None or epoch != self._epoch or back:
            rows = conn.execute(
                f"{_SELECT} WHERE until > ? AND ended_at IS NULL ORDER BY id", (micros(at),)
            )
            self._open = tuple(_override(row) for row in rows)
            self._epoch, self._read_at = epoch, at
        return (
            tuple([one for one in self._open if one.campaign == campaign and one.in_force(at)])
            if self._open
            else ()
        )


def _override(row: tuple[object, ...]) -> Override:
    (id_, campaign, professional, rules, since, until, by, why, entered_by,
     ended_at, ended_by, ended_why) = row  # fmt: skip
    assert isinstance(id_, int)
    assert isinstance(since, int)
    assert isinstance(until, int)
    assert ended_at is None or isinstance(ended_at, int)
    return Override(
        id=id_,
        campaign=str(campaign),
        professional=str(professional),
        # A word that is no rule of ours lets nothing go, and costs no call its verdict.
        rules=tuple(rule for rule in Rule if rule.value in str(rules).split("&")),
        since=instant(since),
        until=instant(until),
        by=str(by),
        why=str(why),
        entered_by=str(entered_by),
        ended_at=maybe_instant(ended_at),
        ended_by=str(ended_by),
        ended_why=str(ended_why),
    )
