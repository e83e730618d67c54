"""A destination, `PJSIP/0612345678@carrier`, as the channel drivers read it.

Owns the grammar of a dial string by technology: which endpoint is asked and what number it is
given. Refuses to know which endpoints are trunks, save that their names are handed in where the
grammar itself depends on what exists.

What Asterisk's sources say (channels/chan_pjsip.c `request`, res_pjsip_session.c
`ast_sip_session_create_outgoing`, res_pjsip.c `ast_sip_create_dialog_uac`; chan_sip.c
`sip_request_call`; chan_iax2.c `parse_dial_string`; chan_dahdi.c `determine_starting_point`;
main/core_local.c `local_alloc`):

    PJSIP   [user@]endpoint[/location]   an endpoint of the whole name is looked for first, then one
                                         of the name behind the first @. The location is a list of
                                         AORs or else a URI. A user takes the place of the user of
                                         whatever URI comes out of that, and is sent as it is.
    SIP     user[:secret…]@host[:port][/…]   or   host/user; what follows a "!" is the To header
    IAX2    [user[:secret]@]peer[:port][/number[@context]][/options]
    DAHDI   group[/number[/options]]; group: i1, g1, G1, r1, R1, i1-g1, 17, each with c, d or r2
    Local   number@context[/options], context `default` where none is given
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Container
from dataclasses import dataclass

from dialwarden.routing.sip_uri import decoded_user, uri_user

_ADDRESS = re.compile(r"[.:\[]")
# One group whichever way it is searched; sscanf's %d takes zeros, a + and blanks in front.
_DAHDI_GROUP = re.compile(r"([gr])\s*\+?0*([0-9]+)(?:[^0-9].*)?", re.DOTALL)
_DAHDI_SPAN = re.compile(r"i\s*\+?0*([0-9]+)[^-]*(?:-(.*))?", re.DOTALL)
_DAHDI_CHANNEL = re.compile(r"\+?0*([0-9]+)(?:[^0-9].*)?", re.DOTALL)


class Spelling(enum.Enum):
    """Where in a dial string the number stands."""

    USER = "user@endpoint"
    URI = "endpoint/sip:user@host"
    EXTENSION = "endpoint/number"


@dataclass(frozen=True, slots=True)
class Destination:
    """What one destination asks for.

    Attributes:
        endpoints: names, in lower case, any of which being a trunk's makes it that trunk's.
        number: what the endpoint is given to dial; "" where there is none or it cannot be read.
        spelling: where it stands.
        explicit: the address is spelled out, so that the endpoint does not say where it leads.
        why: "" or why there is no number to be relied on, to stand behind a colon.
    """

    endpoints: tuple[str, ...]
    number: str
    spelling: Spelling
    explicit: bool = False
    why: str = ""


def split_destinations(text: str) -> tuple[tuple[str, str], ...]:
    """The destinations of Dial's first argument, in order: (technology, resource) each.

    `&` separates them, and nothing protects one: quotes are gone by then. What has no "/" dials
    nothing and comes as ("", text).
    """
    destinations = []
    for destination in text.split("&"):
        technology, slash, resource = destination.strip().partition("/")
        if slash:
            destinations.append((technology.strip(), resource))
        elif technology:
            destinations.append(("", technology))
    return tuple(destinations)


def endpoint_key(technology: str, endpoint: str) -> str:
    """An endpoint's name as it is compared: in lower case, DAHDI's g1, G1 and r1 being one."""
    name = endpoint.strip().lower()
    return _dahdi_keys(name)[0] if technology.lower() == "dahdi" else name


def read_destination(technology: str, resource: str, known: Container[str]) -> Destination:
    """Read a destination's resource, what stands behind `technology/`.

    Args:
        known: names of endpoints of that technology, as `endpoint_key` gives them, that exist.
    """
    return _READERS.get(technology.lower(), _other)(resource, known)


def _pjsip(resource: str, known: Container[str]) -> Destination:
    head, location = _separate(resource, 2)
    endpoint, user, why = _key(head), "", ""
    if endpoint not in known and "@" in head:
        user, _, rest = head.partition("@")
        endpoint = _key(rest)
        if endpoint not in known and _key(rest.rpartition("@")[2]) in known:
            endpoint, why = _key(rest.rpartition("@")[2]), "it holds several @"
    endpoints = (endpoint, *_names(location))
    decoded = decoded_user(user)
    user, why = decoded.user, why or decoded.why
    uri = uri_user(location)
    spelling = Spelling.URI if uri is not None and not user else Spelling.USER
    if uri is None:
        why = why or ("" if user else "it names no number, the contact of an AOR is dialled")
        return Destination(endpoints, "" if why else user, spelling, why=why)
    if not user and not why:
        user, why = uri.user, uri.why
        if endpoint in known and not user:
            why = why or "its SIP URI names no number"
    elif uri.user not in ("", user) and _has_digit(uri.user):
        # The user before the endpoint is dialled, unless there is an endpoint of the whole name.
        why = why or "it names two different numbers"
    return Destination(endpoints, "" if why else user, spelling, explicit=True, why=why)


def _sip(resource: str, known: Container[str]) -> Destination:
    request, *to_header = resource.split("!")
    head, extension, _ = _separate(request, 3)
    user, at, host = head.partition("@")
    if at:
        number, spelling = user.partition(":")[0], Spelling.USER
    else:
        number, spelling, host = extension, Spelling.EXTENSION, head
    decoded = decoded_user(number)
    number, why = decoded.user, decoded.why
    name = _key(host)
    endpoints = (name,) if name in known else (name.partition(":")[0],)
    if not number:
        why = why or "it names no number"
    to_user = to_header[0].partition("@")[0] if to_header else ""
    if to_user not in ("", number) and _has_digit(to_user):
        why = "it names two different numbers"
    explicit = bool((at or extension) and _ADDRESS.search(name))
    return Destination(endpoints, "" if why else number, spelling, explicit=explicit, why=why)


def _iax2(resource: str, known: Container[str]) -> Destination:
    head, _, rest = resource.partition("/")
    peer = head.partition("@")[2] if "@" in head else head
    name = _key(peer)
    number = rest.partition("/")[0].partition("@")[0]
    why = "" if number else "it names no number, extension s is asked for"
    endpoints = (name,) if name in known else (name.partition(":")[0],)
    return Destination(endpoints, number, Spelling.EXTENSION, why=why)


def _dahdi(resource: str, known: Container[str]) -> Destination:
    group, number, _ = _separate(resource, 3)
    why = "" if number else "it names no number"
    return Destination(_dahdi_keys(_key(group)), number, Spelling.EXTENSION, why=why)


def _local(resource: str, known: Container[str]) -> Destination:
    # Options stand behind the last slash; before Asterisk 12 behind the first.
    extension, at, context = resource.partition("@")
    context = _key(context.partition("/")[0]) if at else "default"
    return Destination((context,), extension.partition("/")[0], Spelling.USER)


def _other(resource: str, known: Container[str]) -> Destination:
    head, slash, number = resource.partition("/")
    user, at, endpoint = head.partition("@")
    number = number.partition("/")[0]
    if _key(head) in known or not at:
        why = "" if number else "it names no number"
        return Destination((_key(head),), number, Spelling.EXTENSION, why=why)
    if slash and number != user:
        return Destination((_key(endpoint),), "", Spelling.USER, why="it names two numbers")
    why = "" if user else "it names no number"
    return Destination((_key(endpoint),), user, Spelling.USER, why=why)


_READERS: dict[str, Callable[[str, Container[str]], Destination]] = {
    "pjsip": _pjsip,
    "sip": _sip,
    "iax2": _iax2,
    "dahdi": _dahdi,
    "local": _local,
}


def _separate(text: str, count: int) -> list[str]:
    """Exactly `count` parts at slashes, as `__ast_app_separate_args` of main/app.c takes them.

    Quotes and backslashes protect a slash and go; so do round and square brackets, which stay. The
    last part is the rest as it stands.
    """
    parts: list[str] = []
    part: list[str] = []
    round_open = square_open = 0
    quoted = False
    position = 0
    while position < len(text) and len(parts) < count - 1:
        char = text[position]
        position += 1
        if char == '"':
            quoted = not quoted
            continue
        if char == "\\":
            char = text[position : position + 1]
            position += 1
        elif char == "(":
            round_open += 1
        elif char == ")":
            round_open = max(0, round_open - 1)
        elif char == "[":
            square_open += 1
        elif char == "]":
            square_open = max(0, square_open - 1)
        elif char == "/" and not (round_open or square_open or quoted):
            parts.append("".join(part))
            part.clear()
            continue
        part.append(char)
    if len(parts) == count - 1:
        parts.append(text[position:])
    else:
        parts.append("".join(part))
    return parts + [""] * (count - len(parts))


def _key(name: str) -> str:
    return name.strip().lower()


def _names(location: str) -> tuple[str, ...]:
    """The AORs that a location may be the list of: one of a trunk's name leads to its carrier."""
    return tuple(name for part in location.split(",") if (name := _key(part)))


def _dahdi_keys(group: str) -> tuple[str, ...]:
    if span := _DAHDI_SPAN.fullmatch(group):
        return (f"i{span[1]}", *(_dahdi_keys(span[2]) if span[2] else ()))
    if found := _DAHDI_GROUP.fullmatch(group):
        return (f"g{found[2]}",)
    if channel := _DAHDI_CHANNEL.fullmatch(group):
        return (channel[1],)
    return (group,)


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)
