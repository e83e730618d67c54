"""The number in an AMI `CallerID`: `"Name" <0123456789>`, as Asterisk reads it.

Owns `ast_callerid_parse` and `ast_shrink_phone_number` of Asterisk's main/callerid.c. Refuses to
know whether that number may be shown.
"""

from __future__ import annotations

import re

from dialwarden.routing.arguments import BLANKS

_LONGEST = 255  # what Asterisk keeps of the header, in bytes
_NUMBER = re.compile(r"[0-9*#+]+")
# Dashes outside brackets, dots but for one at the end, blanks and parentheses.
_FLUFF = re.compile(r"(\[[^\]]*\]?)|[( )-]|\.(?=.)", re.DOTALL)


def shown_number(caller_id: str) -> str | None:
    """The number to be presented; None when the header holds none.

    A text without <> is a number when it looks like one, and a name otherwise.
    """
    cut = caller_id.encode("utf-8", "surrogateescape")[:_LONGEST]
    text = cut.decode("utf-8", "surrogateescape").strip(BLANKS)
    bare = text
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        bare = text[1:-1]
    _, bracket, located = bare.rpartition("<")
    if bracket:
        number = _shrunk(located.rpartition(">")[0] if ">" in located else located)
        return number or None
    number = _shrunk(bare)
    return number if bare is text and _NUMBER.fullmatch(number) else None


def _shrunk(text: str) -> str:
    return _FLUFF.sub(lambda found: found[1] or "", text)
