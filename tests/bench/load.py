"""A FastAGI load generator: asks as Asterisk asks, at a fixed rate or as fast as answers come.

Latency is counted from the instant a question was due, not from when it could be sent: a server
that stalls is charged for everybody who waited behind it. What an answer says is counted too, so
that a server that refuses quickly does not look fast; what is no verdict is an error.

One thread over epoll, sockets and nothing else: what it adds to a latency is its own queue, so it
must cost less a call than what it measures. A line of the environment is a `send` of its own with
TCP_NODELAY, as Asterisk's are; a call costs some 35 system calls here, of which 29 are those.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import errno
import json
import random
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.bench.people import Callees, Shares

_COMMAND = re.compile(rb'SET VARIABLE ARRAY\(([A-Z_,]+)\) "(.*)"\n')
_REPLY = b"200 result=1\n"
# Asterisk gives up at two seconds; a server that is slower than this is not slow but gone.
_PATIENCE_S = 10.0

# What Asterisk 22 sends, a line a write: what is the same for every call, in its order, with the
# places of what is not.
_BEFORE = [
    b"agi_network: yes\n",
    b"agi_network_script: check\n",
    b"agi_request: agi://127.0.0.1/check\n",
]
_BETWEEN = [
    b"agi_version: 22.10.1\n",
    b"agi_callerid: 201\n",
    b"agi_calleridname: Agent\n",
    b"agi_callingpres: 0\n",
    b"agi_callingani2: 0\n",
    b"agi_callington: 0\n",
    b"agi_callingtns: 0\n",
    b"agi_dnid: unknown\n",
    b"agi_rdnis: unknown\n",
    b"agi_context: dialwarden\n",
    b"agi_extension: question\n",
    b"agi_priority: 30\n",
    b"agi_enhanced: 0.0\n",
    b"agi_accountcode: \n",
    b"agi_threadid: 140000000000\n",
]


@dataclass
class Tally:
    """What happened. Latencies in seconds.

    Attributes:
        late: how far behind its instant each question of a fixed rate left, seconds: what the
            generator itself adds.
        processor: seconds of processor that the generator took.
    """

    latencies: list[float] = field(default_factory=list)
    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    attempts: list[str] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def answered(self) -> int:
        return len(self.latencies)

    def quantile(self, share: float) -> float:
        return quantile(self.latencies, share)

    def heard(self, command: bytes) -> None:
        """Count what an answer says."""
        said = _COMMAND.fullmatch(command)
        if said is None:
            self.errors["no verdict"] += 1
            return
        # The reason, the only value that may hold a comma, is the last one.
        names = said[1].decode().split(",")
        values = dict(zip(names, said[2].decode().split(",", len(names) - 1), strict=True))
        verdict = values["DIALWARDEN_VERDICT"]
        self.verdicts[f"{verdict} {values['DIALWARDEN_RULE']}".strip()] += 1
        if verdict == "ALLOW":
            self.attempts.append(values["DIALWARDEN_ATTEMPT"])

    def summary(self) -> dict[str, object]:
        told: dict[str, object] = {
            "answered": self.answered,
            "errors": dict(self.errors),
            "verdicts": dict(self.verdicts),
            "seconds": round(self.seconds, 2),
            "per_second": round(self.answered / self.seconds) if self.seconds else 0,
            "ms": _in_ms(self.latencies),
            "generator_us_a_call": round(self.processor / max(1, self.answered) * 1e6, 1),
        }
        return told | ({"generator_late_ms": _in_ms(self.late)} if self.late else {})


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of them are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _in_ms(values: list[float]) -> dict[str, float]:
    quantiles = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
    return {name: round(quantile(values, share) * 1000, 3) for name, share in quantiles}


class _Call:
    """One connection: the lines still to be sent, and what came."""

    __slots__ = ("answered", "due", "lines", "received", "sent", "sock")

    def __init__(self, sock: socket.socket, lines: list[bytes], due: float) -> None:
        self.sock = sock
        self.lines = lines
        self.sent = 0
        self.due = due
        self.received = b""
        self.answered = False


class Generator:
    """Asks one server.

    Args:
        callees: the numbers, digits of E.164, French ones: asked about as they are dialled.
        whole: the environment in one write, not a line a write as Asterisk does.
        first: of the serial numbers that calls are told apart by.

    Attributes:
        serial: that of the next call.
    """

    def __init__(
        self,
        address: tuple[str, int],
        campaign: str,
        callees: Iterator[int],
        *,
        whole: bool = False,
        first: int = 0,
    ) -> None:
        self._address = address
        self._campaign = campaign.encode()
        self._callees = callees
        self._whole = whole
        self.serial = first
        self._open: dict[int, _Call] = {}
        self._heard: list[bytes] = []
        self._tally = Tally()

    def at_once(self, calls: int, seconds: float) -> Tally:
        """Keep so many calls under way."""
        with self._running() as start:
            end = start + seconds
            while (now := time.perf_counter()) < end:
                while len(self._open) < calls:
                    self._begin(now)
                self._hear(0.05)
            self._hear_all()
        return self._tally

    def at_rate(self, rate: float, seconds: float) -> Tally:
        """Ask so many a second, each at its own instant whatever became of those before."""
        with self._running() as start:
            for place in range(int(rate * seconds)):
                due = start + place / rate
                while (wait := due - time.perf_counter()) > 0:
                    self._hear(wait)
                self._tally.late.append(-wait)
                self._begin(due)
                self._hear(0.0)
            self._hear_all()
        return self._tally

    @contextlib.contextmanager
    def _running(self) -> Iterator[float]:
        tally, spent = self._tally, time.thread_time()
        with select.epoll() as self._epoll:
            start = time.perf_counter()
            yield start
            tally.seconds = time.perf_counter() - start
        tally.processor = time.thread_time() - spent
        for command in self._heard:
            tally.heard(command)

    def _environment(self) -> list[bytes]:
        serial = self.serial
        self.serial = serial + 1
        lines = [
            *_BEFORE,
            b"agi_channel: PJSIP/agent-%08x\n" % (serial & 0xFFFFFFFF),
            b"agi_language: en\n",
            b"agi_type: PJSIP\n",
            b"agi_uniqueid: 1764000000.%d\n" % serial,
            *_BETWEEN,
            b"agi_arg_1: campaign=%b\n" % self._campaign,
            b"agi_arg_2: call=1764000000.%d\n" % serial,
            b"agi_arg_3: callerid=+33142123456\n",
            b"agi_arg_4: dialstatus=\n",
            b"agi_arg_5: rang=\n",
            b"agi_arg_6: number=0%d\n" % (next(self._callees) - 33_000_000_000),
            b"\n",
        ]
        return [b"".join(lines)] if self._whole else lines

    def _begin(self, due: float) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = sock.connect_ex(self._address)
        if failed not in (0, errno.EINPROGRESS):
            self._tally.errors[errno.errorcode[failed]] += 1
            sock.close()
            return
        call = _Call(sock, self._environment(), due)
        self._open[sock.fileno()] = call
        # On loopback the connection stands by now; where it does not, `send` would block.
        done = self._send(call)
        if done is not None:
            wanted = select.EPOLLIN if done else select.EPOLLIN | select.EPOLLOUT
            self._epoll.register(sock.fileno(), wanted)

    def _send(self, call: _Call) -> bool | None:
        """Whether all of the environment is out; None when the call has failed."""
        send = call.sock.send
        try:
            for line in call.lines[call.sent :]:
                send(line)
                call.sent += 1
        except BlockingIOError:
            return False
        except OSError as error:
            self._end(call, type(error).__name__)
            return None
        return True

    def _hear(self, wait: float) -> None:
        """Take what came, waiting for at most `wait` seconds for something."""
        if wait > 0:
            # epoll waits in whole milliseconds, select in microseconds; it sees an epoll as a file.
            select.select([self._epoll], (), (), wait)
        for descriptor, event in self._epoll.poll(0):
            call = self._open[descriptor]
            if event & select.EPOLLOUT and self._send(call):
                self._epoll.modify(descriptor, select.EPOLLIN)
            if event & ~select.EPOLLOUT and descriptor in self._open:
                self._receive(call)

    def _receive(self, call: _Call) -> None:
        try:
            data = call.sock.recv(4096)
            if data:
                call.received += data
                if data[-1] == 10 and not call.answered:
                    self._tally.latencies.append(time.perf_counter() - call.due)
                    call.answered = True
                    call.sock.send(_REPLY)
                return
        except OSError as error:
            self._end(call, "" if call.answered else type(error).__name__)
            return
        self._end(call, "")

    def _end(self, call: _Call, failed: str) -> None:
        del self._open[call.sock.fileno()]
        call.sock.close()
        if failed:
            self._tally.errors[failed] += 1
        else:
            self._heard.append(call.received)

    def _hear_all(self) -> None:
        give_up = time.perf_counter() + _PATIENCE_S
        while self._open and time.perf_counter() < give_up:
            self._hear(0.05)
        for call in list(self._open.values()):
            self._end(call, "no end")


async def load(
    *,
    host: str,
    port: int,
    campaign: str,
    seconds: float,
    rate: float = 0.0,
    at_once: int = 128,
    whole: bool = False,
    seed: int = 1,
) -> Tally:
    """Ask for so many seconds, from a thread beside the loop, about fresh numbers.

    Args:
        rate: questions a second, each due at its own instant; 0 keeps `at_once` under way.
        whole: the environment in one write, not a line a write as Asterisk does.
        seed: loads with unlike seeds ask about unlike numbers, in unlike calls.
    """
    first = random.Random(seed).randrange(1 << 20) * 10_000
    generator = Generator(
        (host, port), campaign, Callees(Shares(), first=first), whole=whole, first=first
    )
    if rate:
        return await asyncio.to_thread(generator.at_rate, rate, seconds)
    return await asyncio.to_thread(generator.at_once, at_once, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.load")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4580)
    parser.add_argument("--campaign", default="")
    parser.add_argument("--rate", type=float, default=0.0, help="questions a second; 0: closed")
    parser.add_argument("--at-once", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--whole", action="store_true", help="the environment in one write")
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFF)
    parser.add_argument(
        "--numbers", default="0,0", metavar="CALLED,OPPOSED",
        help="shares of numbers that the bench's ledger has a history of, and that are opposed",
    )  # fmt: skip
    parser.add_argument("--listed", type=int, default=5_000_000, help="numbers in its list")
    words = parser.parse_args()
    called, opposed = map(float, words.numbers.split(","))
    first = random.Random(words.seed).randrange(1 << 20) * 10_000
    callees = Callees(Shares(called, opposed), listed=words.listed, first=first, seed=words.seed)
    generator = Generator(
        (words.host, words.port), words.campaign, callees, whole=words.whole, first=first
    )
    if words.rate:
        tally = generator.at_rate(words.rate, words.seconds)
    else:
        tally = generator.at_once(words.at_once, words.seconds)
    json.dump(tally.summary(), sys.stdout, indent=2)
    print()
    return 1 if tally.errors else 0


if __name__ == "__main__":
    sys.exit(main())
