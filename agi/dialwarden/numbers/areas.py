"""What an area code tells of where a callee is, where a country has several regions or clocks.

Owns the plans of +1, +34, +61 and +351. Does not know which kinds of number have an area at all
(`zones.py`), except in +1, where mobiles and landlines look alike: there the whole area code holds
for every number in it, never one exchange of it, for numbers move about within.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from dialwarden.numbers.area_codes import AREA_CODES
from dialwarden.numbers.clocks import clock
from dialwarden.numbers.regions import Place, places_in

NORTH_AMERICA: Final = 1
# A number of +1 without its last seven digits is its area code.
_BEHIND_AREA_CODE: Final = 10**7

# Country code -> first digits -> where, in the notation of `area_codes.py`; the longest match
# holds. As of November 2026, from phonenumbers 9.0.43's geocoding data, and from the numbering
# plans as we know them, not re-read at the regulators' sites, for what crosses a border: Wodonga
# has 02, Deniliquin 03, Tweed Heads 07, Broken Hill 08; Ceuta shares Cádiz's codes and Melilla
# Málaga's. Confidence good for the clocks, less for every village on a border.
_AREAS: Final[Mapping[int, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        34: {
            **dict.fromkeys(("8", "9"), ("ES",)),
            **dict.fromkeys(("822", "828", "922", "928"), ("ES-CN",)),
            **dict.fromkeys(("856", "956"), ("ES", "ES-CE")),
            **dict.fromkeys(("851", "852", "951", "952"), ("ES", "ES-ML")),
        },
        61: {
            "2": ("AU-NSW Australia/Sydney", "AU-ACT", "AU-VIC"),
            "3": ("AU-VIC", "AU-TAS", "AU-NSW Australia/Sydney"),
            "7": ("AU-QLD", "AU-NSW Australia/Sydney"),
            "8": ("AU-SA", "AU-WA Australia/Perth", "AU-NT", "AU-NSW Australia/Broken_Hill"),
        },
        351: {
            "2": ("PT",),
            "291": ("PT-30",),
            **dict.fromkeys(("292", "295", "296"), ("PT-20",)),
        },
    }
)
# Clocks of a few hundred people: of an area's numbers only those are judged by them that
# phonenumbers' data put there.
_OF_FEW: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Australia/Eucla": "AU-WA",
        "Australia/Lord_Howe": "AU-NSW",
        "Indian/Christmas": "CX",
        "Indian/Cocos": "CC",
    }
)
_LONGEST: Final = 3

# Country codes whose places are told apart by region, not by clock alone.
BY_REGION: Final = frozenset({NORTH_AMERICA, *_AREAS})


@cache
def places_by_region(code: int) -> tuple[Place, ...]:
    """Every place of a country calling code in `BY_REGION`, one a region and clock."""
    return tuple(
        place for country in COUNTRY_CODE_TO_REGION_CODE[code] for place in places_in(country)
    )


def north_american(national_number: int) -> tuple[Place, ...]:
    """The places of a number of +1, always the same tuple for one area code.

    Every place of +1, the Caribbean and the Pacific with it, when the area code is nobody's
    (toll-free, personal) or not known yet, or the number has no ten digits.
    """
    known = _north_american_areas().get(national_number // _BEHIND_AREA_CODE)
    return known or places_by_region(NORTH_AMERICA)


@cache
def _north_american_areas() -> Mapping[int, tuple[Place, ...]]:
    areas = {}
    for line in AREA_CODES.splitlines():
        where, _, codes = line.partition(":")
        areas.update(dict.fromkeys(map(int, codes.split()), tuple(_placed(where))))
    return areas


def places_of_area(code: int, national: str, zones: Sequence[str]) -> tuple[Place, ...]:
    """The places of a number with an area, in a country of `BY_REGION` other than +1.

    Args:
        code: country calling code.
        national: the national significant number.
        zones: the IANA zones that phonenumbers' data put it in.

    Returns:
        One place a region and clock; empty when the area is not known or keeps no such clock: then
        nobody can tell (phonenumbers has Cáceres's 827 in the Canaries).
    """
    area = _area(code, national)
    places = [*area, *(Place(_OF_FEW[name], name) for name in zones if name in _OF_FEW)]
    clocks = {clock(place.zone) for place in places}
    if not area or not clocks.issuperset(map(clock, zones)):
        return ()
    return tuple(places)


def _area(code: int, national: str) -> tuple[Place, ...]:
    for length in range(_LONGEST, 0, -1):
        if national[:length] in _AREAS[code]:
            return _area_of_prefix(code, national[:length])
    return ()


@cache
def _area_of_prefix(code: int, prefix: str) -> tuple[Place, ...]:
    return tuple(place for where in _AREAS[code][prefix] for place in _placed(where))


def _placed(where: str) -> Iterator[Place]:
    """The places of a text such as "CA-NS CA-PE" or "US-FL America/New_York"."""
    words = where.split()
    zones = [word for word in words if "/" in word]
    for region in words:
        for place in places_in(region):
            # "ES" is the mainland here, without the parts that go by codes of their own.
            if place.region == region and (not zones or place.zone in zones):
                yield place
