"""Where one reading allows and another refuses, the refusal: ways past the gate that were found."""

from __future__ import annotations

import pytest

from dialwarden.facts import Appointment, Facts
from dialwarden.numbers import Number, read_number
from dialwarden.policy.figures import RegionalDays
from dialwarden.policy.parse import read_policy
from dialwarden.policy.terms import mandate
from dialwarden.question import Purpose
from dialwarden.rules.case import matter_of
from dialwarden.rules.judge import judge

from .situations import (
    POLICIES,
    attempts,
    consented,
    failing,
    fresh,
    instant,
    matter,
    objected,
    rules_at,
)

# --- A no ends what was agreed before it, and a later yes does not bring it back


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        pytest.param((), "", id="nothing was said since"),
        pytest.param(("2026-11-02 12:00",), "", id="a no before it was agreed on"),
        pytest.param(("2026-11-05 12:00",), "hours", id="a no since, and a yes since"),
        pytest.param(("2026-11-03 12:00",), "hours", id="a no of the same instant"),
    ],
)
def test_an_appointment_does_not_outlive_a_no(said: tuple[str, ...], rules: str) -> None:
    agreed = Appointment(
        instant("2026-11-29 12:00", "Europe/Paris"),
        agreed_at=instant("2026-11-03 12:00", "Europe/Paris"),
    )
    asked = matter(
        "fr",
        appointments=(agreed,),
        objections=tuple(map(objected, said)),
        consents=(consented("2026-11-10 12:00"), consented("2026-11-01 12:00")),
    )
    assert rules_at(asked, "2026-11-29 12:00") == rules  # a Sunday


def test_a_contract_lets_no_appointment_outlive_a_no_of_long_ago() -> None:
    agreed = Appointment(
        instant("2027-03-07 12:00", "Europe/Paris"),
        agreed_at=instant("2026-11-03 12:00", "Europe/Paris"),
    )
    asked = matter(
        "fr",
        relationship="contract",
        appointments=(agreed,),
        objections=(objected("2026-12-01 12:00"),),
    )
    assert rules_at(asked, "2027-03-07 12:00") == "hours"


# --- A holiday that is kept wherever the callee may be


def of_number(number: str, policy: str, at: str, regional: str | None = None) -> str:
    read = read_number(number, region="AU")
    assert isinstance(read, Number)
    law = POLICIES[policy]
    lists = fresh(rule.name for regime in law.regimes for rule in regime.lists)
    asked = matter_of(
        mandate(
            campaign="c",
            professional="p",
            policy=law,
            regional=RegionalDays(regional) if regional else None,
        ),
        Purpose.SALES,
        read.places,
        Facts(lists=lists, consents=(consented("2026-09-01 11:00"),)),
    )
    judgement = judge(asked, instant(at, str(asked.zones[0])))
    silent = "&".join(silence.rule for silence in judgement.not_judged if silence.rule == "holiday")
    return failing(judgement) + (f" not judged: {silent}" if silent else "")


@pytest.mark.parametrize(
    ("number", "policy", "at", "told"),
    [
        # The King's Birthday of 2026: 8 June but for Western Australia and Queensland.
        pytest.param("+61312345678", "au", "2026-06-08 12:00", "holiday", id="+61 3, every state"),
        pytest.param("+61212345678", "au", "2026-06-08 12:00", "holiday", id="+61 2, every state"),
        pytest.param(
            "+61412345678", "au", "2026-06-08 14:00", " not judged: holiday", id="not in all"
        ),
        # 27 May in Guadeloupe and Saint-Martin, not in Saint-Barthélemy.
        pytest.param(
            "+590690001234", "fr", "2026-05-27 12:00", " not judged: holiday", id="+590, two of 3"
        ),
    ],
)  # fmt: skip
def test_a_holiday_of_every_place_where_the_callee_may_be(
    number: str, policy: str, at: str, told: str
) -> None:
    assert of_number(number, policy, at) == told


@pytest.mark.parametrize("day", ["2026-05-27", "2026-05-28", "2026-10-09"])
def test_the_french_antilles_are_three_to_a_number(day: str) -> None:
    assert of_number("+590690001234", "fr", f"{day} 12:00", "counted") == "holiday"


@pytest.mark.parametrize(
    ("region", "advisory", "counted"),
    [
        ("FR", "not judged", "holiday"),
        ("FR-GES", "not judged", "holiday"),
        ("FR-67", "holiday", "holiday"),
        ("FR-75", "", ""),
    ],
)
@pytest.mark.parametrize("mode", ["advisory", "counted"])
def test_a_wider_region_opens_nothing_that_its_parts_close(
    region: str, advisory: str, counted: str, mode: str
) -> None:
    asked = matter("fr", region=region, regional=mode, relationship="contract")
    judgement = judge(asked, instant("2027-03-26 11:00", "Europe/Paris"))  # Good Friday
    told = failing(judgement) or (
        "not judged" if any(s.rule == "holiday" for s in judgement.not_judged) else ""
    )
    assert told == (advisory if mode == "advisory" else counted)


# --- What a region adds, where the region is not known

REGIONAL = read_policy(
    """
id = "regional"
title = "Noon in two departments, and a cap"
country = "FR"
[sources.s]
text = "a text"
confidence = "primary"
[[regimes]]
id = "one"
title = "one"
from = 2026-01-01
[[regimes.regions]]
regions = ["FR-67"]
[regimes.regions.hours]
mon-sun = ["10:00-12:00"]
source = "s"
[[regimes.regions]]
regions = ["FR-68"]
[[regimes.regions.caps]]
max = 1
period = "2 days"
source = "s"
""",
    "regional.toml",
)


@pytest.mark.parametrize(
    ("region", "rules"),
    [
        ("FR-67", "hours"),
        ("FR-68", "frequency"),
        ("FR-75", ""),
        ("FR", "hours&frequency"),
        ("FR-GES", "hours&frequency"),
        ("FR-974", ""),
    ],
)
def test_of_a_country_everything_counts_that_a_part_of_it_adds(region: str, rules: str) -> None:
    asked = matter(REGIONAL, region=region, attempts=attempts("2026-11-23 11:00"))
    assert rules_at(asked, "2026-11-24 13:00") == rules


# --- A number shown that cannot be read


@pytest.mark.parametrize(
    ("shown", "rules"),
    [
        ("0612345678", "caller_id"),
        ("sip:0612345678@pbx", "caller_id"),
        ('"Ana" <0612345678>', "caller_id"),
        ("0612345678x12", "caller_id"),
        ("1001", "caller_id"),
        ("0123456789", ""),
        ("anonymous", ""),  # of a survey, only prefixes are asked for
    ],
)
def test_what_may_be_a_forbidden_number_is_refused(shown: str, rules: str) -> None:
    asked = matter("fr", purpose=Purpose.SURVEY, callerid=shown, dial="manual")
    assert rules_at(asked, "2026-11-24 11:00") == rules
