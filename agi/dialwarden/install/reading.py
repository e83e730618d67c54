"""What Asterisk reads: a file and what it includes, as they are or as a plan leaves them.

Owns the following of `#include`s within Asterisk's folder; of files elsewhere nothing is known.
Refuses to know what is ours.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dialwarden.install.folder import Folder
from dialwarden.install.marked import included_by

# Where the reading begins: the dialplan, and the manager interface.
ROOTS = ("extensions.conf", "manager.conf")


@dataclass(frozen=True, slots=True)
class Read:
    """A file that Asterisk reads.

    Attributes:
        name: as it is included, relative to Asterisk's folder.
    """

    name: str
    path: Path
    text: bytes


def read_from(
    folder: Folder, roots: tuple[str, ...], planned: Mapping[Path, bytes | None]
) -> Iterator[Read]:
    """These files and what they include, each once.

    Args:
        planned: by path, what a plan puts in place of a file's bytes; None: it removes it.

    Raises:
        InstallRefused: one of them cannot be read.
    """
    seen: set[Path] = set()
    todo = [*reversed(roots)]
    while todo:
        found = folder.find(todo.pop())
        text = planned.get(found.path, found.content)
        if found.path in seen or text is None:
            continue
        seen.add(found.path)
        yield Read(found.name, found.path, text)
        more = [str(path) for one in included_by(text) for path in files_of(folder, one)]
        todo += reversed(more)


def files_of(folder: Folder, pattern: str) -> list[Path]:
    """The files in the folder that an #include names; of others nothing is known."""
    path = _within(folder, pattern)
    if path is None or not (folder.path / path.parent).is_dir():
        return []
    return sorted(
        (path.parent / entry.name)
        for entry in (folder.path / path.parent).iterdir()
        if _matches(entry.name, path.name) and entry.is_file()
    )


def includer_of(reads: Iterator[Read], folder: Folder, name: str) -> str | None:
    """The file that includes this one by its very name, so that Asterisk loads neither without."""
    for read in reads:
        if any(
            _within(folder, one) == Path(name) for one in included_by(read.text, only_needed=True)
        ):
            return read.name
    return None


def _within(folder: Folder, pattern: str) -> Path | None:
    """An #include's file or pattern, relative to the folder; None when it is elsewhere."""
    path = Path(pattern)
    if not path.is_absolute():
        return path
    return path.relative_to(folder.path) if path.is_relative_to(folder.path) else None


def _matches(name: str, pattern: str) -> bool:
    """As glob(7) has it: a dot in front is matched by a dot alone."""
    hidden = name.startswith(".") and not pattern.startswith(".")
    return not hidden and fnmatch.fnmatchcase(name, pattern)
