"""The page draws every call of its span, and nothing of what peers said is more than text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialwarden.ledger.tallies import BasisTally, BypassTally, RefusalTally, Span
from dialwarden.policy.period import day_start
from dialwarden.reporting.page import page
from dialwarden.reporting.summary import Summary, summarise

QUARTER = timedelta(minutes=15)


def a_refusal_each_quarter(zone: str, day: date) -> Summary:
    here = ZoneInfo(zone)
    since, until = (day_start(one, here).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    quarters = [since + n * QUARTER for n in range((until - since) // QUARTER)]
    refusals = [RefusalTally(at, "c", "hours", False, False, 1) for at in quarters]
    return summarise(Span(since, until), here, attempts=(), refusals=refusals)


@pytest.mark.parametrize(
    ("zone", "day", "quarters", "hours"),
    [
        ("Europe/Paris", date(2026, 11, 10), 96, 24),
        ("Europe/Paris", date(2026, 10, 25), 100, 25),
        ("Europe/Paris", date(2026, 3, 29), 92, 23),
        ("Asia/Kolkata", date(2026, 11, 10), 96, 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 98, 25),  # half an hour back
        ("Australia/Lord_Howe", date(2026, 10, 4), 94, 24),
    ],
)
def test_the_hours_of_a_day_hold_every_refusal(
    zone: str, day: date, quarters: int, hours: int
) -> None:
    text = page(a_refusal_each_quarter(zone, day), title="a day", made="", scope="")
    drawn = [int(count) for count in re.findall(r": (\d+) refused</title>", text)]
    assert (sum(drawn), len(drawn)) == (quarters, hours)


def test_what_peers_said_is_text() -> None:
    at, said = datetime(2026, 11, 10, 9, tzinfo=UTC), '"><script>alert(1)</script>'
    span = Span(at - timedelta(hours=9), at + timedelta(hours=15), said)
    summary = summarise(
        span, UTC, attempts=(),
        refusals=[RefusalTally(at, said, said, would, False, 2) for would in (False, True)],
        bypasses=[BypassTally(said, True, 1, at)], exempt=[(said, 1)],
        bases=[BasisTally(said, said, said, 1)],
    )  # fmt: skip
    text = page(summary, title=said, made=said, scope=said)
    assert "<script" not in text
    assert text.count("&#34;&gt;&lt;script&gt;") > 10
