"""The forms that dialers really send, read by one regular expression each.

French and Italian numbers in E.164, behind 00, or national at home: 3 to 5 us, where phonenumbers
takes 45 to parse and validate one, and the slow reading 70 to 150 (one machine, one run). Owns no
rule: the expressions are made from phonenumbers' metadata and the French plan's table, whatever
is not plainly one valid number is left to `slow.py` by answering None, and the property tests hold
that both answer the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from phonenumbers import PhoneMetadata

from dialwarden.numbers import french
from dialwarden.numbers.number import Number
from dialwarden.numbers.zones import Place, home_country, places_of_region

# Every kind but voice-mail, which slow.py does not take for a subscriber either.
_KINDS: Final = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
)
# Three digits that may be a territory's; a set, for an expression tries forty prefixes in turn.
_OVERSEAS: Final = frozenset(prefix[:3] for prefix in french.OVERSEAS)


def read_fast(dialled: str, region: str, strips: Sequence[str]) -> Number | None:
    """The number, when the text is a plain French or Italian one; None to ask `read_slowly`."""
    text = dialled.replace(" ", "").replace(".", "").replace("-", "")
    for strip in strips:
        if strip and text.startswith(strip):
            return None
    digits = text[1:] if text.startswith("+") else _international(text, home_country(region))
    if digits.startswith("33"):
        if digits[2:5] not in _OVERSEAS and _french().fullmatch(digits, 2):
            return Number(int(digits), "FR", _places("FR"))
    elif digits.startswith("39") and _italian().fullmatch(digits, 2):
        return Number(int(digits), "IT", _places("IT"))
    return None


def _international(text: str, home: str) -> str:
    """The digits with their country code, as the only reading of the text; "" when not sure."""
    if home not in ("FR", "IT"):
        return ""
    if text.startswith("00"):
        return text[2:]
    if home == "FR":
        if text.startswith("0"):
            return f"33{text[1:]}"
        # Behind 33 a valid number makes eleven digits, too many for a French national one; behind
        # 39 it may make nine.
        return text if text.startswith("33") else ""
    if not text.startswith("39"):
        return f"39{text}"
    # 393331234567 is +39 333…, 3933312345 the mobile 393 331 2345, and 3906123456 could be either.
    national = _italian().fullmatch(text)
    bare = text.startswith("390") or _italian().fullmatch(text, 2)
    if national:
        return "" if bare else f"39{text}"
    return text


@cache
def _places(country: str) -> tuple[Place, ...]:
    return places_of_region(country)


@cache
def _french() -> re.Pattern[str]:
    """Nine digits that are valid in the mainland."""
    return _valid_in("FR")


@cache
def _italian() -> re.Pattern[str]:
    """National digits that are valid in Italy and not the Vatican's."""
    vatican = PhoneMetadata.metadata_for_region("VA")
    return _valid_in("IT", but=(vatican and vatican.leading_digits) or "06698")


def _valid_in(country: str, *, but: str = "") -> re.Pattern[str]:
    """What `number_type` finds in a country, as one expression: any kind, of that kind's length."""
    metadata = PhoneMetadata.metadata_for_region(country)
    general = metadata.general_desc if metadata else None
    if general is None:
        return re.compile(r"(?!)")
    by_length: dict[tuple[int, ...], list[str]] = {}
    for kind in (getattr(metadata, name) for name in _KINDS):
        if kind and kind.national_number_pattern:
            lengths = kind.possible_length or general.possible_length
            by_length.setdefault(lengths, []).append(kind.national_number_pattern)
    alternatives = [
        f"(?=(?:{'|'.join(f'[0-9]{{{length}}}' for length in lengths)})\\Z)(?:{'|'.join(patterns)})"
        for lengths, patterns in by_length.items()
    ]
    besides = f"(?!{but})" if but else ""
    whole = f"(?=(?:{general.national_number_pattern})\\Z)"
    return re.compile(f"{besides}{whole}(?:{'|'.join(alternatives)})", re.ASCII)
