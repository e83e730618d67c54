"""The AMI wire against the real Asterisk: what is passed on is what it reads.

Each example is sent to Asterisk on a raw socket as a client spells it and as it is rewritten.
Asterisk tells how it read them: which action by its answer, the headers by the event that
UserEvent makes of them, the value by the variable that Setvar sets.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bench.configuration import AMI_SECRET, AMI_USER
from bench.pbx import Pbx
from dialwarden.wire.ami_request import (
    NOT_REPEATED,
    AmiRequest,
    BadRequest,
    RequestReader,
)

WAIT_S = 10.0
# A link is given up after so many messages: some garbage makes Asterisk close it.
MESSAGES_PER_LINK = 20

Headers = list[tuple[bytes, bytes]]
Block = list[bytes]


class Link:
    """A logged-in AMI session of bytes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self._buffer = b""
        self._ids = itertools.count(1)
        self.messages = 0
        while not self._buffer.endswith(b"\r\n"):
            self._buffer += self._receive()
        self._buffer = b""
        self.answers(f"Action: Login\nUsername: {AMI_USER}\nSecret: {AMI_SECRET}\n\n".encode())

    def answers(self, sent: bytes, *, user_event: bytes = b"") -> list[Block]:
        """What Asterisk says to `sent`: its responses, and the UserEvent of that name if one came.

        A Ping behind it tells where its answers end; a UserEvent may come after that.
        """
        self.messages += 1
        mark = b"ActionID: mark-%d" % next(self._ids)
        self._socket.sendall(sent + b"Action: Ping\r\n" + mark + b"\r\n\r\n")
        told: list[Block] = []
        marked = False
        while True:
            block = self._next()
            if mark in block:
                marked = True
            elif block[0].startswith(b"Response:") or b"UserEvent: " + user_event in block:
                told.append(block)
            promised = any(b"Message: Event Sent" in block for block in told)
            if marked and (not promised or any(block[0] == b"Event: UserEvent" for block in told)):
                return told

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def _next(self) -> Block:
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._receive()
        block, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return block.split(b"\r\n")

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise EOFError("Asterisk closed the link")
        return data


class Links:
    """A link that is renewed every few messages."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._link: Link | None = None

    def answers(self, sent: bytes, *, user_event: bytes = b"") -> list[Block]:
        if self._link is not None and self._link.messages >= MESSAGES_PER_LINK:
            self.close()
        if self._link is None:
            self._link = Link(self._port)
        return self._link.answers(sent, user_event=user_event)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


@pytest.fixture(scope="module")
def links(running_pbx: Pbx) -> Iterator[Links]:
    with ExitStack() as stack:
        links = Links(running_pbx.ami_port)
        stack.callback(links.close)
        yield links


@dataclass(frozen=True, slots=True)
class Reading:
    """How Asterisk read one message; `headers` are those that a UserEvent passed on."""

    response: bytes
    action_id: bytes
    what: bytes
    value: bytes
    headers: tuple[tuple[bytes, bytes], ...]


def readings(links: Links, sent: bytes, number: int) -> Reading:
    """Asterisk's reading of a message that uses variable and event `number`."""
    variable, user_event = b"WIRE_%d" % number, b"Wire%d" % number
    response, *events = sorted(
        links.answers(sent, user_event=user_event), key=lambda block: block[0], reverse=True
    )
    headers: Headers = []
    for line in itertools.chain.from_iterable(block[1:] for block in events):
        header = _header(line)
        # Of what Asterisk heeds once, one is passed on; the event repeats it as often as it came.
        once = header[0].lower().decode("latin-1") in NOT_REPEATED
        if not once or header[0].lower() not in {name.lower() for name, _ in headers}:
            headers.append(header)
    told = dict(_header(line) for line in response)
    what = told.get(b"Message") or told.get(b"Ping", b"")
    got = links.answers(b"Action: Getvar\r\nVariable: " + variable + b"\r\n\r\n")[0]
    value = dict(_header(line) for line in got).get(b"Value", b"")
    links.answers(b"Action: Setvar\r\nVariable: " + variable + b"\r\nValue: \r\n\r\n")
    return Reading(told[b"Response"], told.get(b"ActionID", b""), what, value, tuple(headers))


