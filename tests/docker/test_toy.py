"""docker/compose.yaml, its images built here and brought up as it says: read-only, no rights."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.docker.toy import Toy, services

pytestmark = [pytest.mark.images, pytest.mark.timeout(900)]

CALLER_S = 120.0
STAYING = ("bridge", "asterisk", "trunk")


@pytest.fixture(scope="module")
def table(toy: Toy) -> dict[str, tuple[str, int, str]]:
    """What the caller says of each call: its verdict, its INVITEs, what became of it."""
    caller = toy.running["caller"]
    assert caller.wait(CALLER_S) == 0, caller.log
    row = re.compile(r"^(\S.*?)  +(\d+)  +(ALLOW|REFUSE|-)  +(\d+)  +(\S.*)$", re.MULTILINE)
    return {
        what: (verdict, int(invites), became)
        for what, _, verdict, invites, became in row.findall(caller.log)
    }


def test_a_call_that_may_be_made_is_answered(table: dict[str, tuple[str, int, str]]) -> None:
    for what in ("a first call", "the same number again", "a dialer, at the gateway"):
        assert table[what] == ("ALLOW", 1, "answered"), what


def test_a_call_that_may_not_be_made_never_leaves(table: dict[str, tuple[str, int, str]]) -> None:
    refused = {what for what, row in table.items() if row == ("REFUSE", 0, "never left")}
    assert refused == {
        "and a third time", "on the opposition list", "who objected a minute ago",
        "outside the hours", "French law, no consent", "the same, on the list",
    }  # fmt: skip


def test_an_emergency_leaves(table: dict[str, tuple[str, int, str]]) -> None:
    assert table["an emergency"] == ("ALLOW", 1, "answered")


def test_the_guard_ends_a_call_that_nobody_asked_about(
    table: dict[str, tuple[str, int, str]],
) -> None:
    assert table["past gateway and dialplan"] == ("-", 1, "cancelled before it rang")


def test_the_trunk_counted_what_the_caller_says(
    toy: Toy, table: dict[str, tuple[str, int, str]]
) -> None:
    said = toy.running["trunk"].log
    assert said.count(": answered") == sum(row[2] == "answered" for row in table.values())
    assert said.count(": cancelled before it rang") == 1


def test_the_refusals_are_on_record(toy: Toy, table: dict[str, tuple[str, int, str]]) -> None:
    done = toy.running["bridge"].run("dialwarden", "refusals", "--json")
    assert done.returncode == 0, done.stderr
    doors = [row["door"] for row in json.loads(done.stdout)]
    refused = sum(row[0] == "REFUSE" for row in table.values())
    assert len([door for door in doors if door != "guard"]) == refused
    assert "guard" in doors


def test_the_caller_shows_the_same_when_it_is_run_again(
    toy: Toy, table: dict[str, tuple[str, int, str]]
) -> None:
    again = toy.start("caller")
    assert again.wait(CALLER_S) == 0, again.log
    assert again.log.count(f"{len(table)} calls, 6 refused") == 2


@pytest.mark.parametrize("name", STAYING)
def test_a_service_may_write_nowhere_but_to_its_volumes(toy: Toy, name: str) -> None:
    service = toy.running[name]
    for place in ("/", "/etc", "/opt", "/usr/local/bin"):
        done = service.run("sh", "-c", f"touch {place}/mine")
        assert done.returncode != 0, place
    mounted = service.run("cat", "/proc/1/mounts").stdout.splitlines()
    roots = [line.split()[3].split(",") for line in mounted if line.split()[1] == "/"]
    assert "ro" in roots[-1]


@pytest.mark.parametrize("name", STAYING)
def test_a_service_has_no_right_that_it_could_use_against_its_host(toy: Toy, name: str) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in toy.running[name].run("cat", "/proc/1/status").stdout.splitlines()
        if ":\t" in line
    )
    assert int(status["Uid"].split()[0]) >= 4580
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


def test_the_secrets_are_files_that_only_those_who_need_them_can_read(toy: Toy) -> None:
    bridge = toy.running["bridge"]
    modes = bridge.run("stat", "-c", "%a %u:%g", "/run/dialwarden/dialwarden.secret").stdout
    assert modes.strip() == "640 4580:4580"
    secret = bridge.run("cat", "/run/dialwarden/dialwarden.secret").stdout.strip()
    other = bridge.run("cat", "/run/dialwarden/dialer.secret").stdout.strip()
    assert len(secret) == len(other) == 48
    assert secret != other
    for name in STAYING:
        told = toy.running[name].run("cat", "/proc/1/environ", "/proc/1/cmdline").stdout
        assert secret not in told + toy.running[name].log, name
    assert toy.running["trunk"].run("ls", "/run/dialwarden").returncode != 0


def test_a_bridge_that_is_replaced_finds_its_ledger_again(
    toy: Toy, table: dict[str, tuple[str, int, str]]
) -> None:
    before = toy.running["bridge"].run("dialwarden", "attempts", "list", "--json").stdout
    assert json.loads(before)
    assert toy.running["bridge"].stop() == 0
    toy.start("bridge")
    toy.wait_healthy("bridge")
    after = toy.running["bridge"].run("dialwarden", "attempts", "list", "--json").stdout
    assert [row["number"] for row in json.loads(after)] == [
        row["number"] for row in json.loads(before)
    ]


def test_every_service_ends_well_when_it_is_told_to(
    toy: Toy, table: dict[str, tuple[str, int, str]]
) -> None:
    assert toy.down() == dict.fromkeys(reversed(services()), 0)


def test_an_asterisk_without_its_secret_says_so_and_does_not_start(
    toy: Toy, tmp_path: Path
) -> None:
    for secret in (toy.directory / "volumes" / "secrets").iterdir():
        secret.rename(tmp_path / secret.name)
    asterisk = toy.start("asterisk")
    try:
        assert asterisk.wait(30) == 2
        assert "dialwarden.secret cannot be read: it holds the AMI secret" in asterisk.log
    finally:
        for secret in tmp_path.iterdir():
            secret.rename(toy.directory / "volumes" / "secrets" / secret.name)
