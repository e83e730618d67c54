"""The shipped rule packs, and an admin's own: found, read, and handed out by id.

The one place that reads policy files. What is in them is `policy.parse`'s to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from dialwarden.errors import Problem, SettingsError
from dialwarden.policy.model import Policy
from dialwarden.policy.parse import UnknownBase, read_policy
from dialwarden.settings.reader import Table, decode_document, read_document
from dialwarden.settings.report import choose_from


def load_policies(own: Path | None = None) -> Mapping[str, Policy]:
    """Every policy by id: the shipped ones, and those in an admin's folder.

    Raises:
        SettingsError: a file is wrong, takes the id of another policy, or extends one that is not
            there.
    """
    policies: dict[str, Policy] = {}
    for resource in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if resource.name.endswith(".toml"):
            _add(policies, read_file(resource.read_bytes(), resource.name, policies))
    if own is None:
        return policies
    if not own.is_dir():
        raise SettingsError([Problem(str(own), "", 0, "no such folder; see [policies] path")])
    problems: list[Problem] = []
    entries = {str(path): path for path in sorted(own.glob("*.toml"))}

    def fault(name: str, error: Exception) -> None:
        if isinstance(error, SettingsError):
            problems.extend(error.problems)
        else:
            problems.append(Problem(name, "", 0, f"cannot be read: {error}"))

    baseless = read_in_turn(entries, policies, fault)
    problems += [_baseless(entries[name], own, policies) for name in baseless]
    if problems:
        raise SettingsError(problems)
    return policies


def read_in_turn(
    entries: Mapping[str, Traversable],
    policies: dict[str, Policy],
    fault: Callable[[str, Exception], None],
) -> list[str]:
    """Read policies that may extend one another, whatever their order, into those known.

    Args:
        entries: files, by the name that messages give them.
        policies: by id; what is read is added, and may be extended.
        fault: told of each file that is wrong (SettingsError) or cannot be read (OSError).

    Returns:
        The names of those that extend a policy which is not there.
    """
    waiting = list(entries)
    while waiting:
        later = []
        for name in waiting:
            try:
                _add(policies, read_file(entries[name].read_bytes(), name, policies))
            except UnknownBase:
                later.append(name)
            except (SettingsError, OSError) as error:
                fault(name, error)
        if len(later) == len(waiting):
            break
        waiting = later
    return waiting


def read_file(data: bytes, file: str, bases: Mapping[str, Policy]) -> Policy:
    """One policy from the bytes of its file.

    Raises:
        SettingsError, UnknownBase: see `policy.parse.read_policy`.
    """
    # Of the bytes, not of the text: an admin holds the record against `sha256sum FILE`.
    sha256 = hashlib.sha256(data).hexdigest()
    return read_policy(decode_document(data, file), file, sha256=sha256, bases=bases)


def _baseless(path: Path, own: Path, policies: Mapping[str, Policy]) -> Problem:
    """Why a policy has nothing to stand on."""
    document = _document(path)
    base = document.text("extends")
    others = set()
    for other in own.glob("*.toml"):
        with suppress(SettingsError, OSError):
            others.add(_document(other).text("id"))
    if base in others:
        message = f'found "{base}", which extends this one in turn, or is itself wrong'
    else:
        message = choose_from(base, policies, "policies")
    document.problem("extends", message)
    return document.problems[0]


def _document(path: Path) -> Table:
    return read_document(decode_document(path.read_bytes(), str(path)), str(path))


def _add(policies: dict[str, Policy], policy: Policy) -> None:
    other = policies.get(policy.id)
    if other is not None:
        message = f"{policy.id!r} is taken by {other.file}; choose another"
        raise SettingsError([Problem(policy.file, "id", 0, message)])
    policies[policy.id] = policy