def _header(line: bytes) -> tuple[bytes, bytes]:
    """A line of Asterisk's; a UserEvent's are spelled as the client did."""
    name, _, value = line.partition(b":")
    return name, value.lstrip(bytes(range(1, 33)))


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def expected(request: AmiRequest, number: int) -> Reading:
    """How Asterisk should read it when we did right."""
    action_id = as_bytes(request.action_id)
    variable = request.get("Variable")
    match request.action.lower():
        case "ping":
            return Reading(b"Success", action_id, b"Pong", b"", ())
        case "setvar" if variable:
            value = as_bytes(request.get("Value")) if variable == f"WIRE_{number}" else b""
            return Reading(b"Success", action_id, b"Variable Set", value, ())
        case "setvar":
            return Reading(b"Error", action_id, b"No variable specified", b"", ())
        case "userevent":
            told = {"action", "userevent"}
            given = [header for header in request.headers if header[0].lower() not in told]
            headers = (
                (b"Privilege", b"user,all"),
                (b"UserEvent", as_bytes(request.get("UserEvent"))),
                *((as_bytes(key), as_bytes(value)) for key, value in given),
            )
            return Reading(b"Success", action_id, b"Event Sent", b"", headers)
        case "":
            return Reading(b"Error", action_id, b"Missing action in request", b"", ())
        case _:
            what = b"Invalid/unknown command: %b." % as_bytes(request.action)
            hint = b" Use Action: ListCommands to show available commands."
            return Reading(b"Error", action_id, what + hint, b"", ())


_numbers = itertools.count(1)


def passed_on(template: bytes) -> tuple[bytes, int, AmiRequest | BadRequest]:
    """A message with a number of its own in the place of each `#`, and what becomes of it."""
    number = next(_numbers)
    sent = template.replace(b"#", b"%d" % number)
    (one,) = RequestReader().feed(sent)
    return sent, number, one


def check(links: Links, template: bytes) -> bool:
    """Hold Asterisk to our reading; False where there is none to hold it to."""
    sent, number, one = passed_on(template)
    if isinstance(one, BadRequest):
        return False
    reading = expected(one, number)
    assert readings(links, sent, number) == reading, "as it came"
    assert readings(links, one.to_bytes(), number) == reading, "as it goes on"
    return True


EVENT = b"Action: UserEvent\r\nUserEvent: Wire#\r\n"
SETVAR = b"Action: Setvar\r\nVariable: WIRE_#\r\n"

PASSED_ON = [
    b"\r\n",
    b"\n",
    b"ActionID: 7\r\n\r\n",
    b"Action:\r\nActionID: 7\r\n\r\n",
    b"Action: Ping\nActionID: 7\n\n",
    b"action:ping\r\nACTIONID:\t7 \r\n\r\n",
    b"Action: \t Ping\nActionID:  \t 7\n\n",
    b"Action: Pin g\r\n\r\n",
    b"Action: Ping\r\nActionID: 7\r\nActionID: 7\r\n\r\n",
    SETVAR + b"Value:  \t x \t\r\n\r\n",
    SETVAR + b"Value: a:b: c\r\n\r\n",
    SETVAR + b"Value: L\xe9a \xc3\xa9\r\n\r\n",
    SETVAR + b"Value: 1\r\nVALUE: 2\r\nVariable: OTHER\r\n\r\n",
    SETVAR + b"Value: " + b"x" * 1015 + b"\r\n\r\n",
    EVENT + b"Foo:1\nfoo:\t2 \nFoo:\n\n",
    EVENT + "Prénom: É\r\n\r\n".encode(),
    EVENT + b"Variable: a\r\n" * 126 + b"\r\n",
]


@pytest.mark.parametrize("template", PASSED_ON)
def test_a_spelling_that_is_passed_on_is_read_alike(links: Links, template: bytes) -> None:
    assert check(links, template)


