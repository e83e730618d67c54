"""The shipped table of area codes is what phonenumbers' data make of it, and all it takes."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import phonenumbers
import pytest
from phonenumbers.geodata import GEOCODE_DATA
from tests.numbers import make_area_codes

from dialwarden.numbers import places_of
from dialwarden.numbers.zones import places_of_code


def places_in_area(area_code: str) -> set[str]:
    number = phonenumbers.PhoneNumber(1, int(f"{area_code}2345678"))
    return {f"{place.region} {place.zone}" for place in places_of(number)}


def test_the_table_is_up_to_date() -> None:
    """If not: python -m tests.numbers.make_area_codes."""
    assert make_area_codes.TARGET.read_text("utf-8") == make_area_codes.source()


def test_every_geographic_area_code_is_known() -> None:
    known = make_area_codes.covered()
    for country in ("US", "CA"):
        fixed_line = phonenumbers.PhoneMetadata.metadata_for_region(country).fixed_line
        valid = re.compile(fixed_line.national_number_pattern).fullmatch
        codes = {str(code) for code in range(200, 1000) if valid(f"{code}2345678")}
        assert len(codes) > 40
        for code in codes:
            assert f"{country}-" in known[code]


def test_a_country_of_its_own_has_its_area_codes() -> None:
    for country in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]:
        example = phonenumbers.example_number(country)
        regions = {place.region for place in places_of(example)}
        if country in ("US", "CA"):
            assert {region.partition("-")[0] for region in regions} == {country}
        else:
            assert regions == {country}


def test_exchanges_are_nearly_all_in_the_states_of_their_area_code() -> None:
    """The descriptions of areas and of exchanges bear each other out."""
    strays = [
        f"{code}: {text}"
        for code, where in make_area_codes.covered().items()
        for text in make_area_codes.exchanges(code)
        for state in make_area_codes.stated(text)
        if state not in where.split()
    ]
    assert strays == ["201: New York, NY"]


@pytest.mark.parametrize(("newer", "older"), make_area_codes.LAID_OVER.items())
def test_area_code_laid_over_another_covers_no_less(newer: str, older: str) -> None:
    assert places_in_area(newer) >= places_in_area(older)
    assert len(places_in_area(newer)) < len(places_of_code(1))


def test_every_name_of_a_state_is_one_that_the_data_use() -> None:
    used = {part for texts in GEOCODE_DATA.values() for part in texts.get("en", "").split("/")}
    assert set(make_area_codes.NAMES) <= used
    assert len({*make_area_codes.NAMES.values()}) == 51 + 13


def test_codes_stand_in_order_and_once() -> None:
    lines = make_area_codes.source().splitlines()
    rows = [line.partition(": ") for line in lines if re.match(r"[A-Z]{2}[ :-]", line)]
    codes = [code for _, _, codes in rows for code in codes.split()]
    assert len(codes) == len(set(codes)) > 400
    assert all(before[0] <= after[0] for before, after in pairwise(rows))


def test_the_geocoding_data_stay_on_disk() -> None:
    """They are some 290,000 descriptions; the table is what is needed of them."""
    program = (
        "import sys\n"
        "from dialwarden.numbers import read_number\n"
        "for text in ('+12125551234', '+61291234567', '+34928123456', '+351291123456'):\n"
        "    assert read_number(text, region='FR').places\n"
        "print([name for name in sys.modules if 'geodata' in name])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
