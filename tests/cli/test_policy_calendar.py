"""`dialwarden policy calendar`: each day's hours as a manager reads them, worked out by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cli.site import CONFIG, Site

from dialwarden.cli import policy_calendar

# Of December 2026: the 21st is a Monday, Christmas a Friday, the 26th a Saturday.
WALL = """
id = "wall"
title = "A wall's calendar"
country = "FR"
[sources.law]
text = "The act"
article = "art. 1"
dated = "in force from 2026"
read = 2026-11-21
confidence = "transcribed"
[sources.memo]
text = "Memo 12"
confidence = "unverified"
[[regimes]]
id = "wall-1"
title = "The first"
from = 2026-01-01
until = 2026-12-22
purposes = ["sales"]
[regimes.hours]
mon-fri = ["10:00-13:00", "14:00-20:00"]
source = "law"
[[regimes]]
id = "wall-2"
title = "The second"
from = 2026-12-23
extends = "wall-1"
[regimes.hours]
mon-fri = ["10:00-13:00", "14:00-20:00"]
sat = ["10:00-19:00"]
eve = ["10:00-12:00"]
source = "memo"
[regimes.holidays]
calendar = "FR"
regional = "advisory"
source = "law"
[[regimes.holidays.local]]
regions = ["FR-57", "FR-67"]
day = "12-26"
name = "Saint-Étienne"
source = "memo"
[[regimes.regions]]
regions = ["FR-974"]
[regimes.regions.hours]
mon-sat = ["09:00-18:00"]
source = "law"
"""

OFFICE = """
[campaigns.office]
professional = "acme"
policy = "wall"
[campaigns.office.tighten]
hours = { tue-sat = ["09:00-15:00"] }
closed = [2026-12-30]
margin = "2 minutes"
"""


@pytest.fixture
def wall(site: Site) -> Site:
    folder = site.folder / "own"
    folder.mkdir()
    (folder / "wall.toml").write_text(WALL)
    (site.folder / "dialwarden.toml").write_text('[policies]\npath = "own"\n' + CONFIG + OFFICE)
    return site


CALENDAR = """\
A wall's calendar
policy wall, sales calls; region FR, Europe/Paris
times are those of the callee's own clock
regions differ: FR-974 add rules that are not shown here; name one, --region FR-974

DATE            OPEN                      NOTE
regime wall-1, from 2026-01-01 through 2026-12-22: The first
Mon 2026-12-21  10:00-13:00, 14:00-20:00
Tue 2026-12-22  10:00-13:00, 14:00-20:00

regime wall-2, from 2026-12-23: The second
Wed 2026-12-23  10:00-13:00, 14:00-20:00
Thu 2026-12-24  10:00-12:00               eve of Noël
Fri 2026-12-25  closed                    holiday: Noël
Sat 2026-12-26  10:00-19:00               Saint-Étienne: holiday in FR-57; not known whether the
                                          callee is there
Sun 2026-12-27  closed                    closed on Sundays
Mon 2026-12-28  10:00-13:00, 14:00-20:00
Tue 2026-12-29  10:00-13:00, 14:00-20:00
Wed 2026-12-30  10:00-13:00, 14:00-20:00
Thu 2026-12-31  10:00-12:00               eve of Jour de l'an
Fri 2027-01-01  closed                    holiday: Jour de l'an
Sat 2027-01-02  10:00-19:00
Sun 2027-01-03  closed                    closed on Sundays

sources
  hours and holidays: The act, art. 1
    in force from 2026; transcribed, read 2026-11-21
  hours and holidays: Memo 12
    UNVERIFIED: do not rely on it
