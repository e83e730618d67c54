"""Every form of a number, phonenumbers being the judge.

Owns what a text may hold and which readings of it are tried; `fast.py` must answer the same. Never
gives phonenumbers the text itself: its parser takes vanity letters, extensions, `tel:` and digits
of other scripts. It gets a + and ASCII digits, one reading at a time, and says whether that number
is valid, possible or neither.

The readings of a text, for a home region:

    +33612345678        E.164. The + stands in front, or right behind a trunk's strip
    0033612345678       the region's international prefix, or 00 anywhere
    33612345678         E.164 without its +
    0612345678          national, with the region's trunk prefix if it has one
    +33 (0)6 12…        the bracketed 0 behind a country code: read without it and with it
    9…                  all of these again behind a trunk's strip

Which one holds: a valid number before a merely possible one (metadata lag behind new ranges, and
ranges for fiction are never valid). Of two valid ones that differ

- a number in full national form (FR 0…, IT 10 digits) is preferred to a *foreign* E.164 without +:
  the campaign said where it dials from, and one in five Italian mobiles (320-329, 36x) is also a
  Belgian, Hungarian or other number that lost its + (8216 of 40,000 drawn, metadata 9.0.43);
- anything else is "ambiguous": 3906123456 is the mobile 390 612 3456 or Rome 06 123456 with +39,
  491234567 is Marseille without its 0 or Germany without its +.

Between two that are merely possible, only the reading behind a strip is preferred to that without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final
from unicodedata import name as unicode_name

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    REGION_CODE_FOR_NON_GEO_ENTITY,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    national_significant_number,
    parse,
    region_code_for_number,
)

from dialwarden.numbers import french
from dialwarden.numbers.number import Code, Number, Unreadable, Words
from dialwarden.numbers.zones import home_country, places_of

# Longer than any number with its blanks; a peer may send a paragraph.
MAX_TEXT: Final = 64
# E.164; phonenumbers itself finds up to seventeen possible.
_MAX_DIGITS: Final = 15
# A slip of the finger or two; more would be an extension, and is no plan's length.
_MOST_OVERLONG: Final = 3

# Blanks: space, tab, and what French and Italian spreadsheets put between groups (no-break,
# figure, thin and narrow no-break space). Not line ends; not the invisible direction marks that
# phones put around a copied number, which a person cannot see and so cannot judge.
_FLUFF: Final = dict.fromkeys(map(ord, " \t\u00a0\u2007\u2009\u202f.-"))
_BRACKETS: Final = dict.fromkeys(map(ord, "()"))
_ODD: Final = re.compile(r"[^+0-9()]")
_BRACKETED_ZERO: Final = re.compile(r"(\+|00|)([1-9][0-9]{0,2})\(0\)([0-9]+)")

_UNCALLED: Final = (PhoneNumberType.UNKNOWN, PhoneNumberType.VOICEMAIL)
_LENGTH_CODES: Final[dict[int, Code]] = {
    ValidationResult.TOO_SHORT: "too_short",
    # Callable from next door only: somebody meant it, but it names nobody.
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.TOO_LONG: "too_long",
}
_PARSE_CODES: Final[dict[int, Code]] = {
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}


class _Form(Enum):
    """How a reading took the text."""

    INTERNATIONAL = auto()  # with + or an international prefix
    BARE = auto()  # E.164 without its +
    NATIONAL = auto()  # as the region writes it in full
    SHORTENED = auto()  # national, without the region's trunk prefix


@dataclass(frozen=True, slots=True)
class _Home:
    """How a region dials: its country code, trunk prefix ("" for none), international prefix."""

    code: int
    trunk: str
    international: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a text, with what phonenumbers says of it."""

    form: _Form
    number: PhoneNumber
    digits: str
    kind: int

    @property
    def valid(self) -> bool:
        """A subscriber's number; an Italian voice-mail access code is nobody to call."""
        return self.kind not in _UNCALLED


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one text came to: 2 by a valid number, 1 by a possible one, 0 by none."""

    rank: int
    found: _Reading | Unreadable


def read_slowly(dialled: str, region: str, strips: Sequence[str]) -> Number | Unreadable:
    """Read a text as dialled; see `read_number`, which this is without its shortcuts."""
    if len(dialled) > MAX_TEXT:
        return Unreadable.of("too_long", ("{count} characters", {"count": len(dialled)}))
    compact = dialled.translate(_FLUFF)
    odd = _ODD.search(compact)
    if odd:
        return _odd_character(dialled, odd[0])
    if "(0)" not in compact:
        compact = compact.translate(_BRACKETS)
    if not any(character.isdigit() for character in compact):
        return Unreadable.of("empty", ("no digit", {}))

    home = _home(home_country(region))
    stripped = [compact[len(strip) :] for strip in strips if strip and compact.startswith(strip)]
    outcomes = [_read_text(text, home) for text in [*stripped, compact]]
    found = _best(outcomes)
    return found if isinstance(found, Unreadable) else _to_number(found)


def _odd_character(dialled: str, character: str) -> Unreadable:
    # The name, not the character: this goes to logs, channels and terminals.
    values: dict[str, object] = {
        "hex": f"{ord(character):04X}",
        "place": dialled.index(character) + 1,
    }
    called = unicode_name(character, "")
    if not called:
        return Unreadable.of("characters", ("U+{hex} unnamed, character {place}", values))
    values["name"] = called
    return Unreadable.of("characters", ("U+{hex} {name}, character {place}", values))


@lru_cache(maxsize=256)
def _home(country: str) -> _Home | None:
    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None or metadata.country_code is None:
        return None
    return _Home(
        metadata.country_code,
        metadata.national_prefix or "",
        re.compile(f"(?:{metadata.international_prefix or '00'})", re.ASCII),
    )


def _read_text(text: str, home: _Home | None) -> _Outcome:
    """The best reading of one text, its strip taken off or not."""
    if "+" in text.lstrip("(")[1:]:
        return _Outcome(0, Unreadable.of("characters", ("a + that is not in front", {})))
    readings: list[_Reading] = []
    codes: list[Code] = []
    for form, digits in _forms(text, home):
        judged = _judge(form, digits)
        if isinstance(judged, _Reading):
            readings.append(judged)
        else:
            codes.append(judged)
    for rank, group in ((2, [r for r in readings if r.valid]), (1, readings)):
        if group:
            return _Outcome(rank, _only(group, home, rank))
    # The last form is the national one where there is one: what most people meant.
    code: Code = codes[-1] if codes else "too_short"
    digit_count = sum(character.isdigit() for character in text)
    return _Outcome(0, Unreadable.of(code, ("{count} digits", {"count": digit_count})))


def _forms(text: str, home: _Home | None) -> Iterator[tuple[_Form, str]]:
    """The E.164 digits that a text may stand for, each with the form that gave it."""
    zero = _BRACKETED_ZERO.fullmatch(text)
    if zero and int(zero[2]) not in COUNTRY_CODE_TO_REGION_CODE:
        zero = None
    if zero:
        form = _Form.INTERNATIONAL if zero[1] else _Form.BARE
        yield form, f"{zero[2]}{zero[3]}"
        yield form, f"{zero[2]}0{zero[3]}"
        if zero[1]:
            return
    text = text.translate(_BRACKETS)
    if text.startswith("+"):
        yield _Form.INTERNATIONAL, text[1:]
        return
    prefix = home.international.match(text) if home else None
    if prefix:
        yield _Form.INTERNATIONAL, text[prefix.end() :]
    if text.startswith("00") and not (prefix and prefix[0] == "00"):
        yield _Form.INTERNATIONAL, text[2:]
        return
    if prefix:
        return
    if not text.startswith("0") and not zero:
        yield _Form.BARE, text
    if home:
        # Ten digits without the 1 are what North Americans dial.
        full = not home.trunk or text.startswith(home.trunk) or home.code == 1
        yield (_Form.NATIONAL if full else _Form.SHORTENED), f"{home.code}{text}"


def _judge(form: _Form, digits: str) -> _Reading | Code:
    """What phonenumbers says of E.164 digits, the French plan's territories put right."""
    try:
        number = parse(f"+{digits}")
    except NumberParseException as refused:
        return _PARSE_CODES.get(refused.error_type, "impossible")
    number, kind = french.at_home(number)
    length = is_possible_number_with_reason(number)
    if length != ValidationResult.IS_POSSIBLE:
        return _LENGTH_CODES.get(length, "impossible")
    if (
        kind == PhoneNumberType.UNKNOWN
        and number.italian_leading_zero
        and (trunk := _trunk(number))
    ):
        # No country with a trunk prefix has numbers that begin with 0. `061234567` is a number too
        # short: phonenumbers takes a trunk 0 off only where enough is left behind it.
        return "too_short" if trunk == "0" else "impossible"
    if kind in _UNCALLED and _is_overlong(number):
        return "too_long"
    written = format_number(number, PhoneNumberFormat.E164)[1:]
    if len(written) > _MAX_DIGITS:
        return "too_long"
    return _Reading(form, number, written, kind)


