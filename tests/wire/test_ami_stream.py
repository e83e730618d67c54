"""Asterisk's stream to a client: nothing lost, cut at the ends of messages, however it is split."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.wire.ami_stream import BANNER_LIMIT_BYTES, HOLD_LIMIT_BYTES, StreamCutter

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
END = b"\r\n\r\n"
EVENT = b"Event: Newchannel\r\nUniqueid: 1700000000.1\r\n\r\n"
PONG = b"Response: Success\r\nActionID: 7\r\nPing: Pong\r\n\r\n"
ERROR = b"Response: Error\r\nMessage: Originate failed\r\n\r\n"
PONG_READ = {"response": "Success", "actionid": "7", "ping": "Pong"}
ERROR_READ = {"response": "Error", "message": "Originate failed"}


def opened(*, watching: bool = False) -> StreamCutter:
    cutter = StreamCutter()
    cutter.feed(BANNER)
    cutter.watching = watching
    return cutter


def output(size_bytes: int) -> bytes:
    """The response to a Command, so many bytes up to the two line ends that end it."""
    head = b"Response: Success\r\nActionID: c\r\nMessage: Command output follows\r\n"
    lines = head + b"Output: x\r\n" * (size_bytes // 11)
    return lines[: size_bytes - 1] + b"x\r\n\r\n"


def test_the_banner_is_one_line() -> None:
    cutter = StreamCutter()
    assert not cutter.at_boundary
    assert cutter.feed(BANNER[:-1]) == b""
    assert not cutter.at_boundary
    assert cutter.feed(BANNER[-1:]) == BANNER
    assert cutter.at_boundary


def test_the_banner_may_bring_messages_along() -> None:
    cutter = StreamCutter()
    assert cutter.feed(BANNER + EVENT + b"Eve") == BANNER + EVENT
    assert cutter.at_boundary
    assert cutter.pending == 3


def test_who_sends_no_banner_is_let_through() -> None:
    cutter = StreamCutter()
    assert cutter.feed(b"x" * (BANNER_LIMIT_BYTES - 1)) == b""
    assert cutter.feed(b"xy") == b"x" * BANNER_LIMIT_BYTES + b"y"
    assert cutter.feed(b"z\r\n") == b"z\r\n"
    assert not cutter.at_boundary
    at_once = StreamCutter()
    assert at_once.feed(b"x" * BANNER_LIMIT_BYTES + b"yz\r\n").endswith(b"yz\r\n")
    assert not at_once.at_boundary


def test_what_is_whole_goes_on_and_the_rest_is_held() -> None:
    cutter = opened()
    assert cutter.feed(EVENT[:10]) == b""
    assert cutter.at_boundary, "nothing of the event has been returned"
    assert cutter.feed(EVENT[10:] + EVENT + EVENT[:5]) == EVENT + EVENT
    assert cutter.at_boundary
    assert cutter.pending == 5
    assert cutter.flush() == EVENT[:5]
    assert not cutter.at_boundary
    assert cutter.flush() == b""


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_the_end_of_a_message_may_be_split(cut: int) -> None:
    cutter = opened()
    assert cutter.feed(EVENT[:-cut]) == b""
    assert cutter.feed(EVENT[-cut:] + EVENT[:4]) == EVENT
    assert cutter.at_boundary


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_the_end_of_a_message_that_was_let_through_may_be_split(cut: int) -> None:
    cutter = opened(watching=True)
    large = output(3 * HOLD_LIMIT_BYTES)
    assert cutter.feed(large[:-cut]) == large[:-cut]
    assert not cutter.at_boundary
    assert cutter.feed(large[-cut:] + PONG + EVENT[:9]) == large[-cut:] + PONG
    assert cutter.at_boundary
    assert cutter.responses == [PONG_READ]


def test_an_empty_message_is_one() -> None:
    cutter = opened()
    assert cutter.feed(EVENT) == EVENT
    assert cutter.feed(b"\r\n") == b"\r\n"
    assert cutter.at_boundary


def test_a_large_message_is_not_held() -> None:
    cutter = opened()
    sent = len(cutter.feed(b"Response: Success\r\n"))
    assert sent == 0
    for _ in range(1000):
        sent += len(cutter.feed(b"Output: " + b"x" * 5000 + b"\r\n"))
        assert cutter.pending < HOLD_LIMIT_BYTES + 5010
    assert sent == 19 + 1000 * 5010
    assert not cutter.at_boundary
    assert cutter.feed(b"\r\n" + EVENT + b"E") == b"\r\n" + EVENT
    assert cutter.at_boundary


def test_responses_are_told_only_while_somebody_watches() -> None:
    cutter = opened()
    cutter.feed(PONG)
    assert cutter.responses == []
    cutter.watching = True
    cutter.feed(EVENT + PONG + EVENT + ERROR + EVENT + PONG[:-1])
    assert cutter.responses == [PONG_READ, ERROR_READ]
    cutter.feed(PONG[-1:])
    assert cutter.responses == [PONG_READ]
    cutter.feed(EVENT)
    assert cutter.responses == []


def test_a_response_right_behind_the_banner_is_told() -> None:
    cutter = StreamCutter()
    cutter.watching = True
    assert cutter.feed(BANNER + PONG) == BANNER + PONG
    assert cutter.responses == [PONG_READ]


def test_what_only_speaks_of_a_response_is_none() -> None:
    cutter = opened(watching=True)
    cutter.feed(b"Event: UserEvent\r\nText: Response: x\r\nResponse: y\r\n\r\n")
    cutter.feed(b"Event: OriginateResponse\r\nResponse: Failure\r\n\r\n")
    assert cutter.responses == []


def test_of_a_long_response_the_beginning_is_told_once() -> None:
    cutter = opened(watching=True)
    large = output(HOLD_LIMIT_BYTES + 30_000)
    told = []
    for start in range(0, len(large), 1000):
        cutter.feed(large[start : start + 1000])
        told += cutter.responses
    assert [(one["response"], one["actionid"]) for one in told] == [("Success", "c")]
    cutter.feed(large)
    assert cutter.responses == told


def test_a_line_that_is_only_half_looked_at_is_not_told() -> None:
    head = b"Response: Success\r\nText: "
    late = b"\r\nActionID: 1234\r\n\r\n"
    for looked_at, told in [(len(late) - 4, True), (len(late) - 5, False)]:
        cutter = opened(watching=True)
        cutter.feed(head + b"x" * (HOLD_LIMIT_BYTES - len(head) - looked_at) + late)
        (response,) = cutter.responses
        assert ("actionid" in response) == told


@pytest.mark.parametrize("more", range(-1, 6))
@pytest.mark.parametrize("cut", range(1, 7))
def test_a_response_of_the_length_that_is_held_is_told_alike_however_it_comes(
    more: int, cut: int
) -> None:
    late = b"\r\nA: 1234"
    message = output(HOLD_LIMIT_BYTES + more - len(late)).removesuffix(END) + late + END
    whole, cutter = opened(watching=True), opened(watching=True)
    whole.feed(message)
    told = []
    for piece in (message[:-cut], message[-cut:]):
        cutter.feed(piece)
        told += cutter.responses
    assert told == whole.responses
    assert len(told) == 1


MESSAGES = st.sampled_from([
    EVENT,
    PONG,
    ERROR,
    b"\r\n",
    b"Event: A\r\nValue: \n\n \r \r\n\r\n",
    b"Event: " + b"y" * (HOLD_LIMIT_BYTES + 100) + b"\r\n\r\n",
    # Just held whole, and just not.
    *(output(HOLD_LIMIT_BYTES + more) for more in (-1, 0, 1, 2, 3, 4, 5, 200_000)),
])  # fmt: skip
STREAMS = st.lists(MESSAGES, max_size=6).map(lambda messages: BANNER + b"".join(messages))


def pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(stream) + 1) for cut in cuts}), len(stream)]
    return [stream[start:end] for start, end in pairwise(places)]


def is_boundary(stream: bytes) -> bool:
    return stream == BANNER or stream.endswith(b"\r\n\r\n")


# Cuts are counted from both ends, since that is where the ends of messages are in most streams.
CUTS = st.lists(st.integers(-200, 200) | st.integers(0, 500_000), max_size=12)


@given(STREAMS, st.sampled_from([b"", b"Event: B", b"Response: C\r\n", b"\r"]), CUTS)
def test_however_it_is_split_nothing_is_lost_and_boundaries_are_boundaries(
    messages: bytes, tail: bytes, cuts: list[int]
) -> None:
    stream = messages + tail
    whole = opened(watching=True)
    whole.feed(stream.removeprefix(BANNER))
    cutter = StreamCutter()
    cutter.watching = True
    sent = b""
    told = []
    for piece in pieces(stream, cuts):
        sent += cutter.feed(piece)
        told += cutter.responses
        assert cutter.at_boundary == is_boundary(sent)
        assert cutter.pending < HOLD_LIMIT_BYTES + len(piece) + 4
    assert sent == messages
    assert cutter.at_boundary
    assert told == whole.responses
    assert cutter.flush() == tail


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"Response:"]), max_size=60),
    st.lists(st.integers(0, 200), max_size=30),
)
def test_any_bytes_come_through_in_order(soup: list[bytes], cuts: list[int]) -> None:
    stream = BANNER + b"".join(soup)
    cutter = StreamCutter()
    sent = b""
    for piece in pieces(stream, cuts):
        sent += cutter.feed(piece)
        if sent:
            assert cutter.at_boundary == is_boundary(sent)
    assert sent == stream[: max(len(BANNER), stream.rfind(b"\r\n\r\n") + 4)]
    assert sent + cutter.flush() == stream
