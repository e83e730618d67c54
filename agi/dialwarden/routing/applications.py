"""Dialplan applications that dial: what one would call, given its arguments.

Owns the arguments of `Dial`, `RetryDial`, `Page`, `Originate`, `Exec`, `TryExec` and `ExecIf`, and
the list of applications that cannot dial whatever they are given. Refuses to know what calls the
application: an AMI action, a console command, AGI.

Read in Asterisk's apps/app_dial.c, app_page.c, app_originate.c and app_exec.c. Asterisk puts no
values in the place of variables when it runs an application for an Originate, but `Exec` does and
AGI can: a destination that holds one is refused, since nobody knows here what it will be. So is
what starts a program on the PBX's host, whatever it is given: it may call anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from dialwarden.routing.arguments import BLANKS, separate, texts
from dialwarden.routing.demand import NOTHING, Demand, dialled, quoted, refused, together
from dialwarden.routing.dial_string import split_destinations
from dialwarden.routing.forbidden import (
    holds_plain_values,
    holds_value,
    is_plain_program,
    names_ours,
)
from dialwarden.routing.trunks import Trunks
from dialwarden.verdict import Rule

# These look at, play to, or hang up the channel they run on or the one they name: a trunk's name
# in their arguments calls nobody.
HARMLESS: Final = frozenset(
    {
        "amd", "answer", "background", "backgrounddetect", "bridge", "bridgeadd", "busy",
        "chanisavail", "chanspy", "confbridge", "confkick", "congestion", "controlplayback",
        "datetime", "dumpchan", "echo", "extenspy", "hangup", "incomplete", "log", "meetme",
        "meetmeadmin", "meetmecount", "milliwatt", "monitor", "morsecode", "musiconhold", "noop",
        "pausemonitor", "pickup", "pickupchan", "playback", "playtones", "proceeding", "progress",
        "read", "receivefax", "record", "resetcdr", "ringing", "saydigits", "sayalpha",
        "saynumber", "sayphonetic", "sayunixtime", "senddtmf", "sendfax", "sendtext",
        "softhangup", "startmusiconhold", "stopmixmonitor", "stopmonitor", "stopmusiconhold",
        "stopplaytones", "userevent", "verbose", "voicemail", "voicemailmain", "wait",
        "waitdigit", "waitexten", "waitforring", "waitforsilence",
    }
)  # fmt: skip
_DEEPEST = 8  # applications within applications; nobody needs two


def demand_of_application(name: str, data: str, trunks: Trunks, *, depth: int = 0) -> Demand:
    """What an application would call.

    Args:
        name: as written; Asterisk finds applications in any case.
        data: its arguments, as one text.
    """
    application = name.strip(BLANKS).lower()
    if depth > _DEEPEST:
        return refused(Rule.BYPASS, "applications within applications, too deep to be read")
    if application in HARMLESS and not names_ours(data):
        return NOTHING
    reader = _READERS.get(application)
    if reader is not None:
        return reader(data, trunks, depth)
    return no_trunk_in(data, trunks, f"application {quoted(name)}")


def no_trunk_in(text: str, trunks: Trunks, what: str) -> Demand:
    """A problem if a text that we cannot read in detail may dial, or set, what is ours."""
    if names_ours(text):
        return refused(
            Rule.BYPASS,
            f"{what} names a DIALWARDEN_ variable; those are set by dialwarden alone, leave it out",
        )
    if trunks.named_in(text):
        return refused(
            Rule.BYPASS,
            f"{what} names a trunk or a SIP address; calls to a trunk are judged in Channel and in "
            "the destinations of Dial, RetryDial, Page and Originate: dial it there",
        )
    return NOTHING


def destination(text: str, trunks: Trunks) -> Demand:
    """One `TECHNOLOGY/resource`, as an Originate takes it; without a / nothing is dialled."""
    technology, slash, resource = text.partition("/")
    return dialled(trunks.reach(technology, resource)) if slash else NOTHING


def unresolved(text: str) -> Demand:
    """A problem if a destination depends on what is known to the PBX alone."""
    if holds_value(text):
        return refused(
            Rule.NUMBER,
            f"the destination {quoted(text)} holds a variable or an expression, so the number that "
            "it would dial is not known; write the number itself",
        )
    return NOTHING


def _destinations(text: str, trunks: Trunks) -> Demand:
    """Those of Dial and Page, all called at once."""
    unknown = unresolved(text)
    if unknown.problem:
        return unknown
    return together(
        dialled(trunks.reach(technology, resource))
        for technology, resource in split_destinations(text)
    )


def _dial(data: str, trunks: Trunks, _depth: int) -> Demand:
    """Dial(destinations,timeout,options,URL); Page has fewer of them."""
    destinations, *others = texts(data, 4)
    # U(), M(), G(), b(), B(), F() and e() run a subroutine or go somewhere.
    options = no_trunk_in(",".join(others), trunks, "an option of Dial or Page")
    return together([options, _destinations(destinations, trunks)])


def _retry_dial(data: str, trunks: Trunks, depth: int) -> Demand:
    """RetryDial(announce,sleep,retries,what Dial takes)."""
    return _dial(texts(data, 4)[3], trunks, depth)


def _originate(data: str, trunks: Trunks, depth: int) -> Demand:
    """Originate(tech/data,app,APPLICATION,ARGUMENTS,…) or (tech/data,exten,CONTEXT,…)."""
    channel, kind, first, second, _, _, options = texts(data, 7)
    parts = [unresolved(channel), no_trunk_in(options, trunks, "an option of Originate")]
    if kind.lower() == "app":
        parts.append(demand_of_application(first, second, trunks, depth=depth + 1))
    parts.append(destination(channel, trunks))
    return replace(together(parts), apart=True)


def _exec(data: str, trunks: Trunks, depth: int) -> Demand:
    """Exec(APPLICATION(ARGUMENTS)), and TryExec: values are put into the arguments first."""
    name, _, rest = data.partition("(")
    arguments = _to_last_parenthesis(rest)
    demand = demand_of_application(name, arguments, trunks, depth=depth + 1)
    if demand.problem or not holds_value(arguments):
        return demand
    # A value may hold a comma: what is behind it is then another argument, and may be dialled.
    # Dial and Page have their destinations in front, where no value is let through.
    foreseen = name.strip(BLANKS).lower() in (HARMLESS | {"dial", "page"})
    if foreseen and holds_plain_values(arguments):
        return demand
    return refused(
        Rule.NUMBER,
        f"{quoted(data)} holds a variable or an expression, so what it would run or dial is not "
        "known; write it out",
    )


def _exec_if(data: str, trunks: Trunks, depth: int) -> Demand:
    """ExecIf(condition?APPLICATION(ARGUMENTS):APPLICATION(ARGUMENTS)); both may be what is run."""
    comma, question = data.find(","), data.find("?")
    if question < 0 or 0 <= comma < question:
        _, name, arguments = texts(data, 3)
        return demand_of_application(name, arguments, trunks, depth=depth + 1)
    remainder = texts(data, 2, delimiter="?", raw=True)[1]
    branches = separate(remainder, 2, delimiter=":", raw=True)
    parsed = (branch.text.partition("(") for branch in branches)
    return together(
        (
            demand_of_application(name, _to_last_parenthesis(rest), trunks, depth=depth + 1)
            for name, _, rest in parsed
            if name
        ),
        at_once=False,
    )


def _queue(data: str, trunks: Trunks, _depth: int) -> Demand:
    """Queue(name,…): a queue may be called what it likes, what follows may run something."""
    _, rest = texts(data, 2)
    script = _script(texts(data, 7)[5], "the AGI of Queue")
    return together([script, no_trunk_in(rest, trunks, "an argument of Queue")])


def _agi(data: str, trunks: Trunks, _depth: int) -> Demand:
    """AGI(script,…): one of Asterisk's own folder, or a server."""
    script = texts(data, 2)[0]
    return together([_script(script, "AGI"), no_trunk_in(data, trunks, "an argument of AGI")])


