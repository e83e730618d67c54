"""holiday: the regime's calendar and the campaign's own closed dates, by the callee's date."""

from __future__ import annotations

from datetime import date

import pytest

from dialwarden.facts import Appointment
from dialwarden.policy.model import Policy
from dialwarden.policy.parse import read_policy
from dialwarden.question import Purpose
from dialwarden.rules.holiday import judge_holiday
from dialwarden.verdict import NotJudged, Rule

from .packs import judged, key, of, pack, refusal, said
from .situations import (
    MARTINIQUE,
    PARIS,
    ROME,
    consented,
    finding,
    house,
    instant,
    matter,
    next_at,
    until,
)

CONTRACT = "contract"


@pytest.mark.parametrize(
    ("policy", "zone", "clock", "ends"),
    [
        pytest.param("fr", PARIS, "2026-11-10 23:59:59", "", id="the eve"),
        pytest.param("fr", PARIS, "2026-11-11 00:00:00", "2026-11-12 00:00:00+01:00", id="starts"),
        pytest.param("fr", PARIS, "2026-11-11 23:59:59", "2026-11-12 00:00:00+01:00", id="ends"),
        pytest.param("fr", PARIS, "2026-11-12 00:00:00", "", id="the day after"),
        pytest.param("fr", MARTINIQUE, "2026-11-11 20:30", "2026-11-12 00:00:00-04:00",
                     id="overseas, by its own date"),
        pytest.param("it-assocontact", ROME, "2026-12-25 11:00", "2026-12-27 00:00:00+01:00",
                     id="two in a row"),
        pytest.param("none", PARIS, "2026-12-25 11:00", "", id="no law, no holiday"),
    ],
)  # fmt: skip
def test_a_holiday_closes_the_callees_whole_date(
    policy: str, zone: str, clock: str, ends: str
) -> None:
    asked = matter(policy, zones=zone, relationship=CONTRACT)
    assert until(finding(judge_holiday, asked, clock)) == ends


@pytest.mark.parametrize(
    ("clock", "key", "source", "ends"),
    [
        ("2026-12-23 11:00", None, None, ""),
        ("2026-12-24 11:00", "closed_date", "tighten", "2026-12-27 00:00:00+01:00"),
        ("2026-12-25 11:00", "holiday", "Code", "2026-12-27 00:00:00+01:00"),
        ("2026-12-26 11:00", "closed_date", "tighten", "2026-12-27 00:00:00+01:00"),
        ("2026-12-27 11:00", None, None, ""),
    ],
)
def test_closed_dates_are_the_campaigns_and_join_the_holidays(
    clock: str, key: str | None, source: str | None, ends: str
) -> None:
    closed = house(closed=["2026-12-24", "2026-12-26"])
    refusal = finding(judge_holiday, matter("fr", tighten=closed, relationship=CONTRACT), clock)
    assert (refusal.reason.key if refusal else None) == key
    assert (refusal.source.split()[0] if refusal else None) == source
    assert until(refusal) == ends


def test_a_day_both_holiday_and_closed_is_told_as_a_holiday() -> None:
    asked = matter("fr", tighten=house(closed=["2026-12-25"]), relationship=CONTRACT)
    refusal = finding(judge_holiday, asked, "2026-12-25 11:00")
    assert refusal is not None
    assert refusal.reason.key == "holiday"
    assert refusal.reason.values == {
        "day": date(2026, 12, 25),
        "name": "Noël",
        "region": "",
        "opens": instant("2026-12-26 00:00", PARIS),
    }


@pytest.mark.parametrize(
    ("purpose", "policy", "refused"),
    [
        (Purpose.SALES, "it-assocontact", True),
        (Purpose.SURVEY, "it-assocontact", True),
        (Purpose.SERVICE, "it-assocontact", False),
        (Purpose.SALES, "fr", True),
        (Purpose.SURVEY, "fr", False),  # the text binds prospecting only
        (Purpose.SERVICE, "fr", False),
    ],
)
def test_a_holiday_is_a_day_like_another_for_the_purposes_the_law_leaves_out(
    purpose: Purpose, policy: str, refused: bool
) -> None:
    asked = matter(policy, zones=ROME, purpose=purpose, relationship=CONTRACT)
    assert (finding(judge_holiday, asked, "2026-12-25 11:00") is not None) is refused


