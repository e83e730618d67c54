"""What an install would do: a change for each file, and what is left to a person.

Owns when a file is ours, when an admin edited it, and when a line may not be put in. Looks, and
writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dialwarden.errors import InstallRefused
from dialwarden.install.change import Change, sha256
from dialwarden.install.folder import Folder, Found
from dialwarden.install.manifest import Flavour, Include, OwnFile
from dialwarden.install.marked import (
    body_of,
    comment_left_open,
    contexts_of,
    included_by,
    our_lines,
    with_lines,
    without_comments,
)
from dialwarden.install.reading import read_from

_DIALPLAN = "extensions.conf"
_GOSUB = re.compile(r"Gosub\([^()]*\([^()]*\)[^()]*\)|Gosub\([^()]*\)", re.IGNORECASE)


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
        there = include.line in ours
        if not there and _has_line(text, include.line):
            plan.notes.append(f"{name} has {include.line} already")
            continue
        taken = _taken(folder, found, include, flavour)
        missing = [place for place in taken if not place.asks]
        if missing:
            plan.missing.append(_to_be_pasted(folder, include, missing, there=there))
        if taken and not there:
            plan.notes += [
                f"{place.where}: [{place.context}] is yours, and asks: {include.line} is left out"
                for place in taken
                if place.asks
            ]
            continue
        wanted.append(include.line)
    if not wanted or tuple(wanted) == ours:
        return
    _refuse_open_comment(found)
    why = f"{name} is a link to {found.path}, which is what changes" if found.link else ""
    plan.changes.append(Change.of(found, with_lines(text, wanted), why=why))


def _refuse_open_comment(found: Found) -> None:
    """No line is put where Asterisk does not read it."""
    line = comment_left_open(found.content or b"")
    if line is not None:
        raise InstallRefused(
            f"{found.path}:{line}",
            "half a comment, ;-- or --; without the other: Asterisk reads nothing behind it",
            "make it whole, or take it out",
        )


def _has_line(text: bytes, line: str) -> bool:
    """Whether an admin put the line there by hand."""
    asked = included_by(line.encode())
    return bool(asked) and set(asked) <= set(included_by(text))


@dataclass(frozen=True, slots=True)
class _Taken:
    """A context of ours that the admin has already.

    Attributes:
        where: file and line.
        body: what stands in ours.
        asks: whether theirs has our question.
    """

    context: str
    where: str
    body: str
    asks: bool


def _taken(folder: Folder, found: Found, include: Include, flavour: Flavour) -> list[_Taken]:
    """The contexts of ours that are the admin's own: in their file, or in what Asterisk reads."""
    if not include.contexts:
        return []
    own = {own.target: own.source for own in flavour.files}
    bodies = [own[n].read_bytes() for n in included_by(include.line.encode()) if n in own]
    places: dict[str, _Taken] = {}
    for read in read_from(folder, (found.name, _DIALPLAN), {}):
        if read.name in own:
            continue
        for context, line in contexts_of(read.text).items():
            if context not in include.contexts:
                continue
            body = next(filter(None, (body_of(text, context) for text in bodies)), include.line)
            asks = _question(body) in body_of(without_comments(read.text), context)
            where = f"{read.name}:{line}"
            if context not in places or asks:
                places[context] = _Taken(context, where, body, asks)
    return list(places.values())


def _question(body: str) -> str:
    """The call in a context of ours that asks."""
    found = _GOSUB.search(body)
    return found[0] if found else body


def _to_be_pasted(folder: Folder, include: Include, taken: list[_Taken], *, there: bool) -> str:
    """What to do where a context is the admin's own already."""
    lines = []
    for place in taken:
        ours = (
            f"{include.line} stays, but what is read first is what counts"
            if there
            else f"{include.line} was left out"
        )
        lines.append(
            f"{folder.path}/{place.where}: the context [{place.context}] is there already, and "
            f"Asterisk would join ours to it: {ours}. Put into yours, before anything that "
            "leaves the context:"
        )
        lines += ["", *(f"    {line}" for line in place.body.splitlines() if line.strip()), ""]
    return "\n".join(lines).rstrip()
