"""The channel variables of an Originate: which campaign it names, and what it may not set.

Owns the reading of `Variable` headers, as `man_do_variable_value` in Asterisk's main/manager.c
does it, and what is left of them for Asterisk. Refuses to know which campaigns there are.

Asterisk sets the variables from the last to the first, so that of two of a name the first holds, in
one header or in several (measured on 22). A name may begin with _ or __, which makes the channels
that are dialled from there inherit it; in another case it is another variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dialwarden.routing.arguments import Argument, separate
from dialwarden.routing.demand import quoted
from dialwarden.routing.forbidden import RESERVED, names_ours, tampering

CAMPAIGN: Final = "DIALWARDEN_CAMPAIGN"
_MOST = 64  # variables that Asterisk takes from one header; the last one is all the rest
_OURS = re.compile(rf"_*{RESERVED}\w*", re.ASCII | re.IGNORECASE)
_CAMPAIGN = re.compile(rf"_{{0,2}}{CAMPAIGN}")

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What becomes of the headers of an Originate.

    Attributes:
        campaign: what it names; None when it names none.
        headers: what Asterisk may get: of all variables of ours at most the one that names the
            campaign, everything else byte for byte.
        bare: the same without the campaign.
        problem: "" or why a variable of ours cannot surely be taken out, or what another would do
            besides being set; `headers` are then without the whole header that it stands in.
    """

    campaign: str | None
    headers: tuple[Header, ...]
    bare: tuple[Header, ...]
    problem: str = ""


def clean_variables(headers: Iterable[Header]) -> Cleaned:
    """Read and clean the headers of a request."""
    kept: list[Header] = []
    bare: list[Header] = []
    campaign: str | None = None
    problem = ""
    for name, value in headers:
        if name.lower() == "variable" and (found := tampering([value], evaluated=False)):
            problem = problem or f"a Variable {found}; leave it out"
            continue
        if name.lower() != "variable" or not names_ours(value):
            kept.append((name, value))
            bare.append((name, value))
            continue
        variables = separate(value, _MOST)
        fault = _fault(variables)
        if fault:
            problem = problem or fault
            continue
        named = None
        for variable in variables:
            if campaign is None and _CAMPAIGN.fullmatch(_name(variable)):
                named, campaign = variable, variable.text.partition("=")[2]
        rest = [one for one in variables if not _OURS.fullmatch(_name(one))]
        _put(bare, name, value, rest)
        _put(kept, name, value, [one for one in variables if one in rest or one is named])
    return Cleaned(campaign, tuple(kept), tuple(bare), problem)


def _put(headers: list[Header], name: str, value: str, variables: list[Argument]) -> None:
    if variables:
        headers.append((name, ",".join(value[one.start : one.end] for one in variables)))


def _fault(variables: list[Argument]) -> str:
    for variable in variables:
        name = _name(variable)
        if names_ours(name) and not _OURS.fullmatch(name):
            return (
                f"Variable sets {quoted(name)}, which may set a {RESERVED} variable; those are set "
                f"by dialwarden alone, but for {CAMPAIGN}: leave it out"
            )
    if len(variables) >= _MOST:
        return (
            f"a Variable header holds a {RESERVED} variable among {_MOST} or more, which Asterisk "
            "does not tell apart; put it in a header of its own"
        )
    return ""


def _name(variable: Argument) -> str:
    """What a variable is called; "" where there is no =, which sets nothing."""
    name, equals, _ = variable.text.partition("=")
    return name if equals else ""
