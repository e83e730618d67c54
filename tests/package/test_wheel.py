"""The package as it would be published: built, installed where nothing else is, and used there.

The requirements come from the lock with their hashes; nothing of the source tree is in reach.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.doors.asking import ask
from tests.running import Running, environ

from bench.ports import free_tcp_port

SOURCES = Path(__file__).parents[2]
CONFIG = SOURCES / "config"
# Building, and an empty environment filled from an index.
BUILT_WITHIN_S = 300

pytestmark = pytest.mark.timeout(BUILT_WITHIN_S)


def run(*words: object, cwd: Path, status: int = 0) -> str:
    """What a program prints, started with nothing of ours in its environment."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd, env=outside(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def outside() -> dict[str, str]:
    return {name: value for name, value in environ().items() if not name.startswith("PYTHON")}


# What a developer's own bridge leaves in config/.
LEFT_BEHIND = ("*.secret", "*.db*", "*.log", "*~", "*.bak", "__pycache__", "*.egg-info")


def shipped_files() -> set[str]:
    """What the sources have in config/."""
    files = (path.relative_to(CONFIG) for path in CONFIG.rglob("*") if path.is_file())
    return {str(file) for file in files if not any(file.match(name) for name in LEFT_BEHIND)}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source archive, and the wheel that is made of it; the build backend is the lock's."""
    folder = tmp_path_factory.mktemp("dist")
    copy = tmp_path_factory.mktemp("sources")
    # A copy: the build writes beside the sources.
    for name in ("agi", "config", "docs", "tests"):
        ignored = shutil.ignore_patterns(*LEFT_BEHIND)
        shutil.copytree(SOURCES / name, copy / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(SOURCES / name, copy / name)
    for left in ("ami.secret", "dialwarden.toml~", "wazo/install.toml.bak", "plain/own.secret"):
        (copy / "config" / left).write_text("not to be published\n")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, copy, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (only,) = dist.glob("*.whl")
    return only


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`dialwarden` of an empty environment with the locked requirements and the wheel."""
    venv = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", venv, cwd=venv)
    pip = [venv / "bin" / "python", "-m", "pip", "install", "--quiet"]
    run(*pip, "--require-hashes", "-r", SOURCES / "requirements.lock", cwd=venv)
    run(*pip, "--no-deps", wheel, cwd=venv)
    return venv / "bin" / "dialwarden"


def test_every_shipped_file_is_inside_and_nothing_else_of_the_folder(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        prefix = "dialwarden/templates/"
        inside = {
            name.removeprefix(prefix): archive.read(name)
            for name in archive.namelist()
            if name.startswith(prefix) and not name.endswith("/")
        }
    assert inside.keys() == shipped_files()
    assert all(inside[name] == (CONFIG / name).read_bytes() for name in inside)


def test_policies_and_reasons_are_inside_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for folder in ("policies", "reasons"):
        ours = {path.name for path in (SOURCES / "agi" / "dialwarden" / folder).glob("*.toml")}
        inside = {name.rpartition("/")[2] for name in names if f"dialwarden/{folder}/" in name}
        assert ours <= inside
    assert not [name for name in names if "tests" in Path(name).parts]


def test_the_source_archive_makes_the_wheel_and_has_no_tests_and_no_secret(dist: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = opened.getnames()
    assert any(name.endswith("templates/dialwarden.toml") for name in names)
    assert not [
        n for n in names if "tests" in Path(n).parts or n.endswith((".secret", "~", ".bak"))
    ]


def test_the_program_is_the_installed_one(program: Path, tmp_path: Path) -> None:
    python = program.with_name("python")
    where = run(python, "-c", "import dialwarden; print(dialwarden.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(program.parents[1])


def test_the_manual_pages_are_where_man_looks(program: Path) -> None:
    for name in ("man1/dialwarden.1", "man5/dialwarden.toml.5"):
        page = SOURCES / "docs" / "man" / Path(name).name
        assert (program.parents[1] / "share" / "man" / name).read_bytes() == page.read_bytes()


def test_help_and_policies_work_from_it(program: Path, tmp_path: Path) -> None:
    assert "May this number be called now" in run(program, "--help", cwd=tmp_path)
    policies = json.loads(run(program, "policy", "list", "--json", cwd=tmp_path))
    assert {"fr", "it-garante", "none"} <= {policy["id"] for policy in policies}


def test_the_first_day_works_from_it(program: Path, tmp_path: Path) -> None:
    """init, check, install: what stands in no folder of the sources."""
    etc = tmp_path / "asterisk"
    etc.mkdir()
    (etc / "extensions.conf").write_text("[general]\n")
    run(program, "init", "--config", "dialwarden.toml", cwd=tmp_path)
    told = run(program, "check", "0612345678", "--campaign", "demo-fr", cwd=tmp_path, status=1)
    assert told.startswith("REFUSE  +33612345678")
    assert run(program, "check", "112", "--campaign", "demo-fr", cwd=tmp_path).startswith("ALLOW")
    flavour = ["--flavour", "plain", "--asterisk-dir", etc]
    run(program, "install", *flavour, "--yes", cwd=tmp_path)
    shipped = (CONFIG / "asterisk" / "extensions_dialwarden.conf").read_bytes()
    assert (etc / "extensions_dialwarden.conf").read_bytes() == shipped
    run(program, "install", "--asterisk-dir", etc, "--undo", "--yes", cwd=tmp_path)
    assert (etc / "extensions.conf").read_text() == "[general]\n"


def health(port: int) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
        return json.load(answer)


async def test_it_answers_a_question_and_healthz(program: Path, tmp_path: Path) -> None:
    run(program, "init", "--config", "dialwarden.toml", cwd=tmp_path)
    config = tmp_path / "dialwarden.toml"
    http = free_tcp_port()
    text = config.read_text().replace("127.0.0.1:4580", "127.0.0.1:0", 1)
    config.write_text(f'{text}\n[http]\nlisten = "127.0.0.1:{http}"\n')
    with Running.start(config, env=outside(), argv=(str(program), "serve", "--config")) as bridge:
        port = bridge.port
        refused = await ask(port, "check", number="0612345678", campaign="demo-fr")
        assert refused["DIALWARDEN_VERDICT"] == "REFUSE"
        emergency = await ask(port, "check", number="112", campaign="demo-fr")
        assert (emergency["DIALWARDEN_VERDICT"], emergency["DIALWARDEN_NUMBER"]) == ("ALLOW", "112")
        told = await asyncio.to_thread(health, http)
        assert told["status"] == "degraded"  # its lists are yet to be imported
        assert all("was never imported" in why for why in told["why"])
        assert bridge.stop() == 0
