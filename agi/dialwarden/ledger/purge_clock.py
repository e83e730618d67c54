"""Whether the clock can be believed, before what it calls over goes for good.

Owns what speaks against it: a silence in what is on record. A server whose clock is years ahead
would remove proof years too early. Where calls are made, lists brought in or purges run, something
is recorded at least once a month; a longer silence that ended within the last one is a house that
stood still, or a clock that was turned on. Which of the two, a person has to say.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialwarden.errors import DialwardenError
from dialwarden.ledger.connection import instant, micros

# Who is on record for the purges that nobody set off.
BY_ITSELF = "bridge"

_SILENCE = timedelta(days=31)
# What is dated by this clock as it is written. Attempts last: there is no index of their instants,
# and they are looked through only where nothing else speaks for the clock.
_TRAIL = (("purge", "began_at"), ("refusal", "at"), ("list_version", "imported_at"),
          ("attempt", "at"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Silence:
    """Between `last` and `next` nothing was recorded; `next` is now where nothing was since."""

    last: datetime
    next: datetime


class ClockDoubted(DialwardenError):
    """Nothing was removed, since the clock may be ahead."""

    def __init__(self, silence: Silence, now: datetime) -> None:
        self.silence = silence
        super().__init__(
            f"nothing was recorded from {silence.last:%Y-%m-%d %H:%M} to"
            f" {silence.next:%Y-%m-%d %H:%M} UTC, so this server's clock may be ahead, and what it"
            " calls over is kept; correct it, or if it is right run"
            f" `dialwarden purge --at {now:%Y-%m-%dT%H:%M:%SZ}` once"
        )


def check_clock(conn: sqlite3.Connection, now: datetime) -> None:
    """Take the clock's word for an instant, aware and in UTC.

    Raises:
        ClockDoubted: a silence of more than a month ended within the last one, and nobody purged
            by hand since.
    """
    silence = _silence(conn, now)
    if silence is None:
        return
    by_hand = conn.execute(
        "SELECT 1 FROM purge WHERE recorded_by <> ? AND began_at > ? AND began_at <= ?",
        (BY_ITSELF, micros(silence.last), micros(now)),
    ).fetchone()
    if by_hand is None:
        raise ClockDoubted(silence, now)


def doubt_of(conn: sqlite3.Connection, now: datetime) -> ClockDoubted | None:
    """What speaks against the clock, for who only tells it; None when nothing does."""
    try:
        check_clock(conn, now)
    except ClockDoubted as error:
        return error
    return None


def _silence(conn: sqlite3.Connection, now: datetime) -> Silence | None:
    edge, until = micros(now - _SILENCE), micros(now)
    # What is dated before there was a ledger came with an import, and tells nothing of the clock.
    (last,) = conn.execute("SELECT min(applied_at) FROM migration").fetchone()
    if last is None or last >= edge:
        return None
    following = until
    for table, column in _TRAIL:
        before, after = conn.execute(
            f"SELECT (SELECT max({column}) FROM {table} WHERE {column} < :edge),"
            f" (SELECT min({column}) FROM {table} WHERE {column} BETWEEN :edge AND :until)",
            {"edge": edge, "until": until},
        ).fetchone()
        last = max(last, before if before is not None else last)
        following = min(following, after if after is not None else following)
        if instant(following) - instant(last) <= _SILENCE:
            return None
    return Silence(instant(last), instant(following))
