"""The command as a whole: help everywhere, errors as sentences, statuses as promised."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.cli.site import Site

import dialwarden
from dialwarden import __version__
from dialwarden.cli import COMMANDS, main


def commands() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, verb) for verb in command.commands)


ALL = list(commands())


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Another process with the package at hand."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(dialwarden.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_commands_are_those_of_the_contract() -> None:
    verbs = {" ".join(words) for words in ALL}
    assert verbs >= {
        "serve", "check", "refusals", "list import", "list status", "list add", "list remove",
        "list has", "objection add", "objection import", "objection list", "consent grant",
        "consent import", "consent withdraw", "consent list", "appointment add",
        "appointment list", "attempts import", "attempts list", "policy list", "policy show",
    }  # fmt: skip


@pytest.mark.parametrize("words", ALL, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_without_a_configuration(
    words: tuple[str, ...], flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner(env={"DIALWARDEN_CONFIG": None}).invoke(main, [*words, flag])
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert len(result.stdout.split("\n\n")[1].strip()) > 20


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_the_whole_is_the_help_of_the_part(name: str) -> None:
    module, help_ = COMMANDS[name]
    assert importlib.import_module(f"dialwarden.cli.{module}").command.short_help == help_


# A script for a shell, which stands on no configuration.
SCRIPT = ("completion",)


def leaves() -> list[tuple[str, ...]]:
    return [w for w in ALL if not any(other[:-1] == w for other in ALL if len(other) > 1)]


# It brings a bridge, a ledger and a configuration of its own.
WITHOUT_CONFIGURATION = [("selftest",), SCRIPT]


@pytest.mark.parametrize(
    "words", [w for w in leaves() if w not in WITHOUT_CONFIGURATION], ids=" ".join
)
def test_every_command_takes_a_configuration(words: tuple[str, ...]) -> None:
    assert "--config FILE" in CliRunner().invoke(main, [*words, "--help"]).stdout


@pytest.mark.parametrize(
    "words", [w for w in leaves() if w not in {("serve",), SCRIPT}], ids=" ".join
)
def test_every_command_speaks_json(words: tuple[str, ...]) -> None:
    assert "--json" in CliRunner().invoke(main, [*words, "--help"]).stdout


def test_help_waits_for_no_command() -> None:
    script = (
        "import sys; from dialwarden.cli import main; main(['--help'], standalone_mode=False);"
        "heavy = {'phonenumbers', 'pyroaring', 'holidays', 'sqlite3', 'uvloop'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = python("-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ")


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"dialwarden {__version__}\n"


def test_an_unknown_command_is_a_wrong_use(site: Site) -> None:
    assert "No such command 'chekc'" in site.err("chekc")


def test_a_wrong_configuration_is_told_with_its_place(site: Site) -> None:
    wrong = site.file(
        "[store]\npaht = 1\n[campaigns.x]\nprofessional = 'a'\npolicy = 'xx'\n", "w.toml"
    )
    told = site.err("attempts", "list", "--config", wrong)
    assert f"dialwarden: {wrong}:2: store.paht: unknown key; did you mean path?" in told
    assert "campaigns.x.policy" in told


def test_no_configuration_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dialwarden.settings.config.CONFIG_PLACES", (Path("dialwarden.toml"),))
    result = CliRunner(env={"DIALWARDEN_CONFIG": None}).invoke(main, ["check", "112"])
    assert result.exit_code == 2
    assert "name one with --config FILE or $DIALWARDEN_CONFIG" in result.stderr


def test_a_ledger_that_vanished_is_not_made_anew(site: Site) -> None:
    site.run("list", "import", "house", site.file(""))
    site.ledger.rename(site.ledger.with_name("elsewhere"))
    site.ledger.with_name("ledger.db-wal").touch()
    told = site.err("objection", "add", "0612345678", "--campaign", "paris", status=1)
    assert "it was taken away; bring it back" in told
    assert not site.ledger.exists()


def test_a_ledger_of_another_program_is_left_alone(site: Site) -> None:
    site.ledger.parent.mkdir()
    site.ledger.write_text("something else entirely, and long enough to be looked at" * 20)
    before = site.ledger.read_bytes()
    assert "is no SQLite file" in site.err("attempts", "list")
    assert site.ledger.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [["list", "status"], ["attempts", "list"], ["refusals"], ["objection", "list"],
     ["consent", "list"], ["appointment", "list"]],
    ids=" ".join,
)  # fmt: skip
def test_a_command_that_reads_makes_no_ledger(site: Site, words: list[str]) -> None:
    rows = site.json(*words)
    assert rows == [] or words == ["list", "status"]
    assert not site.ledger.parent.exists()


def test_serve_hands_over_to_the_bridge(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Path] = []

    def run(config_path: Path) -> int:
        served.append(config_path)
        return 7

    monkeypatch.setattr("dialwarden.bridge.run", run)
    site.run("serve", "--config", site.folder / "dialwarden.toml", status=7)
    assert served == [site.folder / "dialwarden.toml"]


def test_serve_without_its_file_is_a_wrong_use(site: Site) -> None:
    assert "no such file; --config names it" in site.err("serve", "--config", "none.toml")


def test_python_m_dialwarden_is_the_command() -> None:
    done = python("-m", "dialwarden", "--version")
    assert done.stdout == f"dialwarden {__version__}\n"


@pytest.mark.parametrize("words", [("policy", "show", "fr"), ("policy", "list", "--json")])
def test_an_output_that_cannot_be_written_is_told_in_a_sentence(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "dialwarden", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(dialwarden.__file__).parents[1])},
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr == ("dialwarden: the output cannot be written: No space left on device\n")
