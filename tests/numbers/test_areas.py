"""What area codes tell: states, provinces and islands in +1, +34, +61 and +351."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.timezone import time_zones_for_geographical_number

from dialwarden.numbers import Number, Place, places_of, places_of_region, read_number, zone
from dialwarden.numbers.clocks import clock
from dialwarden.numbers.zones import places_of_code

NORTH_AMERICAN = [
    ("212", ["US-NY America/New_York"]),
    # An area code on a clock's border has both; in the same state others are on one side.
    ("850", ["US-FL America/New_York", "US-FL America/Chicago"]),
    ("305", ["US-FL America/New_York"]),
    ("251", ["US-AL America/Chicago"]),
    ("313", ["US-MI America/Detroit"]),
    ("906", ["US-MI America/Detroit", "US-MI America/Menominee"]),
    ("317", ["US-IN America/Indiana/Indianapolis"]),
    ("219", ["US-IN America/Indiana/Indianapolis", "US-IN America/Chicago"]),
    ("615", ["US-TN America/Chicago"]),
    ("865", ["US-TN America/New_York"]),
    ("915", ["US-TX America/Denver"]),
    ("214", ["US-TX America/Chicago"]),
    ("208", ["US-ID America/Boise", "US-ID America/Los_Angeles"]),
    ("480", ["US-AZ America/Phoenix"]),
    ("928", ["US-AZ America/Phoenix", "US-AZ America/Denver"]),
    ("202", ["US-DC America/New_York"]),
    ("808", ["US-HI Pacific/Honolulu"]),
    # One exchange of it is put down as Hawaii's in phonenumbers' data.
    ("907", ["US-AK America/Anchorage", "US-AK America/Adak"]),
    # One exchange of it is put down as New York's.
    ("201", ["US-NJ America/New_York"]),
    # Laid over 850, 270, 709, 407: the territory is the older one's, whatever the data say.
    ("448", ["US-FL America/New_York", "US-FL America/Chicago"]),
    ("364", ["US-KY America/New_York", "US-KY America/Chicago"]),
    ("879", ["CA-NL America/St_Johns", "CA-NL America/Goose_Bay"]),
    ("689", ["US-FL America/New_York"]),
    ("306", ["CA-SK America/Regina"]),
    ("204", ["CA-MB America/Winnipeg"]),
    ("604", ["CA-BC America/Vancouver"]),
    ("416", ["CA-ON America/Toronto"]),
    ("807", ["CA-ON America/Toronto", "CA-ON America/Winnipeg", "CA-ON America/Atikokan"]),
    ("902", ["CA-NS America/Halifax", "CA-PE America/Halifax"]),
    (
        "867",
        [
            "CA-NT America/Inuvik",
            "CA-NU America/Iqaluit",
            "CA-NU America/Rankin_Inlet",
            "CA-NU America/Cambridge_Bay",
            "CA-NU America/Atikokan",
            "CA-YT America/Whitehorse",
        ],
    ),
    # Countries and territories of their own.
    ("671", ["GU Pacific/Guam"]),
    ("787", ["PR America/Puerto_Rico"]),
    ("939", ["PR America/Puerto_Rico"]),
    ("340", ["VI America/St_Thomas"]),
    ("242", ["BS America/Nassau"]),
    ("809", ["DO America/Santo_Domingo"]),
    ("876", ["JM America/Jamaica"]),
]


def placed(texts: list[str]) -> list[Place]:
    return [Place(*text.split()) for text in texts]


@pytest.mark.parametrize(("area_code", "places"), NORTH_AMERICAN)
def test_area_code_of_north_america(area_code: str, places: list[str]) -> None:
    for exchange in ("234", "555", "863"):
        number = phonenumbers.parse(f"+1{area_code}{exchange}1234")
        assert list(places_of(number)) == placed(places)


ANYWHERE = ["800", "833", "844", "855", "866", "877", "888", "900", "500", "521", "588", "600",
            "622", "710", "999"]  # fmt: skip


@pytest.mark.parametrize("area_code", ANYWHERE)
def test_area_code_of_no_area_may_be_anywhere_in_the_plan(area_code: str) -> None:
    places = places_of(phonenumbers.parse(f"+1{area_code}2345678"))
    # 66 in the United States, 24 in Canada, and 23 other countries and territories of one clock.
    assert len(places) == 66 + 24 + 23
    everywhere = {place.region for place in places}
    assert {"US-FL", "US-AK", "CA-ON", "CA-NU", "BS", "GU", "PR", "BM"} <= everywhere
    assert not {"US", "CA"} & everywhere


def test_number_of_too_few_or_too_many_digits_has_no_area_code() -> None:
    anywhere = places_of_code(1)
    for national in (0, 212, 2125551, 21255512, 212555123, 21255512345, 212555123456789):
        assert places_of(phonenumbers.PhoneNumber(1, national)) == anywhere


def test_an_area_code_has_one_answer_and_keeps_it() -> None:
    first = places_of(phonenumbers.parse("+12125551234"))
    assert places_of(phonenumbers.parse("+12129876543")) is first
    free = places_of(phonenumbers.parse("+18005551234"))
    assert places_of(phonenumbers.parse("+19002345678")) is free


CENTRAL_EAST = ["AU-NSW Australia/Sydney", "AU-ACT Australia/Sydney", "AU-VIC Australia/Melbourne"]
CENTRAL_WEST = [
    "AU-SA Australia/Adelaide",
    "AU-WA Australia/Perth",
    "AU-NT Australia/Darwin",
    "AU-NSW Australia/Broken_Hill",
]
OTHERS = [
    # Australia: states by the first digit, with what lies beyond their borders.
    ("+61291234567", CENTRAL_EAST),
    (
        "+61396543210",
        ["AU-VIC Australia/Melbourne", "AU-TAS Australia/Hobart", "AU-NSW Australia/Sydney"],
    ),
    # phonenumbers has Sydney's clock for Cairns.
    ("+61740312345", ["AU-QLD Australia/Brisbane", "AU-NSW Australia/Sydney"]),
    ("+61882345678", CENTRAL_WEST),
    ("+61892345678", CENTRAL_WEST),
    # Islands and a village with clocks of their own, where the data put the number there.
    ("+61265632123", [*CENTRAL_EAST, "AU-NSW Australia/Lord_Howe"]),
    ("+61890393123", [*CENTRAL_WEST, "AU-WA Australia/Eucla"]),
    ("+61891621234", ["CC Indian/Cocos"]),
    ("+61891641234", ["CX Indian/Christmas"]),
    # Spain.
    ("+34911234567", ["ES Europe/Madrid"]),
    ("+34931234567", ["ES Europe/Madrid"]),
    ("+34928123456", ["ES-CN Atlantic/Canary"]),
    ("+34822123456", ["ES-CN Atlantic/Canary"]),
    ("+34956123456", ["ES Europe/Madrid", "ES-CE Africa/Ceuta"]),
    ("+34952123456", ["ES Europe/Madrid", "ES-ML Africa/Ceuta"]),
    # Portugal.
    ("+351212345678", ["PT Europe/Lisbon"]),
    ("+351289123456", ["PT Europe/Lisbon"]),
    ("+351291123456", ["PT-30 Atlantic/Madeira"]),
    ("+351292123456", ["PT-20 Atlantic/Azores"]),
    ("+351295123456", ["PT-20 Atlantic/Azores"]),
    ("+351296123456", ["PT-20 Atlantic/Azores"]),
]


@pytest.mark.parametrize(("e164", "places"), OTHERS)
def test_area_elsewhere(e164: str, places: list[str]) -> None:
    number = read_number(e164, region="FR")
    assert isinstance(number, Number), number
    assert list(number.places) == placed(places)


WITHOUT_AREA = [
    ("+34612345678", "ES"),
    ("+34800123456", "ES"),
    # Cáceres, which phonenumbers has on the Canaries' clock: nobody can tell.
    ("+34827123456", "ES"),
    ("+351912345678", "PT"),
    ("+351800123456", "PT"),
]


@pytest.mark.parametrize(("e164", "country"), WITHOUT_AREA)
def test_number_without_an_area_may_be_anywhere_in_its_country(e164: str, country: str) -> None:
    number = read_number(e164, region="FR")
    assert isinstance(number, Number)
    assert number.places == places_of_region(country)


@pytest.mark.parametrize("e164", ["+61412345678", "+611800123456", "+611300123456"])
def test_australian_number_without_an_area_may_be_on_the_far_islands_too(e164: str) -> None:
    places = set(places_of(phonenumbers.parse(e164)))
    islands = {Place("CC", "Indian/Cocos"), Place("CX", "Indian/Christmas")}
    assert places == {*places_of_region("AU"), *islands}


prefixes = st.sampled_from(["348", "349", "612", "613", "617", "618", "3512"])


@given(prefix=prefixes, tail=st.text("0123456789", min_size=8, max_size=8))
def test_area_keeps_every_clock_that_the_data_name(prefix: str, tail: str) -> None:
    """It may keep more: the data name Sydney's for most of Queensland, and never Darwin's."""
    number = phonenumbers.parse(f"+{prefix}{tail}"[:12])
    named = time_zones_for_geographical_number(number)
    if phonenumbers.is_valid_number(number):
        clocks = {clock(place.zone) for place in places_of(number)}
        assert clocks.issuperset(map(clock, named))


@given(area_code=st.integers(200, 999), tail=st.integers(2_000_000, 9_999_999))
def test_every_north_american_number_is_somewhere(area_code: int, tail: int) -> None:
    places = places_of(phonenumbers.PhoneNumber(1, area_code * 10**7 + tail))
    assert places
    assert len(set(places)) == len(places)
    for place in places:
        assert zone(place.zone).key == place.zone
        assert place in places_of_region(place.region)
