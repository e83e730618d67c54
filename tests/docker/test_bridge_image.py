"""The bridge's image: what is in it, what it says of itself, and that it answers a question."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.docker.builder import Builder, Unpacked
from tests.docker.conftest import BRIDGE
from tests.doors.asking import ask
from tests.running import Running, environ

from bench.ports import free_tcp_port

# Building it may be what the first of these waits for.
pytestmark = [pytest.mark.images, pytest.mark.timeout(900)]

INSIDE = "/etc/dialwarden/dialwarden.toml"
CONFIG = """
[store]
path = "/var/lib/dialwarden/dialwarden.db"
[agi]
listen = "127.0.0.1:{agi}"
[http]
listen = "127.0.0.1:{http}"
[campaigns.free]
professional = "free"
policy = "none"
region = "FR"
[campaigns.france]
professional = "free"
policy = "fr"
"""

Ask = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def image(images: Builder) -> Unpacked:
    return images.unpack(BRIDGE)


@pytest.fixture(scope="module")
def within(images: Builder, image: Unpacked) -> Ask:
    """Runs a command in a container of the image that holds nothing but the image."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        words = images.running(image.name, *command, options=("--cap-drop", "all"))
        return subprocess.run(words, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {"agi": free_tcp_port(), "http": free_tcp_port()}


@pytest.fixture(scope="module")
def running(
    images: Builder, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The image as it is run, with a configuration mounted, on ports that are free here."""
    config = tmp_path_factory.mktemp("bridge") / "dialwarden.toml"
    config.write_text(CONFIG.format(**ports))
    config.parent.chmod(0o755)
    container = images.unpack(BRIDGE)
    command = images.running(
        container.name, "dialwarden", "serve", "--config",
        options=("--cap-drop", "all", "--volume", f"{config.parent}:{config.parent}:ro"),
    )  # fmt: skip
    with Running.start(config, argv=command, env=environ()) as one:
        one.until(lambda: "is ready" in one.log or one.process.poll() is not None)
        try:
            yield one
        finally:
            if one.process.poll() is None:
                os.kill(pid_of(one), signal.SIGTERM)
                one.ended()


def pid_of(running: Running) -> int:
    """The bridge's own process; chroot isolation leaves it this machine's process ids."""
    ready = next(line["message"] for line in running.lines if "is ready" in line["message"])
    return int(ready.rpartition("process ")[2].split()[0])


async def test_it_allows_a_call_that_may_be_made(running: Running, ports: dict[str, int]) -> None:
    said = await ask(ports["agi"], "check", number="0612345678", campaign="free", call="1.1")
    assert said["DIALWARDEN_VERDICT"] == "ALLOW", said
    assert said["DIALWARDEN_NUMBER"] == "+33612345678"


async def test_it_refuses_one_without_consent(running: Running, ports: dict[str, int]) -> None:
    said = await ask(ports["agi"], "check", number="0612345678", campaign="france", call="1.2")
    assert said["DIALWARDEN_VERDICT"] == "REFUSE", said
    assert "consent" in said["DIALWARDEN_RULES"].split("&")


def test_healthz_says_that_it_is_ready(running: Running, ports: dict[str, int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ports["http"], timeout=30)
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["status"]) == (200, "ready")


def test_its_health_check_finds_it_well(
    running: Running, ports: dict[str, int], image: Unpacked, within: Ask
) -> None:
    at = f"DIALWARDEN_HEALTHZ=http://127.0.0.1:{ports['http']}/healthz"
    done = within("env", at, *image.config.healthcheck)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["status"] == "ready"


def test_its_health_check_fails_where_no_bridge_is(image: Unpacked, within: Ask) -> None:
    at = f"DIALWARDEN_HEALTHZ=http://127.0.0.1:{free_tcp_port()}/healthz"
    done = within("env", at, *image.config.healthcheck)
    assert done.returncode == 1
    assert "Connection refused; is [http] in the configuration?" in done.stdout


def test_without_a_configuration_it_says_where_it_wants_one(within: Ask) -> None:
    done = within("dialwarden", "serve")
    assert done.returncode != 0
    assert INSIDE in done.stderr


def test_it_runs_as_nobody_in_particular(image: Unpacked, within: Ask) -> None:
    assert image.config.user == "4580:4580"
    assert within("id", "-u").stdout.strip() == "4580"
    assert within("sh", "-c", ">/opt/dialwarden/mine").returncode != 0


def test_it_says_how_it_is_run(image: Unpacked) -> None:
    config = image.config
    assert [*config.entrypoint, *config.command] == ["dialwarden", "serve"]
    assert config.volumes == ("/var/lib/dialwarden",)
    assert config.stop_signal == "SIGTERM"
    assert f"DIALWARDEN_CONFIG={INSIDE}" in config.environment
    assert config.labels["org.opencontainers.image.title"] == "dialwarden"


def test_what_it_brings_for_asterisk_is_in_it(image: Unpacked) -> None:
    packages = image.root / "opt/dialwarden/lib"
    for file in ("templates/asterisk/extensions_dialwarden.conf", "policies/fr.toml"):
        assert list(packages.glob(f"python3*/site-packages/dialwarden/{file}")), file


def test_what_only_builds_it_is_not_in_it(image: Unpacked) -> None:
    installed = image.root / "opt/dialwarden"
    for absent in (
        "bin/pip",
        "lib/python3*/site-packages/pip",
        "lib/python3*/site-packages/setuptools",
    ):
        assert not list(installed.glob(absent)), absent
    for place in ("src", "build", "etc/pip.conf", "etc/dialwarden/dialwarden.toml"):
        assert not (image.root / place).exists(), place


def test_what_it_is_made_of_is_what_the_lock_file_names(within: Ask) -> None:
    script = (
        "import importlib.metadata as m\n"
        "for d in m.distributions(): print(d.name.lower().replace('_', '-') + '==' + d.version)"
    )
    done = within("python", "-I", "-c", script)
    assert done.returncode == 0, done.stderr
    locked = {
        line.split()[0]
        for line in (Path(__file__).parents[2] / "requirements.lock").read_text().splitlines()
        if "==" in line
    }
    found = {line for line in done.stdout.split() if not line.startswith("dialwarden==")}
    assert found
    assert found <= locked, found - locked


def test_it_ends_when_it_is_told_to(images: Builder, tmp_path: Path) -> None:
    config = tmp_path / "dialwarden.toml"
    config.write_text(CONFIG.format(agi=free_tcp_port(), http=free_tcp_port()))
    tmp_path.chmod(0o755)
    container = images.unpack(BRIDGE)
    command = images.running(
        container.name, "dialwarden", "serve", "--config",
        options=("--cap-drop", "all", "--volume", f"{tmp_path}:{tmp_path}:ro"),
    )  # fmt: skip
    with Running.start(config, argv=command, env=environ()) as one:
        one.until_said("is ready")
        os.kill(pid_of(one), signal.SIGTERM)
        assert one.ended() == 0, one.log
        assert "ledger closed" in one.log
