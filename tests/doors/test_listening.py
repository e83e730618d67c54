"""Listening sockets: opened, inherited, handed over, without a refused call in between."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import uvloop

import dialwarden
from dialwarden.doors.fastagi import FastAgiServer
from dialwarden.doors.listening import (
    INHERITED_LIMIT,
    HandOverFailed,
    hand_over,
    inherited_sockets,
    listen,
    raise_descriptor_limit,
    split_address,
    take_or_listen,
)
from dialwarden.errors import ListenError
from dialwarden.wire.agi_request import AgiRequest

SOURCES = str(Path(dialwarden.__file__).parent.parent)

# A bridge in small: takes the socket over, answers with its own pid, stops at SIGTERM.
SUCCESSOR = """
import asyncio, os, signal, sys
from dialwarden.doors.fastagi import FastAgiServer
from dialwarden.doors.listening import inherited_sockets
from dialwarden.doors.notify import Systemd

async def answer(request, peer):
    return {"DIALWARDEN_VERDICT": "ALLOW", "DIALWARDEN_REASON": str(os.getpid())}

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    [inherited] = inherited_sockets(os.environ, os.getpid())
    assert inherited.name == "agi", inherited
    server = FastAgiServer(answer, unavailable=lambda *_: {"DIALWARDEN_VERDICT": "REFUSE"})
    await server.start(inherited.sock)
    Systemd(os.environ).ready()
    assert not [name for name in os.environ if name.startswith(("DIALWARDEN_", "LISTEN_"))]
    await stop.wait()
    await server.stop()

asyncio.run(main())
"""


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with listen("127.0.0.1:0") as opened:
        yield opened


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


# Opening.


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:4580", "127.0.0.1", 4580),
        ("[::1]:65535", "::1", 65535),
        ("localhost:0", "localhost", 0),
    ],
)
def test_an_address_is_host_and_port(address: str, host: str, port: int) -> None:
    assert split_address(address) == (host, port)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("4580", "no HOST:PORT"),
        (":4580", "no HOST:PORT"),
        ("::1:4580", "no HOST:PORT"),
        ("127.0.0.1:", "port is ''"),
        ("127.0.0.1:65536", "port is '65536'"),
        ("127.0.0.1:-1", "port is '-1'"),
        ("127.0.0.1:\u0664", "port is"),
        ("no such host.invalid:1", "the host is unknown"),
        ("192.0.2.1:0", "no such address"),
    ],
)
def test_an_address_that_cannot_be_had_says_why(address: str, words: str) -> None:
    with pytest.raises(ListenError, match=f"cannot listen on {re.escape(address)}: .*{words}"):
        listen(address)


def test_a_taken_port_says_who_to_look_for(sock: socket.socket) -> None:
    port = port_of(sock)
    with pytest.raises(ListenError, match=f"another process has this port.*ss -ltnp .*{port}"):
        listen(f"127.0.0.1:{port}")


def test_a_port_with_connections_in_time_wait_can_be_had_again(sock: socket.socket) -> None:
    port = port_of(sock)
    with socket.create_connection(("127.0.0.1", port)) as client:
        sock.setblocking(True)
        accepted, _ = sock.accept()
        accepted.close()  # who closes first is left in TIME_WAIT
        assert client.recv(1) == b""
    sock.close()
    listen(f"127.0.0.1:{port}").close()


# Inheriting.


def at_descriptor_3(*socks: socket.socket, **variables: str) -> str:
    """What a process prints that systemd starts with these sockets from descriptor 3 on."""
    script = """
import fcntl, os, sys
# Out of each other's way first, then where systemd would have put them.
given = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1:]]
for place, fd in enumerate(given, 3):
    os.dup2(fd, place)
from dialwarden.doors.listening import inherited_sockets
from dialwarden.errors import ListenError
environ = dict(os.environ, LISTEN_PID=os.environ.get("LISTEN_PID", str(os.getpid())))
try:
    for inherited in inherited_sockets(environ, os.getpid()):
        print(repr(inherited.name), inherited.sock.getsockname()[1], inherited.by_name,
              os.get_inheritable(inherited.sock.fileno()), inherited.sock.getblocking())
except ListenError as error:
    print(error)
