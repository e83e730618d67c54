"""The pages that are written from the code: current, whole, and what `man` can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dialwarden.cli import COMMANDS, main
from dialwarden.errors import SettingsError
from dialwarden.manual.__main__ import pages, write
from dialwarden.manual.commands import all_commands
from dialwarden.manual.settings import Section, all_sections
from dialwarden.policies import load_policies
from dialwarden.settings.config import read_config

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS = {section.name: section for section in all_sections()}


@pytest.mark.parametrize("name", pages())
def test_the_committed_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text() == pages()[name], "run: make manual"


def test_the_pages_are_written_where_they_are_told_to_be(tmp_path: Path) -> None:
    write(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {str(path.relative_to(tmp_path)): path.read_text() for path in files} == pages()
    before = {path: path.stat().st_mtime_ns for path in files}
    write(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in files} == before


# Every key


def allowed_in(header: str, extra: str = "") -> set[str]:
    """The keys that the reader takes in a section, by what it says of one that is unknown."""
    text = f"{header}\nnone_such = 1\n{extra}"
    try:
        read_config(text.encode(), Path("x.toml"), {}).resolve(load_policies())
    except SettingsError as error:
        told = next(p.message for p in error.problems if p.key.endswith("none_such"))
    return set(re.sub(r".*allowed: ", "", told).split(", "))


def header_of(section: Section) -> str:
    return f"[{section.name.replace('NAME', 'x')}]"


@pytest.mark.parametrize(
    "name", [name for name in SECTIONS if name != "gateway.campaigns"]
)  # fmt: skip
def test_every_key_that_is_read_is_documented(name: str) -> None:
    documented = {key.name for key in SECTIONS[name].keys}
    below = {other.rpartition(".")[2] for other in SECTIONS if other.startswith(f"{name}.")}
    assert allowed_in(header_of(SECTIONS[name])) == documented | below


def test_every_section_that_is_read_is_documented() -> None:
    assert allowed_in("") == {name.partition(".")[0] for name in SECTIONS}


def every_key() -> Iterator[tuple[str, str]]:
    for section in SECTIONS.values():
        yield from ((section.name, key.name) for key in section.keys)


@pytest.mark.parametrize(("section", "key"), list(every_key()))
def test_every_key_says_what_it_takes_and_what_it_is_for(section: str, key: str) -> None:
    found = next(one for one in SECTIONS[section].keys if one.name == key)
    assert found.takes
    assert found.help.endswith((".", "?", '".'))
    assert f"| `{key}` |" in (DOCS / "configuration.md").read_text()


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_says_what_it_is(name: str) -> None:
    assert len(SECTIONS[name].about) > 10
    assert SECTIONS[name].about.endswith(".")


def test_a_default_is_what_may_be_written() -> None:
    """Each default, written into a file, is taken and changes nothing."""
    bare = read_config(b"", Path("x.toml"), {})
    lines = []
    for section in SECTIONS.values():
        given = [f"{key.name} = {key.default}" for key in section.keys if key.default]
        if given and "NAME" not in section.name:
            lines += [f"[{section.name}]", *given]
    written = read_config("\n".join(lines).encode(), Path("x.toml"), {})
    # [ami] stands there now, without the user that it needs.
    assert {problem.key for problem in written.document.problems} == {"ami", "ami.username"}
    for name in ("store", "agi", "gateway", "guard", "http", "log", "defaults", "retention"):
        assert getattr(written, name) == getattr(bare, name), name


# Every command


def all_words() -> Iterator[str]:
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        yield name
        if isinstance(command, click.Group):
            yield from (f"{name} {verb}" for verb in command.commands)


@pytest.mark.parametrize("words", list(all_words()))
def test_every_command_is_in_the_guide(words: str) -> None:
    """docs/commands.md is written by hand: what a command is for stands there."""
    text = (DOCS / "commands.md").read_text()
    # A group's own argument may stand between: `subject NUMBER erase`.
    spelt = "(?: [A-Z]+)? ".join(map(re.escape, words.split()))
    assert re.search(rf"`(?:dialwarden )?{spelt}[ `]", text), words


def test_every_command_that_can_be_run_is_in_the_pages() -> None:
    commands = {command.words for command in all_commands()}
    groups = {name for name in all_words() if any(c.startswith(f"{name} ") for c in commands)}
    assert commands | groups >= set(all_words())
    man = (DOCS / "man" / "dialwarden.1").read_text()
    for command in all_commands():
        assert f'.SS "dialwarden {command.words}' in man
        assert f"## dialwarden {command.words}\n" in (DOCS / "options.md").read_text()


# man


@pytest.mark.parametrize("name", ["dialwarden.1", "dialwarden.toml.5"])
def test_no_line_of_a_page_is_taken_for_a_request_it_is_not(name: str) -> None:
    requests = {"TH", "SH", "SS", "PP", "TP", "B", "I", "BR", "nf", "fi", "ad", "nh"}
    for line in (DOCS / "man" / name).read_text().splitlines():
        if line.startswith((".", "'")):
            assert line[1:].split(" ")[0] in requests, line
        assert not re.search(r"(?<!\\)-", line.removeprefix(".TH")) or line.startswith(".TH"), line
