"""Listening sockets: opened by us, inherited, or handed to a successor.

Owns the ways by which a listening socket reaches a process. A socket that never closes is how a
restart refuses no call: the kernel queues the connections, and whichever process accepts answers.

Two ways of inheriting, told apart by the environment:

- systemd's, sd_listen_fds(3): `LISTEN_PID` is us, `LISTEN_FDS` sockets from descriptor 3 on,
  `LISTEN_FDNAMES` their names, joined by `:`.
- our own, from a predecessor: `DIALWARDEN_LISTEN_FDS` is `NAME=FD,NAME=FD`. systemd's form cannot
  be used here, since it names the successor's pid, which is not known before the fork, and asks
  for descriptors from 3 on, which may be taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import socket
import subprocess
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from dialwarden.doors.notify import READY_FD, READY_WORD, WATCHDOG_PID
from dialwarden.errors import DialwardenError, ListenError

LISTEN_FDS = "DIALWARDEN_LISTEN_FDS"
_SYSTEMD = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_FIRST_SYSTEMD_FD = 3
# More than a bridge has doors; a wrong number must not have us look at every descriptor.
INHERITED_LIMIT = 64
# How long a successor may take to leave once told to, before it is killed.
LEAVE_WITHIN_S = 2.0


class HandOverFailed(DialwardenError):
    """No successor serves; the sockets are still ours.

    Attributes:
        pid: of the successor that was tried, 0 when there was none.
    """

    def __init__(self, what: str, pid: int = 0) -> None:
        self.what = what
        self.pid = pid
        super().__init__(f"hand-over failed: {what}; this process goes on serving")


@dataclass(frozen=True, slots=True)
class Inherited:
    """A listening socket that somebody opened for us.

    Attributes:
        name: what it was called, "" when it was not.
        by_name: systemd gave it, where the name says what it is for and the unit says the address.
            A predecessor's is known by its address, which the configuration may have left since.
    """

    name: str
    sock: socket.socket
    by_name: bool


def listen(address: str, backlog: int = 4096) -> socket.socket:
    """Open a listening socket, non-blocking, on `HOST:PORT` or `[IPV6]:PORT`.

    Raises:
        ListenError: the address cannot be read, resolved or had; it says what to do.
    """
    host, port = split_address(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenError(address, f"the host is unknown ({error})", "write an address") from None
    family, _, _, _, place = found[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of a former process may still be in TIME_WAIT.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(place)
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _listen_error(address, port, error) from error
    return sock


def split_address(address: str) -> tuple[str, int]:
    """Give host and port of `HOST:PORT` or `[IPV6]:PORT`.

    Raises:
        ListenError: it is neither, or the port is not in 0 to 65535.
    """
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed):
        raise ListenError(address, "this is no HOST:PORT", "write for example 127.0.0.1:4580")
    if not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise ListenError(address, f"the port is {port!r}", "write a number from 0 to 65535")
    return host.strip("[]"), int(port)


def _listen_error(address: str, port: int, error: OSError) -> ListenError:
    match error.errno:
        case errno.EADDRINUSE:
            return ListenError(
                address,
                "another process has this port, perhaps another dialwarden",
                f"`ss -ltnp 'sport = :{port}'` names it",
            )
        case errno.EACCES | errno.EPERM:
            return ListenError(
                address, "this user may not", "take a port of 1024 or more, or socket activation"
            )
        case errno.EADDRNOTAVAIL:
            return ListenError(
                address, "this machine has no such address", "`ip address` lists those it has"
            )
        case _:
            return ListenError(address, os.strerror(error.errno or 0))


def inherited_sockets(environ: MutableMapping[str, str], pid: int) -> list[Inherited]:
    """Take over the listening sockets that a predecessor or systemd left us, in their order.

    The variables are removed from `environ`, and the descriptors will not be inherited further:
    what they say is true of this process only.

    Raises:
        ListenError: a variable cannot be read, or a descriptor is no listening stream socket.
    """
    ours = environ.pop(LISTEN_FDS, "")
    listen_pid, listen_fds, names = (environ.pop(variable, "") for variable in _SYSTEMD)
    if ours:
        named = [entry.rpartition("=") for entry in ours.split(",")]
        entries = [(name, _number(LISTEN_FDS, fd)) for name, _, fd in named]
    elif listen_pid == str(pid):
        count = _number("LISTEN_FDS", listen_fds)
        called = [*names.split(":"), *[""] * count]
        entries = [(called[i], _FIRST_SYSTEMD_FD + i) for i in range(count)]
    else:
        return []
    return [Inherited(name, _adopt(name, fd), by_name=not ours) for name, fd in entries]


def _number(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 6:
        raise ListenError(f"${variable}", f"{text!r} is no number")
    number = int(text)
    if variable == "LISTEN_FDS" and number > INHERITED_LIMIT:
        raise ListenError(f"${variable}", f"{number} sockets (limit {INHERITED_LIMIT})")
    return number


def _adopt(name: str, fd: int) -> socket.socket:
    where = f"inherited descriptor {fd}" + (f" ({name})" if name else "")
    try:
        os.set_inheritable(fd, False)
        sock = socket.socket(fileno=fd)
    except OSError as error:
        raise ListenError(where, f"it is no socket ({os.strerror(error.errno or 0)})") from None
    listening = sock.type == socket.SOCK_STREAM and sock.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    )
    if not listening:
        sock.detach()  # not ours to close
        raise ListenError(where, "it is no listening stream socket", "check the .socket unit")
    sock.setblocking(False)
    return sock


def take_or_listen(
    name: str, address: str, inherited: list[Inherited], backlog: int = 4096
) -> socket.socket:
    """The inherited socket bound to that address or (systemd's) of that name, else a new one.

    What is taken is removed from `inherited`; what is left there at the end nobody wanted.

    Raises:
        ListenError: as `listen`.
    """
    host, port = split_address(address)
    for candidate in inherited:
        bound = candidate.sock.getsockname()
        named = candidate.name == name and (candidate.by_name or port == 0)
        if named or (isinstance(bound, tuple) and bound[:2] == (host, port)):
            inherited.remove(candidate)
            return candidate.sock
    return listen(address, backlog)


def raise_descriptor_limit(wanted: int) -> int:
    """Let this process open `wanted` descriptors, as far as it may; give how many it can now.

    The usual soft limit of 1024 is less than the connections a bridge takes; at the limit asyncio
    cannot accept, and pauses for a second, in which every call waits.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    able = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (able, hard))
    return able


