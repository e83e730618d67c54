"""A call centre's Asterisk with the whole bridge beside it: gateway, guard and health.

The campaigns follow policy `none`, so that nothing here depends on the hour.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.bridge import Bridge, moved_ports
from bench.configuration import DIALER
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot
from bench.site_config import BY_NUMBER, BY_URI, campaign, site_config
from bench.trunk import Outcome, Trunk

MOBILE = "33612345678"
OTHER = "33687654321"
CAMPAIGN = "energy-paris"

DIALPLAN = f"""
; An extension whose name says nothing of what it dials.
[own]
exten => 700,1,Dial(PJSIP/112@carrier,30)
exten => 701,1,Dial(PJSIP/phone,30)
exten => 702,1,Dial(PJSIP/{OTHER}@carrier,30,g)
 same => n,Dial(PJSIP/{MOBILE}@carrier,30)

; The line that forgot to ask.
[forgot]
exten => _[+0-9].,1,Dial(PJSIP/${{EXTEN}}@carrier,30)
 same => n,Hangup()

; Asks once, and tries two trunks.
[two-trunks]
exten => _[+0-9].,1,Gosub(dialwarden,check,1(${{EXTEN}},{CAMPAIGN}))
 same => n,GotoIf($["${{DIALWARDEN_VERDICT}}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${{DIALWARDEN_NUMBER}}@carrier,30)
 same => n,Dial(PJSIP/${{DIALWARDEN_NUMBER}}@carrier-2,30)
 same => n(no),Hangup(21)

; Asks, and then dials nobody.
[asks-only]
exten => _[+0-9].,1,Gosub(dialwarden,check,1(${{EXTEN}},{CAMPAIGN}))
 same => n,UserEvent(BenchReturned)
 same => n,Wait(600)

; What an agent's desktop, or a dialplan of one's own, tells.
[tells]
exten => _[+0-9].,1,UserEvent(DialwardenObjection,Number: ${{EXTEN}},Campaign: {CAMPAIGN})
 same => n,Hangup()
exten => silent,1,Answer()
 same => n,Gosub(dialwarden,check,1({MOBILE},{CAMPAIGN}))
 same => n,Dial(PJSIP/${{DIALWARDEN_NUMBER}}@carrier,30,g)
 same => n,UserEvent(DialwardenSilent)
 same => n,Wait(60)

[bench-from-trunk]
exten => 100,1,Answer()
 same => n,Wait(60)
exten => 300,1,Dial(PJSIP/phone,30)
"""


def config(mode: str = "hangup", *, more: str = "") -> str:
    """`more` are keys of its campaign."""
    return site_config(
        f"""
[gateway.campaigns]
{DIALER} = ["{CAMPAIGN}"]

[lists.staff]
kind = "exempt"
""",
        campaign(CAMPAIGN, more),
        guard=f'mode = "{mode}"',
        forms=(BY_NUMBER, BY_URI),
    )


@pytest.fixture(scope="module")
def phone() -> Iterator[Trunk]:
    one = Trunk()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def module_pbx(
    asterisk_root: AsteriskRoot, trunks: dict[str, Trunk], phone: Trunk
) -> Iterator[Pbx]:
    section = (
        "\n[phone]\ntype=endpoint\ntransport=transport\naors=phone\ncontext=own\n"
        "disallow=all\nallow=alaw\ndirect_media=no\nmedia_address=127.0.0.1\n"
        f"[phone]\ntype=aor\ncontact=sip:phone@127.0.0.1:{phone.port}\n"
    )
    with Pbx.start(
        asterisk_root,
        dialplan=DIALPLAN,
        pjsip=section,
        bridge_port=free_tcp_port(),
        trunks={name: one.port for name, one in trunks.items()},
    ) as pbx:
        yield pbx


@pytest.fixture
def office(module_pbx: Pbx, phone: Trunk) -> Iterator[Pbx]:
    phone.clear()
    yield module_pbx
    module_pbx.hang_up_all()


Start = Callable[..., Bridge]


@pytest.fixture
def start(office: Pbx, tmp_path: Path) -> Iterator[Start]:
    """Starts the bridge, with everything on, and returns when it sees; the last one is stopped."""
    ports = moved_ports(agi=office.bridge_port, ami=office.ami_port)
    staff: list[str] = []
    running: list[Bridge] = []

    def begin(text: str = "", *, exempt: str = "") -> Bridge:
        if exempt:
            staff[:] = [exempt]
        bridge = Bridge.start(text or config(), tmp_path, ports=ports)
        running.append(bridge)
        bridge.import_list("house", [OTHER])
        bridge.import_list("staff", staff)
        bridge.wait_ready()
        return bridge

    yield begin
    for bridge in running:
        bridge.stop()


def until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """Wait for what only the ledger tells."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)


def attempt_states(bridge: Bridge) -> list[tuple[str, str | None]]:
    with closing(sqlite3.connect(bridge.directory / "ledger.db")) as conn:
        return list(conn.execute("SELECT state, outcome FROM attempt ORDER BY id"))


def until_answered(bridge: Bridge) -> None:
    """Wait until the answer is on record: the ACK leaves before Asterisk has heard of it."""

    def answered() -> bool:
        with closing(sqlite3.connect(bridge.directory / "ledger.db")) as conn:
            (count,) = conn.execute(
                "SELECT count(*) FROM attempt WHERE answered_at IS NOT NULL"
            ).fetchone()
        return bool(count)

    until(answered, "an answer on record")


def barrier(bridge: Bridge, office: Pbx, trunk: Trunk) -> None:
    """Return when the guard has dealt with everything dialled before: a catch of our own is."""
    before = len(bypasses(bridge))
    trunk.on("33600000009", Outcome.TRYING)
    office.dial("33600000009", "forgot")
    until(lambda: len(bypasses(bridge)) > before, "the guard's catch of the last call")
    assert "33600000009" in str(bypasses(bridge)[-1]["number"])


def bypasses(bridge: Bridge) -> list[dict[str, Any]]:
    return bridge.listed("refusals", "--rule", "bypass")


def health(bridge: Bridge) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{bridge.http_port}/healthz") as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:  # 503, with a body like any other
        said = json.load(error)
    assert isinstance(said, dict)
    return said


@contextmanager
def stopped(pbx: Pbx) -> Iterator[None]:
    """An Asterisk that hangs: it takes what is sent and says nothing."""
    os.kill(pbx.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pbx.pid, signal.SIGCONT)
