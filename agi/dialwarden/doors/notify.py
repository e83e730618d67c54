"""Saying how we are to whoever started us: systemd, or the process we succeed.

Owns the two messages' forms. Nobody listening is the ordinary case, and never an error.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Mapping, MutableMapping

# The pipe on which a successor tells its predecessor that it serves; see listening.py.
READY_FD = "DIALWARDEN_READY_FD"
READY_WORD = b"ready\n"

_log = logging.getLogger("dialwarden.notify")


def notify_ready(environ: MutableMapping[str, str] = os.environ) -> None:
    """Say that we serve: to the predecessor if there is one, and to systemd.

    Call it once, when connections are being accepted. The predecessor then stops accepting, and
    systemd (`Type=notify`, `NotifyAccess=all` for hand-overs) takes this process for the main one.
    """
    ready_fd = environ.pop(READY_FD, "")
    if ready_fd.isdecimal():
        # The predecessor may have died meanwhile: then there is nobody to wait for us.
        with contextlib.suppress(OSError):
            os.write(int(ready_fd), READY_WORD)
        with contextlib.suppress(OSError):
            os.close(int(ready_fd))
    sd_notify(f"READY=1\nMAINPID={os.getpid()}", environ)


def notify_stopping(environ: Mapping[str, str] = os.environ) -> None:
    """Say that we stop. Not after a hand-over: the service goes on in the successor."""
    sd_notify("STOPPING=1", environ)


def sd_notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send `state` to systemd's socket; whether somebody took it. Never raises.

    Source: sd_notify(3); `@` at the beginning is the abstract namespace.
    """
    path = environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect("\0" + path[1:] if path.startswith("@") else path)
            sock.sendall(state.encode())
    except OSError as error:
        _log.debug("systemd was not told %r: %s", state, error)
        return False
    return True