@pytest.mark.parametrize(
    ("clock", "closed", "key"),
    [
        pytest.param("2026-07-14 11:00", (), None, id="old law: lifted"),
        pytest.param("2026-07-14 11:00", ("2026-07-14",), "closed_date", id="never the house's"),
        pytest.param("2026-11-11 11:00", (), "holiday", id="new law: not lifted"),
    ],
)
def test_a_good_consent_lifts_holidays_where_the_law_says_so(
    clock: str, closed: tuple[str, ...], key: str | None
) -> None:
    yes = consented("2026-05-04 11:00", complete=True)
    asked = matter("fr", tighten=house(closed=closed), consents=(yes,))
    refusal = finding(judge_holiday, asked, clock)
    assert (refusal.reason.key if refusal else None) == key


def test_a_pack_adds_and_removes_days() -> None:
    pack = read_policy(
        """
        id = "p"
        title = "t"
        [sources.s]
        text = "x"
        confidence = "primary"
        [[regimes]]
        id = "r"
        title = "t"
        from = 2020-01-01
        [regimes.holidays]
        calendar = "IT"
        add = { "2026-06-29" = "Santi Pietro e Paolo" }
        remove = [2026-06-02]
        source = "s"
        """,
        "p.toml",
    )
    asked = matter(pack, zones=ROME)
    added = finding(judge_holiday, asked, "2026-06-29 11:00")
    assert added is not None
    assert added.reason.values["name"] == "Santi Pietro e Paolo"
    assert finding(judge_holiday, asked, "2026-06-02 11:00") is None
    assert finding(judge_holiday, asked, "2027-06-02 11:00") is not None


@pytest.mark.parametrize(("days", "ends"), [(398, True), (401, False)])
def test_a_closure_of_more_than_a_year_has_no_end(days: int, ends: bool) -> None:
    first = date(2026, 11, 24).toordinal()
    closed = [date.fromordinal(first + n).isoformat() for n in range(days)]
    refusal = finding(judge_holiday, matter("none", tighten=house(closed=closed)),
                      "2026-11-24 11:00")  # fmt: skip
    assert refusal is not None
    assert (refusal.until is not None) is ends


def test_a_midnight_that_does_not_exist_ends_a_closed_day_an_hour_later() -> None:
    asked = matter("none", zones="Africa/Cairo", tighten=house(closed=["2026-04-23"]))
    found = finding(judge_holiday, asked, "2026-04-23 11:00")
    assert until(found) == "2026-04-24 01:00:00+03:00"


# --- Days of a part of the country: Good Friday (26 March 2027) and 26 December in Moselle


def regional(how: str, more: str = "") -> Policy:
    return pack(f"""
        {more}
        [regimes.holidays]
        calendar = "FR"
        regional = "{how}"
        source = "law"
        local = [
            {{ regions = ["FR-57"], easter = -2, name = "Vendredi saint", source = "other" }},
            {{ regions = ["FR-57"], day = "12-26", name = "Saint-Étienne", source = "other" }},
            {{ regions = ["FR-976"], day = "04-27", name = "Abolition", source = "other" }},
            {{ regions = ["FR-974", "FR-976"], day = "04-28", name = "both", source = "other" }},
        ]
    """)


GOOD_FRIDAY = "2027-03-26 11:00"


