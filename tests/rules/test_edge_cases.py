"""The edge cases that French and Italian rules are known to be got wrong at.

Every answer was worked out by hand from the text, not by running the rules. Clocks are the
callee's own unless the row says otherwise.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from dialwarden.facts import Listing
from dialwarden.numbers import Number, read_number
from dialwarden.policy.figures import ListRule
from dialwarden.question import Purpose
from dialwarden.rules.case import Matter
from dialwarden.rules.judge import judge

from .situations import (
    MARTINIQUE,
    MAYOTTE,
    PARIS,
    REUNION,
    ROME,
    TAHITI,
    attempts,
    consented,
    failing,
    house,
    instant,
    matter,
    next_at,
    objected,
    rules_at,
)

# A French callee with a good consent under the law of 11 August 2026, and before it anybody.
YES = (consented("2026-09-01 11:00"),)


def france(**given: Any) -> Matter:
    return matter("fr", **{"consents": YES, **given})


# --- Windows are half-open, in the callee's zone


@pytest.mark.parametrize(
    ("clock", "rules"),
    [
        ("2026-11-24 09:59:59", "hours"),
        ("2026-11-24 10:00:00", ""),
        ("2026-11-24 12:59:59", ""),
        ("2026-11-24 12:59:59.999999", ""),
        ("2026-11-24 13:00:00", "hours"),
        ("2026-11-24 13:59:59", "hours"),
        ("2026-11-24 14:00:00", ""),
        ("2026-11-24 19:59:59", ""),
        ("2026-11-24 20:00:00", "hours"),
        ("2026-11-27 19:59:59", ""),  # Friday
        ("2026-11-28 11:00:00", "hours"),  # Saturday
        ("2026-11-29 11:00:00", "hours"),  # Sunday
        ("2026-11-30 10:00:00", ""),  # Monday
    ],
)
def test_france_opens_10_to_13_and_14_to_20_on_weekdays(clock: str, rules: str) -> None:
    assert rules_at(france(), clock) == rules


@pytest.mark.parametrize(
    ("clock", "rules"),
    [
        ("2023-02-28 11:00:00", "campaign"),  # no rule pack speaks of that Tuesday
        ("2023-03-01 09:59:59", "hours"),
        ("2023-03-01 10:00:00", ""),
        ("2026-06-23 12:59:59", ""),
        ("2026-06-23 13:00:00", "hours"),
        ("2026-06-23 20:00:00", "hours"),
    ],
)
def test_france_had_the_same_hours_from_1_march_2023(clock: str, rules: str) -> None:
    assert rules_at(matter("fr"), clock) == rules


@pytest.mark.parametrize(
    ("clock", "rules"),
    [
        ("2016-01-28 11:00:00", "campaign"),
        ("2016-01-29 09:00:00", ""),  # Friday, first day of the code
        ("2026-11-24 08:59:59", "hours"),
        ("2026-11-24 09:00:00", ""),
        ("2026-11-24 20:59:59", ""),
        ("2026-11-24 21:00:00", "hours"),
        ("2026-11-28 09:59:59", "hours"),  # Saturday
        ("2026-11-28 10:00:00", ""),
        ("2026-11-28 18:59:59", ""),
        ("2026-11-28 19:00:00", "hours"),
        ("2026-11-29 11:00:00", "hours"),  # Sunday
    ],
)
def test_assocontact_opens_9_to_21_and_saturdays_10_to_19(clock: str, rules: str) -> None:
    assert rules_at(matter("it-assocontact", zones=ROME), clock) == rules


def test_a_verdict_of_two_minutes_before_the_end_expires_with_the_window() -> None:
    asked = france()
    assert rules_at(asked, "2026-11-24 12:58:00") == ""
    assert rules_at(asked, "2026-11-24 13:00:00") == "hours"


# --- The callee's own date and clock


@pytest.mark.parametrize(
    ("callee", "paris_clock", "rules"),
    [
        pytest.param(REUNION, "2026-11-24 06:59:59", "hours", id="Réunion 09:59:59, winter"),
        pytest.param(REUNION, "2026-11-24 07:00:00", "", id="Réunion 10:00, Paris 07:00 winter"),
        pytest.param(REUNION, "2026-06-23 07:59:59", "hours", id="Réunion 09:59:59, summer"),
        pytest.param(REUNION, "2026-06-23 08:00:00", "", id="Réunion 10:00, Paris 08:00 summer"),
        pytest.param(MARTINIQUE, "2026-11-25 00:59:00", "", id="Martinique Tue 19:59, winter"),
        pytest.param(MARTINIQUE, "2026-11-25 01:00:00", "hours", id="Martinique Tue 20:00, winter"),
        pytest.param(MARTINIQUE, "2026-06-24 01:59:00", "", id="Martinique Tue 19:59, summer"),
        pytest.param(MARTINIQUE, "2026-06-24 02:00:00", "hours", id="Martinique Tue 20:00, summer"),
        pytest.param(MARTINIQUE, "2026-11-11 00:59:00", "", id="Martinique, eve of 11 November"),
        pytest.param(
            MARTINIQUE, "2026-11-12 00:59:00", "holiday", id="Martinique, 11 November 19:59"
        ),
        pytest.param(TAHITI, "2026-11-28 06:00:00", "", id="Tahiti Fri 19:00, Paris Saturday"),
        pytest.param(TAHITI, "2026-11-28 07:00:00", "hours", id="Tahiti Fri 20:00"),
        pytest.param(TAHITI, "2026-11-30 10:00:00", "hours", id="Tahiti Sunday, Paris Monday"),
        pytest.param(TAHITI, "2026-11-30 21:00:00", "", id="Tahiti Mon 10:00, Paris Mon 21:00"),
    ],
)
def test_overseas_france_goes_by_its_own_clock_and_date(
    callee: str, paris_clock: str, rules: str
) -> None:
    assert rules_at(france(zones=callee), paris_clock, PARIS) == rules


# --- Clock changes


@pytest.mark.parametrize(
    ("asked_at", "expected"),
    [
        pytest.param(
            "2026-10-23 20:00", "2026-10-26 10:00:00+01:00", id="over the night of 25 October 2026"
        ),
        pytest.param(
            "2026-10-25 02:30", "2026-10-26 10:00:00+01:00", id="inside the repeated hour"
        ),
        # 29 March 2027 is Easter Monday.
        pytest.param(
            "2027-03-26 20:00", "2027-03-30 10:00:00+02:00", id="over the night of 28 March 2027"
        ),
    ],
)
def test_next_after_a_clock_change_is_on_the_new_clock(asked_at: str, expected: str) -> None:
    assert next_at(france(), asked_at) == expected


def test_days_are_calendar_days_across_a_clock_change() -> None:
    """Thirty days that hold a 25-hour day: the attempt of 1 October leaves on 31 October."""
    made = attempts("2026-10-01 19:30", "2026-10-20 11:00", "2026-10-21 11:00", "2026-10-22 11:00")
    asked = matter("none", tighten=house(caps=[(4, "30 days")]), attempts=made)
    assert rules_at(asked, "2026-10-30 23:59:59") == "frequency"
    assert rules_at(asked, "2026-10-31 00:00:00") == ""
    assert next_at(asked, "2026-10-23 11:00") == "2026-10-31 00:00:00+01:00"


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        # Saturday noon, then 48 real hours with 25 on the Sunday.
        ("48 hours", "2026-10-26 11:00:00+01:00"),
        ("2 days", "2026-10-26 00:00:00+01:00"),
    ],
)
def test_hours_are_real_hours_across_a_clock_change(gap: str, expected: str) -> None:
    asked = matter("none", tighten=house(gap=gap), attempts=attempts("2026-10-24 12:00"))
    assert next_at(asked, "2026-10-24 13:00") == expected


# --- Four attempts in thirty calendar days


def test_thirty_calendar_days_end_at_midnight_not_720_hours_later() -> None:
    made = attempts("2026-11-02 19:00", "2026-11-05 11:00", "2026-11-10 11:00", "2026-11-20 11:00")
    asked = france(attempts=made)
    assert rules_at(asked, "2026-11-23 11:00") == "frequency"
    assert rules_at(asked, "2026-12-01 19:59:59") == "frequency"
    assert rules_at(asked, "2026-12-02 10:00") == ""
    assert next_at(asked, "2026-11-23 11:00") == "2026-12-02 10:00:00+01:00"


@pytest.mark.parametrize(
    ("made", "clock", "rules"),
    [
        pytest.param(
            ("2026-11-26 10:00", "2026-11-26 11:00", "2026-11-27 10:00", "2026-11-27 11:00"),
            "2026-12-01 11:00",
            "frequency",
            id="a new month does not begin a new count",
        ),
        pytest.param(
            ("2026-12-01 10:00", "2026-12-01 11:00", "2026-12-01 15:00", "2026-12-01 16:00"),
            "2026-12-31 11:00",
            "",
            id="a fifth attempt in one month, thirty days after the first four",
        ),
        pytest.param(
            ("2026-12-01 10:00", "2026-12-01 11:00", "2026-12-01 15:00", "2026-12-01 16:00"),
            "2026-12-30 11:00",
            "frequency",
            id="a fifth attempt twenty-nine days after the first four",
        ),
    ],
)
def test_four_in_thirty_days_is_not_four_a_month(
    made: tuple[str, ...], clock: str, rules: str
) -> None:
    assert rules_at(france(attempts=attempts(*made)), clock) == rules


def test_the_fifth_attempt_is_one_too_many_and_the_fourth_is_not() -> None:
    days = ["2026-11-16 11:00", "2026-11-17 11:00", "2026-11-18 11:00", "2026-11-19 11:00"]
    assert rules_at(france(attempts=attempts(*days[:3])), "2026-11-24 11:00") == ""
    assert rules_at(france(attempts=attempts(*days)), "2026-11-24 11:00") == "frequency"


def test_thirty_days_are_the_callees_own() -> None:
    """An attempt of 24 October in Martinique was made on 25 October, Paris time."""
    made = attempts(*["2026-10-24 19:30"] * 4, zone=MARTINIQUE)
    assert rules_at(france(attempts=made, zones=MARTINIQUE), "2026-11-23 10:00") == ""
    assert rules_at(france(attempts=made, zones=PARIS), "2026-11-23 10:00") == "frequency"


def test_a_current_contract_does_not_lift_the_cap() -> None:
    made = attempts("2026-11-16 11:00", "2026-11-17 11:00", "2026-11-18 11:00", "2026-11-19 11:00")
    asked = matter("fr", relationship="contract", attempts=made)
    assert rules_at(asked, "2026-11-24 11:00") == "frequency"


# --- The callee said no


def test_sixty_full_days_after_a_refusal_of_1_june_2026() -> None:
    """Day 1 is 2 June, day 60 is 31 July; 1 August is a Saturday."""
    asked = matter("fr", objections=(objected("2026-06-01 11:00"),))
    assert rules_at(asked, "2026-06-02 11:00") == "objection"
    assert rules_at(asked, "2026-07-31 19:59:59") == "objection"
    assert rules_at(asked, "2026-08-01 00:00:00") == "hours"
    assert rules_at(asked, "2026-08-03 10:00:00") == ""
    assert next_at(asked, "2026-07-01 11:00") == "2026-08-03 10:00:00+02:00"


def test_a_refusal_of_20_july_2026_is_judged_by_the_law_at_call_time() -> None:
    """The old text would free it on 19 September; from 11 August it takes a consent."""
    asked = matter("fr", objections=(objected("2026-07-20 11:00"),))
    assert rules_at(asked, "2026-08-10 11:00") == "objection"
    assert rules_at(asked, "2026-08-11 11:00") == "consent&objection"
    assert rules_at(asked, "2026-09-21 11:00") == "consent&objection"
    assert next_at(asked, "2026-08-03 11:00") == ""


@pytest.mark.parametrize(
    ("policy", "zone", "before"),
    [("fr", PARIS, "consent&objection"), ("it-assocontact", ROME, "objection"),
     ("none", PARIS, "objection")],
)  # fmt: skip
def test_a_consent_after_a_refusal_allows_and_one_before_it_does_not(
    policy: str, zone: str, before: str
) -> None:
    no = objected("2026-10-05 11:00", zone)
    yes = consented("2026-10-12 11:00", zone)
    stale = consented("2026-09-28 11:00", zone)
    asked = matter(policy, zones=zone, objections=(no,), consents=(stale,))
    assert rules_at(asked, "2026-10-13 11:00") == before
    asked = matter(policy, zones=zone, objections=(no,), consents=(yes, stale))
    assert rules_at(asked, "2026-10-13 11:00") == ""


def test_a_no_and_a_yes_of_one_instant_are_a_no() -> None:
    no, yes = objected("2026-10-05 11:00"), consented("2026-10-05 11:00")
    asked = matter("fr", objections=(no,), consents=(yes,))
    assert rules_at(asked, "2026-10-13 11:00") == "consent&objection"


# --- How long a consent is good


@pytest.mark.parametrize(
    ("given", "clock", "rules"),
    [
        pytest.param("2026-08-11 11:00", "2027-08-10 19:59:59", "", id="last day of the year"),
        pytest.param("2026-08-11 11:00", "2027-08-11 10:00", "consent", id="its anniversary"),
        pytest.param("2028-02-29 11:00", "2029-02-28 11:00", "", id="29 February, last day"),
        pytest.param("2028-02-29 11:00", "2029-03-01 11:00", "consent", id="29 February, next day"),
        pytest.param("2027-03-01 11:00", "2028-02-29 11:00", "", id="a year that holds a leap day"),
        pytest.param("2027-03-01 11:00", "2028-03-01 11:00", "consent", id="and its anniversary"),
        pytest.param("2026-08-11 00:00", "2026-08-11 10:00", "", id="given on the first day"),
        pytest.param("2026-08-10 23:59", "2026-08-11 10:00", "consent", id="given a minute before"),
    ],
)
def test_a_french_consent_is_good_for_a_year_less_a_day(given: str, clock: str, rules: str) -> None:
    assert rules_at(matter("fr", consents=(consented(given),)), clock) == rules


def test_a_consent_is_dated_by_the_callees_own_calendar() -> None:
    """00:30 on 11 August in Paris is still 10 August in Martinique: void there."""
    yes = (consented("2026-08-11 00:30", PARIS),)
    assert rules_at(matter("fr", consents=yes, zones=PARIS), "2026-08-12 11:00") == ""
    assert rules_at(matter("fr", consents=yes, zones=MARTINIQUE), "2026-08-12 11:00") == "consent"


def test_an_older_consent_marked_complete_counts_from_its_collection() -> None:
    asked = matter("fr", consents=(consented("2026-06-15 11:00", complete=True),))
    assert rules_at(asked, "2026-08-11 11:00") == ""
    assert rules_at(asked, "2027-06-14 11:00") == ""
    assert rules_at(asked, "2027-06-15 11:00") == "consent"


# --- A current contract


@pytest.mark.parametrize(
    ("relationship", "clock", "rules"),
    [
        pytest.param("contract", "2026-11-28 11:00", "hours", id="contract, Saturday"),
        pytest.param("contract", "2026-11-27 11:00", "", id="contract, Friday"),
        pytest.param("contract", "2026-11-11 11:00", "holiday", id="contract, 11 November"),
        pytest.param("press", "2026-11-27 11:00", "", id="press, Friday"),
        pytest.param("press", "2026-11-28 11:00", "hours", id="press, Saturday"),
        pytest.param("ended:2026-10-30", "2026-11-27 11:00", "consent", id="contract performed"),
        pytest.param("contract", "2026-06-20 11:00", "hours", id="contract, Saturday, old law"),
    ],
)
def test_a_contract_stands_in_for_a_consent_not_for_the_hours(
    relationship: str, clock: str, rules: str
) -> None:
    assert rules_at(matter("fr", relationship=relationship), clock) == rules


# --- Opposition lists: fresh at the call, not at the import


@pytest.mark.parametrize(
    ("policy", "zone", "name", "clock", "age", "rules"),
    [
        pytest.param("fr", PARIS, "bloctel", "2026-06-23", 30, "", id="Bloctel, 30 days old"),
        pytest.param(
            "fr", PARIS, "bloctel", "2026-06-23", 31, "list_stale", id="Bloctel, 31 days old"
        ),
        pytest.param("it-assocontact", ROME, "rpo", "2026-11-24", 15, "", id="RPO, 15 days old"),
        pytest.param(
            "it-assocontact", ROME, "rpo", "2026-11-24", 16, "list_stale", id="RPO, 16 days old"
        ),
    ],
)
def test_a_list_of_exactly_its_greatest_age_is_good(
    policy: str, zone: str, name: str, clock: str, age: int, rules: str
) -> None:
    as_of = date.fromisoformat(clock) - timedelta(age)
    asked = matter(policy, zones=zone, lists={name: Listing(version=1, as_of=as_of)})
    assert rules_at(asked, f"{clock} 11:00") == rules


@pytest.mark.parametrize(("age", "rules"), [(27, ""), (28, ""), (29, "list_stale")])
def test_a_house_list_with_a_limit_of_28_days_ages_alike(age: int, rules: str) -> None:
    as_of = date(2026, 11, 24) - timedelta(age)
    asked = matter(
        "none",
        own_lists=(ListRule("house", "lists.house", max_age_days=28),),
        lists={"house": Listing(version=1, as_of=as_of)},
    )
    assert rules_at(asked, "2026-11-24 11:00") == rules


def test_a_list_fresh_at_import_is_stale_at_a_later_call() -> None:
    """The same facts, asked twice: what counts is the day of the call."""
    asked = matter(
        "it-assocontact", zones=ROME, lists={"rpo": Listing(version=1, as_of=date(2026, 11, 9))}
    )
    assert rules_at(asked, "2026-11-24 20:59:59") == ""
    assert rules_at(asked, "2026-11-25 09:00") == "list_stale"
    # Waiting for the morning makes no list younger.
    assert next_at(asked, "2026-11-24 21:30") == ""


def test_a_lists_age_is_counted_to_the_callees_own_date() -> None:
    """23 June 18:30 in Tahiti is 24 June in Paris, where the list is a day too old."""
    lists = {"bloctel": Listing(version=1, as_of=date(2026, 5, 24))}
    at = instant("2026-06-24 06:30", PARIS)
    assert failing(judge(matter("fr", zones=TAHITI, lists=lists), at)) == ""
    assert failing(judge(matter("fr", zones=PARIS, lists=lists), at)) == "list_stale&hours"


@pytest.mark.parametrize(
    ("lists", "rules"),
    [
        pytest.param({}, "list_stale", id="no answer"),
        pytest.param({"rpo": Listing(version=None)}, "list_stale", id="never imported"),
        pytest.param({"rpo": Listing(version=1)}, "list_stale", id="imported without a date"),
        pytest.param({"rpo": Listing(version=1, as_of=date(2026, 11, 23))}, "", id="fresh"),
        pytest.param(
            {"rpo": Listing(version=1, as_of=date(2026, 11, 23), listed=True)},
            "opposition",
            id="fresh and listed",
        ),
        pytest.param(
            {"rpo": Listing(version=None, listed=True)},
            "opposition&list_stale",
            id="never imported, and added by hand",
        ),
    ],
)
def test_a_missing_list_is_refused_by_a_rule_of_its_own(
    lists: dict[str, Listing], rules: str
) -> None:
    asked = matter("it-assocontact", zones=ROME, lists=lists)
    assert rules_at(asked, "2026-11-24 11:00") == rules


def test_bloctel_is_asked_for_until_10_august_2026_and_never_after() -> None:
    asked = matter("fr", consents=(consented("2026-08-11 09:00"),), lists={})
    assert rules_at(asked, "2026-08-10 11:00") == "list_stale"
    assert rules_at(asked, "2026-08-11 11:00") == ""


# --- Holidays


@pytest.mark.parametrize(
    ("clock", "rules"),
    [
        pytest.param("2026-04-06 11:00", "holiday", id="Easter Monday 2026"),
        pytest.param("2026-04-05 11:00", "hours", id="Easter Sunday 2026 is a Sunday only"),
        pytest.param("2026-04-03 11:00", "", id="Good Friday 2026 is open"),
        pytest.param("2027-03-29 11:00", "holiday", id="Easter Monday 2027"),
        pytest.param("2027-03-28 11:00", "hours", id="Easter Sunday 2027"),
        pytest.param("2027-05-06 11:00", "holiday", id="Ascension 2027"),
        pytest.param("2027-05-17 11:00", "holiday", id="Whit Monday 2027"),
        pytest.param("2027-07-14 11:00", "holiday", id="14 July 2027"),
        pytest.param("2026-11-01 11:00", "holiday&hours", id="1 November 2026, a Sunday"),
        pytest.param("2026-11-02 11:00", "", id="the Monday after it is no holiday"),
        pytest.param("2027-08-15 11:00", "holiday&hours", id="15 August 2027, a Sunday"),
        pytest.param("2027-08-16 11:00", "", id="nor is the Monday after that"),
        pytest.param("2026-12-24 19:59:59", "", id="Christmas Eve is a Thursday"),
        pytest.param("2026-12-25 11:00", "holiday", id="Christmas 2026, a Friday"),
    ],
)
def test_french_holidays(clock: str, rules: str) -> None:
    asked = matter("fr", relationship="contract")
    assert rules_at(asked, clock) == rules


@pytest.mark.parametrize(
    ("clock", "rules"),
    [
        pytest.param("2025-10-04 11:00", "", id="4 October 2025, an ordinary Saturday"),
        pytest.param("2025-10-04 19:00", "hours", id="with a Saturday's hours"),
        pytest.param("2026-10-03 11:00", "", id="the day before 4 October 2026"),
        pytest.param("2026-10-04 11:00", "holiday&hours", id="4 October 2026, Sunday and holiday"),
        pytest.param("2026-10-05 11:00", "", id="not carried over to the Monday"),
        pytest.param("2027-10-04 11:00", "holiday", id="4 October 2027, a Monday holiday"),
        pytest.param("2027-10-05 09:00", "", id="the day after it"),
        pytest.param("2026-04-06 11:00", "holiday", id="Easter Monday 2026"),
        pytest.param("2027-03-29 11:00", "holiday", id="Easter Monday 2027"),
        pytest.param("2026-11-01 11:00", "holiday&hours", id="1 November 2026, a Sunday"),
        pytest.param("2026-11-02 11:00", "", id="the Monday after it"),
        pytest.param("2026-06-29 11:00", "", id="Rome's patron saint"),
        pytest.param("2026-12-07 19:15", "", id="Milan's patron saint, and the eve of a holiday"),
        pytest.param("2026-12-08 11:00", "holiday", id="8 December"),
        pytest.param("2026-12-24 20:59:59", "", id="this code knows no eves"),
        pytest.param("2026-12-26 11:00", "holiday", id="26 December, a Saturday"),
        pytest.param("2026-03-19 11:00", "", id="19 March, suppressed in 1977"),
        pytest.param("2026-05-14 11:00", "", id="Ascension, suppressed in 1977"),
        pytest.param("2026-06-04 11:00", "", id="Corpus Domini, suppressed in 1977"),
        pytest.param("2026-11-04 11:00", "", id="4 November, suppressed in 1977"),
    ],
)
def test_italian_holidays(clock: str, rules: str) -> None:
    assert rules_at(matter("it-assocontact", zones=ROME), clock) == rules


def test_next_steps_over_4_october_2027() -> None:
    asked = matter("it-assocontact", zones=ROME)
    assert next_at(asked, "2027-10-02 19:00") == "2027-10-05 09:00:00+02:00"
    assert next_at(asked, "2025-10-03 21:00") == "2025-10-04 10:00:00+02:00"


def test_italian_service_calls_are_open_on_holidays_within_the_hours() -> None:
    asked = matter("it-assocontact", zones=ROME, purpose=Purpose.SERVICE)
    assert rules_at(asked, "2026-12-08 11:00") == ""
    assert rules_at(asked, "2026-12-08 21:00") == "hours"
    assert rules_at(asked, "2026-11-29 11:00") == "hours"  # Sunday


# --- Where the callee is


def places(dialled: str, region: str = "FR") -> tuple[str, set[str]]:
    number = read_number(dialled, region=region)
    assert isinstance(number, Number)
    return number.e164, {place.zone for place in number.places}


@pytest.mark.parametrize(
    ("dialled", "region", "e164", "zones"),
    [
        pytest.param("0142681234", "FR", "+33142681234", {PARIS}, id="01 is no region"),
        pytest.param("0556123456", "FR", "+33556123456", {PARIS}, id="05 is no region"),
        pytest.param("0612345678", "FR", "+33612345678", {PARIS}, id="mobile of unknown region"),
        pytest.param("0645551234", "IT", "+390645551234", {ROME}, id="06 is no region"),
        pytest.param("3471234567", "IT", "+393471234567", {ROME}, id="Italian mobile"),
        pytest.param(
            "0692123456", "FR", "+262692123456", {REUNION, MAYOTTE}, id="0692 is +262, never +33"
        ),
        pytest.param(
            "0639123456", "FR", "+262639123456", {REUNION, MAYOTTE}, id="0639 is +262, Mayotte"
        ),
        pytest.param(
            "612345678", "ES", "+34612345678", {"Europe/Madrid", "Atlantic/Canary"},
            id="Spanish mobile: the islands too",
        ),
    ],
)  # fmt: skip
def test_a_prefix_gives_a_country_never_a_region(
    dialled: str, region: str, e164: str, zones: set[str]
) -> None:
    found, where = places(dialled, region)
    assert found == e164
    assert where <= zones | {"Africa/Ceuta"}
    assert where >= zones


@pytest.mark.parametrize(
    ("reunion_clock", "rules"),
    [
        ("2026-11-24 10:30", "hours"),  # Mayotte 09:30
        ("2026-11-24 11:00", ""),
        ("2026-11-24 12:59:59", ""),
        ("2026-11-24 13:00", "hours"),  # Réunion closed
        ("2026-11-24 14:30", "hours"),  # Mayotte 13:30
        ("2026-11-24 15:00", ""),
        ("2026-11-24 19:59:59", ""),
        ("2026-11-24 20:00", "hours"),  # Mayotte 19:00
    ],
)
def test_only_a_time_lawful_in_every_candidate_zone_is_lawful(
    reunion_clock: str, rules: str
) -> None:
    asked = france(zones=(REUNION, MAYOTTE))
    assert rules_at(asked, reunion_clock, REUNION) == rules


def test_next_of_several_candidates_is_when_the_last_of_them_opens() -> None:
    asked = france(zones=(REUNION, MAYOTTE))
    assert next_at(asked, "2026-11-24 10:30", REUNION) == "2026-11-24 11:00:00+04:00"
    assert next_at(asked, "2026-11-24 13:10", REUNION) == "2026-11-24 15:00:00+04:00"


# --- Clocks of servers, and laws that change between queueing and call


@pytest.fixture
def server_in_auckland() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Auckland"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("server_in_auckland")
def test_the_servers_own_zone_changes_nothing() -> None:
    assert datetime(2026, 11, 24).astimezone().utcoffset() == timedelta(hours=13)
    asked = france()
    assert rules_at(asked, "2026-11-24 12:59:59") == ""
    assert rules_at(asked, "2026-11-24 13:00:00") == "hours"
    assert next_at(asked, "2026-11-24 13:00:00") == "2026-11-24 14:00:00+01:00"


def test_an_instant_is_judged_alike_however_it_is_written() -> None:
    asked = france()
    at = instant("2026-11-24 13:00", PARIS)
    for hours in (-11, -3.5, 0, 5.75, 14):
        written = at.astimezone(timezone(timedelta(hours=hours)))
        assert judge(asked, written) == judge(asked, at)


def test_a_clock_without_a_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="naive"):
        judge(france(), datetime(2026, 11, 24, 11))


OLD, NEW = "fr-d223-9-2023", "fr-optin-2026"


@pytest.mark.parametrize(
    ("zones", "utc", "regimes", "rules"),
    [
        pytest.param(PARIS, "2026-08-10 17:59:59", (OLD,), "", id="Paris, last second of old law"),
        pytest.param(PARIS, "2026-08-10 21:59:59", (OLD,), "hours", id="Paris, before midnight"),
        pytest.param(PARIS, "2026-08-10 22:00", (NEW,), "consent&hours", id="Paris, midnight"),
        pytest.param(PARIS, "2026-08-11 08:00", (NEW,), "consent", id="Paris, 11 August 10:00"),
        pytest.param(REUNION, "2026-08-10 19:59:59", (OLD,), "hours", id="Réunion, 23:59:59"),
        pytest.param(REUNION, "2026-08-10 20:00", (NEW,), "consent&hours", id="Réunion, midnight"),
        pytest.param(MARTINIQUE, "2026-08-10 22:30", (OLD,), "", id="Martinique, 10 August 18:30"),
        pytest.param(MARTINIQUE, "2026-08-11 03:59", (OLD,), "hours", id="Martinique, 23:59"),
        pytest.param(MARTINIQUE, "2026-08-11 14:00", (NEW,), "consent", id="Martinique, 10:00"),
        pytest.param(TAHITI, "2026-08-11 05:59", (OLD,), "", id="Tahiti, 10 August 19:59"),
        pytest.param(TAHITI, "2026-08-11 20:00", (NEW,), "consent", id="Tahiti, 11 August 10:00"),
        pytest.param(
            (REUNION, MAYOTTE), "2026-08-10 20:30", (NEW, OLD), "consent&hours",
            id="Réunion or Mayotte, in the hour between their midnights",
        ),
    ],
)  # fmt: skip
def test_the_law_is_that_of_the_callees_own_date(
    zones: str | tuple[str, ...], utc: str, regimes: tuple[str, ...], rules: str
) -> None:
    judgement = judge(matter("fr", zones=zones), instant(utc))
    assert judgement.regimes == regimes
    assert failing(judgement) == rules


def test_an_express_consent_lifts_days_and_hours_until_10_august_2026_and_never_after() -> None:
    asked = matter("fr", consents=(consented("2026-07-01 11:00", complete=True),))
    assert rules_at(asked, "2026-07-14 21:00") == ""
    assert rules_at(asked, "2026-08-10 23:59:59") == ""
    assert rules_at(asked, "2026-08-11 00:00") == "hours"
    assert rules_at(asked, "2026-08-15 11:00") == "holiday&hours"


def test_next_looks_through_the_regime_to_come() -> None:
    queued = "2026-08-10 20:00"
    assert next_at(matter("fr"), queued) == ""
    contract = matter("fr", relationship="contract")
    assert next_at(contract, queued) == "2026-08-11 10:00:00+02:00"
    # The day before the first French regime, whatever the facts.
    assert next_at(matter("fr"), "2023-02-28 21:00") == "2023-03-01 10:00:00+01:00"
