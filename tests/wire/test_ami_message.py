"""AMI text: what is made, what may never be made, and what Asterisk's own says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.wire.ami_message import (
    UnsafeText,
    action_bytes,
    error_response,
    parse_message,
    request_bytes,
)


def test_an_action_is_its_name_its_headers_and_a_blank_line() -> None:
    assert action_bytes("Getvar", [("ActionID", "7"), ("Variable", "A"), ("Variable", "B")]) == (
        b"Action: Getvar\r\nActionID: 7\r\nVariable: A\r\nVariable: B\r\n\r\n"
    )
    assert action_bytes("Ping") == b"Action: Ping\r\n\r\n"


def test_a_request_without_headers_is_a_blank_line() -> None:
    assert request_bytes([]) == b"\r\n"


@pytest.mark.parametrize(
    ("action_id", "message", "expected"),
    [
        ("", "no", b"Response: Error\r\nMessage: no\r\n\r\n"),
        ("7", "no", b"Response: Error\r\nActionID: 7\r\nMessage: no\r\n\r\n"),
        ("\udcff", "é", b"Response: Error\r\nActionID: \xff\r\nMessage: \xc3\xa9\r\n\r\n"),
        ("", "\udcff\ud800", b"Response: Error\r\nMessage: ??\r\n\r\n"),
        ("", "a\r\n\r\nEvent: b\0c", b"Response: Error\r\nMessage: a Event: b c\r\n\r\n"),
    ],
)
def test_an_error_is_told_as_asterisk_would(action_id: str, message: str, expected: bytes) -> None:
    assert error_response(action_id, message) == expected


def test_an_action_id_that_would_end_the_message_is_never_sent_back() -> None:
    with pytest.raises(UnsafeText):
        error_response("1\r\n\r\nEvent: x", "no")


MAKERS = [
    pytest.param(lambda name, value: action_bytes("Ping", [(name, value)]), id="action"),
    pytest.param(lambda name, value: request_bytes([(name, value)]), id="request"),
]
Maker = Callable[[str, str], bytes]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Channel", "a\r\nAction: Originate"),
        ("Channel", "a\n"),
        ("Channel", "a\r"),
        ("Channel", "a\0b"),
        ("Channel", "half \ud800"),
        ("Chan\nnel", "a"),
        ("Chan\rnel", "a"),
        ("Chan\0nel", "a"),
        ("Action: Ping", "a"),
        ("Channel ", "a"),
        (" Channel", "a"),
        ("", "a"),
    ],
)
def test_text_that_would_be_read_otherwise_is_refused(make: Maker, name: str, value: str) -> None:
    with pytest.raises(UnsafeText):
        make(name, value)


@pytest.mark.parametrize("name", ["Ping\r\nActionID: 1", "Pi\0ng"])
def test_the_name_of_an_action_is_checked_as_well(name: str) -> None:
    with pytest.raises(UnsafeText):
        action_bytes(name)


def test_a_refused_value_is_not_shown() -> None:
    with pytest.raises(UnsafeText, match="'Secret'") as error:
        action_bytes("Login", [("Secret", "hush\r\n")])
    assert "hush" not in str(error.value)


# "Data: " and CR LF are 8 of the 1024 bytes of a line.
@pytest.mark.parametrize(
    ("headers", "makes"),
    [
        ([("Data", "x" * 1016)], True),
        ([("Data", "x" * 1017)], False),
        ([("Data", "é" * 508)], True),
        ([("Data", "é" * 509)], False),
        ([("A", "")] * 127, True),
        ([("A", "")] * 128, False),
    ],
    ids=["1024 bytes", "1025 bytes", "1024 in UTF-8", "1026 in UTF-8", "128 lines", "129 lines"],
)
def test_nothing_is_made_that_asterisk_would_not_read(
    headers: list[tuple[str, str]], makes: bool
) -> None:
    if makes:
        assert action_bytes("Test", headers).endswith(b"\r\n\r\n")
    else:
        with pytest.raises(UnsafeText, match="Asterisk reads at most"):
            action_bytes("Test", headers)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b"", {}),
        (b"\r\n", {}),
        (b"Response: Success\r\nActionID: 7\r\n\r\n", {"response": "Success", "actionid": "7"}),
        (b"Event: Hangup\r\nCause: 16", {"event": "Hangup", "cause": "16"}),
        (b"PING:Pong\r\n", {"ping": "Pong"}),
        (b"CallerIDName:   two spaces\r\n", {"calleridname": "  two spaces"}),
        (b"Empty: \r\nBare:\r\nNo header\r\n", {"empty": "", "bare": ""}),
        (b"Uri: sip:1@host:5060\r\n", {"uri": "sip:1@host:5060"}),
        (b"Uniqueid: 1\r\nValue: x\r\nUniqueid: 2\r\n", {"uniqueid": "1", "value": "x"}),
        (b"Value: x\nUniqueid: 2\r\nUniqueid: 1\r\n", {"value": "x\nUniqueid: 2", "uniqueid": "1"}),
        (b"Value: x\rUniqueid: 2\r\n", {"value": "x\rUniqueid: 2"}),
        (b"Name: L\xe9a \xc3\xa9\r\n", {"name": "L\ufffda é"}),
    ],
)
def test_asterisks_messages_are_read(block: bytes, expected: dict[str, str]) -> None:
    assert parse_message(block) == expected


@given(st.binary())
def test_any_bytes_are_read_as_some_message(block: bytes) -> None:
    assert all(name == name.lower() and ":" not in name for name in parse_message(block))


NAMES = st.text("abcXYZ019-", min_size=1, max_size=8)
VALUES = st.text(" \t:\x1b\x7f\x85aé\u2028", max_size=20)


@given(st.dictionaries(NAMES.map(str.lower), VALUES, max_size=10))
def test_what_is_made_is_read_back(headers: dict[str, str]) -> None:
    headers.pop("action", None)
    assert parse_message(action_bytes("X", headers.items())) == {"action": "X", **headers}
