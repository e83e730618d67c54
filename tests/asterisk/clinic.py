"""A whole, healthy call centre for the doctor to look at, and ways to make it ill and well again.

The Asterisk has the shipped AMI user and the shipped dialplan; its folder is reached under the name
that it knows it by, as on a machine where nobody lives in a chroot.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from bench import exchange as exchange_files
from bench.bridge import Bridge, moved_ports
from bench.configuration import AMI_SECRET, AMI_USER, Places
from bench.pbx import SHIPPED_DIALPLAN, Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot
from bench.site_config import campaign, site_config
from bench.trunk import Trunk
from dialwarden.cli import main

SHIPPED_USER = SHIPPED_DIALPLAN.with_name("manager_dialwarden.conf")
SECRET = "5b1f0c6e2d9a47c38f60"
USER_FILE = SHIPPED_USER.name

DIALPLAN = """
[outbound]
exten => _[+0-9].,1,Gosub(dialwarden,check,1(${EXTEN},energy-paris))
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,60)
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier-2,60)
 same => n,Hangup()
 same => n(no),Hangup(21)
exten => 112,1,Dial(PJSIP/112@carrier)

; Everybody who comes here asked on the way.
[to-the-carrier]
exten => _X.,1,Dial(PJSIP/${EXTEN}@carrier,60)
 same => n,Return()
[asks-first]
exten => _X.,1,Gosub(dialwarden,check,1(${EXTEN},energy-paris))
 same => n,ExecIf($["${DIALWARDEN_VERDICT}" = "ALLOW"]?Gosub(to-the-carrier,${DIALWARDEN_NUMBER},1))
 same => n,Hangup()

[bench-from-trunk]
exten => 100,1,Answer()
"""

CONFIG = site_config(
    f"""
[defaults]
exempt = ["3949"]

[doctor]
accept = ["ami.users:{AMI_USER}", "clock", "pjsip.redirect:hidden"]
""",
    campaign("energy-paris"),
    secret='secret_file = "ami.secret"',
    house='max_age = "30 days"',
)


@dataclass
class Clinic:
    """A running Asterisk with a running bridge, and what the doctor says of both."""

    pbx: Pbx
    bridge: Bridge

    def run(self, *arguments: str, config: str = "") -> Result:
        """`dialwarden doctor`, with the running bridge's configuration or another one."""
        path = self.bridge.config
        if config:
            path = self.bridge.directory / "other.toml"
            path.write_text(config)
        return CliRunner().invoke(main, ["doctor", *arguments, "--config", str(path)])

    def findings(self, *arguments: str, config: str = "") -> dict[str, dict[str, Any]]:
        """Every finding by its id."""
        result = self.run("--json", *arguments, config=config)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert result.stdout, result.stderr
        found = {one["id"]: one for one in json.loads(result.stdout)}
        bad = {one["status"] for one in found.values()} & {"failure"}
        assert result.exit_code == (1 if bad else 0), result.stderr
        return found

    @property
    def config(self) -> str:
        return self.bridge.config.read_text()

    @contextmanager
    def with_file(self, name: str, old: str, new: str, reload: str) -> Iterator[None]:
        """One of Asterisk's files with another text in one place, while the block lasts."""
        file = self.pbx.directory / "etc" / name
        usual = file.read_text()
        assert old in usual
        file.write_text(usual.replace(old, new, 1))
        self.pbx.cli(reload)
        try:
            yield
        finally:
            file.write_text(usual)
            self.pbx.cli(reload)

    @contextmanager
    def with_dialplan(self, more: str) -> Iterator[None]:
        """More of extensions.conf."""
        end = "#include extensions_dialwarden.conf"
        with self.with_file("extensions.conf", end, f"{more}\n{end}", "dialplan reload"):
            yield

    @contextmanager
    def standing_still(self, pid: int) -> Iterator[None]:
        """A process that takes what is sent and says nothing."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def clinic(root: AsteriskRoot, directory: Path) -> Iterator[Clinic]:
    """Start both and import the list."""
    carriers = {name: Trunk() for name in ("carrier", "carrier-2")}
    with (
        Pbx.start(
            root,
            dialplan=DIALPLAN,
            bridge_port=free_tcp_port(),
            modules=exchange_files.MODULES,
            files=_files,
            trunks={name: one.port for name, one in carriers.items()},
        ) as pbx,
        _reached(pbx),
    ):
        ports = moved_ports(agi=pbx.bridge_port, ami=pbx.ami_port)
        secret = directory / "ami.secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        with Bridge.start(CONFIG, directory, ports=ports) as bridge:
            bridge.import_list("house", ["+33687654321"], "--as-of", today())
            bridge.wait_ready()
            yield Clinic(pbx, bridge)
    for one in carriers.values():
        one.stop()


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def _files(places: Places) -> dict[str, str]:
    everything = f"secret={AMI_SECRET}\nread=all\nwrite=all\nwritetimeout=5000\n"
    return {
        **exchange_files.files(places),
        "ari.conf": "[general]\nenabled=yes\n[board]\ntype=user\nread_only=yes\npassword=x\n",
        "manager.conf": (
            f"[general]\nenabled=yes\nwebenabled=no\nbindaddr=127.0.0.1\nport={places.ami_port}\n"
            f"[{AMI_USER}]\n{everything}\n#include {USER_FILE}\n"
        ),
        USER_FILE: SHIPPED_USER.read_text().replace(";secret = CHANGE-ME", f"secret = {SECRET}"),
    }


@contextmanager
def _reached(pbx: Pbx) -> Iterator[None]:
    """Asterisk's folder under the name that it has in its own root."""
    for name in ("manager.conf", USER_FILE):
        (pbx.directory / "etc" / name).chmod(0o640)
    inside = Path(pbx.root.inside(pbx.directory))
    if inside == pbx.directory:
        yield
        return
    inside.symlink_to(pbx.directory)
    try:
        yield
    finally:
        inside.unlink()
