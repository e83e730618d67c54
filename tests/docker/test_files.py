"""The files of docker/, not built: what other projects' checkers say, and what must hold."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docker.builder import SOURCE, pip_configuration
from tests.docker.toy import in_order, services

from dialwarden.policies import load_policies
from dialwarden.settings.config import load_config

DOCKER = SOURCE / "docker"
DOCKERFILES = sorted(DOCKER.rglob("Dockerfile"))
COMPOSE_FILES = sorted(DOCKER.glob("compose*.yaml"))
SERVICES = [(file.name, name) for file in COMPOSE_FILES for name in services(file)]


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=named)
def test_hadolint_has_nothing_to_say(dockerfile: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, dockerfile], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=named)
def test_a_compose_file_is_one(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("file", "name"), SERVICES, ids=str)
def test_every_service_is_bounded(file: str, name: str) -> None:
    service = services(DOCKER / file)[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_whoever_waits_waits_for_what_can_come() -> None:
    found = services()
    for name in in_order(found):
        for other, how in found[name].get("depends_on", {}).items():
            ends = "restart" not in found[other]
            expected = "service_completed_successfully" if ends else "service_healthy"
            assert how["condition"] == expected, (name, other)


def test_the_dialplan_asks_where_the_bridge_listens(tmp_path: Path) -> None:
    secret = tmp_path / "dialwarden.secret"
    secret.write_text("a secret\n")
    text = (DOCKER / "bridge" / "dialwarden.toml").read_text()
    text = text.replace("/run/dialwarden/dialwarden.secret", str(secret))
    (tmp_path / "dialwarden.toml").write_text(text)
    config = load_config(tmp_path / "dialwarden.toml", {}, load_policies)
    shipped = (SOURCE / "config" / "asterisk" / "extensions_dialwarden.conf").read_text()
    assert f"AGI(agi://{config.agi.listen}/" in shipped
    # One loopback for both: the bridge has no network but Asterisk's.
    assert services()["bridge"]["network_mode"] == "service:asterisk"


def test_every_image_is_built_on_a_base_that_can_be_exchanged() -> None:
    for dockerfile in DOCKERFILES:
        text = dockerfile.read_text()
        assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}, dockerfile
        assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE), dockerfile
        assert "HEALTHCHECK" in text, dockerfile


def test_a_build_reads_its_packages_where_this_machine_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels, index = tmp_path / "wheels", tmp_path / "index" / "simple"
    wheels.mkdir()
    index.mkdir(parents=True)
    given = tmp_path / "given.conf"
    given.write_text(
        f"[global]\nextra-index-url = file://{index}\n    https://one.invalid/simple\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(given))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    text, files = pip_configuration()
    assert {wheels, index.parent} <= set(files)
    made = configparser.RawConfigParser()
    made.read_string(text)
    assert made["global"]["find-links"] == str(wheels)
    assert made["global"]["extra-index-url"].split() == [
        f"file://{index}",
        "https://one.invalid/simple",
    ]


def test_nothing_of_the_bridge_is_installed_that_no_hash_vouches_for() -> None:
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    installs = [line for line in text.splitlines() if " install " in line and "pip" in line]
    assert len(installs) == 2
    for line in installs:
        assert "--require-hashes -r requirements.lock" in line or "--no-index --no-deps" in line


def test_every_service_of_the_toy_is_told_in_its_readme() -> None:
    text = (DOCKER / "README.md").read_text()
    for name in services():
        assert f"`{name}`" in text, name
