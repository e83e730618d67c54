"""One connection from Asterisk: its question in, one command out, its reply, the end.

Owns what happens at each event of one connection, and the promise made to the gate:

    For every request that the gate was asked about, exactly one of these is true: what it answered
    was written to the peer, or `undelivered(request, why)` is called, once, after its coroutine or
    future has ended.

The one exception is loud: an answer that was written and then refused by Asterisk itself (a 5xx
reply, so no variable was set) is reported as undelivered with `Trouble.REJECTED`. An answer that
was written and never confirmed counts as delivered: it may have been obeyed.

Refuses to know what a verdict is. There is no task, timer or stream per connection beside the
gate's own; deadlines are a number that the server looks at.
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from dialwarden.doors.dozing import wake_at_a_byte
from dialwarden.variables import REASON
from dialwarden.wire.agi import AgiReply, AgiSession, Phase
from dialwarden.wire.agi_command import set_variables
from dialwarden.wire.agi_request import AgiRequest
from dialwarden.wire.errors import PeerClosed, RemoteProtocolError

if TYPE_CHECKING:
    from dialwarden.doors.fastagi import FastAgiServer


# How long a peer may take for an environment before each of its bytes is looked at. Asterisk needs
# 1 ms; a person with a telnet does not mind.
DOZE_S = 0.05


class Trouble(enum.StrEnum):
    """Why the gate's answer is not what is on the channel."""

    LATE = "late"  # the deadline passed
    FAILED = "failed"  # the gate raised, or answered what cannot be sent
    STOPPING = "stopping"  # the grace of the shutdown is over
    GONE = "gone"  # the peer left, or broke the protocol, before the verdict was written
    REJECTED = "rejected"  # Asterisk replied 5xx: nothing was set


