"""Where a region is: ISO 3166 codes, as questions and campaigns give them, to places.

Owns the codes and the words for them. Knows nothing of numbers. Subdivisions are checked for
France and Italy, whose packs are shipped; elsewhere any code of the right shape is taken, with all
zones of its country (strictest when unsure), until its table stands here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final

from dialwarden.numbers.clocks import country_zones, without_repeats


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere the callee may be.

    Attributes:
        region: ISO 3166-2 code or country: "FR", "FR-974", "IT", "IT-BZ"; "" when unknown.
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


# Overseas France: its own ISO country -> the code that ISO 3166-2:FR gives it now (departments by
# number, collectivities by letters) and the other codes it has had or is called by.
_OVERSEAS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "GP": ("FR-971", ("FR-GP", "FR-GUA")),
        "MQ": ("FR-972", ("FR-MQ",)),
        "GF": ("FR-973", ("FR-GF",)),
        "RE": ("FR-974", ("FR-RE", "FR-LRE")),
        "PM": ("FR-PM", ("FR-975",)),
        "YT": ("FR-976", ("FR-YT", "FR-MAY")),
        "BL": ("FR-BL", ("FR-977",)),
        "MF": ("FR-MF", ("FR-978",)),
        "WF": ("FR-WF", ("FR-986",)),
        "PF": ("FR-PF", ("FR-987",)),
        "NC": ("FR-NC", ("FR-988",)),
        "TF": ("FR-TF", ("FR-984",)),
    }
)
_OVERSEAS_COUNTRY: Final[Mapping[str, str]] = MappingProxyType(
    {
        code: country
        for country, (canonical, others) in _OVERSEAS.items()
        for code in (canonical, *others)
    }
)
# Metropolitan departments (20 became 2A and 2B), the collectivities that took the place of some,
# and the regions. ISO 3166-2:FR; FR-75 was withdrawn for FR-75C and is what everybody writes.
_FR_OTHERS: Final = "2A 2B 20R 69M 6AE 75C ARA BFC BRE COR CVL GES HDF IDF NAQ NOR OCC PAC PDL"
_FR_SUBDIVISIONS: Final = frozenset(
    [f"{number:02}" for number in range(1, 96) if number != 20] + _FR_OTHERS.split()
)
# ISO 3166-2:IT: the regions by number, the provinces by the letters of their plates, with the
# Sardinian ones of before 2016 that old files still name.
_IT_CODES: Final = (
    "21 23 25 32 34 36 42 45 52 55 57 62 65 67 72 75 77 78 82 88 "
    "AG AL AN AO AP AQ AR AT AV BA BG BI BL BN BO BR BS BT BZ CA CB CE CH CI CL CN CO CR CS CT CZ "
    "EN FC FE FG FI FM FR GE GO GR IM IS KR LC LE LI LO LT LU MB MC ME MI MN MO MS MT NA NO NU OG "
    "OR OT PA PC PD PE PG PI PN PO PR PT PU PV PZ RA RC RE RG RI RM RN RO SA SI SO SP SR SS SU SV "
    "TA TE TN TO TP TR TS TV UD VA VB VC VE VI VR VS VT VV"
)
_SUBDIVISIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"FR": _FR_SUBDIVISIONS, "IT": frozenset(_IT_CODES.split())}
)
_ANY_SUBDIVISION: Final = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)


@lru_cache(maxsize=1024)
def places_of_region(region: str) -> tuple[Place, ...]:
    """Where a callee said to be in a region is: one place a clock, never none.

    "FR" is the mainland; overseas France goes by its department ("FR-974"), by letters ("FR-RE")
    or by its own country code ("RE"), and always comes back as ISO 3166-2 has it ("FR-974").

    Raises:
        UnknownRegion: no such code, or not the shape of one.
    """
    code = region.strip().upper()
    country = _country_of(code)
    if not country:
        raise UnknownRegion(region, _nearest(code))
    name = code if country == code.partition("-")[0] else country
    return places_in(country, _ISO_NAME.get(name, name))


@lru_cache(maxsize=1024)
def home_country(region: str) -> str:
    """The ISO country by whose plan a region dials: "FR-974" -> "RE", "IT-BZ" -> "IT".

    "" for what is no region: a number is then read in its international forms only.
    """
    return _country_of(region.strip().upper())


@cache
def places_in(country: str, region: str = "") -> tuple[Place, ...]:
    """A country's places, one a clock, named `region` if given and by ISO 3166 otherwise.

    Empty for a country without a zone: "001" (international services) and uninhabited ones.
    """
    named = region or _ISO_NAME.get(country, country)
    names = without_repeats(country_zones().get(country, ()))
    return tuple(Place(named, name) for name in names)


def places_at(country: str, zones: Iterable[str]) -> tuple[Place, ...]:
    """A country's places at these clocks only."""
    named = _ISO_NAME.get(country, country)
    return tuple(Place(named, name) for name in without_repeats(zones))


_ISO_NAME: Final[Mapping[str, str]] = MappingProxyType(
    {country: canonical for country, (canonical, _) in _OVERSEAS.items()}
)


def _country_of(code: str) -> str:
    """The country that a code in capitals lies in, "" if it is none."""
    overseas = _OVERSEAS_COUNTRY.get(code)
    if overseas:
        return overseas
    country, dash, subdivision = code.partition("-")
    if country not in country_zones():
        return ""
    if not dash:
        return country
    known = _SUBDIVISIONS.get(country)
    good = subdivision in known if known else bool(_ANY_SUBDIVISION.fullmatch(subdivision))
    return country if good else ""


def _nearest(code: str) -> str:
    known = [*country_zones(), *_OVERSEAS_COUNTRY]
    for country, subdivisions in _SUBDIVISIONS.items():
        known += [f"{country}-{subdivision}" for subdivision in sorted(subdivisions)]
    # A cutoff of nothing always finds one; a code can be a whole paragraph, so it is cut first.
    return difflib.get_close_matches(code[:10], known, n=1, cutoff=0.0)[0]
