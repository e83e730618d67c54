"""What the ledger holds of a span of time, counted: calls let go, refusals, bypasses, exempt calls.

Counts by quarters of an hour of UTC: every time zone's hours are made of those. A report reads all
of its span, one row after another: an index for it would be paid for by every call. Rows are
counted here as they come, not by GROUP BY and DISTINCT: SQLite sorts for those, and holds all that
it sorts in memory (350 MiB for five million attempts, where this takes none, and no longer).
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyroaring import BitMap64

from dialwarden.ledger.connection import instant, micros
from dialwarden.ledger.states import Outcome

QUARTER = timedelta(minutes=15)
_QUARTER_US = QUARTER // timedelta(microseconds=1)

# Of the attempts those that a verdict let go: what the guard saw is told as bypasses, and a history
# from elsewhere was never judged.
_JUDGED = "voided_at IS NULL AND door NOT IN ('guard', 'import')"
_UNASKED = "rule = 'bypass' AND door = 'guard'"
# One call that is asked about again, for its next trunk, is let go against a refusal each time, and
# leaves once; one whose attempt was voided never left. The refusal of a call that left has the
# instant of its attempt. What cannot be read as a number is an attempt of nobody's.
_COUNTS = f"""(NOT would OR {_UNASKED} OR number IS NULL OR EXISTS (
    SELECT 1 FROM attempt
    WHERE attempt.number = refusal.number AND attempt.at = refusal.at
        AND NOT attempt.enforced AND attempt.voided_at IS NULL))"""

# In the names of channels, what no two calls share.
_COUNTER = re.compile(r"-[0-9a-f]{8}(;[12])?$")
_LOCAL = re.compile(r"^(Local/)[^@]+@")


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
    """Attempts of one quarter of an hour, voided and imported ones left out.

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
        would: the call was let go all the same, and left.
        unasked: a bypass: the guard saw a call that nobody had asked about.
    """

    quarter: datetime
    campaign: str
    rules: str
    would: bool
    unasked: bool
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
        by: the channel that dialled, or that of the trunk where none did, without what differs
            from call to call: PJSIP/2001, Local/…@outbound.
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
        f"SELECT at / {_QUARTER_US}, campaign, enforced,"
        f" answered_at IS NOT NULL OR outcome IS '{Outcome.ANSWERED}' FROM attempt"
        f" WHERE {span.condition} AND {_JUDGED}",
        span.values,
    )
    for (quarter, campaign, enforced, answered), count in Counter(rows).items():
        yield AttemptTally(
            _began(quarter), campaign, bool(enforced), count, count if answered else 0
        )


def refusal_tallies(conn: sqlite3.Connection, span: Span) -> Iterator[RefusalTally]:
    """The refusals of a span, bypasses among them."""
    rows = conn.execute(
        f"SELECT at / {_QUARTER_US}, campaign, rules, would, {_UNASKED} FROM refusal"
        f" WHERE {span.condition} AND {_COUNTS}",
        span.values,
    )
    for (quarter, campaign, rules, would, unasked), count in Counter(rows).items():
        yield RefusalTally(_began(quarter), campaign, rules, bool(would), bool(unasked), count)


def refused_callees(conn: sqlite3.Connection, span: Span) -> list[Callees]:
    """How many numbers each rule refused, as the first that failed; rule "" is any of them.

    Bypasses are not among them: nobody asked. What cannot be read counts as it was dialled.
    """
    numbers: defaultdict[tuple[str, bool], BitMap64] = defaultdict(BitMap64)
    texts: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    rows = conn.execute(
        "SELECT rule, would, number, CASE WHEN number IS NULL THEN dialled END FROM refusal"
        f" WHERE {span.condition} AND NOT ({_UNASKED}) AND {_COUNTS}",
        span.values,
    )
    for rule, would, number, dialled in rows:
        if number is None:
            texts[rule, bool(would)].add(dialled)
        else:
            numbers[rule, bool(would)].add(number)
    for rule, would in {*numbers, *texts}:
        if rule:
            numbers["", would] |= numbers[rule, would]
            texts["", would] |= texts[rule, would]
    return [
        Callees(rule, would, len(numbers[rule, would]) + len(texts[rule, would]))
        for rule, would in sorted({*numbers, *texts})
    ]


def bypass_tallies(conn: sqlite3.Connection, span: Span) -> list[BypassTally]:
    """The bypasses of a span, the most frequent first."""
    rows = conn.execute(
        f"SELECT asked_by, would, at FROM refusal WHERE {span.condition} AND {_UNASKED}",
        span.values,
    )
    counts: Counter[tuple[str, bool]] = Counter()
    last: dict[tuple[str, bool], int] = {}
    for asked_by, would, at in rows:
        who = (_endpoint(asked_by), bool(would))
        counts[who] += 1
        last[who] = max(at, last.get(who, at))
    most = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return [BypassTally(*who, count, instant(last[who])) for who, count in most]


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
        f"SELECT basis_id FROM attempt WHERE {span.condition} AND {_JUDGED}", span.values
    )
    judged: Counter[tuple[str, str, str]] = Counter()
    for (basis,), count in Counter(rows).items():
        found = conn.execute(
            "SELECT regime, policy, policy_sha256 FROM basis WHERE id = ?", (basis,)
        ).fetchone()
        if found is not None:
            judged[found] += count
    most = sorted(judged.items(), key=lambda row: (-row[1], row[0]))
    return [BasisTally(*basis, count) for basis, count in most]


def _endpoint(channel: str) -> str:
    """A channel's name without Asterisk's counter, and a Local one's without the number in it."""
    return _LOCAL.sub(r"\1…@", _COUNTER.sub("", channel))


def _began(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER.total_seconds(), UTC)
