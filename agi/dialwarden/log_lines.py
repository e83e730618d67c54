"""Lines of the log on standard error: their forms, and how they are written without waiting.

Owns both formats, and the promise that whoever reads the log slowly, or not at all, holds up no
call: a line that would have to wait, or that a disk does not take, is lost, and counted. What a
line says is `log`'s.

Where standard error is systemd's journal each line begins with its priority, sd-daemon(3), so that
`journalctl -p warning` finds it; the journal takes that off.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

# A LogRecord's own attributes; what else stands in it was given with `extra`.
FIELDS = "fields"
# Made once: `json.dumps` with a default makes an encoder a line. ASCII: nothing that a peer sent
# reaches a terminal as a control character.
_ENCODE = json.JSONEncoder(default=str, check_circular=False).encode
_JOURNAL_STREAM = "JOURNAL_STREAM"
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6),
               (0, 7))  # fmt: skip


class NeverWaiting(logging.Handler, ABC):
    """Takes lines, with a record or without one, and never waits to write them.

    Attributes:
        lost: lines that were not written, of which nobody was told yet.
        lost_before: those of which somebody was told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0
        self.lost_before = 0

    @property
    def lost_ever(self) -> int:
        return self.lost_before + self.lost

    @abstractmethod
    def say(self, level: int, name: str, message: str, fields: Mapping[str, object]) -> None:
        """Write what a record of this would be written as; what goes wrong stops nobody."""

    def lost_told(self) -> None:
        """Somebody reads again, and knows how many were lost."""
        self.lost_before += self.lost
        self.lost = 0

    def words_of_loss(self) -> str:
        return f"{self.lost} lines are lost: nobody read the log fast enough"


class LineFormatter(logging.Formatter, ABC):
    """A line of an event, which may come as a record or without one."""

    def format(self, record: logging.LogRecord) -> str:
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        message, fields = record.getMessage(), fields_of(record)
        return self.line(record.created, record.levelname, record.name, message, fields, traceback)

    @abstractmethod
    def line(
        self, created: float, level: str, name: str, message: str,
        fields: Mapping[str, object], traceback: str = "",
    ) -> str:  # fmt: skip
        """The line of one event; `created` in seconds since 1970."""


class JsonFormatter(LineFormatter):
    """One JSON object a line."""

    def line(
        self, created: float, level: str, name: str, message: str,
        fields: Mapping[str, object], traceback: str = "",
    ) -> str:  # fmt: skip
        line = {
            "time": datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds"),
            "level": level.lower(),
            "logger": name,
            "message": message,
            **fields,
        }
        if traceback:
            line["traceback"] = traceback
        return _ENCODE(line)


class ConsoleFormatter(LineFormatter):
    """Time, level, sentence, and the call's fields behind it."""

    _SHOWN = (
        "would_refuse", "campaign", "call", "door", "next", "regime", "lists", "ms",
    )  # fmt: skip

    def line(
        self, created: float, level: str, name: str, message: str,
        fields: Mapping[str, object], traceback: str = "",
    ) -> str:  # fmt: skip
        clock = datetime.fromtimestamp(created).astimezone()
        text = f"{clock:%Y-%m-%d %H:%M:%S%z} {level:<7} {message}"
        if fields:
            shown = (f"{key}={fields[key]}" for key in self._SHOWN if fields.get(key))
            # A line end in a peer's value must not begin a line of its own.
            text += "  " + printable(" ".join(shown))
        if traceback:
            text += "\n" + traceback
        return printable(text, but="\n")


class StreamLines(NeverWaiting):
    """Writes a line, or counts it as lost when that would mean to wait.

    A pipe whose reader has stopped is full after 64 KiB, and a write to it waits: with it every
    call, in the loop that answers them. A pipe that can be written takes PIPE_BUF bytes (4 KiB) at
    once, poll(2) and pipe(7): a longer line goes in pieces, and is broken off when there is no
    room for the next one.
    """

    def __init__(self, stream: TextIO, lines: LineFormatter) -> None:
        super().__init__()
        self.setFormatter(lines)
        self._lines = lines
        self._stream = stream
        self._broken_off = False
        self._room: select.poll | None = None
        self._to_journal = False
        with contextlib.suppress(OSError, ValueError):  # no descriptor: nothing to wait for
            room = select.poll()
            room.register(stream.fileno(), select.POLLOUT)
            self._room = room
            self._to_journal = is_journal(stream.fileno(), os.environ)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write_or_lose(record.levelno, self._lines.format(record))
        except Exception:
            self.handleError(record)

    def say(self, level: int, name: str, message: str, fields: Mapping[str, object]) -> None:
        with contextlib.suppress(Exception):
            said = logging.getLevelName(level)
            line = self._lines.line(time.time(), said, name, message, fields)
            self.acquire()
            try:
                self._write_or_lose(level, line)
            finally:
                self.release()

    def _write_or_lose(self, level: int, line: str) -> None:
        if self._room is None:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            return
        if self.lost and self._has_room():
            lost = logging.LogRecord(
                "dialwarden", logging.WARNING, "", 0, self.words_of_loss(), (), None
            )
            if self._write(logging.WARNING, self._lines.format(lost)):
                self.lost_told()
        if not self._write(level, line):
            self.lost += 1

    def _has_room(self) -> bool:
        return self._room is not None and bool(self._room.poll(0))

    def _write(self, level: int, line: str) -> bool:
        """Whether all of the line could be written."""
        if self._to_journal:
            mark = f"<{priority(level)}>"
            line = "\n".join(mark + one for one in line.split("\n"))
        text = f"{line}\n".encode(errors="replace")
        if self._broken_off:
            text = b"\n" + text
        for start in range(0, len(text), select.PIPE_BUF):
            if not self._has_room():
                self._broken_off = self._broken_off or start > 0
                return False
            if not self._written(text[start : start + select.PIPE_BUF], begun=start > 0):
                return False
        return True

    def _written(self, piece: bytes, *, begun: bool) -> bool:
        """Whether all of a piece was taken; a disk that fills takes a part, and then refuses."""
        try:
            taken = os.write(self._stream.fileno(), piece)
        except OSError:
            taken = 0
        if taken == len(piece):
            self._broken_off = False
            return True
        self._broken_off = self._broken_off or begun or taken > 0
        return False


def is_journal(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Whether a descriptor is the journal's stream that systemd gave us, systemd.exec(5)."""
    file = os.fstat(descriptor)
    return environ.get(_JOURNAL_STREAM) == f"{file.st_dev}:{file.st_ino}"


def priority(level: int) -> int:
    """Of syslog(3): what a level of ours is to the journal."""
    return next(found for least, found in _PRIORITIES if level >= least)


def fields_of(record: logging.LogRecord) -> Mapping[str, object]:
    fields = getattr(record, FIELDS, None)
    return fields if isinstance(fields, Mapping) else {}


def printable(text: str, *, but: str = "") -> str:
    """Escape what is not printable: a peer may send whatever a terminal obeys."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character == but
        else character.encode("unicode_escape").decode()
        for character in text
    )
