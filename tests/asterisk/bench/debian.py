"""Debian roots, made once a machine and kept in the user's cache folder.

A root is made by `debootstrap` beside its place and then renamed into it, so that a half-made one
is never used; a lock file lets one run make it while another waits. Owns that, and getting
debootstrap. Refuses to know what a root is for: what is to be in it, and whether it is right, is
said by whoever wants it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIRROR = "DIALWARDEN_DEBIAN_MIRROR"

Say = Callable[[str], None]


class DebianUnavailableError(Exception):
    """A root cannot be made here; the message says what to install or to do."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A root that is wanted.

    Attributes:
        name: of its folder in the cache.
        suite: of Debian.
        packages: to be in it, beside the essential ones.
        instead: what an admin may do in place of having it made, as an end of a sentence.
        check: is shown the root just made, and raises what it likes where that will not do.
    """

    name: str
    suite: str
    packages: tuple[str, ...]
    instead: str
    check: Callable[[Path], None]


def cached_root(recipe: Recipe, say: Say) -> Path:
    """The root, made first where it is not there.

    Raises:
        DebianUnavailableError: it cannot be made.
    """
    place = root_directory(recipe.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_dir():
        with _locked(place.with_name(place.name + ".lock"), say):
            if not place.is_dir():  # another run may have made it while we waited
                _make_root(recipe, place, say)
    return place


def root_directory(name: str) -> Path:
    """The place of a root: its name in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "dialwarden" / name


def say_on_stderr(line: str) -> None:
    """Tell what takes long, where nobody else is there to be told."""
    print(f"asterisk: {line}", file=sys.stderr, flush=True)


def remove_directory(directory: Path) -> None:
    """Remove a directory, but nothing that is mounted in it: a killed debootstrap leaves /proc."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in reversed(mounted):
        if Path(place).is_relative_to(directory):
            subprocess.run(["umount", "--lazy", place], check=False)
    shutil.rmtree(directory, ignore_errors=True)


def _make_root(recipe: Recipe, place: Path, say: Say) -> None:
    for left_behind in place.parent.glob(place.name + ".making-*"):
        remove_directory(left_behind)
    _install_debootstrap(recipe.instead, say)
    making = Path(tempfile.mkdtemp(prefix=place.name + ".making-", dir=place.parent))
    wanted = ",".join(recipe.packages)
    try:
        making.chmod(0o755)  # mkdtemp's 0700 would shut what is in it away from _apt
        say(
            f"making a Debian {recipe.suite} root with {wanted} in {place}: about a minute, once a "
            "machine"
        )
        mirror = os.environ.get(MIRROR)
        _run(
            ["debootstrap", "--variant=minbase", f"--include={wanted}", recipe.suite, str(making)]
            + ([mirror] if mirror else []),
            f"debootstrap could not make a Debian {recipe.suite} root with {wanted}. It needs a "
            f"Debian mirror that carries {recipe.suite} (name one in {MIRROR}) and some 600 MB in "
            f"{place.parent}",
        )
        recipe.check(making)
        shutil.rmtree(making / "var/cache/apt/archives", ignore_errors=True)
        making.rename(place)
        say(f"it is ready in {place}")
    except BaseException:
        remove_directory(making)
        raise


def _install_debootstrap(instead: str, say: Say) -> None:
    if shutil.which("debootstrap"):
        return
    if not shutil.which("apt-get"):
        raise DebianUnavailableError(
            f"debootstrap is not installed and there is no apt-get to install it with. "
            f"Install debootstrap, or {instead}."
        )
    say("installing debootstrap with apt-get")
    advice = f"apt-get could not install debootstrap; install it by hand, or {instead}"
    _run(["apt-get", "-q", "update"], advice)
    _run(["apt-get", "-q", "install", "-y", "--no-install-recommends", "debootstrap"], advice)


def _run(command: list[str], advice: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            # debootstrap's own children go on writing into what is about to be removed
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        tail = "\n".join(output.splitlines()[-8:])
        raise DebianUnavailableError(
            f"{advice}.\n`{' '.join(command)}` ended with {process.returncode}:\n{tail}"
        )


@contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is making the Debian root, waiting for it ({path})")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
