"""Makes `dialwarden.numbers.area_codes` from the data that phonenumbers ships.

    PYTHONPATH=agi python -m tests.numbers.make_area_codes

Owns what those data lack: which area codes lie over which, and what to make of a clock that cannot
be right. phonenumbers has a description and the time zones of every area code and of most exchanges
in it; for an area code laid over an older one only the code's own, where one zone is named for a
territory that keeps two (364 is New York's alone, 689 Chicago's).
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

import dialwarden.numbers
from dialwarden.numbers.clocks import clock
from dialwarden.numbers.regions import places_of_region

TARGET = Path(dialwarden.numbers.__file__).with_name("area_codes.py")

# An area code -> the newer ones laid over its territory, for the states and provinces that keep
# several clocks. As of November 2026, from the numbering administrators' plans (NANPA; the CNA in
# Canada) as we know them, not re-read at their sites: confidence good, less for 273.
_OVERLAYS = {
    # Florida; Idaho; Indiana; Kentucky; Michigan
    "305": "645 786", "407": "689", "561": "728", "813": "656", "850": "448", "904": "324",
    "954": "754", "208": "986", "317": "463", "812": "930", "270": "364", "248": "947",
    # Nebraska; Nevada; Oregon; Tennessee
    "402": "531", "702": "725", "503": "971", "541": "458", "615": "629",
    # Texas
    "210": "726", "214": "469 945", "512": "737", "713": "346 832", "817": "682", "903": "430",
    # British Columbia, all of it; Newfoundland and Labrador; Saskatchewan
    "250": "236 257 672 778", "709": "879", "306": "474 639",
    # Ontario
    "416": "437 647 942", "519": "226 382 548", "613": "343 753", "705": "249 683",
    "905": "289 365 742",
    # Quebec
    "418": "273 367 581", "450": "354 579", "514": "263 438", "819": "468 873",
}  # fmt: skip
LAID_OVER = {newer: older for older, codes in _OVERLAYS.items() for newer in codes.split()}

# phonenumbers' words for a whole state -> its code; one of them misspelt there.
NAMES = {
    "Alabama": "US-AL", "Alaska": "US-AK", "Alberta": "CA-AB", "Arizona": "US-AZ",
    "Arkansas": "US-AR", "British Colombia": "CA-BC", "British Columbia": "CA-BC",
    "California": "US-CA", "Colorado": "US-CO", "Connecticut": "US-CT", "Delaware": "US-DE",
    "Florida": "US-FL", "Georgia": "US-GA", "Hawaii": "US-HI", "Idaho": "US-ID",
    "Illinois": "US-IL", "Indiana": "US-IN", "Iowa": "US-IA", "Kansas": "US-KS",
    "Kentucky": "US-KY", "Louisiana": "US-LA", "Maine": "US-ME", "Manitoba": "CA-MB",
    "Maryland": "US-MD", "Massachusetts": "US-MA", "Michigan": "US-MI", "Minnesota": "US-MN",
    "Mississippi": "US-MS", "Missouri": "US-MO", "Montana": "US-MT", "Nebraska": "US-NE",
    "Nevada": "US-NV", "New Brunswick": "CA-NB", "New Hampshire": "US-NH",
    "New Jersey": "US-NJ", "New Mexico": "US-NM", "New York": "US-NY",
    "Newfoundland and Labrador": "CA-NL", "North Carolina": "US-NC", "North Dakota": "US-ND",
    "Northwest Territories": "CA-NT", "Nova Scotia": "CA-NS", "Nunavut": "CA-NU",
    "Ohio": "US-OH", "Oklahoma": "US-OK", "Ontario": "CA-ON", "Oregon": "US-OR",
    "Pennsylvania": "US-PA", "Prince Edward Island": "CA-PE", "Quebec": "CA-QC",
    "Rhode Island": "US-RI", "Saskatchewan": "CA-SK", "South Carolina": "US-SC",
    "South Dakota": "US-SD", "Tennessee": "US-TN", "Texas": "US-TX", "Utah": "US-UT",
    "Vermont": "US-VT", "Virginia": "US-VA", "Washington D.C.": "US-DC",
    "Washington State": "US-WA", "West Virginia": "US-WV", "Wisconsin": "US-WI",
    "Wyoming": "US-WY", "Yukon": "CA-YT",
}  # fmt: skip

HEAD = '''"""The area codes of the North American plan: the regions and the clocks that each covers.

