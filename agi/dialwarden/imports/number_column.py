"""Which column of a contact file holds the telephone numbers.

Owns the names that such columns have in exports, and when a guess is no guess any more: two columns
that may both be meant are for a person to choose between. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dialwarden.errors import ImportRefused

# Small letters without accents, in English, French, Italian, German, Spanish and Portuguese.
_NAMES = frozenset(
    word
    for words in (
        "number numbers num phone phones phonenumber phonenumbers telephone telephones tel tels",
        "telnumber telno phoneno mobile mobiles mobilephone cell cellphone cellular gsm msisdn",
        "landline homephone workphone callee dialled dialed calledid",
        "numero numtel notel telfixe telportable telmobile fixe portable portables",
        "numerotelephone numerodetelephone",
        "numeri telefono telefoni telefonino cellulare cellulari fisso",
        "numerotelefono numeroditelefono",
        "telefon telefonnummer rufnummer handy handynummer festnetz mobil mobilnummer",
        "movil celular telefone telemovel",
    )
    for word in words.split()
)
_SHOWN = 40


class Chosen(NamedTuple):
    """The column of the numbers; `why` ends the sentence "taken from column NAME"."""

    place: int
    name: str
    why: str


def is_number_name(name: str) -> bool:
    """Whether a header's cell names telephone numbers: "Téléphone portable", "phone_1"."""
    words = _words(name)
    return "".join(words) in _NAMES or any(word in _NAMES for word in words)


def choose_number_column(
    file: str,
    names: Sequence[str],
    sample: Sequence[Sequence[str]],
    reads: Callable[[str], bool],
    *,
    line: int = 0,
) -> Chosen:
    """The column that holds the numbers: by its name, else by what its first cells are.

    Args:
        names: of all columns, in order.
        sample: the cells of some rows; short ones are taken as they are.
        reads: whether a cell is a telephone number.
        line: where the header stands, for the message.

    Raises:
        ImportRefused: no column does, or several may.
    """
    if len(names) == 1:
        return Chosen(0, names[0], "there is no other")
    named = [place for place, name in enumerate(names) if is_number_name(name)]
    looks = [_Look.at(place, sample, reads) for place in range(len(names))]
    mostly = [place for place, look in enumerate(looks) if look.mostly]
    both = [place for place in named if place in mostly]
    # A column that is named so and holds none (a customer's number) stands behind one that does;
    # where no column holds any, there may be no rows yet.
    found = both or mostly or named
    if len(found) == 1:
        place = found[0]
        by_name = "its name" if place in named else "no other column holds any"
        return Chosen(place, names[place], f"{by_name}; {looks[place]}")
    if not found:
        what = f"no column is known to hold telephone numbers; its columns are {_told(names)}"
    else:
        which = " and ".join(_quoted(names[place]) for place in found[:4])
        more = f" and {len(found) - 4} more" if len(found) > 4 else ""
        what = f"columns {which}{more} may each hold the telephone numbers"
    raise ImportRefused(file, what, "name one with --column", line=line)


class _Look(NamedTuple):
    """What stands in the first cells of a column."""

    cells: int
    numbers: int

    @classmethod
    def at(cls, place: int, sample: Sequence[Sequence[str]], reads: Callable[[str], bool]) -> _Look:
        cells = [row[place] for row in sample if place < len(row) and row[place]]
        return cls(len(cells), sum(map(reads, cells)))

    @property
    def mostly(self) -> bool:
        return self.numbers * 2 > self.cells

    def __str__(self) -> str:
        if not self.cells:
            return "its first cells are empty"
        return f"{self.numbers} of its first {self.cells} cells are telephone numbers"


def _words(name: str) -> list[str]:
    # Letters apart from their accents, which drop out: é is e and a mark.
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z]+", plain)


def _quoted(name: str) -> str:
    return repr(name[:_SHOWN])


def _told(names: Sequence[str]) -> str:
    shown = ", ".join(name[:_SHOWN] for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
