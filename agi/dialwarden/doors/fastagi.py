"""The FastAGI server: accepts Asterisk's connections and brings the gate's answers to them.

Owns admission (who may connect, how many at once), the deadlines, the shutdown and the counters.
One connection is `agi_conversation.py`; what is asked and answered is the gate's.

Never an ALLOW of our own making: what we say without the gate is what `unavailable` gives.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from dialwarden.doors.admission import Admission
from dialwarden.doors.agi_conversation import Conversation, Trouble
from dialwarden.doors.dozing import Dozing
from dialwarden.doors.listeners import Listeners
from dialwarden.doors.seldom import SeldomLog
from dialwarden.wire.agi_request import AgiRequest

# Measured on Asterisk 22: asyncio's default of 100 gives one-second connect retries at 128 calls at
# once, and Asterisk gives up at 2 s. The kernel cuts it to net.core.somaxconn (4096 by default).
BACKLOG = 4096
# Deadlines are kept to this much; a timer per connection would cost more than the whole parse.
SWEEP_S = 0.05
# After the grace: for writing the last refusals, and for coroutines to take their cancellation.
LAST_WORDS_S = 0.5

Answer = Callable[[AgiRequest, str], Awaitable[Mapping[str, str]]]
Unavailable = Callable[[AgiRequest, Trouble], Mapping[str, str]]
Undelivered = Callable[[AgiRequest, Trouble], None]


@dataclass(frozen=True, slots=True)
class FastAgiSettings:
    """Limits of the server.

    Attributes:
        allow_from: networks that may connect.
        environment_timeout_s: from the connection to the blank line; Asterisk needs 1 ms.
        question_deadline_s: from the question to the verdict; below the 2 s of the dialplan.
        reply_timeout_s: from the verdict to Asterisk's reply.
        max_connections: open at once; each is a call that waits, and a file descriptor.
    """

    allow_from: tuple[IPv4Network | IPv6Network, ...] = (ip_network("127.0.0.0/8"),)
    environment_timeout_s: float = 2.0
    question_deadline_s: float = 1.5
    reply_timeout_s: float = 2.0
    max_connections: int = 2000


@dataclass(slots=True)
class FastAgiCounters:
    """What happened since the start; each only ever grows."""

    accepted: int = 0  # connections admitted
    refused_peer: int = 0  # closed: not in allow_from
    refused_limit: int = 0  # closed: over max_connections
    asked: int = 0  # whole environments
    answered: int = 0  # verdicts written, ours and the gate's
    confirmed: int = 0  # … and Asterisk replied 200
    rejected: int = 0  # … and Asterisk replied 5xx
    unconfirmed: int = 0  # … and no reply came
    unavailable: int = 0  # answered without the gate
    failed: int = 0  # the gate raised, or answered what cannot be sent
    undelivered: int = 0  # answers of the gate that are not on the channel
    protocol_errors: int = 0
    environment_timeouts: int = 0
    question_timeouts: int = 0
    reply_timeouts: int = 0


class FastAgiServer:
    """Serves FastAGI on listening sockets until it is stopped.

    Args:
        answer: the gate: a request and the peer's "host:port" in, variable name to value out. It
            may be a coroutine function, or return a future, which saves a task a question; either
            is cancelled when the deadline passes or the peer leaves. A request with faults is
            its to refuse.
        unavailable: the variables of a refusal that the gate did not give, when it was late,
            failed or stopping. Called for every script, and the one place where an emergency
            number can still be let through; it must not block.
        undelivered: told of every request whose answer is not on the channel, so that a reserved
            attempt can be voided. See `agi_conversation.py` for the promise.
        settings: the limits.
        log: where the lines go; what a peer sent is escaped in them.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        unavailable: Unavailable,
        undelivered: Undelivered | None = None,
        settings: FastAgiSettings | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self.answer = answer
        self.unavailable = unavailable
        self.settings = settings or FastAgiSettings()
        self.counters = FastAgiCounters()
        self.log = log or logging.getLogger("dialwarden.agi")
        self.seldom = SeldomLog(self.log)
        self.dozing = Dozing()
        self._undelivered = undelivered
        self._admission = Admission(self.settings.allow_from)
        self._listeners = Listeners()
        self._open: set[Conversation] = set()
        self._orphans: set[asyncio.Future[Mapping[str, str]]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()  # nobody is connected
        self._quiet.set()

    @property
    def open_connections(self) -> int:
        return len(self._open)

    async def start(self, sock: socket.socket) -> None:
        """Accept connections on `sock`, a bound stream socket, which the server closes at its end.

        May be called once for each address to be served.
        """
        loop = asyncio.get_running_loop()
        self.dozing.add(sock)
        await self._listeners.add(sock, lambda: Conversation(self, loop), backlog=BACKLOG)

    async def stop(self, grace_s: float = 5.0) -> None:
        """Stop accepting, answer who is connected, then refuse and close who is left.

        1. No connection is accepted any more. Those waiting in the kernel's queue are left there
           for a process that shares the socket; without one they are reset.
        2. Every connected call is served as always, for at most `grace_s` seconds.
        3. What is still unanswered is refused as unavailable and everything is closed.
        """
        await self._listeners.close()
        await self._wait_quiet(grace_s)
        if self._open:
            self.log.warning(
                "%d connections still open after %g s of grace; refused and closed",
                len(self._open), grace_s,
            )  # fmt: skip
            for conversation in list(self._open):
                conversation.refuse(Trouble.STOPPING)
            await self._wait_quiet(LAST_WORDS_S)
            for conversation in list(self._open):
                conversation.abort()
            await self._wait_quiet(LAST_WORDS_S)
        if self._orphans:
            await asyncio.wait(self._orphans, timeout=LAST_WORDS_S)
        if self._orphans:
            self.log.error("%d questions do not end although cancelled", len(self._orphans))
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    async def _wait_quiet(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), seconds)

    # What a conversation calls.

    def admits(self, host: str) -> bool:
        """Whether a host may connect; the first time one may not, a warning says so."""
        first_time = not self._admission.remembers(host)
        if self._admission.admits(host):
            return True
        self.counters.refused_peer += 1
        if first_time:
            self.seldom.warning(
                "peer", "%s is not in allow_from (%s); its connections are closed",
                ascii(host), ", ".join(map(str, self.settings.allow_from)),
            )  # fmt: skip
        return False

    def enter(self, conversation: Conversation) -> bool:
        """Count a conversation in, unless there are too many."""
        if len(self._open) >= self.settings.max_connections:
            self.counters.refused_limit += 1
            self.seldom.warning(
                "limit", "%s closed: %d connections are open (limit %d)",
                conversation.peer, len(self._open), self.settings.max_connections,
            )  # fmt: skip
            return False
        self.counters.accepted += 1
        self._open.add(conversation)
        self._quiet.clear()
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)
        return True

    def leave(self, conversation: Conversation) -> None:
        self._open.discard(conversation)
        if not self._open:
            self._quiet.set()

    def adopt(self, question: asyncio.Future[Mapping[str, str]]) -> None:
        """Keep a cancelled question until it has ended."""
        self._orphans.add(question)
        question.add_done_callback(self._orphans.discard)

    def void(self, request: AgiRequest, why: Trouble) -> None:
        """Tell the gate that its answer to `request` is not on the channel."""
        self.counters.undelivered += 1
        if self._undelivered is None:
            return
        try:
            self._undelivered(request, why)
        except Exception:
            self.log.exception(
                "cannot report an undelivered answer, uniqueid %s", ascii(request.uniqueid)
            )

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for conversation in [c for c in self._open if c.deadline <= now]:
            conversation.overdue()
        self._sweeper = loop.call_later(SWEEP_S, self._sweep) if self._open else None
