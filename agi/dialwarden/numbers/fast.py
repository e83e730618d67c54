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

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

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


def plain_blocks(head: str, region: str) -> list[tuple[int, int, int]]:
    """Of a million texts, `head` and six digits each, those of which it is known how they are read.

    The French plan alone is known so well: it gives out numbers in blocks of ten thousand or more,
    so that both ends of a block tell of all of it. A number of a territory's part is the
    territory's, valid or merely possible; another is the mainland's when it is valid there, or
    nowhere. A test compares with the slow reading.

    Returns:
        Ranges: the six digits of the first text, those behind the last one, and the digits of
        E.164 that the first stands for.
    """
    text = f"{head}000000"
    digits = text[1:] if text.startswith("+") else _international(text, home_country(region))
    if not digits.startswith("33") or len(digits) != 11 or digits[2] == "0":
        return []
    million = digits[2:5]
    several = million in _OVERSEAS
    found: list[tuple[int, int, int]] = []
    for block in range(100):
        national = f"{million}{block:02}"
        known = french.territory(national) if several else None
        code = known[0] if known else 33
        # What is Saint-Pierre's is shorter, written without its 508.
        if code != 508 if known else _is_mainland(f"{national}0000", f"{national}9999"):
            start, base = block * 10_000, int(f"{code}{national}0000")
            if found and found[-1][1] == start and found[-1][2] - found[-1][0] == base - start:
                found[-1] = (found[-1][0], start + 10_000, found[-1][2])
            else:
                found.append((start, start + 10_000, base))
    return found


def _is_mainland(first: str, last: str) -> bool:
    valid = _french().fullmatch
    if valid(first):
        return valid(last) is not None
    elsewhere = _french_anywhere()
    return not (valid(last) or elsewhere.fullmatch(first) or elsewhere.fullmatch(last))


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
def _french_anywhere() -> re.Pattern[str]:
    """Nine digits that are valid under one of the other codes of the French plan."""
    countries = {
        country for code in french.CODES[1:] for country in COUNTRY_CODE_TO_REGION_CODE[code]
    }
    return re.compile(
        "|".join(f"(?:{_valid_in(country).pattern})" for country in sorted(countries)), re.ASCII
    )


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
