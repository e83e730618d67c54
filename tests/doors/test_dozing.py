"""Being woken for a whole environment: nobody who sends it otherwise is left waiting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest
from tests.doors.both_loops import on_both_loops
from tests.doors.test_fastagi import OK, Peer, allow, serving

from dialwarden.doors import agi_conversation
from dialwarden.doors.dozing import PERIOD_S, SLACK_BYTES, Dozing
from dialwarden.wire.agi_request import SHORTEST_BYTES

LINES = (
    "network: yes", "network_script: check", "request: agi://127.0.0.1:4580/check",
    "channel: PJSIP/agent-00000001", "language: en", "type: PJSIP", "uniqueid: 1700000000.1",
    "version: 22.10.1", "callerid: 100", "calleridname: unknown", "callingpres: 0",
    "callingani2: 0", "callington: 0", "callingtns: 0", "dnid: unknown", "rdnis: unknown",
    "context: dialwarden", "extension: check", "priority: 9", "enhanced: 0.0", "accountcode: ",
    "threadid: 140000000000", "arg_1: number=0612345678",
)  # fmt: skip
WHOLE = ("\n".join(f"agi_{line}" for line in LINES) + "\n\n").encode()
SHORT = b"agi_network: yes\nagi_network_script: check\nagi_arg_1: number=0612345678\n\n"


def pieces(*sizes: int) -> list[bytes]:
    cut, start = [], 0
    for size in sizes:
        cut.append(WHOLE[start : start + size])
        start += size
    return [*cut, WHOLE[start:]]


async def answered(port: int, parts: Sequence[bytes]) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    peer = Peer(reader, writer)
    try:
        for part in parts:
            await peer.send(part)
            await asyncio.sleep(0.02)
        if (await peer.variables())["DIALWARDEN_VERDICT"] != "ALLOW":
            return False
        await peer.send(OK)
        return await peer.rest() == b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "parts",
    [
        [WHOLE],
        pieces(SHORTEST_BYTES),
        pieces(SHORTEST_BYTES + 40),
        pieces(len(WHOLE) - 1),
        WHOLE.splitlines(keepends=True),
    ],
    ids=["whole", "what wakes us, and the rest", "more, and the rest", "but the last byte",
         "line by line"],
)  # fmt: skip
@on_both_loops
async def test_the_rest_of_an_environment_is_heard_at_once(
    parts: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever is left to the fallback is cut off before it comes.
    monkeypatch.setattr(agi_conversation, "DOZE_S", 60.0)
    async with serving(allow, environment_timeout_s=5.0) as bridge:
        assert bridge.server.dozing.works
        assert await answered(bridge.port, parts)


@pytest.mark.parametrize(
    "parts", [[SHORT], [SHORT[i : i + 1] for i in range(len(SHORT))]], ids=["whole", "by bytes"]
)
@on_both_loops
async def test_one_that_is_shorter_than_any_of_asterisks_is_heard_too(parts: list[bytes]) -> None:
    async with serving(allow, environment_timeout_s=10.0) as bridge:
        assert await answered(bridge.port, parts)


@on_both_loops
async def test_the_mark_follows_and_a_shorter_one_is_still_heard() -> None:
    long = WHOLE.replace(b"number=", b"x=" + b"y" * 400 + b"\nagi_arg_2: number=")
    async with serving(allow, environment_timeout_s=10.0) as bridge:
        assert await answered(bridge.port, [long])
        assert bridge.server.dozing.mark == len(long) - SLACK_BYTES
        assert await answered(bridge.port, [WHOLE])
        assert bridge.server.dozing.mark == max(len(WHOLE) - SLACK_BYTES, SHORTEST_BYTES)


def marked(sock: socket.socket) -> int:
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)


def test_the_mark_is_that_of_the_shortest_of_two_periods() -> None:
    dozing = Dozing()
    with socket.socket() as sock:
        dozing.add(sock)
        found = []
        for now, size in (
            (0.0, 900), (1.0, 700), (2.0, 2000), (PERIOD_S, 1000), (PERIOD_S + 1, 990),
            (2 * PERIOD_S + 1, 1000), (3 * PERIOD_S + 2, 1000),
        ):  # fmt: skip
            dozing.heard(size, now)
            found.append((dozing.mark, marked(sock)))
    # Differences of a few bytes are not worth a system call.
    expected = [836, 636, 636, 636, 636, 926, 926]
    assert found == [(mark, mark) for mark in expected]


def test_the_mark_is_never_below_the_shortest() -> None:
    dozing = Dozing()
    dozing.heard(10, 0.0)
    assert dozing.mark == SHORTEST_BYTES
