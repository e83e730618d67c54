"""A FastAGI load generator: asks as Asterisk asks, at a fixed rate or as fast as answers come.

Latency is counted from the instant a question was due, not from when it could be sent: a server
that stalls is charged for everybody who waited behind it. What an answer says is counted too, so
that a server that refuses quickly does not look fast.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import cast

import uvloop

_COMMAND = re.compile(rb'SET VARIABLE ARRAY\(([A-Z_,]+)\) "(.*)"\n')
# What Asterisk 22 sends before the arguments, a line a write; 22 lines.
_ENVIRONMENT = """\
agi_network: yes
agi_network_script: check
agi_request: agi://127.0.0.1/check
agi_channel: PJSIP/agent-{serial:08x}
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1764000000.{serial}
agi_version: 22.10.1
agi_callerid: 201
agi_calleridname: Agent
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: unknown
agi_rdnis: unknown
agi_context: dialwarden
agi_extension: check
agi_priority: 9
agi_enhanced: 0.0
agi_accountcode:
agi_threadid: 140000000000
agi_arg_1: number={number}
agi_arg_2: campaign={campaign}
agi_arg_3: call=1764000000.{serial}
"""


@dataclass
class Tally:
    """What happened. Latencies in seconds."""

    latencies: list[float] = field(default_factory=list)
    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    attempts: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def summary(self) -> dict[str, object]:
        answered = len(self.latencies)
        return {
            "answered": answered,
            "errors": dict(self.errors),
            "verdicts": dict(self.verdicts),
            "seconds": round(self.seconds, 2),
            "per_second": round(answered / self.seconds) if self.seconds else 0,
            "ms": {
                name: round(self.quantile(share) * 1000, 2)
                for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
            },
        }


class _Asking(asyncio.Protocol):
    """One call: the environment out, the command in, its reply, the end."""

    def __init__(self, environment: bytes, *, whole: bool, ended: asyncio.Future[bytes]) -> None:
        self._environment = environment
        self._whole = whole
        self._ended = ended
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is none by inheritance
        self._transport = transport = cast(asyncio.WriteTransport, transport)
        if self._whole:
            transport.write(self._environment)
        else:
            for line in self._environment.splitlines(keepends=True):
                transport.write(line)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"\n"):
            self._transport.write(b"200 result=1\n")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(self._received)


async def _ask(
    tally: Tally, host: str, port: int, environment: bytes, due: float, *, whole: bool
) -> None:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bytes] = loop.create_future()
    try:
        await loop.create_connection(
            lambda: _Asking(environment, whole=whole, ended=ended), host, port
        )
        command = await asyncio.wait_for(ended, 10)
    except (OSError, TimeoutError) as error:
        tally.errors[type(error).__name__] += 1
        return
    said = _COMMAND.fullmatch(command)
    if said is None:
        tally.errors["no verdict"] += 1
        return
    tally.latencies.append(loop.time() - due)
    # The reason, the only value that may hold a comma, is the last one.
    names = said[1].decode().split(",")
    values = dict(zip(names, said[2].decode().split(",", len(names) - 1), strict=True))
    verdict = values["DIALWARDEN_VERDICT"]
    tally.verdicts[f"{verdict} {values['DIALWARDEN_RULE']}".strip()] += 1
    if verdict == "ALLOW":
        tally.attempts.append(values["DIALWARDEN_ATTEMPT"])


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
    """Ask for so many seconds.

    Args:
        rate: questions a second, each due at its own instant; 0 keeps `at_once` under way.
        whole: the environment in one write, not a line a write as Asterisk does.
    """
    loop = asyncio.get_running_loop()
    chance = random.Random(seed)
    tally = Tally()
    serial = chance.randrange(1 << 20) * 10_000

    def environment() -> bytes:
        nonlocal serial
        serial += 1
        number = f"06{chance.randrange(10**7, 5 * 10**7):08d}"
        text = _ENVIRONMENT.format(serial=serial, number=number, campaign=campaign)
        return text.replace("accountcode:\n", "accountcode: \n").encode() + b"\n"

    start = loop.time()
    running: set[asyncio.Task[None]] = set()
    if rate:
        for place in range(int(rate * seconds)):
            due = start + place / rate
            wait = due - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            task = loop.create_task(_ask(tally, host, port, environment(), due, whole=whole))
            running.add(task)
            task.add_done_callback(running.discard)
        if running:
            await asyncio.wait(running)
    else:

        async def caller() -> None:
            while loop.time() < start + seconds:
                await _ask(tally, host, port, environment(), loop.time(), whole=whole)

        await asyncio.gather(*(caller() for _ in range(at_once)))
    tally.seconds = loop.time() - start
    return tally


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
    words = parser.parse_args()
    tally = uvloop.run(
        load(
            host=words.host,
            port=words.port,
            campaign=words.campaign,
            seconds=words.seconds,
            rate=words.rate,
            at_once=words.at_once,
            whole=words.whole,
            seed=words.seed,
        )
    )
    json.dump(tally.summary(), sys.stdout, indent=2)
    print()
    return 1 if tally.errors else 0


if __name__ == "__main__":
    sys.exit(main())