def _is_overlong(number: PhoneNumber) -> bool:
    """Whether it is a number with some digits behind it.

    In plans of open length such a one is possible (in Italy a mobile's voice mail, at that), and
    exchanges that stop reading at the number's end connect it: it would be a callee of its own,
    whom no list and no cap knows.
    """
    national = national_significant_number(number)
    for left_out in range(1, _MOST_OVERLONG + 1):
        shorter = PhoneNumber()
        shorter.merge_from(number)
        shorter.national_number = int(national[:-left_out] or 0)
        if is_valid_number(shorter):
            return True
    return False


def _trunk(number: PhoneNumber) -> str:
    """The trunk prefix of a number's country, "" for none."""
    country = COUNTRY_CODE_TO_REGION_CODE[number.country_code or 0][0]
    home = _home(country)
    return home.trunk if home else ""


def _only(readings: list[_Reading], home: _Home | None, rank: int) -> _Reading | Unreadable:
    """The one number that readings of equal rank mean, if they mean one."""
    first = readings[0]
    others = [reading for reading in readings if reading.digits != first.digits]
    if not others:
        return first
    national = next((r for r in readings if r.form is _Form.NATIONAL), None)
    if national and home and rank == 2:
        rivals = [r for r in readings if r.digits != national.digits]
        if all(r.number.country_code != home.code for r in rivals):
            return national
    one, other = _described(first), _described(others[0])
    if one == other:
        return Unreadable.of("ambiguous", one)
    return Unreadable.of("ambiguous", ("{one}, or {other}", {"one": one, "other": other}))


