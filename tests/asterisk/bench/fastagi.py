"""A PBX product's own FastAGI server, played: it notes what it is asked, and answers by script.

For the dialplans of products, which ask such a server at every step (VICIdial's FastAGI_log,
wazo-agid). A script that nobody wrote an answer for is noted, and the dialplan goes on.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Self

from bench.standin import Question, read_question

WAIT_S = 10.0


class Session:
    """One script being run: commands to the channel that asked."""

    def __init__(self, connection: socket.socket, question: Question) -> None:
        self.question = question
        self._lines = connection.makefile("rb")
        self._connection = connection

    def command(self, line: str) -> str:
        """Send a command as it is written; Asterisk's reply.

        Raises:
            EOFError: the channel is gone.
        """
        self._connection.sendall(f"{line}\n".encode())
        while reply := self._lines.readline().decode(errors="replace").strip():
            if reply[:3].isdecimal():
                return reply
        raise EOFError(f"{self.question.script}: the channel is gone")

    def get(self, name: str) -> str:
        """A variable of the channel, empty when it has none of that name."""
        reply = self.command(f"GET VARIABLE {name}")
        return reply.partition("(")[2].removesuffix(")")

    def set(self, **variables: str) -> None:
        """Set variables of the channel, in order."""
        for name, value in variables.items():
            self.command(f'SET VARIABLE {name} "{value}"')


Script = Callable[[Session], object]


class FastAgi:
    """Listens on 127.0.0.1 `port` from construction on; `scripts` may be changed between calls."""

    def __init__(self, scripts: Mapping[str, Script] | None = None, port: int = 0) -> None:
        self.scripts = dict(scripts or {})
        self._questions: list[Question] = []
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="bench-fastagi", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which a close would not
        self._listener.close()

    def clear(self) -> None:
        """Forget what was asked."""
        with self._changed:
            self._questions.clear()

    def asked(self, beginning: str = "") -> list[Question]:
        """The questions so far whose script begins so, in order."""
        with self._changed:
            return [one for one in self._questions if one.script.startswith(beginning)]

    def wait(self, beginning: str) -> Question:
        """The first question whose script begins so.

        Raises:
            TimeoutError: nobody asked.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._has(beginning), WAIT_S):
                asked = [one.script for one in self._questions]
                raise TimeoutError(f"{beginning}…: not asked within {WAIT_S} s; asked were {asked}")
        return self.asked(beginning)[0]

    def _has(self, beginning: str) -> bool:
        return any(one.script.startswith(beginning) for one in self._questions)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._meet, args=(connection,), name="bench-script", daemon=True
            ).start()

    def _meet(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, EOFError):
            connection.settimeout(WAIT_S)
            question = read_question(connection)
            if question is None:
                return
            if script := self.scripts.get(question.script):
                script(Session(connection, question))
            with self._changed:
                self._questions.append(question)
                self._changed.notify_all()
