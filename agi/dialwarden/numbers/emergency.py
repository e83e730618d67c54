"""Emergency numbers: what passes at every door before anything else is looked at.

Owns which numbers these are and the exact match. Knows no campaign and no list: this must answer
with the ledger gone. An exact match only: `1120` is nobody's emergency, and a prefix would let
whole ranges through unjudged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

from phonenumbers import PhoneMetadata

from dialwarden.numbers.regions import home_country

_ALWAYS: Final = frozenset({"112"})

# What phonenumbers 9.0.43 does not count as emergency. As of November 2026; from the national
# numbering plans as we know them, not re-read at the regulators' sites: confidence good for the
# numbers, less for their being complete. One too many here lets a public service be called.
#   France (ARCEP: numbers of general interest): 114 deaf and hard of hearing, 115 homeless, 119
#   children in danger, 191 air rescue, 196 sea rescue, 197 attack and kidnapping alert,
#   116000 missing children. And 15, 17, 18, which it has for France and not everywhere overseas:
#   no 17 and 18 in Mayotte, no 15 and 17 in Saint-Barthélemy, none in the Southern Lands.
#   New Caledonia, Polynesia and Wallis have plans of their own, with 15, 17 and 18 like France's.
#   Italy (AGCOM, piano nazionale di numerazione): 114 children, 117 Guardia di Finanza,
#   1515 forest fires, 1530 coast guard, 116000 missing children.
_FRENCH: Final = frozenset({"15", "17", "18"})
_FRANCE: Final = _FRENCH | {"114", "115", "119", "191", "196", "197", "116000"}
_ITALY: Final = frozenset({"114", "117", "1515", "1530", "116000"})
_FURTHER: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(("FR", "RE", "YT", "GP", "MQ", "GF", "PM", "BL", "MF"), _FRANCE),
        **dict.fromkeys(("NC", "PF", "WF", "TF"), _FRENCH),
        **dict.fromkeys(("IT", "VA"), _ITALY),
    }
)

# What the shipped dialplan lets through by itself, with the bridge dead: France's and Italy's, as
# they stand under [dialwarden-emergency] in extensions_dialwarden.conf.
DIALPLAN_EMERGENCY: Final = _ALWAYS | _FRANCE | _ITALY | {"113", "118"}

# Blanks, brackets, dots and dashes, as the reading of numbers drops them.
_FLUFF: Final = dict.fromkeys(map(ord, " \t\u00a0\u2007\u2009\u202f().-"))


def emergency_numbers(regions: Iterable[str]) -> frozenset[str]:
    """The emergency numbers of all these regions, as digits, and 112 always.

    Regions are ISO 3166 codes as campaigns have them ("FR", "FR-974"); an unknown one adds none.
    """
    return _ALWAYS.union(*(_numbers_of(home_country(region)) for region in set(regions)))


def missing_from_dialplan(numbers: Iterable[str]) -> tuple[str, ...]:
    """Those of some emergency numbers that the shipped dialplan does not know, shortest first.

    With the bridge dead nobody lets these through: an admin adds them to the dialplan by hand.
    """
    return tuple(sorted(set(numbers) - DIALPLAN_EMERGENCY, key=lambda n: (len(n), n)))


def is_emergency(dialled: str, numbers: frozenset[str], strips: Sequence[str] = ()) -> bool:
    """Whether a text is exactly an emergency number, as it is or after a trunk's strip.

    Never raises, whatever the text holds. A + in front is dropped: some dialers put one there, and
    no number of a subscriber is so short.
    """
    if dialled in numbers:
        return True
    digits = dialled if dialled.isalnum() else dialled.translate(_FLUFF)
    if digits.removeprefix("+") in numbers:
        return True
    for strip in strips:
        if digits.startswith(strip) and digits[len(strip) :].removeprefix("+") in numbers:
            return True
    return False


@cache
def _numbers_of(country: str) -> frozenset[str]:
    """All texts that a country's emergency expression matches: tried one by one.

    A hundred thousand tries for the longest usual ones (five digits) take some 30 ms, once a
    country; three countries have six digits.
    """
    metadata = PhoneMetadata.short_metadata_for_region(country)
    emergency = metadata.emergency if metadata else None
    further = _FURTHER.get(country, frozenset())
    if emergency is None or not emergency.national_number_pattern:
        return further
    matches = re.compile(emergency.national_number_pattern, re.ASCII).fullmatch
    candidates = (
        f"{n:0{length}}" for length in emergency.possible_length for n in range(10**length)
    )
    return further.union(filter(matches, candidates))
