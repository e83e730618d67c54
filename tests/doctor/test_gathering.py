"""The doctor's edge: files, sockets and programs that are there, absent, or out of their minds."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from tests.doctor.patient import NOW, TOML, config
from tests.ledger.helpers import attempt

from dialwarden.doctor.gathering import asterisk_side, bridge_side, host_side, ledger_side
from dialwarden.doctor.gathering.console import ByProcess, console
from dialwarden.doctor.snapshot import Answer, FileFact, LedgerSide, Missing, Seen
from dialwarden.ledger.attempts import reserve
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.overrides import NewOverride, begin_override
from dialwarden.policies import load_policies
from dialwarden.settings.config import Config, read_config
from dialwarden.verdict import Rule

# Files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("1234", "is one that everybody knows"),
        ("AMP111", "is one that everybody knows"),
        ("CHANGE-ME", "is one that everybody knows"),
        ("kZ3!x", "has 5 characters; 12 or more cannot be tried out"),
        ("5b1f0c6e2d9a47c38f60", ""),
    ],
)
def test_what_is_wrong_with_a_secret(secret: str, says: str) -> None:
    assert host_side.weakness(secret) == says


def test_the_secrets_of_manager_conf_are_looked_at_with_what_it_includes(tmp_path: Path) -> None:
    (tmp_path / "manager.conf").write_text(
        "[general]\nsecret = 1234\n[good]\nsecret = 5b1f0c6e2d9a47c38f60\n"
        "#include manager.d/*.conf\n#tryinclude gone.conf\n[admin](base)\nsecret=amp111 ; its own\n"
    )
    (tmp_path / "manager.d").mkdir()
    (tmp_path / "manager.d" / "cron.conf").write_text("[cron]\nsecret => 1234\n#include cron.conf")
    (tmp_path / "manager.d" / "loop.conf").write_text("#include loop.conf\n")
    found = host_side.look(config(), tmp_path, None)
    assert found.weak_users == ("cron", "admin")
    assert "1234" not in str(found)


def test_an_include_by_its_whole_path_and_one_from_a_deeper_file_are_followed(
    tmp_path: Path,
) -> None:
    """Asterisk looks for each in its own folder, whichever file names it."""
    deeper, elsewhere = tmp_path / "manager.d", tmp_path / "elsewhere"
    deeper.mkdir()
    elsewhere.mkdir()
    (tmp_path / "manager.conf").write_text(
        f'#include "{elsewhere}/*.conf"\n#include manager.d/a.conf'
    )
    (elsewhere / "one.conf").write_text("[one]\nsecret=1234\n")
    (deeper / "a.conf").write_text("#include two.conf\n")
    (tmp_path / "two.conf").write_text("[two]\nsecret=admin\n")
    assert host_side.look(config(), tmp_path, None).weak_users == ("one", "two")


def test_a_manager_conf_that_is_not_here_is_told(tmp_path: Path) -> None:
    found = host_side.look(config(), tmp_path, None)
    assert isinstance(found.weak_users, Missing)
    assert "run this as root" in found.weak_users.do
    away = host_side.look(config(), Missing("no Asterisk"), Missing("no Asterisk"))
    assert away.weak_users == Missing("no Asterisk")
    assert away.files["spool"] == Missing("no Asterisk")


def test_files_are_told_with_mode_owner_and_size(tmp_path: Path) -> None:
    settings = beside(tmp_path, '[ami]\nusername = "a"\nsecret_file = "ami.secret"\n')
    (tmp_path / "ami.secret").chmod(0o640)
    (tmp_path / "outgoing").mkdir(mode=0o700)
    found = host_side.look(settings, tmp_path, tmp_path / "outgoing")
    secret = found.files["secret"]
    assert isinstance(secret, FileFact)
    assert (secret.path, secret.mode, secret.size) == (tmp_path / "ami.secret", 0o640, 20)
    spool = found.files["spool"]
    assert isinstance(spool, FileFact)
    assert spool.mode == 0o700
    assert found.files["ledger"] == Missing("")  # there is none yet; that is another check's
    assert not isinstance(found.disk, Missing)
    assert found.disk.total > 0


def beside(folder: Path, text: str) -> Config:
    (folder / "ami.secret").write_text("x" * 20)
    file = folder / "dialwarden.toml"
    file.write_text(text)
    return read_config(text.encode(), file, {}).resolve(load_policies(None))


# The ledger -------------------------------------------------------------------------------------


def test_a_ledger_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    conn = open_ledger(path)
    with transaction(conn):
        for days in (90, 40, 29, 3):
            reserve(conn, attempt(at=NOW - timedelta(days=days)))
    conn.close()
    before = path.read_bytes()
    found = ledger_side.look(path, NOW, 1.0)
    assert isinstance(found, LedgerSide)
    assert (found.rows, found.rows_month, found.newest) == (4, 2, NOW - timedelta(days=3))
    assert found.lists == {}
    assert path.read_bytes() == before


def test_overrides_in_force_are_told(tmp_path: Path) -> None:
    conn = open_ledger(tmp_path / "ledger.db")
    with transaction(conn):
        for begun in (timedelta(hours=-3), timedelta(minutes=-5)):
            since, rules = NOW + begun, (Rule.HOURS, Rule.HOLIDAY)
            begin_override(
                conn,
                NewOverride(
                    "paris", "acme", rules, since, since + timedelta(hours=1), "Ann", "a flood"
                ),
            )
    conn.close()
    found = ledger_side.look(tmp_path / "ledger.db", NOW, 1.0)
    assert isinstance(found, LedgerSide)
    (one,) = found.overrides
    assert (one.campaign, one.by, one.why) == ("paris", "Ann", "a flood")
    assert set(one.rules.split(" and ")) == {"hours", "holiday"}
    assert one.until == NOW + timedelta(minutes=55)


def test_a_ledger_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = ledger_side.look(tmp_path / "ledger.db", NOW, 1.0)
    assert isinstance(found, Missing)
    assert found.do
    assert list(tmp_path.iterdir()) == []


# The bridge -------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(said: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Who answers every connection with the same bytes once something came."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\n\n"))
        writer.write(said)
        heard.append(await reader.readline() if said.startswith(b"SET") else b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def listening(port: int) -> Config:
    return config(f'{TOML}[agi]\nlisten = "127.0.0.1:{port}"\n[http]\nlisten = "127.0.0.1:9"\n')


async def test_the_bridge_is_asked_for_each_campaign_by_a_peek() -> None:
    line = (
        b'SET VARIABLE ARRAY(DIALWARDEN_VERDICT,DIALWARDEN_RULES,DIALWARDEN_REASON) "REFUSE,hours,'
    )
    async with answering(line + b'\\"too early, wait\\""\n') as (port, heard):
        found = await bridge_side.look(listening(port), 5.0)
    assert found.answers == {"paris": Answer("REFUSE", "hours", "too early, wait")}
    assert b"agi_network_script: peek\n" in heard[0]
    assert b": campaign=paris\n" in heard[0]
    assert b": number=+33" in heard[0]
    assert heard[1] == b"200 result=1\n"
    assert isinstance(found.health, Missing)
    assert "http://127.0.0.1:9/healthz" in found.health.why


@pytest.mark.parametrize("said", [b"", b"HELLO\n", b'SET VARIABLE ARRAY(A) "1"\n', b"\xff" * 99])
async def test_who_answers_something_else_is_no_bridge(said: bytes) -> None:
    async with answering(said) as (port, _):
        found = await bridge_side.look(listening(port), 5.0)
    assert found.answers["paris"] == Missing(
        "it closed without an answer",
        "[agi] allow_from must hold this machine's address; or another program has that port",
    )


async def test_who_says_nothing_is_not_waited_for() -> None:
    server = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        found = await bridge_side.look(listening(port), 0.1)
    finally:
        server.close()
    assert found.answers["paris"] == Missing("no answer within 0.1 s")


async def test_a_health_that_never_ends_is_not_waited_for() -> None:
    """A byte now and then is an answer to each read, and none to the question."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)  # so slowly does it answer

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        nowhere = '[agi]\nlisten = "127.0.0.1:9"\n'
        settings = config(f'{TOML}{nowhere}[http]\nlisten = "127.0.0.1:{port}"\n')
        found = await bridge_side.look(settings, 0.3)
    finally:
        server.close()
    assert isinstance(found.health, Missing)
    assert found.health.why.endswith("/healthz: no answer within 0.3 s")


