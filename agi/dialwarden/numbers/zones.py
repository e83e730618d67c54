"""Where the callee of a number may be: every candidate, because only a time lawful in each is.

Owns the way from a parsed number to places. Does not know what an explicit region in a question
does to them (the gate: it decides), nor the hours (the rules). Numbers are portable and nomadic: a
prefix gives a place only where phonenumbers still says so for that kind of number, and overseas
France's mobiles and services belong to every territory of their country code. What area codes tell
in the plans of several regions is in `areas.py`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    REGION_CODE_FOR_NON_GEO_ENTITY,
    PhoneNumber,
    is_number_type_geographical,
    national_significant_number,
    number_type,
    region_code_for_number,
)
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number
from phonenumbers.tzdata import TIMEZONE_DATA

from dialwarden.numbers.areas import (
    BY_REGION,
    NORTH_AMERICA,
    north_american,
    places_by_region,
    places_of_area,
)
from dialwarden.numbers.clocks import clock, zone
from dialwarden.numbers.regions import (
    Place,
    UnknownRegion,
    home_country,
    places_at,
    places_in,
    places_of_region,
)

__all__ = [
    "Place",
    "UnknownRegion",
    "home_country",
    "places_of",
    "places_of_code",
    "places_of_region",
    "zone",
]

_NOWHERE: Final = (UNKNOWN_TIMEZONE,)
# Guadeloupe, Saint-Barthélemy and Saint-Martin: one clock, holidays of their own, and numbers that
# tell them apart but for a few fixed ones, which phonenumbers puts on the wrong island besides.
_SHARED: Final = frozenset({590})


def places_of(number: PhoneNumber, kind: int | None = None) -> tuple[Place, ...]:
    """The places where a number's callee may be.

    Args:
        number: parsed, in its true country.
        kind: its `PhoneNumberType`, when the caller asked already (15 us saved).

    Returns:
        One place a clock; in +1, +34, +61 and +351 one a region and clock, and in +1 all of the
        number's area code, whatever its kind. All places of the country code for a number that
        phonenumbers does not know, is not bound to a place (toll-free, VoIP), says nothing beyond
        its country code (+262 692…, a Spanish mobile), or has on a clock that its country does not
        keep. Empty only for codes of no country
        (+800, +883).
    """
    code = number.country_code or 0
    if code == NORTH_AMERICA:
        return north_american(number.national_number or 0)
    anywhere = places_of_code(code)
    kind = number_type(number) if kind is None else kind
    country = region_code_for_number(number) or ""
    if code in _SHARED:
        return anywhere
    if len(anywhere) == 1:
        # One clock, perhaps several countries: +39 holds the Vatican.
        return places_in(country) or anywhere
    if not is_number_type_geographical(kind, code):
        return anywhere
    names = time_zones_for_geographical_number(number)
    # phonenumbers' own list for a whole country code leaves clocks out (no Darwin in +61).
    if names in (_NOWHERE, TIMEZONE_DATA.get(str(code))):
        return anywhere
    if code in BY_REGION and country == COUNTRY_CODE_TO_REGION_CODE[code][0]:
        return places_of_area(code, national_significant_number(number), names) or anywhere
    return places_at(country, names) or anywhere


@cache
def places_of_code(code: int) -> tuple[Place, ...]:
    """Every place of a country calling code; empty when it is no country's.

    One a clock, and in +1, +34, +61 and +351 one a region and clock.
    """
    if code in BY_REGION:
        return places_by_region(code)
    places: dict[object, Place] = {}
    for country in COUNTRY_CODE_TO_REGION_CODE.get(code, ()):
        if country != REGION_CODE_FOR_NON_GEO_ENTITY:
            for place in places_in(country):
                apart = place.region if code in _SHARED else ""
                places.setdefault((apart, clock(place.zone)), place)
    return tuple(places.values())
