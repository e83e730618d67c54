"""The units and the log's rotation, judged by systemd's and logrotate's own tools."""

from __future__ import annotations

import asyncio
import re
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from tests.doors.asking import ask
from tests.running import CONFIG as CONFIGURED
from tests.running import SERVE, SOURCES, Running, write_config
from tests.test_monitoring import AMI
from tests.tools.programs import CONFIG, run

from bench.ports import free_tcp_port
from dialwarden.settings.sections import Agi, Gateway, Http

pytestmark = pytest.mark.tools

UNITS = CONFIG / "systemd"
SOCKETS = sorted(UNITS.glob("*.socket"))
# Of ten; systemd itself calls less than 2.5 "OK", and a service without any sandbox has 9.6.
MOST_EXPOSED = 1.5


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units in a folder, their program one that is there."""
    for unit in (*UNITS.glob("*.service"), *SOCKETS):
        text = unit.read_text().replace("/opt/dialwarden/bin/dialwarden", sys.executable)
        (tmp_path / unit.name).write_text(text)
    for drop_in in UNITS.glob("*.service.d/*.conf"):
        (tmp_path / drop_in.parent.name).mkdir(exist_ok=True)
        (tmp_path / drop_in.parent.name / drop_in.name).write_text(drop_in.read_text())
    return tmp_path


def read(unit: Path) -> ConfigParser:
    """A unit whose keys stand once each."""
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string(unit.read_text())
    return parser


def test_systemd_finds_nothing_to_mend_in_the_units(installed: Path) -> None:
    units = sorted((*installed.glob("*.service"), *installed.glob("*.socket")))
    assert len(units) == 4
    assert run("systemd-analyze", "verify", "--man=no", *units) == (0, "")


def test_a_unit_with_a_mistake_would_be_found(installed: Path) -> None:
    unit = installed / "dialwarden.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=stricter"))
    _, said = run("systemd-analyze", "verify", "--man=no", unit)
    assert "stricter" in said


def test_the_service_may_do_next_to_nothing(installed: Path) -> None:
    status, said = run(
        "systemd-analyze", "security", "--no-pager", "--offline=true",
        f"--threshold={MOST_EXPOSED * 10:.0f}", installed / "dialwarden.service",
    )  # fmt: skip
    assert status == 0, said
    exposed = re.search(r"exposure level for dialwarden.service: ([\d.]+)", said)
    assert exposed is not None, said
    assert float(exposed[1]) <= MOST_EXPOSED


def test_what_the_watchdog_ends_leaves_no_memory_in_a_file() -> None:
    """ABRT asks for a core, and in it are the numbers of whoever was called."""
    assert read(UNITS / "dialwarden.service")["Service"]["LimitCORE"] == "0"


@pytest.mark.parametrize("unit", SOCKETS, ids=lambda unit: unit.name)
def test_each_socket_has_the_name_and_the_address_that_its_door_has(unit: Path) -> None:
    doors = {"agi": Agi().listen, "gateway": Gateway().listen, "http": Http().listen}
    sock = read(unit)["Socket"]
    assert sock["ListenStream"] == str(doors[sock["FileDescriptorName"]])
    assert sock["Service"] == "dialwarden.service"


def test_there_is_a_socket_for_each_door() -> None:
    assert len(SOCKETS) == 3
    assert len({read(unit)["Socket"]["FileDescriptorName"] for unit in SOCKETS}) == 3


async def test_what_systemd_listens_on_reaches_the_doors_by_name(tmp_path: Path) -> None:
    """systemd's own program hands the sockets over, as the socket units do."""
    agi, gateway, http = (free_tcp_port() for _ in range(3))
    listening = [f"--listen=127.0.0.1:{port}" for port in (http, agi, gateway)]
    config = write_config(tmp_path, f"{CONFIGURED}\n{AMI}")
    argv = (
        "systemd-socket-activate", *listening, "--fdname=http:agi:gateway",
        f"--setenv=PYTHONPATH={SOURCES}", *SERVE,
    )  # fmt: skip
    with Running.start(config, argv=argv) as running:
        await asyncio.to_thread(running.until_said, "Listening on", 3)
        said = await ask(agi, "check", number="0612345678", campaign="free")
        assert said["DIALWARDEN_VERDICT"] == "ALLOW"
        assert running.port == agi
        assert running.port_of("AMI gateway") == gateway
        assert running.port_of("/healthz and /metrics") == http
        assert running.stop() == 0


def test_the_user_is_made_as_the_service_names_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    status, said = run("systemd-sysusers", f"--root={tmp_path}", UNITS / "dialwarden.sysusers")
    assert status == 0, said
    service = read(UNITS / "dialwarden.service")["Service"]
    (line,) = (tmp_path / "etc" / "passwd").read_text().splitlines()
    name, *_, home, shell = line.split(":")
    assert name == service["User"] == service["Group"]
    assert home == f"/var/lib/{service['StateDirectory']}"
    assert shell.endswith("nologin")


def test_logrotate_takes_its_file_and_would_rotate_the_log(tmp_path: Path) -> None:
    """As root, or as any user: `-d` changes nothing. The user dialwarden need not exist here."""
    log = tmp_path / "dialwarden.log"
    log.write_text("line\n" * 1000)
    text = (CONFIG / "logrotate" / "dialwarden").read_text()
    text, logs = re.subn(r"^/var/log/dialwarden/\*\.log", str(tmp_path / "*.log"), text, flags=re.M)
    text, users = re.subn(r"^ +su dialwarden dialwarden\n", "", text, flags=re.M)
    assert (logs, users) == (1, 1)
    file = tmp_path / "dialwarden.conf"
    file.write_text(text)
    file.chmod(0o644)
    status, said = run("logrotate", "--debug", "--force", "--state", tmp_path / "state", file)
    assert status == 0, said
    assert "error" not in said.lower()
    assert f"copying {log}" in said
    assert f"truncating {log}" in said
