"""A bridge that misbehaves on demand, for what the dialplan does when the real one does.

It speaks just enough FastAGI to read a question and to set the variables of a verdict. Words on
the wire are written out here rather than taken from the package: a change of the contract has to
be made in both places.
"""

from __future__ import annotations

import enum
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

# Asterisk 22 runs a command whose line was cut off by the end of the stream, and ARRAY() then
# leaves the last values short or empty. So the verdict stands behind the number, and only what any
# text may do stands behind it.
VARIABLES = (
    "DIALWARDEN_RULE",
    "DIALWARDEN_RULES",
    "DIALWARDEN_NEXT",
    "DIALWARDEN_NUMBER",
    "DIALWARDEN_ATTEMPT",
    "DIALWARDEN_VERDICT",
    "DIALWARDEN_REASON",
)
QUESTION_LIMIT_BYTES = 65536


class Behaviour(enum.Enum):
    """How a question is met."""

    ALLOW = "answers ALLOW"
    REFUSE = "answers REFUSE, opposition"
    RECORD = "answers OK to a script that records"
    CLOSE = "reads the question and closes without a word"
    SLAM = "closes before it has read anything"
    SILENT = "reads the question and says nothing"
    HALF_CLOSE = "ends its own side of the stream and says nothing"
    GARBAGE = "answers what is no AGI command"
    BINARY = "answers bytes that are no text"
    CUT_OFF = "sends the beginning of an ALLOW and closes"
    LATE = "answers ALLOW after the dialplan has stopped waiting"
    NO_NUMBER = "answers ALLOW without a number to dial"
    NEITHER = "answers a verdict that is neither ALLOW nor REFUSE"


@dataclass(frozen=True, slots=True)
class Question:
    """What Asterisk asked: the script, the keys in order with repeats, AGI's environment."""

    script: str
    arguments: tuple[tuple[str, str], ...]
    environment: Mapping[str, str] = field(repr=False)

    def __getitem__(self, key: str) -> str:
        return dict(self.arguments)[key]

    def __contains__(self, key: str) -> bool:
        return key in dict(self.arguments)


class StandIn:
    """Answers on 127.0.0.1 `port` while it is up; up from construction on."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.questions: list[Question] = []
        self._behaviour, self._number, self._late_s, self._cut_bytes = (
            Behaviour.ALLOW,
            "33612345678",
            3.0,
            0,
        )
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.up()

    def behave(
        self,
        behaviour: Behaviour,
        *,
        number: str = "33612345678",
        late_s: float = 3.0,
        cut_bytes: int = 20,
    ) -> None:
        """Meet the next questions so.

        Args:
            behaviour: what is done with a question.
            number: what an ALLOW says to dial.
            late_s: how long LATE takes.
            cut_bytes: how much CUT_OFF holds back of the end.
        """
        self._behaviour, self._number, self._late_s, self._cut_bytes = (
            behaviour,
            number,
            late_s,
            cut_bytes,
        )

    def up(self, *, accepting: bool = True) -> None:
        """Listen; without `accepting` as a stopped process does: connected, and never read."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        if accepting:
            threading.Thread(
                target=self._accept, args=(listener,), name="bench-standin", daemon=True
            ).start()

    def down(self) -> None:
        """Stop listening and drop every connection: from here on they are refused."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which a close would not
            self._listener.close()
            self._listener = None
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(connection)
            threading.Thread(
                target=self._meet, args=(connection,), name="bench-question", daemon=True
            ).start()

    def _meet(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self._behaviour is not Behaviour.SLAM:
                self._converse(connection)
        with self._lock:
            self._open.remove(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        question = read_question(connection)
        if question is None:
            return
        self.questions.append(question)
        match self._behaviour:
            case Behaviour.ALLOW:
                self._say(connection, _verdict("ALLOW", number=self._number, attempt="1"))
            case Behaviour.REFUSE:
                self._say(
                    connection,
                    _verdict(
                        "REFUSE", rule="opposition", reason='on the list "bloctel", since May'
                    ),
                )
            case Behaviour.RECORD:
                self._say(
                    connection, 'SET VARIABLE ARRAY(DIALWARDEN_RESULT,DIALWARDEN_REASON) "OK,"\n'
                )
            case Behaviour.NO_NUMBER:
                self._say(connection, _verdict("ALLOW", attempt="1"))
            case Behaviour.NEITHER:
                self._say(connection, _verdict("PERHAPS", number=self._number))
            case Behaviour.GARBAGE:
                self._say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nALLOW\n")
            case Behaviour.BINARY:
                connection.sendall(bytes(range(256)) + b"\n")
                _wait_for_end(connection)
            case Behaviour.CUT_OFF:
                connection.sendall(
                    _verdict("ALLOW", number=self._number, attempt="1").encode()[: -self._cut_bytes]
                )
            case Behaviour.HALF_CLOSE:
                connection.shutdown(socket.SHUT_WR)
                _wait_for_end(connection)
            case Behaviour.SILENT:
                _wait_for_end(connection)
            case Behaviour.LATE:
                threading.Event().wait(self._late_s)
                self._say(connection, _verdict("ALLOW", number=self._number, attempt="1"))

    @staticmethod
    def _say(connection: socket.socket, command: str) -> None:
        connection.sendall(command.encode())
        connection.recv(4096)  # closing over Asterisk's unread reply would have it log an error


def _verdict(
    verdict: str, *, rule: str = "", reason: str = "", number: str = "", attempt: str = ""
) -> str:
    values = (rule, rule, "", number, attempt, verdict, reason)
    quoted = ",".join('\\"' + value.replace('"', '\\\\\\"') + '\\"' for value in values)
    return f'SET VARIABLE ARRAY({",".join(VARIABLES)}) "{quoted}"\n'


def read_question(connection: socket.socket) -> Question | None:
    """The environment up to its blank line; None when the stream ends before that."""
    data = b""
    while b"\n\n" not in data and len(data) < QUESTION_LIMIT_BYTES:
        chunk = connection.recv(4096)
        if not chunk:
            return None
        data += chunk
    pairs = (line.partition(": ") for line in data.decode(errors="replace").split("\n") if line)
    environment = {key: value for key, _, value in pairs}
    given = [
        value.partition("=") for key, value in environment.items() if key.startswith("agi_arg_")
    ]
    return Question(
        environment.get("agi_network_script", ""),
        tuple((key, value) for key, _, value in given),
        environment,
    )


def _wait_for_end(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass
