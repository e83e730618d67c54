"""What one AMI client asks for, on its way to Asterisk, in the client's order.

Owns the order of requests, the rulings under way, which AMI user the client is, and the errors that
we answer ourselves. Refuses to know sockets; what a ruling is made of is `ami_rulings.py`'s.

Who the client is: the Username of the Login that Asterisk accepted. There is one: Asterisk answers
every later Login with "Already authenticated" and looks neither at its name nor at its secret.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dialwarden.doors.ami_answers import Unanswered, speaks_freely, surely_not_dialled
from dialwarden.doors.ami_rulings import Refuse, Relay
from dialwarden.wire.ami_message import UnsafeText, error_response
from dialwarden.wire.ami_request import AmiRequest, BadRequest, RequestReader

if TYPE_CHECKING:
    from dialwarden.doors.ami_gateway import AmiGateway

# Requests on the way at once; a client that asks for more is not read meanwhile.
MOST_UNDER_WAY = 64
# Read from what came in one go, so that a flood of tiny requests is not all in memory as objects.
SLICE_BYTES = 16 << 10
# Requests brought onto the way in one turn of the loop, so that a flood leaves others their turn.
MOST_A_TURN = 256
# A line that every client reads; Asterisk itself takes 1024 bytes.
LINE_LIMIT = 800
_SHOWN = 40  # characters of a peer's text in a line of the log


class Ends(Protocol):
    """The two connections that the requests go between."""

    peer: str

    @property
    def can_send(self) -> bool:
        """Whether Asterisk takes more."""

    @property
    def can_say(self) -> bool:
        """Whether more of ours can wait for its place among Asterisk's messages."""

    def send(self, data: bytes) -> None:
        """Write to Asterisk."""

    def say(self, data: bytes) -> None:
        """Write to the client, between two messages of Asterisk's."""

    def watch(self, watching: bool) -> None:
        """Whether Asterisk's responses are to be looked at."""

    def logged_in(self, user: str) -> None:
        """Asterisk accepted the client."""

    def moved(self) -> None:
        """The queue moved: look at it again."""


