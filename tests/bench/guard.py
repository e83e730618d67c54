"""The guard's time from INVITE to CANCEL, and what following calls costs, on a real Asterisk.

Three figures: calls past the gateway to numbers that may not be called, each with the time until
its CANCEL is at the trunk and whether it rang (this trunk rings `--rings-after` milliseconds behind
the INVITE; carriers take longer); as many through the gateway, of which none may leave;
and the bridge's processor a call for allowed calls through gateway and dialplan, with the guard in
`hangup` and `off`, in turns. Off, calls are still followed to their end.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "asterisk"))  # as the tests find the bench

from bench.bridge import Bridge, moved_ports
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import find_root
from bench.trunk import Invite, Outcome, Trunk
from client import RawClient
from office import DIALPLAN, config

OPPOSED, ALLOWED = "33612", "33651"


class _Ringing:
    """The carrier's switch: an INVITE that is still alive after so long rings."""

    def __init__(self, trunk: Trunk, after_s: float) -> None:
        self._trunk = trunk
        self._after_s = after_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.002):
            now = time.monotonic()
            # The newest only: what is older has rung, or never will.
            for invite in self._trunk.invites()[-50:]:
                if invite.rang_at or invite.cancelled_at or now - invite.at < self._after_s:
                    continue
                invite.rang_at = now
                self._trunk.reply(invite, Outcome.RING)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


class _Bench:
    def __init__(self, pbx: Pbx, trunk: Trunk, directory: Path, opposed: int) -> None:
        self.pbx = pbx
        self.trunk = trunk
        self._directory = directory
        self._ports = moved_ports(agi=pbx.bridge_port, ami=pbx.ami_port)
        self._opposed = opposed

    @contextmanager
    def bridge(self, mode: str) -> Iterator[Bridge]:
        text = config(mode).replace(f'mode = "{mode}"', f'mode = "{mode}"\nalarm = 10000')
        with Bridge.start(text, self._directory, ports=self._ports) as bridge:
            bridge.import_list("house", (f"{OPPOSED}{n:06}" for n in range(2 * self._opposed)))
            bridge.import_list("staff")
            bridge.wait_ready()
            yield bridge

    def originate(self, client: RawClient, channel: str, seconds: str) -> str:
        return client.action(
            ("Action", "Originate"), ("Channel", channel), ("Application", "Wait"),
            ("Data", seconds), ("Async", "true"),
        )["response"]  # fmt: skip

    def caught(self, calls: int, rate: float) -> list[Invite]:
        """Calls straight at Asterisk's AMI; those that came to the trunk, each with its end."""
        self.trunk.clear()
        self.trunk.on("", Outcome.TRYING)
        with RawClient(self.pbx.ami_port) as client:
            for number in _paced(calls, rate):
                self.originate(client, f"PJSIP/{OPPOSED}{number:06}@carrier", "30")
        # An Async one is answered before it is dialled; the guard may be quick enough to stop it.
        with suppress(TimeoutError):
            self.trunk.wait(lambda: len(self.trunk.invites()) == calls, 5.0)
        self._wait_quiet()
        return self.trunk.invites()

    def refused(self, bridge: Bridge, calls: int) -> tuple[int, int]:
        """As many through the gateway: how many were answered with an error, and INVITEs."""
        numbers = {f"{OPPOSED}{number:06}" for number in range(calls, 2 * calls)}
        with RawClient(bridge.gateway_port) as client:
            errors = sum(
                self.originate(client, f"PJSIP/{number}@carrier", "30") == "Error"
                for number in sorted(numbers)
            )
        self._wait_quiet()
        return errors, sum(one.number.lstrip("+") in numbers for one in self.trunk.invites())

    def _wait_quiet(self) -> None:
        """Return when Asterisk has no channel left: an Originate may be taken, and not yet sent."""
        deadline = time.monotonic() + 30
        while self.pbx.channels():
            if time.monotonic() > deadline:
                raise SystemExit(f"calls that do not end: {self.pbx.channels()}")
            time.sleep(0.05)

    def followed(self, bridge: Bridge, calls: int, rate: float, first: int) -> float:
        """The bridge's processor, seconds a call, for allowed calls that talk for a second."""
        self.trunk.clear()
        before = _processor_of(bridge.process.pid)
        with RawClient(bridge.gateway_port) as client:
            for number in _paced(calls, rate):
                self.originate(client, f"Local/{ALLOWED}{first + number:06}@two-trunks/n", "1")
        with suppress(TimeoutError):
            self.trunk.wait(lambda: len(self.trunk.invites()) == calls, 5.0)
        self._wait_quiet()
        if (came := len(self.trunk.invites())) != calls:
            # The dialplan waits two seconds for its answer: a starved machine refuses by itself.
            print(f"  only {came} of {calls} calls came to the trunk")
        return (_processor_of(bridge.process.pid) - before) / calls


