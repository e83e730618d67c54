"""One container as docker would run it, by what every Linux machine has: unshare, mount, setpriv.

Its own mounts and process ids, the root read-only where that is asked for, its user, its groups, no
capability that was dropped, and a network that was made before. What is not here: limits of memory
and processes, and seccomp. Takes root.

The process runs as number 1 of its own process ids, as in docker: a signal that it has no handler
for does nothing, and its end is the container's.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WAIT_S = 30.0
_LOOPBACK_UP = """
import fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sH22x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
print("up", flush=True)
sys.stdin.read()
"""


class ContainerError(Exception):
    """A container did not start or did not end; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of this machine at a place in the container; no source: a tmpfs."""

    target: str
    source: Path | None = None
    options: str = ""  # of a tmpfs
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything that a container is run with; `user` is "uid:gid", both numbers."""

    root: Path
    command: Sequence[str]
    user: str
    working_directory: str
    environment: Mapping[str, str]
    mounts: Sequence[Mount] = ()
    groups: Sequence[str] = ()
    read_only: bool = False
    drop_all: bool = False
    no_new_privileges: bool = False


class Network:
    """A network with nothing but a loopback in it, shared by those who are run in it."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", _LOOPBACK_UP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"up\n":
            raise ContainerError("no network of its own could be made")

    def entering(self) -> list[str]:
        """What stands in front of a command that is to run in it."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--"]

    def close(self) -> None:
        self._holder.communicate()


class Container:
    """Running from construction on, until it ends or is stopped; its output goes to `log`."""

    def __init__(self, spec: Spec, network: Network, log: Path) -> None:
        self.spec = spec
        self._log = log
        inside = ["chroot", str(spec.root), *_bounded(spec), *spec.command]
        script = "\n".join(["set -eu", *_mounting(spec), "exec " + shlex.join(inside)])
        with log.open("ab") as out:
            self._outer = subprocess.Popen(
                [
                    # A run that is killed leaves no container behind.
                    "setpriv", "--pdeathsig", "KILL", "--", *network.entering(),
                    "unshare", "--mount", "--pid", "--fork", "--kill-child",
                    "--propagation", "private", "sh", "-c", script,
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )  # fmt: skip

    @property
    def log(self) -> str:
        """What it has said so far, both streams."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Of the process that is number 1 inside, as this machine counts."""
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        while self.ended is None:
            if found := children.read_text().split():
                return int(found[0])
            time.sleep(0.01)  # between its start and its first fork
        raise ContainerError(f"it has ended ({self.ended}):\n{self.log[-4000:]}")

    @property
    def ended(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._outer.poll()

    def wait(self, timeout_s: float) -> int:
        """Its exit status, when it has ended.

        Raises:
            ContainerError: it goes on.
        """
        try:
            return self._outer.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ContainerError(f"it goes on after {timeout_s} s:\n{self.log[-4000:]}") from None

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as `docker exec` does."""
        pid = self.pid
        entering = ["nsenter", "--target", str(pid), "--mount", "--pid", "--net", "--root", "--wd"]
        return subprocess.run(
            [*entering, "--", *_bounded(self.spec), *command],
            capture_output=True,
            text=True,
            check=False,
        )

    def wait_healthy(self, check: Sequence[str]) -> None:
        """Wait until its health check finds it well.

        Raises:
            ContainerError: it has ended, or is not well in time.
        """
        deadline = time.monotonic() + WAIT_S
        said = ""
        while time.monotonic() < deadline and self.ended is None:
            done = self.run(*check)
            said = done.stdout + done.stderr
            if done.returncode == 0:
                return
            time.sleep(0.1)  # docker asks again and again too
        raise ContainerError(f"not healthy ({said.strip()}):\n{self.log[-4000:]}")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self) -> int:
        """Ask it to end as `docker stop` does, TERM first; its exit status."""
        if self.ended is None:
            self.signal(signal.SIGTERM)
            try:
                self._outer.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
        return self._outer.wait(WAIT_S)


def _mounting(spec: Spec) -> list[str]:
    """The shell commands that lay a container's mounts over its files, in a mount namespace."""
    root = spec.root
    lines = [f"mount --bind {_quoted(root)} {_quoted(root)}"]
    for mount in spec.mounts:
        target = root / mount.target.lstrip("/")
        is_file = mount.source is not None and mount.source.is_file()
        folder = target.parent if is_file else target
        lines.append(f"mkdir -p {_quoted(folder)}")
        if mount.source is None:
            options = f"-o {shlex.quote(mount.options)} " if mount.options else ""
            lines.append(f"mount -t tmpfs {options}tmpfs {_quoted(target)}")
            continue
        if is_file:
            lines.append(f"[ -e {_quoted(target)} ] || : >{_quoted(target)}")
        lines.append(f"mount --bind {_quoted(mount.source)} {_quoted(target)}")
        if mount.read_only:
            lines.append(f"mount -o remount,ro,bind {_quoted(target)}")
    lines.append(f"mount -t proc proc {_quoted(root / 'proc')}")
    lines.append(f"mount --rbind /dev {_quoted(root / 'dev')}")
    if spec.read_only:
        lines.append(f"mount -o remount,ro,bind {_quoted(root)}")
    return lines


def _bounded(spec: Spec) -> list[str]:
    """What stands in front of a command inside: who it is, what it may, what it is told."""
    uid, gid = spec.user.split(":")
    # Said again: who becomes another user is asked anew whether it ends with its parent.
    words = ["setpriv", "--pdeathsig", "KILL", "--reuid", uid, "--regid", gid]
    words += ["--groups", ",".join(spec.groups)] if spec.groups else ["--clear-groups"]
    if spec.drop_all:
        words += ["--inh-caps=-all", "--bounding-set=-all"]
    if spec.no_new_privileges:
        words.append("--no-new-privs")
    told = [f"{name}={value}" for name, value in spec.environment.items()]
    return [*words, "--", "env", "-i", "-C", spec.working_directory, *told]


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
