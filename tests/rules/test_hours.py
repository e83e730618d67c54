"""hours: what is open, who is quoted for it, and when it opens next."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from dialwarden.policy.hours import parse_week
from dialwarden.policy.model import HouseRules, Policy
from dialwarden.rules.hours import judge_hours, next_opening
from dialwarden.verdict import Rule

from .packs import key, pack, refusal, said
from .situations import PARIS, consented, finding, house, instant, matter, next_at, until

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
    assert next_opening(week.on, opening - timedelta(seconds=1), zone) == opening
    assert next_opening(week.on, opening, zone) == opening + timedelta(days=7)
    assert next_opening(parse_week({}).on, opening, zone) is None


# --- Eves of holidays


def eves(eve: str, more: str = "") -> Policy:
    """Monday to Friday 10:00-21:00, Saturday 10:00-19:00, on eves as said."""
    return pack(f"""
        [regimes.hours]
        mon-fri = ["10:00-21:00"]
        sat = ["10:00-19:00"]
        eve = {eve}
        source = "law"
        [regimes.holidays]
        calendar = "FR"
        source = "law"
        {more}
    """)


@pytest.mark.parametrize(
    ("clock", "expected", "following"),
    [
        # Tuesday 10 November 2026, before a Wednesday that is a holiday.
        ("2026-11-10 09:59:59", "hours", "2026-11-10 10:00:00+01:00"),
        ("2026-11-10 10:00:00", "", ""),
        ("2026-11-10 17:59:59", "", ""),
        ("2026-11-10 18:00:00", "hours", "2026-11-12 10:00:00+01:00"),
        ("2026-11-09 20:59:59", "", ""),
        ("2026-11-12 20:59:59", "", ""),
        # Saturday 31 October, before a Sunday that is one: Saturday's own end is later.
        ("2026-10-31 17:59:59", "", ""),
        ("2026-10-31 18:00:00", "hours", "2026-11-02 10:00:00+01:00"),
        # Saturday 28 November, before a Sunday that is none.
        ("2026-11-28 18:59:59", "", ""),
        ("2026-11-28 19:00:00", "hours", "2026-11-30 10:00:00+01:00"),
        # Easter Monday is 29 March 2027: the Sunday before it stays closed.
        ("2027-03-28 11:00:00", "hours", "2027-03-30 10:00:00+02:00"),
    ],
)
def test_an_eve_closes_early(clock: str, expected: str, following: str) -> None:
    asked = matter(eves('["08:00-18:00"]'))
    assert said(asked, clock) == expected
    if following:
        assert next_at(asked, clock) == following


@pytest.mark.parametrize(
    ("eve", "clock", "reason", "values"),
    [
        ('["10:00-18:00"]', "2026-11-10 19:00", "hours_eve",
         {"windows": "10:00-18:00", "holiday": "Armistice"}),
        ("[]", "2026-11-10 11:00", "hours_weekday", {}),
        ('["10:00-18:00"]', "2026-11-09 22:00", "hours", {"windows": "10:00-21:00"}),
        ('["10:00-18:00"]', "2027-03-28 11:00", "hours_weekday", {}),
    ],
)  # fmt: skip
def test_the_reason_names_the_holiday_whose_eve_it_is(
    eve: str, clock: str, reason: str, values: dict[str, str]
) -> None:
    found = refusal(matter(eves(eve)), clock, Rule.HOURS)
    assert found.reason.key == reason
    assert {name: found.reason.values[name] for name in values} == values
    assert found.source == "the law"
    # The rule of the hours opens on a holiday: that it is one is another rule's.
    if clock.startswith("2026-11-10"):
        assert until(found) == "2026-11-11 10:00:00+01:00"


@pytest.mark.parametrize(
    ("hours", "clock", "source"),
    [
        (["10:00-12:00"], "2026-11-10 19:00", "the law"),
        (["10:00-12:00"], "2026-11-10 13:00", "tighten"),
        (["10:00-20:00"], "2026-11-10 19:00", "the law"),
        # On no eve: Monday evening is the law's to open.
        (["10:00-12:00"], "2026-11-09 19:00", "tighten"),
        (["10:00-12:00"], "2026-11-09 21:00", "the law"),
    ],
)
def test_on_an_eve_the_stricter_of_law_and_house_is_quoted(
    hours: list[str], clock: str, source: str
) -> None:
    asked = matter(eves('["10:00-18:00"]'), tighten=house(hours={"mon-fri": hours}))
    assert refusal(asked, clock, Rule.HOURS).source == source


def test_a_consent_that_lifts_hours_lifts_those_of_eves() -> None:
    waiving = '[regimes.consent]\nrequired = false\nwaives = ["hours"]\nsource = "law"\n'
    yes = consented("2026-09-01 11:00")
    asked = matter(eves('["10:00-18:00"]', waiving), consents=(yes,))
    assert said(asked, "2026-11-10 19:00") == ""
    tight = house(hours={"mon-fri": ["10:00-19:30"]})
    asked = matter(eves('["10:00-18:00"]', waiving), consents=(yes,), tighten=tight)
    assert said(asked, "2026-11-10 19:29:59") == ""
    assert key(asked, "2026-11-10 19:30", Rule.HOURS) == "hours"


def test_an_eve_may_leave_no_hour_in_a_week_and_the_next_has_them() -> None:
    """Only Thursdays are open, and 5 November 2026 is made an eve: the next is the 12th."""
    law = pack("""
        [regimes.hours]
        thu = ["10:00-12:00"]
        eve = ["14:00-16:00"]
        source = "law"
        [regimes.holidays]
        add = { "2026-11-06" = "a day" }
        source = "law"
    """)
    found = refusal(matter(law), "2026-11-04 11:00", Rule.HOURS)
    assert until(found) == "2026-11-12 10:00:00+01:00"


# --- A margin before the end


def margin(minutes: int, hours: dict[str, list[str]] | None = None) -> HouseRules:
    week = None if hours is None else parse_week(hours)
    return HouseRules(hours=week, margin=timedelta(minutes=minutes), source="tighten")


@pytest.mark.parametrize(
    ("clock", "opens", "source"),
    [
        ("2026-11-24 09:59:59", "2026-11-24 10:00:00+01:00", LAW),
        ("2026-11-24 10:00:00", "", ""),
        ("2026-11-24 12:57:59", "", ""),
        ("2026-11-24 12:58:00", "2026-11-24 14:00:00+01:00", "tighten"),
        ("2026-11-24 12:59:59", "2026-11-24 14:00:00+01:00", "tighten"),
        ("2026-11-24 13:00:00", "2026-11-24 14:00:00+01:00", LAW),
        ("2026-11-24 19:57:59", "", ""),
        ("2026-11-24 19:58:00", "2026-11-25 10:00:00+01:00", "tighten"),
    ],
)
def test_a_margin_closes_windows_early_and_is_the_houses(
    clock: str, opens: str, source: str
) -> None:
    asked = matter("fr", relationship=CONTRACT, tighten=margin(2))
    found = finding(judge_hours, asked, clock)
    assert until(found) == opens
    assert (found.source if found else "") == source
    if found is not None:
        assert found.reason.values["windows"] == "10:00-12:58, 14:00-19:58"


@pytest.mark.parametrize(
    ("minutes", "clock", "expected"),
    [
        (60, "2026-11-10 16:59:59", ""),
        (60, "2026-11-10 17:00:00", "hours"),
        (60, "2026-11-09 19:59:59", ""),
        (60, "2026-11-09 20:00:00", "hours"),
    ],
)
def test_a_margin_is_kept_on_eves_too(minutes: int, clock: str, expected: str) -> None:
    assert said(matter(eves('["10:00-18:00"]'), tighten=margin(minutes)), clock) == expected


def test_a_margin_without_hours_of_anybody_closes_nothing() -> None:
    assert said(matter("none", tighten=margin(2)), "2026-11-24 23:59:59") == ""
    night = margin(2, {"mon-sun": ["00:00-24:00"]})
    assert said(matter("none", tighten=night), "2026-11-24 23:57:59") == ""
    assert said(matter("none", tighten=night), "2026-11-24 23:58:00") == "hours"


def test_hours_that_never_open_say_so() -> None:
    asked = matter("fr", tighten=house(hours={"sat": ["10:00-12:00"]}), relationship=CONTRACT)
    assert key(asked, "2026-11-24 11:00", Rule.HOURS) == "hours_never"
    # A margin may leave nothing too.
    asked = matter("fr", tighten=margin(2, {"mon": ["10:00-10:02"]}), relationship=CONTRACT)
    assert key(asked, "2026-11-24 11:00", Rule.HOURS) == "hours_never"