@dataclass(slots=True, eq=False)
class _Step:
    """A request on the way. Decided when it has a relay or an error."""

    action_id: str
    relay: Relay | None = None
    error: str | None = None
    user: str | None = None  # of a Login
    timer: asyncio.TimerHandle | None = None
    waited: bool = False  # long enough for the responses before it

    @property
    def decided(self) -> bool:
        return self.relay is not None or self.error is not None

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class RequestQueue:
    """The requests of one client.

    Args:
        gateway: the rulings, the limits and the counters.
        ends: the client's and Asterisk's connection.
    """

    def __init__(self, gateway: AmiGateway, ends: Ends, loop: asyncio.AbstractEventLoop) -> None:
        self.user = ""
        self._gateway = gateway
        self._ends = ends
        self._loop = loop
        self._reader = RequestReader()
        self._raw = b""  # came, and is not read yet
        self._read: deque[AmiRequest | BadRequest] = deque()
        self._under_way: deque[_Step] = deque()
        self._login_under_way = False
        self._unanswered = Unanswered()
        self._over = ""  # why nothing is sent any more
        self._advancing = False
        self._left_this_turn = 0

    @property
    def full(self) -> bool:
        """Whether more came than is on the way: the client is not to be read."""
        return bool(self._raw or self._read)

    @property
    def drained(self) -> bool:
        """Whether everything that came has been sent or answered."""
        return not (self._raw or self._read or self._under_way)

    @property
    def idle(self) -> bool:
        """… and Asterisk has answered it."""
        return self.drained and not self._unanswered

    def receive(self, data: bytes) -> None:
        """Take what the client sent."""
        if not self._over:
            self._raw += data
            self.advance()

    def read_no_more(self) -> None:
        """Forget what came and is not on the way yet."""
        self._raw = b""
        self._read.clear()

    def advance(self) -> None:
        """Bring every request as far as it can go now."""
        if self._advancing:
            return
        self._advancing = True
        self._left_this_turn = MOST_A_TURN
        try:
            while not self._over and (self._admit() or self._go()):
                pass
        finally:
            self._advancing = False
        if not self._left_this_turn and not self._over:
            self._loop.call_soon(self.advance)
        self._ends.moved()

    def drop(self, why: str) -> None:
        """Send nothing any more; what was allowed and is not sent is taken back, now or later.

        What was sent and not answered stays as it is: it may have been dialled.
        """
        if self._over:
            return
        self._over = why
        self.read_no_more()
        for step in self._under_way:
            step.stop_timer()
            if step.relay is not None:
                self._gateway.take_back(step.relay, why)
        self._under_way.clear()

    def response(self, response: Mapping[str, str]) -> None:
        """Look at a response of Asterisk's, its names in lower case."""
        sent = self._unanswered.answered(response)
        if sent is None:
            return
        if sent.user is not None:
            self._login_answered(sent.user, response)
        if self._login_under_way and not self._unanswered.login:
            self._login_under_way = any(step.user is not None for step in self._under_way)
        if sent.relay is not None and surely_not_dialled(sent, response):
            self._gateway.take_back(
                sent.relay, f"Asterisk answered: {_one_line(response.get('message', ''))}"
            )
        self._ends.watch(bool(self._unanswered))
        self.advance()

    def _login_answered(self, user: str, response: Mapping[str, str]) -> None:
        accepted = response.get("response", "").lower() == "success"
        # Had we missed that this connection is somebody's already, its user would stay who it was.
        already = response.get("message", "").lower().startswith("already")
        if accepted and not already and not self.user:
            self.user = user
            self._gateway.counters.logins += 1
            self._ends.logged_in(user)
        elif not accepted and not self.user:
            # Asterisk's own log has our address in the place of the client's.
            self._gateway.seldom.warning(
                "denied", "AMI client %s: Asterisk refused the login of %a (%s)",
                self._ends.peer, user[:_SHOWN], _one_line(response.get("message", "")),
            )  # fmt: skip

    @property
    def _name(self) -> str:
        return f"{ascii(self.user)[1:-1]}@{self._ends.peer}" if self.user else self._ends.peer

    # Onto the way.

    def _admit(self) -> bool:
        """Decide, or have ruled, what may come onto the way; whether anything did."""
        before = len(self._under_way)
        # Who sends the requests behind a Login is known when it is answered.
        while len(self._under_way) < MOST_UNDER_WAY and not self._login_under_way:
            if not self._left_this_turn:
                break
            if self._read:
                self._left_this_turn -= 1
                self._under_way.append(self._step(self._read.popleft()))
            elif self._raw:
                piece, self._raw = self._raw[:SLICE_BYTES], self._raw[SLICE_BYTES:]
                self._read.extend(self._reader.feed(piece))
            else:
                break
        return len(self._under_way) > before

    def _step(self, request: AmiRequest | BadRequest) -> _Step:
        counters = self._gateway.counters
        if isinstance(request, BadRequest):
            counters.bad += 1
            self._gateway.seldom.warning(
                "bad", "AMI client %s: a request is not relayed, since %s", self._name, request.why
            )
            return _Step(request.action_id, error=f"dialwarden: {request.why}")
        step = _Step(request.action_id)
        if not self.user and request.action.lower() == "login":
            self._login_under_way = True
            step.user = request.get("Username")
            step.relay = Relay(request)
            return step
        try:
            concerns = self._gateway.rulings.concerns(request)
        except Exception:
            self._failed(step)
            return step
        if not concerns:
            step.relay = Relay(request)
        elif not self.user:
            counters.denied += 1
            step.error = "Permission denied"  # the words of Asterisk, which would say no more
        else:
            settings = self._gateway.settings
            step.timer = self._loop.call_later(settings.ruling_timeout_s, self._late, step)
            self._gateway.keep(self._loop.create_task(self._rule(step, request)))
        return step

    async def _rule(self, step: _Step, request: AmiRequest) -> None:
        ruling: Relay | Refuse | None = None
        try:
            ruling = await self._gateway.rulings.rule(request, user=self.user, peer=self._ends.peer)
        except Exception:
            if not self._over and not step.decided:
                self._failed(step)
        if self._over or step.decided:
            if isinstance(ruling, Relay):
                self._gateway.take_back(ruling, self._over or "the ruling came too late")
        else:
            step.stop_timer()
            if isinstance(ruling, Relay):
                step.relay = ruling
            elif ruling is not None:
                self._gateway.counters.refused += 1
                step.error = f"dialwarden: {ruling.rule}: {ruling.reason}"
        self.advance()

    def _late(self, step: _Step) -> None:
        within = self._gateway.settings.ruling_timeout_s
        step.timer = None
        step.error = f"dialwarden: unavailable: there was no verdict within {within:g} s"
        self._gateway.counters.unavailable += 1
        self._gateway.log.warning(
            "%s: no ruling within %g s; refused as unavailable, ActionID %s",
            self._ends.peer, within, ascii(step.action_id),
        )  # fmt: skip
        self.advance()

    def _failed(self, step: _Step) -> None:
        step.stop_timer()
        step.error = "dialwarden: unavailable: the request could not be judged"
        self._gateway.counters.unavailable += 1
        self._gateway.log.exception(
            "%s: the ruling failed; refused as unavailable, ActionID %s",
            self._ends.peer, ascii(step.action_id),
        )  # fmt: skip

    # Off it.

    def _go(self) -> bool:
        """Send or answer what is decided and next; whether anything left."""
        left = False
        while self._under_way and self._under_way[0].decided and not self._over:
            step = self._under_way[0]
            if step.relay is None:
                if self._must_wait(step) or not self._ends.can_say:
                    break
                step.stop_timer()
                self._under_way.popleft()
                self._ends.say(_error(step.action_id, step.error or ""))
            else:
                if not self._ends.can_send:
                    break
                self._under_way.popleft()
                self._send(step, step.relay)
            left = True
        return left

    def _must_wait(self, step: _Step) -> bool:
        """Whether a client that goes by the order of responses would take this for another's."""
        if step.action_id or step.waited or not self._unanswered.nameless:
            return False
        if step.timer is None:
            wait_s = self._gateway.settings.held_error_s
            step.timer = self._loop.call_later(wait_s, self._waited, step)
        return True

    def _waited(self, step: _Step) -> None:
        step.timer = None
        step.waited = True
        self.advance()

    def _send(self, step: _Step, relay: Relay) -> None:
        try:
            data = relay.request.to_bytes()
        except UnsafeText as error:
            # What the ruling added makes it longer than Asterisk reads.
            self._gateway.counters.bad += 1
            self._gateway.take_back(relay, f"it cannot be sent: {error}")
            self._ends.say(_error(step.action_id, f"dialwarden: {error}"))
            if step.user is not None:
                self._login_under_way = False
            return
        self._unanswered.sent(
            relay.request.action_id,
            relay=relay if relay.answers else None,
            user=step.user,
            free=speaks_freely(relay.request),
        )
        self._gateway.counters.relayed += 1
        self._ends.watch(True)
        self._ends.send(data)


def _error(action_id: str, message: str) -> bytes:
    text = _one_line(message)
    try:
        return error_response(action_id, text)
    except UnsafeText:
        return error_response("", text)


def _one_line(text: str) -> str:
    """A text as a header's value: without control characters, not too long for a line."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    data = words.encode("utf-8", "replace")
    return words if len(data) <= LINE_LIMIT else data[:LINE_LIMIT].decode("utf-8", "ignore") + "…"
