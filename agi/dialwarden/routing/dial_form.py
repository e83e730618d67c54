"""A template of `[trunks.NAME] dial`, and the number in a destination that follows it.

Owns what stands around the number: a carrier's prefix, a suffix. Refuses to know which trunk it
is for. A template is read by the same grammar as a destination, with marks in the place of {number}
and {rest}, so that a prefix is taken off however the destination is spelled.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from dialwarden.routing.dial_string import Destination, Spelling, read_destination
from dialwarden.routing.sip_uri import NUMBER_MARK, REST_MARK

_FLAGS = re.IGNORECASE | re.DOTALL


@dataclass(frozen=True, slots=True)
class DialForm:
    """One template, compiled.

    Attributes:
        technology: in lower case.
        endpoint: as `endpoint_key` gives it; "" where the template leaves it open.
        spelling: where the number stands; None: not where the technology has its number, and the
            pattern is of the whole resource.
        shortest, longest: the same pattern, its number taking as little or as much as it can.
    """

    technology: str
    endpoint: str
    spelling: Spelling | None
    shortest: re.Pattern[str]
    longest: re.Pattern[str]

    def number_in(self, text: str) -> str | None:
        """The number in a text of this form; None: it is not of it; "": there are two readings."""
        short = self.shortest.fullmatch(text)
        long = self.longest.fullmatch(text)
        if short is None or long is None:
            return None
        return short[1] if short[1] == long[1] else ""


def compile_form(template: str, known: Container[str] = ()) -> DialForm:
    """Compile a template such as `PJSIP/1234{number}@carrier`.

    Args:
        template: {number} once, {rest} at most once; the settings have seen to that.
        known: the endpoints of its technology that are known to exist, see `read_destination`.
    """
    marked = template.strip().replace("{number}", NUMBER_MARK).replace("{rest}", REST_MARK)
    technology, _, resource = marked.partition("/")
    technology = technology.strip().lower()
    destination = read_destination(technology, resource, known)
    inside = NUMBER_MARK in destination.number
    pattern = re.escape(destination.number if inside else resource)
    return DialForm(
        technology=technology,
        endpoint=_endpoint(destination),
        spelling=destination.spelling if inside else None,
        shortest=_pattern(pattern, number="(.+?)", rest=".*"),
        longest=_pattern(pattern, number="(.+)", rest=".*?"),
    )


def _pattern(marked: str, *, number: str, rest: str) -> re.Pattern[str]:
    return re.compile(marked.replace(NUMBER_MARK, number).replace(REST_MARK, rest), _FLAGS)


def _endpoint(destination: Destination) -> str:
    name = destination.endpoints[0]
    return "" if NUMBER_MARK in name or REST_MARK in name else name
