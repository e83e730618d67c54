"""`--reload`: Asterisk is told, and looked at afterwards; a program of the test's stands for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.install.pbx import Site

CONSOLE = """#!/bin/sh
echo "$@" >> {log}
case "$2" in
  "core show version") exit {status} ;;
  "dialplan show toy-hook") echo "{shown}" ;;
esac
"""


@pytest.fixture
def console(site: Site) -> Path:
    return make_console(site, shown="1. Gosub(dialwarden,check,1(x))")


def make_console(site: Site, *, shown: str, status: int = 0) -> Path:
    file = site.folder / "console"
    file.write_text(CONSOLE.format(log=site.folder / "log", shown=shown, status=status))
    file.chmod(0o755)
    return file


def said(site: Site) -> list[str]:
    return (site.folder / "log").read_text().splitlines()


def test_nothing_is_run_unless_asked(site: Site, console: Path) -> None:
    site.install("--asterisk", console)
    assert not (site.folder / "log").exists()


def test_the_dialplan_is_reloaded_and_then_looked_at(site: Site, console: Path) -> None:
    found = site.json("--yes", "--reload", "--asterisk", console)
    assert said(site) == [
        "-rx core show version", "-rx dialplan reload", "-rx dialplan show toy-hook",
    ]  # fmt: skip
    assert [one["good"] for one in found["ran"]] == [True, True]


def test_what_does_not_hold_afterwards_is_told(site: Site) -> None:
    console = make_console(site, shown="There is no existence of 'toy-hook' context")
    told = site.install("--reload", "--asterisk", console, status=1)
    assert "FAILED" in told
    assert "no 'Gosub(dialwarden' in what it said: There is no existence of" in told


def test_an_asterisk_that_does_not_answer_is_told_and_nothing_else_run(site: Site) -> None:
    console = make_console(site, shown="", status=3)
    told = site.install("--reload", "--asterisk", console, status=1)
    assert "ended with 3" in told
    assert 'asterisk -rx "dialplan reload"' in told.split("Next:")[1]
    assert said(site) == ["-rx core show version"]


def test_a_console_that_is_not_there_is_told(site: Site) -> None:
    told = site.install("--reload", "--asterisk", site.folder / "none", status=1)
    assert "cannot be run (No such file or directory)" in told


def test_an_undo_reloads_too(site: Site, console: Path) -> None:
    site.install()
    site.install("--undo", "--reload", "--asterisk", f"{console} -q")
    assert said(site)[-1] == "-q -rx dialplan reload"