def _paced(calls: int, rate: float) -> Iterator[int]:
    start = time.monotonic()
    for number in range(calls):
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        yield number


def _processor_of(pid: int) -> float:
    """Seconds of processor of all threads so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.guard")
    parser.add_argument("--calls", type=int, default=200, help="to numbers that are opposed")
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second")
    parser.add_argument("--rings-after", type=float, default=100.0, help="ms from the INVITE")
    parser.add_argument("--followed", type=int, default=300, help="allowed calls, in each turn")
    parser.add_argument("--turns", type=int, default=3)
    words = parser.parse_args()
    root = find_root(lambda line: print(f"== {line}", file=sys.stderr))
    trunk = Trunk()
    ringing = _Ringing(trunk, words.rings_after / 1000)
    with (
        tempfile.TemporaryDirectory() as directory,
        Pbx.start(
            root, dialplan=DIALPLAN, bridge_port=free_tcp_port(), trunks={"carrier": trunk.port}
        ) as pbx,
    ):
        bench = _Bench(pbx, trunk, Path(directory), words.calls)
        with bench.bridge("hangup") as bridge:
            invites = bench.caught(words.calls, words.rate)
            errors, left = bench.refused(bridge, words.calls)
        times = [(one.cancelled_at - one.at) * 1000 for one in invites if one.cancelled_at]
        rang = sum(one.rang_at is not None for one in invites)
        print(f"past the gateway: {words.calls} calls at {words.rate:g} a second")
        print(f"  INVITEs           {len(invites):8}")
        if times:
            print(f"  CANCEL, median    {statistics.median(times):8.2f} ms behind the INVITE")
            print(f"  CANCEL, p99       {_quantile(times, 0.99):8.2f} ms")
        print(f"  rang              {rang:8}    (the trunk rings after {words.rings_after:g} ms)")
        print(f"through the gateway: {words.calls} calls, {errors} answered with an error")
        print(f"  INVITEs           {left:8}")
        spent: dict[str, list[float]] = {"hangup": [], "off": []}
        first = 0
        for _ in range(words.turns):
            for mode, taken in spent.items():
                with bench.bridge(mode) as bridge:
                    taken.append(bench.followed(bridge, words.followed, words.rate, first))
                first += words.followed
        print(f"allowed, by gateway and dialplan: {words.followed} calls at {words.rate:g} a "
              f"second, {words.turns} turns each, the median")  # fmt: skip
        cost = {mode: statistics.median(taken) * 1000 for mode, taken in spent.items()}
        for mode, taken in spent.items():
            turns = ", ".join(f"{one * 1000:.2f}" for one in taken)
            print(f"  guard {mode:12}{cost[mode]:8.2f} ms of processor a call ({turns})")
        print(f"  ratio             {cost['hangup'] / cost['off']:8.2f}")
    ringing.stop()
    trunk.stop()
    return 1 if left or errors != words.calls or rang else 0


if __name__ == "__main__":
    sys.exit(main())
