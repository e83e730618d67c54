"""Which policies there are for a command: the shipped ones, and an admin's own.

Owns what happens when no configuration is there, or a wrong one: the shipped policies need none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from dialwarden.cli.output import warn
from dialwarden.errors import SettingsError
from dialwarden.policies import load_policies, read_in_turn
from dialwarden.policy.model import Policy
from dialwarden.settings.config import CONFIG_VARIABLE, find_config, read_config


def known_policies(config: str | None) -> Mapping[str, Policy]:
    """The shipped policies, and an admin's own if a configuration names a folder.

    Raises:
        SettingsError: the configuration named does not exist or is wrong; a policy is wrong.
    """
    return load_policies(_own_folder(config))


def policies_beside(file: Path, config: str | None) -> tuple[Mapping[str, Policy], frozenset[str]]:
    """The policies that stand beside a file, and those of their ids that it may not take.

    A file outside the admin's folder may be the next version of one in it. Other files that
    cannot be read are left out, with a warning: their faults are not this file's.

    Raises:
        SettingsError: the configuration named does not exist or is wrong.
    """
    own = _own_folder(config)
    # Each by the name that messages give it: of what is shipped, nobody asked for the folder.
    shipped = {
        entry.name: entry
        for entry in files("dialwarden.policies").iterdir()
        if entry.name.endswith(".toml")
    }
    policies = _readable(_without(file, shipped), {})
    taken = frozenset(policies)
    if own is not None and own.is_dir():
        entries = {str(path): path for path in own.glob("*.toml")}
        policies = _readable(_without(file, entries), policies)
        if own.resolve() == file.resolve().parent:
            taken = frozenset(policies)
    return policies, taken


def _without(file: Path, entries: Mapping[str, Traversable]) -> dict[str, Traversable]:
    return {
        name: entries[name]
        for name in sorted(entries)
        if not (isinstance(entry := entries[name], Path) and entry.samefile(file))
    }


def _readable(entries: Mapping[str, Traversable], known: Mapping[str, Policy]) -> dict[str, Policy]:
    """The policies known, and those in the files that can be read."""
    policies = dict(known)
    read_in_turn(
        entries,
        policies,
        lambda name, _: warn(f"{name} cannot be read and is left out; see dialwarden policy lint"),
    )
    return policies


def _own_folder(config: str | None) -> Path | None:
    try:
        path = find_config(config, os.environ)
    except SettingsError:
        if config or os.environ.get(CONFIG_VARIABLE):
            raise
        return None
    try:
        return read_config(path.read_bytes(), path, os.environ).policies.path
    except (SettingsError, OSError) as error:
        if config:
            raise
        warn(f"{error}; shipped policies only")
        return None
