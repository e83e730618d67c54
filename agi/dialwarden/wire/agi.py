"""One AGI conversation, seen from the script's side: an environment, one command, its reply.

Owns the order of the conversation and the limits on what a peer may send. Refuses to know sockets
and time: bytes go in, values come out, and how long a phase may last is the caller's business.

    ENVIRONMENT ──blank line──> ASKED ──command_sent()──> REPLY ──last line──> DONE
         └───────────────┴──────── RemoteProtocolError ─────┴──> BROKEN

There is one command per conversation: Asterisk does not read a second one before the first is
answered and new bytes arrive.

A reply, from Asterisk's res/res_agi.c (`agi_handle_command`):

    reply     = status SP text LF          ; 200 result=1, 200 result=1 (timeout), 510 …, 511 …
              / status "-" text LF *( text LF ) status SP text LF   ; 520 with its usage
    hangup    = "HANGUP" LF                ; the channel is gone; between any two lines

`510` is an unknown command, `511` one that a dead channel does not take, `520` one with wrong
arguments, as a single line or as many. `HANGUP` is out of band: it can stand right behind the
environment and before a reply, TIMEOUT(absolute) sends it although the call lives on, and it
answers nothing.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from dialwarden.wire.agi_request import (
    ENVIRONMENT_LIMIT_BYTES,
    OPENING,
    AgiRequest,
    read_environment,
)
from dialwarden.wire.errors import LocalProtocolError, PeerClosed, RemoteProtocolError, TooLong

# The longest reply is a 520 with the command's usage, under 2 KB in 40 lines for any command.
REPLY_LIMIT_BYTES = 16 * 1024
REPLY_LIMIT_LINES = 256
# Asterisk sends one HANGUP when the channel goes and one when it leaves AGI().
HANGUP_LIMIT = 16

_BLANK_LINE = b"\n\n"
_HANGUP = b"HANGUP"
_STATUS = re.compile(rb"([1-9][0-9]{2})([ -])(.*)", re.DOTALL)
_RESULT = re.compile(r"result=(-?[0-9]{1,10})(?: |$)")


class Phase(enum.Enum):
    ENVIRONMENT = "environment"
    ASKED = "asked"
    REPLY = "reply"
    DONE = "done"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class AgiReply:
    """Asterisk's reply to our command.

    Attributes:
        code: 200, 510, 511 or 520.
        result: the number behind `result=`, None where there is none.
        text: what follows the code; of a reply in many lines, all of it.
    """

    code: int
    result: int | None
    text: str

    @property
    def accepted(self) -> bool:
        return self.code == 200


# Asterisk's reply to a command that was obeyed, nearly always all there is.
_DONE_LINE = b"200 result=1\n"
_DONE = AgiReply(200, 1, "result=1")


class AgiSession:
    """The state of one conversation. After an error it takes nothing more."""

    __slots__ = ("_buffer", "_code", "_lines", "hangups", "phase")

    def __init__(self) -> None:
        self.phase = Phase.ENVIRONMENT
        self.hangups = 0
        self._buffer = bytearray()
        self._lines: list[bytes] = []  # of the reply, so far
        self._code = b""  # of a reply in many lines, "" before and outside one

    @property
    def pending_bytes(self) -> int:
        """Bytes received and not yet read."""
        return len(self._buffer)

    def receive(self, data: bytes) -> AgiRequest | AgiReply | None:
        """Take what the peer sent; give what it completes, None when more is needed.

        One call completes at most one thing: a reply can only follow our command. What comes
        after the reply is dropped; Asterisk ends with a HANGUP there.

        Raises:
            RemoteProtocolError: the peer sent what no Asterisk sends.
            TooLong: it sent more than the phase allows.
            LocalProtocolError: the conversation already broke.
        """
        phase = self.phase
        try:
            if phase is Phase.ENVIRONMENT:
                return self._receive_environment(data)
            if phase is Phase.REPLY and data == _DONE_LINE and not self._buffer and not self._lines:
                self.phase = Phase.DONE
                return _DONE
            if phase is Phase.DONE:
                return None
            if phase is Phase.BROKEN:
                raise LocalProtocolError("the conversation is broken, nothing more can be received")
            self._buffer += data
            return self._read_lines()
        except RemoteProtocolError:
            self._break()
            raise

    def receive_eof(self) -> None:
        """Take the end of the stream.

        Raises:
            PeerClosed: it came before the reply. Half a close is a close: Asterisk never does the
                one, and a peer that is gone must not be taken for one that listens.
        """
        if self.phase in (Phase.DONE, Phase.BROKEN):
            return
        phase, pending = self.phase, len(self._buffer)
        self._break()
        where = {
            Phase.ENVIRONMENT: "before the end of the AGI environment",
            Phase.ASKED: "before it was answered",
            Phase.REPLY: "before it replied",
        }[phase]
        raise PeerClosed(where, pending)

    def command_sent(self) -> None:
        """Note that the command is on its way: what comes next is its reply.

        Raises:
            LocalProtocolError: nobody asked, or the command was already sent.
        """
        if self.phase is not Phase.ASKED:
            raise LocalProtocolError(f"no command may be sent in phase {self.phase.value}")
        self.phase = Phase.REPLY

    def _break(self) -> None:
        self.phase = Phase.BROKEN
        self._buffer.clear()
        self._lines.clear()

    def _receive_environment(self, data: bytes) -> AgiRequest | None:
        # The environment comes in some 24 small writes: this runs most often of all, and must do
        # next to nothing. The blank line is looked for in what is new and the byte before it.
        buffer = self._buffer
        seen = len(buffer)
        buffer += data
        end = buffer.find(_BLANK_LINE, seen - 1 if seen else 0)
        if seen < len(OPENING) and not buffer.startswith(OPENING[: len(buffer)]):
            raise RemoteProtocolError("this is not AGI", bytes(buffer))
        if end < 0:
            if len(buffer) > ENVIRONMENT_LIMIT_BYTES:
                raise TooLong("AGI environment", len(buffer), ENVIRONMENT_LIMIT_BYTES)
            return None
        if end > ENVIRONMENT_LIMIT_BYTES:
            raise TooLong("AGI environment", end, ENVIRONMENT_LIMIT_BYTES)
        request = read_environment(buffer[:end])
        del buffer[: end + len(_BLANK_LINE)]
        self.phase = Phase.ASKED
        if buffer:
            self._read_lines()
        return request

    def _read_lines(self) -> AgiReply | None:
        buffer = self._buffer
        if len(buffer) > REPLY_LIMIT_BYTES:
            raise TooLong("AGI reply", len(buffer), REPLY_LIMIT_BYTES)
        *lines, rest = bytes(buffer).split(b"\n")
        del buffer[: len(buffer) - len(rest)]
        for line in lines:
            if line == _HANGUP:
                self.hangups += 1
                if self.hangups > HANGUP_LIMIT:
                    raise TooLong("HANGUP", self.hangups, HANGUP_LIMIT, "lines")
                continue
            if self.phase is Phase.ASKED:
                raise RemoteProtocolError("sent before it was answered", line or b"\n")
            reply = self._read_reply_line(line)
            if reply is not None:
                self.phase = Phase.DONE
                buffer.clear()
                return reply
        if self.phase is Phase.ASKED and not _HANGUP.startswith(rest):
            raise RemoteProtocolError("sent before it was answered", rest)
        return None

    def _read_reply_line(self, line: bytes) -> AgiReply | None:
        status = _STATUS.fullmatch(line)
        if not self._code:
            if status is None:
                raise RemoteProtocolError("this is no AGI reply", line or b"\n")
            if status[2] == b"-":
                self._code = status[1]
        self._lines.append(line)
        if len(self._lines) > REPLY_LIMIT_LINES:
            raise TooLong("AGI reply", len(self._lines), REPLY_LIMIT_LINES, "lines")
        if status is None or status[2] == b"-" or (self._code and status[1] != self._code):
            return None
        text = b"\n".join(self._lines)[4:].decode("utf-8", "replace")
        result = _RESULT.match(text)
        return AgiReply(int(status[1]), int(result[1]) if result else None, text)
