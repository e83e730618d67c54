"""judge: every failing rule, in order, in every zone the callee may be in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dialwarden.facts import Listing
from dialwarden.policy.figures import ListRule
from dialwarden.policy.parse import read_policy
from dialwarden.question import Purpose
from dialwarden.rules import RULES
from dialwarden.rules.case import Matter
from dialwarden.rules.judge import judge
from dialwarden.verdict import REPORT_ORDER, Rule

from .situations import (
    MARTINIQUE,
    MAYOTTE,
    PARIS,
    REUNION,
    attempts,
    consented,
    failing,
    house,
    instant,
    matter,
    next_at,
    objected,
)


def everything_wrong() -> Matter:
    return matter(
        "fr",
        own_lists=(ListRule("house", "lists"), ListRule("late", "lists")),
        lists={"house": Listing(1, date(2026, 11, 1), listed=True)},
        objections=(objected("2026-11-10 11:00"),),
        attempts=attempts(*["2026-11-10 11:00"] * 4),
        tighten=house(gap="10 days"),
        sector="home-energy-works",
        callerid="anonymous",
    )


def test_every_failing_rule_is_reported_in_the_order_of_the_contract() -> None:
    judgement = judge(everything_wrong(), instant("2026-11-11 21:00", PARIS))
    assert failing(judgement) == (
        "sector&consent&opposition&list_stale&objection&caller_id&holiday&hours&frequency&gap"
    )


def test_the_list_of_rules_is_in_the_order_of_reports_and_knows_its_names() -> None:
    order = [REPORT_ORDER[name] for name, _ in RULES]
    assert order == sorted(order)
    judgement = judge(everything_wrong(), instant("2026-11-11 21:00", PARIS))
    assert [refusal.rule for refusal in judgement.refusals] == [name for name, _ in RULES]


@pytest.mark.parametrize("rule", [name for name, _ in RULES])
def test_each_rule_can_speak_alone(rule: Rule) -> None:
    """No rule hides behind another: every one is reached and refuses by itself."""
    alone: dict[Rule, tuple[Matter, str]] = {
        Rule.SECTOR: (
            matter("fr", sector="home-energy-works", consents=(consented("2026-09-01 11:00"),)),
            "2026-11-24 11:00"),
        Rule.CALLER_ID: (matter("fr", relationship="contract", callerid="anonymous"),
                         "2026-11-24 11:00"),
        Rule.CONSENT: (matter("fr"), "2026-11-24 11:00"),
        Rule.OPPOSITION: (
            matter("none", own_lists=(ListRule("house", "l"),),
                   lists={"house": Listing(1, listed=True)}), "2026-11-24 11:00"),
        Rule.LIST_STALE: (matter("none", own_lists=(ListRule("house", "l"),)), "2026-11-24 11:00"),
        Rule.OBJECTION: (matter("none", objections=(objected("2026-11-10 11:00"),)),
                         "2026-11-24 11:00"),
        Rule.HOLIDAY: (matter("fr", relationship="contract"), "2026-11-11 11:00"),
        Rule.HOURS: (matter("fr", relationship="contract"), "2026-11-24 13:00"),
        Rule.FREQUENCY: (
            matter("none", tighten=house(caps=[(1, "3 days")]),
                   attempts=attempts("2026-11-23 11:00")), "2026-11-24 11:00"),
        Rule.GAP: (matter("none", tighten=house(gap="3 days"),
                          attempts=attempts("2026-11-23 11:00")), "2026-11-24 11:00"),
    }  # fmt: skip
    asked, clock = alone[rule]
    assert failing(judge(asked, instant(clock, PARIS))) == rule


def test_an_allowed_instant_has_regimes_and_nothing_else() -> None:
    judgement = judge(matter("none"), instant("2026-11-24 11:00"))
    assert judgement.regimes == ("none",)
    assert judgement.refusals == ()
    assert judgement.not_judged == ()
    assert judgement.clears is None


@pytest.mark.parametrize("zones", [(REUNION, MAYOTTE), (MAYOTTE, REUNION)])
def test_of_one_rule_in_two_zones_the_stricter_is_reported(zones: tuple[str, ...]) -> None:
    """20:30 in Réunion, 19:30 in Mayotte on a Friday: only Réunion is closed. And both later."""
    asked = matter("fr", zones=zones, relationship="contract")
    only = judge(asked, instant("2026-11-27 20:30", REUNION)).refusals
    assert [str(refusal.until) for refusal in only] == ["2026-11-30 10:00:00+04:00"]
    both = judge(asked, instant("2026-11-27 23:30", REUNION)).refusals
    assert [str(refusal.until) for refusal in both] == ["2026-11-30 10:00:00+03:00"]


def test_each_zone_has_its_own_law_on_the_night_of_a_change() -> None:
    asked = matter("fr", zones=(PARIS, MARTINIQUE))
    judgement = judge(asked, instant("2026-08-10 22:30"))
    assert judgement.regimes == ("fr-optin-2026", "fr-d223-9-2023")
    assert failing(judgement) == "consent&hours"


ENDED = read_policy(
    """
    id = "ended"
    title = "A law that is gone"
    [[regimes]]
    id = "only"
    title = "t"
    from = 2025-01-01
    until = 2026-11-30
    """,
    "ended.toml",
)


@pytest.mark.parametrize(
    ("clock", "rules", "following"),
    [
        pytest.param("2024-12-31 23:00", "campaign", "2025-01-01 00:00:00+01:00", id="before"),
        pytest.param("2025-01-01 00:00", "", "2025-01-01 00:00:00+01:00", id="first second"),
        pytest.param("2026-11-30 23:59:59", "", "2026-11-30 23:59:59+01:00", id="last second"),
        pytest.param("2026-12-01 00:00", "campaign", "", id="after"),
    ],
)
def test_without_a_regime_nothing_is_allowed(clock: str, rules: str, following: str) -> None:
    asked = matter(ENDED)
    assert failing(judge(asked, instant(clock, PARIS))) == rules
    assert next_at(asked, clock) == following


def test_next_does_not_reach_past_the_last_regime() -> None:
    """Open again only in December, when no text is in force any more."""
    asked = matter(ENDED, tighten=house(closed=["2026-11-29", "2026-11-30"]))
    assert next_at(asked, "2026-11-29 11:00") == ""


def test_clears_is_never_later_than_a_change_of_law() -> None:
    asked = matter("fr", objections=(objected("2026-07-20 11:00"),))
    judgement = judge(asked, instant("2026-08-03 11:00", PARIS))
    (objection,) = judgement.refusals
    assert str(objection.until) == "2026-09-19 00:00:00+02:00"
    assert str(judgement.clears) == "2026-08-11 00:00:00+02:00"


def test_surveys_and_service_calls_are_outside_the_french_text() -> None:
    for purpose in (Purpose.SURVEY, Purpose.SERVICE):
        made = attempts(*["2026-11-23 11:00"] * 9)
        asked = matter("fr", purpose=purpose, lists={}, attempts=made)
        assert failing(judge(asked, instant("2026-11-29 03:00", PARIS))) == ""


def test_under_no_law_lists_objections_and_house_rules_hold() -> None:
    asked = matter(
        "none",
        own_lists=(ListRule("house", "lists"),),
        lists={"house": Listing(1, listed=True)},
        objections=(objected("2020-01-01 11:00"),),
        tighten=house(hours={"mon-fri": ["10:00-12:00"]}, closed=["2026-11-28"], gap="9 days",
                      caps=[(1, "2 days")]),
        attempts=attempts("2026-11-27 11:00"),
    )  # fmt: skip
    judgement = judge(asked, instant("2026-11-28 11:00", PARIS))
    assert failing(judgement) == "opposition&objection&holiday&hours&frequency&gap"


def test_fractions_of_a_second_and_offsets_make_no_difference() -> None:
    asked = matter("fr", relationship="contract")
    at = datetime(2026, 11, 24, 12, 59, 59, 999999, tzinfo=ZoneInfo(PARIS))
    assert failing(judge(asked, at)) == ""
    assert judge(asked, at) == judge(asked, at.astimezone(UTC))
