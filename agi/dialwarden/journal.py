"""The log in systemd's journal, field by field: `journalctl DIALWARDEN_RULE=hours`.

Owns the names of the fields and the journal's own protocol, one datagram an entry. Like any line
of the log, one that the journal does not take at once is lost, and counted: no call waits for it.

Source: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/, read 2026-11-22.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from dialwarden.log_lines import NeverWaiting, fields_of, priority

SOCKET = "/run/systemd/journal/socket"
PREFIX = "DIALWARDEN_"
# What the kernel may hold for us; the usual 208 KiB are less than some tracebacks with all around.
_BUFFER_BYTES = 1 << 20
# Of several values each is an entry of its own, so that any of them is found.
_EACH = {"rules": "RULE", "zones": "ZONE", "lists": "LIST", "overrides": "OVERRIDE"}


class JournalLines(NeverWaiting):
    """Sends each line to the journal.

    Args:
        path: of its socket, which stays there while the journal itself is started anew.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)

    @classmethod
    def at(cls, path: str) -> Self | None:
        """A sender to the journal's socket; None where there is none."""
        return cls(path) if Path(path).is_socket() else None

    def close(self) -> None:
        self._socket.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields = dict(fields_of(record))
            if record.exc_info:
                fields["traceback"] = logging.Formatter().formatException(record.exc_info)
            self._send_or_lose(record.levelno, record.name, record.getMessage(), fields)
        except Exception:
            self.handleError(record)

    def say(self, level: int, name: str, message: str, fields: Mapping[str, object]) -> None:
        with contextlib.suppress(Exception):
            self.acquire()
            try:
                self._send_or_lose(level, name, message, fields)
            finally:
                self.release()

    def _send_or_lose(
        self, level: int, name: str, message: str, fields: Mapping[str, object]
    ) -> None:
        if self.lost and self._send(logging.WARNING, "dialwarden", self.words_of_loss(), {}):
            self.lost_told()
        if not self._send(level, name, message, fields):
            self.lost += 1

    def _send(self, level: int, name: str, message: str, fields: Mapping[str, object]) -> bool:
        try:
            self._socket.sendto(entry(level, name, message, fields), self._path)
        except OSError:  # it does not read, it is away, or the entry is larger than it takes
            return False
        return True


def entry(level: int, name: str, message: str, fields: Mapping[str, object]) -> bytes:
    """A line as the journal takes it."""
    parts = [
        _field("MESSAGE", message),
        _field("PRIORITY", str(priority(level))),
        _field("SYSLOG_IDENTIFIER", "dialwarden"),
        _field(f"{PREFIX}LOGGER", name),
    ]
    for key, value in fields.items():
        called = PREFIX + _EACH.get(key, key.upper())
        parts += [_field(called, text) for text in _texts(value)]
    return b"".join(parts)


def _texts(value: object) -> Iterator[str]:
    """A value as one text, or as several; what is empty as none."""
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, Mapping):
        yield from (f"{key}:{one}" for key, one in value.items())
    elif isinstance(value, list | tuple):
        for one in value:
            yield json.dumps(one, default=str) if isinstance(one, Mapping) else str(one)
    elif value not in ("", None):
        yield str(value)


def _field(name: str, text: str) -> bytes:
    """One field: a line, or where the text has line ends its length before it."""
    data = text.encode(errors="replace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
