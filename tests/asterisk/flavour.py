"""What a flavour's manifest in config/ puts into Asterisk's folder, without the installer.

The tests of an integration start Asterisk with this, so that the manifest and the files that it
names are what is tested.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from bench.pbx import SHIPPED_ADDRESS, SHIPPED_DIALPLAN

CONFIG = SHIPPED_DIALPLAN.parents[1]


def with_flavour(manifest: str, before: Mapping[str, str], bridge_port: int) -> dict[str, str]:
    """A folder's files with a flavour put into it, name to text.

    Args:
        manifest: below config/, "freepbx/install-17.toml".
        before: the files as the product left them.
        bridge_port: replaces the port in the shipped dialplan.
    """
    flavour = tomllib.loads((CONFIG / manifest).read_text())
    files = dict(before)
    for file in flavour["file"]:
        text = (CONFIG / file["source"]).read_text()
        files[file["target"]] = text.replace(SHIPPED_ADDRESS, f"127.0.0.1:{bridge_port}")
    for include in flavour["include"]:
        files[include["file"]] = files.get(include["file"], "") + include["line"] + "\n"
    return files


def checks(manifest: str) -> list[tuple[str, str]]:
    """The console commands by which an admin sees that it is in, and what they are to show."""
    flavour = tomllib.loads((CONFIG / manifest).read_text())
    found = [(check["command"], check["expect"]) for check in flavour["check"]]
    return [(command.split('"')[1], expect) for command, expect in found]


def readme_dialplan(folder: str) -> str:
    """The dialplan that a flavour's README says to write."""
    return "\n".join(readme_blocks(folder))


def readme_blocks(folder: str) -> list[str]:
    """The pieces of it, in order."""
    text = (CONFIG / folder / "README.md").read_text()
    return re.findall(r"^```ini\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
