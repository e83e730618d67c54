"""`dialwarden install` into a running Asterisk that knows nothing of us, and out of it again.

The dialplan is what an admin has before; the only thing done by hand is the line that asks.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.bridge import Bridge
from bench.configuration import Places
from bench.pbx import SHIPPED_ADDRESS, Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot
from bench.trunk import Trunk
from dialwarden.cli import main
from dialwarden.install.manifest import read_flavours
from dialwarden.install.marked import comment_left_open, contexts_of
from dialwarden.shipped import shipped

EXTENSIONS = """[general]
static=yes
writeprotect=yes

; Where products have an admin's own contexts.
#tryinclude extensions_custom.conf
#tryinclude "extensions.d/*.conf"

; What README.md says, and no more.
[outbound]
exten => _[+0-9].,1,Gosub(dialwarden,check,1(${EXTEN},energy-paris))
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,60)
 same => n,Hangup()
 same => n(no),Hangup(21)
"""
CONFIG = """
[store]
path = "ledger.db"

[agi]
listen = "127.0.0.1:4580"

[http]
listen = "127.0.0.1:4581"

[ami]
address = "127.0.0.1:5038"
username = "warden"
secret_file = "ami.secret"

[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{number}@carrier"]

[lists.house]
kind = "opposition"

[campaigns.energy-paris]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]
"""
CALL_REJECTED = 21


@pytest.fixture(scope="module")
def carrier() -> Iterator[Trunk]:
    trunk = Trunk()
    yield trunk
    trunk.stop()


@pytest.fixture(scope="module")
def fresh(asterisk_root: AsteriskRoot, carrier: Trunk) -> Iterator[Pbx]:
    """An Asterisk whose folder has nothing of ours."""

    def files(places: Places) -> Mapping[str, str]:
        return {"extensions.conf": EXTENSIONS}

    with Pbx.start(
        asterisk_root,
        files=files,
        bridge_port=free_tcp_port(),
        trunks={"carrier": carrier.port},
    ) as pbx:
        (pbx.directory / "etc" / "extensions_dialwarden.conf").unlink()
        pbx.cli("dialplan reload")
        yield pbx


Install = Callable[..., Any]


@pytest.fixture
def install(fresh: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Runs the command on that folder and Asterisk; what is shipped asks this run's port."""
    templates = tmp_path / "templates"
    shutil.copytree(shipped(), templates)
    dialplan = templates / "asterisk" / "extensions_dialwarden.conf"
    address = f"127.0.0.1:{fresh.bridge_port}"
    dialplan.write_text(dialplan.read_text().replace(SHIPPED_ADDRESS, address))
    manifest = templates / "plain" / "install.toml"
    manifest.write_text(manifest.read_text().replace(SHIPPED_ADDRESS, address))
    monkeypatch.setattr("dialwarden.cli.install.shipped", lambda name="": templates / name)
    conf = f"{fresh.root.inside(fresh.directory)}/etc/asterisk.conf"
    console = shlex.join(fresh.root.command("-C", conf))

    def run(*arguments: str) -> Any:
        words = ["install", "--asterisk-dir", str(fresh.directory / "etc"), "--yes", "--json",
                 "--asterisk", console, *arguments]  # fmt: skip
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


def folder(pbx: Pbx) -> dict[str, bytes]:
    etc = pbx.directory / "etc"
    return {path.name: path.read_bytes() for path in etc.iterdir() if path.is_file()}


def test_in_and_out_of_a_running_asterisk(
    fresh: Pbx, carrier: Trunk, install: Install, tmp_path: Path
) -> None:
    before = folder(fresh)
    assert "no existence of 'dialwarden'" in fresh.cli("dialplan show dialwarden")
    config = tmp_path / "dialwarden.toml"
    config.write_text(CONFIG)

    found = install("--reload", "--with-manager", "--config", str(config))

    assert found["flavour"] == "plain"
    assert len(found["ran"]) >= 3
    assert all(one["good"] for one in found["ran"])
    ports = {4580: fresh.bridge_port, 5038: fresh.ami_port, 4581: free_tcp_port()}
    with Bridge.start(CONFIG, tmp_path, ports=ports) as bridge:
        # The AMI user that was made logs in: the guard sees.
        bridge.wait_ready()
        bridge.import_list("house")
        allowed = fresh.dial("0612345678", "outbound")
        carrier.wait_invite("33612345678")
        fresh.hang_up(allowed)
        bridge.done("list", "add", "house", "0612345678")
        carrier.clear()
        refused = fresh.dial("0612345678", "outbound")
        assert fresh.wait_hangup(refused) == CALL_REJECTED
        assert carrier.invites() == []

    assert install("--reload")["files"] == []
    assert all(one["good"] for one in install("--undo", "--force", "--reload")["ran"])
    assert folder(fresh) == before
    assert "no existence of 'dialwarden'" in fresh.cli("dialplan show dialwarden")


def test_without_a_bridge_the_installed_dialplan_refuses_and_112_leaves(
    fresh: Pbx, carrier: Trunk, install: Install
) -> None:
    carrier.clear()
    install("--reload")
    refused = fresh.dial("0612345678", "outbound")
    assert fresh.wait_hangup(refused) == CALL_REJECTED
    assert carrier.invites() == []
    emergency = fresh.dial("112", "outbound")
    carrier.wait_invite("112")
    fresh.hang_up(emergency)
    install("--undo", "--force", "--reload")


@pytest.mark.parametrize("flavour", read_flavours(shipped()))
def test_what_a_flavour_brings_is_what_asterisk_then_has(
    fresh: Pbx, install: Install, flavour: str
) -> None:
    (fresh.directory / "etc" / "extensions.d").mkdir(exist_ok=True)
    before = folder(fresh)
    install("--flavour", flavour)
    fresh.cli("dialplan reload")
    for own in read_flavours(shipped())[flavour].files:
        for context in contexts_of(own.source.read_bytes()):
            assert f"Context '{context}'" in fresh.cli(f"dialplan show {context}"), context
    install("--undo", "--force")
    fresh.cli("dialplan reload")
    assert folder(fresh) == before
    assert "no existence of 'dialwarden'" in fresh.cli("dialplan show dialwarden")


# Whether a line is a comment decides what an install finds, and where its lines count.
COMMENTS = r"""
[note-1]
;;-- no block
[note-2]
; text ;-- no block
[note-3]
;--- no block
[note-4]
;-- a block
[note-5]
;-- in it another
--;
[note-6]
--;
[note-7]
exten => 1,1,Set(X=\;-- no block)
[note-8]
;-- one line --;
[note-9]
--; the end of nothing
[note-10]
;-- makes it whole [note-14]
;-- one; and another ; in it --;
[note-11] ; ;--
[note-12]
;--
[note-13]
"""


def test_comments_are_read_as_asterisk_reads_them(fresh: Pbx) -> None:
    file = fresh.directory / "etc" / "extensions.conf"
    before = file.read_text()
    file.write_text(before + COMMENTS)
    try:
        fresh.cli("dialplan reload")
        shown = fresh.cli("dialplan show")
    finally:
        file.write_text(before)
        fresh.cli("dialplan reload")
    loaded = {name for name in re.findall(r"Context '([^']+)'", shown) if name.startswith("note-")}
    assert loaded == set(contexts_of(COMMENTS.encode()))
    assert comment_left_open(COMMENTS.encode()) == COMMENTS.splitlines().index(";--") + 1
    assert {"note-10", "note-13"}.isdisjoint(loaded)
