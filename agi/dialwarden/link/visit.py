"""One visit to Asterisk's manager interface: log in, look at a few things, leave.

Owns which console lines a visit may run: those that only show something, and the one self-test,
whose Local channel ends in our own dialplan. Never tries again, and hears no events.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from dialwarden.errors import DialwardenError
from dialwarden.link.errors import ActionFailed, LinkDown
from dialwarden.link.manager import LinkManager
from dialwarden.link.protocol import Request
from dialwarden.link.settings import LinkSettings

__all__ = ["Visit", "visiting"]

# A large PBX's whole dialplan is some megabytes of text in one message.
_LONGEST_ANSWER = 64 << 20
_GOODBYE_S = 0.5
_LINE = re.compile(
    r"[a-z0-9_]+( [a-z0-9_]+)?( [a-z0-9_]+)? ?\bshow( [A-Za-z0-9_.@+/:-]+)*"
    r"|channel originate Local/[0-9]{8}@dialwarden-selftest/n application Wait 1"
)
# Of a Command that the console did not carry out; its output is lost with the error.
_CLI_FAILED = "Command output follows"


class Visit:
    """A connection that is logged in. Used one request at a time or several at once."""

    def __init__(self, manager: LinkManager) -> None:
        self._manager = manager

    async def command(self, line: str) -> str:
        """What the console says; "" where it knows no such command, or no such thing.

        Raises:
            ValueError: the line is none that a visit may run; nothing was sent.
            ActionFailed: our user may not run commands.
            LinkDown, LinkTimeout: the visit is over, or got no answer.
        """
        if not _LINE.fullmatch(line):
            raise ValueError(f"{line!r} is no line for a visit")
        try:
            said = await self._manager.send_action(Request("Command", [("Command", line)]))
        except ActionFailed as error:
            if error.message == _CLI_FAILED:
                return ""
            raise
        return str(said.get("output", ""))

    async def clock(self) -> float:
        """Asterisk's clock, seconds since 1970.

        Raises:
            LinkDown, LinkTimeout: as `command`.
        """
        said = await self._manager.send_action(Request("Ping"))
        try:
            return float(said.get("timestamp", ""))
        except ValueError:
            raise LinkDown("its answer to a Ping tells no time") from None


@asynccontextmanager
async def visiting(settings: LinkSettings) -> AsyncIterator[Visit]:
    """Log in for as long as the block lasts.

    Raises:
        LinkDown, NotAsterisk, LinkTimeout, LoginRefused: as `LinkManager.connect`.
    """
    manager = LinkManager(
        replace(settings, events="off", buffer_limit=_LONGEST_ANSWER),
        on_event=lambda event: None,
        on_login=lambda: None,
        on_disconnect=lambda why: None,
        wanted=frozenset(),
    )
    try:
        await manager.connect()
        yield Visit(manager)
        with suppress(DialwardenError):
            await manager.send_action(Request("Logoff"), _GOODBYE_S)
    finally:
        manager.close()
