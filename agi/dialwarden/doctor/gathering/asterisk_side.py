"""The running Asterisk, asked command by command; each that does not answer is missing by itself.

The self-test has Asterisk dial a Local channel into our own context, which peeks: no call leaves,
and nothing is counted.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from dialwarden.doctor import console_text as text
from dialwarden.doctor.dialplan_text import Dialplan, read_shown
from dialwarden.doctor.gathering.console import Console
from dialwarden.doctor.snapshot import Asterisk, Endpoint, ManagerUser, Missing, Seen
from dialwarden.errors import DialwardenError
from dialwarden.link.errors import ActionFailed

T = TypeVar("T")

# The dialplan waits two seconds for the bridge; a busy machine may take its time besides.
_SELFTEST_S = 6.0
_LOOK_EVERY_S = 0.05
_SELFTEST_CONTEXT = "dialwarden-selftest"
# What stands on a console line without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9_.@+-]+")
_MOST_ENDPOINTS = 500
_RIGHT = "write = command in manager.conf, for our AMI user"
_BUSY = "is Asterisk overloaded, or is it stopping? Try again with --timeout 30"


async def look(console: Console) -> Asterisk:
    """Everything that Asterisk says of itself."""
    asking = _Asking(console)
    version = await asking.parsed("core show version", text.version_of)
    dialplan = await asking.parsed("dialplan show", read_shown)
    types = await asking.parsed("core show channeltypes", text.technologies_of)
    return Asterisk(
        via=console.via,
        version=version,
        dialplan=dialplan,
        variables=await asking.parsed("dialplan show globals", text.variables_of),
        manager=await asking.parsed("manager show settings", text.manager_of),
        users=await asking.users(),
        endpoints=await asking.endpoints(types),
        technologies=types,
        http=await asking.parsed("http show status", text.http_runs),
        ari_users=await asking.parsed("ari show users", text.ari_users_of, may_lack=True),
        spool=await asking.spool(),
        folder=await asking.folder("Configuration"),
        clock_ahead_s=await console.clock_ahead_s(),
        selftest=await asking.selftest(dialplan),
    )


class _Asking:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def said(self, line: str) -> Seen[str]:
        """What the console says; "" where it does not know the command."""
        try:
            output = await self._console.command(line)
        except ActionFailed as error:
            return Missing(f"`{line}` was refused ({error.message})", _RIGHT)
        except (DialwardenError, OSError) as error:
            return Missing(f"`{line}` got no answer ({error})", _BUSY)
        return "" if text.is_unknown(output) else output

    async def parsed(
        self, line: str, read: Callable[[str], T], *, may_lack: bool = False
    ) -> Seen[T]:
        """An answer, read; `may_lack`: a console that knows no such line has nothing of it."""
        output = await self.said(line)
        if isinstance(output, Missing):
            return output
        if (output or not may_lack) and not text.is_answer(line, output):
            return Missing(
                f"`{line}` printed what cannot be read here",
                f"see what asterisk -rx '{line}' prints",
            )
        return read(output)

    async def users(self) -> Seen[tuple[ManagerUser, ...]]:
        names = await self.parsed("manager show users", text.users_of)
        if isinstance(names, Missing):
            return names
        found = []
        for name in names:
            if not _PLAIN.fullmatch(name):
                return Missing(f"AMI user {name!r} cannot be asked about on the console")
            shown = await self.said(f"manager show user {name}")
            if isinstance(shown, Missing):
                return shown
            found.append(text.user_of(name, shown))
        return tuple(found)

    async def endpoints(self, types: Seen[frozenset[str]]) -> Seen[tuple[Endpoint, ...]]:
        found: list[Endpoint] = []
        readers: Sequence[tuple[str, str, Callable[[str], tuple[Endpoint, ...]]]] = (
            ("PJSIP", "pjsip show endpoints", text.pjsip_of),
            ("SIP", "sip show peers", text.sip_of),
            ("IAX2", "iax2 show peers", text.iax_of),
        )
        for technology, line, read in readers:
            if not isinstance(types, Missing) and technology not in types:
                continue
            listed = await self.parsed(line, read, may_lack=isinstance(types, Missing))
            if isinstance(listed, Missing):
                return listed
            found += listed
        if isinstance(types, Missing) and not found:
            return types
        # The trunks first: they are looked at however many telephones there are.
        found.sort(key=lambda one: not one.why_trunk)
        return tuple([await self._detailed(one) for one in found[:_MOST_ENDPOINTS]]) + tuple(
            found[_MOST_ENDPOINTS:]
        )

    async def _detailed(self, endpoint: Endpoint) -> Endpoint:
        technology, _, name = endpoint.channel.partition("/")
        if not _PLAIN.fullmatch(name):
            return endpoint
        if technology != "PJSIP":
            line = f"{technology.lower()} show peer {name}"
            context = await self.parsed(line, text.context_of)
            return endpoint if isinstance(context, Missing) else replace(endpoint, context=context)
        told = await self.parsed(f"pjsip show endpoint {name}", text.parameters_of)
        if isinstance(told, Missing):
            return endpoint
        return replace(
            endpoint,
            context=told.get("context", ""),
            redirect=told.get("redirect_method", ""),
            may_refer=told["allow_transfer"] == "true" if "allow_transfer" in told else None,
        )

    async def folder(self, which: str) -> Seen[Path]:
        told = await self.parsed("core show settings", lambda out: text.directory_of(out, which))
        if isinstance(told, Missing):
            return told
        return Path(told) if told else Missing(f"Asterisk does not tell its {which} directory")

    async def spool(self) -> Seen[Path | None]:
        running = await self.parsed(
            "module show like pbx_spool", lambda output: text.is_running("pbx_spool", output)
        )
        if isinstance(running, Missing):
            return running
        if not running:
            return None
        folder = await self.folder("Spool")
        return folder if isinstance(folder, Missing) else folder / "outgoing"

    async def selftest(self, dialplan: Seen[Dialplan]) -> Seen[str]:
        """Have Asterisk ask the bridge, and wait for its dialplan to say what came of it."""
        if isinstance(dialplan, Missing):
            return dialplan
        if _SELFTEST_CONTEXT not in dialplan:
            return Missing(
                f"context {_SELFTEST_CONTEXT} is not loaded", "see the finding of dialplan"
            )
        token = f"{secrets.randbelow(90_000_000) + 10_000_000}"
        line = f"channel originate Local/{token}@{_SELFTEST_CONTEXT}/n application Wait 1"
        by_hand = (
            f"by hand: asterisk -rx '{line}', then asterisk -rx 'dialplan show globals' shows "
            "DIALWARDEN_SELFTEST"
        )
        set_off = await self.said(line)
        if isinstance(set_off, Missing):
            return Missing(set_off.why, f"{set_off.do}; {by_hand}")
        loop = asyncio.get_running_loop()
        until = loop.time() + _SELFTEST_S
        while loop.time() < until:
            output = await self.said("dialplan show globals")
            if isinstance(output, Missing):
                return output
            if said := text.selftest_of(token, output):
                return said
            await asyncio.sleep(_LOOK_EVERY_S)  # nothing tells of it: our link hears no events
        return Missing(
            f"Asterisk was asked to, and its dialplan said nothing within {_SELFTEST_S:g} s",
            f"are chan_local (core), app_stack and func_global loaded? {by_hand}",
        )
