"""AGI commands that dial: what one would call when AMI's `AGI` or the console hands it to a call.

Owns the few AGI commands that run an application, go to an extension or write what a call follows.
Refuses to know how they come; the protocol itself is `wire`'s.
"""

from __future__ import annotations

from dialwarden.routing.applications import demand_of_application
from dialwarden.routing.demand import CONTACT, NOTHING, Demand, extension, quoted, refused
from dialwarden.routing.forbidden import is_contact, names_ours
from dialwarden.routing.trunks import Trunks
from dialwarden.routing.words import split_words
from dialwarden.verdict import Rule

_MOST_WORDS = 127


def demand_of_agi(command: str, trunks: Trunks, *, channel: str) -> Demand:
    """What an AGI command would call.

    Args:
        channel: the channel that carries it out.
    """
    words = split_words(command, _MOST_WORDS)
    kind = " ".join(words[:2]).lower()
    if words and words[0].lower() == "exec":
        name, data = (*words[1:3], "", "")[:2]
        demand = demand_of_application(name, data, trunks)
        return Demand(demand.reaches, demand.places_call, demand.problem, channel)
    if kind == "set variable":
        if len(words) > 2 and names_ours(words[2]):
            return refused(
                Rule.BYPASS,
                f"the variable {quoted(words[2])} is set by dialwarden alone; use another name",
            )
        return NOTHING
    if kind == "database put" and len(words) > 3 and is_contact(words[2], words[3]):
        return Demand(problem=CONTACT)
    if kind == "set extension":
        return extension(words[2] if len(words) > 2 else "")
    if words and words[0].lower() == "gosub":
        return extension(words[2] if len(words) > 2 else "")
    return NOTHING
