"""A call centre's Asterisk with the bridge in between: the gateway, the guard, the questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.bridge import Bridge, moved_ports
from bench.configuration import DIALER, VICIDIAL
from bench.site_config import BY_NUMBER, BY_URI, campaign, site_config
from ways import Exchange, Way

OPPOSED = 300  # numbers on the list

CONFIG = site_config(
    f"""
[gateway.campaigns]
{DIALER} = ["energy-paris"]
{VICIDIAL} = ["energy-paris"]
""",
    campaign("energy-paris"),
    guard='mode = "hangup"\nalarm = 1000',
    forms=(BY_NUMBER, BY_URI),
)


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


@contextmanager
def guarding(exchange: Exchange, directory: Path) -> Iterator[Guarded]:
    """Start the bridge where the exchange asks; it is ready, and knows whom not to call."""
    pbx = exchange.pbx
    ports = moved_ports(agi=pbx.bridge_port, ami=pbx.ami_port)
    with Bridge.start(CONFIG, directory, ports=ports) as bridge:
        bridge.import_list("house", (f"+{opposed(index)}" for index in range(OPPOSED)))
        bridge.wait_ready()
        yield Guarded(exchange, bridge)
