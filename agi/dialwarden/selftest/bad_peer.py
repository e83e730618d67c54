"""What stands on the scratch port in dialwarden's place, and fails in one way.

Owns the sockets of it. A thread a connection: a test of some seconds need not share the bridge's
own server, which is made so that it cannot do any of this.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Self

from dialwarden import variables
from dialwarden.errors import SelftestError
from dialwarden.selftest.plugs import NUMBER, Plug
from dialwarden.wire.agi_command import set_variables

# The shipped dialplan leaves AGI() after two seconds; an answer behind that is nobody's.
LATE_S = 3.0
_QUESTION_LIMIT_BYTES = 64 * 1024
_END_OF_QUESTION = b"\n\n"
_ALLOWED = "+33" + NUMBER[1:]


class BadPeer:
    """Listens on 127.0.0.1 while it is entered; `port` 0 takes a free one.

    Raises:
        SelftestError: somebody else has the port.
    """

    def __init__(self, plug: Plug, port: int) -> None:
        self._plug = plug
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind(("127.0.0.1", port))
        except OSError as error:
            self._listener.close()
            raise SelftestError(
                f"port {port} of 127.0.0.1 was free at the start, and another program has it now "
                f"({error.strerror}); try again"
            ) from None
        self._held: list[socket.socket] = []
        self._over = threading.Event()

    @property
    def port(self) -> int:
        found: int = self._listener.getsockname()[1]
        return found

    def __enter__(self) -> Self:
        if self._plug is Plug.UNREACHABLE:
            self._fill_queue()
        else:
            self._listener.listen()
            threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # A close alone would leave the thread in accept(), and the port taken.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._held:
            one.close()

    def _fill_queue(self) -> None:
        """Nobody accepts, and the queue has room for one: whoever comes next waits at the door."""
        self._listener.listen(0)
        for _ in range(3):
            waiting = socket.socket()
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(self._listener.getsockname())
            self._held.append(waiting)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(conn)
            threading.Thread(target=self._meet, args=(conn,), daemon=True).start()

    def _meet(self, conn: socket.socket) -> None:
        with suppress(OSError):
            if self._plug is Plug.SLAMS:
                # RST, as of a process that was killed with the question unread.
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                conn.close()
                return
            if self._has_asked(conn):
                self._fail(conn)

    @staticmethod
    def _has_asked(conn: socket.socket) -> bool:
        question = b""
        while _END_OF_QUESTION not in question and len(question) < _QUESTION_LIMIT_BYTES:
            more = conn.recv(4096)
            if not more:
                return False
            question += more
        return True

    def _fail(self, conn: socket.socket) -> None:
        match self._plug:
            case Plug.SILENT:
                self._over.wait()
            case Plug.SLOW:
                self._over.wait(LATE_S)
                conn.sendall(answer())
            case Plug.HALF_CLOSES:
                conn.shutdown(socket.SHUT_WR)
                self._over.wait()
            case Plug.GARBAGE:
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                self._over.wait()
            case Plug.BINARY:
                conn.sendall(bytes(range(128, 256)) + b"\n")
                self._over.wait()
            case Plug.HANGS:
                conn.sendall(answer()[:20])
                self._over.wait()
            case Plug.CUT_OFF:
                whole = answer()
                conn.sendall(whole[: whole.index(b"ALLOW") + 2])
                conn.close()
            case Plug.NO_NUMBER:
                self._say(conn, answer(number=""))
            case Plug.NO_VERDICT:
                self._say(conn, answer(verdict="PERHAPS"))
            case _:
                conn.close()

    @staticmethod
    def _say(conn: socket.socket, command: bytes) -> None:
        conn.sendall(command)
        conn.recv(4096)  # the reply: closing with it unread would be a fault of another kind
        conn.close()


def answer(*, verdict: str = "ALLOW", number: str = _ALLOWED) -> bytes:
    """The command of a verdict, as the bridge sends it."""
    values = dict.fromkeys(variables.VERDICT_VARIABLES, "")
    values |= {variables.VERDICT: verdict, variables.NUMBER: number, variables.ATTEMPT: "1"}
    return set_variables(values)
