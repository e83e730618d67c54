"""`dialwarden doctor` where there is no Asterisk: what it prints, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.site import Site

from dialwarden.cli import main
from dialwarden.doctor.checks import CHECKS

DOCS = Path(__file__).parents[2] / "docs" / "doctor.md"
# Ports that nobody listens on: the kernel gives none below 1024 to who did not ask for it.
NOWHERE = """
[agi]
listen = "127.0.0.1:9"
[http]
listen = "127.0.0.1:10"
"""


@pytest.fixture
def alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site without a bridge and without an Asterisk."""
    file = site.folder / "dialwarden.toml"
    file.write_text(file.read_text() + NOWHERE)
    console = site.folder / "bin" / "asterisk"
    console.parent.mkdir()
    console.write_text("#!/bin/sh\nexit 1\n")
    console.chmod(0o755)
    monkeypatch.setenv("PATH", f"{console.parent}:/usr/bin:/bin")
    return site


def test_everything_is_told_and_nothing_is_made(alone: Site) -> None:
    before = sorted(alone.folder.rglob("*"))
    result = alone.run("doctor", status=1)
    assert sorted(alone.folder.rglob("*")) == before
    lines = result.stdout.splitlines()
    assert lines[-1].startswith(f"{len(CHECKS)} checks: ")
    assert any("no bridge answers on [agi] 127.0.0.1:9" in line for line in lines)
    assert any("there is no" in line or "is not there" in line for line in lines)
    # What to do is told once, and not for each check that would need an Asterisk.
    assert sum("start Asterisk, or run this as root" in line for line in lines) == 1


def test_json_is_an_array_of_findings(alone: Site) -> None:
    found = alone.json("doctor", status=1)
    assert [one["id"] for one in found] == [check.id for check in CHECKS]
    assert {one["status"] for one in found} >= {"ok", "note", "unknown", "failure"}
    selftest = next(one for one in found if one["id"] == "selftest")
    assert set(selftest) == {"id", "status", "summary", "do", "doc", "detail"}
    assert selftest["detail"] == [
        {"status": "unknown", "about": "", "says": selftest["summary"], "do": selftest["do"]}
    ]


def test_some_checks_alone(alone: Site) -> None:
    found = alone.json("doctor", "--only", "clock.zones", "--only", "disk")
    assert [one["id"] for one in found] == ["clock.zones", "disk", "disk.wal"]
    assert "ami.users" in alone.err("doctor", "--only", "nonesuch")


def test_quiet_is_silent_about_what_is_green(alone: Site) -> None:
    assert alone.json("doctor", "--quiet", "--only", "clock.zones") == []
    lines = alone.out("doctor", "--quiet", "--only", "clock.zones").splitlines()
    assert lines == ["1 check: 0 failures, 0 warnings, 0 unknown, 0 notes, 1 green"]


def test_strict_fails_for_what_is_not_known(alone: Site) -> None:
    alone.run("doctor", "--only", "selftest")
    alone.run("doctor", "--only", "selftest", "--strict", status=1)
    alone.run("doctor", "--only", "backup", "--strict")


def test_a_configuration_that_is_wrong_is_told_with_status_two(alone: Site) -> None:
    (alone.folder / "dialwarden.toml").write_text('[doctor]\naccpet = ["x"]\n')
    assert "accept" in alone.err("doctor")


def test_marks_are_ascii_where_the_terminal_is_not_utf8(alone: Site) -> None:
    result = CliRunner(charset="latin-1", env={"PYTHONIOENCODING": "latin-1"}).invoke(
        main, ["doctor", "--only", "clock.zones", "--config", str(alone.folder / "dialwarden.toml")]
    )
    assert result.stdout_bytes.splitlines()[0].startswith(b"+ clock.zones")
    utf8 = alone.out("doctor", "--only", "clock.zones")
    assert utf8.startswith("✓ clock.zones")


def test_every_check_is_explained() -> None:
    text = DOCS.read_text()
    for check in CHECKS:
        assert f"| `{check.id}` |" in text, check.id
    told = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert told == {check.id for check in CHECKS}
    for heading in {check.doc.partition("#")[2] for check in CHECKS}:
        assert f"\n## {heading}\n" in text


def test_no_number_and_no_secret_is_printed(alone: Site) -> None:
    file = alone.folder / "dialwarden.toml"
    file.write_text(
        file.read_text()
        + '[ami]\naddress = "127.0.0.1:11"\nusername = "dialwarden"\nsecret = "kJ8mQ2xWv5zR"\n'
    )
    result = alone.run("doctor", status=1)
    assert "kJ8mQ2xWv5zR" not in result.output
    assert "kJ8mQ2xWv5zR" not in json.dumps(alone.json("doctor", status=1))
