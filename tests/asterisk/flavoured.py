"""Beside a PBX product's Asterisk: two carriers, and a bridge that may be dead for a while.

One campaign may call, one is closed these days; one number is on the list; the guard hangs up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.bridge import Bridge
from bench.configuration import AMI_SECRET, DIALWARDEN
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.trunk import Trunk
from flavour import checks

CALLABLE, OTHER, OPPOSED = "33612345678", "33687654321", "33611111111"


def config() -> str:
    """The bridge's."""
    today = datetime.now(UTC).date()
    closed = [f"{today + timedelta(days=days)}" for days in range(-1, 3)]
    return f"""
[store]
path = "ledger.db"

[agi]
listen = "127.0.0.1:4580"

[ami]
address = "127.0.0.1:5038"
username = "{DIALWARDEN}"
secret = "{AMI_SECRET}"

[gateway]
listen = "127.0.0.1:5138"

[guard]
mode = "hangup"

[http]
listen = "127.0.0.1:4581"

[lists.house]
kind = "opposition"

[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{{number}}@carrier"]

[trunks.carrier-2]
channel = "PJSIP/carrier-2"
dial = ["PJSIP/{{number}}@carrier-2"]

[campaigns.energy-paris]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]

[campaigns.closed-paris]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]
tighten.closed = {json.dumps(closed)}
"""


@dataclass
class Flavoured:
    """The product's Asterisk, its two carriers and the bridge beside it."""

    pbx: Pbx
    carrier: Trunk
    backup: Trunk
    directory: Path
    bridge: Bridge = field(init=False)

    def __post_init__(self) -> None:
        self._ports = {
            4580: self.pbx.bridge_port,
            5038: self.pbx.ami_port,
            5138: free_tcp_port(),
            4581: free_tcp_port(),
        }
        self._start()
        (self.directory / "house.csv").write_text(f"number\n+{OPPOSED}\n")
        done = self.bridge.command("list", "import", "house", "house.csv")
        assert done.returncode == 0, done.stderr

    def _start(self) -> None:
        self.bridge = Bridge.start(config(), self.directory, ports=self._ports)
        self.bridge.wait_ready()

    @contextmanager
    def dead(self) -> Iterator[None]:
        """While nobody answers where the dialplan asks."""
        self.bridge.kill()
        try:
            yield
        finally:
            self._start()

    def clear(self) -> None:
        """Hang up whatever is left, and forget what the carriers saw."""
        self.pbx.hang_up_all()
        for trunk in (self.carrier, self.backup):
            trunk.clear()

    def left(self) -> list[str]:
        """The numbers that the carriers were called for, digits only."""
        invites = [*self.carrier.invites(), *self.backup.invites()]
        return [invite.number.lstrip("+") for invite in invites]

    def attempts(self, number: str) -> list[dict[str, Any]]:
        """The attempts on record to a number given without its +."""
        return [row for row in self._rows("attempts", "list") if row["number"] == f"+{number}"]

    @contextmanager
    def refusal(self) -> Iterator[dict[str, Any]]:
        """The one refusal that comes on record meanwhile, once that is over."""
        found: dict[str, Any] = {}
        before = self._rows("refusals")
        yield found
        (new,) = [row for row in self._rows("refusals") if row not in before]
        found |= new

    def _rows(self, *noun: str) -> list[dict[str, Any]]:
        done = self.bridge.command(*noun, "--json")
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)
        assert isinstance(rows, list)
        return rows


def failed_checks(manifest: str, pbx: Pbx) -> list[str]:
    """The commands of a flavour's checks that do not say what they should on this Asterisk."""
    told = checks(manifest)
    assert told
    return [command for command, expected in told if expected not in pbx.console(command)]


@contextmanager
def flavoured(pbx: Pbx, carrier: Trunk, backup: Trunk, directory: Path) -> Iterator[Flavoured]:
    """Start the bridge beside a product's Asterisk; it is ready, and knows whom not to call."""
    one = Flavoured(pbx, carrier, backup, directory)
    try:
        yield one
    finally:
        one.bridge.stop()
