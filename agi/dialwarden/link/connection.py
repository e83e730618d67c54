"""AmiLink: our own link to Asterisk's manager interface, there whenever Asterisk is.

Owns when to connect again, what may be asked over the link, and what the log says about it.
Refuses to know what events mean and whom they concern.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from dialwarden.errors import DialwardenError
from dialwarden.link.backoff import Backoff
from dialwarden.link.errors import (
    ActionFailed,
    LinkDown,
    LinkTimeout,
    LoginRefused,
    NotAsterisk,
)
from dialwarden.link.manager import LinkManager
from dialwarden.link.protocol import Event, Request
from dialwarden.link.settings import LinkSettings

__all__ = [
    "ActionFailed",
    "AmiLink",
    "Event",
    "LinkDown",
    "LinkSettings",
    "LinkTimeout",
]

log = logging.getLogger("dialwarden.ami")

# What may be asked: what does no harm when it is done twice, or when nobody learns that it was.
# An Originate is none of these: the far end would ring again.
ACTIONS = frozenset({
    "command", "coresettings", "coreshowchannels", "corestatus", "events", "filter", "getvar",
    "hangup", "login", "logoff", "ping", "status",
})  # fmt: skip
COMMANDS = frozenset({
    "cli show aliases", "core show settings", "core show uptime", "core show version",
    "manager show connected", "manager show settings", "module show", "pjsip show endpoints",
})  # fmt: skip

# While the link stays down, so seldom.
_STILL_DOWN_EVERY_S = 60.0
_GOODBYE_S = 0.5


class AmiLink:
    """The link. It connects in the background until it is stopped.

    Attributes:
        up: whether our login was accepted and the connection stands.
        reconnects: how often it came up again.
        up_since: loop time, None while it is down.
        status: how it is, one sentence for people.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        on_event: Callable[[Event], None],
        on_up: Callable[[], Coroutine[Any, Any, None]],
        on_down: Callable[[str], None],
        wanted: frozenset[str] | None = None,
    ) -> None:
        """Prepare; nothing is connected before `start`, and no loop is needed.

        Args:
            on_event: called for each event, in the loop and in order. What it raises is logged.
            on_up: runs as a task each time the link is up, and is cancelled when it goes down.
                Events may come while it runs.
            on_down: called with why, once for each loss, not for `stop`.
            wanted: names of events, in lower case; None for all. Others are not even parsed.
        """
        self.up = False
        self.reconnects = 0
        self.up_since: float | None = None
        self.status = "not started"
        self._settings = settings
        self._on_up = on_up
        self._on_down = on_down
        self._manager = LinkManager(
            settings,
            on_event=on_event,
            on_login=self._went_up,
            on_disconnect=self._went_down,
            wanted=wanted,
        )
        self._backoff = Backoff(settings.backoff_first_s, settings.backoff_most_s)
        self._runner: asyncio.Task[None] | None = None
        self._greeter: asyncio.Task[None] | None = None
        self._stopped = False
        self._was_up = False
        self._down_since = 0.0
        self._told_down: float | None = None  # when, since it was last up
        self._told_person = ""  # what a person was told to mend, since it was last up

    @property
    def events_seen(self) -> int:
        """Events so far, wanted or not."""
        return self._manager.events_seen

    async def start(self) -> None:
        """Begin to connect, in the background, and go on for ever.

        Raises:
            RuntimeError: it was started or stopped before.
        """
        if self._runner is not None or self._stopped:
            raise RuntimeError("an AmiLink is started once")
        self.status = "connecting"
        self._down_since = asyncio.get_running_loop().time()
        self._runner = asyncio.create_task(self._run(), name="ami-link")

    async def stop(self) -> None:
        """End it for good, whatever it is doing. `on_down` is not called."""
        if self._stopped:
            return
        self._stopped = True
        was_up = self.up
        if was_up:
            with suppress(DialwardenError):
                await self._manager.send_action(Request("Logoff"), _GOODBYE_S)
        # Not the one that we are called in, if it is one of them.
        ours = {self._runner, self._greeter} - {None, asyncio.current_task()}
        tasks = [task for task in ours if task is not None]
        for task in tasks:
            task.cancel()
        self._manager.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.status = "stopped"
        if was_up:
            log.info("AMI link to %s closed", self._settings.address)

    async def ask(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> Event:
        """Ask and give the response; a command's output is under `output`.

        Raises:
            LinkDown: the link is down, or was lost before the answer.
            LinkTimeout: no answer within `action_timeout_s`.
            ActionFailed: Asterisk answered with an error.
            ValueError: an action that is not for this link, or a header that cannot be sent;
                nothing was sent.
        """
        response: Event = await self._ask(self._request(action, headers))
        return response

    async def ask_list(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> list[Event]:
        """Ask and give the events of the list, in order, without the one that ends it.

        Raises:
            ActionFailed: also when the answer is no list, or is longer than `list_limit`.
            LinkDown, LinkTimeout, ValueError: as `ask`.
        """
        events: list[Event] = await self._ask(self._request(action, headers, as_list=True))
        return events

    def post(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> bool:
        """Hand an action to the transport before this returns; nobody learns what came of it.

        asyncio writes it to the socket at once, uvloop at the end of the loop's turn.
        Gives False when the link is down, and nothing was written.

        Raises:
            ValueError: as `ask`.
        """
        request = self._request(action, headers)
        protocol = self._manager.protocol
        if not self.up or protocol is None:
            return False
        try:
            protocol.post(request)
        except LinkDown:
            return False
        return True

    def _request(
        self, action: str, headers: Iterable[tuple[str, str]], *, as_list: bool = False
    ) -> Request:
        headers = tuple(headers)
        if action.lower() not in ACTIONS:
            raise ValueError(f"{action!r} is not for this link, only {', '.join(sorted(ACTIONS))}")
        if any(name.lower() in {"action", "actionid"} for name, _ in headers):
            raise ValueError("Action and ActionID are the link's own headers")
        if action.lower() == "command":
            commands = [value for name, value in headers if name.lower() == "command"]
            own = f"manager show user {self._settings.username}"
            if len(commands) != 1 or commands[0] not in {*COMMANDS, own}:
                raise ValueError(f"{commands} is not for this link, only one of {sorted(COMMANDS)}")
        return Request(action, headers, as_list=as_list, list_limit=self._settings.list_limit)

    async def _ask(self, request: Request) -> Any:
        if not self.up:
            raise LinkDown(f"the AMI link to {self._settings.address} is down: {self.status}")
        return await self._manager.send_action(request)

    async def _run(self) -> None:
        settings = self._settings
        while True:
            wait_s: float | None = None
            try:
                await self._manager.connect()
                await self._manager.stay()
            except LoginRefused as error:
                wait_s = settings.refused_wait_s
                self._tell_person(error, error.message, _mend_login(error.message, settings))
            except NotAsterisk as error:
                self._tell_person(error, "banner", "write the address of manager.conf in [ami]")
            except (LinkDown, LinkTimeout) as error:
                self._tell_down(str(error))
            except Exception as error:
                # A fault of ours must not end the link for good.
                log.exception("AMI link to %s: a fault in dialwarden", settings.address)
                self._tell_down(repr(error))
                wait_s = settings.backoff_most_s
            finally:
                self._manager.close()
            await asyncio.sleep(self._backoff.next() if wait_s is None else wait_s)

    def _went_up(self) -> None:
        assert self._manager.protocol is not None
        self.up = True
        self.up_since = asyncio.get_running_loop().time()
        self.reconnects += self._was_up
        self._was_up = True
        self._told_down, self._told_person = None, ""
        self.status = f"up, Asterisk Call Manager {self._manager.protocol.version}"
        log.info("AMI link to %s %s", self._settings.address, self.status)
        self._greeter = asyncio.create_task(self._greet(), name="ami-link-up")

    async def _greet(self) -> None:
        try:
            await self._on_up()
        except LinkDown:
            pass  # its loss is told, and greeted anew when it is back
        except Exception:
            log.exception("what follows a new AMI link failed")

    def _went_down(self, why: str) -> None:
        assert self.up_since is not None
        now = asyncio.get_running_loop().time()
        # A connection that is lost as soon as it stands is no reason to hurry.
        if now - self.up_since > self._settings.backoff_most_s:
            self._backoff.reset()
        self.up, self.up_since = False, None
        self._down_since = now
        if self._greeter is not None and self._greeter is not asyncio.current_task():
            self._greeter.cancel()
        if self._stopped:
            return
        self._tell_down(why)
        try:
            self._on_down(why)
        except Exception:
            log.exception("what follows the loss of the AMI link failed")

    def _tell_down(self, why: str) -> None:
        """At once when it is news, then seldom."""
        self.status = f"down: {why}"
        now = asyncio.get_running_loop().time()
        address = self._settings.address
        if self._told_down is None:
            log.warning("AMI link to %s down: %s; trying again", address, why)
        elif now - self._told_down >= _STILL_DOWN_EVERY_S:
            down_s = now - self._down_since
            log.warning("AMI link to %s still down after %.0f s: %s", address, down_s, why)
        else:
            return
        self._told_down = now

    def _tell_person(self, error: DialwardenError, key: str, mend: str) -> None:
        """What will not mend itself: once, until it is another thing."""
        self.status = f"down: {error}"
        if key != self._told_person:
            self._told_person = key
            self._told_down = asyncio.get_running_loop().time()
            log.error("AMI link to %s down: %s; %s", self._settings.address, error, mend)


def _mend_login(message: str, settings: LinkSettings) -> str:
    if message == "Login Already In Use":
        return f"write allowmultiplelogin=yes in [general] or [{settings.username}] of manager.conf"
    return (
        f"compare username and secret of [ami] with [{settings.username}] in manager.conf, and its "
        f"permit and deny with our address; next try in {settings.refused_wait_s:.0f} s"
    )
