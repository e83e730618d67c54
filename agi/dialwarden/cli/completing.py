"""What a shell may put in for a name: campaigns, professionals, lists, policies, flavours.

Owns which option or argument takes which kind of name, in one table, for every command that there
is. A configuration that is missing or wrong completes to nothing, and says nothing: a shell would
print it into the line that is being typed.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

from dialwarden.cli.policy_files import known_policies
from dialwarden.errors import DialwardenError
from dialwarden.install.manifest import read_flavours
from dialwarden.policies import load_policies
from dialwarden.settings.config import find_config, load_config
from dialwarden.shipped import shipped

Names = Callable[[str | None], Iterable[str]]


class _Name(StringParamType):
    """A text of which some are known."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        config = ctx.params.get("config")
        try:
            names = sorted(set(self._names(config)))
        except (DialwardenError, OSError):
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class _File(StringParamType):
    """A text that is a file's path."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


def _read(config: str | None) -> Mapping[str, Any]:
    """The configuration as it is written, also where it would not be taken."""
    try:
        return tomllib.loads(find_config(config, os.environ).read_text("utf-8"))
    except ValueError:
        return {}


def _sections(config: str | None, name: str) -> Mapping[str, Any]:
    sections = _read(config).get(name, {})
    return sections if isinstance(sections, dict) else {}


def campaigns(config: str | None) -> Iterable[str]:
    """Of the configuration."""
    return _sections(config, "campaigns")


def professionals(config: str | None) -> Iterable[str]:
    """Of the configuration's campaigns."""
    entries = [
        entry for entry in _sections(config, "campaigns").values() if isinstance(entry, dict)
    ]
    return [str(entry["professional"]) for entry in entries if "professional" in entry]


def lists(config: str | None) -> Iterable[str]:
    """Of the configuration, and those that its campaigns' policies ask for."""
    own = set(_sections(config, "lists"))
    try:
        read = load_config(find_config(config, os.environ), os.environ, load_policies)
    except DialwardenError:
        return own
    return own.union(*(campaign.lists for campaign in read.campaigns.values()))


def policies(config: str | None) -> Iterable[str]:
    """The shipped ones, and the admin's own."""
    return known_policies(config)


def flavours(config: str | None) -> Iterable[str]:
    """Of PBX products."""
    return read_flavours(shipped())


_OPTIONS = {
    "--campaign": _Name(campaigns),
    "--professional": _Name(professionals),
    "--flavour": _Name(flavours),
    "--config": _File(),
}
# Of the command, or of those below it.
_ARGUMENTS = {("list", "name"): _Name(lists), ("policy", "id"): _Name(policies)}


def equip(command: click.Command, name: str) -> click.Command:
    """The same command, with what its names complete to.

    Args:
        name: of the command below `dialwarden`.
    """
    for param in command.params:
        if not isinstance(param.type, StringParamType) or param.type.name != "text":
            continue
        known = next((_OPTIONS[flag] for flag in param.opts if flag in _OPTIONS), None)
        if isinstance(param, click.Argument):
            known = _ARGUMENTS.get((name, param.name or ""))
        if known is not None:
            param.type = known
    if isinstance(command, click.Group):
        for below in command.commands.values():
            equip(below, name)
    return command
