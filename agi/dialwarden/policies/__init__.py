"""The shipped rule packs, and an admin's own: found, read, and handed out by id.

The one place that reads policy files. What is in them is `policy.parse`'s to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from dialwarden.errors import Problem, SettingsError
from dialwarden.policy.model import Policy
from dialwarden.policy.parse import read_policy
from dialwarden.settings.reader import decode_document


def load_policies(own: Path | None = None) -> Mapping[str, Policy]:
    """Every policy by id: the shipped ones, and those in an admin's folder.

    Raises:
        SettingsError: a file is wrong, or takes the id of another policy.
    """
    policies: dict[str, Policy] = {}
    for resource in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if resource.name.endswith(".toml"):
            _add(policies, _read(resource.read_bytes(), resource.name))
    if own is None:
        return policies
    if not own.is_dir():
        raise SettingsError([Problem(str(own), "", 0, "no such folder; see [policies] path")])
    problems: list[Problem] = []
    for path in sorted(own.glob("*.toml")):
        try:
            _add(policies, _read(path.read_bytes(), str(path)))
        except SettingsError as error:
            problems += error.problems
        except OSError as error:
            problems.append(Problem(str(path), "", 0, f"cannot be read: {error}"))
    if problems:
        raise SettingsError(problems)
    return policies


def _read(data: bytes, file: str) -> Policy:
    # Of the bytes, not of the text: an admin holds the record against `sha256sum FILE`.
    sha256 = hashlib.sha256(data).hexdigest()
    return read_policy(decode_document(data, file), file, sha256=sha256)


def _add(policies: dict[str, Policy], policy: Policy) -> None:
    other = policies.get(policy.id)
    if other is not None:
        message = f"{policy.id!r} is taken by {other.file}; choose another"
        raise SettingsError([Problem(policy.file, "id", 0, message)])
    policies[policy.id] = policy
