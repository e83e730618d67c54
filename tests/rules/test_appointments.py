"""Appointments: at a date and time agreed with the callee the law's hours and holidays are lifted.

The law here is open Monday to Friday 10:00-13:00 and 14:00-20:00, until 18:00 on eves of holidays;
an appointment is good for ten minutes either side. Most are of Tuesday 24 November 2026, 20:30.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.facts import Appointment, Listing, Objection, Scope
from dialwarden.policy.model import HouseRules, Policy
from dialwarden.question import Purpose
from dialwarden.rules.judge import judge
from dialwarden.verdict import Rule

from .packs import pack, refusal, said
from .situations import (
    CAMPAIGN,
    MAYOTTE,
    PARIS,
    REUNION,
    attempts,
    consented,
    house,
    instant,
    matter,
    next_at,
    objected,
    until,
)

HOURS = """
[regimes.hours]
mon-fri = ["10:00-13:00", "14:00-20:00"]
eve = ["10:00-18:00"]
source = "law"
[regimes.holidays]
calendar = "FR"
source = "law"
"""


def law(waives: str = '"hours", "holiday"', more: str = "") -> Policy:
    agreed = f'tolerance = "10 minutes"\nwaives = [{waives}]\nsource = "other"\n'
    return pack(more + HOURS + "[regimes.appointments]\n" + agreed)


LAW = law()
AGREED = "2026-11-24 20:30"


def agreed(*texts: str, zone: str = PARIS, **details: object) -> tuple[Appointment, ...]:
    return tuple(Appointment(instant(text, zone), **details) for text in texts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "clock", "expected"),
    [
        (AGREED, "2026-11-24 20:19:59", "hours"),
        (AGREED, "2026-11-24 20:20:00", ""),
        (AGREED, "2026-11-24 20:30:00", ""),
        (AGREED, "2026-11-24 20:39:59", ""),
        (AGREED, "2026-11-24 20:39:59.999999", ""),
        (AGREED, "2026-11-24 20:40:00", "hours"),
        (AGREED, "2026-11-25 20:30:00", "hours"),
        (AGREED, "2026-11-17 20:30:00", "hours"),
        # Where the law is open anyway it changes nothing.
        ("2026-11-24 15:00", "2026-11-24 14:00:00", ""),
        ("2026-11-24 13:30", "2026-11-24 13:15:00", "hours"),
        ("2026-11-24 13:30", "2026-11-24 13:20:00", ""),
        # On days that are closed.
        ("2026-11-28 11:00", "2026-11-28 11:00:00", ""),  # Saturday
        ("2026-11-29 03:00", "2026-11-29 03:00:00", ""),  # Sunday
        # A holiday is lifted too, within the hours and outside of them.
        ("2026-11-11 11:00", "2026-11-11 10:49:59", "holiday"),
        ("2026-11-11 11:00", "2026-11-11 10:50:00", ""),
        ("2026-11-11 11:00", "2026-11-11 11:09:59", ""),
        ("2026-11-11 11:00", "2026-11-11 11:10:00", "holiday"),
        ("2026-11-11 21:00", "2026-11-11 21:00:00", ""),
        ("2026-11-11 21:00", "2026-11-11 21:10:00", "holiday&hours"),
        # Midnight into a holiday: the call is of the holiday.
        ("2026-11-11 00:00", "2026-11-10 23:50:00", ""),
        ("2026-11-11 00:00", "2026-11-11 00:09:59", ""),
        # An eve after its hours.
        ("2026-11-10 18:30", "2026-11-10 18:19:59", "hours"),
        ("2026-11-10 18:30", "2026-11-10 18:20:00", ""),
    ],
)
def test_the_law_is_lifted_as_near_to_it_as_the_tolerance(
    at: str, clock: str, expected: str
) -> None:
    assert said(matter(LAW, appointments=agreed(at)), clock) == expected


@pytest.mark.parametrize(
    ("zone", "at", "clock", "expected"),
    [
        # Both times that the clock shows 02:30 on 25 October 2026 are an hour apart.
        (PARIS, "2026-10-25T02:30+02:00", "2026-10-25T02:35+02:00", ""),
        (PARIS, "2026-10-25T02:30+02:00", "2026-10-25T02:35+01:00", "hours"),
        (PARIS, "2026-10-25T02:30+01:00", "2026-10-25T02:35+02:00", "hours"),
        # A quarter of an hour on either side of the hour that 28 March 2027 lacks.
        (PARIS, "2027-03-28T03:05+02:00", "2027-03-28T01:54:59+01:00", "hours"),
        (PARIS, "2027-03-28T03:05+02:00", "2027-03-28T01:55+01:00", ""),
        (PARIS, "2027-03-28T03:05+02:00", "2027-03-28T03:15+02:00", "hours"),
    ],
)
def test_the_tolerance_is_real_time(zone: str, at: str, clock: str, expected: str) -> None:
    asked = matter(LAW, zones=zone, appointments=(Appointment(datetime.fromisoformat(at)),))
    judgement = judge(asked, datetime.fromisoformat(clock))
    assert "&".join(one.rule for one in judgement.refusals) == expected


@pytest.mark.parametrize(
    ("waives", "clock", "expected"),
    [
        ('"hours"', "2026-11-24 20:30", ""),
        ('"hours"', "2026-11-11 21:00", "holiday"),
        ('"hours"', "2026-11-11 11:00", "holiday"),
        ('"holiday"', "2026-11-24 20:30", "hours"),
        ('"holiday"', "2026-11-11 21:00", "hours"),
        ('"holiday"', "2026-11-11 11:00", ""),
    ],
)
def test_what_is_lifted_is_what_the_law_says(waives: str, clock: str, expected: str) -> None:
    assert said(matter(law(waives), appointments=agreed(clock)), clock) == expected


@pytest.mark.parametrize(
    ("appointment", "purpose", "expected"),
    [
        (agreed(AGREED, campaign=CAMPAIGN), Purpose.SALES, ""),
        (agreed(AGREED, campaign=""), Purpose.SALES, ""),
        (agreed(AGREED, campaign="another"), Purpose.SALES, "hours"),
        (agreed(AGREED, campaign=CAMPAIGN, used_by=7), Purpose.SALES, "hours"),
        (agreed(AGREED, used_by=7) + agreed(AGREED), Purpose.SALES, ""),
        (agreed(AGREED, campaign="another") + agreed(AGREED), Purpose.SALES, ""),
        (agreed(AGREED), Purpose.SERVICE, ""),
        ((), Purpose.SALES, "hours"),
    ],
)
def test_an_appointment_is_with_one_campaign_and_for_one_call(
    appointment: tuple[Appointment, ...], purpose: Purpose, expected: str
) -> None:
    assert said(matter(LAW, appointments=appointment, purpose=purpose), AGREED) == expected


@pytest.mark.parametrize(
    ("no", "expected"),
    [
        pytest.param(objected("2026-11-10 14:59:59"), "", id="before it was agreed"),
        pytest.param(objected("2026-11-10 15:00:00"), "hours", id="at the same instant"),
        pytest.param(objected("2026-11-23 15:00:00"), "hours", id="since"),
        pytest.param(objected("2026-11-23 15:00:00", scope=Scope.CAMPAIGN), "hours", id="to it"),
        pytest.param(Objection(instant("2026-11-23 15:00"), Scope.CAMPAIGN, "another"), "",
                     id="to another campaign"),
    ],
)  # fmt: skip
def test_a_no_ends_what_was_agreed_before_it(no: Objection, expected: str) -> None:
    """A consent given since lets the callee be called; it agrees to no hour."""
    at = instant("2026-11-10 15:00", PARIS)
    asked = matter(LAW, appointments=agreed(AGREED, agreed_at=at), objections=(no,),
                   consents=(consented("2026-11-24 12:00"),))  # fmt: skip
    assert said(asked, AGREED) == expected
    following = "2026-11-24 20:20:00+01:00" if not expected else "2026-11-25 10:00:00+01:00"
    assert next_at(asked, "2026-11-24 20:05") == following


def test_where_the_law_heeds_no_appointments_they_lift_nothing() -> None:
    assert said(matter(pack(HOURS), appointments=agreed(AGREED)), AGREED) == "hours"
    assert next_at(matter(pack(HOURS), appointments=agreed(AGREED)), "2026-11-24 20:05") == (
        "2026-11-25 10:00:00+01:00"
    )


def test_an_appointment_lifts_hours_and_holidays_and_nothing_else() -> None:
    strict = law(
        more="""
        [[regimes.caps]]
        max = 1
        period = "30 days"
        source = "law"
        [[regimes.gaps]]
        period = "72 hours"
        source = "law"
        [[regimes.lists]]
        name = "list"
        max_age = "30 days"
        source = "law"
        [regimes.consent]
        required = true
        source = "law"
        [[regimes.sectors]]
        sectors = ["gas"]
        source = "law"
        [[regimes.caller_id]]
        identified = true
        source = "law"
        """
    )
    asked = matter(
        strict,
        appointments=agreed("2026-11-11 21:00", agreed_at=instant("2026-11-10 15:01", PARIS)),
        attempts=attempts("2026-11-10 15:00"),
        objections=(objected("2026-11-10 15:00"),),
        lists={"list": Listing(1, date(2026, 1, 1), listed=True)},
        sector="gas",
        callerid="anonymous",
    )
    assert said(asked, "2026-11-11 21:00") == (
        "sector&consent&opposition&list_stale&objection&caller_id&frequency&gap"
    )


@pytest.mark.parametrize(
    ("at", "clock", "following"),
    [
        # Its beginning, to the second.
        (AGREED, "2026-11-24 20:00:00", "2026-11-24 20:20:00+01:00"),
        (AGREED, "2026-11-24 20:19:59", "2026-11-24 20:20:00+01:00"),
        # An opening that comes first.
        (AGREED, "2026-11-24 13:30:00", "2026-11-24 14:00:00+01:00"),
        (AGREED, "2026-11-23 21:00:00", "2026-11-24 10:00:00+01:00"),
        # Over: the next day.
        (AGREED, "2026-11-24 20:40:00", "2026-11-25 10:00:00+01:00"),
        # Over a week-end.
        ("2026-11-28 11:00", "2026-11-27 20:00:00", "2026-11-28 10:50:00+01:00"),
        ("2026-11-28 11:00", "2026-11-28 11:10:00", "2026-11-30 10:00:00+01:00"),
        # On a holiday, before its hours, within them and after.
        ("2026-11-11 11:00", "2026-11-11 09:00:00", "2026-11-11 10:50:00+01:00"),
        ("2026-11-11 11:00", "2026-11-10 18:00:00", "2026-11-11 10:50:00+01:00"),
        ("2026-11-11 21:00", "2026-11-11 15:00:00", "2026-11-11 20:50:00+01:00"),
        ("2026-11-11 21:00", "2026-11-11 21:10:00", "2026-11-12 10:00:00+01:00"),
        # A beginning that lies in the second before an opening does no harm.
        ("2026-11-25 10:09", "2026-11-24 20:30:00", "2026-11-25 09:59:00+01:00"),
    ],
)
def test_next_is_the_beginning_of_an_appointment_that_comes_first(
    at: str, clock: str, following: str
) -> None:
    asked = matter(LAW, appointments=agreed(at))
    assert next_at(asked, clock) == following
    assert said(asked, following[:19]) == ""


def test_of_several_appointments_the_first_is_awaited_and_a_spent_one_is_not() -> None:
    three = agreed("2026-11-29 11:00", "2026-11-28 15:00", used_by=None)
    spent = agreed("2026-11-28 11:00", used_by=7)
    elsewhere = agreed("2026-11-28 12:00", campaign="another")
    asked = matter(LAW, appointments=(*three, *spent, *elsewhere))
    assert next_at(asked, "2026-11-27 20:00") == "2026-11-28 14:50:00+01:00"


@pytest.mark.parametrize(
    ("at", "clock", "rule", "ends"),
    [
        (AGREED, "2026-11-24 20:05", Rule.HOURS, "2026-11-24 20:20:00+01:00"),
        (AGREED, "2026-11-24 13:30", Rule.HOURS, "2026-11-24 14:00:00+01:00"),
        ("2026-11-11 11:00", "2026-11-11 09:00", Rule.HOLIDAY, "2026-11-11 10:50:00+01:00"),
        ("2026-11-11 11:00", "2026-11-11 12:00", Rule.HOLIDAY, "2026-11-12 00:00:00+01:00"),
        # That of another day does not end this one's.
        ("2026-11-13 11:00", "2026-11-11 12:00", Rule.HOLIDAY, "2026-11-12 00:00:00+01:00"),
    ],
)
def test_each_rule_ends_where_an_appointment_lifts_it(
    at: str, clock: str, rule: Rule, ends: str
) -> None:
    assert until(refusal(matter(LAW, appointments=agreed(at)), clock, rule)) == ends


# --- The house's own rules are not lifted


@pytest.mark.parametrize(
    ("tuesday", "clock", "expected", "following"),
    [
        # Never open at that time: the next day's common hours.
        (["10:00-12:00"], "2026-11-24 20:30", "hours", "2026-11-25 10:00:00+01:00"),
        # Open all through it.
        (["20:00-21:00"], "2026-11-24 20:19:59", "hours", "2026-11-24 20:20:00+01:00"),
        (["20:00-21:00"], "2026-11-24 20:20:00", "", ""),
        (["20:00-21:00"], "2026-11-24 20:40:00", "hours", "2026-11-25 10:00:00+01:00"),
        # Closing in its midst.
        (["19:00-20:25"], "2026-11-24 20:24:59", "", ""),
        (["19:00-20:25"], "2026-11-24 20:25:00", "hours", "2026-11-25 10:00:00+01:00"),
        # Opening in its midst.
        (["20:35-21:00"], "2026-11-24 20:05:00", "hours", "2026-11-24 20:35:00+01:00"),
        (["20:35-21:00"], "2026-11-24 20:34:59", "hours", "2026-11-24 20:35:00+01:00"),
        (["20:35-21:00"], "2026-11-24 20:35:00", "", ""),
        # Opening when it is over.
        (["20:40-21:00"], "2026-11-24 20:05:00", "hours", "2026-11-25 10:00:00+01:00"),
        (["20:40-21:00"], "2026-11-24 20:40:00", "hours", "2026-11-25 10:00:00+01:00"),
    ],
)
def test_house_hours_hold_during_an_appointment(
    tuesday: list[str], clock: str, expected: str, following: str
) -> None:
    hours = {"mon": ["10:00-12:00"], "tue": tuesday, "wed-fri": ["10:00-12:00"]}
    asked = matter(LAW, appointments=agreed(AGREED), tighten=house(hours=hours))
    assert said(asked, clock) == expected
    if following:
        assert until(refusal(asked, clock, Rule.HOURS)) == following
        assert next_at(asked, clock) == following


def test_hours_that_never_meet_the_laws_meet_an_appointment() -> None:
    asked = matter(LAW, appointments=agreed(AGREED), tighten=house(hours={"tue": ["20:35-21:00"]}))
    for clock in ("2026-11-24 20:05", "2026-11-24 20:34:59"):
        assert until(refusal(asked, clock, Rule.HOURS)) == "2026-11-24 20:35:00+01:00"
        assert next_at(asked, clock) == "2026-11-24 20:35:00+01:00"
    assert said(asked, "2026-11-24 20:35") == ""
    assert until(refusal(asked, "2026-11-24 20:40", Rule.HOURS)) == "never"


def test_during_an_appointment_the_house_is_quoted() -> None:
    asked = matter(LAW, appointments=agreed(AGREED), tighten=house(hours={"tue": ["10:00-12:00"]}))
    found = refusal(asked, "2026-11-24 20:30", Rule.HOURS)
    assert found.source == "tighten"
    assert found.reason.values["windows"] == "10:00-12:00"
    assert refusal(asked, "2026-11-24 21:00", Rule.HOURS).source == "the law"


@pytest.mark.parametrize(
    ("closed", "at", "clock", "expected", "following"),
    [
        # A day that the house closed: the appointment opens it no more than anything else.
        ("2026-11-24", AGREED, "2026-11-24 20:30", "holiday", "2026-11-25 10:00:00+01:00"),
        ("2026-11-24", AGREED, "2026-11-24 11:00", "holiday", "2026-11-25 10:00:00+01:00"),
        ("2026-11-24", AGREED, "2026-11-23 21:00", "hours", "2026-11-25 10:00:00+01:00"),
        ("2026-11-11", "2026-11-11 11:00", "2026-11-11 11:00", "holiday",
         "2026-11-12 10:00:00+01:00"),
        # On the day after one, and after a holiday too.
        ("2026-11-12", "2026-11-11 11:00", "2026-11-11 09:00", "holiday&hours",
         "2026-11-11 10:50:00+01:00"),
        ("2026-11-27", "2026-11-28 11:00", "2026-11-27 11:00", "holiday",
         "2026-11-28 10:50:00+01:00"),
    ],
)  # fmt: skip
def test_a_day_that_the_house_closed_stays_closed(
    closed: str, at: str, clock: str, expected: str, following: str
) -> None:
    asked = matter(LAW, appointments=agreed(at), tighten=house(closed=[closed]))
    assert said(asked, clock) == expected
    assert next_at(asked, clock) == following


def test_an_appointment_at_midnight_counts_on_both_dates() -> None:
    """From a day that the house closed into a holiday that it did not."""
    asked = matter(
        LAW, appointments=agreed("2026-11-11 00:00"), tighten=house(closed=["2026-11-10"])
    )
    for clock in ("2026-11-10 12:00", "2026-11-10 23:55"):
        assert next_at(asked, clock) == "2026-11-11 00:00:00+01:00"
    assert said(asked, "2026-11-11 00:00") == ""
    # And the other way round: over at midnight.
    asked = matter(
        LAW, appointments=agreed("2026-11-11 00:00"), tighten=house(closed=["2026-11-11"])
    )
    assert next_at(asked, "2026-11-10 20:00") == "2026-11-10 23:50:00+01:00"
    assert said(asked, "2026-11-11 00:00") == "holiday"
    assert next_at(asked, "2026-11-11 00:00") == "2026-11-12 10:00:00+01:00"


@pytest.mark.parametrize(
    ("hours", "clock", "expected"),
    [
        # A margin shortens windows; where an appointment lifts the law's, those of the house.
        (None, "2026-11-24 20:39:59", ""),
        (["20:00-20:35"], "2026-11-24 20:32:59", ""),
        (["20:00-20:35"], "2026-11-24 20:33:00", "hours"),
    ],
)
def test_a_margin_shortens_the_houses_hours_alone(
    hours: list[str] | None, clock: str, expected: str
) -> None:
    rules = house(hours=None if hours is None else {"tue": hours})
    tighten = HouseRules(
        hours=rules.hours, margin=timedelta(minutes=2), source="tighten"
    )  # fmt: skip
    assert said(matter(LAW, appointments=agreed(AGREED), tighten=tighten), clock) == expected


def test_an_appointment_is_the_same_instant_wherever_the_callee_may_be() -> None:
    """20:30 in Réunion is 19:30 in Mayotte, where it is open anyway until 20:00."""
    both = matter(LAW, zones=(REUNION, MAYOTTE), appointments=agreed(AGREED, zone=REUNION))
    assert said(both, "2026-11-24 20:19:59") == "hours"
    assert said(both, "2026-11-24 20:20:00") == ""
    assert said(both, "2026-11-24 20:40:00") == "hours"
    assert next_at(both, "2026-11-24 20:10:00") == "2026-11-24 20:20:00+04:00"


INSTANTS = st.datetimes(
    datetime(2026, 11, 5), datetime(2026, 12, 5), timezones=st.just(UTC)
).map(lambda at: at.replace(microsecond=0))  # fmt: skip


@settings(max_examples=300)
@given(at=INSTANTS, seconds=st.integers(-1200, 1200))
def test_an_appointment_opens_nothing_but_its_own_time(at: datetime, seconds: int) -> None:
    clock = at + timedelta(seconds=seconds)
    without = judge(matter(LAW), clock)
    with_one = judge(matter(LAW, appointments=(Appointment(at),)), clock)
    if -600 <= seconds < 600:
        assert not with_one.refusals
    else:
        assert [one.rule for one in with_one.refusals] == [one.rule for one in without.refusals]
