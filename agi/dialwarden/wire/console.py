"""What Asterisk's console prints about itself, read: rights, endpoints, aliases.

Owns the columns of `manager show user`, `pjsip show endpoints` and `cli show aliases`, as Asterisk
16 and 22 print them. Refuses to know who asked, and what follows from it.
"""

from __future__ import annotations

import re

# `cli show aliases`: the alias, and the command it stands for, in columns.
_ALIAS = re.compile(r"^(?P<alias>\S(?:.*?\S)?) {2,}(?P<command>\S.*?)\s*$")

# `pjsip show endpoints`: " Endpoint:  carrier/33142…    Not in use    0 of inf".
_ENDPOINT = re.compile(r"^ *Endpoint:  (?P<name>[^<\s/]+)", re.MULTILINE)
# `manager show user`: "read perm: system,call,user".
_PERMITTED = re.compile(r"^\s*(?P<which>read|write) perm: (?P<classes>\S*)", re.MULTILINE)
# Of each line one class is enough, the first is the one to be given: as they are registered for
# call events and UserEvent; for Hangup, CoreShowChannels, Getvar and Command.
_NEEDED = {
    "read": (("call",), ("user",)),
    "write": (("call", "system"), ("reporting", "system"), ("call", "reporting"), ("command",)),
}


def rights_of(output: str) -> dict[str, frozenset[str]]:
    """The classes that `manager show user` shows, under `read` and `write`; {} for no such user."""
    return {
        found["which"]: frozenset(found["classes"].split(","))
        for found in _PERMITTED.finditer(output)
    }


def missing_rights(output: str) -> dict[str, list[str]]:
    """What `manager show user` does not show of the classes that we need, by read and write."""
    told = rights_of(output)
    if not told:
        return {which: [] for which in _NEEDED}
    return {which: needed_rights(which, told.get(which, frozenset()))[0] for which in _NEEDED}


def needed_rights(which: str, classes: frozenset[str]) -> tuple[list[str], list[str]]:
    """Of a user's classes under `read` or `write`: those we lack, and those we do not need."""
    needed = _NEEDED[which]
    lacking = {enough[0] for enough in needed if classes.isdisjoint((*enough, "all"))}
    usual = {enough[0] for enough in needed}
    # system, which FullyBooted and Shutdown are told under, is read too.
    spare = classes - usual - ({"system"} if which == "read" else set()) - {"<none>", ""}
    return sorted(lacking), sorted(spare)


def endpoints_of(output: str) -> frozenset[str]:
    """The names, in lower case, of what `pjsip show endpoints` prints."""
    return frozenset(found["name"].lower() for found in _ENDPOINT.finditer(output))


def aliases_of(output: str) -> dict[str, str]:
    """Alias to command, as `cli show aliases` prints them."""
    found = {}
    for line in output.splitlines():
        match = _ALIAS.match(line)
        if match and match["alias"] != "Alias Command":
            found[match["alias"]] = match["command"]
    return found
