"""What systemd and a predecessor are told."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialwarden.doors.notify import notify_ready, notify_stopping, sd_notify


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd has it, and its $NOTIFY_SOCKET."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@dialwarden-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address.replace("@", "\0", 1))
        sock.settimeout(5)
        yield sock, address


def test_systemd_is_told_that_we_serve_and_stop(systemd: tuple[socket.socket, str]) -> None:
    sock, address = systemd
    environ = {"NOTIFY_SOCKET": address}
    notify_ready(environ)
    assert sock.recv(100) == b"READY=1\nMAINPID=%d" % os.getpid()
    notify_stopping(environ)
    assert sock.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket", "@nobody listens here"])
def test_nobody_listening_is_no_error(address: str) -> None:
    assert sd_notify("READY=1", {"NOTIFY_SOCKET": address}) is False
    assert sd_notify("READY=1", {}) is False


def test_a_predecessor_is_told_once_and_the_pipe_closed() -> None:
    reading, writing = os.pipe()
    environ = {"DIALWARDEN_READY_FD": str(writing)}
    notify_ready(environ)
    assert environ == {}
    assert os.read(reading, 100) == b"ready\n"
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_a_predecessor_that_died_meanwhile_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    notify_ready({"DIALWARDEN_READY_FD": str(writing)})
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writing)
