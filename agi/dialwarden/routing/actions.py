"""AMI actions that dial: what a request would have the PBX call, and what it may not do at all.

Owns the list of actions. Refuses to know who sent a request and what the gate will say to it.

Every action that Asterisk 22 registers, with its modules (and those of 16 that are gone in 22):

    Originate           Channel; Application with Data          judged, reserved
    Command             what its console line dials             judged as the line, by `console`
    AGI                 what its EXEC runs, on a call           judged, reserved for that call
    Redirect            an extension (ExtraExten too)           a number: a dry look
    BlindTransfer       an extension                            a number: a dry look
    Atxfer              an extension, as digits                 a number: a dry look
    QueueAdd            Interface, for calls to come            a dry look; StateInterface is
                                                                only watched, never dialled
    Park                TimeoutChannel, when time is up         a dry look at its number
    DAHDIDialOffhook    Number, as digits on an open line       a number: a dry look
    Setvar              nothing                                 DIALWARDEN_*: refused; a global
                                                                that names a trunk: as UpdateConfig
    UpdateConfig, CreateConfig, DialplanExtensionAdd, DialplanExtensionRemove
                        what they write, some day               refused, unless the user may
    MixMonitor          nothing; Command runs a program         refused, unless it is a plain one
    Getvar, Status      nothing; SHELL() runs a program         refused, unless the user may
    DBPut               nothing; of a registration it sets      refused, unless the user may
                        where an inside telephone rings

In every one of these what runs a program, writes a file or hides either is refused (`forbidden`),
unless the user may change the dialplan, who can do as much anyway.

Relayed, since they dial nothing: what moves, plays to or ends calls that are up (Bridge…, Hangup,
CancelAtxfer, LocalOptimizeAway, PlayDTMF, SendFlash, DAHDITransfer, Confbridge…, Meetme…, the other
Queue… and Agent…, ControlPlayback, AbsoluteTimeout); messages (MessageSend, SendText, JabberSend,
PJSIPNotify, AOCMessage, UserEvent); the session (Login, Challenge, Logoff, Ping, Events, Filter,
WaitEvent); modules, data and devices (Reload, Module…, other DB…, MWI…, Presence…, Sorcery…,
PJSIP…, SIP…, IAX…, PRI…, FAX…, Voicemail…); and whatever only lists or shows.

What a relayed action reaches inside the dialplan, the guard sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dialwarden.routing.agi import demand_of_agi
from dialwarden.routing.applications import demand_of_application, destination, no_trunk_in
from dialwarden.routing.console import demand_of_line, later
from dialwarden.routing.demand import (
    CONTACT,
    NOTHING,
    TWICE,
    Demand,
    Problem,
    extension,
    quoted,
    refused,
    together,
)
from dialwarden.routing.forbidden import (
    holds_value,
    is_contact,
    is_plain_program,
    names_ours,
    tampering,
)
from dialwarden.routing.trunks import Trunks
from dialwarden.verdict import Rule
from dialwarden.wire.ami_request import AmiRequest

__all__ = ["CONCERNED", "NOTHING", "TWICE", "Demand", "Problem", "demand_of"]

# Asterisk copies Channel into 256 bytes, the last of them its end.
_CHANNEL_BYTES = 255


def demand_of(
    request: AmiRequest,
    trunks: Trunks,
    *,
    aliases: Mapping[str, str],
    may_change_dialplan: bool,
) -> Demand:
    """What a request would have the PBX dial.

    Args:
        aliases: the console's, alias to command.
        may_change_dialplan: the user's entry says so.
    """
    action = request.action.lower()
    if not may_change_dialplan and (problem := _tampering(action, request)):
        return problem
    if action == "command":
        return demand_of_line(
            request.get("Command"), trunks,
            aliases=aliases, may_change_dialplan=may_change_dialplan,
        )  # fmt: skip
    if action in _REWRITES:
        return NOTHING if may_change_dialplan else _rewriting(f"action {request.action}")
    if action == "setvar":
        return _set_variable(request, trunks, may_change_dialplan=may_change_dialplan)
    reader = _READERS.get(action)
    return reader(request, trunks) if reader is not None else NOTHING


def _originate(request: AmiRequest, trunks: Trunks) -> Demand:
    channel = request.get("Channel")
    if len(channel.encode("utf-8", "surrogateescape")) > _CHANNEL_BYTES:
        return refused(
            Rule.NUMBER,
            f"Channel is longer than {_CHANNEL_BYTES} bytes, and Asterisk would cut it off; write "
            "a shorter one",
        )
    parts = [destination(channel, trunks)]
    if not parts[0].reaches and holds_value(channel) and trunks.named_in(channel):
        parts.append(
            refused(
                Rule.NUMBER,
                f"Channel {quoted(channel)} holds a variable, which Asterisk does not replace "
                "there; write the number itself",
            )
        )
    application = request.get("Application")
    if application:
        parts.append(demand_of_application(application, request.get("Data"), trunks))
    parts.append(no_trunk_in(request.get("PreDialGoSub"), trunks, "PreDialGoSub"))
    return together(parts)


def _agi(request: AmiRequest, trunks: Trunks) -> Demand:
    return demand_of_agi(request.get("Command"), trunks, channel=request.get("Channel"))


def _transfer(request: AmiRequest, _: Trunks) -> Demand:
    return together(extension(request.get(name)) for name in ("Exten", "ExtraExten"))


def _queue_add(request: AmiRequest, trunks: Trunks) -> Demand:
    return later(destination(request.get("Interface"), trunks))


def _park(request: AmiRequest, trunks: Trunks) -> Demand:
    """Asterisk calls back whoever parked: the channel's name without its counter.

    A trunk's own channel, `PJSIP/carrier-0000000a`, holds no number to be looked at.
    """
    name = request.get("TimeoutChannel") or request.get("Channel2")
    called = destination(name.rpartition("-")[0] or name, trunks)
    return later(Demand(tuple(reach for reach in called.reaches if reach.number)))


def _dial_offhook(request: AmiRequest, _: Trunks) -> Demand:
    return extension(request.get("Number"))


def _set_variable(request: AmiRequest, trunks: Trunks, *, may_change_dialplan: bool) -> Demand:
    name = request.get("Variable")
    if names_ours(name):
        return refused(
            Rule.BYPASS,
            f"the variable {quoted(name)} is set by dialwarden alone; use another name",
        )
    everywhere = not request.get("Channel")
    if everywhere and not may_change_dialplan and trunks.named_in(request.get("Value")):
        return _rewriting(f"the global variable {quoted(name)}, which names a trunk,")
    return NOTHING


def _runs_programs(request: AmiRequest, trunks: Trunks) -> Demand:
    """MixMonitor's Command, and what SHELL() stands in."""
    program = request.get("Command") if request.action.lower() == "mixmonitor" else ""
    asked = (*request.all("Variable"), *request.all("Variables"))
    texts = [program, *(text for text in asked if "SHELL" in text.upper())]
    return no_trunk_in("\n".join(texts), trunks, f"action {request.action}")


