"""Flavours: what belongs into Asterisk's folder for a PBX product, as its `install*.toml` says.

Owns the reading of these files, their names, and which of them a folder speaks for. Refuses to know
what a folder holds besides names, and how anything is written.

A flavour's name is its folder's, with what follows `install` in the file's name: `plain` for
plain/install.toml, `freepbx-17` for freepbx/install-17.toml.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from dialwarden.errors import InstallRefused
from dialwarden.settings.reader import Table, decode_document, read_document
from dialwarden.settings.report import choose_from

# What an Asterisk of nobody's making is called.
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of ours, copied whole.

    Attributes:
        source: where it is shipped.
        target: relative to Asterisk's folder.
    """

    source: Path
    target: str


@dataclass(frozen=True, slots=True)
class Include:
    """A line at the end of an admin's file.

    Attributes:
        file: relative to Asterisk's folder; made when absent.
        line: `#include …`.
        contexts: where the file has one of these already, the line stays out.
    """

    file: str
    line: str
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A command, and what its output holds when all is well."""

    command: str
    expect: str


@dataclass(frozen=True, slots=True)
class Flavour:
    """All that is done for one product.

    Attributes:
        detect: names, or patterns of names, all of which its Asterisk folder has.
        by_hand: steps that no file can do.
        after: commands that make Asterisk read the files.
    """

    name: str
    title: str
    detect: tuple[str, ...]
    files: tuple[OwnFile, ...]
    includes: tuple[Include, ...]
    by_hand: tuple[str, ...]
    after: tuple[str, ...]
    checks: tuple[Check, ...]


def read_flavours(templates: Path) -> Mapping[str, Flavour]:
    """Every flavour by name.

    Raises:
        SettingsError: one of the files is wrong; a file that it names is not there.
    """
    flavours = {}
    for file in sorted(templates.glob("*/install*.toml")):
        name = file.parent.name + file.stem.removeprefix("install")
        flavours[name] = read_flavour(file, name, templates)
    return dict(sorted(flavours.items()))


def read_flavour(file: Path, name: str, templates: Path) -> Flavour:
    """One flavour.

    Raises:
        SettingsError: with everything that is wrong in the file.
    """
    document = read_document(decode_document(file.read_bytes(), str(file)), str(file))
    flavour = Flavour(
        name=name,
        title=document.text("title", name, required=True),
        detect=document.strings("detect"),
        files=tuple(_own_files(document, templates)),
        includes=tuple(_includes(document)),
        by_hand=tuple(t.text("text", "", required=True) for t in document.array("by_hand")),
        after=tuple(t.text("command", "", required=True) for t in document.array("after")),
        checks=tuple(
            Check(t.text("command", "", required=True), t.text("expect", "", required=True))
            for t in document.array("check")
        ),
    )
    document.finish()
    document.check()
    return flavour


def _own_files(document: Table, templates: Path) -> Iterator[OwnFile]:
    for table in document.array("file"):
        source = _below(table, "source")
        target = _below(table, "target")
        if source and not (templates / source).is_file():
            table.problem("source", f'found "{source}", which is not shipped')
        yield OwnFile(templates / source, target)


def _includes(document: Table) -> Iterator[Include]:
    for table in document.array("include"):
        yield Include(
            _below(table, "file"),
            table.text("line", "", required=True),
            table.strings("contexts"),
        )


def _below(table: Table, key: str) -> str:
    """A path that stays in its folder."""
    text = table.text(key, "", required=True)
    path = PurePosixPath(text)
    if text and (path.is_absolute() or ".." in path.parts):
        table.problem(key, f'found "{text}"; allowed: a path that stays in the folder')
    return text


def choose_flavour(
    flavours: Mapping[str, Flavour],
    wanted: str | None,
    names: Collection[str],
    before: str | None = None,
) -> tuple[Flavour, str]:
    """The flavour to install, and why that one.

    Args:
        wanted: as the admin named it; None: the one that the folder speaks for.
        names: of what is in Asterisk's folder.
        before: the one that is installed there; None: nothing is.

    Raises:
        InstallRefused: there is none of that name; the folder speaks for several, or for none;
            another one is installed.
    """
    there = flavours.get(before) if before else None
    if wanted is not None:
        if wanted not in flavours:
            raise InstallRefused("--flavour", choose_from(wanted, flavours, "flavours"))
        if there is not None and not _alike(there, flavours[wanted]):
            raise InstallRefused(
                "--flavour",
                f"{before} is installed in this folder, and both would include the same files",
                "take it out first: dialwarden install --undo",
            )
        return flavours[wanted], "named with --flavour"
    if there is not None:
        return there, "it is installed here"
    seen = {name: _matched(flavour, names) for name, flavour in flavours.items()}
    most = max((len(found) for found in seen.values()), default=0)
    best = [name for name, found in seen.items() if most and len(found) == most]
    if len(best) == 1:
        return flavours[best[0]], f"the folder has {' and '.join(seen[best[0]])}"
    if best and all(_alike(flavours[name], flavours[best[0]]) for name in best):
        told = f"{' and '.join(seen[best[0]])}; {' and '.join(best)} are installed alike"
        return flavours[best[-1]], f"the folder has {told}"
    if best:
        told = " and ".join(sorted({found for name in best for found in seen[name]}))
        raise InstallRefused(
            "--flavour", f"{told} may be those of {' or '.join(best)}", "name one with --flavour"
        )
    if PLAIN in flavours and "extensions.conf" in names:
        return flavours[PLAIN], "the folder has an extensions.conf and no product's own files"
    raise InstallRefused(
        "--flavour",
        f"nothing in the folder says which of {', '.join(flavours)} it is",
        "name one with --flavour, or another folder with --asterisk-dir",
    )


def _alike(one: Flavour, other: Flavour) -> bool:
    """Whether both do the same, under another name: it does not matter which it is."""
    return replace(one, name="", title="") == replace(other, name="", title="")


def _matched(flavour: Flavour, names: Collection[str]) -> list[str]:
    """The names found for all that a flavour asks for; none when one is missing."""
    found = [sorted(fnmatch.filter(names, pattern))[:1] for pattern in flavour.detect]
    return [name for one in found for name in one] if all(found) else []
