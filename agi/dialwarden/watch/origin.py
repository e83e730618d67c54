"""Who dialled a leg that nobody asked about, as far as Asterisk tells.

Asked behind the hang-up, never before it: a caller hung in Dial() is there for some milliseconds
more. An Originate leaves no trace in the events; who is logged in to Asterisk's own manager
interface is then all that can be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from dialwarden.errors import DialwardenError
from dialwarden.verdict import Phrase
from dialwarden.watch.events import Event

_SHOWN = 120
# `manager show connected`: a user name, an address and numbers, in columns.
_CONNECTED = re.compile(r"^\s*(?P<user>\S+)\s+(?P<address>[0-9a-fA-F.:\[\]]+)\s+\d")


class Asks(Protocol):
    """What is needed of the link."""

    async def ask(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> Event: ...

    async def ask_list(
        self, action: str, headers: Iterable[tuple[str, str]] = ()
    ) -> list[Event]: ...


async def origin_of(link: Asks, caller: str, place: str, *, ours: frozenset[str]) -> Phrase:
    """Who dialled: the application and the place in the dialplan, or who may have originated.

    Args:
        ours: AMI users that are ourselves.
    """
    if caller:
        application = await _application(link, caller)
        values = {"caller": caller, "place": place, "application": application}
        if application:
            return Phrase("{application} at {place} on {caller}", values)
        return Phrase("the dialplan at {place} on {caller}", values)
    users = await _connected(link) - ours
    if users:
        who = ", ".join(sorted(users))
        return Phrase("an Originate, a call file or ARI; logged in to AMI: {users}", {"users": who})
    return Phrase("an Originate, a call file or ARI")


async def dialled_uri(link: Asks, channel: str) -> str:
    """Where a PJSIP channel that is up was dialled to, as the dial string that says so.

    "" where Asterisk does not tell: other technologies keep no such thing. From the To header: the
    target is where the carrier's contact is, with or without a number, and moves with its answers.
    """
    technology, _, name = channel.partition("/")
    if technology.upper() != "PJSIP":
        return ""
    try:
        said = await link.ask(
            "Getvar", [("Channel", channel), ("Variable", "CHANNEL(pjsip,remote_uri)")]
        )
    except DialwardenError:
        return ""
    uri = said.get("value", "").strip().strip("<>")
    return f"{name.rpartition('-')[0]}/{uri}" if uri else ""


async def _application(link: Asks, channel: str) -> str:
    try:
        rows = await link.ask_list("Status", [("Channel", channel)])
    except DialwardenError:
        return ""
    row = next((row for row in rows if row.get("channel") == channel), {})
    application = row.get("application", "").replace("(null)", "")  # has left it meanwhile
    return f"{application}({row.get('data', '')})"[:_SHOWN] if application else ""


async def _connected(link: Asks) -> frozenset[str]:
    try:
        said = await link.ask("Command", [("Command", "manager show connected")])
    except DialwardenError:
        return frozenset()
    lines = said.get("output", "").splitlines()
    return frozenset(found["user"] for line in lines if (found := _CONNECTED.match(line)))
