"""`dialwarden init`: a configuration that holds, where there was none."""

from __future__ import annotations

import grp
import json
import os
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialwarden.cli import main
from dialwarden.cli.init import (
    SHIPPED_CONFIG,
    SHIPPED_LEDGER,
    SHIPPED_PROGRAM,
    SHIPPED_START,
    configuration,
)
from dialwarden.policies import load_policies
from dialwarden.settings.config import load_config
from dialwarden.shipped import shipped


def run(*arguments: object, status: int = 0) -> Result:
    words = ["init", *map(str, arguments)]
    result = CliRunner(env={"DIALWARDEN_CONFIG": None}).invoke(main, words)
    assert result.exit_code == status, result.output
    return result


def test_what_it_writes_is_taken_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "etc" / "dialwarden.toml"
    told = run("--config", file).stdout
    assert "dialwarden check 0612345678 --campaign demo-fr" in told
    config = load_config(file, {}, load_policies)
    assert config.warnings == ()
    assert config.store.path == tmp_path / "etc" / "var" / "dialwarden.db"
    assert file.stat().st_mode & 0o022 == 0


def test_the_ledger_may_be_named(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    found = json.loads(run("--config", file, "--ledger", "/srv/l.db", "--json").stdout)
    assert found == {
        "config": str(file), "ledger": "/srv/l.db", "written": [str(file)], "left": [],
    }  # fmt: skip
    assert load_config(file, {}, load_policies).store.path == Path("/srv/l.db")


def test_any_name_of_a_ledger_is_written_so_that_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "dialwarden.toml"
    run("--config", file, "--ledger", tmp_path / 'a"b\\n #é.db')
    assert tomllib.loads(file.read_text())["store"]["path"] == str(tmp_path / 'a"b\\n #é.db')


def test_the_system_wide_one_keeps_its_ledger_where_services_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dialwarden.toml"
    monkeypatch.setattr("dialwarden.cli.init._SYSTEM_WIDE", file)
    run()
    assert 'path = "/var/lib/dialwarden/dialwarden.db"' in file.read_text()


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "dialwarden.toml"
    file.write_text("# mine\n")
    assert "is there already" in run("--config", file, status=2).stderr
    assert file.read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("euid", "group", "mode", "folder"),
    [(0, True, 0o640, 0o750), (0, False, 0o644, 0o755), (1000, True, 0o640, 0o750)],
    ids=["root, with the service's group", "root, before there is one", "somebody"],
)
def test_the_service_may_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, euid: int, group: bool, mode: int, folder: int
) -> None:
    def getgrnam(name: str) -> grp.struct_group:
        if not group:
            raise KeyError(name)
        return grp.getgrgid(os.getegid())

    uid = os.geteuid()
    monkeypatch.setattr("grp.getgrnam", getgrnam)
    calls = iter([euid])
    monkeypatch.setattr("os.geteuid", lambda: next(calls, uid))
    file = tmp_path / "etc" / "dialwarden.toml"
    run("--config", file)
    assert file.stat().st_mode & 0o777 == mode
    assert file.parent.stat().st_mode & 0o777 == folder


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shipped files of the test's, with a service and a socket; where units go."""
    templates = tmp_path / "templates"
    (templates / "systemd").mkdir(parents=True)
    (templates / "dialwarden.toml").write_bytes(shipped("dialwarden.toml").read_bytes())
    (templates / "systemd" / "dialwarden.service").write_text(
        f"[Service]\nExecStart={SHIPPED_PROGRAM} serve --config {SHIPPED_CONFIG}\n"
    )
    (templates / "systemd" / "dialwarden.socket").write_text("[Socket]\n")
    monkeypatch.setattr("dialwarden.cli.init.shipped", lambda name="": templates / name)
    return tmp_path / "system"


def test_the_units_start_this_program_with_this_configuration(units: Path, tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    told = run("--config", file, "--units", units).stdout
    program = Path(sys.executable).with_name("dialwarden")
    service = (units / "dialwarden.service").read_text()
    assert service == f"[Service]\nExecStart={program} serve --config {file}\n"
    assert (units / "dialwarden.socket").read_text() == "[Socket]\n"
    assert "systemctl enable --now dialwarden" in told


def test_a_path_of_several_words_is_one_word_of_the_unit(units: Path, tmp_path: Path) -> None:
    file = tmp_path / "first floor" / '100% "a$.toml'
    told = run("--config", file, "--units", units).stdout
    service = (units / "dialwarden.service").read_text()
    folder = tmp_path / "first floor"
    assert service.endswith(f'--config "{folder}/100%% \\"a$$.toml"\n')
    assert f"dialwarden check 0612345678 --campaign demo-fr --config '{file}'" in told


def test_a_configuration_that_is_found_by_itself_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dialwarden.toml"
    monkeypatch.setattr("dialwarden.cli.init.CONFIG_PLACES", (file,))
    assert "--campaign demo-fr\n" in run("--config", file).stdout


def test_what_is_there_is_left_and_the_rest_written(units: Path, tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    file.write_text("# mine\n")
    found = json.loads(run("--config", file, "--units", units, "--json").stdout)
    assert (found["left"], len(found["written"])) == ([str(file)], 2)
    assert file.read_text() == "# mine\n"
    (units / "dialwarden.service").write_text("mine")
    assert "is there already, and was left alone" in run("--config", file, "--units", units).stdout
    assert (units / "dialwarden.service").read_text() == "mine"


def test_a_program_that_the_sandbox_cannot_see_is_told(
    units: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/home/me/venv/bin/python")
    told = run("--config", tmp_path / "d.toml", "--units", units).stderr
    assert "/home/me/venv/bin/dialwarden is in a home folder" in told
    assert "install dialwarden below /opt" in told


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = run("--config", tmp_path / "file" / "d.toml", status=2).stderr
    assert "cannot be written" in told or "is there already" in told
    assert "Traceback" not in told


def test_what_it_exchanges_stands_in_the_shipped_file_once() -> None:
    text = shipped("dialwarden.toml").read_text()
    assert text.count(SHIPPED_LEDGER) == text.count(SHIPPED_START) == 1
    assert "make run" not in configuration(Path("x.db"))


def test_a_configuration_in_a_folder_that_is_not_ours_to_enter_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """/etc/dialwarden is made for its owner and group alone."""

    def denied(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "is_file", denied)
    for env, told in (
        ({"DIALWARDEN_CONFIG": None}, "this user may not look for /etc/dialwarden/dialwarden.toml"),
        ({"DIALWARDEN_CONFIG": "/x/d.toml"}, "/x/d.toml: this user may not look for it"),
    ):
        done = CliRunner(env=env).invoke(main, ["check", "112"])
        assert (done.exit_code, told in done.stderr) == (2, True), done.output


def test_what_it_exchanges_stands_in_every_shipped_service() -> None:
    for service in shipped("systemd").glob("*.service"):
        started = f"ExecStart={SHIPPED_PROGRAM} serve --config {SHIPPED_CONFIG}\n"
        assert started in service.read_text()