class Conversation(asyncio.Protocol):
    """The asyncio protocol of one connection."""

    __slots__ = (
        "_closing", "_dozing", "_gave_up", "_loop", "_ours", "_question", "_request", "_server",
        "_session", "_transport", "_unconfirmed", "deadline", "peer",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, server: FastAgiServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._session = AgiSession()
        self._request: AgiRequest | None = None
        self._question: asyncio.Future[Mapping[str, str]] | None = None
        self._gave_up: Trouble | None = None
        self._ours = False  # what was written is the gate's own answer
        self._unconfirmed = False  # something was written, and no reply came yet
        self._closing = False
        self._dozing = False  # not woken by few bytes
        self.peer = "?"
        self.deadline = math.inf

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        address = transport.get_extra_info("peername")
        # No address: it was gone before it was looked at. Connect and close must cost nothing.
        if not address or not self._server.admits(str(address[0])):
            self._abort()
            return
        self.peer = f"{address[0]}:{address[1]}"
        if not self._server.enter(self):
            self._abort()
            return
        self._dozing = self._server.dozing.works
        patience = DOZE_S if self._dozing else self._server.settings.environment_timeout_s
        self.deadline = self._loop.time() + patience

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            event = self._session.receive(data)
        except RemoteProtocolError as error:
            self._broken(error)
            return
        if event is None:
            if self._dozing:  # the rest may be less than what wakes a connection that dozes
                self._wake_at_a_byte()
            return
        if isinstance(event, AgiRequest):
            self._ask(event)
        else:
            self._replied(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.leave(self)
        self.deadline = math.inf
        phase = self._session.phase
        try:
            self._session.receive_eof()
        except PeerClosed as error:
            if not self._closing:
                self._left(phase, error)
        if self._unconfirmed:
            self._server.counters.unconfirmed += 1
        if self._question is not None:
            self._give_up(Trouble.GONE)
        self._closing = True

    # What the server calls.

    def overdue(self) -> None:
        """Act on a deadline that has passed."""
        server = self._server
        if self._closing:
            self._abort()
            return
        match self._session.phase:
            case Phase.ENVIRONMENT if self._dozing:
                # Fewer bytes than Asterisk ever sends, or a slow line: each is looked at from here.
                self._wake_at_a_byte()
            case Phase.ENVIRONMENT:
                server.counters.environment_timeouts += 1
                server.seldom.warning(
                    "environment", "%s sent %d bytes and no whole AGI environment in %g s; closed",
                    self.peer, self._session.pending_bytes, server.settings.environment_timeout_s,
                )  # fmt: skip
                self._abort()
            case Phase.ASKED:
                server.counters.question_timeouts += 1
                server.seldom.warning(
                    "question", "%s: no verdict within %g s; refused as unavailable, uniqueid %s",
                    self.peer, server.settings.question_deadline_s, self._uniqueid,
                )  # fmt: skip
                self.refuse(Trouble.LATE)
            case _:
                server.counters.reply_timeouts += 1
                server.seldom.warning(
                    "reply", "%s did not confirm its verdict within %g s; closed, uniqueid %s",
                    self.peer, server.settings.reply_timeout_s, self._uniqueid,
                )  # fmt: skip
                self._abort()

    def refuse(self, why: Trouble) -> None:
        """End a conversation early: an unanswered question is refused, an unasked one closed."""
        if self._session.phase is Phase.ENVIRONMENT:
            self._abort()
        elif self._session.phase is Phase.ASKED and not self._closing:
            if self._question is not None:
                self._give_up(why)
            self._say_unavailable(why)

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._abort()

    # The road of a question.

    def _ask(self, request: AgiRequest) -> None:
        server = self._server
        self._request = request
        if self._dozing:
            self._wake_at_a_byte()
        now = self._loop.time()
        server.dozing.heard(request.size, now)
        server.counters.asked += 1
        self.deadline = now + server.settings.question_deadline_s
        try:
            self._question = asyncio.ensure_future(server.answer(request, self.peer))
        except Exception as error:
            self._failed(error)
            return
        self._question.add_done_callback(self._answered)

    def _wake_at_a_byte(self) -> None:
        """From here on be woken by whatever comes: a reply is short.

        What is still to come of an environment has the rest of its time: a segment that was lost
        on the way takes some 0.2 s to come again.
        """
        self._dozing = False
        self.deadline += self._server.settings.environment_timeout_s - DOZE_S
        # It may be gone, and uvloop's then has no socket; nothing more is heard of it either way.
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            wake_at_a_byte(sock.fileno())

    def _answered(self, question: asyncio.Future[Mapping[str, str]]) -> None:
        error: BaseException | None
        if question.cancelled():
            error = asyncio.CancelledError("the question was cancelled by the gate itself")
        else:
            error = question.exception()
        if self._gave_up is not None:
            if error is not None and not isinstance(error, asyncio.CancelledError):
                self._log_failure(error)
            self._void(self._gave_up)
            return
        self._question = None
        if error is not None:
            self._failed(error)
            return
        try:
            command = set_variables(question.result(), shorten=REASON)
        except Exception as unsendable:
            self._failed(unsendable)
            return
        if self._transport.is_closing():
            self._void(Trouble.GONE)
            return
        self._ours = True
        self._say(command)

    def _say(self, command: bytes) -> None:
        self._session.command_sent()
        self.deadline = self._loop.time() + self._server.settings.reply_timeout_s
        # One write: Asterisk spins while it waits for the rest of a line.
        self._transport.write(command)
        if self._transport.is_closing():
            # asyncio sends at once, and the peer's reset came back: nothing left. (uvloop sends
            # at the end of the turn; there the answer counts as written, which is the safe side.)
            if self._ours:
                self._ours = False
                self._void(Trouble.GONE)
            return
        self._unconfirmed = True
        self._server.counters.answered += 1

    def _say_unavailable(self, why: Trouble) -> None:
        assert self._request is not None
        if self._transport.is_closing():
            return
        self._server.counters.unavailable += 1
        try:
            command = set_variables(self._server.unavailable(self._request, why), shorten=REASON)
        except Exception as error:
            # Without a word is a refusal too: the dialplan looks at the variable, not at us.
            self._log_failure(error)
            self._abort()
            return
        self._say(command)

    def _replied(self, reply: AgiReply) -> None:
        self._unconfirmed = False
        if reply.accepted:
            self._server.counters.confirmed += 1
        else:
            self._server.counters.rejected += 1
            self._server.seldom.warning(
                "rejected", "%s did not take the verdict: %d %s; uniqueid %s",
                self.peer, reply.code, ascii(reply.text[:80]), self._uniqueid,
            )  # fmt: skip
            if self._ours:
                self._void(Trouble.REJECTED)
        self._closing = True
        self._transport.close()

    # What goes wrong.

    def _broken(self, error: RemoteProtocolError) -> None:
        self._server.counters.protocol_errors += 1
        self._server.seldom.warning(
            "protocol", "%s: %s; closed, uniqueid %s", self.peer, error, self._uniqueid
        )
        if self._question is not None:
            self._give_up(Trouble.GONE)
        self._abort()

    def _left(self, phase: Phase, error: PeerClosed) -> None:
        if phase is Phase.ENVIRONMENT and not error.received:
            return  # connect and close: a port check, a load balancer
        self._server.log.info("%s %s; uniqueid %s", self.peer, error, self._uniqueid)

    def _failed(self, error: BaseException) -> None:
        self._server.counters.failed += 1
        self._log_failure(error)
        self._void(Trouble.FAILED)
        self._say_unavailable(Trouble.FAILED)

    def _give_up(self, why: Trouble) -> None:
        """Cancel the question; `_answered` reports it when its coroutine has ended."""
        question = self._question
        assert question is not None
        self._question = None
        self._gave_up = why
        self._server.adopt(question)
        question.cancel()

    def _void(self, why: Trouble) -> None:
        assert self._request is not None
        self._server.void(self._request, why)

    def _log_failure(self, error: BaseException) -> None:
        self._server.log.error(
            "%s: the question failed; refused as unavailable, uniqueid %s",
            self.peer, self._uniqueid, exc_info=error,
        )  # fmt: skip

    def _abort(self) -> None:
        self._closing = True
        self._transport.abort()

    @property
    def _uniqueid(self) -> str:
        return ascii(self._request.uniqueid) if self._request else "unknown"