Made by `python -m tests.numbers.make_area_codes` from phonenumbers' data, and not to be edited. A
code that is not here belongs to no place (toll-free, personal) or is too new to be known.

A line holds regions, then a zone where the codes cover only that clock of the region, then codes.
"""

from __future__ import annotations

from typing import Final

AREA_CODES: Final = """\\
'''
TAIL = '"""\n'
WIDTH = 100


def source() -> str:
    """The text of the module."""
    codes_of: dict[str, list[str]] = defaultdict(list)
    for code, where in covered().items():
        codes_of[where].append(code)
    return (
        HEAD + "".join(line for where in sorted(codes_of) for line in lines(where, codes_of)) + TAIL
    )


def lines(where: str, codes_of: dict[str, list[str]]) -> Iterator[str]:
    line = f"{where}:"
    for code in sorted(codes_of[where]):
        if len(line) + 4 > WIDTH:
            yield f"{line}\n"
            line = f"{where}:"
        line += f" {code}"
    yield f"{line}\n"


def covered() -> dict[str, str]:
    """Area code -> its regions, and its zone where it covers only that one of its region."""
    found = {}
    for code in map(str, range(200, 1000)):
        regions = country_of(code) or states_of(code)
        if regions:
            found[code] = " ".join([*regions, *only_zone(code, regions)])
    return found


def country_of(code: str) -> list[str]:
    """The country that has a whole area code to itself; none for those of the US and Canada."""
    for country in COUNTRY_CODE_TO_REGION_CODE[1]:
        leading = PhoneMetadata.metadata_for_region(country).leading_digits
        if leading and re.fullmatch(leading, code):
            return [country]
    return []


def states_of(code: str) -> list[str]:
    """By the area code's own description, or by its exchanges' where it has none.

    Not by both: one exchange of 201, all New Jersey, is put down as New York.
    """
    whole = stated(GEOCODE_DATA.get(f"1{code}", {}).get("en", ""))
    return sorted(whole or {state for text in exchanges(code) for state in stated(text)})


def stated(description: str) -> set[str]:
    """Nova Scotia/Prince Edward Island; Jersey City, NJ."""
    states = set()
    for part in description.split("/"):
        abbreviated = re.fullmatch(r".*, ([A-Z]{2})", part)
        if abbreviated:
            states |= {state for state in NAMES.values() if state[3:] == abbreviated[1]}
        elif part in NAMES:
            states.add(NAMES[part])
    return states


def exchanges(code: str) -> list[str]:
    return _by_area_code()[0][code]


def zones_of(code: str) -> set[str]:
    return _by_area_code()[1][code]


@cache
def _by_area_code() -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    texts: dict[str, list[str]] = defaultdict(list)
    zones: dict[str, set[str]] = defaultdict(set)
    for prefix, descriptions in GEOCODE_DATA.items():
        if prefix.startswith("1") and len(prefix) > 4 and "en" in descriptions:
            texts[prefix[1:4]].append(descriptions["en"])
    for prefix, names in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            zones[prefix[1:4]].update(names)
    return texts, zones


def only_zone(code: str, regions: list[str]) -> list[str]:
    """The one zone of its region that an area code covers; empty when it covers them all.

    All too, because one cannot tell, for an area code with exchanges nobody described, for one that
    crosses a clock's border (the data know two of Ontario's three clocks), and for one with a clock
    that its region does not keep (Labrador by Puerto Rico's).
    """
    places = places_of_region(regions[0])
    if len(regions) > 1 or len(places) == 1:
        return []
    older = LAID_OVER.get(code, code)
    if not exchanges(older) and "," not in GEOCODE_DATA[f"1{older}"]["en"]:
        return []
    seen = {clock(name) for name in zones_of(older)}
    kept = [place.zone for place in places if clock(place.zone) in seen]
    return kept if len(kept) == len(seen) == 1 else []


if __name__ == "__main__":
    TARGET.write_text(source(), "utf-8")
    sys.stdout.write(f"{TARGET} written\n")