def _tampering(action: str, request: AmiRequest) -> Demand | None:
    """A problem for what would call somebody by way of a program, a file or a registration."""
    if action == "dbput" and is_contact(request.get("Family"), request.get("Key")):
        return Demand(problem=CONTACT)
    if action == "mixmonitor" and not is_plain_program(request.get("Command")):
        found = "runs a program, which may call anybody"
    else:
        texts = [text for name in _SPEAKING.get(action, ()) for text in request.all(name)]
        found = tampering(texts, evaluated=action not in _TAKEN_AS_IT_IS)
    if not found:
        return None
    return refused(
        Rule.BYPASS,
        f"action {request.action} {found}; leave that out, or name the AMI user under [gateway] "
        "dialplan if it may",
    )


def _rewriting(what: str) -> Demand:
    return refused(
        Rule.BYPASS,
        f"{what} changes the dialplan or the configuration; name the AMI user under [gateway] "
        "dialplan if it may",
    )


_REWRITES: Final = frozenset(
    {"createconfig", "dialplanextensionadd", "dialplanextensionremove", "updateconfig"}
)
_READERS: Final[Mapping[str, Callable[[AmiRequest, Trunks], Demand]]] = {
    "agi": _agi,
    "atxfer": _transfer,
    "blindtransfer": _transfer,
    "dahdidialoffhook": _dial_offhook,
    "getvar": _runs_programs,
    "mixmonitor": _runs_programs,
    "originate": _originate,
    "park": _park,
    "queueadd": _queue_add,
    "redirect": _transfer,
    "status": _runs_programs,
}
# Headers that may name functions, and the actions that put no values in the place of variables.
_SPEAKING: Final[Mapping[str, tuple[str, ...]]] = {
    "agi": ("Command",),
    "command": ("Command",),
    "getvar": ("Variable",),
    "originate": ("Data", "PreDialGoSub"),  # its Variable: `channel_variables`
    "setvar": ("Variable",),
    "status": ("Variable", "Variables"),
}
_TAKEN_AS_IT_IS: Final = frozenset({"originate", "setvar"})
# The actions, in lower case, that `demand_of` has anything to say about.
CONCERNED: Final = frozenset({*_READERS, *_REWRITES, "command", "dbput", "setvar"})