@pytest.mark.parametrize(
    ("how", "campaign", "region", "clock", "reason"),
    [
        # The country's own day, wherever the callee is.
        ("off", "", "FR-57", "2026-11-11 11:00", "holiday"),
        ("advisory", "", "FR", "2026-11-11 11:00", "holiday"),
        ("counted", "", "FR-57", "2026-11-11 11:00", "holiday"),
        # A region's.
        ("off", "", "FR-57", GOOD_FRIDAY, ""),
        ("advisory", "", "FR-57", GOOD_FRIDAY, "holiday_advisory"),
        ("advisory", "", "FR-75", GOOD_FRIDAY, ""),
        ("advisory", "", "FR", GOOD_FRIDAY, "holiday_region_unknown"),
        ("counted", "", "FR-57", GOOD_FRIDAY, "holiday_regional"),
        ("counted", "", "FR-75", GOOD_FRIDAY, ""),
        ("counted", "", "FR", GOOD_FRIDAY, "holiday_regional"),
        ("counted", "", "FR", "2027-03-25 11:00", ""),
        ("counted", "", "FR", "2027-03-27 11:00", ""),
        # As the campaign says, where the law leaves it open.
        ("off", "advisory", "FR-57", GOOD_FRIDAY, "holiday_advisory"),
        ("off", "counted", "FR", GOOD_FRIDAY, "holiday_regional"),
        ("advisory", "off", "FR-57", GOOD_FRIDAY, ""),
        ("advisory", "off", "FR", GOOD_FRIDAY, ""),
        ("advisory", "counted", "FR", GOOD_FRIDAY, "holiday_regional"),
        ("counted", "off", "FR", GOOD_FRIDAY, "holiday_regional"),
        ("counted", "advisory", "FR", GOOD_FRIDAY, "holiday_regional"),
    ],
)
def test_a_regional_holiday_closes_where_it_counts(
    how: str, campaign: str, region: str, clock: str, reason: str
) -> None:
    asked = matter(regional(how), region=region, regional=campaign)
    assert key(asked, clock, Rule.HOLIDAY) == reason


@pytest.mark.parametrize(
    ("how", "region", "values"),
    [
        ("advisory", "FR-57", {"region": "FR-57", "until": "2027-03-27 00:00:00+01:00"}),
        ("counted", "FR-57", {"region": "FR-57", "until": "2027-03-27 00:00:00+01:00"}),
        ("counted", "FR", {"region": "FR-57", "until": "2027-03-27 00:00:00+01:00"}),
    ],
)
def test_a_regional_holiday_says_whose_it_is_and_until_when(
    how: str, region: str, values: dict[str, str]
) -> None:
    found = refusal(matter(regional(how), region=region), GOOD_FRIDAY, Rule.HOLIDAY)
    told = {"region": found.reason.values["region"], "until": until(found)}
    assert told == values
    assert found.reason.values["name"] == "Vendredi saint"
    assert found.source == "another law"


@pytest.mark.parametrize(
    ("how", "region", "clock", "ends"),
    [
        # Christmas 2026 is a Friday, and Saturday is Moselle's.
        ("off", "FR-57", "2026-12-25 11:00", "2026-12-26 00:00:00+01:00"),
        ("advisory", "FR-57", "2026-12-25 11:00", "2026-12-27 00:00:00+01:00"),
        ("counted", "FR", "2026-12-25 11:00", "2026-12-27 00:00:00+01:00"),
        ("advisory", "FR", "2026-12-25 11:00", "2026-12-26 00:00:00+01:00"),
    ],
)
def test_a_holiday_ends_where_no_other_begins(how: str, region: str, clock: str, ends: str) -> None:
    asked = matter(regional(how), region=region)
    assert until(refusal(asked, clock, Rule.HOLIDAY)) == ends
    assert next_at(asked, clock) == ends


def test_what_is_not_known_of_a_region_names_it() -> None:
    silence = of(judged(matter(regional("advisory"), region="FR"), GOOD_FRIDAY), Rule.HOLIDAY)
    assert isinstance(silence, NotJudged)
    assert silence.reason.values == {
        "day": date(2027, 3, 26), "name": "Vendredi saint", "region": "FR-57",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("how", "number", "region", "expected"),
    [
        # A mobile number of Réunion or Mayotte, on a day of Mayotte's.
        ("advisory", "+262692123456", "", "?holiday"),
        ("advisory", "", "FR-976", "holiday"),
        ("advisory", "", "FR-974", ""),
        ("counted", "+262692123456", "", "holiday"),
        ("counted", "", "FR-974", ""),
        # One of the mainland is in neither.
        ("advisory", "+33612345678", "", ""),
        ("counted", "+33612345678", "", ""),
    ],
)
def test_where_a_callee_may_be_in_several_places_a_day_of_one_counts_or_is_told(
    how: str, number: str, region: str, expected: str
) -> None:
    asked = matter(regional(how), number=number, region=region)
    assert said(asked, "2027-04-27 11:00") == expected