def _described(reading: _Reading) -> Words:
    values = {"code": reading.number.country_code}
    match reading.form:
        case _Form.INTERNATIONAL:
            return "+{code} with or without the bracketed 0", values
        case _Form.BARE:
            return "+{code} written without its +", values
        case _:
            return "a national number of +{code}", values


def _best(outcomes: Sequence[_Outcome]) -> _Reading | Unreadable:
    """The outcome of all texts of one question; those behind a strip come first."""
    rank = max(outcome.rank for outcome in outcomes)
    found = [outcome.found for outcome in outcomes if outcome.rank == rank]
    if rank < 2 or len(found) == 1:
        return found[0]
    for one in found:
        if isinstance(one, Unreadable):
            return one
    if len({one.digits for one in found if isinstance(one, _Reading)}) > 1:
        words: Words = ("a number with the trunk's strip in front, or without", {})
        return Unreadable.of("ambiguous", words)
    return found[0]


def _to_number(reading: _Reading) -> Number | Unreadable:
    number = reading.number
    code = number.country_code or 0
    country = region_code_for_number(number) or french.country_of(number)
    country = country or COUNTRY_CODE_TO_REGION_CODE[code][0]
    if country == REGION_CODE_FOR_NON_GEO_ENTITY:
        country = ""
    places = places_of(number, reading.kind)
    if not places:
        return Unreadable.of("no_zone", ("+{code} is no country's code", {"code": code}))
    return Number(int(reading.digits), country, places)
