"""Every command as a reader is told of it: how it is called, what it does, its options.

Owns the walk through click's commands; the words are theirs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click

from dialwarden.cli import COMMANDS, main

PROGRAM = "dialwarden"


@dataclass(frozen=True, slots=True)
class Command:
    """One command that can be run.

    Attributes:
        words: "list import".
        usage: what follows them: "NAME FILE [OPTIONS]".
        paragraphs: its help; lines of a paragraph that begins with "\\b" stand as they are.
        options: each as it is written, and its help.
    """

    words: str
    usage: str
    paragraphs: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


def about() -> tuple[str, ...]:
    """What the program as a whole says of itself."""
    return _paragraphs(main)


def all_commands() -> Iterator[Command]:
    """Every command that can be run, in the order in which `--help` has them."""
    root = click.Context(main, info_name=PROGRAM)
    for name in COMMANDS:
        command = main.get_command(root, name)
        assert command is not None  # of our own table
        yield from _walk(command, name, root)


def _walk(command: click.Command, words: str, parent: click.Context) -> Iterator[Command]:
    # A context made so asks nobody and runs nothing.
    ctx = click.Context(command, parent=parent, info_name=words.rpartition(" ")[2])
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield _told(command, words, ctx)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from _walk(below, f"{words} {name}", ctx)


def _told(command: click.Command, words: str, ctx: click.Context) -> Command:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join([*(p.make_metavar(ctx) for p in arguments), "[OPTIONS]"])
    records = (p.get_help_record(ctx) for p in command.params if isinstance(p, click.Option))
    options = tuple((record[0], " ".join(record[1].split())) for record in records if record)
    return Command(words, usage, _paragraphs(command), options)


def _paragraphs(command: click.Command) -> tuple[str, ...]:
    text = inspect.cleandoc(command.help or "")
    return tuple(part for part in text.split("\n\n") if part.strip())