def _external_ivr(data: str, trunks: Trunks, _depth: int) -> Demand:
    """ExternalIVR(COMMAND or ivr://HOST,…)."""
    if not texts(data, 2)[0].strip(BLANKS).lower().startswith("ivr://"):
        return _program("ExternalIVR")
    return no_trunk_in(data, trunks, "an argument of ExternalIVR")


def _mix_monitor(data: str, trunks: Trunks, _depth: int) -> Demand:
    """MixMonitor(file,options,COMMAND)."""
    if not is_plain_program(texts(data, 3)[2]):
        return _program("the command of MixMonitor")
    return no_trunk_in(data, trunks, "an argument of MixMonitor")


def _system(_data: str, _trunks: Trunks, _depth: int) -> Demand:
    return _program("System")


def _script(path: str, what: str) -> Demand:
    """A problem for a path, which may be any program: /bin/sh takes a command as its argument."""
    path = path.strip(BLANKS)
    server = path.lower().startswith(("agi:", "hagi:"))
    outside = not server and (path.startswith("/") or ".." in path)
    return _program(f"{what} with a path") if outside else NOTHING


def _program(what: str) -> Demand:
    return refused(
        Rule.BYPASS,
        f"{what} runs a program on the PBX, which may call anybody; have the dialplan run it "
        "(Context, Exten, Priority)",
    )


def _to_last_parenthesis(text: str) -> str:
    end = text.rfind(")")
    return text[:end] if end >= 0 else text


_READERS: Final[Mapping[str, Callable[[str, Trunks, int], Demand]]] = {
    "dial": _dial,
    "page": _dial,
    "retrydial": _retry_dial,
    "originate": _originate,
    "exec": _exec,
    "tryexec": _exec,
    "execif": _exec_if,
    "queue": _queue,
    "system": _system,
    "trysystem": _system,
    "mixmonitor": _mix_monitor,
    "externalivr": _external_ivr,
    "agi": _agi,
    "eagi": _agi,
    "deadagi": _agi,
}
