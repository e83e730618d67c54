"""Consents: the callee said yes, and took it back. What a yes is good for is for the rules.

A withdrawal is kept as a row of its own besides the mark it leaves on the consents it ends: a
consent dated before it, and imported after it, is withdrawn from the start.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from dialwarden.ledger.connection import instant, maybe_instant, micros
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed
from dialwarden.ledger.reduced import subject


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A yes, given at `given_at`.

    Attributes:
        until: last local day on which it is good (inclusive); None for the law's own limit.
        scope: "professional", or the one campaign, sector or purpose it was given for.
        proof: where the record of it is.
        complete: that record holds every item the law in force asks for.
    """

    number: int
    professional: str
    given_at: datetime
    recorded_at: datetime
    campaign: str = ""
    until: date | None = None
    scope: str = "professional"
    proof: str = ""
    complete: bool = False
    by: str = ""


_GRANT = """
INSERT INTO consent (
    number, professional, campaign, given_at, until, scope, proof, complete, recorded_at,
    recorded_by, withdrawn_at
)
SELECT :number, :professional, :campaign, :given_at, :until, :scope, :proof, :complete,
    :recorded_at, :by, (
        SELECT min(at) FROM withdrawal
        WHERE number IN (:number, :reduced) AND professional = :professional AND at >= :given_at
          AND (campaign = '' OR :campaign IN ('', campaign) OR :scope <> :campaign)
    )
WHERE NOT EXISTS (
    SELECT 1 FROM consent
    WHERE number = :number AND professional = :professional AND campaign = :campaign
      AND given_at = :given_at AND until IS :until AND scope = :scope AND proof = :proof
      AND complete = :complete
)
"""

# A withdrawal for one campaign ends what might cover that campaign: a consent stays only if it
# was given in another campaign and for that one alone. A purpose or a sector may be shared.
_WITHDRAW = """
UPDATE consent SET withdrawn_at = :at
WHERE number = :number AND professional = :professional AND given_at <= :at
  AND (withdrawn_at IS NULL OR withdrawn_at > :at)
  AND (:campaign = '' OR campaign IN ('', :campaign) OR scope <> campaign)
"""

_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "number": e164,
    "professional": as_is,
    "campaign": as_is,
    "given_at": instant,
    "until": lambda text: date.fromisoformat(text) if text else None,
    "scope": as_is,
    "proof": as_is,
    "complete": bool,
    "withdrawn_at": maybe_instant,
    "recorded_at": instant,
    "recorded_by AS by": as_is,
}


def grant(conn: sqlite3.Connection, new: NewConsent) -> bool:
    """Record a yes; False when this very one was recorded before (and perhaps withdrawn since)."""
    added = conn.execute(
        _GRANT,
        {
            "number": new.number,
            "reduced": subject(conn, new.number).reduced,
            "professional": new.professional,
            "campaign": new.campaign,
            "given_at": micros(new.given_at),
            "until": new.until.isoformat() if new.until else None,
            "scope": new.scope,
            "proof": new.proof,
            "complete": new.complete,
            "recorded_at": micros(new.recorded_at),
            "by": new.by,
        },
    )
    return added.rowcount > 0


def last_word_at(conn: sqlite3.Connection, number: int, now: datetime) -> datetime:
    """Now, and not before any yes on record: a no said live is the callee's last word.

    A clock that was set back would date it before a consent, which then seems to lift it.
    """
    newest = conn.execute(
        "SELECT max(given_at) FROM consent WHERE number = ?", (number,)
    ).fetchone()[0]
    return now if newest is None else max(now, instant(newest))


_NEWEST_NO = """
SELECT max(at) FROM (
    SELECT at FROM objection
    WHERE number IN (:number, :reduced) AND (professional = :professional OR scope = 'all')
    UNION ALL
    SELECT at FROM objection
    WHERE person IN (:person, :reduced_person)
      AND (professional = :professional OR scope = 'all')
    UNION ALL
    SELECT at FROM withdrawal
    WHERE number IN (:number, :reduced) AND professional = :professional
)
"""


def after_every_no(
    conn: sqlite3.Connection,
    *,
    number: int,
    professional: str,
    now: datetime,
    person: str = "",
) -> datetime:
    """Now, and later than every no on record: a yes said live is the callee's last word.

    Of a no and a yes of the same instant the no wins, so one of the same microsecond, or one that
    a clock since set back dated ahead, would seem to end a yes that came after it. A yes that is
    dated ahead of the clock for that reason does not count before its instant.

    Args:
        person: with one, what that person said from another number is a no of theirs too.
    """
    callee = subject(conn, number, person)
    newest = conn.execute(
        _NEWEST_NO, {**callee._asdict(), "professional": professional}
    ).fetchone()[0]
    return now if newest is None else max(now, instant(newest + 1))


def withdraw(
    conn: sqlite3.Connection,
    *,
    number: int,
    professional: str,
    at: datetime,
    recorded_at: datetime,
    campaign: str = "",
    by: str = "",
) -> int:
    """End every consent given up to `at`, all of the professional's or one campaign's.

    Returns:
        How many consents this ended; the withdrawal is recorded even when there was none.
    """
    values = {
        "number": number,
        "professional": professional,
        "campaign": campaign,
        "at": micros(at),
        "recorded_at": micros(recorded_at),
        "by": by,
    }
    conn.execute(
        "INSERT INTO withdrawal (number, professional, campaign, at, recorded_at, recorded_by)"
        " VALUES (:number, :professional, :campaign, :at, :recorded_at, :by)",
        values,
    )
    return conn.execute(_WITHDRAW, values).rowcount


def list_consents(
    conn: sqlite3.Connection,
    *,
    number: int | None = None,
    professional: str | None = None,
    campaign: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[dict[str, object]]:
    """The consents that match, withdrawn ones too, in the order of recording; streams.

    `since` (inclusive) and `until` (exclusive) are of `given_at`. In the rows `until` is a date,
    `number` E.164 with its +, instants are aware and in UTC.
    """
    where = Where()
    where.equal("number", number)
    where.equal("professional", professional)
    where.equal("campaign", campaign)
    where.at_least("given_at", since and micros(since))
    where.below("given_at", until and micros(until))
    return listed(conn, _COLUMNS, "consent", where)


_WITHDRAWAL_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "number": e164,
    "professional": as_is,
    "campaign": as_is,
    "at": instant,
    "recorded_at": instant,
    "recorded_by AS by": as_is,
    "reduced_at": maybe_instant,
}


def list_withdrawals(conn: sqlite3.Connection, *, number: int) -> Iterator[dict[str, object]]:
    """The withdrawals of a number, in the order of recording; streams.

    Those that were reduced are found too: their `number` is "reduced", `reduced_at` since when.
    """
    where = Where()
    where.one_of("number", (number, subject(conn, number).reduced))
    return listed(conn, _WITHDRAWAL_COLUMNS, "withdrawal", where)
