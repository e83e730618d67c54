"""The French numbering plan: nine digits, one plan, six country codes.

A number dialled nationally, `0692 12 34 56`, is written the same way in Paris and in Saint-Denis,
but in E.164 it belongs to the territory's own code: +262 692 12 34 56, never +33 692…. Owns which
part of the plan is whose, and moves a number to the code it belongs to. New Caledonia, Polynesia
and Wallis have plans of their own and are foreign countries here.

phonenumbers alone does not settle it: its +33 takes 0263, 0269, 0508, 0596 and all of 09 for
mainland numbers (9.0.43), and two overseas codes claim much of 0939 and 0976.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from phonenumbers import PhoneNumber, PhoneNumberType, number_type

CODES: Final = (33, 262, 590, 594, 596, 508)
_NATIONAL_LENGTH: Final = 9

# First digits of the nine -> country code and country, the longest match holding.
# Sources: ARCEP decisions 2018-0881 and 2022-1583 as amended (the plan; read through summaries),
# the overseas ranges of phonenumbers 9.0.43. 63998 is ARCEP's mainland range for fiction.
# Confidence: 262 263 269 590 594 596 508 639 690-697 sure; 09 overseas blocks from secondary
# sources. What differs between them is the territory's clock, not who is called.
OVERSEAS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        **dict.fromkeys(("262", "263", "2688", "692", "693", "7092"), (262, "RE")),
        **dict.fromkeys(("9399", "9479", "9762", "9763"), (262, "RE")),
        **dict.fromkeys(("269", "2689", "639", "70935", "70936", "70937"), (262, "YT")),
        **dict.fromkeys(("9398", "9478", "9769"), (262, "YT")),
        "63998": (33, "FR"),
        **dict.fromkeys(("590", "5987", "690", "691", "7090"), (590, "GP")),
        **dict.fromkeys(("9395", "9475", "9760", "9761", "9768"), (590, "GP")),
        **dict.fromkeys(("594", "5988", "694", "70930", "70931", "70932", "70933"), (594, "GF")),
        **dict.fromkeys(("9396", "9476", "9764", "9765"), (594, "GF")),
        **dict.fromkeys(("596", "5989", "696", "697", "7091"), (596, "MQ")),
        **dict.fromkeys(("9397", "9477", "9766", "9767"), (596, "MQ")),
        **dict.fromkeys(("508", "7084", "7085"), (508, "PM")),
    }
)
_LONGEST: Final = max(map(len, OVERSEAS))


def territory(national: str) -> tuple[int, str] | None:
    """The country code and country that nine national digits belong to, None if not decided."""
    for length in range(_LONGEST, 2, -1):
        found = OVERSEAS.get(national[:length])
        if found:
            return found
    return None


def at_home(number: PhoneNumber) -> tuple[PhoneNumber, int]:
    """The number under the code it belongs to, and its `PhoneNumberType` there.

    A part of the plan known to be a territory's goes there, whatever code it was written with.
    Otherwise a number valid as written stays (08 numbers exist under every code), and one that is
    not goes where it is valid, the mainland first, if that is one place only. A number of another
    country comes back as it is.
    """
    national = str(number.national_number)
    ours = number.country_code in CODES and len(national) == _NATIONAL_LENGTH
    if not ours or number.italian_leading_zero:
        return number, number_type(number)
    known = territory(national)
    if known:
        moved = _written(known[0], national)
        return moved, number_type(moved)
    kind = number_type(number)
    if kind != PhoneNumberType.UNKNOWN:
        return number, kind
    valid = [
        (elsewhere, its_kind)
        for elsewhere in (_written(code, national) for code in CODES)
        if (its_kind := number_type(elsewhere)) != PhoneNumberType.UNKNOWN
    ]
    if valid and (len(valid) == 1 or valid[0][0].country_code == CODES[0]):
        return valid[0]
    return number, kind


def country_of(number: PhoneNumber) -> str:
    """The territory of a number that phonenumbers finds in none, "" when the plan is silent."""
    if number.country_code not in CODES:
        return ""
    known = territory(str(number.national_number))
    return known[1] if known and known[0] == number.country_code else ""


def _written(code: int, national: str) -> PhoneNumber:
    # Saint-Pierre-et-Miquelon's own numbers have six digits: nationally 508 stands before them,
    # and internationally it is not said twice.
    if code == 508 and national.startswith("508"):
        national = national[3:]
    return PhoneNumber(country_code=code, national_number=int(national))
