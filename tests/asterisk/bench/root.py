"""Where an Asterisk comes from: the one installed here, else a Debian root made once a machine.

Two of them: 22 (Debian's unstable carries it), which all tests need, and 16 (Debian 11), the oldest
that is still found in call centres, which the ways of originating are tried on as well.

The root is made by `debootstrap` in the user's cache folder, beside its place and then renamed
into it, so that a half-made one is never used; a lock file lets one run make it while another
waits. This module knows nothing of configuration files or calls: it answers how to start an
`asterisk` and how that one sees paths.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MAJORS = {"sid": 22, "bullseye": 16}  # the Debian suite an Asterisk comes with; stable has none
DEFAULT_SUITE = "sid"
NO_ASTERISK = "DIALWARDEN_NO_ASTERISK"
MIRROR = "DIALWARDEN_DEBIAN_MIRROR"

Say = Callable[[str], None]


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
    say = say or _say_on_stderr
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
    return _cached_root(suite, say)


def root_directory(suite: str = DEFAULT_SUITE) -> Path:
    """The place of the root: `asterisk-22-sid` in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "dialwarden" / f"asterisk-{MAJORS[suite]}-{suite}"


def _cached_root(suite: str, say: Say) -> AsteriskRoot:
    place, major = root_directory(suite), MAJORS[suite]
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_dir():
        with _locked(place.with_name(place.name + ".lock"), say):
            if not place.is_dir():  # another run may have made it while we waited
                _make_root(suite, place, say)
    version = _version_of(["chroot", str(place), "asterisk", "-V"])
    if _major_of(version) != major:
        raise AsteriskUnavailableError(
            f"{place} holds {version or 'no Asterisk that runs'!r}, not Asterisk {major}. "
            f"Remove that directory to have it made anew, or install Asterisk {major}."
        )
    return AsteriskRoot(place, version)


def _make_root(suite: str, place: Path, say: Say) -> None:
    for left_behind in place.parent.glob(place.name + ".making-*"):
        _remove(left_behind)
    _install_debootstrap(MAJORS[suite], say)
    making = Path(tempfile.mkdtemp(prefix=place.name + ".making-", dir=place.parent))
    try:
        making.chmod(0o755)  # mkdtemp's 0700 would shut Asterisk's own files away from _apt
        say(
            f"making a Debian {suite} root with Asterisk in {place}: about a minute, once a machine"
        )
        mirror = os.environ.get(MIRROR)
        _run(
            ["debootstrap", "--variant=minbase", "--include=asterisk", suite, str(making)]
            + ([mirror] if mirror else []),
            f"debootstrap could not make a Debian {suite} root with Asterisk. It needs a Debian "
            f"mirror that carries {suite} (name one in {MIRROR}) and some 600 MB in {place.parent}",
        )
        version = _version_of(["chroot", str(making), "asterisk", "-V"])
        if _major_of(version) != MAJORS[suite]:
            raise AsteriskUnavailableError(
                f"Debian {suite} now carries {version or 'no Asterisk'!r}. "
                f"Install Asterisk {MAJORS[suite]} on this machine."
            )
        shutil.rmtree(making / "var/cache/apt/archives", ignore_errors=True)
        making.rename(place)
        say(f"{version} is ready in {place}")
    except BaseException:
        _remove(making)
        raise


def _install_debootstrap(major: int, say: Say) -> None:
    if shutil.which("debootstrap"):
        return
    if not shutil.which("apt-get"):
        raise AsteriskUnavailableError(
            f"debootstrap is not installed and there is no apt-get to install it with. "
            f"Install debootstrap, or Asterisk {major} itself."
        )
    say("installing debootstrap with apt-get")
    advice = "apt-get could not install debootstrap; install it by hand, or Asterisk itself"
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
        raise AsteriskUnavailableError(
            f"{advice}.\n`{' '.join(command)}` ended with {process.returncode}:\n{tail}"
        )


def _remove(directory: Path) -> None:
    """Remove a half-made root, but not the /proc that a killed debootstrap left mounted in it."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in reversed(mounted):
        if Path(place).is_relative_to(directory):
            subprocess.run(["umount", "--lazy", place], check=False)
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is making the Asterisk root, waiting for it ({path})")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


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


def _say_on_stderr(line: str) -> None:
    print(f"asterisk: {line}", file=sys.stderr, flush=True)
