"""A gateway between a fake Asterisk and its clients, before rulings that a test makes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.doors.fake_ami import AmiPeer, FakeAmi, ami_peer, fake_ami

from dialwarden.doors.ami_gateway import AmiGateway, GatewaySettings, Upstream
from dialwarden.doors.ami_rulings import Refuse, Relay
from dialwarden.doors.listening import listen
from dialwarden.wire.ami_request import AmiRequest

Rule = Callable[[AmiRequest], Awaitable[Relay | Refuse]]

OPPOSED = "PJSIP/0600000000@carrier"
ALLOWED = "PJSIP/0612345678@carrier"
REFUSED = "dialwarden: objection: the callee objected"


def allow(request: AmiRequest, permit: str = "dw-1") -> Relay:
    """As the real ones rule: the permit is put in, and one attempt is reserved."""
    reserved: Any = (f"attempt for {request.action_id or request.get('Channel')}",)
    return Relay(request.with_header("ChannelId", permit), reserved)


async def by_channel(request: AmiRequest) -> Relay | Refuse:
    if request.get("Channel") == OPPOSED:
        return Refuse("objection", "the callee objected")
    return allow(request)


@dataclass
class FakeRulings:
    """Rules on Originate alone.

    Attributes:
        rule_on: what is ruled; by the channel unless a test says otherwise.
        asked: (user, ActionID) of every request ruled on.
        taken_back: (what was reserved, why).
    """

    rule_on: Rule = by_channel
    asked: list[tuple[str, str]] = field(default_factory=list)
    taken_back: list[tuple[str, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def concerns(self, request: AmiRequest) -> bool:
        if request.get("Channel") == "broken":
            raise ValueError("broken")
        return request.action.lower() == "originate"

    async def rule(self, request: AmiRequest, *, user: str, peer: str) -> Relay | Refuse:
        assert peer.startswith("127.0.0.1:")
        self.asked.append((user, request.action_id))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.rule_on(request)
        finally:
            self.under_way -= 1

    def take_back(self, relay: Relay, why: str) -> None:
        self.taken_back.extend((str(reserved), why) for reserved in relay.answers)


@dataclass
class Relayed:
    """A gateway under test and both its ends."""

    ami: FakeAmi
    gateway: AmiGateway
    rulings: FakeRulings
    port: int

    @contextlib.asynccontextmanager
    async def client(self, user: str = "dialer") -> AsyncIterator[AmiPeer]:
        """A client that has logged in; "" for one that has said nothing."""
        async with ami_peer(self.port) as peer:
            if user:
                await peer.login(user)
            yield peer


@contextlib.asynccontextmanager
async def serving(
    ami: FakeAmi,
    *,
    rulings: FakeRulings | None = None,
    upstream: Upstream | None = None,
    **limits: Any,
) -> AsyncIterator[Relayed]:
    rulings = rulings or FakeRulings()
    gateway = AmiGateway(
        rulings,  # type: ignore[arg-type]
        upstream=upstream or Upstream("127.0.0.1", ami.port),
        settings=GatewaySettings(**limits),
    )
    sock = listen("127.0.0.1:0")
    port = sock.getsockname()[1]
    await gateway.start(sock)
    try:
        yield Relayed(ami, gateway, rulings, port)
    finally:
        await gateway.stop(grace_s=0.2)
        assert gateway.clients == 0


@contextlib.asynccontextmanager
async def relayed(**limits: Any) -> AsyncIterator[Relayed]:
    async with fake_ami() as ami, serving(ami, **limits) as all_of_it:
        yield all_of_it


class Gates:
    """Rulings that come when a test lets them, by ActionID."""

    def __init__(self) -> None:
        self._gates: dict[str, asyncio.Event] = {}

    def open(self, action_id: str) -> None:
        self._gates.setdefault(action_id, asyncio.Event()).set()

    async def __call__(self, request: AmiRequest) -> Relay | Refuse:
        await self._gates.setdefault(request.action_id, asyncio.Event()).wait()
        return await by_channel(request)
