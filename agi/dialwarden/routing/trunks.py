"""The trunks of the configuration: which destinations and channels are theirs, to what number.

Owns the question "is it ours?", answered by technology and endpoint, and the number of what is.
What is ours and cannot be read is still ours, and says why. Refuses to know how a number is read
or whether it may be called; a trunk's `strip` is handed on, not applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from dialwarden.routing.dial_form import DialForm, compile_form
from dialwarden.routing.dial_string import Destination, endpoint_key, read_destination
from dialwarden.routing.naming import Naming

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_DIGIT_RUN = re.compile(r"[0-9]+")
# What Asterisk puts behind a channel's name while it changes hands, and the halves of a Local.
_CHANNEL_MARKS = re.compile(r"(?:<[A-Z]+>|;[12])+$")
_SIP_COUNTER = re.compile(r"-[0-9a-f]{8,}$", re.IGNORECASE)
_COUNTER = re.compile(r"-[0-9a-f]+$", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(?:[+(). -]*[0-9]){7,}[(). -]*")


class TrunkSettings(Protocol):
    """What is needed of a [trunks.NAME]: `PJSIP/carrier`, its templates, the digits in front."""

    @property
    def name(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def dial(self) -> Sequence[str]: ...
    @property
    def strip(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Route:
    """A trunk as destinations and channels name it.

    Attributes:
        technology: in lower case.
        endpoint: as `endpoint_key` gives it.
        strip: digits that dialers put in front of the number.
    """

    name: str
    technology: str
    endpoint: str
    strip: str
    forms: tuple[DialForm, ...]

    @classmethod
    def of(cls, trunk: TrunkSettings) -> Route:
        technology, _, endpoint = trunk.channel.partition("/")
        technology = technology.strip().lower()
        endpoint = endpoint_key(technology, endpoint)
        forms = (compile_form(template, {endpoint}) for template in trunk.dial)
        return cls(trunk.name, technology, endpoint, trunk.strip, tuple(forms))


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a destination leads, when that is or may be out of the PBX.

    Attributes:
        trunk: its name; "" for an explicit SIP URI through an endpoint that is no trunk of ours.
        number: as written, between the marks of its form, percent-decoded in a URI, `strip` and
            all; "" when it cannot be read.
        digit_runs: every run of digits in the destination, once each, in order.
        optional: ours only if `number` really is a telephone number (an explicit SIP URI
            elsewhere, a template of Local/). Never without a number.
        why: "" or why the number cannot be read, to stand behind a colon.
        plain: what stands in the number's place with the marks of its form still on it: with the
            template PJSIP/1{number}@carrier, 112 is an emergency call and no call to 12.
    """

    trunk: str
    number: str
    digit_runs: tuple[str, ...]
    optional: bool
    why: str = ""
    plain: str = ""


class Trunks:
    """All trunks of a configuration, ready to be asked."""

    __slots__ = ("_channels", "_naming", "_owners")

    def __init__(self, routes: Sequence[Route]) -> None:
        self._channels: dict[tuple[str, str], Route] = {}
        self._owners: dict[str, dict[str, list[Route]]] = {}
        for route in routes:
            self._channels.setdefault((route.technology, route.endpoint), route)
            self._own(route.technology, route.endpoint, route)
            for form in route.forms:
                if form.endpoint:
                    self._own(form.technology, form.endpoint, route)
        self._naming = Naming.of({name: tuple(owned) for name, owned in self._owners.items()})

    @classmethod
    def of(cls, routes: Iterable[Route]) -> Trunks:
        return cls(tuple(routes))

    def reach(self, technology: str, resource: str) -> Reach | None:
        """Where `technology/resource` leads; None: it stays inside, and is none of our business."""
        technology = technology.strip().lower()
        known = self._owners.get(technology, {})
        readable = _CONTROLS.sub("", resource)
        destination = read_destination(technology, readable, known)
        owners = next((known[name] for name in destination.endpoints if name in known), ())
        if technology == "local":
            reach = _through_dialplan(owners, destination, resource)
        elif owners:
            reach = _through(owners, technology, destination, resource)
        elif destination.explicit:
            reach = _elsewhere(destination, resource)
        else:
            return None
        if reach is not None and readable != resource:
            return _unreadable(reach.trunk, resource, "it holds a control character")
        return reach

    def of_channel(self, channel: str) -> Route | None:
        """The trunk that a channel (`PJSIP/carrier-0000000a`, `DAHDI/i1/0612-1`) belongs to."""
        technology, slash, name = _CHANNEL_MARKS.sub("", channel).partition("/")
        technology = technology.lower()
        if not slash or technology == "local":
            return None
        if technology == "dahdi" and "/" in name:
            name = name.partition("/")[0]
        elif technology in ("pjsip", "sip"):
            name = _SIP_COUNTER.sub("", name)
        else:
            name = _COUNTER.sub("", name)
        return self._channels.get((technology, endpoint_key(technology, name)))

    def leg(self, channel: str, dial_string: str) -> Reach | None:
        """Where a leg leads, of which DialBegin tells the DestChannel and the DialString.

        It is ours by its channel even when the string says nothing that can be read. A half of a
        Local channel leads nowhere yet: what its dialplan dials is a leg of its own.

        Args:
            dial_string: the resource, `0612345678@carrier`; queues put the technology in front.
        """
        technology = channel.partition("/")[0].strip().lower()
        if technology == "local":
            return None
        if dial_string.strip().lower().startswith(f"{technology}/"):
            dial_string = dial_string.partition("/")[2]
        route = self.of_channel(channel)
        if route is None:
            return self.reach(technology, dial_string)
        if _CONTROLS.search(dial_string):
            return _unreadable(route.name, dial_string, "it holds a control character")
        known = self._owners[technology]
        destination = read_destination(technology, dial_string, known)
        # Elsewhere an endpoint has many names: DAHDI/17 lies on the span of the channel DAHDI/i1.
        named = any(route in known.get(name, ()) for name in destination.endpoints)
        if technology == "pjsip" and not named:
            return _unreadable(route.name, dial_string, "it does not name its channel's endpoint")
        return _through((route,), technology, destination, dial_string)

    def named_in(self, text: str) -> bool:
        """Whether free text may name a trunk, or dial an explicit SIP URI. Errs towards True."""
        return self._naming.may_be_in(text)

    def _own(self, technology: str, endpoint: str, route: Route) -> None:
        owners = self._owners.setdefault(technology, {}).setdefault(endpoint, [])
        if route not in owners:
            owners.append(route)


