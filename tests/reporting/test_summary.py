"""What a report adds to what, and in whose hours."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dialwarden.ledger.tallies import AttemptTally, Callees, RefusalTally, Span
from dialwarden.reporting.summary import Summary, summarise

PARIS = ZoneInfo("Europe/Paris")
DAY = Span(datetime(2026, 11, 9, 23, tzinfo=UTC), datetime(2026, 11, 10, 23, tzinfo=UTC))


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 10, hour, minute, tzinfo=UTC)


def summary(
    *refusals: RefusalTally,
    attempts: tuple[AttemptTally, ...] = (),
    callees: tuple[Callees, ...] = (),
    zone: str = "Europe/Paris",
) -> Summary:
    return summarise(DAY, ZoneInfo(zone), attempts=attempts, refusals=refusals, callees=callees)


def test_what_was_let_go_counts_once() -> None:
    found = summary(
        RefusalTally(at(9), "c", "hours&gap", True, False, 3),
        attempts=(AttemptTally(at(9), "c", False, 3, 2), AttemptTally(at(9), "c", True, 5, 1)),
    ).total
    assert (found.allowed, found.would, found.answered, found.asked) == (5, 3, 3, 8)
    assert found.would_share == 3 / 8
    assert dict(found.would_by_rule) == {"hours": 3}
    assert not found.by_rule


def test_a_refusal_is_counted_under_its_first_rule_and_among_all_that_failed() -> None:
    found = summary(
        RefusalTally(at(9), "c", "opposition&hours", False, False, 4),
        RefusalTally(at(9), "c", "hours", False, False, 1),
        callees=(
            Callees("opposition", False, 2),
            Callees("hours", False, 1),
            Callees("", False, 3),
        ),
    )
    assert [(r.rule, r.first, r.among, r.callees) for r in found.rules] == [
        ("opposition", 4, 4, 2),
        ("hours", 1, 5, 1),
    ]
    assert (found.callees, found.total.refused) == (3, 5)


def test_a_bypass_is_no_refusal() -> None:
    found = summary(
        RefusalTally(at(9), "c", "bypass", True, True, 2),
        RefusalTally(at(9), "c", "bypass", False, True, 1),
    )
    assert (found.total.bypassed, found.total.stopped, found.total.refused) == (3, 1, 0)
    assert found.rules == ()
    assert found.busiest_refused() == []


def test_a_request_that_the_gateway_cannot_read_is_a_refusal_and_no_bypass() -> None:
    found = summary(RefusalTally(at(9), "c", "bypass", False, False, 2))
    assert (found.total.bypassed, found.total.refused) == (0, 2)
    assert [(rule.rule, rule.first) for rule in found.rules] == [("bypass", 2)]


def test_hours_and_days_are_those_of_the_zone() -> None:
    tallies = (
        RefusalTally(at(8, 45), "c", "hours", False, False, 1),
        RefusalTally(at(9, 0), "c", "hours", False, False, 2),
    )
    assert list(summary(*tallies).by_hour) == [9, 10]
    # India is five hours and a half ahead: 8:45 and 9:00 are both of the hour from 14:00 on.
    kolkata = summary(*tallies, zone="Asia/Kolkata")
    assert list(kolkata.by_hour) == [14]
    assert [at.isoformat() for at in kolkata.hours] == ["2026-11-10T08:30:00+00:00"]


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    autumn = datetime(2026, 10, 25, tzinfo=UTC)
    tallies = [RefusalTally(autumn.replace(hour=h), "c", "hours", False, False, 1) for h in (0, 1)]
    found = summarise(DAY, PARIS, attempts=(), refusals=tallies)
    assert [at.astimezone(PARIS).isoformat() for at in found.hours] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]
    assert found.by_hour[2].refused == 2


def test_rules_of_a_later_version_are_told_and_come_last() -> None:
    found = summary(
        RefusalTally(at(9), "c", "weather", False, False, 9),
        RefusalTally(at(9), "c", "gap", False, False, 1),
    )
    assert [rule.rule for rule in found.rules] == ["gap", "weather"]


def test_the_busiest_hours_come_first_and_are_ten_at_most() -> None:
    found = summary(
        *(RefusalTally(at(h), "c", "hours", bool(h % 2), False, h) for h in range(1, 14))
    )
    busiest = found.busiest_refused()
    assert [row[0].hour for row in busiest] == [*range(13, 3, -1)]
