"""Calls at a steady rate from a process of its own, every answer on record.

Owns who is called, when, and what was said to each; a call's latency counts from the instant it
was due. Refuses to know what an answer ought to have been: see `checks`.

Run as a process (`python -m tests.soak.calls`) it writes one line a call; `Calls` starts it and
reads them. It outlives the bridge: a connection that is refused is an answer like another.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO, cast

import uvloop
from tests.doors.asking import environment, variables_of, words_of
from tests.running import environ

REPOSITORY = Path(__file__).parents[2]
CAMPAIGN = "soak"
# Every so many calls one to a number that always passes.
EMERGENCY, EXEMPT, EVERY = "112", "3949", 50
FIRST = 33_600_000_000
# The shipped dialplan gives up after this: the call goes on without us, and closes.
PATIENCE_S = 2.0
_WRITE_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Said:
    """What one call was told.

    Attributes:
        due, after: seconds of the monotonic clock, which all processes share, and from then to
            the answer.
        verdict: ALLOW, REFUSE, or what came in place of one: `no connection`, `closed`, `nothing`.
        attempt: 0 where there was none.
        number: the digits of E.164; 0 where none was told.
        dialled: as asked about.
    """

    due: float
    after: float
    verdict: str
    rule: str
    attempt: int
    number: int
    dialled: str
    call: str
    reason: str

    @property
    def line(self) -> str:
        return "\t".join(
            (f"{self.due:.6f}", f"{self.after:.6f}", self.verdict, self.rule, str(self.attempt),
             str(self.number), self.dialled, self.call, self.reason)
        )  # fmt: skip

    @classmethod
    def read(cls, line: str) -> Self:
        due, after, verdict, rule, attempt, number, dialled, call, reason = line.split("\t")
        return cls(float(due), float(after), verdict, rule, int(attempt), int(number), dialled,
                   call, reason)  # fmt: skip


class _Asking(asyncio.Protocol):
    """One call: the question out, the command in and confirmed, the end."""

    def __init__(self, question: bytes, ended: asyncio.Future[bytes]) -> None:
        self._question = question
        self._ended = ended
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is none by inheritance
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._question)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"\n"):
            # What was received was obeyed, whether its sender lives or not.
            self._end()
            self.transport.write(b"200 result=1\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(self._received)


async def _call(port: int, dialled: str, call: str, due: float) -> Said:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bytes] = loop.create_future()
    keys = words_of(number=dialled, campaign=CAMPAIGN, call=call)
    question = environment("check", *keys, uniqueid=call)
    transport: asyncio.BaseTransport | None = None
    said, command = "nothing", b""
    try:
        async with asyncio.timeout_at(loop.time() + PATIENCE_S):
            transport, _ = await loop.create_connection(
                lambda: _Asking(question, ended), "127.0.0.1", port
            )
            command = await ended
        said = "closed"
    except TimeoutError:
        if transport is not None:
            cast(asyncio.Transport, transport).close()
    except OSError:
        said = "no connection"
    # A process that dies in the midst of a line has said nothing: Asterisk reads whole ones.
    told = variables_of(command) if command.endswith(b"\n") else {}
    return Said(
        due,
        max(0.0, time.monotonic() - due),  # uvloop's timers are up to a millisecond early
        told.get("DIALWARDEN_VERDICT", said),
        told.get("DIALWARDEN_RULE", ""),
        int(told.get("DIALWARDEN_ATTEMPT") or 0),
        int((told.get("DIALWARDEN_NUMBER") or "0").removeprefix("+")),
        dialled,
        call,
        told.get("DIALWARDEN_REASON", ""),
    )


def _dialled(place: int, numbers: int, chance: random.Random) -> str:
    if place % EVERY == 0:
        return (EMERGENCY, EXEMPT)[place // EVERY % 2]
    # Some are called over and over, most once or twice: caps are met from the first minute on.
    return f"+{FIRST + int(numbers * chance.random() ** 3)}"


async def _place(words: argparse.Namespace, stream: TextIO) -> None:
    chance = random.Random(words.seed)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    lines: list[str] = []
    running: set[asyncio.Task[None]] = set()

    async def one(dialled: str, call: str, due: float) -> None:
        lines.append((await _call(words.port, dialled, call, due)).line)

    start = written = time.monotonic()
    for place in range(int(words.rate * words.seconds)):
        due = start + place / words.rate
        now = time.monotonic()
        if lines and now - written > _WRITE_EVERY_S:
            _write(stream, lines)
            written = now
        if due > now:
            await asyncio.sleep(due - now)
        if stop.is_set():
            break
        dialled = _dialled(place, words.numbers, chance)
        task = loop.create_task(one(dialled, f"{words.seed}.{place}", due))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.wait(running)
    _write(stream, lines)


def _write(stream: TextIO, lines: list[str]) -> None:
    stream.writelines(f"{line}\n" for line in lines)
    stream.flush()
    lines.clear()


class Calls:
    """A process that calls; the end of a `with` block ends it.

    Args:
        rate: calls a second; they go on for `seconds`, or until `stop`.
        numbers: how many callees there are.
        seed: who is called when, and the beginning of every call's id: one of its own for each.
    """

    def __init__(
        self, port: int, path: Path, *, rate: float, seconds: float, numbers: int, seed: int = 1
    ) -> None:
        self._path = path
        path.touch()
        self._position = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.calls", "--port", str(port), "--out", str(path),
             "--rate", str(rate), "--seconds", str(seconds), "--numbers", str(numbers),
             "--seed", str(seed)],
            cwd=REPOSITORY, env=environ(PYTHONPATH=f"agi:{REPOSITORY}"),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def placing(self) -> bool:
        return self._process.poll() is None

    def new(self) -> Iterator[Said]:
        """What was said since this was last asked, in the order of the answers."""
        with self._path.open("rb") as stream:
            stream.seek(self._position)
            for line in stream:
                if not line.endswith(b"\n"):
                    return  # still being written
                self._position += len(line)
                yield Said.read(line[:-1].decode())

    def stop(self) -> None:
        """No call more; waits for the answers of those under way."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        self.ended()

    def ended(self) -> None:
        """Wait for the last answer.

        Raises:
            RuntimeError: it broke; why is on standard error.
        """
        if status := self._process.wait():
            raise RuntimeError(f"the calls ended with {status}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.soak.calls")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--numbers", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with words.out.open("a") as stream:
        uvloop.run(_place(words, stream))
    return 0


if __name__ == "__main__":
    sys.exit(main())
