"""The load generator: asks as Asterisk asks, misses nobody, and takes no nonsense for an answer."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.bench.load import Generator, Tally
from tests.bench.people import Callees, Shares

ALLOW = b'SET VARIABLE ARRAY(DIALWARDEN_ATTEMPT,DIALWARDEN_VERDICT,DIALWARDEN_RULE) "7,ALLOW,"\n'
REFUSE = (
    b'SET VARIABLE ARRAY(DIALWARDEN_VERDICT,DIALWARDEN_RULE,DIALWARDEN_REASON) "REFUSE,gap,a,b"\n'
)


class Peer:
    """A server of one connection after another, which says what it is told to."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        self.heard: list[bytes] = []
        self._answers = answers
        self._sock = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.address = ("127.0.0.1", self._sock.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                conn, _ = self._sock.accept()
            except OSError:
                return
            with conn:
                asked = b""
                while not asked.endswith(b"\n\n"):
                    asked += conn.recv(4096)
                self.heard.append(asked)
                if said := next(self._answers):
                    conn.sendall(said)
                if said.endswith(b"\n"):
                    assert conn.recv(100) == b"200 result=1\n"

    def close(self) -> None:
        # A thread in accept() is woken by the shutdown, not by the close.
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._thread.join()


@contextmanager
def peer(*answers: bytes) -> Iterator[Peer]:
    server = Peer(itertools.cycle(answers))
    try:
        yield server
    finally:
        server.close()


def generator(server: Peer, *, whole: bool = False) -> Generator:
    return Generator(server.address, "acme", Callees(Shares()), whole=whole, first=41)


@pytest.mark.parametrize("whole", [False, True])
def test_a_question_is_what_asterisk_sends(whole: bool) -> None:
    with peer(ALLOW) as server:
        generator(server, whole=whole).at_rate(1, 1)
    lines = server.heard[0].decode().split("\n")
    assert lines[:3] == [
        "agi_network: yes", "agi_network_script: check", "agi_request: agi://127.0.0.1/check",
    ]  # fmt: skip
    assert lines[-8:] == [
        "agi_arg_1: campaign=acme", "agi_arg_2: call=1764000000.41",
        "agi_arg_3: callerid=+33142123456", "agi_arg_4: dialstatus=", "agi_arg_5: rang=",
        "agi_arg_6: number=0640000002", "", "",
    ]  # fmt: skip
    assert len(lines) == 22 + 6 + 2


def test_at_a_rate_every_question_is_asked_and_every_answer_counted() -> None:
    with peer(ALLOW, REFUSE, ALLOW) as server:
        tally = generator(server).at_rate(30, 1)
    assert len(server.heard) == 30
    assert tally.verdicts == {"ALLOW": 20, "REFUSE gap": 10}
    assert tally.attempts == ["7"] * 20
    assert len(tally.latencies) == len(tally.late) == 30
    assert not tally.errors


def test_no_more_calls_are_under_way_than_were_asked_for() -> None:
    with peer(ALLOW) as server:
        tally = generator(server).at_once(5, 0.2)
    assert tally.answered == tally.verdicts["ALLOW"] == len(server.heard) > 5


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "no verdict"),  # closes without a word
        (b"VERBOSE hello\n", "no verdict"),
        (b'SET VARIABLE ARRAY(DIALWARDEN_VERDICT) "ALLO', "no verdict"),
    ],
)
def test_what_is_no_verdict_is_an_error(answer: bytes, error: str) -> None:
    with peer(answer) as server:
        tally = generator(server).at_rate(1, 1)
    assert tally.errors == {error: 1}
    assert not tally.verdicts


def test_a_server_that_is_not_there_is_an_error_for_each_question() -> None:
    with peer(ALLOW) as server:
        pass
    tally = generator(server).at_rate(4, 1)
    assert sum(tally.errors.values()) == 4
    assert not tally.answered


def test_quantiles_are_values_that_occurred() -> None:
    tally = Tally(latencies=[0.004, 0.001, 0.003, 0.002])
    assert [tally.quantile(share) for share in (0.0, 0.5, 0.99, 1.0)] == [
        0.001, 0.003, 0.004, 0.004,
    ]  # fmt: skip
