"""Emergency numbers: exactly these, and nothing longer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import shortnumberinfo

from dialwarden.numbers import (
    DIALPLAN_EMERGENCY,
    emergency_numbers,
    is_emergency,
    missing_from_dialplan,
)

SHIPPED_DIALPLAN = Path(__file__).parents[2] / "config" / "asterisk" / "extensions_dialwarden.conf"

FRANCE = {"15", "17", "18", "112", "114", "115", "119", "191", "196", "197", "116000"}
ITALY = {"112", "113", "114", "115", "117", "118", "1515", "1530", "116000"}
FRANCE_AND_ITALY = emergency_numbers(["FR", "IT"])


@pytest.mark.parametrize(
    ("regions", "numbers"),
    [
        ([], {"112"}),
        (["XX", ""], {"112"}),
        (["FR"], FRANCE),
        (["IT"], ITALY),
        (["IT-BZ"], ITALY),
        (["FR-974"], FRANCE),
        (["FR-973"], FRANCE),
        (["GB"], {"112", "999"}),
        (["US"], {"112", "911"}),
        (["US-FL"], {"112", "911"}),
        (["US-PR"], {"112", "911"}),
        (["CA-ON"], {"112", "911"}),
        (["AU-WA"], {"000", "106", "112"}),
        (["GB-GLG"], {"112", "999"}),
        (["DE", "DE"], {"110", "112"}),
        # Not all are of two or three digits.
        (["SE"], {"112", "90000"}),
    ],
)
def test_numbers_of_regions(regions: list[str], numbers: set[str]) -> None:
    assert emergency_numbers(regions) == numbers


IN_THE_FRENCH_PLAN = ["RE", "YT", "GP", "MQ", "GF", "PM", "BL", "MF"]
TERRITORIES = [
    *IN_THE_FRENCH_PLAN,
    *("NC", "PF", "WF", "TF"),
    *(f"FR-{code}" for code in (*range(971, 979), 984, 986, 987, 988)),
    *(f"FR-{code}" for code in (*IN_THE_FRENCH_PLAN, "NC", "PF", "WF", "TF")),
]


@pytest.mark.parametrize("region", ["FR", "FR-75", "FR-2A", *TERRITORIES])
def test_every_french_territory_has_the_four_french_numbers(region: str) -> None:
    """phonenumbers 9.0.43 lacks 17 and 18 in Mayotte, 15 and 17 in Saint-Barthélemy."""
    assert emergency_numbers([region]) >= {"15", "17", "18", "112"}


@pytest.mark.parametrize("region", IN_THE_FRENCH_PLAN)
def test_the_territories_in_the_french_plan_have_all_its_numbers(region: str) -> None:
    assert emergency_numbers([region]) == FRANCE


def dialplan_numbers() -> list[str]:
    text = SHIPPED_DIALPLAN.read_text("utf-8")
    (section,) = re.findall(r"^\[dialwarden-emergency\]\n(.*?)(?=^\[)", text, re.M | re.S)
    return re.findall(r"^exten *=>? *([^,]+),1,", section, re.M)


def test_the_shipped_dialplan_holds_exactly_what_is_said_of_it() -> None:
    written = dialplan_numbers()
    assert len(written) == len(set(written))
    assert set(written) == DIALPLAN_EMERGENCY


@pytest.mark.parametrize(
    ("regions", "missing"),
    [
        ([], ()),
        (["FR", "IT", "FR-976", "RE"], ()),
        (["GB"], ("999",)),
        (["GB", "US", "SE", "FR"], ("911", "999", "90000")),
        (["NC"], ("16",)),
    ],
)
def test_what_the_shipped_dialplan_lacks_is_told_shortest_first(
    regions: list[str], missing: tuple[str, ...]
) -> None:
    assert missing_from_dialplan(emergency_numbers(regions)) == missing


def test_regions_add_up() -> None:
    assert emergency_numbers(["FR"]) | emergency_numbers(["IT"]) == FRANCE_AND_ITALY
    assert FRANCE | ITALY == FRANCE_AND_ITALY


@pytest.mark.parametrize("region", ["FR", "IT", "ES", "GB", "US", "DE", "AU", "CH"])
def test_phonenumbers_finds_no_other(region: str) -> None:
    numbers = emergency_numbers([region])
    for n in range(10_000):
        for text in {str(n), f"{n:03}"}:
            if shortnumberinfo.is_emergency_number(text, region):
                assert text in numbers


@pytest.mark.parametrize(
    ("dialled", "strips"),
    [
        ("112", ()),
        ("15", ()),
        ("18", ("9",)),
        ("118", ()),
        ("1530", ()),
        ("116000", ()),
        ("116 000", ()),
        (" 112 ", ()),
        ("1-1-2", ()),
        ("1\u00a012", ()),
        ("(112)", ()),
        ("+112", ()),
        ("9112", ("9",)),
        ("9 112", ("9",)),
        ("9+112", ("9",)),
        ("0112", ("9", "0")),
        ("99112", ("99", "9")),
    ],
)
def test_emergency_is_recognised(dialled: str, strips: tuple[str, ...]) -> None:
    assert is_emergency(dialled, FRANCE_AND_ITALY, strips)


@pytest.mark.parametrize(
    ("dialled", "strips"),
    [
        ("1120", ()),
        ("0112", ()),
        ("9112", ()),
        ("8112", ("9",)),
        ("91120", ("9",)),
        ("99112", ("9",)),
        ("11", ()),
        ("112112", ()),
        ("112&0612345678", ()),
        ("112@carrier", ()),
        ("112,0612345678", ()),
        ("112\n", ()),
        ("112\x00", ()),
        ("\uff11\uff11\uff12", ()),
        ("\u0661\u0661\u0662", ()),
        ("1+12", ()),
        ("", ()),
        ("+", ("",)),
        ("0612345678", ("9",)),
        ("+33112", ()),
        ("911", ()),
    ],
)
def test_anything_else_is_none(dialled: str, strips: tuple[str, ...]) -> None:
    assert not is_emergency(dialled, FRANCE_AND_ITALY, strips)


digit_text = st.text(alphabet="0123456789", max_size=14)


@given(number=st.sampled_from(sorted(FRANCE_AND_ITALY)), before=digit_text, after=digit_text)
def test_nothing_longer_is_an_emergency(number: str, before: str, after: str) -> None:
    text = before + number + after
    assert is_emergency(text, FRANCE_AND_ITALY) == (text in FRANCE_AND_ITALY)
    stripped = text[1:] if text.startswith("9") else text
    assert is_emergency(text, FRANCE_AND_ITALY, ("9",)) == (
        text in FRANCE_AND_ITALY or stripped in FRANCE_AND_ITALY
    )


@given(dialled=st.text(), strips=st.lists(st.text(max_size=3), max_size=3))
def test_any_text_gets_an_answer(dialled: str, strips: list[str]) -> None:
    if is_emergency(dialled, FRANCE_AND_ITALY, strips):
        digits = "".join(character for character in dialled if character in "0123456789")
        assert any(digits.endswith(number) for number in FRANCE_AND_ITALY)
