"""Numbers in long files: read by the one door of `dialwarden.numbers`, and quickly.

Numbers are given out in blocks: what holds for the reading of +33 6 12 34 0000 and of
+33 6 12 34 9999, and of two numbers of the file between them, is taken to hold for the whole
block of ten thousand. Each text is then one look-up and one addition in place of a reading (3.6 us
for a plain French number, some 300 us for a British one, measured on a busy machine).
Only how the digits are read is remembered so, never a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from phonenumbers import country_code_for_region

from dialwarden.imports.report import RowFault
from dialwarden.numbers import Number, Unreadable, read_number
from dialwarden.numbers.regions import home_country

TAIL = 4
_BLOCK = 10**TAIL
# Tens of megabytes; a list of more blocks than this is read a number at a time from there on.
_MOST_BLOCKS = 500_000
_SHORTEST = 9
_SHOWN = 40

SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_DECIMAL = re.compile(r"\+?\d{6,}[.,]0+")
# What both have and few numbers do: a quick look before the long ones.
_SPOILT = re.compile(r"[eE.,][+-]?\d+\Z")
# ="0612345678", the way to make Excel keep a zero; its apostrophe for text.
_AS_TEXT = re.compile(r"""="?([^"]*)"?""")


def as_text(cell: str) -> str:
    """A cell without what makes a spreadsheet keep it as text: ="0612345678", '0612345678."""
    if cell[:1] not in ("=", "'"):
        return cell
    match = _AS_TEXT.fullmatch(cell)
    return match[1].strip() if match else cell[1:]


def why_spoilt(text: str) -> str:
    """What a spreadsheet did to a number, as a sentence; "" for what it left alone."""
    if not _SPOILT.search(text):
        return ""
    if _DECIMAL.fullmatch(text):
        # 33612345678.0 would be read as ten times the number.
        return f"{_told(text)} was written as a decimal; export the column as text"
    if SCIENTIFIC.fullmatch(text):
        return (
            f"{_told(text)} is a number that a spreadsheet wrote in scientific notation: its "
            "digits are lost; format the column as text and export it again"
        )
    return ""


class NumberReader:
    """Reads the numbers of one file, national ones by one region.

    Attributes:
        trusted: text without its last four digits -> the digits of E.164 with these as 0000. A
            caller in a hurry looks here first: see `imports.lists`.
    """

    def __init__(self, region: str, strips: Sequence[str] = ()) -> None:
        self.region = region
        self.trusted: dict[str, int] = {}
        self.strips = strips
        self._seen: dict[str, int | None] = {}
        self._home_code = str(country_code_for_region(home_country(region)) or "")

    def read(self, text: str) -> int:
        """The digits of E.164.

        Raises:
            RowFault: there is no number in it, and why.
        """
        head, tail = text[:-TAIL], text[-TAIL:]
        digits = tail.isdecimal() and tail.isascii()
        base = self.trusted.get(head)
        if base is not None and digits:
            return base + int(tail)
        number = self._read_one(text)
        if digits and len(text) >= _SHORTEST and head.removeprefix("+").isdecimal():
            self._note(head, number - int(tail))
        return number

    def _note(self, head: str, base: int) -> None:
        """Trust a block at its second number, if both and its two ends are read alike."""
        if head not in self._seen:
            if len(self._seen) < _MOST_BLOCKS:
                self._seen[head] = base if base % _BLOCK == 0 else None
            return
        first, self._seen[head] = self._seen[head], None
        if first != base:
            return
        if head.startswith(tuple(self.strips)):
            return  # behind a trunk's strip, or without one
        for end in (0, _BLOCK - 1):
            text = f"{head}{end:0{TAIL}}"
            found = self._by_the_door(text)
            if isinstance(found, Unreadable) or found.digits - end != base:
                return
            # 39… in Italy, and 390322598 in France: E.164 without its +, or national. Which of the
            # two each one can be, and whether both, differs within a block.
            both = [self._by_the_door(f"+{code}{text}") for code in ("", self._home_code)]
            meant = {each.digits for each in both if isinstance(each, Number)}
            if not head.startswith("+") and len(meant) > 1:
                return
        self.trusted[head] = base

    def _by_the_door(self, text: str) -> Number | Unreadable:
        return read_number(text, region=self.region, strips=self.strips)

    def _read_one(self, text: str) -> int:
        text = as_text(text)
        spoilt = why_spoilt(text)
        if spoilt:
            raise RowFault(spoilt)
        found = self._by_the_door(text)
        if isinstance(found, Number):
            return found.digits
        if not text:
            raise RowFault("the row has no number")
        why = f"{_WHY[found.code]} ({found.detail}){self._hint()}"
        raise RowFault(f"{_told(text)} is no number: {why}")

    def _hint(self) -> str:
        return "" if self.region else "; national numbers need --region"


def _told(text: str) -> str:
    return ascii(text[:_SHOWN])


_WHY = {
    "empty": "it has no digit",
    "characters": "only + 0-9 ( ) . - and blanks make one",
    "too_short": "too short",
    "too_long": "too long",
    "impossible": "no such number can exist",
    "ambiguous": "it can be read in two ways, write it with + and its country code",
    "no_zone": "it belongs to no country",
}
