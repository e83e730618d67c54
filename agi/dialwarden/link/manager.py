"""panoramisk's Manager made safe: one connection at a time, from connecting to its end.

Owns connecting, logging in, pinging and handing events on. Refuses to know when to try again, and
what is logged about it, which is connection.py's: nothing here has a timer that outlives a
connection, and nothing is kept to be sent again on the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from panoramisk.manager import Manager

from dialwarden.link.errors import (
    ActionFailed,
    LinkDown,
    LinkTimeout,
    LoginRefused,
    NotAsterisk,
)
from dialwarden.link.protocol import BANNER, Event, LinkProtocol, Request, reason_of
from dialwarden.link.settings import LinkSettings

log = logging.getLogger("dialwarden.ami")

# A handler that raises does so at every event: once at once, then so seldom, with their number.
_FAULT_EVERY_S = 60.0
# manager.c's answer to every action once a stop has begun, whoever asks: it says nothing about us.
_SHUTTING_DOWN = "Asterisk is shutting down"


class LinkManager(Manager):  # type: ignore[misc]  # panoramisk ships no types
    """The connection to one Asterisk.

    Attributes:
        events_seen: events of all connections so far, wanted or not.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        on_event: Callable[[Event], None],
        on_login: Callable[[], None],
        on_disconnect: Callable[[str], None],
        wanted: frozenset[str] | None = None,
    ) -> None:
        """Prepare; needs no loop.

        Args:
            on_event: called in the loop, in order; what it raises is logged.
            on_login: called when the login is accepted, before any event is handed on. Must not
                raise, nor may `on_disconnect`.
            on_disconnect: called with why, when a connection that was logged in is over.
        """
        super().__init__(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            secret=settings.secret,
            events=settings.events,
            ssl=settings.ssl,
            encoding="utf-8",
            log=log,
            on_login=on_login,
            on_disconnect=on_disconnect,
        )
        # Nothing can wait here to be sent again.
        self.awaiting_actions: deque[Request] = deque(maxlen=0)
        self.protocol: LinkProtocol | None = None
        self.events_seen = 0
        self._settings = settings
        self._on_event = on_event
        self._wanted = wanted
        self._banner: asyncio.Future[str] | None = None
        self._lost: asyncio.Future[str] | None = None
        self._silent_until: float | None = None
        self._kept_back = 0

    def register_event(self, pattern: str, callback: Callable[..., Any]) -> Callable[..., Any]:
        """Register nothing: the one handler is given at the start, and what the base class wants
        registered here is its re-sending of actions.
        """
        return callback

    async def connect(self) -> str:
        """Connect and log in; give Asterisk's banner. Afterwards, `stay`.

        Raises:
            LinkDown: it could not be reached, or left us before the end.
            NotAsterisk: who answers there greets like something else.
            LinkTimeout: the login was not answered.
            LoginRefused: it was, with an error.
        """
        self.loop = asyncio.get_running_loop()
        self._banner, self._lost = self.loop.create_future(), self.loop.create_future()
        await self._open()
        banner = await self._greeting()
        await self.login()
        return banner

    async def _open(self) -> None:
        settings = self._settings
        name = (settings.tls_name or settings.host) if settings.ssl else None
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                await self.loop.create_connection(
                    self._new_protocol,
                    settings.host,
                    settings.port,
                    ssl=settings.ssl,
                    server_hostname=name,
                )
        except TimeoutError:
            raise LinkDown(f"no connection within {settings.connect_timeout_s:g} s") from None
        # UnicodeError: a host name that cannot be one.
        except (OSError, UnicodeError) as error:
            raise LinkDown(reason_of(error)) from error

    def _new_protocol(self) -> LinkProtocol:
        self.protocol = LinkProtocol(self, wanted=self._wanted, limit=self._settings.buffer_limit)
        return self.protocol

    async def _greeting(self) -> str:
        assert self.protocol is not None
        assert self._banner is not None
        assert self._lost is not None
        timeout_s = self._settings.connect_timeout_s
        await asyncio.wait(
            (self._banner, self._lost), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if self._banner.done():
            banner = self._banner.result()
            if banner.startswith(BANNER):
                return banner
            self.protocol.close()
            raise NotAsterisk(banner)
        if self._lost.done():
            raise LinkDown(self._lost.result())
        self.protocol.close()
        raise LinkDown(
            f"it took the connection and said nothing within {timeout_s:g} s "
            "(Asterisk hangs, or the port speaks TLS and we do not)"
        )

    async def login(self) -> None:
        """Log in; what was registered with `on_login` runs before this returns.

        Raises:
            LinkDown, LinkTimeout: as `send_action`.
            LoginRefused: Asterisk answered with an error.
        """
        settings = self._settings
        headers = [
            ("Username", settings.username),
            ("Secret", settings.secret),
            ("Events", settings.events),
        ]
        try:
            await self.send_action(Request("Login", headers, on_success=self._accepted))
        except ActionFailed as error:
            if error.message == _SHUTTING_DOWN:
                raise LinkDown(error.message) from None
            raise LoginRefused("Login", error.message) from None

    def _accepted(self) -> None:
        assert self.protocol is not None
        self.authenticated = self.protocol.authenticated = True
        self.on_login()

    async def stay(self) -> str:
        """Keep the connection until it is lost; give why it was."""
        assert self._lost is not None
        pinger = asyncio.create_task(self.ping(), name="ami-ping")
        try:
            return await self._lost
        finally:
            pinger.cancel()

    async def ping(self) -> NoReturn:
        """Ask for a sign of life for ever; without one the connection is dropped."""
        settings = self._settings
        while True:
            await asyncio.sleep(settings.ping_every_s)
            try:
                await self.send_action(Request("Ping"), settings.ping_timeout_s)
            except LinkTimeout:
                assert self.protocol is not None
                self.protocol.drop(f"no answer to a ping within {settings.ping_timeout_s:g} s")
            except (LinkDown, ActionFailed):
                continue  # an error is a sign of life too; of a loss `stay` knows

    async def send_action(self, action: Request, timeout_s: float | None = None) -> Any:
        """Send an action once, and give its answer.

        Raises:
            LinkDown: there is no link, or it was lost before the answer.
            LinkTimeout: no answer in time.
            ActionFailed: Asterisk answered with an error.
        """
        if self.protocol is None:
            raise LinkDown("there is no connection to Asterisk yet")
        if timeout_s is None:
            timeout_s = self._settings.action_timeout_s
        protocol = self.protocol
        future = protocol.send(action)
        try:
            # Not `wait_for`: an answer that came while the loop was held up is an answer.
            await asyncio.wait((future,), timeout=timeout_s)
            if not future.done():
                raise LinkTimeout(action.name, timeout_s)
            return future.result()
        finally:
            protocol.forget(action)
            if not future.cancel():
                future.exception()  # seen, if only by us: the asker may be gone

    def banner_came(self, banner: str) -> None:
        """As `Keeper`."""
        if self._banner is not None and not self._banner.done():
            self._banner.set_result(banner)

    def dispatch(self, event: Event) -> None:
        """Hand an event on; what the handler raises is logged and ends nothing."""
        try:
            self._on_event(event)
        except Exception:
            self._tell_fault(event)

    def _tell_fault(self, event: Event) -> None:
        now = self.loop.time()
        if self._silent_until is not None and now < self._silent_until:
            self._kept_back += 1
            return
        self._silent_until = now + _FAULT_EVERY_S
        log.exception(
            "the event %s was not dealt with: a fault in dialwarden, please report it "
            "(%d more since the last such line)",
            event.get("event", ""),
            self._kept_back,
        )
        self._kept_back = 0

    def connection_lost(self, exc: str) -> None:
        """As `Keeper`; nothing is tried again from here."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(exc)
        if self.authenticated:
            self.authenticated = False
            self.on_disconnect(exc)

    def close(self) -> None:
        """End the connection, whatever its state."""
        if self.protocol is not None:
            self.protocol.close()
