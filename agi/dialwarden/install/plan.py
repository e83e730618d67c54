"""What an install would do: a change for each file, and what is left to a person.

Owns when a file is ours, when an admin edited it, and when a line may not be put in. Looks, and
writes nothing.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dialwarden.errors import InstallRefused
from dialwarden.install.change import Change, sha256
from dialwarden.install.folder import Folder, Found
from dialwarden.install.manifest import Flavour, Include, OwnFile
from dialwarden.install.marked import (
    body_of,
    contexts_of,
    included_by,
    our_lines,
    with_lines,
)


@dataclass(slots=True)
class Plan:
    """Changes in the order in which they are made, and sentences for the admin.

    Attributes:
        changes: whole files of ours first: Asterisk loads nothing of a file that includes one
            which is not there.
        missing: what could not be done, each with what to do by hand; the install is not complete.
        notes: what there is to know.
    """

    changes: list[Change] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan_flavour(folder: Folder, flavour: Flavour, installed: Mapping[Path, str | None]) -> Plan:
    """What a flavour changes in a folder.

    Args:
        installed: the files that earlier installs wrote, and the sha256 that they gave them.

    Raises:
        InstallRefused: a file cannot be read, or is not one to be written to.
    """
    plan = Plan()
    for own in flavour.files:
        _own_file(plan, folder, own, installed)
    by_file: dict[str, list[Include]] = {}
    for include in flavour.includes:
        by_file.setdefault(include.file, []).append(include)
    for name, includes in by_file.items():
        _includes(plan, folder, name, includes, flavour)
    return plan


def _own_file(
    plan: Plan, folder: Folder, own: OwnFile, installed: Mapping[Path, str | None]
) -> None:
    found = _find(folder, own.target)
    content = own.source.read_bytes()
    if found.content == content:
        return
    if found.link:
        raise InstallRefused(
            str(folder.path / own.target),
            f"is a link to {found.path}, which is not what this version ships",
            "remove the link, or bring what it leads to up to date",
        )
    plan.changes.append(Change.of(found, content, why=why_replaced(found, installed)))


def _find(folder: Folder, name: str) -> Found:
    """A file that may be written to: its own folder is there."""
    found = folder.find(name)
    if not found.path.parent.is_dir():
        raise InstallRefused(
            str(found.path.parent), "no such folder", "make it, or name another flavour"
        )
    return found


def why_replaced(found: Found, installed: Mapping[Path, str | None]) -> str:
    """What there is to say of a whole file of ours that is written anew; "" where there is none."""
    if found.content is None:
        return ""
    if installed.get(found.path) == sha256(found.content):
        return "brought up to date"
    return "it was edited, or not put there by this command: a copy of it is kept"


def _includes(
    plan: Plan, folder: Folder, name: str, includes: list[Include], flavour: Flavour
) -> None:
    found = _find(folder, name)
    text = found.content or b""
    if b"\0" in text:
        raise InstallRefused(str(found.path), "holds NUL bytes: no text", "look what it is")
    ours = our_lines(text)
    wanted = []
    for include in includes:
        if include.line not in ours:
            if _has_line(text, include.line):
                plan.notes.append(f"{name} has {include.line} already")
                continue
            taken = _taken(folder, found, include)
            if taken:
                plan.missing.append(_to_be_pasted(folder, include, taken, flavour))
                continue
        wanted.append(include.line)
    if not wanted or tuple(wanted) == ours:
        return
    why = f"{name} is a link to {found.path}, which is what changes" if found.link else ""
    plan.changes.append(Change.of(found, with_lines(text, wanted), why=why))


def _has_line(text: bytes, line: str) -> bool:
    """Whether an admin put the line there by hand."""
    asked = included_by(line.encode())
    return bool(asked) and set(asked) <= set(included_by(text))


def _taken(folder: Folder, found: Found, include: Include) -> dict[str, str]:
    """The contexts of ours that the admin's file has already, itself or in what it includes."""
    places: dict[str, str] = {}
    for name, text in _with_included(folder, found, set()):
        for context, line in contexts_of(text).items():
            if context in include.contexts:
                places.setdefault(context, f"{name}:{line}")
    return places


def _with_included(folder: Folder, found: Found, seen: set[Path]) -> Iterator[tuple[str, bytes]]:
    if found.path in seen or found.content is None:
        return
    seen.add(found.path)
    yield found.name, found.content
    own = set(included_by("\n".join(our_lines(found.content)).encode()))
    for pattern in included_by(found.content):
        if pattern in own:
            continue
        for path in _files_of(folder, pattern):
            yield from _with_included(folder, folder.find(str(path)), seen)


def _files_of(folder: Folder, pattern: str) -> list[Path]:
    """The files in the folder that an #include names; of others nothing is known."""
    path = Path(pattern)
    if path.is_absolute():
        if not path.is_relative_to(folder.path):
            return []
        path = path.relative_to(folder.path)
    parent = folder.path / path.parent
    if not parent.is_dir():
        return []
    return sorted(
        (path.parent / entry.name)
        for entry in parent.iterdir()
        if fnmatch.fnmatchcase(entry.name, path.name) and entry.is_file()
    )


def _to_be_pasted(
    folder: Folder, include: Include, taken: Mapping[str, str], flavour: Flavour
) -> str:
    """What to do where a context is the admin's own already."""
    sources = {own.target: own.source for own in flavour.files}
    lines = []
    for context, place in taken.items():
        lines.append(
            f"{folder.path}/{place}: the context [{context}] is there already, and Asterisk would "
            f"join ours to it: {include.line} was left out. Put into yours, before anything that "
            "leaves the context:"
        )
        bodies = (
            body_of(sources[name].read_bytes(), context)
            for name in included_by(include.line.encode())
            if name in sources
        )
        body = next(filter(None, bodies), include.line)
        lines += ["", *(f"    {line}" for line in body.splitlines() if line.strip()), ""]
    return "\n".join(lines).rstrip()
