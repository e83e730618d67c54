"""The link to a real Asterisk: what the fake one in tests/link only claims."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.configuration import AMI_SECRET, DIALWARDEN
from bench.pbx import WAIT_S, Pbx
from dialwarden.link.connection import AmiLink, Event, LinkSettings

# Nothing else in the session sends it.
MARK = "LinkTest"


async def until(happened: Callable[[], object], within_s: float = 3 * WAIT_S) -> None:
    give_up = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < give_up, "it did not happen"
        await asyncio.sleep(0.005)


@dataclass
class Heard:
    """What a link told."""

    told: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def up(self) -> None:
        self.told.append("up")

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event["event"] == name]


@asynccontextmanager
async def link_to(
    pbx: Pbx, heard: Heard, *, secret: str = AMI_SECRET, **more: Any
) -> AsyncIterator[AmiLink]:
    settings = LinkSettings("127.0.0.1", pbx.ami_port, DIALWARDEN, secret, **more)
    link = AmiLink(
        settings,
        on_event=heard.events.append,
        on_up=heard.up,
        on_down=heard.told.append,
        wanted=frozenset({"userevent", "hangup", "originateresponse"}),
    )
    await link.start()
    try:
        yield link
    finally:
        await link.stop()


async def test_it_logs_in_and_asks(pbx: Pbx) -> None:
    async with link_to(pbx, Heard()) as link:
        await until(lambda: link.up)
        settings = await link.ask("CoreSettings")
        assert link.status == f"up, Asterisk Call Manager {settings['amiversion']}"
        assert (await link.ask("Ping"))["ping"] == "Pong"
        said = await link.ask("Command", [("Command", "core show version")])
        assert said["output"] == pbx.cli("core show version")
        connected = await link.ask("Command", [("Command", "manager show connected")])
        assert DIALWARDEN in connected["output"]
        assert "\n" in connected["output"]


async def test_a_channel_is_listed_and_hung_up(pbx: Pbx) -> None:
    heard = Heard()
    async with link_to(pbx, heard) as link:
        await until(lambda: link.up)
        assert await link.ask_list("CoreShowChannels") == []
        call = pbx.originate("Local/T@bench-gosub/n")
        listed = await link.ask_list("CoreShowChannels")
        assert sorted(channel["channel"] for channel in listed) == sorted(pbx.channels())
        assert {channel["linkedid"] for channel in listed} == {call.id}
        (status,) = await link.ask_list("Status", [("Channel", listed[0]["channel"])])
        assert status["channel"] == listed[0]["channel"]
        assert link.post("Hangup", [("Channel", listed[0]["channel"]), ("Cause", "21")])
        await until(lambda: len(heard.named("Hangup")) == 2)
        assert {event["linkedid"] for event in heard.named("Hangup")} == {call.id}


async def test_events_of_others_come_as_they_were_sent(pbx: Pbx) -> None:
    heard = Heard()
    async with link_to(pbx, heard) as link:
        await until(lambda: link.up)
        sent = [f"{number}: Éloïse Nuñez 東京 {'x' * number}" for number in range(0, 600, 3)]
        for text in sent:
            pbx.ami.action("UserEvent", UserEvent=MARK, Text=text)
        await until(lambda: len(heard.named("UserEvent")) == len(sent))
        assert [event["text"] for event in heard.named("UserEvent")] == sent
        assert link.events_seen > len(sent)  # FullyBooted is counted and not wanted
        answer = pbx.ami.ask(
            "Originate", Channel="Local/none@bench-none", Application="Wait", Data="1", Async="true"
        )
        await until(lambda: heard.named("OriginateResponse"))
        (response,) = heard.named("OriginateResponse")
        assert response["actionid"] == answer["ActionID"]
        assert response["response"] == "Failure"


async def test_a_wrong_secret_is_a_refused_login(pbx: Pbx) -> None:
    heard = Heard()
    async with link_to(pbx, heard, secret="wrong") as link:
        await until(lambda: link.status.startswith("down: "))
        assert link.status == "down: Asterisk refused Login: 'Authentication failed'"
    assert heard.told == []


async def test_a_killed_asterisk_is_back_as_soon_as_it_listens(pbx: Pbx) -> None:
    heard = Heard()
    async with link_to(pbx, heard) as link:
        await until(lambda: link.up)
        # In this thread: Asterisk ends with the thread that started it.
        pbx.restart(kill=True)
        await until(lambda: link.reconnects == 1 and link.up)
        assert (await link.ask("Ping"))["ping"] == "Pong"
    assert len(heard.told) == 3
    assert heard.told[0] == heard.told[2] == "up"


async def test_an_asterisk_that_hangs_is_given_up_and_found_again(pbx: Pbx) -> None:
    heard = Heard()
    quick = {"ping_every_s": 0.1, "ping_timeout_s": 1.0, "connect_timeout_s": 1.0}
    async with link_to(pbx, heard, **quick) as link:
        await until(lambda: link.up)
        os.kill(pbx.pid, signal.SIGSTOP)
        try:
            await until(lambda: not link.up)
            assert heard.told[1] == "no answer to a ping within 1 s"
            # The kernel still takes connections for it.
            await until(lambda: "said nothing" in link.status)
        finally:
            os.kill(pbx.pid, signal.SIGCONT)
        await until(lambda: link.up)
        assert (await link.ask("Ping"))["ping"] == "Pong"
