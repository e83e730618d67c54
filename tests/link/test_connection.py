"""The link against a manager interface that misbehaves: each fault of the client library's, mended.

docs/panoramisk.md has the faults, and names the tests here.
"""

from __future__ import annotations

import asyncio
import logging
import ssl as tls
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.link.fake_ami import (
    SECRET,
    FakeAmi,
    Heard,
    block,
    event,
    link_to,
    linked,
    log_lines,
    texts,
    until,
)

from dialwarden.link.connection import (
    ActionFailed,
    AmiLink,
    Event,
    LinkDown,
    LinkSettings,
    LinkTimeout,
)

Lines = list[logging.LogRecord]
# Longer than any wait of a link between two tries, in these tests.
SEVERAL_TRIES_S = 0.3
NOT_FOR_US = r"header|for this link|the link's own"


def refused(message: str = "Authentication failed") -> bytes:
    return block("Response: Error", "ActionID: {id}", f"Message: {message}")


# Up, down and back.


async def test_a_link_comes_up_and_says_so(ami: FakeAmi, heard: Heard, lines: Lines) -> None:
    link = link_to(ami.port, heard)
    assert (link.up, link.status, link.up_since) == (False, "not started", None)
    await link.start()
    await until(lambda: heard.told)
    assert link.up
    assert link.up_since is not None
    assert link.status == "up, Asterisk Call Manager 9.0.0"
    assert heard.told == ["up"]
    await link.stop()
    assert (link.up, link.status, link.up_since) == (False, "stopped", None)
    assert ami.names() == ["Login", "Logoff"]
    assert ami.actions[0].items() >= {
        ("Username", "dialwarden"), ("Secret", SECRET), ("Events", "call,user,system"),
    }  # fmt: skip
    assert texts(lines) == [
        f"AMI link to 127.0.0.1:{ami.port} up, Asterisk Call Manager 9.0.0",
        f"AMI link to 127.0.0.1:{ami.port} closed",
    ]
    assert heard.told == ["up"]


async def test_a_link_that_is_lost_comes_back(ami: FakeAmi, heard: Heard, lines: Lines) -> None:
    async with linked(ami, heard) as link:
        await ami.close()
        await until(lambda: not link.up)
        with pytest.raises(LinkDown):
            await link.ask("Ping")
        await asyncio.sleep(SEVERAL_TRIES_S)
        assert link.status.startswith("down: ")
        await ami.listen()
        await until(lambda: heard.told.count("up") == 2)
        assert link.reconnects == 1
    assert [told.partition(":")[0] for told in heard.told] == ["up", "down", "up"]
    # One line for all the tries in between.
    assert [text.split(" ", 4)[4].split(" ")[0] for text in texts(lines)] == [
        "up,", "down:", "up,", "closed",
    ]  # fmt: skip


async def test_nobody_there_at_the_start(ami: FakeAmi, heard: Heard, lines: Lines) -> None:
    await ami.close()
    link = link_to(ami.port, heard)
    await link.start()
    await asyncio.sleep(SEVERAL_TRIES_S)
    (text,) = texts(lines)
    assert text.startswith(f"AMI link to 127.0.0.1:{ami.port} down: ")
    assert text.endswith("; trying again")
    await ami.listen()
    await until(lambda: link.up)
    await link.stop()
    assert link.reconnects == 0
    assert heard.told == ["up"]


