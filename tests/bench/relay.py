"""AMI events through the gateway, beside a bare relay that only copies bytes, on the same loop.

Each relay is a process of its own, pinned to one core where there are two; Asterisk and the client
are this one, on another. They take turns in one run, and the quickest turn of each counts. What
counts is the ratio: the bytes a second are this machine's. On a machine that is busy otherwise the
ratio of the processor's seconds, which a relay takes for the same bytes, is the one to trust.

Events are written as Asterisk does, one at a time, and in blocks of 64 KiB cut anywhere, as they
arrive when a relay lags behind. The client counts every byte and compares the last ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop
from tests.running import environ

_BANNER = b"Asterisk Call Manager/9.0.0\r\n"
_EVENT = (
    "Event: Newexten\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/carrier-{n:08x}\r\n"
    "ChannelState: 4\r\nChannelStateDesc: Ring\r\nCallerIDNum: 0140000000\r\n"
    "CallerIDName: Énergie Paris\r\nConnectedLineNum: <unknown>\r\n"
    "ConnectedLineName: <unknown>\r\nLanguage: fr\r\nAccountCode: \r\nContext: outbound\r\n"
    "Exten: 06{n:08d}\r\nPriority: 3\r\nUniqueid: 1764000000.{n}\r\nLinkedid: 1764000000.{n}\r\n"
    "Extension: 06{n:08d}\r\nApplication: Dial\r\nAppData: PJSIP/06{n:08d}@carrier,30\r\n\r\n"
)
_EVENTS = [_EVENT.format(n=n).encode() for n in range(1000)]
_BLOCK = 64 * 1024
# Sent and not yet received: the client is never so far behind that the gateway would cut it.
_AHEAD = 2 << 20

# The relays, each in a process of its own.


class _BareEnd(asyncio.Protocol):
    """One end of the bare relay: what comes is written to the other end."""

    def __init__(self, other: asyncio.WriteTransport | None = None) -> None:
        # Given, not set later: bytes may come before whoever connects is told of the connection.
        self.other = other

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self.other is not None
        self.other.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.close()


class _BareClient(_BareEnd):
    def __init__(self, upstream: int) -> None:
        super().__init__()
        self._upstream = upstream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self.other, _ = await loop.create_connection(
            lambda: _BareEnd(self.transport), "127.0.0.1", self._upstream
        )
        self.transport.resume_reading()


async def _serve_bare(upstream: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _BareClient(upstream), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


class _NoRulings:
    """Nothing concerns us: only Asterisk's way to the client is measured."""

    def concerns(self, request: object) -> bool:
        return False


async def _serve_gateway(upstream: int) -> None:
    from dialwarden.doors.ami_gateway import AmiGateway, Upstream
    from dialwarden.doors.ami_rulings import Rulings
    from dialwarden.doors.listening import listen

    gateway = AmiGateway(cast(Rulings, _NoRulings()), upstream=Upstream("127.0.0.1", upstream))
    sock = listen("127.0.0.1:0")
    await gateway.start(sock)
    print(sock.getsockname()[1], flush=True)
    await asyncio.Event().wait()


_RELAYS = {"gateway": _serve_gateway, "bare": _serve_bare}


def _serve(relay: str, upstream: int, core: int) -> None:
    if core >= 0:
        os.sched_setaffinity(0, {core})
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_RELAYS[relay](upstream))


# Asterisk and the client.


@dataclass
class _Turn:
    """One turn of one relay. Seconds of the clock, and of the relay's processor."""

    seconds: float
    processor: float


class _Sink:
    """A client that counts what it gets."""

    def __init__(self, sock: socket.socket, expected: int) -> None:
        self.received = 0
        self.last = b""
        self._sock = sock
        self._expected = expected
        self._room = threading.Condition()

    def wait_until(self, received: int) -> None:
        with self._room:
            if not self._room.wait_for(lambda: self.received >= received, 60):
                raise SystemExit(f"the relay stopped after {self.received:,} bytes")

    def run(self) -> None:
        buffer = bytearray(1 << 20)
        while self.received < self._expected:
            count = self._sock.recv_into(buffer)
            if not count:
                return
            with self._room:
                self.received += count
                self._room.notify()
            self.last = bytes(buffer[max(0, count - 100) : count])


