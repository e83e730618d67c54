"""Candidate places of a number: only what is surely so narrows them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.numbers import Number, Place, places_of, places_of_region, read_number, zone
from dialwarden.numbers.zones import places_of_code

FRENCH_ANTILLES = {
    Place("FR-971", "America/Guadeloupe"),
    Place("FR-BL", "America/St_Barthelemy"),
    Place("FR-MF", "America/Marigot"),
}
REUNION = Place("FR-974", "Indian/Reunion")
MAYOTTE = Place("FR-976", "Indian/Mayotte")
PARIS = Place("FR", "Europe/Paris")
ROME = Place("IT", "Europe/Rome")

CANDIDATES = [
    # Mainland France: 01-05 have carried no region since 2023 (edge case 36).
    ("+33142345678", {PARIS}),
    ("+33387123456", {PARIS}),
    ("+33612345678", {PARIS}),
    ("+33800123456", {PARIS}),
    ("+33639980101", {PARIS}),
    # +262: landlines are known, mobiles and the rest may be on either island (37, 38).
    ("+262262123456", {REUNION}),
    ("+262269601234", {MAYOTTE}),
    ("+262692123456", {REUNION, MAYOTTE}),
    ("+262639012345", {REUNION, MAYOTTE}),
    ("+262639123456", {REUNION, MAYOTTE}),
    ("+262947812345", {REUNION, MAYOTTE}),
    ("+262800123456", {REUNION, MAYOTTE}),
    ("+590690123456", FRENCH_ANTILLES),
    ("+590590271234", FRENCH_ANTILLES),
    ("+594694201234", {Place("FR-973", "America/Cayenne")}),
    ("+596696123456", {Place("FR-972", "America/Martinique")}),
    ("+508411234", {Place("FR-PM", "America/Miquelon")}),
    ("+687751234", {Place("FR-NC", "Pacific/Noumea")}),
    ("+681821234", {Place("FR-WF", "Pacific/Wallis")}),
    (
        "+68987123456",
        {
            Place("FR-PF", "Pacific/Tahiti"),
            Place("FR-PF", "Pacific/Marquesas"),
            Place("FR-PF", "Pacific/Gambier"),
        },
    ),
    # Italy is one clock, the Vatican's included.
    ("+390612345678", {ROME}),
    ("+393331234567", {ROME}),
    ("+39800123456", {ROME}),
    # One clock, and no nation told by a number.
    ("+442079460018", {Place("GB", "Europe/London")}),
    ("+447700900123", {Place("GB", "Europe/London")}),
    ("+493012345678", {Place("DE", "Europe/Berlin")}),
    # A clock that its country does not keep (Kaliningrad by Bucharest's): anywhere in the code.
    ("+74012345678", {*places_of_code(7)}),
]


@pytest.mark.parametrize(("e164", "places"), CANDIDATES)
def test_candidate_places(e164: str, places: set[Place]) -> None:
    number = read_number(e164, region="FR")
    assert isinstance(number, Number)
    assert set(number.places) == places
    assert len(number.places) == len(places)


def test_landline_that_says_only_its_country_has_every_clock_of_it() -> None:
    """phonenumbers' own list for +56 leaves Punta Arenas out."""
    zones = {place.zone for place in places_of(phonenumbers.parse("+56893714682"))}
    assert {"America/Santiago", "America/Punta_Arenas", "Pacific/Easter"} <= zones


def test_number_of_no_country_is_nowhere() -> None:
    assert places_of(phonenumbers.parse("+80012345678")) == ()


@given(e164=st.integers(10**6, 10**13 - 1))
def test_places_are_real_zones_and_none_twice(e164: int) -> None:
    try:
        parsed = phonenumbers.parse(f"+{e164}")
    except phonenumbers.NumberParseException:
        return
    places = places_of(parsed)
    assert len(set(places)) == len(places)
    for place in places:
        assert zone(place.zone).key == place.zone
        assert place.region


# Ascension and Kosovo, which zone.tab does not have.
NOWHERE = {247, 383}
EXAMPLES = [
    number
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in sorted(phonenumbers.PhoneNumberType.values())
    if (number := phonenumbers.example_number_for_type(region, kind))
]


def check_places(number: phonenumbers.PhoneNumber) -> None:
    """What holds for every valid number: somewhere, and there by its region too."""
    places = places_of(number)
    assert places or number.country_code in NOWHERE
    assert len(set(places)) == len(places)
    for place in places:
        assert zone(place.zone).key == place.zone
        assert place in places_of_region(place.region)


def test_every_kind_of_number_of_every_region_is_somewhere() -> None:
    assert len(EXAMPLES) > 1000
    for number in EXAMPLES:
        check_places(number)


@given(example=st.sampled_from(EXAMPLES), tail=st.integers(0, 10**6 - 1))
def test_every_valid_number_is_somewhere(example: phonenumbers.PhoneNumber, tail: int) -> None:
    number = phonenumbers.PhoneNumber()
    number.merge_from(example)
    number.national_number = (example.national_number or 0) // 10**6 * 10**6 + tail
    if phonenumbers.is_valid_number(number):
        check_places(number)


def test_zone_is_one_object_a_name() -> None:
    assert zone("Europe/Paris") is zone("Europe/Paris")
    assert isinstance(zone("Indian/Reunion"), ZoneInfo)


CLOCKS = [
    # Edge cases 6, 7, 8: number, instant in UTC, what the callee's clock shows.
    ("0262123456", datetime(2026, 1, 13, 6, 0, tzinfo=UTC), "Tue 10:00"),  # Paris 07:00
    ("0262123456", datetime(2026, 7, 15, 6, 0, tzinfo=UTC), "Wed 10:00"),  # Paris 08:00
    ("0696123456", datetime(2026, 1, 13, 23, 59, tzinfo=UTC), "Tue 19:59"),  # Paris Wed 00:59
    ("0696123456", datetime(2026, 7, 14, 23, 59, tzinfo=UTC), "Tue 19:59"),  # Paris Wed 01:59
    ("+68940501234", datetime(2026, 1, 17, 5, 0, tzinfo=UTC), "Fri 19:00"),  # Paris Sat 06:00
    ("+68940501234", datetime(2026, 1, 19, 9, 0, tzinfo=UTC), "Sun 23:00"),  # Paris Mon 10:00
]


@pytest.mark.parametrize(("dialled", "instant", "shown"), CLOCKS)
def test_first_candidate_clock_overseas(dialled: str, instant: datetime, shown: str) -> None:
    number = read_number(dialled, region="FR")
    assert isinstance(number, Number)
    local = instant.astimezone(zone(number.places[0].zone))
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[local.weekday()]
    assert f"{weekday} {local:%H:%M}" == shown
