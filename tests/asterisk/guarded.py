"""A call centre's Asterisk with the bridge in between: the gateway, the guard, the questions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.bridge import Bridge
from bench.configuration import AMI_SECRET, DIALER, DIALWARDEN, VICIDIAL
from bench.ports import free_tcp_port
from ways import Exchange, Way

OPPOSED = 300  # numbers on the list

CONFIG = f"""
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

[gateway.campaigns]
{DIALER} = ["energy-paris"]
{VICIDIAL} = ["energy-paris"]

[guard]
mode = "hangup"
alarm = 1000

[http]
listen = "127.0.0.1:4581"

[lists.house]
kind = "opposition"

[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{{number}}@carrier", "PJSIP/carrier/sip:{{number}}@{{rest}}"]

[trunks.carrier-2]
channel = "PJSIP/carrier-2"
dial = ["PJSIP/{{number}}@carrier-2"]

[campaigns.energy-paris]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]
"""


def opposed(index: int) -> str:
    """The number of that index, from 0 to 299, on the opposition list; E.164 without its +."""
    return f"336120{index:05}"


def allowed(index: int) -> str:
    """One that may be called."""
    return f"336500{index:05}"


@dataclass(frozen=True)
class Guarded:
    """The exchange with the bridge in between; `tried` are the ways set off to allowed numbers."""

    exchange: Exchange
    bridge: Bridge
    tried: list[Way] = field(default_factory=list)

    def rows(self, *noun: str) -> list[dict[str, Any]]:
        """What a command lists."""
        done = self.bridge.command(*noun, "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, list)
        return found


@contextmanager
def guarding(exchange: Exchange, directory: Path) -> Iterator[Guarded]:
    """Start the bridge where the exchange asks; it is ready, and knows whom not to call."""
    pbx = exchange.pbx
    ports = {
        4580: pbx.bridge_port,
        5038: pbx.ami_port,
        5138: free_tcp_port(),
        4581: free_tcp_port(),
    }
    with Bridge.start(CONFIG, directory, ports=ports) as bridge:
        numbers = ["number", *(f"+{opposed(index)}" for index in range(OPPOSED))]
        (directory / "house.csv").write_text("\n".join(numbers))
        done = bridge.command("list", "import", "house", "house.csv")
        assert done.returncode == 0, done.stderr
        bridge.wait_ready()
        yield Guarded(exchange, bridge)