async def hand_over(
    argv: Sequence[str],
    env: Mapping[str, str],
    sockets: Mapping[str, socket.socket],
    *,
    ready_within_s: float = 15.0,
) -> subprocess.Popen[bytes]:
    """Start a successor that shares `sockets` (name to socket), and wait until it says it serves.

    From then on both accept; the caller stops accepting and drains. The successor takes the
    sockets with `inherited_sockets` and says so with `notify.Systemd.ready`. It is a child of this
    process and outlives it. (As the first process of a container there is nothing to outlive: the
    container ends with us. Use a socket that somebody else holds there.)

    Args:
        argv: the successor's program and arguments.
        env: its environment; the variables of inheritance are replaced.
        ready_within_s: how long it may take to begin.

    Returns:
        The successor; keep it for as long as this process lives.

    Raises:
        HandOverFailed: it could not be started, died, or did not say so in time; it has ended, and
            nothing has changed here.
    """
    ready_read, ready_write = os.pipe()
    try:
        try:
            successor = _start_successor(argv, env, sockets, ready_write)
        finally:
            os.close(ready_write)
        try:
            said = await asyncio.wait_for(_first_bytes(ready_read), ready_within_s)
        except TimeoutError:
            status = await _end(successor)
            raise HandOverFailed(
                f"process {successor.pid} was not ready in {ready_within_s:g} s and was ended"
                f" ({status})", successor.pid,
            ) from None  # fmt: skip
        except asyncio.CancelledError:
            successor.kill()
            successor.wait()  # a killed process ends at once; nobody else would collect it
            raise
        if said != READY_WORD:
            status = await _end(successor)
            raise HandOverFailed(
                f"process {successor.pid} ended before it was ready ({status})", successor.pid
            )
    finally:
        os.close(ready_read)
    return successor


def _start_successor(
    argv: Sequence[str],
    env: Mapping[str, str],
    sockets: Mapping[str, socket.socket],
    ready_fd: int,
) -> subprocess.Popen[bytes]:
    # The watchdog's, too, names a process: ours.
    left_out = (*_SYSTEMD, WATCHDOG_PID)
    environ = {name: value for name, value in env.items() if name not in left_out}
    environ[LISTEN_FDS] = ",".join(f"{name}={s.fileno()}" for name, s in sockets.items())
    environ[READY_FD] = str(ready_fd)
    try:
        # subprocess itself and not asyncio's: that one kills the child when it is collected.
        return subprocess.Popen(
            argv, env=environ, pass_fds=[ready_fd, *(s.fileno() for s in sockets.values())]
        )
    except OSError as error:
        raise HandOverFailed(f"cannot start {argv[0]}: {os.strerror(error.errno or 0)}") from error


async def _first_bytes(fd: int) -> bytes:
    """What comes first on a pipe, b"" when its other end closed without a word."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(fd, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(fd)
    return os.read(fd, len(READY_WORD))


async def _end(successor: subprocess.Popen[bytes]) -> str:
    """End a process that did not make it; give its exit status in words."""
    with contextlib.suppress(ProcessLookupError):
        successor.terminate()
    try:
        status = await asyncio.to_thread(successor.wait, LEAVE_WITHIN_S)
    except subprocess.TimeoutExpired:
        successor.kill()
        status = await asyncio.to_thread(successor.wait)
    return f"signal {-status}" if status < 0 else f"exit status {status}"
