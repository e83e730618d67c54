"""Console lines: what one would have the PBX dial, or change, when AMI's `Command` runs it.

Owns the splitting of a line into words, the commands that dial and those that change the dialplan.
Refuses to know who sent the line.

Read in Asterisk's main/cli.c (`parse_args`, `find_cli`), res/res_clioriginate.c,
res/res_clialiases.c, res/res_cliexec.c, res/res_agi.c and apps/app_queue.c. A `Command` is one
line: Asterisk runs its first `Command` header and nothing else. Words are equal in any case, and
never abbreviated: a shorter word is no such command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dialwarden.routing.agi import demand_of_agi
from dialwarden.routing.applications import demand_of_application, destination, no_trunk_in
from dialwarden.routing.demand import (
    CONTACT,
    NOTHING,
    Demand,
    extension,
    quoted,
    refused,
    together,
)
from dialwarden.routing.forbidden import is_contact, names_ours
from dialwarden.routing.trunks import Trunks
from dialwarden.routing.words import split_words
from dialwarden.verdict import Rule

_MOST_WORDS = 63
_DEEPEST = 8  # aliases of aliases
# `cli show aliases` cuts both columns off here: a command as long as that may be longer.
_ALIAS_SHOWN = 50
# Asterisk's shipped cli_aliases.conf has it; what Asterisk itself says comes first.
_USUAL_ALIASES: Final[Mapping[str, str]] = {"originate": "channel originate"}

_REWRITES: Final = (
    ("database", "query"),
    ("dialplan", "add"),
    ("dialplan", "remove"),
    ("dialplan", "save"),
    ("dialplan", "set", "global"),
    ("odbc", "write"),
    ("realtime", "destroy"),
    ("realtime", "store"),
    ("realtime", "update"),
    ("realtime", "update2"),
)
# What a supervisor does to a trunk or its calls by name, and what calls nobody.
_HARMLESS: Final = (
    ("agent", "logoff"),
    ("bridge", "kick"),
    ("channel", "dump"),
    ("channel", "request", "hangup"),
    ("confbridge",),
    ("core", "set", "debug"),
    ("core", "set", "trace"),
    ("core", "set", "verbose"),
    ("devstate",),
    ("iax2", "set"),
    ("logger",),
    ("meetme",),
    ("mixmonitor", "stop"),
    ("module", "reload"),
    ("no", "debug"),
    ("pjsip", "qualify"),
    ("pjsip", "reload"),
    ("pjsip", "send", "register"),
    ("pjsip", "send", "unregister"),
    ("pjsip", "set"),
    ("queue", "pause"),
    ("queue", "priority"),
    ("queue", "remove"),
    ("queue", "set"),
    ("queue", "unpause"),
    ("sip", "qualify"),
    ("sip", "set"),
)
_LOOKING: Final = frozenset({"list", "show"})  # within the first words of what only reads


def demand_of_line(
    line: str, trunks: Trunks, *, aliases: Mapping[str, str], may_change_dialplan: bool
) -> Demand:
    """What a console line would call; a problem for what would change the dialplan.

    Args:
        aliases: console alias to the command that Asterisk runs in its place.
    """
    words = split_words(line, _MOST_WORDS)
    for _ in range(_DEEPEST):
        resolved = _resolve(words, {**_USUAL_ALIASES, **aliases})
        if resolved is None:
            return _demand_of_words(words, trunks, may_change_dialplan=may_change_dialplan)
        real, line = resolved
        if len(real) >= _ALIAS_SHOWN:
            return refused(
                Rule.BYPASS,
                f"the console alias stands for {quoted(real)}, which may be longer than Asterisk "
                "tells; send the command itself",
            )
        words = split_words(line, _MOST_WORDS)
    return refused(Rule.BYPASS, "console aliases of aliases, too deep; send the command itself")


def _resolve(words: Sequence[str], aliases: Mapping[str, str]) -> tuple[str, str] | None:
    """The command that an alias stands for, and the whole line with it; None: no alias.

    Asterisk hands the further words on as they are, without the quotes they came in.
    """
    longest: tuple[int, str] = (0, "")
    for alias, real in aliases.items():
        name = split_words(alias, _MOST_WORDS)
        if len(name) > longest[0] and _begins(words, name):
            longest = (len(name), real)
    length, real = longest
    if not length or (_begins(words, ("channel", "originate")) and length < 2):
        return None
    if [word.lower() for word in split_words(real, _MOST_WORDS)] == _lower(words[:length]):
        return None
    return real, " ".join([real, *words[length:]])


def _demand_of_words(words: Sequence[str], trunks: Trunks, *, may_change_dialplan: bool) -> Demand:
    line = " ".join(words)
    if any(_begins(words, command) for command in _REWRITES):
        if may_change_dialplan:
            return NOTHING
        return refused(
            Rule.BYPASS,
            f"the console command {quoted(line)} changes the dialplan or its data; name the AMI "
            "user under [gateway] dialplan if it may",
        )
    if _begins(words, ("channel", "originate")):
        return _originate(words, trunks)
    if _begins(words, ("channel", "redirect")):
        return _redirect(words)
    if _begins(words, ("agi", "exec")):
        return demand_of_agi(_at(words, 3), trunks, channel=_at(words, 2))
    if _begins(words, ("dialplan", "exec", "application")):
        return demand_of_application(_at(words, 3), _at(words, 4), trunks)
    if _begins(words, ("dialplan", "set", "chanvar")):
        return _set_variable(_at(words, 4))
    if _begins(words, ("database", "put")) and is_contact(_at(words, 2), _at(words, 3)):
        return Demand(problem=CONTACT)
    if _begins(words, ("mixmonitor", "start")):
        return demand_of_application("MixMonitor", _at(words, 3), trunks)
    if _begins(words, ("console", "dial")):
        return extension(_at(words, 2).partition("@")[0])
    if _begins(words, ("queue", "add", "member")):
        return later(destination(_at(words, 3), trunks))
    if any(_begins(words, command) for command in _HARMLESS):
        return NOTHING
    if not _LOOKING.isdisjoint(_lower(words[:3])):
        return NOTHING
    return no_trunk_in(line, trunks, f"the console command {quoted(line)}")


def _originate(words: Sequence[str], trunks: Trunks) -> Demand:
    """`channel originate TECH/DATA application APP [DATA]`, or `… extension [EXTEN@][CONTEXT]`."""
    channel, how, what = _at(words, 2), _at(words, 3).lower(), _at(words, 4)
    if how == "extension":
        return destination(channel, trunks)
    if how != "application" or not what or "/" not in channel:
        return NOTHING  # Asterisk shows its usage, and calls nobody
    called = demand_of_application(what, _at(words, 5), trunks)
    return together([destination(channel, trunks), called])


def _redirect(words: Sequence[str]) -> Demand:
    """`channel redirect CHANNEL [[CONTEXT,]EXTEN,]PRIORITY`."""
    parts = _at(words, 3).split(",")
    return extension(parts[-2]) if len(parts) > 1 else NOTHING


def _set_variable(name: str) -> Demand:
    if not names_ours(name):
        return NOTHING
    return refused(
        Rule.BYPASS,
        f"the variable {quoted(name)} is set by dialwarden alone; use another name",
    )


def later(demand: Demand) -> Demand:
    """The same, called some time after this: the gate is asked then."""
    return Demand(demand.reaches, False, demand.problem, demand.channel)


def _begins(words: Sequence[str], command: Sequence[str]) -> bool:
    return len(words) >= len(command) and _lower(words[: len(command)]) == _lower(command)


def _lower(words: Sequence[str]) -> list[str]:
    return [word.lower() for word in words]


def _at(words: Sequence[str], place: int) -> str:
    return words[place] if place < len(words) else ""