@pytest.mark.parametrize(
    ("how", "number", "region", "expected"),
    [
        # Whichever of the two it is, the day is kept there.
        ("advisory", "+262692123456", "", "holiday"),
        ("advisory", "", "FR-974", "holiday"),
        ("counted", "+262692123456", "", "holiday"),
        ("off", "+262692123456", "", ""),
        ("advisory", "+33612345678", "", ""),
    ],
)
def test_a_day_that_is_kept_wherever_the_callee_may_be_closes(
    how: str, number: str, region: str, expected: str
) -> None:
    asked = matter(regional(how), number=number, region=region)
    assert said(asked, "2027-04-28 11:00") == expected


@pytest.mark.parametrize(
    ("region", "source"),
    [("FR", "tighten"), ("FR-57", "another law"), ("FR-75", "tighten")],
)
def test_a_date_that_the_house_closed_is_closed_whatever_a_region_has(
    region: str, source: str
) -> None:
    asked = matter(regional("advisory"), region=region, tighten=house(closed=["2027-03-26"]))
    assert said(asked, GOOD_FRIDAY) == "holiday"
    assert refusal(asked, GOOD_FRIDAY, Rule.HOLIDAY).source == source


WAIVING = '[regimes.consent]\nrequired = false\nwaives = ["holiday"]\nsource = "law"\n'
AGREED = '[regimes.appointments]\ntolerance = "1 minute"\nwaives = ["holiday"]\nsource = "law"\n'


@pytest.mark.parametrize("how", ["advisory", "counted"])
@pytest.mark.parametrize("region", ["FR", "FR-57"])
def test_what_lifts_holidays_lifts_those_of_a_region_and_the_doubt(how: str, region: str) -> None:
    yes = consented("2026-09-01 11:00")
    asked = matter(regional(how, WAIVING), region=region, consents=(yes,))
    assert said(asked, GOOD_FRIDAY) == ""
    agreed = Appointment(instant(GOOD_FRIDAY, PARIS))
    asked = matter(regional(how, AGREED), region=region, appointments=(agreed,))
    assert said(asked, GOOD_FRIDAY) == ""


def test_for_a_purpose_for_which_holidays_are_open_those_of_a_region_are() -> None:
    policy = pack("""
        [regimes.holidays]
        calendar = "FR"
        regional = "counted"
        open_for = ["service"]
        source = "law"
        local = [{ regions = ["FR-57"], easter = -2, name = "n", source = "law" }]
    """)
    assert said(matter(policy, region="FR-57", purpose=Purpose.SERVICE), GOOD_FRIDAY) == ""
    assert said(matter(policy, region="FR-57", purpose=Purpose.SALES), GOOD_FRIDAY) == "holiday"


def test_a_closure_without_end_says_so() -> None:
    first = date(2026, 11, 24).toordinal()
    closed = [date.fromordinal(first + n).isoformat() for n in range(401)]
    asked = matter("none", tighten=house(closed=closed))
    assert key(asked, "2026-11-24 11:00", Rule.HOLIDAY) == "closed_dates"
    assert key(asked, "2026-12-31 11:00", Rule.HOLIDAY) == "closed_date"
    # A holiday in the midst of it has no other end than that.
    asked = matter(regional("off"), tighten=house(closed=closed[1:]))
    assert key(asked, "2026-12-25 11:00", Rule.HOLIDAY) == "holiday"
    first = date(2026, 12, 25).toordinal()
    closed = [date.fromordinal(first + n).isoformat() for n in range(1, 402)]
    asked = matter(regional("off"), tighten=house(closed=closed))
    assert key(asked, "2026-12-25 11:00", Rule.HOLIDAY) == "closed_dates"
