"""Holidays: the library held against the statutes, and the corrections of a pack."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from dialwarden.policy.calendar import UnknownCalendar, holiday_on, national_holidays
from dialwarden.policy.model import HolidayRule

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
    assert set(national_holidays("FR", year)) == french_statute(year)


@pytest.mark.parametrize("year", EASTER)
def test_the_italian_days_are_those_of_the_statute_and_else_sundays(year: int) -> None:
    """The library has the Sunday on which national unity is kept, too: closed as it is."""
    found = set(national_holidays("IT", year))
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
    assert national_holidays(country, day.year)[day] == name


@pytest.mark.parametrize("year", [2024, 2025])
def test_saint_francis_is_no_holiday_before_the_law_of_2025(year: int) -> None:
    assert date(year, 10, 4) not in national_holidays("IT", year)


def test_saint_francis_is_a_holiday_from_2026_on() -> None:
    for year in (2026, 2027, 2028):
        assert "Francesco" in national_holidays("IT", year)[date(year, 10, 4)]


def test_the_locale_of_the_process_changes_no_name() -> None:
    program = (
        "from dialwarden.policy.calendar import national_holidays as n;"
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


def test_an_unknown_country_has_no_calendar() -> None:
    with pytest.raises(UnknownCalendar, match="'QQ'"):
        national_holidays("QQ", 2026)


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
