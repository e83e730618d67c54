"""Saying how we are to whoever started us: systemd, or the process we succeed.

Owns the forms of the messages. Nobody listening is the ordinary case, and never an error.

Of a hand-over the successor speaks for the service from its `READY=1` with `MAINPID` on; the
predecessor says nothing any more (`Systemd.hush`).

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Mapping, MutableMapping

# The pipe on which a successor tells its predecessor that it serves; see listening.py.
READY_FD = "DIALWARDEN_READY_FD"
READY_WORD = b"ready\n"
# systemd's: whom it expects signs of life from, and how often. A successor is another process, and
# is to give them all the same.
WATCHDOG_PID = "WATCHDOG_PID"
_WATCHDOG_USEC = "WATCHDOG_USEC"
# What systemctl shows; systemd takes as much as a datagram holds, people do not.
_LONGEST_STATUS = 500

_log = logging.getLogger("dialwarden.notify")


class Systemd:
    """What systemd is told of one process.

    Args:
        environ: says where it listens.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._status = ""  # the last that was taken
        # A READY=1 that was not taken. Without it systemd would end a start for taking too long,
        # and believe a reload to go on for ever.
        self._owed = ""
        self._hushed = False

    @property
    def watchdog_s(self) -> float | None:
        """Without a sign of life for so long we are ended and started anew; None: nobody looks."""
        micros = self._environ.get(_WATCHDOG_USEC, "")
        pid = self._environ.get(WATCHDOG_PID, "")
        if not (micros.isdecimal() and int(micros)) or pid not in ("", str(os.getpid())):
            return None
        return int(micros) / 1_000_000

    def ready(self, status: str = "") -> None:
        """Say that we serve: to the predecessor if there is one, and to systemd.

        Call it once, when connections are being accepted. The predecessor then stops accepting, and
        systemd (`Type=notify`, `NotifyAccess=all` for hand-overs) takes this process for the main
        one.
        """
        ready_fd = self._environ.pop(READY_FD, "")
        if ready_fd.isdecimal():
            # The predecessor may have died meanwhile: then there is nobody to wait for us.
            with contextlib.suppress(OSError):
                os.write(int(ready_fd), READY_WORD)
            with contextlib.suppress(OSError):
                os.close(int(ready_fd))
        self._say_ready(f"READY=1\nMAINPID={os.getpid()}", status)

    def reloading(self) -> None:
        """Say that the configuration is being read; `reloaded` has to follow, whatever comes."""
        micros = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._say(f"RELOADING=1\nMONOTONIC_USEC={micros}")

    def reloaded(self, status: str = "") -> None:
        """Say that we serve on, by the new configuration or by the old one."""
        self._say_ready(self._owed or "READY=1", status)

    def status(self, status: str) -> None:
        """Say in one line how we are, where that is not what was taken last."""
        if self._owed:
            self._say_ready(self._owed, status)
        elif (short := _shortened(status)) != self._status and self._say(f"STATUS={short}"):
            self._status = short

    def alive(self) -> None:
        """Give a sign of life."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that we stop. Not after a hand-over: the service goes on in the successor."""
        self._say("STOPPING=1")

    def hush(self) -> None:
        """Say nothing from now on: another process speaks for the service."""
        self._hushed = True

    def _say_ready(self, ready: str, status: str) -> None:
        """Say `ready`, or owe it until the next status is said."""
        short = _shortened(status)
        if self._say(f"{ready}\nSTATUS={short}" if short else ready):
            self._owed, self._status = "", short
        else:
            self._owed = ready

    def _say(self, state: str) -> bool:
        """Whether it was taken; also when nothing is to be said."""
        return self._hushed or sd_notify(state, self._environ)


def _shortened(status: str) -> str:
    return status.replace("\n", " ")[:_LONGEST_STATUS]


def sd_notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send `state` to systemd's socket; whether somebody took it. Never raises, never waits.

    `@` at the beginning of the socket's name is the abstract namespace.
    """
    path = environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            # A systemd that stands still must not make calls wait: then it is not told.
            sock.setblocking(False)
            sock.connect("\0" + path[1:] if path.startswith("@") else path)
            sock.sendall(state.encode())
    except OSError as error:
        _log.debug("systemd was not told %r: %s", state, error)
        return False
    return True