async def test_no_proxy_is_asked_about_the_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"status": "ready"}'
    page = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(page)
        writer.close()

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        nowhere = '[agi]\nlisten = "127.0.0.1:9"\n'
        settings = config(f'{TOML}{nowhere}[http]\nlisten = "0.0.0.0:{port}"\n')
        found = await bridge_side.look(settings, 5.0)
    assert found.health == {"status": "ready"}
    assert found.answers["paris"] == Missing("connection refused")


# Asterisk ---------------------------------------------------------------------------------------


class Saying:
    """A console that answers by a table; with the rest of the table's `""` to every other line."""

    via = "AMI"

    def __init__(self, said: dict[str, str]) -> None:
        self._said = said

    async def command(self, line: str) -> str:
        return self._said.get(line, self._said[""])

    async def clock_ahead_s(self) -> Seen[float]:
        return 0.0


@pytest.mark.parametrize("said", ["", "\x00\ufffd garbage: yes\n", "No such command 'x'\n"])
async def test_an_answer_that_cannot_be_read_is_no_good_news(said: str) -> None:
    """Who prints nothing of the kind has no users, trunks and lines that are all well."""
    found = await asterisk_side.look(Saying({"": said}))
    for seen in (
        found.dialplan, found.manager, found.users, found.endpoints, found.technologies,
        found.http, found.variables,
    ):  # fmt: skip
        assert isinstance(seen, Missing)
        assert "printed what cannot be read here" in seen.why
        assert seen.do.startswith("see what asterisk -rx '")


