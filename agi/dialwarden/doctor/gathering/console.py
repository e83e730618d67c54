"""Asterisk's console, by AMI or by `asterisk -rx`, whichever answers.

Owns how a line is put to it and what no answer is. Which lines may be run is `link.visit`'s for
AMI, and `Reader`'s users' here: they only show.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from dialwarden.doctor.snapshot import Missing, Seen
from dialwarden.doors.tls import client_context
from dialwarden.errors import DialwardenError
from dialwarden.link.errors import LoginRefused
from dialwarden.link.settings import LinkSettings
from dialwarden.link.visit import Visit, visiting
from dialwarden.settings.sections import Ami

_NOT_CONNECTED = "Unable to connect to remote asterisk"
_IN_USE = "Login Already In Use"


class Console(Protocol):
    """What Asterisk may be asked. `via` is how, for people."""

    via: str

    async def command(self, line: str) -> str:
        """Raises DialwardenError or OSError when nobody answers."""

    async def clock_ahead_s(self) -> Seen[float]:
        """How far Asterisk's clock is ahead of ours, in seconds."""


class ByAmi:
    via = "AMI"

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    async def command(self, line: str) -> str:
        return await self._visit.command(line)

    async def clock_ahead_s(self) -> Seen[float]:
        before = time.time()
        try:
            its = await self._visit.clock()
        except DialwardenError as error:
            return Missing(str(error))
        after = time.time()
        # Its answer lies between: what lies within that is no difference.
        if before <= its <= after:
            return 0.0
        return its - after if its > after else its - before


class ByProcess:
    """`asterisk -rx`, which takes whom Asterisk's control socket lets in."""

    via = "asterisk -rx"

    def __init__(self, program: str, timeout_s: float) -> None:
        self._program = program
        self._timeout_s = timeout_s

    async def command(self, line: str) -> str:
        process = await asyncio.create_subprocess_exec(
            self._program, "-rx", line,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._timeout_s):
                said, _ = await process.communicate()
        except TimeoutError:
            raise OSError(f"no answer within {self._timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        text = said.decode(errors="replace")
        if _NOT_CONNECTED in text or (process.returncode and not text):
            raise OSError(text.strip().splitlines()[0] if text.strip() else "it does not run")
        return text

    async def clock_ahead_s(self) -> Seen[float]:
        return 0.0  # it is this machine's


@asynccontextmanager
async def console(
    ami: Ami | None, timeout_s: float
) -> AsyncIterator[tuple[Seen[Console], Seen[bool]]]:
    """A console, and whether our AMI user could log in (True without `[ami]`)."""
    async with contextlib.AsyncExitStack() as stack:
        login: Seen[bool] = True
        if ami is not None:
            try:
                visit = await stack.enter_async_context(visiting(_settings(ami, timeout_s)))
            except (DialwardenError, OSError) as error:
                login = Missing(str(error), _mend(ami, error))
            else:
                yield ByAmi(visit), True
                return
        yield await _process(timeout_s), login


async def _process(timeout_s: float) -> Seen[Console]:
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/sbin")
    if program is None:
        return Missing(
            "neither AMI nor a local `asterisk -rx` answers",
            "set up [ami], or run this on Asterisk's own machine as root",
        )
    found = ByProcess(program, timeout_s)
    try:
        await found.command("core show version")
    except OSError as error:
        return Missing(
            f"Asterisk does not answer, neither by AMI nor by `asterisk -rx` ({error})",
            "start Asterisk, or run this as root; docs/guard.md says how [ami] is set up",
        )
    return found


def _settings(ami: Ami, timeout_s: float) -> LinkSettings:
    return LinkSettings(
        host=ami.address.host,
        port=ami.address.port,
        username=ami.username,
        secret=ami.secret.reveal(),
        ssl=client_context(ami.ca) if ami.tls or ami.ca else None,
        tls_name=ami.tls_name,
        connect_timeout_s=timeout_s,
        action_timeout_s=timeout_s,
    )


def _mend(ami: Ami, error: Exception) -> str:
    if isinstance(error, LoginRefused):
        if error.message == _IN_USE:
            return f"allowmultiplelogin = yes in [general] or [{ami.username}] of manager.conf"
        return (
            f"compare username and secret of [ami] with [{ami.username}] in manager.conf, and its "
            "permit and deny with our address; then manager reload"
        )
    return "is Asterisk running, and enabled = yes, bindaddr and port in its manager.conf?"