def compile_trunks(trunks: Mapping[str, TrunkSettings]) -> Trunks:
    """The trunks of a configuration; where two share an endpoint the first of them counts."""
    return Trunks.of(Route.of(trunk) for trunk in trunks.values())


def _through(
    owners: Sequence[Route], technology: str, destination: Destination, resource: str
) -> Reach:
    """Where a destination leads through the endpoint of trunks of ours."""
    runs = _digit_runs(resource)
    for route in owners:
        number = _by_form(route, technology, destination, resource)
        if number is not None:
            why = "" if number else "it can be read in two ways"
            return Reach(
                route.name, number, runs, optional=False, why=why, plain=destination.number
            )
    number = destination.number
    return Reach(owners[0].name, number, runs, optional=False, why=destination.why, plain=number)


def _through_dialplan(
    owners: Sequence[Route], destination: Destination, resource: str
) -> Reach | None:
    """Where a Local channel leads: out only when its extension is of a trunk's form."""
    for route in owners:
        for form in route.forms:
            if form.technology != "local" or form.endpoint not in destination.endpoints:
                continue
            number = form.number_in(resource if form.spelling is None else destination.number)
            if number == "":
                return _unreadable(route.name, resource, "it can be read in two ways")
            if number:
                return Reach(route.name, number, _digit_runs(resource), optional=True)
    return None


def _by_form(route: Route, technology: str, destination: Destination, resource: str) -> str | None:
    """The number by the first template that fits; "" where that can be read in two ways.

    A template of another spelling comes after those of the same: a prefix that the carrier wants
    is taken off wherever the number stands.
    """
    forms = [form for form in route.forms if form.technology == technology]
    for form in forms:
        if form.spelling is None:
            number = form.number_in(resource)
        elif form.spelling is destination.spelling:
            number = form.number_in(destination.number)
        else:
            continue
        if number is not None:
            return number
    for form in forms:
        if form.spelling not in (None, destination.spelling):
            number = form.number_in(destination.number)
            if number is not None:
                return number
    return None


def _elsewhere(destination: Destination, resource: str) -> Reach | None:
    """Where an explicit address leads through an endpoint that is no trunk of ours."""
    if destination.why:
        return _unreadable("", resource, destination.why)
    number, _, parameters = destination.number.partition(";")
    # A phone's own contact: PJSIP_DIAL_CONTACTS gives PJSIP/1001/sip:1001@10.0.0.7:5060.
    if not destination.number or number.lower() == destination.endpoints[0]:
        return None
    if parameters and _LONG_NUMBER.fullmatch(number):
        # `;rn=` in a user can send the call to another number than the one in front.
        return _unreadable("", resource, "its SIP URI's user holds more than a number")
    return Reach("", destination.number, _digit_runs(resource), optional=True)


def _unreadable(trunk: str, resource: str, why: str) -> Reach:
    return Reach(trunk, "", _digit_runs(resource), optional=False, why=why)


def _digit_runs(resource: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_DIGIT_RUN.findall(unquote(resource))))
