"""A PBX product's Asterisk with its flavour put in, and the bridge beside it, dead for a while.

What a flavour's manifest in config/ puts into Asterisk's folder is put there without the
installer, so that the manifest and the files that it names are what is tested. Around it: two
carriers; one campaign that may call and one that is closed these days; one number on the list; a
guard that hangs up. It knows nothing of any one product.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.bridge import Bridge, moved_ports
from bench.pbx import SHIPPED_ADDRESS, SHIPPED_DIALPLAN, Pbx
from bench.site_config import campaign, site_config
from bench.trunk import Trunk

SHIPPED = SHIPPED_DIALPLAN.parents[1]
CALLABLE, OTHER, OPPOSED = "33612345678", "33687654321", "33611111111"


def with_flavour(manifest: str, before: Mapping[str, str], bridge_port: int) -> dict[str, str]:
    """A folder's files with a flavour put into it, name to text.

    Args:
        manifest: below config/, "freepbx/install-17.toml".
        before: the files as the product left them.
        bridge_port: replaces the port in the shipped dialplan.
    """
    flavour = tomllib.loads((SHIPPED / manifest).read_text())
    files = dict(before)
    for file in flavour["file"]:
        text = (SHIPPED / file["source"]).read_text()
        files[file["target"]] = text.replace(SHIPPED_ADDRESS, f"127.0.0.1:{bridge_port}")
    for include in flavour["include"]:
        files[include["file"]] = files.get(include["file"], "") + include["line"] + "\n"
    return files


def failed_checks(manifest: str, pbx: Pbx) -> list[str]:
    """The commands by which an admin sees that it is in, and that do not say so on this Asterisk.

    They are given to the real console.
    """
    told = tomllib.loads((SHIPPED / manifest).read_text())["check"]
    assert told
    failed = []
    for check in told:
        command = check["command"].split('"')[1]
        expected = check["expect"].replace(":4580", f":{pbx.bridge_port}")
        if expected not in pbx.console(command):
            failed.append(command)
    return failed


def readme_dialplan(folder: str) -> str:
    """The dialplan that a flavour's README says to write."""
    return "\n".join(readme_blocks(folder))


def readme_blocks(folder: str) -> list[str]:
    """The pieces of it, in order."""
    text = (SHIPPED / folder / "README.md").read_text()
    return re.findall(r"^```ini\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@dataclass
class Flavoured:
    """The product's Asterisk, its two carriers and the bridge beside it."""

    pbx: Pbx
    carrier: Trunk
    backup: Trunk
    directory: Path
    bridge: Bridge = field(init=False)

    def __post_init__(self) -> None:
        self._ports = moved_ports(agi=self.pbx.bridge_port, ami=self.pbx.ami_port)
        self._start()
        self.bridge.import_list("house", [f"+{OPPOSED}"])

    def _start(self) -> None:
        self.bridge = Bridge.start(_config(), self.directory, ports=self._ports)
        try:
            self.bridge.wait_ready()
        except BaseException:
            self.bridge.kill()  # nobody has it yet who would stop it
            raise

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
        return [
            row for row in self.bridge.listed("attempts", "list") if row["number"] == f"+{number}"
        ]

    @contextmanager
    def refusal(self) -> Iterator[dict[str, Any]]:
        """The one refusal that comes on record meanwhile, once that is over."""
        found: dict[str, Any] = {}
        before = self.bridge.listed("refusals")
        yield found
        (new,) = [row for row in self.bridge.listed("refusals") if row not in before]
        found |= new


@contextmanager
def flavoured(pbx: Pbx, carrier: Trunk, backup: Trunk, directory: Path) -> Iterator[Flavoured]:
    """Start the bridge beside a product's Asterisk; it is ready, and knows whom not to call."""
    one = Flavoured(pbx, carrier, backup, directory)
    try:
        yield one
    finally:
        one.bridge.stop()


def _config() -> str:
    """The bridge's; as of today, for the campaign that is closed."""
    today = datetime.now(UTC).date()
    closed = [f"{today + timedelta(days=days)}" for days in range(-1, 3)]
    return site_config(
        campaign("energy-paris"),
        campaign("closed-paris", f"tighten.closed = {json.dumps(closed)}"),
    )
