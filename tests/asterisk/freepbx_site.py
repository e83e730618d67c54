"""A FreePBX, or an Issabel, with dialwarden put in as its manifest says, and who is around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.bridge import Bridge, moved_ports
from bench.configuration import DIALER, Places
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot
from bench.site_config import campaign, site_config
from bench.trunk import Inbound, Trunk
from flavour import with_flavour
from freepbx import AGENT, Product, configuration

_MODULES = ("app_db", "app_playtones", "app_while", "func_cdr", "func_db")
CONFIG = site_config(
    f"""
[gateway.campaigns]
{DIALER} = ["solar-lyon"]

[trunks.sip-carrier]
channel = "SIP/carrier"
dial = ["SIP/carrier/{{number}}"]
""",
    campaign("energy-paris", 'tighten.caps = [{ max = 1, period = "1 day" }]'),
    campaign("solar-lyon", professional="acme solar"),
    campaign("survey-paris", professional="acme surveys"),
)


class Site:
    """The PBX and who is around it; the bridge runs, or is dead, as a test wants it."""

    def __init__(self, pbx: Pbx, phone: Trunk, directory: Path) -> None:
        self.pbx = pbx
        self.phone = phone
        self._directory = directory
        self._ports = moved_ports(agi=pbx.bridge_port, ami=pbx.ami_port)
        self._bridge: Bridge | None = None

    def up(self) -> Bridge:
        """The bridge, which sees and knows whom not to call."""
        if self._bridge is None:
            self._bridge = bridge = Bridge.start(CONFIG, self._directory, ports=self._ports)
            bridge.import_list("house", (opposed(index) for index in range(20)))
            bridge.wait_ready()
        return self._bridge

    def down(self) -> None:
        """Nobody listens where the dialplan asks."""
        if self._bridge is not None:
            self._bridge.stop()
            self._bridge = None

    def rows(self, *noun: str, number: str) -> list[dict[str, Any]]:
        """What a command of the running bridge lists of a number."""
        return [row for row in self.up().listed(*noun) if row["number"] == f"+{number}"]

    def dial(self, number: str) -> Inbound:
        """An agent dials on the phone."""
        return self.phone.call(number, self.pbx.sip_port, endpoint=AGENT)


def opposed(index: int) -> str:
    """A number on the opposition list; E.164 without its +."""
    return f"3361299{index:04}"


def allowed(index: int) -> str:
    """One that may be called."""
    return f"3365099{index:04}"


def national(number: str) -> str:
    """A number as it is dialled within France."""
    return f"0{number.removeprefix('33')}"


@contextmanager
def starting(
    product: Product,
    root: AsteriskRoot,
    trunks: dict[str, Trunk],
    directory: Path,
    *,
    own: str,
    modules: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
) -> Iterator[Site]:
    """Start it; `own` is what its admin has in extensions_custom.conf."""
    bridge_port = free_tcp_port()
    phone = Trunk()
    section = (
        f"\n[{AGENT}]\ntype=endpoint\ntransport=transport\naors={AGENT}\ncontext=from-internal\n"
        f"callerid=device <{AGENT}>\ndisallow=all\nallow=alaw\ndirect_media=no\n"
        f"media_address=127.0.0.1\n[{AGENT}]\ntype=aor\ncontact=sip:{AGENT}@127.0.0.1:{phone.port}\n"
    )

    def written(_: Places) -> dict[str, str]:
        before = configuration(product)
        before["extensions_custom.conf"] += own
        return {**with_flavour(product.flavour, before, bridge_port), **(files or {})}

    with Pbx.start(
        root,
        pjsip=section,
        bridge_port=bridge_port,
        trunks={name: one.port for name, one in trunks.items()},
        modules=(*_MODULES, *(() if product.gosub else ("app_macro",)), *modules),
        files=written,
    ) as pbx:
        for key, value in (
            (f"DEVICE {AGENT}/user", AGENT),
            (f"AMPUSER {AGENT}/cidname", "Agent"),
        ):
            pbx.cli(f"database put {key} {value}")
        site = Site(pbx, phone, directory)
        try:
            yield site
        finally:
            site.down()
            phone.stop()
