"""Where an Asterisk comes from: the one installed here, else a Debian root made once a machine.

Two of them: 22 (Debian's unstable carries it), which all tests need, and 16 (Debian 11), the oldest
that is still found in call centres, which the ways of originating are tried on as well.

This module knows nothing of configuration files or calls: it answers how to start an `asterisk`
and how that one sees paths.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import debian
from bench.debian import DebianUnavailableError, Recipe, Say, cached_root, say_on_stderr

MAJORS = {"sid": 22, "bullseye": 16}  # the Debian suite an Asterisk comes with; stable has none
DEFAULT_SUITE = "sid"
NO_ASTERISK = "DIALWARDEN_NO_ASTERISK"


class AsteriskUnavailableError(Exception):
    """No such Asterisk can be had here; the message says what to install or to do."""


@dataclass(frozen=True, slots=True)
class AsteriskRoot:
    """An Asterisk that can be started: `path` is its root directory, None for an installed one."""

    path: Path | None
    version: str

    @property
    def major(self) -> int:
        """22 of 22.10.1."""
        return _major_of(self.version)

    def command(self, *arguments: str) -> list[str]:
        """The command line of `asterisk ARGUMENTS`; it execs, so its pid is Asterisk's own."""
        if self.path is None:
            return ["asterisk", *arguments]
        return ["chroot", str(self.path), "asterisk", *arguments]

    def new_directory(self) -> Path:
        """A fresh private directory, named for this process, that this Asterisk can see."""
        parent = None if self.path is None else self.path / "tmp"
        _remove_left_behind(parent or Path(tempfile.gettempdir()))
        return Path(tempfile.mkdtemp(prefix=f"dialwarden-bench-{os.getpid()}-", dir=parent))

    def inside(self, path: Path) -> str:
        """`path` as Asterisk sees it."""
        return str(path) if self.path is None else "/" + str(path.relative_to(self.path))


def find_root(say: Say | None = None, suite: str = DEFAULT_SUITE) -> AsteriskRoot:
    """The Asterisk to test with, made first when there is none.

    Args:
        say: is told what takes long.
        suite: the Debian suite whose Asterisk is wanted, a key of `MAJORS`; an installed one of the
            same major version will do.

    Raises:
        AsteriskUnavailableError: none is installed and no root can be made.
    """
    major = MAJORS[suite]
    version = _version_of(["asterisk", "-V"])
    if _major_of(version) == major:
        return AsteriskRoot(None, version)
    if os.geteuid() != 0:
        found = f"the one installed is {version!r}" if version else "none is installed"
        raise AsteriskUnavailableError(
            f"the tests on a real Asterisk need Asterisk {major}, and {found}. Install it, or run "
            f"as root (a Debian root with Asterisk in it is then made in {root_directory(suite)}), "
            f"or set {NO_ASTERISK}=1 to run the other tests only."
        )
    place = asterisk_directory(suite, say)
    return AsteriskRoot(place, _version_of(["chroot", str(place), "asterisk", "-V"]))


def root_directory(suite: str = DEFAULT_SUITE) -> Path:
    """The place of the root: `asterisk-22-sid` in the user's cache folder."""
    return debian.root_directory(f"asterisk-{MAJORS[suite]}-{suite}")


def asterisk_directory(suite: str = DEFAULT_SUITE, say: Say | None = None) -> Path:
    """A Debian root with a suite's Asterisk, made first when there is none; takes root.

    Raises:
        AsteriskUnavailableError: it cannot be made, or holds another Asterisk.
    """
    major = MAJORS[suite]
    recipe = Recipe(
        name=root_directory(suite).name,
        suite=suite,
        packages=("asterisk",),
        instead="Asterisk itself",
        check=lambda made: _expect(made, suite),
    )
    try:
        place = cached_root(recipe, say or say_on_stderr)
    except DebianUnavailableError as error:
        raise AsteriskUnavailableError(str(error)) from error
    version = _version_of(["chroot", str(place), "asterisk", "-V"])
    if _major_of(version) != major:
        raise AsteriskUnavailableError(
            f"{place} holds {version or 'no Asterisk that runs'!r}, not Asterisk {major}. "
            f"Remove that directory to have it made anew, or install Asterisk {major}."
        )
    return place


def _expect(made: Path, suite: str) -> None:
    version = _version_of(["chroot", str(made), "asterisk", "-V"])
    if _major_of(version) != MAJORS[suite]:
        raise AsteriskUnavailableError(
            f"Debian {suite} now carries {version or 'no Asterisk'!r}. "
            f"Install Asterisk {MAJORS[suite]} on this machine."
        )


def _version_of(command: list[str]) -> str:
    """What `asterisk -V` says, empty when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _major_of(version: str) -> int:
    found = re.match(r"Asterisk (\d+)\.", version)
    return int(found[1]) if found else 0


def _remove_left_behind(parent: Path) -> None:
    """Clear the directories of runs that were killed: the pid in their name is gone."""
    for directory in parent.glob("dialwarden-bench-*"):
        pid = directory.name.split("-")[2]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(directory, ignore_errors=True)
