"""A watcher over a real gate and ledger, with a link that tests speak through."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.gate.world import DIALLED, World, settled

from dialwarden.gate.bypass import BypassLog
from dialwarden.gate.verdicts import Answer
from dialwarden.ledger.connection import open_ledger
from dialwarden.link.errors import LinkDown
from dialwarden.routing.trunks import Trunks, compile_trunks
from dialwarden.settings.sections import GuardMode, Trunk
from dialwarden.verdict import Phrase
from dialwarden.watch.events import Event
from dialwarden.watch.guard import Guard
from dialwarden.watch.legs import Legs
from dialwarden.watch.permits import Permits
from dialwarden.watch.settlement import Settlement
from dialwarden.watch.watcher import Watcher

PBX = "here 127.0.0.1:5038"
TRUNKS = compile_trunks(
    {
        "carrier": Trunk("carrier", "PJSIP/carrier", ("PJSIP/{number}@carrier",), "9"),
        "second": Trunk("second", "PJSIP/carrier-2", ("PJSIP/{number}@carrier-2",), ""),
    }
)


@dataclass
class Link:
    """What Asterisk would be told, and what it would answer."""

    up: bool = True
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    channels: list[Event] = field(default_factory=list)

    def post(self, action: str, headers: list[tuple[str, str]]) -> bool:
        if self.up:
            self.posted.append((action, dict(headers)))
        return self.up

    async def ask_list(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> list[Event]:
        assert action == "CoreShowChannels"
        if not self.up:
            raise LinkDown("the test says so")
        return self.channels

    @property
    def hung_up(self) -> list[str]:
        return [headers["Channel"] for action, headers in self.posted if action == "Hangup"]


@dataclass
class Seconds:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """One PBX with one bridge, minute by minute."""

    def __init__(
        self, world: World, mode: GuardMode = GuardMode.HANGUP, trunks: Trunks = TRUNKS,
        *, pbx: str = PBX,
    ) -> None:  # fmt: skip
        self.world = world
        self.mode = mode
        self.link = Link()
        self.seconds = Seconds()
        self.catches = 0
        self.user_events: list[Event] = []
        self.uris: dict[str, str] = {}
        self.permits = Permits(clock=self.seconds)
        self.legs = Legs()
        self.settlement = Settlement(world.ledger)
        guard = Guard(
            world.gate, self.permits, self.legs, self.settlement,
            BypassLog(world.gate, self.settlement.record), self.link,
            mode=lambda: self.mode, origin=self._origin, dialled_uri=self._uri, pbx=pbx,
            on_catch=self._caught,
        )  # fmt: skip
        self.watcher = Watcher(
            world.gate, self.permits, self.legs, self.settlement, guard,
            trunks=lambda: trunks, pbx=pbx, user_event=self._user_event, clock=self.seconds,
        )  # fmt: skip
        world.gate.listener = self.permits
        self._next = 0

    async def _origin(self, caller: str, place: str) -> Phrase:
        return Phrase("the dialplan at {place} on {caller}", {"place": place, "caller": caller})

    async def _uri(self, channel: str) -> str:
        return self.uris.get(channel, "")

    def _caught(self) -> None:
        self.catches += 1

    def _user_event(self, event: Event) -> None:
        self.user_events.append(event)

    async def open(self) -> None:
        """The link comes up for the first time."""
        await self.watcher.start()
        await self.watcher.link_up(self.link)

    async def close(self) -> None:
        await self.settle()
        await self.watcher.stop()

    async def settle(self) -> None:
        """Until everything that was set off is on disk."""
        await settled(self.world)
        await self.settlement.flushed()

    async def pass_time(self, seconds: float) -> None:
        self.seconds.now += seconds
        self.world.clock.advance(seconds=seconds)

    # What happens on the PBX.

    async def allowed(self, call: str, dialled: str = DIALLED, **more: Any) -> Answer:
        """A channel of the PBX appears and asks; the gate allows."""
        self.event("Newchannel", channel=f"Local/{call}-1;2", uniqueid=call, linkedid=call)
        answer = await self.world.ask(dialled, call=call, **more)
        assert answer.attempt is not None
        return answer

    def event(self, name: str, **headers: str) -> None:
        self.watcher.on_event({"event": name, **headers})

    def dial(
        self, string: str = "0612345678@carrier", call: str = "call", *,
        endpoint: str = "carrier", caller: str = "Local/x@y-1;2", uniqueid: str = "",
        caller_id: str = "", state: str = "0",
    ) -> Leg:  # fmt: skip
        """A leg begins: DialBegin."""
        self._next += 1
        leg = Leg(self, uniqueid or f"leg.{self._next}", f"PJSIP/{endpoint}-{self._next:08x}")
        self.event(
            "DialBegin", channel=caller, uniqueid=caller_id or f"caller-of-{leg.id}", linkedid=call,
            context="outbound" if caller else "", exten="0612" if caller else "", priority="3",
            destchannel=leg.channel, destuniqueid=leg.id, destlinkedid=call, dialstring=string,
            destchannelstate=state,
        )  # fmt: skip
        return leg

    # What is on record.

    def attempts(self) -> list[dict[str, object]]:
        return self.world.attempts()

    def states(self) -> list[tuple[object, object]]:
        return [(row["state"], row["outcome"]) for row in self.attempts()]

    def bypasses(self) -> list[dict[str, object]]:
        return [row for row in self.world.refusals() if row["rule"] == "bypass"]

    def legs_on_record(self) -> list[tuple[str, str, str | None]]:
        """Uniqueid, trunk and state of every leg."""
        conn = open_ledger(self.world.path, create=False)
        conn.row_factory = sqlite3.Row
        try:
            rows = conn.execute("SELECT uniqueid, trunk, state FROM leg ORDER BY id").fetchall()
        finally:
            conn.close()
        return [tuple(row) for row in rows]


@dataclass
class Leg:
    """A leg on a trunk, as the events tell of it."""

    scene: Scene
    id: str
    channel: str

    def rings(self) -> None:
        self.scene.event("Newstate", uniqueid=self.id, channel=self.channel, channelstate="5")

    def plays_early_media(self) -> None:
        self.scene.event("DialState", destuniqueid=self.id, dialstatus="PROGRESS")

    def answers(self) -> None:
        self.scene.event("Newstate", uniqueid=self.id, channel=self.channel, channelstate="6")

    def ends(self, status: str = "", cause: int = 16) -> None:
        if status:
            self.scene.event("DialEnd", destuniqueid=self.id, dialstatus=status)
        self.scene.event("Hangup", uniqueid=self.id, channel=self.channel, cause=str(cause))

    @property
    def cut(self) -> bool:
        return self.channel in self.scene.link.hung_up