async def test_a_module_that_is_not_loaded_has_nothing_of_it() -> None:
    gone = "No such command 'ari show users' (type 'core show help')\n"
    assert (await asterisk_side.look(Saying({"": gone}))).ari_users == ()


async def test_the_context_of_a_sip_and_an_iax2_telephone_is_looked_up() -> None:
    types = (
        "SIP              Session Initiation Protocol (SIP)   yes   yes   yes\n"
        "IAX2             Inter Asterisk eXchange Driver (Ver 2)   yes   no   yes\n"
        "2 channel drivers registered.\n"
    )
    peers = "Name/username   Host    Dyn\n100/100   10.0.0.9   D  Auto\n1 sip peers [0]\n"
    iax = "Name/Username    Host   (S)\nhome   (null)   (D)  (null)\n1 iax2 peers [0 online]\n"
    said = {
        "": "", "core show channeltypes": types, "sip show peers": peers, "iax2 show peers": iax,
        "sip show peer 100": "  * Name       : 100\n  Context      : from-internal\n",
        "iax2 show peer home": "  Context      : home-office\n",
    }  # fmt: skip
    found = (await asterisk_side.look(Saying(said))).endpoints
    assert not isinstance(found, Missing)
    assert {one.channel: one.context for one in found} == {
        "SIP/100": "from-internal", "IAX2/home": "home-office",
    }  # fmt: skip


# The console ------------------------------------------------------------------------------------


def program(folder: Path, script: str) -> str:
    path = folder / "asterisk"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


async def test_the_local_console_is_asked_with_rx(tmp_path: Path) -> None:
    found = ByProcess(program(tmp_path, 'echo "$1|$2"'), 5.0)
    assert await found.command("core show version") == "-rx|core show version\n"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'Unable to connect to remote asterisk (does /run/asterisk.ctl exist?)'", "Unable"),
        ("exit 1", "it does not run"),
        ("exec sleep 60", "no answer within 0.3 s"),
    ],
)
async def test_a_local_console_that_does_not_answer(tmp_path: Path, script: str, says: str) -> None:
    with pytest.raises(OSError, match=says):
        await ByProcess(program(tmp_path, script), 0.3).command("core show version")


async def test_without_ami_and_without_a_console_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    async with console(None, 1.0) as (found, login):
        assert isinstance(found, Missing)
        assert "neither by AMI nor by `asterisk -rx` (it does not run)" in found.why
        assert login is True
    ami = config(TOML.replace("[ami]", '[ami]\naddress = "127.0.0.1:9"')).ami
    async with console(ami, 1.0) as (_, login):
        assert isinstance(login, Missing)
        assert "enabled = yes, bindaddr and port" in login.do
