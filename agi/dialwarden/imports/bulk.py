"""Many cells with numbers at once: a block of lines into a bitmap, and what is left for one by one.

Owns the quick way and no rule. Cells of one shape ("+33612345678" and "+33612345679" are) become
integers by one call each of C; whether they are numbers is one intersection with the blocks of
numbers that are read alike: those that `NumberReader` has come to trust, and those of the French
plan. Every cell of which that does not surely tell the number is left to the caller, who reads it
as if there were no other way; a property test holds that both give the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyroaring import BitMap64

from dialwarden.imports.numbers import TAIL, NumberReader, as_text, why_spoilt
from dialwarden.numbers.fast import plain_blocks

_ANY_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_NO_DIGIT = bytes(set(range(256)) - set(b"0123456789\n"))
_MILLION = 10**6
_FEWEST_DIGITS, _MOST_DIGITS = 9, 17
_LONGEST_CELL = 40
# Shapes of one file that are worth remembering; a file of free text has one a line.
_MOST_SHAPES = 1000

NOT_READ = -1


@dataclass(slots=True)
class _Form:
    """Cells with a + or none and so many digits, blanks apart: what is known of reading them.

    Attributes:
        trusted: by what is to be added to a cell's digits to make E.164, the digits for which
            that is so.
        surveyed: millions of which the plan was asked.
    """

    plus: str
    digits: int
    trusted: dict[int, BitMap64] = field(default_factory=dict)
    surveyed: set[int] = field(default_factory=set)


class BulkReader:
    """Reads blocks of cells, one a line.

    Args:
        clean: takes off what the caller takes off a cell before it hands it to `reader`; what it
            does must not depend on which digits there are.
    """

    def __init__(self, reader: NumberReader, clean: Callable[[str], str]) -> None:
        self._reader = reader
        self._clean = clean
        self._forms: dict[tuple[str, int], _Form] = {}
        self._shapes: dict[bytes, _Form | None] = {}

    def read(self, block: bytes) -> tuple[BitMap64, list[int]]:
        """The numbers of a block of lines, each ended by a newline.

        Returns:
            The digits of E.164 of those that could be read, and the places, from 0 and in order,
            of the lines that could not.
        """
        numbers = BitMap64()
        left: list[int] = []
        for form, places, cells in self._groups(block):
            if form is None:
                left += places
                continue
            found = list(map(int, cells))
            asked = BitMap64(found)
            rest = self._unknown(form, asked)
            one_way = len(form.trusted) == 1 and not rest
            for offset, trusted in form.trusted.items():
                hit = asked if one_way else asked & trusted
                if hit:
                    numbers |= hit.shift(offset) if offset else hit
            if rest:
                left += [place for place, one in zip(places, found, strict=True) if one in rest]
        left.sort()
        return numbers, left

    def read_each(self, block: bytes) -> list[int]:
        """The digits of E.164 of each line of a block; NOT_READ for those that are left."""
        values = [NOT_READ] * block.count(b"\n")
        for form, places, cells in self._groups(block):
            if form is None:
                continue
            found = list(map(int, cells))
            rest = self._unknown(form, BitMap64(found))
            if len(form.trusted) == 1 and not rest and len(found) == len(values):
                (offset,) = form.trusted
                return [one + offset for one in found] if offset else found
            known = list(form.trusted.items())
            for place, one in zip(places, found, strict=True):
                for offset, trusted in known:
                    if one in trusted:
                        values[place] = one + offset
                        break
        return values

    def _groups(self, block: bytes) -> list[tuple[_Form | None, range | list[int], list[bytes]]]:
        """The lines of a block by their shape: where they stand, and their digits."""
        count = block.count(b"\n")
        masked = block.translate(_ANY_DIGIT)
        first = masked[: masked.find(b"\n")]
        if masked == (first + b"\n") * count:
            form = self._form(first)
            cells = block.translate(None, _NO_DIGIT).split() if form else []
            return [(form, range(count), cells)]
        places: dict[bytes, list[int]] = {}
        for place, mask in enumerate(masked.split(b"\n")[:count]):
            known = places.get(mask)
            if known is None:
                known = places[mask] = []
            known.append(place)
        lines = block.translate(None, _NO_DIGIT).split(b"\n")
        groups: list[tuple[_Form | None, range | list[int], list[bytes]]] = []
        for mask, found in places.items():
            form = self._form(mask)
            groups.append((form, found, [lines[place] for place in found] if form else []))
        return groups

    def _form(self, mask: bytes) -> _Form | None:
        """The form of the cells of a shape, every digit of which is written 0; None for none."""
        if mask not in self._shapes:
            if len(self._shapes) >= _MOST_SHAPES:
                return None
            self._shapes[mask] = self._new_form(mask)
        return self._shapes[mask]

    def _new_form(self, mask: bytes) -> _Form | None:
        if not mask.isascii() or len(mask) > _LONGEST_CELL:
            return None
        text = as_text(self._clean(mask.decode("ascii")))
        if why_spoilt(text):
            return None  # it depends on the digits whether it is
        compact = text.replace(" ", "").replace(".", "").replace("-", "")
        plus = compact[:1] if compact.startswith("+") else ""
        digits = len(compact) - len(plus)
        if compact != plus + "0" * digits or digits != mask.count(b"0"):
            return None
        if not _FEWEST_DIGITS <= digits <= _MOST_DIGITS:
            return None
        return self._forms.setdefault((plus, digits), _Form(plus, digits))

    def _unknown(self, form: _Form, asked: BitMap64) -> BitMap64:
        """Those of some cells of one form that nothing tells the number of."""
        rest = _without(asked, form)
        if not rest:
            return rest
        # Behind a trunk's strip, or without one: that is not for blocks.
        plain = not self._reader.strips
        millions = {one // _MILLION for one in rest} - form.surveyed if plain else set()
        for million in millions:
            head = f"{form.plus}{million:0{form.digits - 6}}"
            for start, stop, base in plain_blocks(head, self._reader.region):
                _trust(form, million * _MILLION + start, base, stop - start)
        form.surveyed |= millions
        known = self._reader.trusted
        for block in {one // 10**TAIL for one in rest} if known else ():
            head = f"{form.plus}{block:0{form.digits - TAIL}}"
            if head in known:
                _trust(form, block * 10**TAIL, known[head], 10**TAIL)
        return _without(rest, form)


def _trust(form: _Form, start: int, base: int, count: int) -> None:
    trusted = form.trusted.setdefault(base - start, BitMap64())
    trusted.add_range(start, start + count)


def _without(asked: BitMap64, form: _Form) -> BitMap64:
    for trusted in form.trusted.values():
        asked = asked - trusted
    return asked
