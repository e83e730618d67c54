"""A healthy snapshot, to be made ill one value at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from dialwarden.doctor.checks import CHECKS
from dialwarden.doctor.dialplan_text import read_file
from dialwarden.doctor.finding import Finding, conclude
from dialwarden.doctor.snapshot import (
    Answer,
    Asterisk,
    BridgeSide,
    Disk,
    Endpoint,
    FileFact,
    Host,
    LedgerSide,
    ListFact,
    Manager,
    ManagerUser,
    Missing,
    Snapshot,
)
from dialwarden.policies import load_policies
from dialwarden.settings.config import Config, read_config
from dialwarden.shipped import shipped

SHIPPED = shipped("asterisk/extensions_dialwarden.conf").read_text()
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TOML = """
[ami]
username = "dialwarden"
secret_env = "SECRET"
[guard]
mode = "hangup"
[lists.house]
kind = "opposition"
max_age = "30 days"
[lists.staff]
kind = "exempt"
[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{number}@carrier"]
[campaigns.paris]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]
"""
OUTBOUND = """
[outbound]
exten => _X.,1,Gosub(dialwarden,check,1(${EXTEN},paris))
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier)
 same => n(no),Hangup(21)
"""
OURS = ManagerUser(
    "dialwarden", frozenset({"call", "user", "system"}), frozenset({"call", "reporting", "command"})
)
_FOLDER = Path("/srv/dialwarden")


def config(text: str = TOML) -> Config:
    draft = read_config(text.encode(), _FOLDER / "dialwarden.toml", {"SECRET": "x" * 20})
    return draft.resolve(load_policies(None))


def file(name: str, mode: int, size: int = 0) -> FileFact:
    return FileFact(_FOLDER / name, mode, "dialwarden", size)


def healthy(text: str = TOML) -> Snapshot:
    settings = config(text)
    plan = read_file(SHIPPED + OUTBOUND)
    return Snapshot(
        now=NOW,
        config=settings,
        version="1.0",
        zones="2026b",
        shipped=read_file(SHIPPED),
        flavours=read_file("[dialwarden-pbx]\nexten => s,1,Return()\n"),
        asterisk=Asterisk(
            via="AMI",
            version="22.10.1",
            dialplan=plan,
            variables={},
            manager=Manager(web=False, tcp="127.0.0.1:5038", tls=""),
            users=(OURS,),
            endpoints=(
                Endpoint("PJSIP/carrier", "its contact is fixed", "in", "user", may_refer=False),
                Endpoint("PJSIP/100", "", "internal", "user", may_refer=True),
            ),
            technologies=frozenset({"PJSIP", "LOCAL"}),
            http=False,
            ari_users=(),
            spool=None,
            folder=Path("/etc/asterisk"),
            clock_ahead_s=0.0,
            selftest="REFUSE number: 0 is no telephone number",
        ),
        bridge=BridgeSide(
            health={
                "status": "ready", "version": "1.0", "config_sha256": settings.sha256,
                "guard": {"why": "", "alarm": False}, "ledger": {"why": ""},
            },
            answers={"paris": Answer("REFUSE", "hours", "too early")},
        ),
        ledger=LedgerSide(
            lists={"house": ListFact("house", date(2026, 11, 20), NOW, 1000)},
            newest=NOW,
            rows=1000,
            rows_month=300,
        ),
        host=Host(
            files={
                "ledger": file("ledger.db", 0o600, 10 << 20), "wal": file("ledger.db-wal", 0o600),
                "folder": file("", 0o750), "config": file("dialwarden.toml", 0o640),
                "secret": Missing(""), "manager": file("manager.conf", 0o640),
                "spool": Missing("not looked for"),
            },
            disk=Disk(50 << 30, 100 << 30, 1_000_000, 2_000_000),
            synchronised=True,
            weak_users=(),
            user="dialwarden",
        ),
    )  # fmt: skip


def with_asterisk(**values: Any) -> Snapshot:
    seen = healthy()
    assert isinstance(seen.asterisk, Asterisk)
    return replace(seen, asterisk=replace(seen.asterisk, **values))


def with_host(**values: Any) -> Snapshot:
    seen = healthy()
    return replace(seen, host=replace(seen.host, **values))


def with_files(**facts: Any) -> Snapshot:
    return with_host(files={**healthy().host.files, **facts})


def with_ledger(**values: Any) -> Snapshot:
    seen = healthy()
    assert isinstance(seen.ledger, LedgerSide)
    return replace(seen, ledger=replace(seen.ledger, **values))


def with_bridge(**values: Any) -> Snapshot:
    seen = healthy()
    return replace(seen, bridge=replace(seen.bridge, **values))


def with_health(**values: Any) -> Snapshot:
    health = healthy().bridge.health
    assert not isinstance(health, Missing)
    return with_bridge(health={**health, **values})


def with_dialplan(more: str, old: str = "", new: str = "") -> Snapshot:
    text = SHIPPED + OUTBOUND
    assert old in text
    return with_asterisk(dialplan=read_file(text.replace(old, new) + more))


def finding(name: str, seen: Snapshot) -> Finding:
    (check,) = (one for one in CHECKS if one.id == name)
    return conclude(check, seen, frozenset(seen.config.doctor.accept))