def _writes(size: int, one_by_one: bool) -> list[bytes]:
    """What Asterisk writes, some `size` bytes; the same objects over and over."""
    stream = b"".join(_EVENTS) * 16
    blocks = [stream[start : start + _BLOCK] for start in range(0, len(stream), _BLOCK)]
    return (_EVENTS * 16 if one_by_one else blocks) * max(1, size // len(stream))


def _turn(relay: str, writes: list[bytes], core: int) -> _Turn:
    with socket.create_server(("127.0.0.1", 0)) as asterisk:
        words = [sys.executable, "-m", "tests.bench.relay", "--serve", relay]
        words += ["--upstream", str(asterisk.getsockname()[1]), "--core", str(core)]
        process = subprocess.Popen(words, env=environ(), stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with socket.create_connection(("127.0.0.1", port)) as client:
                session, _ = asterisk.accept()
                with session:
                    session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    session.sendall(_BANNER)
                    assert client.recv(100) == _BANNER
                    before = _processor_of(process.pid)
                    seconds = _relayed(session, client, writes)
                    spent = _processor_of(process.pid) - before
        finally:
            process.terminate()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    return _Turn(seconds, spent)


def _processor_of(pid: int) -> float:
    """Seconds of processor that a process of one thread has taken so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _relayed(session: socket.socket, client: socket.socket, writes: list[bytes]) -> float:
    expected = sum(map(len, writes))
    sink = _Sink(client, expected)
    reading = threading.Thread(target=sink.run)
    reading.start()
    start = time.perf_counter()
    sent = 0
    for data in writes:
        if sent - sink.received > _AHEAD:
            sink.wait_until(sent - _AHEAD // 2)
        session.sendall(data)
        sent += len(data)
    sink.wait_until(expected)
    seconds = time.perf_counter() - start
    reading.join()
    assert sink.received == expected
    assert (writes[-2] + writes[-1]).endswith(sink.last)
    return seconds


def _told(name: str, turns: list[_Turn], size: int) -> str:
    seconds = min(turn.seconds for turn in turns)
    processor = min(turn.processor for turn in turns)
    return (
        f"{name:24} {size / seconds / 1e6:8.1f} MB/s"
        f"  {processor / size * 1e9:6.2f} s of processor a GB"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.relay")
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="every turn's figures")
    parser.add_argument("--serve", choices=sorted(_RELAYS), help=argparse.SUPPRESS)
    parser.add_argument("--upstream", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, default=-1, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.serve:
        _serve(words.serve, words.upstream, words.core)
        return 0
    cores = sorted(os.sched_getaffinity(0))
    core = cores[-1] if len(cores) > 1 else -1
    if core >= 0:
        os.sched_setaffinity(0, set(cores[:-1]))
    else:
        print("one core: the relay and the load share it")
    figures: dict[str, dict[str, list[float]]] = {}
    for name, one_by_one in (("an event a write", True), ("64 KiB a write", False)):
        writes = _writes(words.megabytes * 1_000_000, one_by_one)
        size = sum(map(len, writes))
        print(
            f"{size / 1e6:.0f} MB of events, {name}; {words.turns} turns each, the quickest counts"
        )
        turns: dict[str, list[_Turn]] = {"gateway": [], "bare": []}
        for _ in range(words.turns):
            for relay, taken in turns.items():
                taken.append(_turn(relay, writes, core))
        figures[name] = {
            f"{relay}_{unit}": [figure(turn) for turn in taken]
            for relay, taken in turns.items()
            for unit, figure in (
                ("mb_s", lambda turn: size / turn.seconds / 1e6),  # noqa: B023  called at once
                ("s_gb", lambda turn: turn.processor / size * 1e9),  # noqa: B023
            )
        }
        print(_told("dialwarden's gateway", turns["gateway"], size))
        print(_told("bare relay", turns["bare"], size))
        quickest = {relay: min(t.seconds for t in taken) for relay, taken in turns.items()}
        least = {relay: min(t.processor for t in taken) for relay, taken in turns.items()}
        print(f"{'ratio':24} {quickest['bare'] / quickest['gateway']:8.2f}       "
              f"{least['bare'] / least['gateway']:6.2f}")  # fmt: skip
    if words.json:
        words.json.write_text(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
