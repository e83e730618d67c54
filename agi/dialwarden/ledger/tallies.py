"""What the ledger holds of a span of time, counted: calls let go, refusals, bypasses, exempt calls.

Counts by quarters of an hour of UTC: every time zone's hours are made of those. A report reads all
of its span, one row after another: an index for it would be paid for by every call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.states import Outcome

QUARTER = timedelta(minutes=15)
_QUARTER_US = QUARTER // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `since`, inclusive, to `until`, exclusive; of one campaign, or of all ("")."""

    since: datetime
    until: datetime
    campaign: str = ""

    @property
    def condition(self) -> str:
        """SQL over the columns `at` and `campaign`; its values are `values`."""
        of_campaign = " AND campaign = :campaign" if self.campaign else ""
        return f"at >= :since AND at < :until{of_campaign}"

    @property
    def values(self) -> dict[str, object]:
        return {
            "since": micros(self.since),
            "until": micros(self.until),
            "campaign": self.campaign,
        }


@dataclass(frozen=True, slots=True)
class AttemptTally:
    """Attempts of one quarter of an hour, voided ones left out.

    Attributes:
        enforced: False when they were let go against a refusal.
        answered: those known to have been.
    """

    quarter: datetime
    campaign: str
    enforced: bool
    count: int
    answered: int


@dataclass(frozen=True, slots=True)
class RefusalTally:
    """Refusals of one quarter of an hour.

    Attributes:
        rules: every failing rule, joined by "&".
        would: the call was let go all the same.
    """

    quarter: datetime
    campaign: str
    rules: str
    would: bool
    count: int


@dataclass(frozen=True, slots=True)
class Callees:
    """How many different numbers were refused, or let go against a refusal."""

    rule: str
    would: bool
    count: int


@dataclass(frozen=True, slots=True)
class BypassTally:
    """Calls that left without asking, by who placed them.

    Attributes:
        by: the channel's caller, or what else is known of who it was.
        let_go: the guard did not hang them up.
    """

    by: str
    let_go: bool
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class BasisTally:
    """What verdicts of the span rest on: a regime of a policy file, and how many attempts."""

    regime: str
    policy: str
    policy_sha256: str
    count: int


def attempt_tallies(conn: sqlite3.Connection, span: Span) -> Iterator[AttemptTally]:
    """The attempts of a span; those of the guard are bypasses and counted there."""
    rows = conn.execute(
        f"SELECT at / {_QUARTER_US}, campaign, enforced, count(*),"
        f" sum(answered_at IS NOT NULL OR outcome IS '{Outcome.ANSWERED}') FROM attempt"
        f" WHERE {span.condition} AND voided_at IS NULL AND door <> 'guard' GROUP BY 1, 2, 3",
        span.values,
    )
    for quarter, campaign, enforced, count, answered in rows:
        yield AttemptTally(_began(quarter), campaign, bool(enforced), count, answered)


def refusal_tallies(conn: sqlite3.Connection, span: Span) -> Iterator[RefusalTally]:
    """The refusals of a span, bypasses among them."""
    rows = conn.execute(
        f"SELECT at / {_QUARTER_US}, campaign, rules, would, count(*) FROM refusal"
        f" WHERE {span.condition} GROUP BY 1, 2, 3, 4",
        span.values,
    )
    for quarter, campaign, rules, would, count in rows:
        yield RefusalTally(_began(quarter), campaign, rules, bool(would), count)


def refused_callees(conn: sqlite3.Connection, span: Span) -> list[Callees]:
    """How many numbers each rule refused, as the first that failed; rule "" is any of them.

    Bypasses are not among them: nobody asked.
    """
    found = []
    for rule, group in (("rule", "GROUP BY 1, 2"), ("''", "GROUP BY 2")):
        rows = conn.execute(
            f"SELECT {rule}, would, count(DISTINCT ifnull(number, dialled)) FROM refusal"
            f" WHERE {span.condition} AND rule <> 'bypass' {group}",
            span.values,
        )
        found += [Callees(rule, bool(would), count) for rule, would, count in rows]
    return found


def bypass_tallies(conn: sqlite3.Connection, span: Span) -> list[BypassTally]:
    """The bypasses of a span, the most frequent first."""
    rows = conn.execute(
        "SELECT asked_by, would, count(*), max(at) FROM refusal"
        f" WHERE {span.condition} AND rule = 'bypass' AND door = 'guard'"
        " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        span.values,
    )
    return [BypassTally(by, bool(would), count, instant(at)) for by, would, count, at in rows]


def exempt_tallies(conn: sqlite3.Connection, span: Span) -> list[tuple[str, int]]:
    """Calls that an exempt list let pass: list and count, the most frequent first."""
    rows = conn.execute(
        f"SELECT list, count(*) FROM exempt_call WHERE {span.condition} GROUP BY 1"
        " ORDER BY 2 DESC, 1",
        span.values,
    )
    return list(rows)


def basis_tallies(conn: sqlite3.Connection, span: Span) -> list[BasisTally]:
    """What the attempts of a span were judged by, the most frequent first."""
    rows = conn.execute(
        "SELECT regime, policy, policy_sha256, sum(n) FROM"
        f" (SELECT basis_id, count(*) AS n FROM attempt WHERE {span.condition}"
        " AND voided_at IS NULL GROUP BY 1) JOIN basis ON basis.id = basis_id"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1",
        span.values,
    )
    return [BasisTally(*row) for row in rows]


def _began(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER.total_seconds(), UTC)
