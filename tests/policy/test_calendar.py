"""Holidays: the library held against the statutes, and the corrections of a pack."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from dialwarden.policy.calendar import (
    UnknownCalendar,
    holiday_on,
    holidays_of,
    regional_day_on,
    regions_of_day,
)
from dialwarden.policy.figures import HolidayRule, LocalDays

# Easter Sundays, as any almanac has them.
EASTER = {
    2023: date(2023, 4, 9), 2024: date(2024, 3, 31), 2025: date(2025, 4, 20),
    2026: date(2026, 4, 5), 2027: date(2027, 3, 28), 2028: date(2028, 4, 16),
    2029: date(2029, 4, 1), 2030: date(2030, 4, 21),
}  # fmt: skip


def french_statute(year: int) -> set[date]:
    """Code du travail, art. L. 3133-1: eleven days."""
    easter = EASTER[year]
    fixed = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    return {date(year, month, day) for month, day in fixed} | {
        easter + timedelta(1),  # lundi de Pâques
        easter + timedelta(39),  # Ascension
        easter + timedelta(50),  # lundi de Pentecôte
    }


def italian_statute(year: int) -> set[date]:
    """Legge 260/1949 as amended, without what was suppressed in 1977; 4 October by L. 151/2025."""
    easter = EASTER[year]
    fixed = [(1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26)]
    if year >= 2026:
        fixed.append((10, 4))
    return {date(year, month, day) for month, day in fixed} | {easter, easter + timedelta(1)}


@pytest.mark.parametrize("year", EASTER)
def test_the_french_days_are_those_of_the_statute(year: int) -> None:
    assert set(holidays_of("FR", year)) == french_statute(year)


@pytest.mark.parametrize("year", EASTER)
def test_the_italian_days_are_those_of_the_statute_and_else_sundays(year: int) -> None:
    """The library has the Sunday on which national unity is kept, too: closed as it is."""
    found = set(holidays_of("IT", year))
    assert found >= italian_statute(year)
    assert all(day.weekday() == 6 for day in found - italian_statute(year))


@pytest.mark.parametrize(
    ("country", "day", "name"),
    [
        ("FR", date(2026, 1, 1), "Jour de l'an"),
        ("FR", date(2026, 4, 6), "Lundi de Pâques"),
        ("FR", date(2026, 5, 8), "Fête de la Victoire"),
        ("FR", date(2026, 5, 14), "Ascension"),
        ("FR", date(2026, 5, 25), "Lundi de Pentecôte"),
        ("FR", date(2026, 7, 14), "Fête nationale"),
        ("FR", date(2026, 8, 15), "Assomption"),
        ("FR", date(2026, 11, 1), "Toussaint"),
        ("FR", date(2026, 11, 11), "Armistice"),
        ("FR", date(2026, 12, 25), "Noël"),
        ("FR", date(2027, 3, 29), "Lundi de Pâques"),
        ("FR", date(2027, 5, 6), "Ascension"),
        ("FR", date(2027, 5, 17), "Lundi de Pentecôte"),
        ("IT", date(2026, 1, 6), "Epifania"),
        ("IT", date(2026, 4, 6), "Lunedì dell'Angelo"),
        ("IT", date(2026, 4, 25), "Anniversario della Liberazione"),
        ("IT", date(2026, 6, 2), "Festa della Repubblica"),
        ("IT", date(2026, 12, 8), "Immacolata Concezione"),
        ("IT", date(2026, 12, 26), "Santo Stefano"),
        ("IT", date(2027, 3, 29), "Lunedì dell'Angelo"),
    ],
)
def test_holidays_have_their_names_in_the_countrys_language(
    country: str, day: date, name: str
) -> None:
    assert holidays_of(country, day.year)[day] == name


@pytest.mark.parametrize("year", [2024, 2025])
def test_saint_francis_is_no_holiday_before_the_law_of_2025(year: int) -> None:
    assert date(year, 10, 4) not in holidays_of("IT", year)


def test_saint_francis_is_a_holiday_from_2026_on() -> None:
    for year in (2026, 2027, 2028):
        assert "Francesco" in holidays_of("IT", year)[date(year, 10, 4)]


def test_the_locale_of_the_process_changes_no_name() -> None:
    program = (
        "from dialwarden.policy.calendar import holidays_of as n;"
        "import datetime; print(ascii(n('FR', 2026)[datetime.date(2026, 12, 25)]))"
    )
    package = os.pathsep.join(path for path in sys.path if path)
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": package, "LANGUAGE": language, "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for language in ("uk", "en_US", "fr")
    }  # fmt: skip
    assert told == {"'No\\xebl'"}


@pytest.mark.parametrize("region", ["QQ", "US-QQ", "fr", "", "Alabama"])
def test_an_unknown_country_or_subdivision_has_no_calendar(region: str) -> None:
    with pytest.raises(UnknownCalendar, match=f"'{region}'"):
        holidays_of(region, 2026)


@pytest.mark.parametrize(
    ("region", "day", "name"),
    [
        # Code of Alabama, section 1-3-8: fourth Monday of April, first Monday of June.
        ("US-AL", date(2026, 4, 27), "Confederate Memorial Day"),
        ("US-AL", date(2026, 6, 1), "Jefferson Davis Birthday"),
        ("US-AL", date(2026, 12, 25), "Christmas Day"),
        ("US", date(2026, 4, 27), None),
        ("US", date(2026, 6, 1), None),
        ("FR-57", date(2026, 4, 3), "Vendredi saint"),
        ("FR-67", date(2026, 4, 3), "Vendredi saint"),
        ("FR-68", date(2026, 4, 3), "Vendredi saint"),
        ("FR-6AE", date(2026, 4, 3), "Vendredi saint"),
        ("FR", date(2026, 4, 3), None),
    ],
)
def test_a_subdivision_has_days_of_its_own_besides_its_countrys(
    region: str, day: date, name: str | None
) -> None:
    assert holidays_of(region, day.year).get(day) == name


@pytest.mark.parametrize(
    ("region", "year", "in_lieu"),
    [
        ("US", 2026, {date(2026, 7, 3)}),  # 4 July is a Saturday
        # 19 June, 25 December and the New Year's Day to come are Saturdays, 4 July is a Sunday.
        ("US", 2027, {date(2027, 6, 18), date(2027, 7, 5), date(2027, 12, 24), date(2027, 12, 31)}),
        ("GB", 2026, {date(2026, 12, 28)}),  # 26 December is a Saturday
        ("FR", 2026, set()),
    ],
)
def test_days_in_lieu_are_left_out_on_demand(region: str, year: int, in_lieu: set[date]) -> None:
    observed, literal = holidays_of(region, year), holidays_of(region, year, observed=False)
    assert set(observed) - set(literal) == in_lieu
    assert set(literal) <= set(observed)


@pytest.mark.parametrize(
    ("rule", "day", "name"),
    [
        (HolidayRule("FR", "s"), date(2026, 12, 25), "Noël"),
        (HolidayRule("FR", "s"), date(2026, 12, 24), None),
        (HolidayRule("", "s"), date(2026, 12, 25), None),
        (HolidayRule("", "s", add={date(2026, 6, 29): "Roma"}), date(2026, 6, 29), "Roma"),
        (HolidayRule("", "s", add={date(2026, 6, 29): "Roma"}), date(2027, 6, 29), None),
        (HolidayRule("IT", "s", remove=frozenset({date(2026, 6, 2)})), date(2026, 6, 2), None),
        (HolidayRule("IT", "s", add={date(2026, 6, 2): "altro"}), date(2026, 6, 2), "altro"),
    ],
)
def test_a_rule_adds_to_its_calendar_and_removes_from_it(
    rule: HolidayRule, day: date, name: str | None
) -> None:
    assert holiday_on(rule, day) == name


@pytest.mark.parametrize(
    ("observed", "day", "closed"),
    [
        (True, date(2026, 7, 3), True),
        (True, date(2026, 7, 4), True),
        (False, date(2026, 7, 3), False),
        (False, date(2026, 7, 4), True),
    ],
)
def test_a_rule_says_whether_days_in_lieu_are_closed(
    observed: bool, day: date, closed: bool
) -> None:
    rule = HolidayRule("US", "s", observed=observed)
    assert (holiday_on(rule, day) is not None) is closed


ALSACE = frozenset({"FR-57", "FR-67"})
LOCAL = (
    LocalDays(ALSACE, "Vendredi saint", "a", easter=-2),
    LocalDays(frozenset({"FR-67"}), "Saint-Étienne", "b", day=(12, 26)),
    LocalDays(frozenset({"FR-974"}), "Abolition", "c", day=(12, 20)),
    LocalDays(frozenset({"FR-75"}), "leap day", "d", day=(2, 29)),
    LocalDays(frozenset({"FR-75"}), "Ascension again", "e", easter=39),
)


@pytest.mark.parametrize(
    ("day", "region", "found"),
    [
        (date(2026, 4, 3), "FR-57", ("Vendredi saint", "a")),
        (date(2027, 3, 26), "FR-67", ("Vendredi saint", "a")),
        (date(2027, 3, 25), "FR-67", None),
        (date(2027, 3, 26), "FR-75", None),
        (date(2026, 12, 26), "FR-67", ("Saint-Étienne", "b")),
        (date(2026, 12, 26), "FR-57", None),
        (date(2026, 12, 20), "FR-974", ("Abolition", "c")),
        (date(2028, 2, 29), "FR-75", ("leap day", "d")),
        (date(2027, 2, 28), "FR-75", None),
        (date(2027, 3, 1), "FR-75", None),
        (date(2027, 5, 6), "FR-75", ("Ascension again", "e")),  # 28 March and 39 days
    ],
)
def test_the_packs_own_regional_days(day: date, region: str, found: tuple[str, str] | None) -> None:
    assert regional_day_on(HolidayRule("FR", "s", local=LOCAL), day, region) == found


@pytest.mark.parametrize(
    ("day", "country", "found"),
    [
        (date(2027, 3, 26), "FR", ("FR-57", "Vendredi saint", "a")),  # the first of its regions
        (date(2026, 12, 26), "FR", ("FR-67", "Saint-Étienne", "b")),
        (date(2026, 12, 20), "FR", None),  # overseas has country codes of its own
        (date(2027, 3, 27), "FR", None),
        (date(2027, 3, 26), "IT", None),
    ],
)
def test_in_a_country_a_day_is_somebodys(
    day: date, country: str, found: tuple[str, str, str] | None
) -> None:
    assert regions_of_day(HolidayRule("FR", "s", local=LOCAL), day, country) == found


@pytest.mark.parametrize(
    ("rule", "day", "region", "here", "somewhere"),
    [
        pytest.param(HolidayRule("DE", "s", subdivisions=True), date(2026, 11, 18), "DE-SN",
                     ("Buß- und Bettag", "s"), ("DE-SN", "Buß- und Bettag", "s"), id="its own"),
        pytest.param(HolidayRule("DE", "s", subdivisions=True), date(2026, 11, 18), "DE-BE",
                     None, ("DE-SN", "Buß- und Bettag", "s"), id="another's"),
        pytest.param(HolidayRule("DE", "s", subdivisions=True), date(2026, 12, 25), "DE-SN",
                     None, None, id="the country's"),
        pytest.param(HolidayRule("DE", "s"), date(2026, 11, 18), "DE-SN", None, None,
                     id="not asked for"),
        pytest.param(HolidayRule("FR", "s", subdivisions=True), date(2026, 4, 3), "FR-68",
                     ("Vendredi saint", "s"), ("FR-57", "Vendredi saint", "s"),
                     id="by another code in the library"),
        pytest.param(HolidayRule("FR", "s", subdivisions=True), date(2026, 12, 20), "FR-974",
                     ("Abolition de l'esclavage", "s"), None, id="overseas"),
        pytest.param(HolidayRule("GB", "s", subdivisions=True), date(2026, 3, 17), "GB-NIR",
                     ("Saint Patrick's Day", "s"), ("GB-NIR", "Saint Patrick's Day", "s"),
                     id="a nation's"),
    ],
)  # fmt: skip
def test_the_librarys_days_of_a_subdivision(
    rule: HolidayRule,
    day: date,
    region: str,
    here: tuple[str, str] | None,
    somewhere: tuple[str, str, str] | None,
) -> None:
    assert regional_day_on(rule, day, region) == here
    assert regions_of_day(rule, day, region.partition("-")[0]) == somewhere