"""


def test_a_fortnight_with_a_change_of_regime(wall: Site) -> None:
    told = wall.out("policy", "calendar", "wall", "--from", "2026-12-21", "--days", 14)
    assert told == CALENDAR


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def days(site: Site, *words: object) -> dict[str, str]:
    """By date, the windows and the notes of the table, on one line."""
    table: dict[str, str] = {}
    for line in site.out("policy", "calendar", *words).partition("sources")[0].splitlines():
        if line[:3] in DAYS:
            day = line[4:14]
            table[day] = " ".join(line[14:].split())
        elif line.startswith(" " * 16):
            table[day] += " " + line.strip()
    return table


@pytest.mark.parametrize("policy", ["fr", "it-garante", "us", "au", "es"])
def test_what_is_shipped_fits_a_page(policy: str, site: Site) -> None:
    lines = site.out(
        "policy", "calendar", policy, "--days", 400, "--from", "2026-10-01"
    ).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line[:3] in DAYS for line in lines) == 400


def test_a_fortnight_of_the_french_law(site: Site) -> None:
    """Mondays to Fridays, save the two holidays."""
    told = days(site, "fr", "--from", "2026-12-21", "--days", 14)
    weekday = "10:00-13:00, 14:00-20:00"
    assert {day: text for day, text in told.items() if text != weekday} == {
        "2026-12-25": "closed holiday: Noël",
        "2026-12-26": "closed closed on Saturdays; Saint-Étienne: holiday in FR-57; not known "
        "whether the callee is there",
        "2026-12-27": "closed closed on Sundays",
        "2027-01-01": "closed holiday: Jour de l'an",
        "2027-01-02": "closed closed on Saturdays",
        "2027-01-03": "closed closed on Sundays",
    }
    assert len(told) == 14


def test_a_fortnight_of_the_italian_code(site: Site) -> None:
    """Shorter on the eves, which are a Thursday each; Saturday is a day, but Santo Stefano."""
    told = days(site, "it-garante", "--from", "2026-12-21", "--days", 14)
    assert {day: text for day, text in told.items() if text != "09:00-20:00"} == {
        "2026-12-24": "10:00-19:00 eve of Natale",
        "2026-12-25": "closed holiday: Natale",
        "2026-12-26": "closed holiday: Santo Stefano",
        "2026-12-27": "closed closed on Sundays",
        "2026-12-31": "10:00-19:00 eve of Capodanno",
        "2027-01-01": "closed holiday: Capodanno",
        "2027-01-02": "10:00-19:00",
        "2027-01-03": "closed closed on Sundays",
    }
    assert len(told) == 14


# name, words after the policy, what is told of each day
CASES: list[tuple[str, str, dict[str, str]]] = [
    ("a holiday of the callee's own region, out of caution",
     "wall --region FR-67 --from 2026-12-25 --days 3", {
        "2026-12-25": "closed holiday: Noël",
        "2026-12-26": "closed holiday in FR-67, closed out of caution: Saint-Étienne",
        "2026-12-27": "closed closed on Sundays",
     }),
    ("a region that adds hours, and has no such holiday",
     "wall --region FR-974 --from 2026-12-24 --days 3", {
        # 10:00-13:00 and 14:00-20:00 within 09:00-18:00 within the eve's 10:00-12:00
        "2026-12-24": "10:00-12:00 eve of Noël",
        "2026-12-25": "closed holiday: Noël",
        "2026-12-26": "10:00-18:00",
     }),
    ("days before any regime", "wall --from 2025-12-31 --days 2", {
        "2025-12-31": "closed",
        "2026-01-01": "10:00-13:00, 14:00-20:00",
     }),
    ("a purpose that is not bound", "wall --purpose service --from 2026-12-25 --days 1",
     {"2026-12-25": "00:00-24:00"}),
    ("a policy without a law", "none --region FR --from 2026-12-25 --days 1",
     {"2026-12-25": "00:00-24:00"}),
    ("the night on which clocks go back", "wall --from 2026-10-24 --days 3", {
        "2026-10-24": "closed closed on Saturdays",
        "2026-10-25": "closed closed on Sundays; clocks change, 03:00 to 02:00",
        "2026-10-26": "10:00-13:00, 14:00-20:00",
     }),
    ("the night on which they go forward", "wall --from 2027-03-28 --days 1",
     {"2027-03-28": "closed closed on Sundays; clocks change, 02:00 to 03:00"}),
    ("one of two clocks that change", "us --region US-AZ --from 2026-11-01 --days 1",
     {"2026-11-01": "08:00-21:00 clocks change, 02:00 to 01:00 (America/Denver)"}),
    # The eve is closed by the weekday already: the Sunday before Christmas Monday.
    ("the eve of a holiday that is closed itself", "wall --from 2028-12-24 --days 2", {
        "2028-12-24": "closed closed on Sundays",
        "2028-12-25": "closed holiday: Noël",
     }),
    # Tuesday to Saturday 09:00-15:00, two minutes shorter, within the law.
    ("a campaign's own hours, margin and days",
     "wall --campaign office --from 2026-12-28 --days 4", {
        "2026-12-28": "closed closed by the campaign",
        "2026-12-29": "10:00-12:58, 14:00-14:58",
        "2026-12-30": "closed closed by the campaign",
        "2026-12-31": "10:00-11:58 eve of Jour de l'an",
     }),
]  # fmt: skip


@pytest.mark.parametrize(("words", "told"), [row[1:] for row in CASES], ids=[c[0] for c in CASES])
def test_a_day_is_told(words: str, told: dict[str, str], wall: Site) -> None:
    assert days(wall, *words.split()) == told


# name, words after the policy, what stands in the title
TITLES: list[tuple[str, str, list[str]]] = [
    ("no regime", "wall --from 2025-12-31 --days 1", ["no regime in force: every call is refused"]),
    ("a purpose that is not bound", "wall --purpose survey --from 2026-12-25 --days 1",
     ["regime wall-2, from 2026-12-23: The second (binds no survey calls)"]),
    ("the campaign", "wall --campaign office --from 2026-12-25 --days 1",
     ["policy wall, sales calls, campaign office with its tighten; region FR, Europe/Paris"]),
    ("what the campaign adds is a source", "wall --campaign office --from 2026-12-29 --days 1",
     ["  hours: campaign office, tighten"]),
    ("two clocks", "us --region US-FL --from 2026-12-25 --days 1", [
        "policy us, sales calls; region US-FL, America/New_York, America/Chicago",
        "times are those of the callee's own clock, and clocks differ within US-FL",
     ]),
    ("more clocks than anybody reads", "us --from 2026-12-25 --days 1",
     ["policy us, sales calls; region US, 12 clocks"]),
    ("regions with holidays of their own", "es --from 2026-10-09 --days 1",
     ["regions differ: name the callee's with --region for its own holidays"]),
    ("a region by another of its codes", "fr --region FR-RE --from 2026-12-01 --days 1",
     ["policy fr, sales calls; region FR-974, Indian/Reunion"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"), [row[1:] for row in TITLES], ids=[row[0] for row in TITLES]
)
def test_what_a_calendar_is_of_is_told(words: str, told: list[str], wall: Site) -> None:
    lines = wall.out("policy", "calendar", *words.split()).splitlines()
    assert [line for line in lines if line in told] == told


def test_programs_get_an_array_of_days(wall: Site) -> None:
    rows: list[dict[str, Any]] = wall.json(
        "policy", "calendar", "wall", "--from", "2026-12-24", "--days", 3
    )
    plain = {
        "regime": "wall-2", "closed": None, "holiday": None, "doubt": None, "eve_of": None,
        "clock_changes": [], "region": "FR", "zone": "Europe/Paris", "zones": ["Europe/Paris"],
        "unverified": ["Memo 12"],
    }  # fmt: skip
    assert rows == [
        plain
        | {"date": "2026-12-24", "weekday": "thu", "windows": ["10:00-12:00"], "eve_of": "Noël"},
        plain
        | {
            "date": "2026-12-25",
            "weekday": "fri",
            "windows": [],
            "closed": "holiday",
            "holiday": {"name": "Noël", "kind": "national", "region": None,
                        "source": "The act, art. 1"},
        },
        plain
        | {
            "date": "2026-12-26",
            "weekday": "sat",
            "windows": ["10:00-19:00"],
            "doubt": {"name": "Saint-Étienne", "region": "FR-57", "source": "Memo 12"},
        },
    ]  # fmt: skip


def test_programs_are_told_of_regions_clocks_and_missing_regimes(wall: Site) -> None:
    (row,) = wall.json(
        "policy", "calendar", "wall", "--from", "2026-12-26", "--days", 1, "--region", "FR-67"
    )
    assert row["closed"] == "holiday"
    assert row["holiday"]["kind"] == "advisory"
    assert row["holiday"]["region"] == "FR-67"
    (row,) = wall.json("policy", "calendar", "wall", "--from", "2025-10-26", "--days", 1)
    assert (row["regime"], row["closed"], row["windows"]) == (None, "no_regime", [])
    assert row["clock_changes"] == [{"zone": "Europe/Paris", "before": "03:00", "after": "02:00"}]
    (row,) = wall.json(
        "policy", "calendar", "us", "--from", "2026-12-26", "--days", 1, "--region", "US-FL"
    )
    assert (row["zone"], row["zones"]) == (None, ["America/New_York", "America/Chicago"])


@pytest.mark.parametrize(
    ("region", "today"),
    [("FR", "2026-11-23"), ("FR-974", "2026-11-23"), ("FR-972", "2026-11-22")],
)
def test_it_begins_today_where_the_callee_is(
    region: str, today: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        policy_calendar, "utc_now", lambda: datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    )
    rows = json.loads(site.out("policy", "calendar", "fr", "--region", region, "--json"))
    assert rows[0]["date"] == today
    assert len(rows) == 28


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("frr", "did you mean fr?"),
        ("fr --region FR-99Z", "'FR-99Z', did you mean"),
        ("fr --region France", "did you mean FR?; allowed: ISO 3166 codes such as FR or US-FL"),
        ("none", "name one; policy none has no country to take it from"),
        ("fr --from soon", "'soon' is no date; write 2026-12-24"),
        ("fr --from 2026-02-30", "no date and time that exists"),
        ("fr --from 9999-12-31", "allowed: dates from 1900 to 2199"),
        ("fr --days 0", "0 is not in the range 1<=x<=800"),
        ("fr --days 801", "801 is not in the range 1<=x<=800"),
        ("fr --purpose fun", "'fun' is not one of 'sales', 'survey', 'service'"),
        ("fr --campaign rome", "found 'fr'; campaign rome is judged by it-assocontact"),
        ("fr --campaign nowhere", "allowed campaigns: "),
        ("fr --json --ics", "--json and --ics exclude each other"),
    ],
)
def test_what_is_asked_wrongly_is_a_wrong_use(words: str, told: str, site: Site) -> None:
    assert told in site.err("policy", "calendar", *words.split())


def test_eight_hundred_days_are_the_most(site: Site) -> None:
    assert len(site.json("policy", "calendar", "none", "--region", "FR", "--days", 800)) == 800
