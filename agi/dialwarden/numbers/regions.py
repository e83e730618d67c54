"""Where a region is: ISO 3166 codes, as questions and campaigns give them, to places.

Owns the reading of codes and the words for them; the tables are in `subdivisions.py`. Knows nothing
of numbers. Of a country without a table any code of the right shape is taken, with all zones of the
country (strictest when unsure).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import takewhile
from types import MappingProxyType
from typing import Final

from dialwarden.numbers.clocks import clock, country_zones, without_repeats
from dialwarden.numbers.subdivisions import (
    CANONICAL,
    COUNTRY,
    OPEN,
    PARTS,
    SUBDIVISIONS,
    ZONES,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere the callee may be.

    Attributes:
        region: ISO 3166-2 code where one is known, else the country: "US-NY", "FR-974", "ES-CN",
            "IT-BZ", "FR", "IT". Of Spain and Portugal the country's own code is the mainland, the
            Balearics with it, whose community or district is not known.
        zone: IANA name of its clock.
    """

    region: str
    zone: str


class UnknownRegion(ValueError):
    """No region has this code; `nearest` is the known code most like it."""

    def __init__(self, region: str, nearest: str) -> None:
        self.region = region
        self.nearest = nearest
        # repr: the code came from a file or a channel and may hold anything.
        super().__init__(f"unknown region {region[:40]!r}; the nearest known is {nearest}")


_ANY_SUBDIVISION: Final = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)
_SEPARATORS: Final = re.compile(r"[^A-Z0-9]+", re.ASCII)
# A code can be a whole paragraph.
_LONGEST: Final = 10
# What people write for a country.
_CALLED: Final = MappingProxyType({"UK": "GB", "USA": "US", "ENG": "GB", "EL": "GR"})


@lru_cache(maxsize=1024)
def places_of_region(region: str) -> tuple[Place, ...]:
    """Where a callee said to be in a region is: one place a region and clock, never none.

    A region comes back as ISO 3166 has it, and as the part whose clock and law it shares: a Spanish
    province as its community ("ES-M" as "ES-MD"), a British council as its nation, a Belgian
    province as its region, a United States territory as the country that ISO makes of it ("US-PR"
    as "PR").

    "FR" is the mainland; overseas France goes by its department ("FR-974"), by letters ("FR-RE")
    or by its own country code ("RE"), and always comes back as ISO 3166-2 has it ("FR-974").
    "US", "CA" and "AU" are all their states, provinces and territories; "ES" and "PT" the mainland
    under that code, and their islands and shores that go by their own.

    Raises:
        UnknownRegion: no such code, or not the shape of one.
    """
    code = region.strip().upper()
    canonical = _canonical(code)
    if not canonical:
        raise UnknownRegion(region, _nearest(code))
    return _placed(canonical)


@lru_cache(maxsize=1024)
def home_country(region: str) -> str:
    """The ISO country by whose plan a region dials: "FR-974" -> "RE", "US-FL" -> "US".

    "" for what is no region: a number is then read in its international forms only.
    """
    return _country_of(_canonical(region.strip().upper()))


# Places of their own: a Spanish number names the Canaries, and overseas France has country codes.
_APART: Final = frozenset({*COUNTRY, "ES-CE", "ES-CN", "ES-ML", "PT-20", "PT-30"})


def is_part_of(region: str, country: str) -> bool:
    """Whether whoever is known to be in a country, and no more, may be in that region of it."""
    return region.startswith(f"{country}-") and region not in _APART


def places_in(country: str) -> tuple[Place, ...]:
    """A country's places, one a region and clock, named as ISO 3166-2 does.

    Empty for a country without a zone: "001" (international services) and uninhabited ones.
    """
    return _placed(CANONICAL.get(country, country))


def places_at(country: str, zones: Iterable[str]) -> tuple[Place, ...]:
    """A country's places at the clocks of these zones, whatever names those clocks have there.

    Empty when the country keeps no such clock: phonenumbers 9.0.43 has Bucharest's for Kaliningrad,
    which is an hour wrong in summer.
    """
    places = places_in(country)
    asked = set(map(clock, zones))
    if not asked.issubset(clock(place.zone) for place in places):
        return ()
    return tuple(place for place in places if clock(place.zone) in asked)


@cache
def _placed(region: str) -> tuple[Place, ...]:
    """The places of a canonical code."""
    return tuple(
        Place(part, name)
        for part in PARTS.get(region, (region,))
        for name in without_repeats(ZONES.get(part) or country_zones().get(_country_of(part), ()))
    )


def _canonical(code: str) -> str:
    """A code in capitals as the one its region goes by here, "" if it is none."""
    if code in CANONICAL:
        return CANONICAL[code]
    country, dash, subdivision = code.partition("-")
    if country not in country_zones():
        return ""
    if not dash:
        return country
    known = SUBDIVISIONS.get(country)
    if known and subdivision in known:
        return code
    if known and country not in OPEN:
        return ""
    return code if _ANY_SUBDIVISION.fullmatch(subdivision) else ""


def _country_of(canonical: str) -> str:
    return COUNTRY.get(canonical) or canonical.partition("-")[0]


def _nearest(code: str) -> str:
    """The known code most like one: of its country, where that is known."""
    code = _SEPARATORS.sub("-", code[:_LONGEST])
    run_together = _known_codes().get(code.replace("-", ""))
    if run_together:
        return run_together
    country, dash, _ = code.partition("-")
    country = _CALLED.get(country, country)
    if not dash or country not in country_zones():
        return _most_like(country, [known for known in _known_codes() if len(known) == 2])
    its_own = [known for known in _known_codes().values() if known.startswith(f"{country}-")]
    return _most_like(code, [country, *its_own])


def _most_like(code: str, known_codes: Iterable[str]) -> str:
    matcher = SequenceMatcher(b=code)

    def likeness(known: str) -> tuple[float, int, bool]:
        matcher.set_seq1(known)
        same = takewhile(lambda pair: pair[0] == pair[1], zip(known, code, strict=False))
        return matcher.ratio(), sum(1 for _ in same), CANONICAL.get(known, known) == known

    return max(known_codes, key=likeness)


@cache
def _known_codes() -> Mapping[str, str]:
    """Every code of a table here and every country, by the code without its dash."""
    codes = {*country_zones(), *CANONICAL}
    for country, subdivisions in SUBDIVISIONS.items():
        codes.update(f"{country}-{subdivision}" for subdivision in subdivisions)
    return {code.replace("-", ""): code for code in sorted(codes)}
