"""Terms: what is left of a regime for a purpose, with the campaign's own rules beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from dialwarden.policies import load_policies
from dialwarden.policy.hours import parse_week
from dialwarden.policy.model import Cap, Gap, HouseRules, ListRule, Regime
from dialwarden.policy.period import Period
from dialwarden.policy.terms import ENDLESS_OBJECTION, Terms, mandate, terms_of
from dialwarden.question import Purpose
from dialwarden.verdict import Rule

POLICIES = load_policies()
OLD, NEW = POLICIES["fr"].regimes
(ITALY,) = POLICIES["it-assocontact"].regimes
(NONE,) = POLICIES["none"].regimes
EVERYTHING = frozenset(Purpose)
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
) -> Terms:
    return terms_of(regime, purpose, house or HouseRules(), own, max_ages or {})


def test_law_and_house_hours_are_intersected_and_the_laws_kept() -> None:
    both = terms(OLD, house=HOUSE)
    assert both.hours == parse_week({"mon-fri": ["10:00-12:00"]})
    assert both.law_hours == OLD.hours
    assert both.hours_source == OLD.hours_source


@pytest.mark.parametrize(
    ("regime", "house", "hours"),
    [
        (NONE, HouseRules(), None),
        (NONE, HOUSE, HOUSE.hours),
        (OLD, HouseRules(), OLD.hours),
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
    assert (left.hours, left.law_hours) == (HOUSE.hours, None)
    assert (left.caps, left.gaps, left.lists) == (HOUSE.caps, HOUSE.gaps, OWN)
    assert left.holidays is None
    assert left.consent is None
    assert left.objection == ENDLESS_OBJECTION
    assert not left.waives(Rule.HOURS)


def test_a_purpose_for_which_holidays_are_open_keeps_the_rest() -> None:
    service = terms(ITALY, Purpose.SERVICE)
    assert service.holidays is None
    assert service.hours == ITALY.hours
    assert service.lists == ITALY.lists
    assert terms(ITALY, Purpose.SURVEY).holidays == ITALY.holidays


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
    assert set(told.terms) == {(r.id, purpose) for r in (OLD, NEW) for purpose in Purpose}
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