async def test_a_link_that_stays_down_says_so_once_a_minute(
    ami: FakeAmi, heard: Heard, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialwarden.link.connection._STILL_DOWN_EVERY_S", 0.1)
    await ami.close()
    link = link_to(ami.port, heard)
    await link.start()
    await until(lambda: len(lines) >= 3)
    await link.stop()
    assert " still down after " not in texts(lines)[0]
    assert all(" still down after " in text for text in texts(lines)[1:])
    assert {line.levelno for line in lines} == {logging.WARNING}


async def test_an_asterisk_that_stops_is_the_reason(ami: FakeAmi, heard: Heard) -> None:
    async with linked(ami, heard, wanted=frozenset({"dialbegin"})):
        ami.say(event("Shutdown", "Shutdown: Cleanly"))
        ami.leave()
        await until(lambda: len(heard.told) >= 2)
    assert heard.told[1] == "down: Asterisk shut down"
    assert heard.events == []


# Logging in.


async def test_a_refused_login_is_said_once_with_what_to_do(
    ami: FakeAmi, heard: Heard, lines: Lines
) -> None:
    ami.answers["login"] = refused()
    link = link_to(ami.port, heard)
    await link.start()
    await until(lambda: ami.connections >= 3)
    assert not link.up
    assert link.status == "down: Asterisk refused Login: 'Authentication failed'"
    (line,) = lines
    assert line.levelno == logging.ERROR
    assert line.getMessage() == (
        f"AMI link to 127.0.0.1:{ami.port} down: Asterisk refused Login: 'Authentication failed'; "
        "compare username and secret of [ami] with [dialwarden] in manager.conf, and its permit "
        "and deny with our address; next try in 0 s"
    )
    ami.answers["login"] = refused("Login Already In Use")
    await until(lambda: len(lines) == 2)
    assert "allowmultiplelogin=yes" in texts(lines)[1]
    del ami.answers["login"]
    await until(lambda: link.up)
    await link.stop()
    assert heard.told == ["up"]


async def test_a_refused_login_is_not_tried_again_soon(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["login"] = refused()
    link = link_to(ami.port, heard, refused_wait_s=600)
    await link.start()
    await until(lambda: "refused" in link.status)
    await asyncio.sleep(SEVERAL_TRIES_S)
    assert ami.connections == 1
    await link.stop()


async def test_an_asterisk_that_shuts_down_has_refused_nothing(
    ami: FakeAmi, heard: Heard, lines: Lines
) -> None:
    ami.answers["login"] = refused("Asterisk is shutting down")
    link = link_to(ami.port, heard, refused_wait_s=600)
    await link.start()
    await until(lambda: ami.connections >= 2)
    del ami.answers["login"]
    await until(lambda: link.up)
    await link.stop()
    assert {line.levelno for line in lines} == {logging.WARNING, logging.INFO}


async def test_a_connection_cut_during_the_login_is_a_lost_one(ami: FakeAmi, heard: Heard) -> None:
    ami.hang_up_on = "login"
    link = link_to(ami.port, heard, refused_wait_s=600)
    await link.start()
    await until(lambda: ami.connections >= 3)
    ami.hang_up_on = ""
    await until(lambda: link.up)
    await link.stop()


async def test_a_login_without_an_answer_is_tried_again(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["login"] = None
    link = link_to(ami.port, heard, action_timeout_s=0.05)
    await link.start()
    await until(lambda: ami.connections >= 2)
    assert link.status == "down: no answer to Login within 0.05 s"
    await link.stop()


async def test_a_peer_that_says_nothing_is_dropped_and_tried_again(
    ami: FakeAmi, heard: Heard
) -> None:
    ami.banner = b""
    link = link_to(ami.port, heard, connect_timeout_s=0.1)
    await link.start()
    await until(lambda: ami.connections >= 2)
    assert link.status.startswith("down: it took the connection and said nothing within 0.1 s")
    await link.stop()


async def test_a_greeting_that_is_not_asterisks_is_told_once(
    ami: FakeAmi, heard: Heard, lines: Lines
) -> None:
    ami.banner = b"SSH-2.0-OpenSSH_9.2\r\n"
    link = link_to(ami.port, heard)
    await link.start()
    await until(lambda: ami.connections >= 4)
    await link.stop()
    assert ami.actions == []
    assert [line.levelno for line in lines] == [logging.ERROR]
    assert texts(lines) == [
        f"AMI link to 127.0.0.1:{ami.port} down: who answers there is no Asterisk manager "
        "interface: 'SSH-2.0-OpenSSH_9.2'; write the address of manager.conf in [ami]"
    ]


# Actions.


@pytest.mark.parametrize("event_after_login", [b"", event("FullyBooted", "Status: Fully Booted")])
async def test_nothing_is_sent_again_after_a_loss(
    ami: FakeAmi, heard: Heard, event_after_login: bytes
) -> None:
    ami.answers["login"] = block("Response: Success", "ActionID: {id}") + event_after_login
    ami.hang_up_on = "hangup"
    async with linked(ami, heard) as link:
        with pytest.raises(LinkDown):
            await link.ask("Hangup", [("Channel", "PJSIP/carrier-00000001")])
        assert link.post("Hangup") is False
        await until(lambda: heard.told.count("up") == 2)
        # Whatever was sent on the new connection came before the answer to this.
        await link.ask("Ping")
        assert ami.names() == ["Login", "Hangup", "Login", "Ping"]


async def test_an_action_without_an_answer_ends_in_time_and_leaves_nothing(
    ami: FakeAmi, heard: Heard
) -> None:
    ami.answers["corestatus"] = None
    async with linked(ami, heard, action_timeout_s=0.05) as link:
        with pytest.raises(LinkTimeout, match=r"no answer to CoreStatus within 0\.05 s"):
            await link.ask("CoreStatus")
        ami.answers["status"] = block("Response: Success", "ActionID: {id}", "EventList: start")
        with pytest.raises(LinkTimeout):
            await link.ask_list("Status")
        assert link._manager.protocol.responses == {}
        # Its answer, late, is nobody's.
        ami.say(block("Response: Error", f"ActionID: {ami.actions[1]['ActionID']}"))
        await link.ask("Ping")
        assert link.up


async def test_an_asker_that_gives_up_leaves_nothing(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["corestatus"] = None
    async with linked(ami, heard) as link:
        asking = asyncio.create_task(link.ask("CoreStatus"))
        await until(lambda: "CoreStatus" in ami.names())
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert link._manager.protocol.responses == {}


async def test_answers_go_to_who_asked(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["getvar"] = block("Response: Success", "ActionID: {id}", "Value: seven")
    ami.answers["status"] = refused("No such channel")
    async with linked(ami, heard) as link:
        asked = [("Channel", "PJSIP/a-1"), ("Variable", "X")]
        got, failed = await asyncio.gather(
            link.ask("Getvar", asked), link.ask("Status"), return_exceptions=True
        )
        assert got["value"] == "seven"
        assert isinstance(failed, ActionFailed)
        assert failed.message == "No such channel"


async def test_a_list_is_its_events(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["coreshowchannels"] = (
        block("Response: Success", "ActionID: {id}", "EventList: start")
        + event("DialBegin", "DialString: 1@carrier")
        + block("Event: CoreShowChannel", "ActionID: {id}", "Channel: PJSIP/a-1")
        + block("Event: CoreShowChannelsComplete", "ActionID: {id}", "EventList: Complete")
    )
    async with linked(ami, heard, wanted=frozenset({"dialbegin"})) as link:
        channels = await link.ask_list("CoreShowChannels")
        assert [channel["channel"] for channel in channels] == ["PJSIP/a-1"]
        assert heard.names() == ["DialBegin"]


async def test_a_posted_action_is_written_and_its_answer_nobodys(
    ami: FakeAmi, heard: Heard
) -> None:
    async with linked(ami, heard) as link:
        assert link.post("Hangup", [("Channel", "PJSIP/carrier-00000001"), ("Cause", "21")])
        assert link._manager.protocol.responses == {}
        await link.ask("Ping")
        assert ami.actions[1]["Channel"] == "PJSIP/carrier-00000001"
        assert ami.names() == ["Login", "Hangup", "Ping"]


async def test_nothing_is_sent_before_there_is_a_link(ami: FakeAmi, heard: Heard) -> None:
    link = link_to(ami.port, heard)
    with pytest.raises(LinkDown, match="not started"):
        await link.ask("Ping")
    ami.answers["login"] = None
    await link.start()
    await until(lambda: ami.actions)
    assert link.post("Hangup", [("Channel", "PJSIP/a-1")]) is False
    with pytest.raises(LinkDown, match="connecting"):
        await link.ask_list("CoreShowChannels")
    await link.stop()
    assert ami.names() == ["Login"]


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Originate", [("Channel", "PJSIP/1@carrier")]),
        ("Redirect", []),
        ("", []),
        ("Ping\r\nAction: Originate", []),
        ("Hangup", [("Channel", "x\r\nAction: Command\r\nCommand: core stop now")]),
        ("Ping", [("ActionID", "mine")]),
        ("Ping", [("action", "Originate")]),
        ("Command", [("Command", "core stop now")]),
        ("Command", []),
        ("Command", [("Command", "core show version"), ("command", "core stop now")]),
    ],
)
async def test_only_what_does_no_harm_twice_is_sent(
    ami: FakeAmi, heard: Heard, action: str, headers: list[tuple[str, str]]
) -> None:
    async with linked(ami, heard) as link:
        for way in (link.ask, link.ask_list):
            with pytest.raises(ValueError, match=NOT_FOR_US):
                await way(action, headers)
        with pytest.raises(ValueError, match=NOT_FOR_US):
            link.post(action, headers)
        await link.ask("Ping")
        assert ami.names() == ["Login", "Ping"]


# A peer that hangs.


async def test_a_ping_without_an_answer_ends_the_connection(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["ping"] = None
    async with linked(ami, heard, ping_every_s=0.02, ping_timeout_s=0.05):
        await until(lambda: ami.connections >= 2)
    assert heard.told[1] == "down: no answer to a ping within 0.05 s"


async def test_a_ping_that_is_answered_or_refused_keeps_it(ami: FakeAmi, heard: Heard) -> None:
    async with linked(ami, heard, ping_every_s=0.01) as link:
        await until(lambda: ami.names().count("Ping") >= 3)
        ami.answers["ping"] = refused("Permission denied")
        await until(lambda: ami.names().count("Ping") >= 6)
        assert link.up
    assert heard.told == ["up"]
    assert ami.connections == 1


async def test_a_message_without_an_end_ends_the_connection(
    ami: FakeAmi, heard: Heard, lines: Lines
) -> None:
    async with linked(ami, heard, buffer_limit=100_000):
        ami.say(b"Event: UserEvent\r\nText: " + b"x" * 200_000)
        await until(lambda: heard.told.count("up") == 2)
    assert heard.told[1].startswith("down: it sent a message without an end: ")
    assert sum("without an end" in text for text in texts(lines)) == 1


# Handlers.


async def test_a_handler_that_raises_ends_nothing(ami: FakeAmi, lines: Lines) -> None:
    heard = Heard()

    def stumble(event: Event) -> None:
        heard.events.append(event)
        if event["event"] == "Bad":
            raise KeyError("linkedid")

    async with linked(ami, heard, on_event=stumble) as link:
        ami.say(event("Good") + event("Bad") * 50 + event("Last"))
        await until(lambda: len(heard.events) == 52)
        assert link.up
        assert link.events_seen == 52
    assert heard.names() == ["Good", *["Bad"] * 50, "Last"]
    faults = [line for line in lines if line.levelno == logging.ERROR]
    assert len(faults) == 1
    assert "the event Bad was not dealt with" in faults[0].getMessage()
    assert faults[0].exc_info is not None


async def test_an_events_answer_to_another_client_is_not_hidden(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["status"] = None
    async with linked(ami, heard, action_timeout_s=30) as link:
        asking = asyncio.create_task(link.ask("Status"))
        await until(lambda: "Status" in ami.names())
        ours = ami.actions[-1]["ActionID"]
        ami.say(event("OriginateResponse", "ActionID: dialer-1", "Response: Failure"))
        ami.say(event("OriginateResponse", f"ActionID: {ours}", "Response: Failure"))
        await until(lambda: len(heard.events) == 2)
        assert not asking.done()
        asking.cancel()


async def test_events_behind_the_login_in_one_piece_find_the_link_up(ami: FakeAmi) -> None:
    heard = Heard()
    found: list[bool] = []
    ami.answers["login"] = block("Response: Success", "ActionID: {id}") + event("FullyBooted")
    link = link_to(ami.port, heard, on_event=lambda _: found.append(link.up))
    await link.start()
    await until(lambda: found)
    assert found == [True]
    await link.stop()


async def test_what_follows_an_up_or_a_down_may_fail(ami: FakeAmi, lines: Lines) -> None:
    heard = Heard()

    async def up() -> None:
        heard.told.append("up")
        raise RuntimeError("no resync")

    def down(why: str) -> None:
        heard.told.append("down")
        raise RuntimeError("no undo")

    async with linked(ami, heard, on_up=up, on_down=down) as link:
        await until(lambda: heard.told == ["up"])
        await link.ask("Ping")
        ami.cut()
        await until(lambda: heard.told == ["up", "down", "up"])
        await link.ask("Ping")
    faults = [text for text in texts(lines) if "failed" in text]
    assert faults == [
        "what follows a new AMI link failed",
        "what follows the loss of the AMI link failed",
        "what follows a new AMI link failed",
    ]


async def test_what_follows_an_up_ends_with_the_link(ami: FakeAmi, lines: Lines) -> None:
    heard = Heard()
    ended: list[str] = []

    async def up() -> None:
        heard.told.append("up")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    async with linked(ami, heard, on_up=up):
        await until(lambda: heard.told == ["up"])
        ami.cut()
        await until(lambda: heard.told[-1] == "up" and len(heard.told) == 3)
        assert ended == ["ended"]
    assert ended == ["ended", "ended"]
    assert not [line for line in lines if line.levelno >= logging.ERROR]


# The end.


async def still_nobody_connects(ami: FakeAmi, before: int) -> bool:
    await asyncio.sleep(SEVERAL_TRIES_S)
    return ami.connections == before


async def test_a_stop_while_waiting_to_try_again_is_for_good(ami: FakeAmi, heard: Heard) -> None:
    async with linked(ami, heard) as link:
        await ami.close()
        await until(lambda: not link.up)
        await link.stop()
        await ami.listen()
        assert await still_nobody_connects(ami, 1)


async def test_a_stop_while_connecting_is_for_good(ami: FakeAmi, heard: Heard) -> None:
    ami.banner = b""
    link = link_to(ami.port, heard)
    await link.start()
    await until(lambda: ami.connections == 1)
    await link.stop()
    await until(lambda: not ami._writers)  # our end is closed
    assert await still_nobody_connects(ami, 1)


async def test_a_stop_at_once_or_twice_or_without_a_start(ami: FakeAmi, heard: Heard) -> None:
    link = link_to(ami.port, heard)
    await link.start()
    await link.stop()
    await link.stop()
    with pytest.raises(RuntimeError):
        await link.start()
    never = link_to(ami.port, heard)
    await never.stop()
    with pytest.raises(RuntimeError):
        await never.start()
    assert await still_nobody_connects(ami, ami.connections)
    assert heard.told == []


async def test_a_stop_from_what_follows_an_up(ami: FakeAmi, heard: Heard) -> None:
    links: list[AmiLink] = []

    async def up() -> None:
        await links[0].stop()
        heard.told.append("stopped")

    links.append(link_to(ami.port, heard, on_up=up))
    await links[0].start()
    await until(lambda: heard.told == ["stopped"])
    assert links[0].status == "stopped"
    assert await still_nobody_connects(ami, 1)


async def test_a_stop_leaves_no_task(ami: FakeAmi, heard: Heard) -> None:
    async with linked(ami, heard):
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert names >= {"ami-link", "ami-ping"}
    await until(lambda: not [t for t in asyncio.all_tasks() if t.get_name().startswith("ami-")])


async def test_a_stop_of_a_link_to_an_asterisk_that_hangs(ami: FakeAmi, heard: Heard) -> None:
    ami.answers["logoff"] = None
    async with linked(ami, heard) as link:
        await link.stop()
        assert link.status == "stopped"


# Secrets and TLS.


async def test_the_secret_is_in_no_line_and_no_repr(ami: FakeAmi, heard: Heard) -> None:
    with log_lines(logging.DEBUG) as lines:
        ami.answers["login"] = refused()
        link = link_to(ami.port, heard)
        await link.start()
        await until(lambda: ami.connections >= 2)
        del ami.answers["login"]
        await until(lambda: link.up)
        await link.stop()
    shown = [*texts(lines), link.status, repr(link), repr(link._settings), repr(link._manager)]
    assert len(shown) > 4
    assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize("name", ["username", "secret", "events"])
@pytest.mark.parametrize("mark", ["\n", "\r", "\0"])
def test_a_login_that_cannot_be_sent_is_refused_without_showing_it(name: str, mark: str) -> None:
    given: dict[str, Any] = {"host": "h", "port": 1, "username": "u", "secret": "s"}
    with pytest.raises(ValueError, match=name) as refusal:
        LinkSettings(**given | {name: f"hush{mark}Action: Command"})
    assert "hush" not in str(refusal.value)


def test_tls_is_a_context_and_no_word() -> None:
    with pytest.raises(TypeError, match="'False'"):
        LinkSettings("h", 1, "u", "s", ssl="False")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "127.0.0.1:5038"), ("::1", "[::1]:5038")]
)
def test_an_address_for_people(host: str, address: str) -> None:
    assert LinkSettings(host, 5038, "u", "s").address == address


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for pbx.example, signed by itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    pem, key = directory / "pem", directory / "key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/CN=pbx.example",
         "-addext", "subjectAltName=DNS:pbx.example", "-keyout", key, "-out", pem],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem, key


@pytest.mark.parametrize(
    ("name", "up"), [("pbx.example", True), ("other.example", False), ("", False)]
)
async def test_over_tls_the_name_must_be_the_certificates(
    heard: Heard, certificate: tuple[Path, Path], name: str, up: bool
) -> None:
    ami = FakeAmi()
    ami.ssl = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    ami.ssl.load_cert_chain(*certificate)
    await ami.listen()
    context = tls.create_default_context(cafile=str(certificate[0]))
    link = link_to(ami.port, heard, ssl=context, tls_name=name)
    await link.start()
    await until(lambda: link.up or link.status.startswith("down: "))
    assert link.up is up
    assert up or (
        "the certificate of Asterisk is not accepted (" in link.status
        and "[ami] ca is the file of who signed it, tls_name the name in it" in link.status
        and "_ssl.c" not in link.status
    )
    await link.stop()
    await ami.close()
    assert bool(ami.actions) is up


async def test_tls_where_the_peer_speaks_none_says_so(ami: FakeAmi, heard: Heard) -> None:
    link = link_to(ami.port, heard, ssl=tls.create_default_context(), connect_timeout_s=0.5)
    await link.start()
    await until(lambda: "the port of tlsbindaddr in manager.conf" in link.status)
    await link.stop()


async def test_plain_where_the_peer_speaks_tls_says_so(
    heard: Heard, certificate: tuple[Path, Path]
) -> None:
    ami = FakeAmi()
    ami.ssl = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    ami.ssl.load_cert_chain(*certificate)
    await ami.listen()
    link = link_to(ami.port, heard, connect_timeout_s=0.2)
    await link.start()
    await until(lambda: "the port speaks TLS and we do not" in link.status)
    await link.stop()
    await ami.close()
