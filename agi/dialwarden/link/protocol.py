"""panoramisk's AMIProtocol made safe: Asterisk's bytes into messages, and answers to who asked.

Owns the bytes of one connection and what is under way on it. Refuses to know what events mean, and
when to connect again.

Messages are read with our own `parse_message`, not with panoramisk's `Message.from_line`: that one
decodes whatever piece of a character has come, makes a list of a header that comes twice, drops an
empty last header and percent-decodes headers named Result.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, cast

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol

from dialwarden.link.errors import ActionFailed, LinkDown
from dialwarden.wire.ami_message import action_bytes, parse_message

# A message of Asterisk's: names in lower case, the first of equal names. The lines of a Command's
# output, each a header `Output`, are one text under `output`.
Event = Mapping[str, str]

BANNER = "Asterisk Call Manager/"
# Asterisk's is 30 bytes; who sends this much without a line end is somebody else.
_BANNER_LIMIT = 256
_END = b"\r\n\r\n"
_EVENT = b"Event: "
_ACTION_ID = re.compile(rb"\r\nActionID: ([^\r\n]*)")
_SUCCESS = frozenset({"success", "goodbye", "follows"})
_SHUTDOWN = b"shutdown"


class Keeper(Protocol):
    """Who keeps a connection, and is told what comes of it."""

    events_seen: int

    def banner_came(self, banner: str) -> None:
        """The first line, or as much as came without a line end."""

    def dispatch(self, event: Event) -> None:
        """An event that is wanted. Must not raise."""

    def connection_lost(self, why: str) -> None:
        """The connection is over; told once."""


class Request(Action):  # type: ignore[misc]  # panoramisk ships no types
    """One action, its bytes, and the future of its answer. Made inside a running loop only.

    The answer is the response, or with `as_list` the list of the events that follow it.

    Raises:
        ValueError: a name or a value holds CR, LF or NUL.
    """

    def __init__(
        self,
        action: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        as_list: bool = False,
        list_limit: int = 0,
        on_success: Callable[[], None] | None = None,
    ) -> None:
        # By chance, not counted: every client of Asterisk's sees the ActionIDs of many others.
        action_id = f"dialwarden-{secrets.token_hex(8)}"
        self.data = action_bytes(action, [("ActionID", action_id), *headers])
        super().__init__({"Action": action, "ActionID": action_id}, as_list=as_list)
        self.name = action
        self._list_limit = list_limit
        self._on_success = on_success

    def __repr__(self) -> str:
        """Without the headers: a login's hold the secret."""
        return f"<{self.name} {self.id}>"

    __str__ = __repr__

    def add_message(self, message: Event) -> bool:
        """Take a response or a list's event; give whether the answer is complete."""
        if "response" not in message:
            return self._add_event(message)
        if message["response"].lower() not in _SUCCESS:
            return self.fail(ActionFailed(self.name, message.get("message", "")))
        if self._on_success is not None:
            self._on_success()
        if not self.as_list:
            return self._succeed(message)
        if message.get("eventlist", "").lower() != "start":
            # An empty list would say that there are no channels.
            return self.fail(ActionFailed(self.name, "the answer is no list"))
        return False

    def _add_event(self, event: Event) -> bool:
        marked = event.get("eventlist", "").lower()
        if marked == "cancelled":
            return self.fail(ActionFailed(self.name, "the list was cancelled"))
        if marked == "complete" or event.get("event", "").endswith("Complete"):
            return self._succeed(self.responses)
        if len(self.responses) >= self._list_limit:
            return self.fail(
                ActionFailed(self.name, f"the list is longer than {self._list_limit} events")
            )
        self.responses.append(event)
        return False

    def _succeed(self, answer: Event | list[Event]) -> bool:
        if not self.future.done():
            self.future.set_result(answer)
        return True

    def fail(self, error: Exception) -> bool:
        """Answer with an error; True, as from `add_message`."""
        if not self.future.done():
            self.future.set_exception(error)
        return True


class LinkProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk ships no types
    """One connection. Whatever comes, the memory it takes is bounded by `limit`.

    What is read is handled at once, in the loop, so there is nothing to pause reading for: the
    socket's own buffer is the back-pressure.

    Attributes:
        authenticated: our login was answered with Success; before it no event is handed on.
        responses: the actions under way, by ActionID.
    """

    def __init__(self, keeper: Keeper, *, wanted: frozenset[str] | None, limit: int) -> None:
        """Begin before the banner.

        Args:
            wanted: names of events, in lower case; None for all. Others are counted, not parsed.
            limit: bytes of one message, and bytes that wait to be sent.
        """
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.authenticated = False
        self.version: str | None = None
        self.responses: dict[str, Request] = {}
        self._keeper = keeper
        self._wanted = None if wanted is None else frozenset(name.encode() for name in wanted)
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0  # so far no end of a message was found
        self._leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        # Told, not asserted: uvloop's transports are none of asyncio's classes.
        transport = cast(asyncio.Transport, transport)
        self.transport = transport
        if self.closed:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes, cut anywhere."""
        if self.closed:
            return
        buffer = self._buffer
        buffer += data
        if self.version is None and not self._take_banner():
            return
        start, seen = 0, 0
        while (end := buffer.find(_END, self._searched)) >= 0:
            if buffer.startswith(_EVENT, start):
                seen += 1
                name = bytes(buffer[start + len(_EVENT) : buffer.find(b"\r", start)]).lower()
                # Most of what a busy Asterisk says ends here.
                if self._is_wanted(name) or self.responses or name == _SHUTDOWN:
                    self._take_event(name, bytes(buffer[start:end]))
            else:
                self._take_other(bytes(buffer[start:end]))
            if self.closed:
                break
            start = self._searched = end + len(_END)
        self._keeper.events_seen += seen
        if self.closed:
            return
        del buffer[:start]
        self._searched = max(0, len(buffer) - len(_END) + 1)
        if len(buffer) > self._limit:
            self.drop(f"it sent a message without an end: {len(buffer)} bytes so far")

    def _take_banner(self) -> bool:
        """Read the first line; False when it is not all there, or not Asterisk's."""
        line, end, rest = bytes(self._buffer).partition(b"\n")
        if not end and len(line) <= _BANNER_LIMIT:
            return False
        banner = line[:_BANNER_LIMIT].decode(errors="replace").strip()
        if banner.startswith(BANNER):
            self.version = banner.removeprefix(BANNER)
            self._buffer[:] = rest
        self._keeper.banner_came(banner)
        return self.version is not None and not self.closed

    def _is_wanted(self, name: bytes) -> bool:
        return self._wanted is None or name in self._wanted

    def _take_event(self, name: bytes, block: bytes) -> None:
        if self.responses and (found := _ACTION_ID.search(block)):
            request = self.responses.get(found[1].decode(errors="replace"))
            # Asterisk's list events carry it; other events may carry anything.
            if request is not None and request.as_list:
                self._answer(request, parse_message(block))
                return
        if not self.authenticated:
            return
        self._leaving = self._leaving or name == _SHUTDOWN
        if self._is_wanted(name):
            self._keeper.dispatch(parse_message(block))

    def _take_other(self, block: bytes) -> None:
        """A response; or, behind line ends too many, whatever it is; the rest is nobody's."""
        block = block.lstrip(b"\r\n")
        if block.startswith(_EVENT):
            self._keeper.events_seen += 1
            self._take_event(block[len(_EVENT) :].partition(b"\r")[0].lower(), block)
        elif block.startswith(b"Response:"):
            response = _parse_response(block)
            request = self.responses.get(response.get("actionid", ""))
            if request is not None:
                self._answer(request, response)

    def _answer(self, request: Request, message: Event) -> None:
        if request.add_message(message):
            self.responses.pop(request.id, None)

    def send(self, data: Request, as_list: bool = False) -> asyncio.Future[Any]:
        """Write an action and give the future of its answer; `forget` it when it is late.

        Raises:
            LinkDown: there is no connection, or the peer reads nothing. Nothing was written.
        """
        self.post(data)
        self.responses[data.id] = data
        future: asyncio.Future[Any] = data.future
        return future

    def post(self, request: Request) -> None:
        """Write an action whose answer nobody waits for.

        Raises:
            LinkDown: as `send`.
        """
        if self.transport is None or self.closed or self.transport.is_closing():
            raise LinkDown("there is no connection to Asterisk")
        if self.transport.get_write_buffer_size() > self._limit:
            self.drop("it reads nothing of what we send")
            raise LinkDown("Asterisk reads nothing of what we send")
        self.transport.write(request.data)

    def forget(self, request: Request) -> None:
        """Wait for this answer no longer; one that comes late is nobody's."""
        self.responses.pop(request.id, None)

    def drop(self, why: str) -> None:
        """End the connection now, whatever its state; what is under way fails. `why` is told."""
        if self.closed:
            return
        self.closed = True
        self._buffer = bytearray()
        if self.transport is not None:
            self.transport.abort()
        under_way, self.responses = self.responses, {}
        for request in under_way.values():
            request.fail(LinkDown(f"the AMI link was lost: {why}"))
        self._keeper.connection_lost(why)

    def close(self) -> None:
        """End the connection because we want to."""
        self.drop("closed by us")

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        if exc is not None:
            self.drop(reason_of(exc))
        elif self._leaving:
            self.drop("Asterisk shut down")
        else:
            self.drop("Asterisk closed the connection")


def _parse_response(block: bytes) -> Event:
    response = parse_message(block)
    if "output" in response:
        lines = (line.partition(b":") for line in block.split(b"\r\n"))
        output = [value.removeprefix(b" ") for name, _, value in lines if name == b"Output"]
        response["output"] = b"\n".join(output).decode(errors="replace")
    return response


def reason_of(error: Exception) -> str:
    """What went wrong, for people: the system's sentence where there is one."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of Asterisk is not accepted ({error.verify_message.rstrip('.')}); "
            "[ami] ca is the file of who signed it, tls_name the name in it"
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"no TLS could be agreed on ({error.reason or error}); [ami] tls and ca are for the "
            "port of tlsbindaddr in manager.conf"
        )
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
