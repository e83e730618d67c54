"""How many of the answered calls fell silent, campaign by campaign.

Reads attempts and silent calls. What share is allowed, and over which days, is the law's to say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dialwarden.ledger.connection import micros
from dialwarden.ledger.states import Outcome


@dataclass(frozen=True, slots=True)
class Share:
    """The calls of one campaign for one professional, in some span.

    Attributes:
        answered: calls known to have been answered; the silent ones are among them.
        silent: of these, those that no agent took.
        unknown: attempts of which it is not on record whether they were answered.
    """

    campaign: str
    professional: str
    answered: int
    silent: int
    unknown: int

    @property
    def percent(self) -> float | None:
        """Of a hundred answered calls, how many fell silent; None where none was answered."""
        return 100 * self.silent / self.answered if self.answered else None

    def above(self, percent: int) -> bool:
        """Whether more than so many of a hundred answered calls fell silent."""
        return 100 * self.silent > percent * self.answered


_ANSWERED = f"(attempt.answered_at IS NOT NULL OR attempt.outcome IS '{Outcome.ANSWERED}')"
_UNKNOWN = "(attempt.answered_at IS NULL AND attempt.outcome IS NULL)"
# A report reads all attempts of its span, one after another: an index for it would be paid for by
# every call.
_ATTEMPTS = f"""
SELECT campaign, professional, sum({_ANSWERED}), sum({_UNKNOWN}) FROM attempt
WHERE at >= :since AND at < :until AND voided_at IS NULL {{of_campaign}}
GROUP BY campaign, professional
"""
# Where its attempt is known a silent call is the attempt's: of its campaign and its instant. That
# it was answered may be on record with the silence only.
_SILENT = f"""
SELECT campaign, professional, count(*), sum(untold), sum(unknown) FROM (
    SELECT ifnull(attempt.campaign, silent_call.campaign) AS campaign,
        ifnull(attempt.professional, silent_call.professional) AS professional,
        ifnull(attempt.at, silent_call.at) AS at,
        attempt.id IS NOT NULL AND attempt.voided_at IS NULL AND NOT {_ANSWERED} AS untold,
        attempt.id IS NOT NULL AND attempt.voided_at IS NULL AND {_UNKNOWN} AS unknown
    FROM silent_call LEFT JOIN attempt ON attempt.id = silent_call.attempt_id
)
WHERE at >= :since AND at < :until {{of_campaign}}
GROUP BY campaign, professional
"""
_OF_CAMPAIGN = "AND campaign = :campaign"


def silent_shares(
    conn: sqlite3.Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    campaign: str | None = None,
) -> list[Share]:
    """The share of each campaign and professional that had any call, in their order.

    A silent call whose attempt is not known may be one of the answered calls counted; it is taken
    for one, so that the share is never too low.

    Args:
        since, until: when the calls were allowed; `since` is inclusive, `until` is not. None: from
            the first, to the last.
        campaign: this one only.
    """
    values: dict[str, object] = {
        "since": micros(since) if since else -(1 << 62),
        "until": micros(until) if until else 1 << 62,
        "campaign": campaign,
    }
    of_campaign = "" if campaign is None else _OF_CAMPAIGN
    calls = _by_campaign(conn.execute(_ATTEMPTS.format(of_campaign=of_campaign), values))
    silences = _by_campaign(conn.execute(_SILENT.format(of_campaign=of_campaign), values))
    shares = []
    for key in sorted({*calls, *silences}):
        answered, unknown = calls.get(key, (0, 0))
        silent, untold, of_unknown = silences.get(key, (0, 0, 0))
        shares.append(
            Share(*key, max(answered + untold, silent), silent, max(unknown - of_unknown, 0))
        )
    return shares


def _by_campaign(rows: Iterable[Any]) -> dict[tuple[str, str], tuple[int, ...]]:
    return {(campaign, professional): tuple(sums) for campaign, professional, *sums in rows}