print([name for name in environ if name.startswith("LISTEN_")])
"""
    descriptors = [s.fileno() for s in socks]
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, descriptors)],
        pass_fds=descriptors,
        env={"PYTHONPATH": SOURCES, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_systemds_sockets_are_taken_with_their_names_and_not_passed_on(sock: socket.socket) -> None:
    with listen("127.0.0.1:0") as other:
        printed = at_descriptor_3(sock, other, LISTEN_FDS="2", LISTEN_FDNAMES="agi:http")
        assert printed.splitlines() == [
            f"'agi' {port_of(sock)} True False False",
            f"'http' {port_of(other)} True False False",
            "[]",
        ]


def test_systemds_sockets_may_have_no_names(sock: socket.socket) -> None:
    assert at_descriptor_3(sock, LISTEN_FDS="1").startswith(f"'' {port_of(sock)} True")


def test_sockets_meant_for_another_process_are_left_alone(sock: socket.socket) -> None:
    assert at_descriptor_3(sock, LISTEN_FDS="1", LISTEN_PID="1") == "[]\n"


def test_a_descriptor_that_is_no_listening_socket_is_an_error(sock: socket.socket) -> None:
    with socket.create_connection(("127.0.0.1", port_of(sock))) as connected:
        assert "it is no listening stream socket" in at_descriptor_3(connected, LISTEN_FDS="1")
    assert "it is no socket" in at_descriptor_3(LISTEN_FDS="1")


@pytest.mark.parametrize("count", ["", "x", "-1", "\u0661", str(INHERITED_LIMIT + 1), "9" * 5000])
def test_a_wrong_number_of_sockets_is_an_error(count: str) -> None:
    environ = {"LISTEN_PID": "7", "LISTEN_FDS": count, "LISTEN_FDNAMES": ""}
    with pytest.raises(ListenError):
        inherited_sockets(environ, 7)
    assert environ == {}


def test_without_variables_nothing_is_inherited() -> None:
    assert inherited_sockets({}, 7) == []
    assert inherited_sockets({"LISTEN_FDS": "1"}, 7) == []


@pytest.mark.parametrize("value", ["agi", "agi=", "agi=x", "agi=3,", "agi=99999"])
def test_a_predecessors_variable_that_cannot_be_read_is_an_error(value: str) -> None:
    with pytest.raises(ListenError):
        inherited_sockets({"DIALWARDEN_LISTEN_FDS": value}, 7)


def inherit(sock: socket.socket, name: str) -> dict[str, str]:
    return {"DIALWARDEN_LISTEN_FDS": f"{name}={os.dup(sock.fileno())}"}


def test_an_inherited_socket_is_taken_by_its_address_and_only_once(sock: socket.socket) -> None:
    address = f"127.0.0.1:{port_of(sock)}"
    inherited = inherited_sockets(inherit(sock, "agi"), os.getpid())
    with take_or_listen("other", address, inherited) as taken:
        assert taken.getsockname() == sock.getsockname()
        assert inherited == []
        with pytest.raises(ListenError):
            take_or_listen("agi", address, inherited)


def test_a_predecessors_socket_on_another_address_is_not_taken(sock: socket.socket) -> None:
    # The configuration has moved on since: the new address counts.
    inherited = inherited_sockets(inherit(sock, "agi"), os.getpid())
    with listen("127.0.0.1:0") as free:
        port = port_of(free)
    with take_or_listen("agi", f"127.0.0.1:{port}", inherited) as taken:
        assert port_of(taken) == port
    [left] = inherited
    left.sock.close()


# Descriptors.


def test_the_descriptor_limit_is_raised_as_far_as_it_may_be_and_never_lowered() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert raise_descriptor_limit(300) == 300
        assert raise_descriptor_limit(200) == 300
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# Handing over.


async def one_call(port: int, outcomes: Counter[str]) -> None:
    """A call as Asterisk makes it; notes who answered, or how it failed."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"agi_network: yes\n")
        await asyncio.sleep(0.002)
        writer.write(b"agi_network_script: check\nagi_uniqueid: 1.1\nagi_arg_1: number=06\n\n")
        command = await asyncio.wait_for(reader.readline(), 10)
        writer.write(b"200 result=1\n")
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
        verdict = re.fullmatch(rb'SET VARIABLE ARRAY\(.*\) "ALLOW,(\w+)"\n', command)
        outcomes[verdict[1].decode() if verdict else repr(command)] += 1
    except (OSError, TimeoutError) as error:
        outcomes[repr(error)] += 1


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": SOURCES, **variables}


