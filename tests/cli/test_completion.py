"""Completion: the real bash, the real script; other shells by what they ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from click.types import StringParamType
from tests.cli.site import Site

import dialwarden
from dialwarden.cli import COMMANDS, main
from dialwarden.cli.completing import equip

SOURCES = str(Path(dialwarden.__file__).parents[1])


def environ(site: Site, **more: str) -> dict[str, str]:
    """With a `dialwarden` on the path that is this one."""
    program = site.folder / "bin" / "dialwarden"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dialwarden "$@"\n')
        program.chmod(0o755)
    return {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": SOURCES,
        "DIALWARDEN_CONFIG": str(site.folder / "dialwarden.toml"),
        **more,
    }


def completed_by_bash(site: Site, line: str) -> set[str]:
    """What bash would put in at the end of a line."""
    words = line.split(" ")
    script = (
        'eval "$(dialwarden completion bash)"\n'
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
        '_dialwarden_completion dialwarden\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words],
        env=environ(site), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("dialwarden pol", {"policy"}),
        ("dialwarden policy show it-", {"it-assocontact", "it-garante"}),
        ("dialwarden check 0612345678 --campaign p", {"paris", "plain"}),
        ("dialwarden attempts list --professional a", {"acme"}),
        ("dialwarden list status we", {"weekly"}),
        ("dialwarden list import b", {"bloctel"}),
        ("dialwarden refusals --rule ho", {"holiday", "hours"}),
        ("dialwarden check 06 --rel", {"--relationship"}),
        ("dialwarden completion ", {"bash", "zsh", "fish"}),
    ],
)
def test_bash_completes(site: Site, line: str, completed: set[str]) -> None:
    assert completed_by_bash(site, line) == completed


def test_the_configuration_named_on_the_line_counts(site: Site) -> None:
    other = site.file('[campaigns.elsewhere]\nprofessional = "b"\npolicy = "fr"\n', "other.toml")
    line = f"dialwarden check 06 --config {other} --campaign "
    assert completed_by_bash(site, line) == {"elsewhere"}


@pytest.mark.parametrize("text", ["", "not toml [", "[campaigns]\nx = 1\n", "campaigns = 3\n"])
@pytest.mark.parametrize("words", ["check 06 --campaign ", "list has ", "attempts list --prof "])
def test_a_wrong_configuration_completes_to_nothing_and_says_nothing(
    site: Site, text: str, words: str
) -> None:
    (site.folder / "dialwarden.toml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "dialwarden"],
        env=environ(site, _DIALWARDEN_COMPLETE="fish_complete",
                    COMP_WORDS=f"dialwarden {words}", COMP_CWORD=""),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_this_program(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell], prog_name="dialwarden").stdout
    assert f"_DIALWARDEN_COMPLETE={shell}_complete" in script
    assert "dialwarden" in script


def test_another_shell_is_told_which_there_are() -> None:
    done = CliRunner().invoke(main, ["completion", "csh"])
    assert done.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_campaign_and_every_configuration_is_completed(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    todo = [equip(command, name)]
    while todo:
        one = todo.pop()
        todo += one.commands.values() if isinstance(one, click.Group) else ()
        for param in one.params:
            if {"--campaign", "--config"} & set(param.opts):
                assert type(param.type) is not StringParamType
