"""Terms: what is left of a regime for a purpose, with the campaign's own rules beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from dialwarden.numbers import Place, places_of_region
from dialwarden.numbers.clocks import clock
from dialwarden.policies import load_policies
from dialwarden.policy.figures import (
    CallerIdRule,
    Cap,
    ConsentRule,
    Gap,
    HolidayRule,
    HoursRule,
    ListRule,
    LocalDays,
    RegionalDays,
    RegionRules,
    SectorRule,
)
from dialwarden.policy.hours import WeekHours, parse_week, parse_windows
from dialwarden.policy.model import Confidence, HouseRules, Policy, Regime, Source
from dialwarden.policy.period import Period
from dialwarden.policy.terms import (
    ELSEWHERE,
    ENDLESS_OBJECTION,
    Mandate,
    Terms,
    mandate,
    terms_of,
)
from dialwarden.question import Purpose
from dialwarden.verdict import Rule

POLICIES = load_policies()
OLD, NEW = POLICIES["fr"].regimes
(ITALY,) = POLICIES["it-assocontact"].regimes
(NONE,) = POLICIES["none"].regimes
EVERYTHING = frozenset(Purpose)
OLD_HOURS = parse_week({"mon-fri": ["10:00-13:00", "14:00-20:00"]})
HOUSE = HouseRules(
    hours=parse_week({"mon-fri": ["09:00-12:00"]}),
    closed=frozenset({date(2026, 12, 24)}),
    caps=(Cap(1, Period(days=1), EVERYTHING, "tighten"),),
    gaps=(Gap(Period(days=2), EVERYTHING, "tighten"),),
    source="tighten",
)
OWN = (ListRule("house", "lists"),)


def terms(
    regime: Regime,
    purpose: Purpose = Purpose.SALES,
    *,
    house: HouseRules | None = None,
    own: tuple[ListRule, ...] = (),
    max_ages: Mapping[str, int] | None = None,
    region: str = "",
    regional: RegionalDays | None = None,
) -> Terms:
    return terms_of(
        regime, purpose, house or HouseRules(), own, max_ages or {}, region=region,
        regional=regional,
    )  # fmt: skip


def test_law_and_house_hours_are_intersected_and_the_laws_kept() -> None:
    both = terms(OLD, house=HOUSE)
    assert both.hours == parse_week({"mon-fri": ["10:00-12:00"]})
    assert both.law == (OLD.hours,)
    assert both.house_hours == HOUSE.hours


@pytest.mark.parametrize(
    ("regime", "house", "hours"),
    [
        (NONE, HouseRules(), None),
        (NONE, HOUSE, HOUSE.hours),
        (OLD, HouseRules(), OLD_HOURS),
    ],
)
def test_hours_of_one_side_stand_alone(regime: Regime, house: HouseRules, hours: object) -> None:
    assert terms(regime, house=house).hours == hours


def test_caps_gaps_and_lists_are_the_laws_and_the_houses() -> None:
    both = terms(OLD, house=HOUSE, own=OWN)
    assert both.caps == (*OLD.caps, *HOUSE.caps)
    assert both.gaps == HOUSE.gaps
    assert [rule.name for rule in both.lists] == ["bloctel", "house"]


@pytest.mark.parametrize("purpose", [Purpose.SURVEY, Purpose.SERVICE])
@pytest.mark.parametrize("regime", [OLD, NEW])
def test_a_purpose_the_text_does_not_bind_keeps_only_what_is_not_the_laws(
    regime: Regime, purpose: Purpose
) -> None:
    left = terms(regime, purpose, house=HOUSE, own=OWN)
    assert left.regime == regime.id
    assert (left.law, left.hours, left.eve_hours) == ((), HOUSE.hours, None)
    assert (left.caps, left.gaps, left.lists) == (HOUSE.caps, HOUSE.gaps, OWN)
    assert left.holidays == ()
    assert (left.consent, left.appointments, left.sectors) == (None, None, ())
    assert left.objection == ENDLESS_OBJECTION
    assert not left.waives(Rule.HOURS)


def test_a_purpose_for_which_holidays_are_open_keeps_the_rest() -> None:
    service = terms(ITALY, Purpose.SERVICE)
    assert service.holidays == ()
    assert service.law == (ITALY.hours,)
    assert service.gaps == ITALY.gaps
    assert terms(ITALY, Purpose.SURVEY).holidays == (ITALY.holidays,)


def test_a_regime_without_a_word_on_objections_makes_them_endless() -> None:
    assert terms(NONE).objection == ENDLESS_OBJECTION
    assert ENDLESS_OBJECTION.days == 0
    assert terms(OLD).objection.days == 60


def test_a_list_of_the_campaign_that_the_law_asks_for_is_the_laws() -> None:
    own = (ListRule("bloctel", "lists"), ListRule("house", "lists"))
    assert terms(OLD, own=own).lists == (*OLD.lists, own[1])
    # Under the law that asks for none, and for what no law binds, the campaign's own stands.
    assert terms(NEW, own=own).lists == own
    assert terms(OLD, Purpose.SERVICE, own=own).lists == own


@pytest.mark.parametrize(
    ("max_ages", "days"),
    [({}, 30), ({"bloctel": 7}, 7), ({"bloctel": 90}, 30), ({"another": 7}, 30)],
)
def test_an_admin_may_want_a_list_of_the_law_younger_never_older(
    max_ages: dict[str, int], days: int
) -> None:
    (bloctel,) = terms(OLD, max_ages=max_ages).lists
    assert bloctel.max_age_days == days
    assert bloctel.exempt == OLD.lists[0].exempt


@pytest.mark.parametrize(
    ("regime", "rule", "waived"),
    [
        (OLD, Rule.HOURS, True),
        (OLD, Rule.HOLIDAY, True),
        (OLD, Rule.FREQUENCY, False),
        (NEW, Rule.HOURS, False),
        (NEW, Rule.HOLIDAY, False),
        (ITALY, Rule.HOURS, False),
        (NONE, Rule.HOURS, False),
    ],
)
def test_what_a_good_consent_waives(regime: Regime, rule: Rule, waived: bool) -> None:
    assert terms(regime).waives(rule) is waived


def test_a_mandate_knows_every_regime_and_purpose() -> None:
    told = mandate(campaign="c", professional="p", policy=POLICIES["fr"], house=HOUSE)
    assert set(told.terms) == {(r.id, purpose, "") for r in (OLD, NEW) for purpose in Purpose}
    assert told.sector == ""


@pytest.mark.parametrize(
    ("day", "regime"),
    [
        (date(2023, 2, 28), None),
        (date(2023, 3, 1), "fr-d223-9-2023"),
        (date(2026, 8, 10), "fr-d223-9-2023"),
        (date(2026, 8, 11), "fr-optin-2026"),
        (date(2099, 1, 1), "fr-optin-2026"),
    ],
)
def test_the_terms_of_a_day_are_those_of_its_regime(day: date, regime: str | None) -> None:
    told = mandate(campaign="c", professional="p", policy=POLICIES["fr"])
    found = told.terms_on(day, Purpose.SALES)
    assert (found.regime if found else None) == regime
    policy = POLICIES["fr"]
    assert policy.regime_after(date(2023, 2, 28)) == OLD
    assert policy.regime_after(date(2023, 3, 1)) == NEW
    assert policy.regime_after(date(2026, 8, 11)) is None


# --- What regions add


SALES = frozenset({Purpose.SALES})


def cap(most: int, period: str) -> Cap:
    return Cap(most, Period.parse(period), SALES, "state")


FEDERAL = HoursRule(parse_week({"mon-sun": ["08:00-21:00"]}), "federal")
FLORIDA = RegionRules(
    frozenset({"US-FL", "US-OK"}),
    HoursRule(parse_week({"mon-sat": ["07:00-20:00"]}), "state"),
    HolidayRule("US-FL", "state"),
    (cap(3, "24 hours"),),
    (Gap(Period.parse("1 hour"), SALES, "state"),),
)
OKLAHOMA = RegionRules(frozenset({"US-OK"}), caps=(cap(1, "1 day"),))
COUNTRY = Regime(
    id="us",
    start=date(2020, 1, 1),
    title="t",
    purposes=SALES,
    hours=FEDERAL,
    holidays=HolidayRule("US", "federal"),
    caps=(cap(9, "1 day"),),
    regions=(FLORIDA, OKLAHOMA),
)


@pytest.mark.parametrize(
    ("region", "law", "hours", "holidays", "caps", "gaps"),
    [
        ("", ["federal"], {"mon-sun": ["08:00-21:00"]}, ["US"], [9], 0),
        (ELSEWHERE, ["federal"], {"mon-sun": ["08:00-21:00"]}, ["US"], [9], 0),
        ("PR", ["federal"], {"mon-sun": ["08:00-21:00"]}, ["US"], [9], 0),
        ("US-NY", ["federal"], {"mon-sun": ["08:00-21:00"]}, ["US"], [9], 0),
        ("US-FL", ["federal", "state"], {"mon-sat": ["08:00-20:00"]}, ["US", "US-FL"], [9, 3], 1),
        ("US-OK", ["federal", "state"], {"mon-sat": ["08:00-20:00"]}, ["US", "US-FL"],
         [9, 3, 1], 1),
        # Somewhere in the country: all that holds in any part of it.
        ("US", ["federal", "state"], {"mon-sat": ["08:00-20:00"]}, ["US", "US-FL"], [9, 3, 1], 1),
    ],
)  # fmt: skip
def test_a_region_adds_to_its_country_and_the_strictest_of_both_holds(
    region: str, law: list[str], hours: dict[str, list[str]], holidays: list[str],
    caps: list[int], gaps: int,
) -> None:  # fmt: skip
    found = terms(COUNTRY, region=region)
    assert [rule.source for rule in found.law] == law
    assert found.hours == parse_week(hours)
    assert [rule.calendar for rule in found.holidays] == holidays
    assert [cap.max for cap in found.caps] == caps
    assert len(found.gaps) == gaps


def test_what_a_region_adds_binds_the_purposes_that_its_country_binds() -> None:
    left = terms(COUNTRY, Purpose.SURVEY, region="US-OK")
    assert (left.law, left.hours, left.holidays) == ((), None, ())
    assert (left.caps, left.gaps) == ((), ())


def test_a_mandate_has_terms_of_its_own_for_each_region_that_adds_something() -> None:
    policy = replace(POLICIES["none"], regimes=(COUNTRY,))
    told = mandate(campaign="c", professional="p", policy=policy)
    assert {region for _, _, region in told.terms} == {"", "US", "US-FL", "US-OK"}
    for region, caps in (("US-OK", 3), ("US-FL", 2), ("US-NY", 1), ("", 1), ("US", 3)):
        found = told.terms_on(date(2026, 11, 24), Purpose.SALES, region)
        assert found is not None
        assert len(found.caps) == caps


# --- Eves, margins, purposes


def hours_rule(eve: list[str] | None, source: str = "law") -> HoursRule:
    windows = None if eve is None else parse_windows(eve)
    return HoursRule(parse_week({"mon-fri": ["10:00-21:00"]}), source, windows)


EVES = replace(COUNTRY, hours=hours_rule(["09:00-18:00"]), regions=())


def regions_eve(eve: list[str] | None) -> Regime:
    return replace(EVES, regions=(RegionRules(frozenset({"US-FL"}), hours_rule(eve, "state")),))


@pytest.mark.parametrize(
    ("regime", "region", "house", "monday"),
    [
        pytest.param(EVES, "", HouseRules(), "10:00-18:00", id="cut by the weekday's"),
        pytest.param(EVES, "", HouseRules(hours=parse_week({"mon": ["09:00-12:00"]})),
                     "10:00-12:00", id="cut by the house's"),
        pytest.param(EVES, "", HouseRules(margin=timedelta(minutes=5)), "10:00-17:55",
                     id="less a margin"),
        pytest.param(regions_eve(["11:00-19:00"]), "US-FL", HouseRules(), "11:00-18:00",
                     id="the country's and the region's"),
        pytest.param(regions_eve(None), "US-FL", HouseRules(), "10:00-18:00",
                     id="the country's alone"),
        pytest.param(replace(regions_eve(["11:00-19:00"]), hours=hours_rule(None)), "US-FL",
                     HouseRules(), "11:00-19:00", id="the region's alone"),
        pytest.param(replace(EVES, hours=hours_rule([])), "", HouseRules(), "", id="closed"),
        pytest.param(replace(EVES, hours=hours_rule(None)), "", HouseRules(), None, id="none"),
    ],
)  # fmt: skip
def test_the_eves_of_all_who_have_some_hold_together(
    regime: Regime, region: str, house: HouseRules, monday: str | None
) -> None:
    eves = terms(regime, region=region, house=house).eve_hours
    found = None if eves is None else " ".join(map(str, eves.days[0]))
    assert found == monday
    if eves is not None:
        assert eves.days[5] == ()


@pytest.mark.parametrize(
    ("margin", "monday"),
    [
        (0, "10:00-13:00 14:00-20:00"),
        (2, "10:00-12:58 14:00-19:58"),
        (60, "10:00-12:00 14:00-19:00"),
        (180, "14:00-17:00"),  # a window no longer than the margin is gone
        (179, "10:00-10:01 14:00-17:01"),
        (240, "14:00-16:00"),
    ],
)
def test_a_margin_closes_every_window_early_and_opens_none_early(margin: int, monday: str) -> None:
    found = terms(OLD, house=HouseRules(margin=timedelta(minutes=margin)))
    assert found.hours is not None
    assert " ".join(map(str, found.hours.days[0])) == monday
    assert found.house_hours is None


def test_a_margin_is_taken_off_the_house_hours_that_stand_alone() -> None:
    house = HouseRules(hours=parse_week({"mon": ["08:00-09:00"]}), margin=timedelta(minutes=1))
    for regime in (NONE, OLD):
        assert terms(regime, house=house).house_hours == parse_week({"mon": ["08:00-08:59"]})
    assert terms(NONE, house=house).hours == parse_week({"mon": ["08:00-08:59"]})
    assert terms(OLD, house=house).hours == parse_week({})


def test_hours_of_a_purpose_take_the_place_of_the_others() -> None:
    survey = HoursRule(parse_week({"sun": ["09:00-17:00"]}), "survey")
    regime = replace(COUNTRY, purposes=EVERYTHING, hours_for={Purpose.SURVEY: survey})
    expected: dict[Purpose, WeekHours] = {
        Purpose.SALES: FEDERAL.week,
        Purpose.SURVEY: survey.week,
        Purpose.SERVICE: FEDERAL.week,
    }
    assert {purpose: terms(regime, purpose).hours for purpose in Purpose} == expected
    # And a region adds to these too.
    assert terms(regime, Purpose.SURVEY, region="US-FL").hours == parse_week({})


def test_a_part_binds_the_purposes_that_it_names_beyond_those_of_the_regime_too() -> None:
    service = frozenset({Purpose.SERVICE})
    regime = replace(
        COUNTRY,
        caps=(Cap(1, Period(days=1), service, "law"),),
        gaps=(Gap(Period(days=1), service, "law"),),
        regions=(RegionRules(frozenset({"US-FL"}), caps=(Cap(2, Period(days=1), service, "s"),)),),
        lists=(ListRule("x", "law", purposes=service),),
        consent=ConsentRule("law", required=True, purposes=service),
        sectors=(SectorRule(frozenset({"gas"}), "law", purposes=service),),
        caller_id=(CallerIdRule("law", identified=True, purposes=service),),
    )
    bound, other = terms(regime, Purpose.SERVICE), terms(regime, Purpose.SALES)
    assert bound.law == ()
    for part in ("caps", "gaps", "lists", "sectors", "caller_id"):
        assert len(getattr(bound, part)) == 1
        assert getattr(other, part) == ()
    assert (bound.consent, other.consent) == (regime.consent, None)
    assert len(terms(regime, Purpose.SERVICE, region="US-FL").caps) == 2
    assert terms(regime, region="US-FL").caps == ()


# --- Regional days

LOCAL = (LocalDays(frozenset({"FR-57"}), "n", "law", day=(12, 26)),)


@pytest.mark.parametrize(
    ("rule", "campaign", "found"),
    [
        (HolidayRule("FR", "s", local=LOCAL), None, "off"),
        (HolidayRule("FR", "s", local=LOCAL), "advisory", "advisory"),
        (HolidayRule("FR", "s", local=LOCAL), "counted", "counted"),
        (HolidayRule("FR", "s", subdivisions=True), "counted", "counted"),
        (HolidayRule("FR", "s"), "counted", "off"),  # nothing to look at
        (HolidayRule("FR", "s", local=LOCAL, regional=RegionalDays.ADVISORY), None, "advisory"),
        (HolidayRule("FR", "s", local=LOCAL, regional=RegionalDays.ADVISORY), "off", "off"),
        # What the law counts stays counted, whatever a campaign says.
        (HolidayRule("FR", "s", local=LOCAL, regional=RegionalDays.COUNTED), "off", "counted"),
        (HolidayRule("FR", "s", local=LOCAL, regional=RegionalDays.COUNTED), "advisory", "counted"),
    ],
)
def test_a_campaign_says_what_regional_days_do_where_the_law_leaves_it_open(
    rule: HolidayRule, campaign: str | None, found: str
) -> None:
    regime = replace(COUNTRY, holidays=rule, regions=())
    asked = RegionalDays(campaign) if campaign else None
    (holidays,) = terms(regime, regional=asked).holidays
    assert holidays.regional == found


def american(regional: str = "off", *, subdivisions: bool = False) -> Mandate:
    mardi_gras = LocalDays(frozenset({"US-AL"}), "Mardi Gras", "s", easter=-47)
    rule = HolidayRule("US", "s", local=(mardi_gras,), subdivisions=subdivisions)
    policy = Policy("us", "t", "US", (replace(COUNTRY, holidays=rule),), "0" * 64, "us.toml")
    return mandate(campaign="c", professional="p", policy=policy, regional=RegionalDays(regional))


EAST, CENTRAL, DETROIT = "America/New_York", "America/Chicago", "America/Detroit"
PUERTO_RICO = "America/Puerto_Rico"


@pytest.mark.parametrize(
    ("places", "told"),
    [
        pytest.param([("US-NY", EAST), ("US-GA", EAST)], [(ELSEWHERE, EAST)],
                     id="two that nothing tells apart are one"),
        pytest.param([("US-NY", EAST), ("US-MI", DETROIT)], [(ELSEWHERE, EAST)],
                     id="two zones that always show the same are one"),
        pytest.param([("US-NY", EAST), ("US-IL", CENTRAL)],
                     [(ELSEWHERE, EAST), (ELSEWHERE, CENTRAL)], id="two clocks are two"),
        pytest.param([("US-NY", EAST), ("US-FL", EAST)], [(ELSEWHERE, EAST), ("US-FL", EAST)],
                     id="one to which a region adds"),
        pytest.param([("US-FL", EAST), ("US-FL", CENTRAL), ("US-TN", CENTRAL)],
                     [("US-FL", EAST), ("US-FL", CENTRAL), (ELSEWHERE, CENTRAL)],
                     id="one to which a region adds, on two clocks"),
        pytest.param([("US-NY", EAST), ("US-AL", CENTRAL)],
                     [(ELSEWHERE, EAST), ("US-AL", CENTRAL)], id="one that has a day of its own"),
        pytest.param([("US-NY", EAST), ("PR", PUERTO_RICO)],
                     [(ELSEWHERE, EAST), ("PR", PUERTO_RICO)], id="another country"),
        pytest.param([("US-NY", EAST), ("US", EAST)], [(ELSEWHERE, EAST), ("US", EAST)],
                     id="a country stands for any part of it"),
        pytest.param([("US-NY", EAST)], [("US-NY", EAST)], id="a single one stays"),
        pytest.param([("US-TN", EAST), ("US-TN", CENTRAL)], [("US-TN", EAST), ("US-TN", CENTRAL)],
                     id="a state with two clocks stays"),
    ],
)  # fmt: skip
def test_places_are_told_apart_where_something_hangs_on_it(
    places: list[tuple[str, str]], told: list[tuple[str, str]]
) -> None:
    given = tuple(Place(*place) for place in places)
    asked = american()
    for _ in range(2):  # the second time from what is kept
        assert asked.candidates(given) == tuple(Place(*place) for place in told)


@pytest.mark.parametrize(
    ("regional", "subdivisions", "apart"),
    [
        ("off", False, False),
        ("off", True, False),
        ("counted", False, False),  # the pack's own days alone name their regions
        ("counted", True, True),
        ("advisory", True, True),
    ],
)
def test_where_any_region_may_have_a_day_every_one_is_told_apart(
    regional: str, subdivisions: bool, apart: bool
) -> None:
    given = (Place("US-NY", EAST), Place("US-GA", EAST))
    found = american(regional, subdivisions=subdivisions).candidates(given)
    assert found == (given if apart else (Place(ELSEWHERE, EAST),))


def test_the_many_states_of_a_country_are_judged_as_few_places() -> None:
    every_state = places_of_region("US")
    few = american().candidates(every_state)
    assert {clock(place.zone) for place in few} == {clock(place.zone) for place in every_state}
    assert {place.region for place in few} == {ELSEWHERE, "US-FL", "US-OK", "US-AL"}
    assert len(few) < 15 < len(every_state)


# --- What rests on no text that was read


def test_the_parts_that_rest_on_no_text_are_told_by_their_citation() -> None:
    def source(text: str, confidence: Confidence) -> Source:
        return Source(text, confidence=confidence)

    regime = replace(
        COUNTRY,
        sources={
            "federal": source("federal", Confidence.PRIMARY),
            "state": source("state", Confidence.UNVERIFIED),
            "rumour": source("rumour", Confidence.UNVERIFIED),
            "press": source("press", Confidence.SECONDARY),
            "uncited": source("uncited", Confidence.UNVERIFIED),
        },
        caps=(),
        lists=(ListRule("x", "rumour"), ListRule("y", "press"), ListRule("z", "rumour")),
    )
    assert terms(regime).unverified == ("rumour",)
    assert set(terms(regime, region="US-FL").unverified) == {"state", "rumour"}
    # Of the purposes that the text does not bind, only what binds them.
    assert terms(regime, Purpose.SERVICE, region="US-FL").unverified == ("rumour",)
    assert terms(regime).doubtful == {"state", "rumour", "uncited"}