async def _old(request: AgiRequest, peer: str) -> Mapping[str, str]:
    await asyncio.sleep(0.001)
    return {"DIALWARDEN_VERDICT": "ALLOW", "DIALWARDEN_REASON": "old"}


@pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def test_a_hand_over_under_load_loses_no_call(
    tmp_path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    program = tmp_path / "successor.py"
    program.write_text(SUCCESSOR)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_hand_over_under_load(program))


async def _hand_over_under_load(program: Path) -> None:
    sock = listen("127.0.0.1:0")
    port = port_of(sock)
    server = FastAgiServer(_old, unavailable=lambda *_: {})
    await server.start(sock)
    outcomes: Counter[str] = Counter()
    enough = asyncio.Event()

    async def caller() -> None:
        while not enough.is_set():
            await one_call(port, outcomes)

    callers = [asyncio.ensure_future(caller()) for _ in range(16)]
    env = environment(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")  # stale, of this process
    successor = await hand_over([sys.executable, str(program)], env, {"agi": sock})
    await server.stop()
    served_before = outcomes["old"]
    async with asyncio.timeout(20):
        while outcomes[str(successor.pid)] < 200:  # noqa: ASYNC110 - others count
            await asyncio.sleep(0.01)
    enough.set()
    await asyncio.gather(*callers)
    successor.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(successor.wait, 10) == 0
    assert served_before > 0
    assert outcomes.keys() == {"old", str(successor.pid)}
    assert outcomes["old"] == server.counters.confirmed


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit(3)", r"ended before it was ready \(exit status 3\)"),
        ("import os; os.abort()", r"ended before it was ready \(signal 6\)"),
        ("import os; os.write(int(os.environ['DIALWARDEN_READY_FD']), b'no')", "before it was"),
        ("import time; time.sleep(60)", r"not ready in 0\.5 s and was ended \(signal 15\)"),
        (
            "import os, time; os.close(int(os.environ['DIALWARDEN_READY_FD'])); time.sleep(60)",
            r"before it was ready \(signal 15\)",
        ),
    ],
)
async def test_a_successor_that_is_never_ready_is_ended_and_the_old_one_serves_on(
    program: str, words: str
) -> None:
    sock = listen("127.0.0.1:0")
    server = FastAgiServer(_old, unavailable=lambda *_: {})
    await server.start(sock)
    patience = 0.5 if "not ready" in words else 30
    argv = [sys.executable, "-c", program]
    with pytest.raises(HandOverFailed, match=words) as failure:
        await hand_over(argv, environment(), {"agi": sock}, ready_within_s=patience)
    with pytest.raises(ProcessLookupError):
        os.kill(failure.value.pid, 0)
    outcomes: Counter[str] = Counter()
    await one_call(port_of(sock), outcomes)
    await server.stop()
    assert outcomes == {"old": 1}


async def test_a_successor_that_ignores_its_end_is_killed(
    sock: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialwarden.doors.listening.LEAVE_WITHIN_S", 0.1)
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a child inherits this
    try:
        with pytest.raises(HandOverFailed, match=r"was ended \(signal 9\)"):
            await hand_over(sleeper, environment(), {"agi": sock}, ready_within_s=0.1)
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_a_hand_over_that_is_cancelled_leaves_no_process(
    sock: socket.socket, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    program = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()}.')"
    argv = [sys.executable, "-c", program + "; time.sleep(60)", str(pid_file)]
    handing = asyncio.ensure_future(hand_over(argv, environment(), {"agi": sock}))
    async with asyncio.timeout(30):
        while not (pid_file.exists() and pid_file.read_text().endswith(".")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    handing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handing
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text().strip(".")), 0)


async def test_a_successor_that_cannot_be_started_says_so(sock: socket.socket) -> None:
    with pytest.raises(HandOverFailed, match="cannot start /no/such/program: No such file"):
        await hand_over(["/no/such/program"], environment(), {"agi": sock})


async def test_a_failed_hand_over_leaks_no_descriptor(sock: socket.socket) -> None:
    def descriptors() -> set[str]:
        return {entry.name for entry in Path("/proc/self/fd").iterdir()}

    with pytest.raises(HandOverFailed):
        await hand_over([sys.executable, "-c", ""], environment(), {"agi": sock})
    before = descriptors()
    with pytest.raises(HandOverFailed):
        await hand_over([sys.executable, "-c", ""], environment(), {"agi": sock})
    assert len(descriptors()) == len(before)
