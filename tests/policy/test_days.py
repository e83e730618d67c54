"""One local date: holidays of the country and of regions, eves, and what is open.

The law here is made up: open Monday to Friday 10:00-21:00, Saturday 10:00-19:00, eves of holidays
09:00-18:00, the French calendar, and Good Friday and 26 December in Moselle.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.policy import days
from dialwarden.policy.calendar import holidays_of
from dialwarden.policy.days import Closing, Day, Holiday, day_of, know_year
from dialwarden.policy.figures import HolidayRule, HoursRule, LocalDays, RegionalDays, RegionRules
from dialwarden.policy.hours import Window, Windows, intersect, parse_week, parse_windows, week
from dialwarden.policy.model import HouseRules, Regime
from dialwarden.policy.terms import Terms, terms_of
from dialwarden.question import Purpose

MOSELLE = frozenset({"FR-57"})
LOCAL = (
    LocalDays(MOSELLE, "Vendredi saint", "local", easter=-2),
    LocalDays(MOSELLE, "Saint-Étienne", "local", day=(12, 26)),
    LocalDays(frozenset({"FR-974"}), "Abolition", "local", day=(12, 20)),
)
WEEK = parse_week({"mon-fri": ["10:00-21:00"], "sat": ["10:00-19:00"]})
EVE = parse_windows(["09:00-18:00"])


def terms(
    regional: str = "off",
    *,
    eve: Windows | None = EVE,
    holidays: HolidayRule | None = None,
    house: HouseRules | None = None,
    region: str = "",
    regions: tuple[RegionRules, ...] = (),
) -> Terms:
    rule = holidays or HolidayRule("FR", "law", regional=RegionalDays(regional), local=LOCAL)
    regime = Regime(
        id="r", start=date(2020, 1, 1), title="t", hours=HoursRule(WEEK, "law", eve),
        holidays=rule, regions=regions,
    )  # fmt: skip
    return terms_of(regime, Purpose.SALES, house or HouseRules(), (), {}, region=region)


def told(day: Day) -> str:
    """What a day is, in words: "Tue 10:00-18:00, eve of Armistice"."""
    parts = [" ".join(map(str, day.windows or ())) or "closed"]
    if day.eve_of:
        parts.append(f"eve of {day.eve_of}")
    if day.holiday is not None:
        parts.append(f"{day.holiday.kind} {day.holiday.name}")
    if day.doubt is not None:
        parts.append(f"perhaps {day.doubt.name} in {day.doubt.region}")
    return f"{day.date:%a} {', '.join(parts)}"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-11-09", "Mon 10:00-21:00"),
        ("2026-11-10", "Tue 10:00-18:00, eve of Armistice"),
        ("2026-11-11", "Wed 10:00-21:00, national Armistice"),
        ("2026-11-12", "Thu 10:00-21:00"),
        # A Saturday before a Sunday that is a holiday: the eve cut by Saturday's own hours.
        ("2026-10-31", "Sat 10:00-18:00, eve of Toussaint"),
        ("2026-11-01", "Sun closed, national Toussaint"),
        # One before a Sunday that is none: a Sunday is no holiday.
        ("2026-11-28", "Sat 10:00-19:00"),
        ("2026-11-27", "Fri 10:00-21:00"),
        # A Sunday before a holiday on Monday opens nothing that is closed on Sundays.
        ("2027-03-28", "Sun closed, eve of Lundi de Pâques"),
        ("2027-03-27", "Sat 10:00-19:00"),
        ("2026-12-24", "Thu 10:00-18:00, eve of Noël"),
        ("2026-12-31", "Thu 10:00-18:00, eve of Jour de l'an"),  # of the next year's calendar
        ("2026-12-25", "Fri 10:00-21:00, national Noël"),
        ("2026-12-26", "Sat 10:00-19:00"),
    ],
)
def test_an_eve_has_its_own_windows_cut_by_the_weekdays(day: str, expected: str) -> None:
    assert told(day_of(terms(), date.fromisoformat(day), "FR")) == expected


def test_an_eve_that_is_itself_a_holiday_is_both() -> None:
    rule = HolidayRule("FR", "law", add={date(2026, 11, 12): "the day after"})
    day = day_of(terms(holidays=rule), date(2026, 11, 11), "FR")
    assert told(day) == "Wed 10:00-18:00, eve of the day after, national Armistice"


@pytest.mark.parametrize(("eve", "expected"), [((), "Tue closed, eve of Armistice"),
                                               (None, "Tue 10:00-21:00")])  # fmt: skip
def test_an_eve_may_be_closed_or_a_day_like_another(eve: Windows | None, expected: str) -> None:
    assert told(day_of(terms(eve=eve), date(2026, 11, 10), "FR")) == expected


GOOD_FRIDAY, ITS_EVE = "2027-03-26", "2027-03-25"
BOXING_DAY = "2026-12-26"  # a Saturday


@pytest.mark.parametrize(
    ("regional", "region", "known", "day", "expected"),
    [
        # Not looked at.
        ("off", "FR-57", True, GOOD_FRIDAY, "Fri 10:00-21:00"),
        ("off", "FR", False, GOOD_FRIDAY, "Fri 10:00-21:00"),
        # Out of caution, where the region is known; it has no eve, since the law knows no holiday.
        ("advisory", "FR-57", True, GOOD_FRIDAY, "Fri 10:00-21:00, advisory Vendredi saint"),
        ("advisory", "FR-57", True, ITS_EVE, "Thu 10:00-21:00"),
        ("advisory", "FR-57", True, BOXING_DAY, "Sat 10:00-19:00, advisory Saint-Étienne"),
        ("advisory", "FR-57", True, "2026-12-27", "Sun closed"),
        ("advisory", "FR-75", True, GOOD_FRIDAY, "Fri 10:00-21:00"),
        ("advisory", "FR-974", True, "2026-12-20", "Sun closed, advisory Abolition"),
        # Where it is not known, it is told and closes nothing.
        ("advisory", "FR", False, GOOD_FRIDAY, "Fri 10:00-21:00, perhaps Vendredi saint in FR-57"),
        ("advisory", "FR", False, ITS_EVE, "Thu 10:00-21:00"),
        ("advisory", "FR-57", False, GOOD_FRIDAY,
         "Fri 10:00-21:00, perhaps Vendredi saint in FR-57"),
        ("advisory", "FR-75", False, GOOD_FRIDAY, "Fri 10:00-21:00"),
        ("advisory", "FR-974", False, "2026-12-20", "Sun closed, perhaps Abolition in FR-974"),
        # Whoever is only known to be in FR is not overseas.
        ("advisory", "FR", False, "2026-12-20", "Sun closed"),
        ("counted", "FR", False, "2026-12-20", "Sun closed"),
        # Closed where the callee is or may be, with its eve.
        ("counted", "FR-57", True, GOOD_FRIDAY, "Fri 10:00-21:00, regional Vendredi saint"),
        ("counted", "FR-57", True, ITS_EVE, "Thu 10:00-18:00, eve of Vendredi saint"),
        ("counted", "FR-57", False, GOOD_FRIDAY, "Fri 10:00-21:00, regional Vendredi saint"),
        ("counted", "FR", False, GOOD_FRIDAY, "Fri 10:00-21:00, regional Vendredi saint"),
        ("counted", "FR", False, ITS_EVE, "Thu 10:00-18:00, eve of Vendredi saint"),
        ("counted", "FR-75", True, GOOD_FRIDAY, "Fri 10:00-21:00"),
        ("counted", "FR-974", True, "2026-12-20", "Sun closed, regional Abolition"),
        ("counted", "FR-974", True, "2026-12-19", "Sat 10:00-18:00, eve of Abolition"),
        # Easter 2026 is 5 April, 2027 is 28 March.
        ("counted", "FR-57", True, "2026-04-03", "Fri 10:00-21:00, regional Vendredi saint"),
        ("counted", "FR-57", True, "2026-03-27", "Fri 10:00-21:00"),
        # A national holiday is told before any other.
        ("counted", "FR-57", True, "2026-12-25", "Fri 10:00-18:00, eve of Saint-Étienne, "
                                                 "national Noël"),
        ("advisory", "FR-57", True, "2026-12-25", "Fri 10:00-21:00, national Noël"),
    ],
)  # fmt: skip
def test_regional_days_close_where_the_callee_is(
    regional: str, region: str, known: bool, day: str, expected: str
) -> None:
    found = day_of(terms(regional), date.fromisoformat(day), region, known=known)
    assert told(found) == expected


@pytest.mark.parametrize(
    ("regional", "region", "known", "day", "expected"),
    [
        ("advisory", "DE-BY", True, "2027-01-06", "Wed 10:00-21:00, advisory Heilige Drei Könige"),
        ("advisory", "DE-HH", True, "2027-01-06", "Wed 10:00-21:00"),
        ("counted", "DE-SN", True, "2026-11-18", "Wed 10:00-21:00, regional Buß- und Bettag"),
        ("counted", "DE-SN", True, "2026-11-17", "Tue 10:00-18:00, eve of Buß- und Bettag"),
        ("counted", "DE", False, "2026-11-18", "Wed 10:00-21:00, regional Buß- und Bettag"),
        ("advisory", "DE", False, "2026-11-18",
         "Wed 10:00-21:00, perhaps Buß- und Bettag in DE-SN"),
        # A country's own is not its regions'; a region that the library does not have has none.
        ("counted", "DE-BY", True, "2026-12-25", "Fri 10:00-18:00, "
         "eve of Zweiter Weihnachtstag, national Erster Weihnachtstag"),
        ("counted", "DE-XX", True, "2026-11-18", "Wed 10:00-21:00"),
    ],
)  # fmt: skip
def test_the_librarys_own_days_of_a_region_are_regional_days(
    regional: str, region: str, known: bool, day: str, expected: str
) -> None:
    rule = HolidayRule("DE", "law", regional=RegionalDays(regional), subdivisions=True)
    found = day_of(terms(holidays=rule), date.fromisoformat(day), region, known=known)
    assert told(found) == expected


def test_a_holiday_knows_where_it_stands() -> None:
    at = date.fromisoformat
    counted, advisory = terms("counted"), terms("advisory")
    assert day_of(counted, at("2026-11-11"), "FR").holiday == Holiday("Armistice", "law")
    assert day_of(counted, at(GOOD_FRIDAY), "FR").holiday == Holiday(
        "Vendredi saint", "local", Closing.REGIONAL, "FR-57"
    )
    assert day_of(advisory, at(GOOD_FRIDAY), "FR-57", known=True).holiday == Holiday(
        "Vendredi saint", "local", Closing.ADVISORY, "FR-57"
    )


def test_the_holidays_of_the_country_and_of_the_region_both_close() -> None:
    added = HolidayRule("", "state", add={date(2026, 11, 12): "the state's own"})
    regions = (RegionRules(frozenset({"FR-57"}), holidays=added),)
    here = terms(region="FR-57", regions=regions)
    assert told(day_of(here, date(2026, 11, 11), "FR-57")) == (
        "Wed 10:00-18:00, eve of the state's own, national Armistice"
    )
    assert told(day_of(here, date(2026, 11, 12), "FR-57")) == (
        "Thu 10:00-21:00, national the state's own"
    )
    elsewhere = terms(region="FR-75", regions=regions)
    assert told(day_of(elsewhere, date(2026, 11, 12), "FR-75")) == "Thu 10:00-21:00"


def test_house_hours_cut_the_laws_and_stand_alone_beside_them() -> None:
    tighten = HouseRules(hours=parse_week({"tue": ["08:00-17:00"]}), margin=timedelta(minutes=2))
    day = day_of(terms(house=tighten), date(2026, 11, 10), "FR")
    assert told(day) == "Tue 10:00-16:58, eve of Armistice"
    assert day.house_windows == parse_windows(["08:00-16:58"])
    wednesday = day_of(terms(house=tighten), date(2026, 11, 18), "FR")
    assert (wednesday.windows, wednesday.house_windows) == ((), ())


def test_a_margin_is_taken_off_an_eve_too() -> None:
    tighten = HouseRules(margin=timedelta(minutes=15))
    day = day_of(terms(house=tighten), date(2026, 11, 10), "FR")
    assert told(day) == "Tue 10:00-17:45, eve of Armistice"
    assert day.house_windows is None


def test_where_nobody_limits_the_hours_there_are_no_windows() -> None:
    regime = Regime(id="r", start=date(2020, 1, 1), title="t", holidays=HolidayRule("FR", "law"))
    nobody = terms_of(regime, Purpose.SALES, HouseRules(), (), {})
    assert day_of(nobody, date(2026, 11, 10), "FR").windows is None


def test_what_is_kept_of_days_is_bounded_and_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(days, "_MOST_KEPT", 3)
    kept, fresh = terms("counted"), date(2026, 11, 8)
    for n in range(9):
        day = fresh + timedelta(n)
        assert day_of(kept, day, "FR") == day_of(kept, day, "FR")
        assert day_of(kept, day, "FR") == day_of(terms("counted"), day, "FR")
        assert len(kept.days) <= 3


# --- For any law

DATES = st.dates(date(2025, 1, 1), date(2029, 12, 31))
REGIONS = st.sampled_from(["FR", "FR-57", "FR-75", "FR-974"])


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    """At most two windows of whole hours."""
    hours = draw(st.lists(st.integers(0, 24), max_size=4, unique=True).map(sorted))
    pairs = zip(hours[::2], hours[1::2], strict=False)
    return tuple(Window(start * 3600, end * 3600) for start, end in pairs)


@settings(max_examples=200)
@given(st.lists(windows(), min_size=7, max_size=7), windows(), DATES)
def test_an_eve_never_opens_what_its_weekday_closes(
    seven: list[Windows], eve: Windows, day: date
) -> None:
    hours = HoursRule(week(seven), "law", eve)
    regime = Regime(
        id="r", start=date(2020, 1, 1), title="t", hours=hours, holidays=HolidayRule("FR", "law")
    )
    found = day_of(terms_of(regime, Purpose.SALES, HouseRules(), (), {}), day, "FR")
    assert found.windows == (
        intersect(seven[day.weekday()], eve) if found.eve_of else seven[day.weekday()]
    )
    assert found.windows is not None
    assert intersect(found.windows, seven[day.weekday()]) == found.windows


OFF, ADVISORY, COUNTED = terms("off"), terms("advisory"), terms("counted")


@settings(max_examples=300)
@given(DATES, REGIONS, st.booleans())
def test_what_counts_less_closes_less(day: date, region: str, known: bool) -> None:
    closed = [
        day_of(law, day, region, known=known).holiday is not None
        for law in (OFF, ADVISORY, COUNTED)
    ]
    assert closed == sorted(closed)
    # To know where a callee is adds caution, and never takes the law away.
    if not known:
        assert day_of(COUNTED, day, region, known=True).holiday == (
            day_of(COUNTED, day, region).holiday
        )


@settings(max_examples=300)
@given(DATES, st.sampled_from(["FR-57", "FR-75"]))
def test_who_may_be_anywhere_is_closed_wherever_somebody_is(day: date, region: str) -> None:
    if day_of(COUNTED, day, region, known=True).holiday is not None:
        assert day_of(COUNTED, day, "FR").holiday is not None


def test_a_year_that_is_known_needs_no_calendar_when_a_call_comes() -> None:
    """1 January is a holiday of the country, on which no region is asked: both are worked out."""
    holidays_of.cache_clear()
    know_year(COUNTED, 2031, "FR")
    misses = holidays_of.cache_info().misses
    assert misses
    for day in (date(2031, 1, 1) + timedelta(past) for past in range(364)):
        day_of(COUNTED, day, "FR")
        day_of(COUNTED, day, "FR-57", known=True)
    assert holidays_of.cache_info().misses == misses