# What Asterisk makes of these is why they are refused: (message, its answers).
REFUSED = [
    (b"Action: Ping\0x\r\n\r\n", [b"Ping: Pong"]),
    (b"Action: x\r\n\0y\r\nAction: Ping\r\n\r\n", [b"Invalid/unknown", b"Ping: Pong"]),
    (b"Action: Ping\r\r\n\r\n", [b"Invalid/unknown"]),
    (b"Action: Ping \r\n\r\n", [b"Invalid/unknown"]),
    (b"Action : Ping\r\n\r\n", [b"Missing action"]),
    (b" Action: Ping\r\n\r\n", [b"Missing action"]),
    (b"Action:\vPing\r\n\r\n", [b"Ping: Pong"]),
    (b"Action:\r\nAction: Ping\r\n\r\n", [b"Ping: Pong"]),
    (b"Action: Ping\r\nAction: Logoff\r\n\r\n", [b"Ping: Pong"]),
    (b"Action: Ping\r\nA: " + b"x" * 1020 + b"\r\n\r\n", [b"line too long", b"Missing action"]),
    (b"Action: Ping\r\n" + b"A: 1\r\n" * 128 + b"\r\n", [b"Too many lines"]),
]


@pytest.mark.parametrize(("message", "answers"), REFUSED)
def test_what_is_refused_is_what_asterisk_reads_otherwise(
    links: Links, message: bytes, answers: list[bytes]
) -> None:
    (bad,) = RequestReader().feed(message)
    assert isinstance(bad, BadRequest)
    told = [b"\r\n".join(block) for block in links.answers(message)]
    assert len(told) == len(answers)
    for block, answer in zip(told, answers, strict=True):
        assert answer in block


ACTIONS = st.sampled_from([b"UserEvent", b"USEREVENT", b"Ping", b"pINg", b"Setvar", b"setvar"])
NAMES = st.sampled_from([b"Action", b"ACTION", b"action"])
GAPS = st.sampled_from([b" ", b"", b"\t", b"  \t ", b" "])
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r\n", b"\n", b"\r\r\n"])
SEASONING = st.sampled_from([
    b"Foo: 1", b"foo:2 ", b"FOO:\t3\t", b"Foo:", b"ActionID: id-#", b"actionid:id-#",
    b"ACTIONID:\tother-# ", b"Value: 1", b"value:2", b"Value: a:b", b"Value:\t#  ", b"Value: \xe9",
    b"Variable: WIRE_#", b"Variable: WIRE_# ", b"variable:\tWIRE_#", b"UserEvent: Wire#",
])  # fmt: skip
SPOILED = st.sampled_from([
    b"Foo\0: 1", b"Foo: \0", b"\0", b"Foo: 1\rAction: Logoff", b"\rFoo: 1", b"Action: Logoff",
    b"Action:", b"Foo : 1", b"\tFoo: 1", b"nothing", b" ", b":", b"Foo: \x01",
])  # fmt: skip
LONG = st.builds(
    lambda name, gap, length: name + gap + b"x" * (length - len(name) - len(gap)),
    st.sampled_from([b"Foo:", b"Value:", b"ActionID:"]),
    GAPS,
    st.integers(1000, 1030),
)
FILLING = st.integers(116, 130).map(lambda count: [b"Foo: 1"] * count)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message that a client could send: an action, spelled somehow, and more about it."""
    action = draw(ACTIONS)
    lines = [draw(NAMES) + b":" + draw(GAPS) + action]
    kind = action.lower()
    if kind == b"userevent":
        lines.append(b"UserEvent:" + draw(GAPS) + b"Wire#")
    elif kind == b"setvar":
        lines.append(b"Variable:" + draw(GAPS) + b"WIRE_#")
    lines += draw(st.lists(SEASONING, max_size=4))
    extra = draw(st.sampled_from(["", "", "", "long", "many", "spoiled"]))
    if extra == "long":
        lines.append(draw(LONG))
    elif extra == "many":
        lines += draw(FILLING)
    elif extra == "spoiled":
        lines.append(draw(SPOILED))
    end = draw(ENDS)
    return b"".join(line + end for line in draw(st.permutations(lines))) + end[-2:]


@settings(max_examples=200)
@given(template=messages())
def test_whatever_is_passed_on_is_read_alike(links: Links, template: bytes) -> None:
    event("passed on" if check(links, template) else "refused")
