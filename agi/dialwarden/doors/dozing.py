"""How many bytes a connection waits for before we are woken: as many as an environment has.

Asterisk sends the environment in some 24 small writes, and to be woken by each of them is most of
what a call costs. The kernel can wait until there is as much as is worth waking for (SO_RCVLOWAT,
socket(7); heeded by poll and epoll since Linux 2.6.28, and inherited by accepted connections).

Owns how much that is. Who is woken, and what happens where too little comes, is the conversation's.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket

from dialwarden.wire.agi_request import SHORTEST_BYTES

# Below the shortest of late by this much: numbers and names differ by some bytes from call to call,
# and the last lines are there by the time we are.
SLACK_BYTES = 64
# The shortest environment of this one and of the last such period counts.
PERIOD_S = 60.0
# Set anew where it would differ by this much: to hear of each call is one comparison.
_STEP_BYTES = 16


class Dozing:
    """The mark of some listening sockets, moved with the environments that come.

    Attributes:
        works: the kernel took the mark of one of them; connections begin dozing.
    """

    def __init__(self) -> None:
        self.works = False
        self.mark = SHORTEST_BYTES
        self._sockets: list[socket.socket] = []
        self._shortest: int | None = None  # of this period
        self._shortest_before: int | None = None
        self._period_ends = 0.0

    def add(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, self.mark)
            self._sockets.append(sock)
            self.works = True

    def heard(self, size: int, now: float) -> None:
        """Take note of an environment of so many bytes; `now` on the loop's clock."""
        if now < self._period_ends and self._shortest is not None and size >= self._shortest:
            return
        if now >= self._period_ends:
            self._shortest_before, self._shortest = self._shortest, size
            self._period_ends = now + PERIOD_S
        else:
            self._shortest = size
        known = [one for one in (self._shortest, self._shortest_before) if one is not None]
        mark = max(min(known) - SLACK_BYTES, SHORTEST_BYTES)
        if abs(mark - self.mark) >= _STEP_BYTES:
            self.mark = mark
            for sock in self._sockets:
                with contextlib.suppress(OSError):  # it is being closed
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, mark)


def wake_at_a_byte(descriptor: int) -> None:
    """Be woken by whatever comes on a connection from here on; a closed one is let be.

    Past Python's socket objects: to make one of a connection that the loop has costs ten times what
    the system call does, and is done for every call.
    """
    _set_option(descriptor, socket.SOL_SOCKET, socket.SO_RCVLOWAT, _ONE, ctypes.sizeof(_ONE))


_ONE = ctypes.c_int(1)
_set_option = ctypes.PyDLL(None).setsockopt
_set_option.argtypes = (
    ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.c_uint32,
)  # fmt: skip
