"""What an AMI client sends: read as Asterisk reads it, whatever its spelling, or refused.

`read_by_asterisk` is a plain model of Asterisk's own reading (main/manager.c), to which every
request that is passed on is held, as it came and as it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.wire.ami_message import UnsafeText
from dialwarden.wire.ami_request import (
    MESSAGE_LIMIT_BYTES,
    NOT_REPEATED,
    AmiRequest,
    BadRequest,
    RequestReader,
)

ORIGINATE = (
    b"Action: Originate\r\nActionID: 7\r\nChannel: PJSIP/1@carrier\r\n"
    b"Variable: A=1\r\nVariable: B=2\r\n\r\n"
)
ORIGINATE_HEADERS = (
    ("Action", "Originate"),
    ("ActionID", "7"),
    ("Channel", "PJSIP/1@carrier"),
    ("Variable", "A=1"),
    ("Variable", "B=2"),
)
PING = b"Action: Ping\r\n\r\n"
PING_READ = AmiRequest((("Action", "Ping"),))


def read(data: bytes) -> list[AmiRequest | BadRequest]:
    return RequestReader().feed(data)


def request(*headers: tuple[str, str]) -> AmiRequest:
    return AmiRequest(headers)


def lines(*texts: bytes, end: bytes = b"\r\n") -> bytes:
    return b"".join(text + end for text in (*texts, b""))


# The longest line: 1024 bytes with its CR LF, of which "Data: " is six.
LONGEST = b"x" * 1016

PASSED_ON = [
    ("as documented", ORIGINATE, ORIGINATE_HEADERS),
    ("LF alone", b"Action: Ping\nActionID: 7\n\n", (("Action", "Ping"), ("ActionID", "7"))),
    ("both line ends", b"Action: Ping\nA: 1\r\n\n", (("Action", "Ping"), ("A", "1"))),
    ("any case", b"aCTION: pING\r\n\r\n", (("aCTION", "pING"),)),
    ("no space", b"Action:Ping\r\n\r\n", (("Action", "Ping"),)),
    ("a tab", b"Action:\tPing\r\n\r\n", (("Action", "Ping"),)),
    ("many blanks", b"Action: \t  Ping\r\n\r\n", (("Action", "Ping"),)),
    ("a blank line alone", b"\r\n", ()),
    ("LF alone alone", b"\n", ()),
    ("no action", b"ActionID: 7\r\n\r\n", (("ActionID", "7"),)),
    ("an empty action", b"Action:\r\n\r\n", (("Action", ""),)),
    ("an unknown action", b"Action: Foo Bar\r\n\r\n", (("Action", "Foo Bar"),)),
    ("blanks behind a value", b"Exten: 1 \t\r\n\r\n", (("Exten", "1 \t"),)),
    ("a tab within a value", b"Data: 1\t2\r\n\r\n", (("Data", "1\t2"),)),
    ("a colon in a value", b"Channel: PJSIP/a/sip:1@b\r\n\r\n", (("Channel", "PJSIP/a/sip:1@b"),)),
    ("a colon at once", b"Data:: x\r\n\r\n", (("Data", ": x"),)),
    ("UTF-8", "CallerID: É\r\n\r\n".encode(), (("CallerID", "É"),)),
    ("Latin-1", b"CallerID: \xc9\r\n\r\n", (("CallerID", "\udcc9"),)),
    ("Unicode's blanks", "A:\u00a0\u2028x\x85\r\n\r\n".encode(), (("A", "\u00a0\u2028x\x85"),)),
    ("a name that is not ASCII", "Prénom: x\r\n\r\n".encode(), (("Prénom", "x"),)),
    ("equal repeats", b"Exten: 1\r\nEXTEN:1\r\nA: 2\r\n\r\n", (("Exten", "1"), ("A", "2"))),
    ("others repeat", b"A: 1\nA: 2\nA: 1\n\n", (("A", "1"), ("A", "2"), ("A", "1"))),
    ("variables repeat", b"Variable: A\nVariable: A\n\n", (("Variable", "A"),) * 2),
    ("the longest line", b"Data: " + LONGEST + b"\r\n\r\n", (("Data", LONGEST.decode()),)),
    ("128 lines", b"A: 1\n" * 128 + b"\n", (("A", "1"),) * 128),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "headers"), [case[1:] for case in PASSED_ON], ids=[case[0] for case in PASSED_ON]
)
def test_what_has_one_reading_is_passed_on(
    sent: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    assert read(sent) == [AmiRequest(headers)]


REFUSED = [
    ("NUL behind a value", lines(b"Action: Originate\0x", b"ActionID: 7"), "NUL", "7"),
    ("NUL as a line", lines(b"Action: Ping", b"\0", b"Action: Originate"), "NUL", ""),
    ("CR within a line", lines(b"Action: Ping\rAction: Originate"), "CR without LF", ""),
    ("CR as a line", lines(b"Action: Ping", b"\r", b"ActionID: 7"), "CR without LF", "7"),
    ("vertical tab", lines(b"Action:\vPing"), "control character 0x0b", ""),
    ("escape", lines(b"Action: Ping\x1b"), "control character 0x1b", ""),
    ("delete", lines(b"Action: Ping\x7f"), "control character 0x7f", ""),
    ("a line too long", lines(b"ActionID: 7", b"Data: x" + LONGEST), "line 2 has 1023 bytes", "7"),
    ("as it came", lines(b"Data: " + b" " * 1200 + b"x"), "line 1 has 1207 bytes", ""),
    ("as it goes on", lines(b"Data:x" + LONGEST, end=b"\n"), "line 1 has 1023 bytes", ""),
    ("129 lines", lines(*[b"A: 1"] * 128, b"ActionID: 7"), "129 header lines", "7"),
    ("no colon", lines(b"ActionID: 7", b"Originate"), 'line 2 is no "Name: value"', "7"),
    ("no name", lines(b": Originate"), 'line 1 is no "Name: value"', ""),
    ("a line of blanks", lines(b"Action: Ping", b"  "), 'line 2 is no "Name: value"', ""),
    ("a blank behind a name", lines(b"Action : Originate"), "line 1 has a blank", ""),
    ("a blank before a name", lines(b" Action: Originate"), "line 1 has a blank", ""),
    ("a tab before a name", lines(b"A: 1", b"\tAction: Originate"), "line 2 has a blank", ""),
    ("a blank in a name", lines(b"Action ID: 7"), "line 1 has a blank", ""),
    ("two actions", lines(b"Action: Ping", b"ACTION: Originate"), "header action is given", ""),
    ("an empty action first", lines(b"Action:", b"Action: Originate"), "header action", ""),
    ("two channels", lines(b"Channel: a", b"A: 1", b"channel: b"), "header channel", ""),
    ("two ids", lines(b"ActionID: 7", b"ActionID: 8"), "header actionid", "7"),
    ("case of a value", lines(b"Exten: a", b"Exten: A"), "header exten", ""),
    ("a blank behind the action", lines(b"Action: Originate "), "a blank stands behind", ""),
    ("a tab behind the action", lines(b"Action: Originate\t"), "a blank stands behind", ""),
    ("an id with a NUL", lines(b"ActionID: 7\0", b"ActionID: 8"), "NUL", ""),
    ("an id too long", lines(b"ActionID: " + LONGEST), "line 1 has 1026 bytes", ""),
    ("an id in Latin-1", lines(b"ActionID: \xe9", b"x"), 'line 2 is no "Name: value"', "\udce9"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "why", "action_id"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_could_be_read_in_two_ways_is_refused(sent: bytes, why: str, action_id: str) -> None:
    bad, ping = read(sent + PING)
    assert isinstance(bad, BadRequest)
    assert bad.why.startswith(why)
    assert bad.why.isprintable()
    assert bad.action_id == action_id
    assert ping == PING_READ


def test_a_refusal_shows_no_value() -> None:
    (bad,) = read(b"Action: Login\r\nSecret hush\r\nSecret: hush\0\r\n\r\n")
    assert isinstance(bad, BadRequest)
    assert "hush" not in bad.why


def test_names_that_may_not_repeat_are_in_lower_case() -> None:
    assert all(name.isascii() and name == name.lower() for name in NOT_REPEATED)


def test_a_header_is_found_in_any_case_and_the_first_holds() -> None:
    one = request(("chaNNel", "a"), ("Variable", "A=1"), ("VARIABLE", "B=2"))
    assert (one.get("Channel"), one.get("VARIABLE"), one.get("Exten")) == ("a", "A=1", "")
    assert one.all("variable") == ("A=1", "B=2")
    assert one.all("Exten") == ()


def test_names_are_compared_as_asterisk_does_in_ascii() -> None:
    kelvin = "\u212aey"
    assert kelvin.lower() == "key"
    assert request((kelvin, "x"), ("KEY", "y")).get("Key") == "y"


def test_the_action_is_the_first_that_is_not_empty() -> None:
    assert request(("Action", ""), ("action", "Ping"), ("Action", "Logoff")).action == "Ping"
    assert request(("Action", "")).action == ""
    assert request(("ActionID", "7")).action_id == "7"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("C", "x", [("A", "1"), ("Exten", "2"), ("EXTEN", "3"), ("B", "4"), ("C", "x")]),
        ("Exten", "x", [("A", "1"), ("Exten", "x"), ("B", "4")]),
        ("Exten", "", [("A", "1"), ("Exten", ""), ("B", "4")]),
        ("exten", " \tx ", [("A", "1"), ("exten", "x "), ("B", "4")]),
    ],
)  # fmt: skip
def test_a_header_replaces_all_of_its_name(
    name: str, value: str, expected: list[tuple[str, str]]
) -> None:
    one = request(("A", "1"), ("Exten", "2"), ("EXTEN", "3"), ("B", "4"))
    assert one.with_header(name, value) == AmiRequest(tuple(expected))


@pytest.mark.parametrize(
    ("name", "value"),
    [("ChannelId", "x\r\nAction: y"), ("ChannelId", "\0"), ("a b", "x"), ("Data", "x" * 1017)],
)
def test_a_header_that_cannot_be_sent_is_not_taken(name: str, value: str) -> None:
    with pytest.raises(UnsafeText):
        PING_READ.with_header(name, value)


def test_the_129th_header_is_not_taken() -> None:
    full = request(*[("A", "1")] * 127).with_header("B", "2")
    with pytest.raises(UnsafeText, match="129 headers"):
        full.with_header("C", "3")


def test_a_message_that_never_ends_is_told_once_and_not_held() -> None:
    reader = RequestReader()
    told = reader.feed(b"ActionID: 7\r\n")
    for _ in range(1000):
        told += reader.feed(b"Data: " + b"x" * 1018)
        assert reader.pending <= MESSAGE_LIMIT_BYTES + 1024
    (bad,) = told
    assert isinstance(bad, BadRequest)
    assert bad.why.startswith("the message is longer than 131072 bytes")
    assert bad.action_id == "7"
    assert reader.pending <= 2
    assert reader.feed(b"\r") == []
    assert reader.feed(b"\nActionID: 8\r\n\r") == []
    assert reader.feed(b"\n" + PING) == [PING_READ]


# What stands before the limit: as many bytes as are left for the beginning of the ActionID line.
@pytest.mark.parametrize(
    ("within", "action_id"),
    [
        pytest.param(b"ActionID: 77\n", "77", id="just within the limit"),
        pytest.param(b"ActionID: 77", "", id="cut at the limit"),
        pytest.param(b"", "", id="beyond the limit"),
    ],
)
def test_of_a_message_too_long_only_what_is_within_the_limit_is_read(
    within: bytes, action_id: str
) -> None:
    id_line = b"ActionID: 77\n"
    before = b"A: " + b"x" * (MESSAGE_LIMIT_BYTES - 4 - len(within)) + b"\n"
    message = before + id_line + b"A: 1\n\n"
    (whole,) = read(message)
    reader = RequestReader()
    told = reader.feed(message[: MESSAGE_LIMIT_BYTES + 2]) + reader.feed(
        message[MESSAGE_LIMIT_BYTES + 2 :]
    )
    assert told == [whole]
    assert isinstance(whole, BadRequest)
    assert whole.action_id == action_id


def test_the_longest_message_is_read() -> None:
    line = b"A: " + b"x" * 1019 + b"\r\n"
    longest = line * 128
    assert len(longest) == MESSAGE_LIMIT_BYTES
    for blank in (b"\r\n", b"\n"):
        reader = RequestReader()
        told = reader.feed(longest)
        for byte in blank:
            told += reader.feed(bytes([byte]))
        assert told == [AmiRequest((("A", "x" * 1019),) * 128)]
        assert reader.pending == 0


# Any bytes, made of what matters to either reader.

SPELLINGS = st.sampled_from([
    b"Action: Originate", b"ACTION:originate", b"Action: Originate ", b"Action:\tPing", b"Action:",
    b"Action : Originate", b" Action: Originate", b"Action: Origi\0nate", b"Action: Ping\rx",
    b"ActionID: 7", b"actionid:7", b"ActionID:  8 ", b"Channel: PJSIP/1@carrier", b"CHANNEL: x",
    b"Channel:", b"Variable: A=1", b"Variable:B=2,C=3 ", b"variable: \t D", b"Variable\t: E",
    b"Variable: \xc3\xa9\xff", b"Foo: bar", b"\0Action: Originate", b"\0", b"\r", b" ", b"nothing",
    b"\xe2\x84\xaaey: x", b"Data: a:b", b":",
])  # fmt: skip
LONG = st.builds(
    lambda name, blanks, length: name + b" " * blanks + b"x" * (length - len(name) - blanks),
    st.sampled_from([b"Data:", b"Channel:", b"ActionID:", b"x"]),
    st.integers(0, 3),
    st.integers(1015, 1030),
)
LINES = st.lists(SPELLINGS | LONG, max_size=8) | st.builds(
    lambda line, count, more: [line] * count + more,
    st.sampled_from([b"A: 1", b"Variable: A=1", b"x"]),
    st.integers(120, 135),
    st.lists(SPELLINGS, max_size=2),
)
MESSAGES = st.builds(
    lambda texts, ends, last: (
        b"".join(text + ends[number % len(ends)] for number, text in enumerate(texts)) + last
    ),
    LINES,
    st.lists(st.sampled_from([b"\r\n", b"\n", b"\r\n", b"\r\r\n"]), min_size=1, max_size=4),
    st.sampled_from([b"\r\n", b"\n"]),
)
SOUP = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b"Action", b"Ping", b"x"]),
    max_size=40,
).map(b"".join)
STREAMS = st.lists(MESSAGES | SOUP | st.binary(max_size=30), max_size=5).map(b"".join)


@dataclass(slots=True)
class Message:
    """A message as Asterisk has it before it looks at it; failed: it answers with an error."""

    lines: list[bytes] = field(default_factory=list)
    failed: bool = False

    def values(self, name: bytes) -> list[bytes]:
        """`__astman_get_header`, every match."""
        return [
            line[len(name) + 1 :].lstrip(bytes(range(1, 33)))
            for line in self.lines
            if line[: len(name)].lower() == name and line[len(name) : len(name) + 1] == b":"
        ]

    def told(self) -> tuple[bytes, bytes, bytes, list[bytes]]:
        """Action, ActionID, Channel and variables, each as Asterisk takes it."""
        actions = [value for value in self.values(b"action") if value]
        first = [next(iter(self.values(name)), b"") for name in (b"actionid", b"channel")]
        return next(iter(actions), b""), first[0], first[1], self.values(b"variable")


def read_by_asterisk(stream: bytes) -> list[Message]:
    """`get_input` and `do_message`, without a socket."""
    inbuf = b""
    message, too_long, messages = Message(), False, []
    while True:
        line, lf, rest = inbuf.partition(b"\n")
        if lf:
            inbuf = rest
            line = line.removesuffix(b"\r").partition(b"\0")[0]
            if not line:
                message.failed |= too_long
                messages.append(message)
                message, too_long = Message(), False
            elif len(message.lines) < 128:
                message.lines.append(line)
            else:
                message.failed = True
            continue
        if len(inbuf) >= 1024:
            inbuf, too_long = inbuf[-1:], True
        if not stream:
            return messages
        room = 1024 - len(inbuf)
        inbuf, stream = inbuf + stream[:room], stream[room:]


def told(one: AmiRequest) -> tuple[bytes, bytes, bytes, list[bytes]]:
    def as_bytes(text: str) -> bytes:
        return text.encode("utf-8", "surrogateescape")

    return (
        as_bytes(one.action),
        as_bytes(one.action_id),
        as_bytes(one.get("Channel")),
        [as_bytes(value) for value in one.all("Variable")],
    )


@pytest.mark.parametrize(
    ("sent", "messages"),
    [
        (b"a: 1\r\nb\n\r\n\n", [Message([b"a: 1", b"b"]), Message()]),
        (b"a\0b\r\n\0\r\nc\n\n", [Message([b"a"]), Message([b"c"])]),
        (b"x" * 1023 + b"\n\n", [Message([b"x" * 1023])]),
        (b"x" * 1022 + b"\r\n\n", [Message([b"x" * 1022])]),
        (b"x" * 1024 + b"\n\n", [Message([b"x"], failed=True)]),
        (b"x" * 1023 + b"\r\n\n", [Message([], failed=True), Message()]),
        (b"a\n" * 128 + b"\n", [Message([b"a"] * 128)]),
        (b"a\n" * 129 + b"\n", [Message([b"a"] * 128, failed=True)]),
    ],
)
def test_the_model_reads_as_asterisk_does(sent: bytes, messages: list[Message]) -> None:
    assert read_by_asterisk(sent) == messages


@settings(max_examples=300)
@given(STREAMS)
def test_what_is_passed_on_is_what_asterisk_reads(stream: bytes) -> None:
    reader = RequestReader()
    came = b""
    passed_on = []
    for line in stream.split(b"\n")[:-1]:
        came += line + b"\n"
        for one in reader.feed(line + b"\n"):
            if isinstance(one, AmiRequest):
                (message,) = read_by_asterisk(came)
                assert not message.failed
                assert message.told() == told(one)
                passed_on.append(one)
            came = b""
    went_on = read_by_asterisk(b"".join(one.to_bytes() for one in passed_on))
    assert [(m.told(), m.failed) for m in went_on] == [(told(one), False) for one in passed_on]


@given(STREAMS)
def test_a_request_read_again_is_the_same(stream: bytes) -> None:
    requests = [one for one in read(stream) if isinstance(one, AmiRequest)]
    assert read(b"".join(one.to_bytes() for one in requests)) == requests


# A message of its own length, so that the limit is met in every way of splitting.
ENORMOUS = st.builds(
    lambda length, end: b"ActionID: 7\n" + b"A: " + b"x" * (length - 16) + b"\n" + end + PING,
    st.integers(MESSAGE_LIMIT_BYTES - 2, MESSAGE_LIMIT_BYTES + 4),
    st.sampled_from([b"\n", b"\r\n", b"\r\r\n\n"]),
)


@given(STREAMS | ENORMOUS, st.lists(st.integers(-40, 3000) | st.integers(0, 200_000), max_size=12))
def test_however_it_is_split_the_same_is_read(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted({cut % (len(stream) + 1) for cut in cuts}), len(stream)]
    reader = RequestReader()
    got = [one for start, end in pairwise(places) for one in reader.feed(stream[start:end])]
    assert got == read(stream)


@given(STREAMS)
def test_byte_by_byte_the_same_is_read(stream: bytes) -> None:
    reader = RequestReader()
    got = [one for byte in stream for one in reader.feed(bytes([byte]))]
    assert got == read(stream)
