"""A small AMI client: every event is kept with its instant, and callers wait on conditions.

It is the bench's own on purpose: what the project's AMI code gets wrong must not be hidden by
sharing it.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

WAIT_S = 10.0

Match = Callable[["Message"], bool]


class AmiError(Exception):
    """Asterisk answered with an error, closed the link, or did not send what was waited for."""


@dataclass(frozen=True, slots=True)
class Message:
    """An event or a response; `at` is `time.monotonic()`, `headers` keeps order and repeats."""

    at: float
    headers: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        """The first header of that name, in any case; empty when there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Every header of that name, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Ami:
    """A logged-in link; usable from several threads."""

    def __init__(self, host: str, port: int, username: str, secret: str) -> None:
        """Connect and log in.

        Raises:
            OSError: nobody listens there.
            AmiError: the login is rejected.
        """
        self._socket = socket.create_connection((host, port), timeout=WAIT_S)
        self._socket.settimeout(None)
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        self._events: list[Message] = []
        self._responses: dict[str, Message] = {}
        self._closed = False
        threading.Thread(target=self._read, name="bench-ami", daemon=True).start()
        self.action("Login", Username=username, Secret=secret)

    def action(self, name: str, headers: Iterable[tuple[str, str]] = (), **more: str) -> Message:
        """Send an action and return its response; `headers` for names that repeat.

        Raises:
            AmiError: the response is an error, or none came.
        """
        response = self.ask(name, headers, **more)
        if response["Response"] == "Error":
            raise AmiError(f"{name}: {response['Message']}")
        return response

    def ask(self, name: str, headers: Iterable[tuple[str, str]] = (), **more: str) -> Message:
        """As `action`, with errors returned like any other response."""
        action_id = f"bench-{next(self._ids)}"
        lines = [("Action", name), ("ActionID", action_id), *headers, *more.items()]
        self._socket.sendall(
            "".join(f"{key}: {value}\r\n" for key, value in lines).encode() + b"\r\n"
        )
        with self._changed:
            if not self._changed.wait_for(
                lambda: action_id in self._responses or self._closed, WAIT_S
            ):
                raise AmiError(f"{name}: no response within {WAIT_S} s")
            if action_id not in self._responses:
                raise AmiError(f"{name}: Asterisk closed the link")
            return self._responses.pop(action_id)

    def mark(self) -> int:
        """A place in the stream of events, for `wait` and `events` to begin at."""
        with self._changed:
            return len(self._events)

    def events(self, match: Match, *, since: int = 0) -> list[Message]:
        """The events so far that match."""
        with self._changed:
            return [event for event in self._events[since:] if match(event)]

    def wait(self, match: Match, *, since: int = 0, timeout_s: float = WAIT_S) -> Message:
        """The first event at or after `since` that matches.

        Raises:
            AmiError: none came in time.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            seen = since
            while True:
                for event in self._events[seen:]:
                    if match(event):
                        return event
                seen = len(self._events)
                left_s = deadline - time.monotonic()
                if left_s <= 0 or self._closed:
                    last = [event["Event"] for event in self._events[-12:]]
                    raise AmiError(f"no such event within {timeout_s} s; the last ones were {last}")
                self._changed.wait(left_s)

    def close(self) -> None:
        """End the link without a word."""
        with suppress(OSError):
            self._socket.shutdown(
                socket.SHUT_RDWR
            )  # a close alone leaves the reading thread in recv()
        self._socket.close()

    def _read(self) -> None:
        buffer = b""
        try:
            while chunk := self._socket.recv(65536):
                buffer += chunk
                *blocks, buffer = buffer.split(b"\r\n\r\n")
                for block in blocks:
                    self._take(block.decode(errors="replace"))
        except OSError:
            pass
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self, block: str) -> None:
        pairs = (line.partition(": ") for line in block.split("\r\n") if ":" in line)
        message = Message(
            time.monotonic(), tuple((key.rstrip(":"), value) for key, _, value in pairs)
        )
        with self._changed:
            if message["Event"]:
                self._events.append(message)
            elif message["Response"]:
                self._responses[message["ActionID"]] = message
            self._changed.notify_all()
