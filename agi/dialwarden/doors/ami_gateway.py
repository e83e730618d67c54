"""The AMI gateway: a dialer connects to it in place of Asterisk's AMI.

Owns admission (who may connect, how many at once), the shutdown and the counters. One client's
relay is `ami_client.py`; what becomes of a request is `ami_rulings.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from dialwarden.doors.admission import Admission
from dialwarden.doors.ami_client import AmiClient
from dialwarden.doors.ami_rulings import Relay, Rulings
from dialwarden.doors.listeners import Listeners
from dialwarden.doors.seldom import SeldomLog

BACKLOG = 1024
# A client that connects and does not speak TLS is not counted among the clients yet.
HANDSHAKE_TIMEOUT_S = 10.0
# After the grace: for what is written to leave, and for rulings under way to be taken back.
LAST_WORDS_S = 0.5


@dataclass(frozen=True, slots=True)
class Upstream:
    """Asterisk's AMI.

    Attributes:
        host: name or address.
        ssl: None for plain TCP.
        tls_name: the name in its certificate; "" for `host`.
        connect_timeout_s: with the TLS handshake.
    """

    host: str
    port: int
    ssl: ssl.SSLContext | None = None
    tls_name: str = ""
    connect_timeout_s: float = 3.0

    @property
    def server_hostname(self) -> str | None:
        """The name that its certificate must hold; None without TLS."""
        return (self.tls_name or self.host) if self.ssl is not None else None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Limits of the gateway.

    Attributes:
        allow_from: networks that may connect.
        max_clients: open at once; each is a connection to Asterisk too.
        max_backlog: bytes that a client may leave unread before it is cut.
        ssl: None for plain TCP.
        login_timeout_s: from the connection to a login that Asterisk accepts.
        ruling_timeout_s: from a request to its ruling; refused as unavailable after that.
        held_error_s: how long an error of ours without an ActionID waits for the responses before.
        linger_s: from a close to the end, for a peer that takes what was written slowly.
    """

    allow_from: tuple[IPv4Network | IPv6Network, ...] = (ip_network("127.0.0.0/8"),)
    max_clients: int = 200
    max_backlog: int = 8 << 20
    ssl: ssl.SSLContext | None = None
    login_timeout_s: float = 30.0
    ruling_timeout_s: float = 5.0
    held_error_s: float = 120.0
    linger_s: float = 5.0


@dataclass(slots=True)
class GatewayCounters:
    """What happened since the start; each only ever grows."""

    accepted: int = 0  # connections admitted
    refused_peer: int = 0  # closed: not in allow_from
    refused_limit: int = 0  # closed: over max_clients
    refused_upstream: int = 0  # closed: Asterisk's AMI could not be reached
    logins: int = 0  # accepted by Asterisk
    login_timeouts: int = 0
    relayed: int = 0  # requests written to Asterisk
    refused: int = 0  # … answered by us: the ruling
    bad: int = 0  # … could be read in two ways
    denied: int = 0  # … concern us and came before a login
    unavailable: int = 0  # … no ruling came in time, or it failed
    taken_back: int = 0  # relays with reserved attempts that were not dialled
    cut: int = 0  # clients that did not read
    upstream_lost: int = 0  # connections that Asterisk ended


class AmiGateway:
    """Serves AMI clients on listening sockets until it is stopped.

    Args:
        rulings: what becomes of a request.
        upstream: where Asterisk's AMI is.
        settings: the limits.
        log: where the lines go; what a peer sent is escaped in them.
    """

    def __init__(
        self,
        rulings: Rulings,
        *,
        upstream: Upstream,
        settings: GatewaySettings | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self.rulings = rulings
        self.upstream = upstream
        self.settings = settings or GatewaySettings()
        self.counters = GatewayCounters()
        self.log = log or logging.getLogger("dialwarden.gateway")
        self.seldom = SeldomLog(self.log)
        self._admission = Admission(self.settings.allow_from)
        self._listeners = Listeners()
        self._open: set[AmiClient] = set()
        self._works: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()  # nobody is connected
        self._quiet.set()

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._open)

    async def start(self, sock: socket.socket) -> None:
        """Accept clients on `sock`, a bound stream socket, which the gateway closes at its end.

        May be called once for each address to be served.
        """
        loop = asyncio.get_running_loop()
        await self._listeners.add(
            sock,
            lambda: AmiClient(self, loop),
            backlog=BACKLOG,
            secure=self.settings.ssl,
            handshake_timeout_s=HANDSHAKE_TIMEOUT_S,
        )

    async def stop(self, grace_s: float = 5.0) -> None:
        """Stop accepting and reading, end what is under way, then close.

        1. No connection is accepted, and no client's request read, any more.
        2. A client without anything under way is closed at once, the others when their requests
           are ruled on, sent and answered, for at most `grace_s` seconds.
        3. Who is left is cut; what was reserved and not sent is taken back.
        """
        await self._listeners.close()
        for client in list(self._open):
            client.finish()
        await self._wait_quiet(grace_s)
        if self._open:
            self.log.warning(
                "%d AMI clients with requests under way after %g s of grace; closed",
                len(self._open), grace_s,
            )  # fmt: skip
            for client in list(self._open):
                client.abort()
            await self._wait_quiet(LAST_WORDS_S)
        if self._works:
            await asyncio.wait(self._works, timeout=LAST_WORDS_S)
        for work in self._works:
            work.cancel()
        if self._works:
            await asyncio.wait(self._works, timeout=LAST_WORDS_S)

    async def _wait_quiet(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), seconds)

    # What a client calls.

    def admits(self, host: str) -> bool:
        """Whether a host may connect; a warning says so when it may not."""
        if self._admission.admits(host):
            return True
        self.counters.refused_peer += 1
        self.seldom.warning(
            "peer", "AMI client %s is not in [gateway] allow_from (%s); its connections are closed",
            ascii(host), ", ".join(map(str, self.settings.allow_from)),
        )  # fmt: skip
        return False

    def enter(self, client: AmiClient) -> bool:
        """Count a client in, unless there are too many."""
        if len(self._open) >= self.settings.max_clients:
            self.counters.refused_limit += 1
            self.seldom.warning(
                "limit", "AMI client %s closed: %d are connected (gateway.max_clients = %d)",
                client.peer, len(self._open), self.settings.max_clients,
            )  # fmt: skip
            return False
        self.counters.accepted += 1
        self._open.add(client)
        self._quiet.clear()
        return True

    def leave(self, client: AmiClient) -> None:
        self._open.discard(client)
        if not self._open:
            self._quiet.set()

    def keep(self, work: asyncio.Task[None]) -> None:
        """Keep a task of a client until it has ended, also when the client is gone."""
        self._works.add(work)
        work.add_done_callback(self._works.discard)

    def take_back(self, relay: Relay, why: str) -> None:
        """Tell the gate that what it allowed was not dialled."""
        if not relay.answers:
            return
        self.counters.taken_back += 1
        try:
            self.rulings.take_back(relay, why)
        except Exception:
            self.log.exception("cannot take back an allowed call (%s); it stays counted", why)
