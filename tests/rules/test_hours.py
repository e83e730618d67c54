"""hours: what is open, who is quoted for it, and when it opens next."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from dialwarden.policy.hours import parse_week
from dialwarden.rules.hours import judge_hours, next_opening

from .situations import PARIS, consented, finding, house, instant, matter, until

LAW = "Code de la consommation, art. D. 223-9 (décret n° 2026-662 du 23 juillet 2026)"
CONTRACT = "contract"


@pytest.mark.parametrize(
    ("clock", "opens"),
    [
        pytest.param("2026-11-24 09:59:59", "2026-11-24 10:00:00+01:00", id="before the first"),
        pytest.param("2026-11-24 10:00:00", "", id="first second of the first"),
        pytest.param("2026-11-24 12:59:59", "", id="last second of the first"),
        pytest.param("2026-11-24 13:00:00", "2026-11-24 14:00:00+01:00", id="between the two"),
        pytest.param("2026-11-24 20:00:00", "2026-11-25 10:00:00+01:00", id="after the last"),
        pytest.param("2026-11-27 20:00:00", "2026-11-30 10:00:00+01:00", id="over a week-end"),
        pytest.param("2026-11-28 11:00:00", "2026-11-30 10:00:00+01:00", id="on a Saturday"),
        # Holidays are another rule's.
        pytest.param("2026-11-10 20:00:00", "2026-11-11 10:00:00+01:00", id="eve of a holiday"),
    ],
)
def test_until_is_the_next_opening(clock: str, opens: str) -> None:
    assert until(finding(judge_hours, matter("fr", relationship=CONTRACT), clock)) == opens


@pytest.mark.parametrize(
    ("clock", "key", "windows"),
    [
        ("2026-11-24 13:30", "hours", "10:00-13:00, 14:00-20:00"),
        ("2026-11-28 11:00", "hours_weekday", None),
    ],
)
def test_the_reason_tells_the_callees_clock_and_the_days_windows(
    clock: str, key: str, windows: str | None
) -> None:
    refusal = finding(judge_hours, matter("fr", relationship=CONTRACT), clock)
    assert refusal is not None
    assert refusal.reason.key == key
    assert refusal.reason.values["local"] == instant(clock, PARIS)
    assert refusal.reason.values.get("windows") == windows


@pytest.mark.parametrize(
    ("clock", "source"),
    [
        pytest.param("2026-11-24 13:30", LAW, id="both closed: the law is quoted"),
        pytest.param("2026-11-24 11:30", "", id="both open"),
        pytest.param("2026-11-24 12:45", "tighten", id="only the house is closed"),
        pytest.param("2026-11-24 20:30", LAW, id="only the law is closed"),
        pytest.param("2026-11-25 11:30", "tighten", id="a weekday the house does not name"),
        pytest.param("2026-11-28 11:30", LAW, id="a weekday the law closes"),
    ],
)
def test_the_stricter_of_law_and_house_is_quoted(clock: str, source: str) -> None:
    hours = {"tue": ["09:00-12:30", "14:00-21:00"], "sat": ["11:00-12:00"]}
    asked = matter("fr", tighten=house(hours=hours), relationship=CONTRACT)
    refusal = finding(judge_hours, asked, clock)
    assert (refusal.source if refusal else "") == source


@pytest.mark.parametrize(
    ("policy", "tighten", "clock", "open_"),
    [
        pytest.param("none", None, "2026-11-29 03:00", True, id="nobody limits"),
        pytest.param("none", {"mon-fri": ["09:00-18:00"]}, "2026-11-24 18:00", False, id="house"),
        pytest.param("none", {"mon-fri": ["09:00-24:00"]}, "2026-11-24 23:59:59", True, id="24:00"),
        pytest.param("none", {}, "2026-11-24 11:00", False, id="a house that names no day"),
        pytest.param("fr", {"mon-sun": ["00:00-24:00"]}, "2026-11-24 13:30", False,
                     id="a wider house changes nothing"),
    ],
)  # fmt: skip
def test_law_and_house_are_intersected(
    policy: str, tighten: dict[str, list[str]] | None, clock: str, open_: bool
) -> None:
    rules = None if tighten is None else house(hours=tighten)
    asked = matter(policy, tighten=rules, relationship=CONTRACT)
    assert (finding(judge_hours, asked, clock) is None) is open_


@pytest.mark.parametrize(
    ("clock", "tighten", "open_"),
    [
        pytest.param("2026-06-20 23:00", None, True, id="old law: consent lifts days and hours"),
        pytest.param("2026-06-20 23:00", {"sat": ["10:00-12:00"]}, False, id="never the house's"),
        pytest.param("2026-06-20 11:00", {"sat": ["10:00-12:00"]}, True, id="the house's alone"),
        pytest.param("2026-11-28 11:00", None, False, id="new law: it lifts nothing"),
    ],
)
def test_a_good_consent_lifts_the_laws_hours_where_the_law_says_so(
    clock: str, tighten: dict[str, list[str]] | None, open_: bool
) -> None:
    asked = matter(
        "fr",
        tighten=None if tighten is None else house(hours=tighten),
        consents=(consented("2026-05-04 11:00", complete=True),),
    )
    refusal = finding(judge_hours, asked, clock)
    assert (refusal is None) is open_
    if refusal is not None and tighten:
        assert refusal.source == "tighten"


def test_hours_that_never_open_give_no_until() -> None:
    asked = matter("fr", tighten=house(hours={"sat": ["10:00-12:00"]}), relationship=CONTRACT)
    assert until(finding(judge_hours, asked, "2026-11-24 11:00")) == "never"


def test_an_opening_is_strictly_after_the_instant() -> None:
    zone = ZoneInfo(PARIS)
    week = parse_week({"tue": ["10:00-11:00"]})
    opening = instant("2026-11-24 10:00", PARIS).astimezone(zone)
    assert next_opening(week, opening - timedelta(seconds=1), zone) == opening
    assert next_opening(week, opening, zone) == opening + timedelta(days=7)
    assert next_opening(parse_week({}), opening, zone) is None
