"""Bytes into messages: cut anywhere, of any length, of any content."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.fake_ami import BANNER, block, event, pieces

from dialwarden.link.errors import ActionFailed, LinkDown
from dialwarden.link.protocol import Event, LinkProtocol, Request


class Keeper:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events_seen = 0
        self.banners: list[str] = []
        self.events: list[Event] = []
        self.lost: list[str] = []

    def banner_came(self, banner: str) -> None:
        self.banners.append(banner)

    def dispatch(self, event: Event) -> None:
        self.events.append(event)

    def connection_lost(self, why: str) -> None:
        self.lost.append(why)


def connected(
    wanted: frozenset[str] | None = None, limit: int = 1 << 20, *, greeted: bool = True
) -> tuple[LinkProtocol, Keeper]:
    keeper = Keeper()
    protocol = LinkProtocol(keeper, wanted=wanted, limit=limit)
    transport = mock.create_autospec(asyncio.Transport, instance=True)
    transport.is_closing.return_value = False
    transport.get_write_buffer_size.return_value = 0
    protocol.connection_made(transport)
    if greeted:
        protocol.data_received(BANNER)
        protocol.authenticated = True
    return protocol, keeper


STREAM = (
    event("Newchannel", "CallerIDName: Éloïse Nuñez 東京", "Exten: s")
    + event("VarSet", "Variable: X", "Value: ")
    + event("DialBegin", "DialString: 33612345678@carrier")
)


@given(st.lists(st.integers(min_value=0)))
def test_events_are_the_same_wherever_their_bytes_are_cut(cuts: list[int]) -> None:
    protocol, keeper = connected(greeted=False)
    protocol.authenticated = True
    for piece in pieces(BANNER + STREAM, cuts):
        protocol.data_received(piece)
    assert keeper.banners == ["Asterisk Call Manager/9.0.0"]
    assert [dict(event) for event in keeper.events] == [
        {
            "event": "Newchannel",
            "privilege": "call,all",
            "calleridname": "Éloïse Nuñez 東京",
            "exten": "s",
        },
        {"event": "VarSet", "privilege": "call,all", "variable": "X", "value": ""},
        {"event": "DialBegin", "privilege": "call,all", "dialstring": "33612345678@carrier"},
    ]


def test_a_byte_at_a_time() -> None:
    protocol, keeper = connected(greeted=False)
    protocol.authenticated = True
    for byte in BANNER + STREAM:
        protocol.data_received(bytes([byte]))
    assert [event["event"] for event in keeper.events] == ["Newchannel", "VarSet", "DialBegin"]
    assert keeper.events[0]["calleridname"] == "Éloïse Nuñez 東京"


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"\r\n\r\n", b"Event: ", STREAM])))
def test_no_bytes_do_harm_or_take_more_than_the_limit(data: list[bytes]) -> None:
    protocol, _ = connected(limit=500)
    for piece in data:
        protocol.data_received(piece)
        assert len(protocol._buffer) <= 500


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    protocol, keeper = connected()
    protocol.data_received(b"Event: Newchannel\r\nCallerIDName: Andr\xe9\r\n\r\n")
    assert keeper.events[0]["calleridname"] == "Andr\N{REPLACEMENT CHARACTER}"


def test_what_is_not_wanted_is_counted_and_not_handed_on() -> None:
    protocol, keeper = connected(frozenset({"dialbegin"}))
    protocol.data_received(STREAM)
    assert [event["event"] for event in keeper.events] == ["DialBegin"]
    assert keeper.events_seen == 3


def test_the_first_of_equal_headers_holds() -> None:
    protocol, keeper = connected()
    protocol.data_received(event("UserEvent", "UserEvent: A", "UserEvent: B"))
    assert keeper.events[0]["userevent"] == "A"


@pytest.mark.parametrize("extra", [b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n"])
def test_line_ends_too_many_between_messages_are_no_message(extra: bytes) -> None:
    protocol, keeper = connected(frozenset({"hangup"}))
    protocol.data_received(extra + event("Hangup") + extra + event("Hangup") + event("Newexten"))
    assert [event["event"] for event in keeper.events] == ["Hangup", "Hangup"]
    assert keeper.events_seen == 3


def test_no_event_is_believed_before_the_login() -> None:
    protocol, keeper = connected()
    protocol.authenticated = False
    protocol.data_received(event("DialBegin"))
    assert keeper.events == []


@pytest.mark.parametrize("size", [1, 100, 65536])
def test_a_message_without_an_end_ends_the_connection(size: int) -> None:
    protocol, keeper = connected(limit=1 << 18)
    piece = b"x" * size
    for _ in range((1 << 18) // size):
        protocol.data_received(piece)
    assert keeper.lost == []
    protocol.data_received(b"x" * 101)
    (why,) = keeper.lost
    assert why.startswith("it sent a message without an end: ")
    protocol.transport.abort.assert_called_once()
    protocol.data_received(STREAM)
    assert keeper.events == []


def test_a_message_of_the_limit_is_taken_however_much_follows_it() -> None:
    protocol, keeper = connected(limit=1000)
    long = event("UserEvent", f"Text: {'x' * 900}")
    protocol.data_received(long * 20)
    assert len(keeper.events) == 20
    assert keeper.lost == []


@pytest.mark.parametrize(
    ("said", "banner"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
        (b"220 mail\n", "220 mail"),
        (b"\x15\x03\x03\x00\x02\x02\x16" + b"x" * 300, "\x15\x03\x03\x00\x02\x02\x16" + "x" * 249),
    ],
)
def test_another_greeting_is_shown_and_nothing_behind_it_read(said: bytes, banner: str) -> None:
    protocol, keeper = connected(greeted=False)
    protocol.data_received(said + STREAM)
    assert keeper.banners[0] == banner
    assert protocol.version is None
    assert keeper.events == []


async def test_a_response_that_nobody_asked_for_is_ignored() -> None:
    protocol, keeper = connected()
    request = Request("Ping")
    future = protocol.send(request)
    protocol.data_received(
        block("Response: Error", "Message: Message too long")
        + block("Response: Success", "ActionID: another's")
    )
    assert not future.done()
    protocol.data_received(block("Response: Success", f"ActionID: {request.id}", "Ping: Pong"))
    assert future.result()["ping"] == "Pong"
    assert protocol.responses == {}
    assert keeper.events == []


async def test_an_event_with_an_action_id_is_no_answer_to_one_that_asks_for_no_list() -> None:
    protocol, keeper = connected()
    request = Request("Ping")
    future = protocol.send(request)
    protocol.data_received(event("OriginateResponse", f"ActionID: {request.id}"))
    assert not future.done()
    assert [event["event"] for event in keeper.events] == ["OriginateResponse"]


LIST = (
    "Response: Success\r\nActionID: {id}\r\nEventList: start\r\nMessage: will follow\r\n\r\n",
    "Event: CoreShowChannel\r\nActionID: {id}\r\nChannel: PJSIP/a-1\r\n\r\n",
    "Event: CoreShowChannel\r\nActionID: {id}\r\nChannel: PJSIP/b-2\r\n\r\n",
    "Event: CoreShowChannelsComplete\r\nActionID: {id}\r\nEventList: Complete\r\n"
    "ListItems: 2\r\n\r\n",
)


async def test_a_list_is_its_events_in_order_and_other_events_pass_between_them() -> None:
    protocol, keeper = connected(frozenset({"hangup"}))
    request = Request("CoreShowChannels", as_list=True, list_limit=2)
    future = protocol.send(request)
    for part in LIST:
        assert not future.done()
        protocol.data_received(part.format(id=request.id).encode())
        protocol.data_received(event("Hangup", "ActionID: another's") + event("Newexten"))
    assert [channel["channel"] for channel in future.result()] == ["PJSIP/a-1", "PJSIP/b-2"]
    assert [event["event"] for event in keeper.events] == ["Hangup"] * 4
    assert protocol.responses == {}


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (LIST, "the list is longer than 1 events"),
        (("Response: Success\r\nActionID: {id}\r\n\r\n",), "the answer is no list"),
        (
            (LIST[0], "Event: X\r\nActionID: {id}\r\nEventList: cancelled\r\n\r\n"),
            "the list was cancelled",
        ),
        (
            ("Response: Error\r\nActionID: {id}\r\nMessage: Permission denied\r\n\r\n",),
            "Permission denied",
        ),
    ],
)
async def test_a_list_that_is_none_or_too_long_fails(parts: tuple[str, ...], why: str) -> None:
    protocol, _ = connected()
    request = Request("CoreShowChannels", as_list=True, list_limit=1)
    future = protocol.send(request)
    protocol.data_received("".join(parts).format(id=request.id).encode())
    with pytest.raises(ActionFailed) as failed:
        await future
    assert failed.value.message == why
    assert protocol.responses == {}


async def test_the_lines_of_a_commands_output_are_one_text() -> None:
    protocol, _ = connected()
    request = Request("Command", [("Command", "core show version")])
    future = protocol.send(request)
    protocol.data_received(
        block(
            "Response: Success", f"ActionID: {request.id}", "Message: Command output follows",
            "Output: first", "Output:   indented: x", "Output: ", "Output: last",
        )
    )  # fmt: skip
    assert future.result()["output"] == "first\n  indented: x\n\nlast"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Channel", "PJSIP/x\r\nAction: Command\r\nCommand: core stop now"),
        ("Channel", "a\nb"),
        ("Channel", "a\rb"),
        ("Channel", "a\0b"),
        ("Chan\r\nAction", "a"),
        ("Channel: x", "a"),
    ],
)
async def test_no_header_can_begin_another_one(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        Request("Hangup", [(name, value)])


async def test_a_peer_that_reads_nothing_is_dropped() -> None:
    protocol, keeper = connected(limit=1000)
    protocol.transport.get_write_buffer_size.return_value = 1001
    with pytest.raises(LinkDown):
        protocol.post(Request("Hangup"))
    assert keeper.lost == ["it reads nothing of what we send"]
    protocol.transport.write.assert_not_called()


async def test_what_is_under_way_fails_when_the_connection_is_lost() -> None:
    protocol, keeper = connected()
    future = protocol.send(Request("Ping"))
    protocol.connection_lost(None)
    protocol.connection_lost(None)
    with pytest.raises(LinkDown, match="Asterisk closed the connection"):
        await future
    assert keeper.lost == ["Asterisk closed the connection"]
    with pytest.raises(LinkDown):
        protocol.send(Request("Ping"))


@pytest.mark.parametrize("wanted", [None, frozenset({"dialbegin"})])
def test_a_stop_of_asterisk_is_the_reason_of_the_loss(wanted: frozenset[str] | None) -> None:
    protocol, keeper = connected(wanted)
    protocol.data_received(event("Shutdown", "Shutdown: Cleanly"))
    assert keeper.lost == []
    protocol.connection_lost(None)
    assert keeper.lost == ["Asterisk shut down"]


async def test_a_request_shows_no_header() -> None:
    request = Request("Login", [("Username", "u"), ("Secret", "hush")])
    assert b"Secret: hush\r\n" in request.data
    assert "hush" not in repr(request) + str(request) + f"{request}"
