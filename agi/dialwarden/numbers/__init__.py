"""Telephone numbers: what was dialled, who that is, where they may be, and which pass unjudged.

Pure: text and values in, values out. Nothing here knows a campaign, a policy, the clock or the
ledger; the instant a zone is asked about comes from the rules.

    e164.py       text as dialled -> Number or Unreadable: the one door to the readings below
    fast.py         the forms that dialers really send, by one regular expression
    slow.py         every form, phonenumbers being the judge
    french.py       one national plan over six country codes
    number.py       the two values
    zones.py      where a number's callee may be
    areas.py        what an area code tells of that
    area_codes.py   those of +1, made from phonenumbers' data
    regions.py      ISO 3166 regions and where they are
    subdivisions.py the tables of those
    clocks.py       the tzdata package's own tables
    emergency.py  numbers that nothing may hold back
    patterns.py   Asterisk's extension patterns
    mask.py       numbers as logs may show them
"""

from dialwarden.numbers.e164 import Number, Unreadable, read_number
from dialwarden.numbers.emergency import (
    DIALPLAN_EMERGENCY,
    emergency_numbers,
    is_emergency,
    missing_from_dialplan,
)
from dialwarden.numbers.mask import mask
from dialwarden.numbers.patterns import Pattern, compile_pattern
from dialwarden.numbers.zones import (
    Place,
    UnknownRegion,
    home_country,
    places_of,
    places_of_region,
    zone,
)

__all__ = [
    "DIALPLAN_EMERGENCY",
    "Number",
    "Pattern",
    "Place",
    "UnknownRegion",
    "Unreadable",
    "compile_pattern",
    "emergency_numbers",
    "home_country",
    "is_emergency",
    "mask",
    "missing_from_dialplan",
    "places_of",
    "places_of_region",
    "read_number",
    "zone",
]
