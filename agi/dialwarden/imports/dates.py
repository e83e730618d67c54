"""The dates of a list's numbers, collected from its rows in whatever order these come.

Owns how a cell with a date is read, which of two dates of one number holds, and the form in which
millions of both fit into memory: some five bytes a row until they are merged.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from datetime import date

from pyroaring import BitMap64

from dialwarden.imports.bulk import NOT_READ
from dialwarden.imports.instants import InstantError, read_date
from dialwarden.imports.report import RowFault

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_LAST_DAY = 0xFFFF
_MOST_REMEMBERED = 100_000


class Dates:
    """Args: today: the last date that a cell may hold."""

    def __init__(self, today: date) -> None:
        self._today = today
        # By all digits of a number but the last sixteen bits: those bits, and the day.
        self._parts: dict[int, array[int]] = {}
        self._known: dict[bytes, int] = {}

    def read(self, text: str) -> int:
        """Days since 1970, 0 for an empty cell.

        Raises:
            RowFault: it is no date, or none that can be.
        """
        if not text:
            return 0
        # Registers write an instant now and then: its date is what the rules use.
        try:
            day = read_date(re.split(r"[T ]", text, maxsplit=1)[0])
        except InstantError as error:
            raise RowFault(str(error)) from None
        ordinal = day.toordinal() - _EPOCH_ORDINAL
        if not 0 < ordinal <= _LAST_DAY:
            raise RowFault(f"since {day} lies before 1970-01-02 or after 2149-06-06")
        if day > self._today:
            raise RowFault(f"since {day} lies in the future")
        return ordinal

    def add(self, number: int, day: int) -> None:
        part = self._parts.get(number >> 16)
        if part is None:
            part = self._parts[number >> 16] = array("I")
        part.append((number & 0xFFFF) << 16 | day)

    def take(self, numbers: Sequence[int], cells: Sequence[bytes]) -> list[int]:
        """Add some rows; the places of those that have to be read one by one."""
        known = self._known
        for cell in {*cells} - known.keys():
            if len(known) >= _MOST_REMEMBERED:
                known.clear()
            known[cell] = self._quickly(cell)
        left = []
        parts = self._parts
        for place, (number, cell) in enumerate(zip(numbers, cells, strict=True)):
            day = known.get(cell, NOT_READ)
            if number == NOT_READ or day == NOT_READ:
                left.append(place)
                continue
            part = parts.get(number >> 16)
            if part is None:
                part = parts[number >> 16] = array("I")
            part.append((number & 0xFFFF) << 16 | day)
        return left

    def _quickly(self, cell: bytes) -> int:
        if not cell.isascii():
            return NOT_READ
        try:
            return self.read(cell.decode("ascii").strip())
        except RowFault:
            return NOT_READ

    def merged(self) -> tuple[BitMap64, array[int] | None]:
        """The numbers, and a day for each in their order; None where no row had one. Once only.

        A number that stands there twice has the later date, or none if one row has none: a
        consent overrides a registration that is older, and of two readings the stricter is taken.
        """
        numbers = BitMap64()
        days = array("H")
        for high in sorted(self._parts):
            part = sorted(self._parts.pop(high))
            merged = {both >> 16: both & 0xFFFF for both in part}
            if len(merged) == len(part):
                numbers.update([high << 16 | low for low in merged])
                days.extend(merged.values())
                continue
            merged.clear()
            for both in part:
                low, day = both >> 16, both & 0xFFFF
                # In order, so that one without a date comes first and stays.
                if merged.get(low, 1):
                    merged[low] = day
            numbers.update([high << 16 | low for low in merged])
            days.extend(merged.values())
        return numbers, days if any(days) else None
