"""What systemd and a predecessor are told."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialwarden.doors.notify import Systemd, sd_notify


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
    systemd_ = Systemd({"NOTIFY_SOCKET": address})
    systemd_.ready()
    assert sock.recv(100) == b"READY=1\nMAINPID=%d" % os.getpid()
    systemd_.stopping()
    assert sock.recv(100) == b"STOPPING=1"


def test_a_status_is_one_line_and_said_when_it_is_another(
    systemd: tuple[socket.socket, str],
) -> None:
    sock, address = systemd
    told = Systemd({"NOTIFY_SOCKET": address})
    told.ready("ready; 2 campaigns")
    assert sock.recv(100).endswith(b"\nSTATUS=ready; 2 campaigns")
    told.status("ready; 2 campaigns")
    told.status("degraded:\nREADY=0")
    assert sock.recv(100) == b"STATUS=degraded: READY=0"
    told.status("x" * 9000)
    assert len(sock.recv(9999)) < 600


def test_a_reload_is_told_with_its_instant_and_ends_with_ready(
    systemd: tuple[socket.socket, str],
) -> None:
    sock, address = systemd
    told = Systemd({"NOTIFY_SOCKET": address})
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told.reloading()
    head, _, micros = sock.recv(100).partition(b"\nMONOTONIC_USEC=")
    assert head == b"RELOADING=1"
    assert before <= int(micros) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told.reloaded("as before")
    assert sock.recv(100) == b"READY=1\nSTATUS=as before"


def test_who_handed_over_says_nothing_any_more(systemd: tuple[socket.socket, str]) -> None:
    sock, address = systemd
    told = Systemd({"NOTIFY_SOCKET": address})
    told.alive()
    assert sock.recv(100) == b"WATCHDOG=1"
    told.hush()
    told.alive()
    told.status("another")
    told.stopping()
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(100)


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),  # not meant for us
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
    ],
)
def test_signs_of_life_are_given_where_systemd_waits_for_ours(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert Systemd(environ).watchdog_s == seconds


def test_a_systemd_that_stands_still_makes_nobody_wait(
    systemd: tuple[socket.socket, str],
) -> None:
    _, address = systemd
    environ = {"NOTIFY_SOCKET": address}
    assert sd_notify("WATCHDOG=1", environ)
    for _ in range(10_000):  # the kernel keeps some hundred for it
        if not sd_notify("WATCHDOG=1", environ):
            break
    else:
        pytest.fail("it took everything, and read nothing")


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket", "@nobody listens here"])
def test_nobody_listening_is_no_error(address: str) -> None:
    assert sd_notify("READY=1", {"NOTIFY_SOCKET": address}) is False
    assert sd_notify("READY=1", {}) is False


def test_a_predecessor_is_told_once_and_the_pipe_closed() -> None:
    reading, writing = os.pipe()
    environ = {"DIALWARDEN_READY_FD": str(writing)}
    Systemd(environ).ready()
    assert environ == {}
    assert os.read(reading, 100) == b"ready\n"
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_a_predecessor_that_died_meanwhile_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Systemd({"DIALWARDEN_READY_FD": str(writing)}).ready()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writing)


def filled(sock: socket.socket) -> int:
    """Have the socket take no more for now; how many datagrams it holds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        for count in range(100_000):
            try:
                other.sendto(b"another's", sock.getsockname())
            except BlockingIOError:
                return count
    raise AssertionError("it takes everything")


def test_what_systemd_waits_for_is_said_again_until_it_takes_it(
    systemd: tuple[socket.socket, str],
) -> None:
    """Else a start would be ended for taking too long, and a reload would never be over."""
    sock, address = systemd
    told = Systemd({"NOTIFY_SOCKET": address})
    held = filled(sock)
    told.ready("ready")
    told.status("ready")  # it is full still
    for _ in range(held):
        assert sock.recv(100) == b"another's"
    told.status("ready")
    assert sock.recv(100) == b"READY=1\nMAINPID=%d\nSTATUS=ready" % os.getpid()
    told.status("ready")
    told.status("degraded")
    assert sock.recv(100) == b"STATUS=degraded"


def test_a_status_that_was_not_taken_is_said_again(systemd: tuple[socket.socket, str]) -> None:
    sock, address = systemd
    told = Systemd({"NOTIFY_SOCKET": address})
    held = filled(sock)
    told.status("degraded")
    for _ in range(held):
        sock.recv(100)
    told.status("degraded")
    assert sock.recv(100) == b"STATUS=degraded"


def test_who_handed_over_owes_nothing_any_more(systemd: tuple[socket.socket, str]) -> None:
    sock, address = systemd
    told = Systemd({"NOTIFY_SOCKET": address})
    held = filled(sock)
    told.reloaded("ready")
    told.hush()
    for _ in range(held):
        sock.recv(100)
    told.status("ready")
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(100)
