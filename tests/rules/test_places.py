"""Several places: what regions add to their country, and the strictest of all that may be.

The law here is open 08:00-21:00 every day, in Florida until 20:00 and never on Sundays, with at
most two calls in 24 hours there; Alabama adds its own holidays and an hour between two calls.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.facts import PastAttempt
from dialwarden.numbers import places_of_region
from dialwarden.question import Purpose
from dialwarden.rules.judge import judge
from dialwarden.verdict import Rule

from .packs import judged, pack, refusal, said
from .situations import attempts, house, instant, matter, next_at, until

LAW = pack(
    """
    purposes = ["sales"]
    [regimes.hours]
    mon-sun = ["08:00-21:00"]
    source = "law"
    [regimes.holidays]
    calendar = "US"
    observed = false
    source = "law"
    [[regimes.regions]]
    regions = ["US-FL"]
    [regimes.regions.hours]
    mon-sat = ["07:00-20:00"]
    source = "other"
    [[regimes.regions.caps]]
    max = 2
    period = "24 hours"
    source = "other"
    [[regimes.regions]]
    regions = ["US-AL"]
    [regimes.regions.holidays]
    calendar = "US-AL"
    observed = false
    source = "other"
    [[regimes.regions.gaps]]
    period = "1 hour"
    source = "other"
    """,
    country="US",
)
NEW_YORK = "America/New_York"
# A number of Florida's, and one that may be anywhere from Bermuda to Guam.
MIAMI, TOLL_FREE = "+13055550123", "+18005550123"


@pytest.mark.parametrize(
    ("region", "clock", "expected"),
    [
        ("US-NY", "2026-11-24 07:59:59", "hours"),
        ("US-NY", "2026-11-24 08:00:00", ""),
        ("US-NY", "2026-11-24 20:59:59", ""),
        ("US-NY", "2026-11-24 21:00:00", "hours"),
        ("US-NY", "2026-11-22 12:00:00", ""),  # Sunday
        # Florida's wider morning opens nothing, its evening and Sunday close.
        ("US-GA", "2026-11-24 20:30:00", ""),
        ("US-FL", "2026-11-24 07:59:59", "hours"),
        # The western end of Florida is an hour behind: open in both from nine.
        ("US-FL", "2026-11-24 08:00:00", "hours"),
        ("US-FL", "2026-11-24 09:00:00", ""),
        ("US-FL", "2026-11-24 19:59:59", ""),
        ("US-FL", "2026-11-24 20:00:00", "hours"),
        ("US-FL", "2026-11-22 12:00:00", "hours"),
        # Holidays of the country everywhere, those of Alabama there: 27 April and 1 June 2026.
        ("US-NY", "2026-12-25 12:00:00", "holiday"),
        ("US-AL", "2026-12-25 12:00:00", "holiday"),
        ("US-AL", "2026-04-27 12:00:00", "holiday"),
        ("US-AL", "2026-06-01 12:00:00", "holiday"),
        ("US-GA", "2026-04-27 12:00:00", ""),
        ("US-GA", "2026-06-01 12:00:00", ""),
        # 4 July 2026 is a Saturday: no day in lieu on the Friday before it.
        ("US-AL", "2026-07-03 12:00:00", ""),
        ("US-AL", "2026-07-04 12:00:00", "holiday"),
    ],
)
def test_a_region_adds_to_what_holds_everywhere(region: str, clock: str, expected: str) -> None:
    assert said(matter(LAW, region=region), clock) == expected


@pytest.mark.parametrize(
    ("region", "clock", "source"),
    [
        ("US-NY", "2026-11-24 21:30", "the law"),
        ("US-FL", "2026-11-24 20:30", "another law"),
        ("US-FL", "2026-11-22 12:00", "another law"),
        ("US-FL", "2026-11-24 22:30", "the law"),  # closed by both: the country's is quoted
    ],
)
def test_whose_hours_refuse_is_quoted(region: str, clock: str, source: str) -> None:
    assert refusal(matter(LAW, region=region), clock, Rule.HOURS).source == source


@pytest.mark.parametrize(
    ("region", "made", "clock", "expected"),
    [
        ("US-FL", ["2026-11-23 12:00", "2026-11-23 13:00"], "2026-11-24 11:59:59", "frequency"),
        ("US-FL", ["2026-11-23 12:00", "2026-11-23 13:00"], "2026-11-24 12:00:00", ""),
        ("US-FL", ["2026-11-23 12:00"], "2026-11-23 12:00:01", ""),
        ("US-GA", ["2026-11-23 12:00", "2026-11-23 13:00"], "2026-11-23 13:00:01", ""),
        ("US-AL", ["2026-11-23 12:00"], "2026-11-23 12:59:59", "gap"),
        ("US-AL", ["2026-11-23 12:00"], "2026-11-23 13:00:00", ""),
        ("US-GA", ["2026-11-23 12:00"], "2026-11-23 12:00:01", ""),
    ],
)
def test_caps_and_gaps_of_a_region_hold_there(
    region: str, made: list[str], clock: str, expected: str
) -> None:
    asked = matter(LAW, region=region)
    zone = str(asked.zones[0])
    asked = matter(LAW, region=region, attempts=attempts(*made, zone=zone))
    assert said(asked, clock) == expected


@pytest.mark.parametrize("purpose", [Purpose.SURVEY, Purpose.SERVICE])
def test_what_a_region_adds_binds_what_its_country_binds(purpose: Purpose) -> None:
    made = tuple(PastAttempt(instant("2026-11-22 17:00"), purpose) for _ in range(3))
    asked = matter(LAW, region="US-FL", purpose=purpose, attempts=made)
    assert said(asked, "2026-11-22 23:00") == ""


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        # Open when it is eight in Hawaii, and not yet eight in the evening in Miami.
        ("2026-11-24 12:59:59", "hours"),
        ("2026-11-24 13:00:00", ""),
        ("2026-11-24 19:59:59", ""),
        ("2026-11-24 20:00:00", "hours"),
        ("2026-11-22 15:00:00", "hours"),  # Florida's Sunday
        ("2026-04-27 15:00:00", "holiday"),  # Alabama's day
    ],
)
def test_of_a_state_that_is_not_known_every_one_counts(clock: str, expected: str) -> None:
    assert said(matter(LAW, region="US"), clock, NEW_YORK) == expected


@pytest.mark.parametrize(
    ("number", "clock", "expected"),
    [
        (MIAMI, "2026-11-24 19:59:59", ""),
        (MIAMI, "2026-11-24 20:00:00", "hours"),
        (MIAMI, "2026-11-22 12:00:00", "hours"),
        # Eight in the morning of the 25th in Guam is five in the afternoon of the 24th.
        (TOLL_FREE, "2026-11-24 16:59:59", "hours"),
        (TOLL_FREE, "2026-11-24 17:00:00", ""),
        # And nine in the evening in Newfoundland is half past seven.
        (TOLL_FREE, "2026-11-24 19:29:59", ""),
        (TOLL_FREE, "2026-11-24 19:30:00", "hours"),
    ],
)
def test_a_number_is_where_its_code_says_that_it_may_be(
    number: str, clock: str, expected: str
) -> None:
    assert said(matter(LAW, number=number), clock, NEW_YORK) == expected


def test_the_caps_and_gaps_of_every_state_that_it_may_be_count() -> None:
    made = attempts("2026-11-24 14:00", "2026-11-24 15:00", zone=NEW_YORK)
    asked = matter(LAW, region="US", attempts=made)
    assert said(asked, "2026-11-24 15:30", NEW_YORK) == "frequency&gap"
    assert said(asked, "2026-11-24 16:00", NEW_YORK) == "frequency"
    assert said(asked, "2026-11-25 14:00", NEW_YORK) == ""


def test_the_strictest_place_says_until_when() -> None:
    """On a Saturday evening most open on Sunday, and Florida on Monday."""
    judgement = judged(matter(LAW, region="US"), "2026-11-21 23:30", NEW_YORK)
    (hours,) = judgement.refusals
    assert until(hours) == "2026-11-23 08:00:00-06:00"
    assert hours.source in ("the law", "another law")


@pytest.mark.parametrize(
    ("region", "clock", "where"),
    [
        ("US-NY", "2026-11-24 07:00", ""),
        # Eight in the east of Florida is seven in its west: there it is too early.
        ("US-FL", "2026-11-24 08:00", " (US-FL)"),
    ],
)
def test_of_several_places_the_reason_names_the_one_that_it_is_about(
    region: str, clock: str, where: str
) -> None:
    found = refusal(matter(LAW, region=region), clock, Rule.HOURS)
    assert found.reason.values["where"] == where
    assert f"{found.reason.values['local']:%H:%M}" == "07:00"


def test_next_is_when_every_place_is_open() -> None:
    anywhere = matter(LAW, region="US")
    opening = instant("2026-11-24 13:00", NEW_YORK)
    for clock in ("2026-11-23 20:00", "2026-11-24 06:00"):
        following = next_at(anywhere, clock, NEW_YORK)
        assert instant(following[:19], str(anywhere.zones[0])) == opening
    known = matter(LAW, region="US-NY")
    assert next_at(known, "2026-11-24 06:00") == "2026-11-24 08:00:00-05:00"


def test_a_margin_and_house_hours_hold_in_every_place() -> None:
    asked = matter(LAW, region="US-FL", tighten=house(hours={"tue": ["09:00-11:00"]}))
    assert said(asked, "2026-11-24 10:59:59") == ""
    assert said(asked, "2026-11-24 11:00") == "hours"
    # Nine in the west of Florida is ten in its east.
    assert said(asked, "2026-11-24 09:59:59") == "hours"


STATES = st.sampled_from(sorted({place.region for place in places_of_region("US")}))
INSTANTS = st.datetimes(datetime(2026, 11, 16), datetime(2026, 12, 28), timezones=st.just(UTC))


@settings(max_examples=150, deadline=None)
@given(at=INSTANTS, state=STATES)
def test_what_is_allowed_wherever_the_callee_may_be_is_allowed_in_each_state(
    at: datetime, state: str
) -> None:
    made = attempts("2026-11-24 14:00", "2026-12-01 15:00", "2026-12-01 16:00", zone=NEW_YORK)
    anywhere = judge(matter(LAW, region="US", attempts=made), at)
    there = judge(matter(LAW, region=state, attempts=made), at)
    told = {one.rule for one in anywhere.refusals}
    assert {one.rule for one in there.refusals} <= told
