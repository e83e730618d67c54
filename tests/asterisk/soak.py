"""Everything at once for a while: dialers, dialplan, a listener, bypasses, garbage, breaks, kills.

`make soak-ami` runs it for minutes and prints what was seen; a test runs a short one. The carrier
and the ledger are held against each other at the end.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the bench is found as the tests find it

from bench.bridge import Bridge, moved_ports
from bench.configuration import AMI_SECRET, DIALER, DIALWARDEN
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot, find_root
from bench.trunk import Invite, Outcome, Trunk
from client import RawClient
from office import DIALPLAN, config

TALK_S = 3
RING_S = 2.0
CONVERSATIONS = 10
# Prefixes of the numbers, by what becomes of them.
TALKING, GATEWAY, DIALPLANNED, RINGING, BYPASS = "33611", "33621", "33631", "33641", "33600"


@dataclass(frozen=True)
class Plan:
    """How long, how much, and how often something breaks."""

    seconds: float
    kills: int
    breaks: int
    calls_a_second: float = 10.0


@dataclass
class Life:
    """One bridge's, from its start to its end: seconds, KiB, and descriptors open."""

    began: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, int, int]] = field(default_factory=list)


@dataclass
class Report:
    """What was seen; each of the lists is to be empty."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    not_caught: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    integrity: str = ""
    invites: int = 0
    attempts: int = 0
    states: Counter[str] = field(default_factory=Counter)
    bypasses: int = 0
    events: int = 0
    garbage: int = 0
    lives: list[Life] = field(default_factory=list)
    health: str = ""
    log: str = ""


class _Worker:
    """Something that goes on in a thread of its own until all is over, whatever breaks."""

    def __init__(self, over: threading.Event, step: Callable[[], None]) -> None:
        self.faults: list[BaseException] = []
        self._over = over
        self._step = step
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._step()
            except (OSError, EOFError, KeyError):
                self._over.wait(0.05)  # what it talks to is gone for the moment
            except Exception as error:
                self.faults.append(error)
                return

    def join(self) -> None:
        self._thread.join(60)


class _Soak:
    def __init__(self, root: AsteriskRoot, directory: Path, plan: Plan) -> None:
        self.plan = plan
        self.report = Report()
        self.over = threading.Event()
        self.directory = directory
        self.carrier = Trunk()
        self.pbx = Pbx.start(
            root, dialplan=DIALPLAN, bridge_port=free_tcp_port(),
            trunks={"carrier": self.carrier.port},
        )  # fmt: skip
        # The bench's own client keeps every event that it is told; here they would be hundreds of
        # thousands.
        self.pbx.ami.action("Events", EventMask="off")
        self.ports = moved_ports(agi=self.pbx.bridge_port, ami=self.pbx.ami_port)
        self.carrier.on(RINGING, Outcome.RING)
        self.carrier.on(BYPASS, Outcome.TRYING)
        self.bridge = self._begin()
        self._serial = {prefix: itertools.count() for prefix in (GATEWAY, DIALPLANNED, RINGING)}
        self._asked: set[str] = set()
        self._dice = random.Random(1)

    # The bridge.

    def _begin(self) -> Bridge:
        text = config().replace('mode = "hangup"', 'mode = "hangup"\nalarm = 10000')
        bridge = Bridge.start(text, self.directory, ports=self.ports)
        self.report.lives.append(Life())
        for name in ("house", "staff"):
            bridge.import_list(name)
        bridge.wait_ready()
        return bridge

    def kill(self) -> None:
        self.bridge.kill()
        self.bridge = self._begin()

    def break_link(self) -> None:
        """Asterisk closes the connection of our own link, and now and then of the dialers too."""
        names = (DIALWARDEN, DIALER) if self._dice.random() < 0.5 else (DIALWARDEN,)
        kicked = 0
        for line in self.pbx.cli("manager show connected").splitlines():
            words = re.split(r"\s+", line.strip())
            if words[0] in names:
                said = self.pbx.cli(f"manager kick session {words[4]}")
                kicked += "kick" in said.lower()
        if not kicked:
            self.report.wrong.append("no AMI session could be kicked")
        until(lambda: "the AMI link" in self.bridge.log or "blind" in self.bridge.log, "a loss")
        self.bridge.wait_ready()

    # What goes on.

    def number(self, prefix: str) -> str:
        number = f"{prefix}{next(self._serial[prefix]):06}"
        self._asked.add(number)
        return number

    def through_gateway(self) -> None:
        with RawClient(self.bridge.gateway_port) as client:
            if client.login.get("response") != "Success":
                raise EOFError
            while not self.over.wait(1 / self.plan.calls_a_second):
                number = self.number(RINGING if self._dice.random() < 0.1 else GATEWAY)
                client.action(
                    ("Action", "Originate"), ("Channel", f"PJSIP/{number}@carrier"),
                    ("Application", "Wait"), ("Data", str(TALK_S)), ("Async", "true"),
                )  # fmt: skip

    def through_dialplan(self) -> None:
        with RawClient(self.pbx.ami_port) as client:
            while not self.over.wait(2 / self.plan.calls_a_second):
                self._dial(client, self.number(DIALPLANNED), TALK_S)

    def through_both(self) -> None:
        with RawClient(self.bridge.gateway_port) as client:
            while not self.over.wait(3 / self.plan.calls_a_second):
                self._dial(client, self.number(DIALPLANNED), TALK_S)

    def answer_late(self) -> None:
        """The callees of whom it rings first."""
        self.over.wait(0.1)
        now = time.monotonic()
        for invite in self.carrier.invites():
            waits = invite.rang_at and not (invite.answered_at or invite.cancelled_at)
            if waits and now - invite.rang_at > RING_S:
                self.carrier.reply(invite, Outcome.ANSWER)

    def listen(self) -> None:
        """A client that takes every event, and sees that each is whole."""
        with closing(self._login()) as client:
            client.settimeout(1.0)
            buffer = b""
            while not self.over.is_set():
                try:
                    data = client.recv(1 << 16)
                except TimeoutError:
                    continue
                if not data:
                    raise EOFError
                *blocks, buffer = (buffer + data).split(b"\r\n\r\n")
                self.report.events += len(blocks)
                for block in blocks:
                    if not block.startswith((b"Event: ", b"Response: ", b"Asterisk Call")):
                        self.report.wrong.append(f"the listener got {block[:80]!r}")

    def throw_garbage(self) -> None:
        """Bytes that nobody understands, on every port, from peers that leave or do not."""
        dice = self._dice
        with ExitStack() as held:
            for _ in range(12):
                port = dice.choice((5138, 4580, 4581))
                client = held.enter_context(
                    socket.create_connection(("127.0.0.1", self.ports[port]), timeout=1)
                )
                client.setblocking(False)
                with suppress(OSError):
                    client.send(garbage(dice))
                self.report.garbage += 1
                if self.over.wait(0.05):
                    return
                if dice.random() < 0.5:
                    client.close()

    def sample(self) -> None:
        life = self.report.lives[-1]
        pid = self.bridge.process.pid
        resident, descriptors = resident_kib(pid), descriptors_of(pid)
        if self.bridge.process.pid == pid and life is self.report.lives[-1]:
            life.samples.append((time.monotonic() - life.began, resident, descriptors))
        self.over.wait(1.0)

    def bypass(self, number: str) -> None:
        """Nobody asks, past every door; the guard sees, since it said that it does."""
        with RawClient(self.pbx.ami_port) as client:
            client.action(
                ("Action", "Originate"), ("Channel", f"Local/{number}@forgot/n"),
                ("Application", "Wait"), ("Data", "20"), ("Async", "true"),
            )  # fmt: skip
        invite = self.carrier.wait_invite(number)
        with suppress(TimeoutError):
            self.carrier.wait(lambda: invite.cancelled_at is not None, what="its CANCEL")
            return
        self.report.not_caught.append(f"{number}, not cancelled")

    def _dial(self, client: RawClient, number: str, talk_s: int) -> None:
        client.action(
            ("Action", "Originate"), ("Channel", f"Local/{number}@two-trunks/n"),
            ("Application", "Wait"), ("Data", str(talk_s)), ("Async", "true"),
        )  # fmt: skip

    def _login(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.bridge.gateway_port), timeout=5)
        client.sendall(
            f"Action: Login\r\nUsername: {DIALER}\r\nSecret: {AMI_SECRET}\r\n"
            "Events: on\r\n\r\n".encode()
        )
        return client

    # From beginning to end.

    def run(self) -> Report:
        talking = [f"{TALKING}{n:06}" for n in range(CONVERSATIONS)]
        with RawClient(self.pbx.ami_port) as client:
            for number in talking:
                self._dial(client, number, 86400)
        self.carrier.wait(
            lambda: sum(one.acked_at is not None for one in self.carrier.invites()) >= len(talking),
            what="conversations",
        )
        steps = (
            self.through_gateway, self.through_gateway, self.through_dialplan, self.through_both,
            self.answer_late, self.listen, self.throw_garbage, self.sample,
        )  # fmt: skip
        workers = [_Worker(self.over, step) for step in steps]
        try:
            bypassed = self._break_things()
        finally:
            self.over.set()
            for worker in workers:
                worker.join()
        self.report.wrong += [repr(fault) for worker in workers for fault in worker.faults]
        self._let_end()
        self._check(talking, bypassed)
        return self.report

    def _break_things(self) -> list[str]:
        """Kills and breaks at even intervals, the kills first among them; a bypass in between."""
        start = time.monotonic()
        what = [*[self.kill] * self.plan.kills, *[self.break_link] * self.plan.breaks]
        self._dice.shuffle(what)
        due = [start + (n + 1) * self.plan.seconds * 0.7 / (len(what) + 1)
               for n in range(len(what))]  # fmt: skip
        bypassed = []
        while (now := time.monotonic()) < start + self.plan.seconds:
            if due and now >= due[0]:
                due.pop(0)
                what.pop(0)()
            bypassed.append(f"{BYPASS}{len(bypassed):06}")
            self.bypass(bypassed[-1])
            self.over.wait(0.5)
        return bypassed

    def _let_end(self) -> None:
        """Wait for the calls that end by themselves: those that ring are answered first."""

        def live() -> list[Invite]:
            return [
                one
                for one in self.carrier.invites()
                if not one.number.lstrip("+").startswith(TALKING)
                and not (one.ended_at or one.cancelled_at)
            ]

        deadline = time.monotonic() + 60
        while left := live():
            if time.monotonic() > deadline:
                self.report.wrong.append(f"calls that do not end: {left[:3]}")
                return
            for invite in left:
                if invite.answered_at is None:
                    self.carrier.reply(invite, Outcome.ANSWER)
            time.sleep(0.1)

    def _check(self, talking: list[str], bypassed: list[str]) -> None:
        report = self.report
        invites = [(one.number.lstrip("+"), one) for one in self.carrier.invites()]
        report.invites, report.bypasses = len(invites), len(bypassed)
        refused = self._refused(len(bypassed))
        report.not_caught += [number for number in bypassed if refused[number] != 1]
        attempts: dict[str, list[str]] = {}
        with closing(sqlite3.connect(self.directory / "ledger.db")) as conn:
            report.integrity = conn.execute("PRAGMA integrity_check").fetchone()[0]
            for number, state in conn.execute("SELECT number, state FROM attempt ORDER BY id"):
                attempts.setdefault(str(number), []).append(state)
        report.attempts = sum(map(len, attempts.values()))
        report.states = Counter(state for states in attempts.values() for state in states)
        asked = {number for number, _ in invites if not number.startswith(BYPASS)}
        report.lost = [n for n in asked if set(attempts.get(n, ())) <= {"voided"}]
        report.wrong += [
            f"{number}: attempts {states}" for number, states in attempts.items()
            if number not in self._asked and number not in talking
        ]  # fmt: skip
        report.twice = [n for n, count in Counter(n for n, _ in invites).items() if count > 1]
        for number, one in invites:
            if number in talking and one.ended_at is not None:
                report.cut.append(f"{number}, in conversation")
            elif not number.startswith(BYPASS) and one.cancelled_at is not None:
                report.cut.append(f"{number}, while it rang")
            elif one.answered_at and one.ended_at and one.ended_at - one.answered_at < TALK_S:
                report.cut.append(
                    f"{number}, {one.ended_at - one.answered_at:.2f} s after it began"
                )
        self.bridge.wait_ready()
        report.log = self.bridge.log
        if "Traceback" in report.log:
            report.wrong.append(report.log[report.log.index("Traceback") :][:2000])

    def _refused(self, expected: int) -> Counter[str]:
        """Bypass refusals by number, once those that are expected are on record."""
        found: Counter[str] = Counter()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and sum(found.values()) < expected:
            with closing(sqlite3.connect(self.directory / "ledger.db")) as conn:
                found = Counter(
                    str(number)
                    for (number,) in conn.execute(
                        "SELECT number FROM refusal WHERE rules = 'bypass'"
                    )
                )
            time.sleep(0.1)
        return found

    def close(self) -> None:
        self.over.set()
        self.bridge.stop()
        self.pbx.stop()
        self.carrier.stop()


def soak(root: AsteriskRoot, directory: Path, plan: Plan) -> Report:
    """Run it, with an Asterisk, a carrier and a ledger of its own."""
    one = _Soak(root, directory, plan)
    try:
        return one.run()
    finally:
        one.close()


def garbage(dice: random.Random) -> bytes:
    """What may come from a scanner, a broken client, or an attacker."""
    return dice.choice(
        (
            lambda: dice.randbytes(dice.randrange(1, 20_000)),
            lambda: b"\r\n" * dice.randrange(1, 2000),
            lambda: b"Action: Originate\r\nChannel: PJSIP/33699999999@carrier\r\n",
            lambda: b"A" * 100_000,
            lambda: b"Action: Login\r\nUsername: dialer\r\nSecret: no\r\n\r\n" * 20,
            lambda: b"GET /healthz HTTP/1.1\r\nX: " + b"y" * dice.randrange(10_000),
            lambda: b"agi_network: yes\nagi_network_script: check\n" * 50,
            lambda: b"\x16\x03\x01\x02\x00\x01\x00" + dice.randbytes(100),
            lambda: b"",
        )
    )()


def until(condition: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def descriptors_of(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=360.0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--breaks", type=int, default=10)
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second, a dialer")
    words = parser.parse_args()
    plan = Plan(words.seconds, words.kills, words.breaks, words.rate)
    with _folder() as directory:
        report = soak(find_root(lambda line: print(f"== {line}")), directory, plan)
    faults = {
        name: getattr(report, name) for name in ("lost", "twice", "cut", "not_caught", "wrong")
    }
    print(f"{report.invites} INVITEs, {report.attempts} attempts {dict(report.states)}, "
          f"{report.bypasses} bypasses, {report.events} events heard, "
          f"{report.garbage} connections of garbage, ledger {report.integrity}")  # fmt: skip
    for count, life in enumerate(report.lives, 1):
        shown = life.samples[:: max(1, len(life.samples) // 8)]
        print(f"bridge {count}: " + ", ".join(
            f"{at:.0f} s {kib / 1024:.0f} MiB {fds} fds" for at, kib, fds in shown))  # fmt: skip
    for name, found in faults.items():
        print(f"{name.replace('_', ' '):12} {len(found)} {found[:5] or ''}")
    return 1 if any(faults.values()) or report.integrity != "ok" else 0


if __name__ == "__main__":
    sys.exit(main())
