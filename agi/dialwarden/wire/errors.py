"""Whose fault it was, as a type.

    ProtocolError
    ├── RemoteProtocolError   the peer broke the protocol
    │   ├── TooLong           it sent more than a limit allows
    │   └── PeerClosed        it closed the stream in the middle
    └── LocalProtocolError    we did: a bug of ours, nothing was sent

What a peer sent is kept in `found` and appears in the sentence escaped and shortened, so that the
sentence may go into a log as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

# Enough to recognise an HTTP request or a TLS hello, too little to fill a log.
SHOWN_BYTES = 60


def shown(found: bytes) -> str:
    """What a peer sent, as printable ASCII: escaped, quoted, at most `SHOWN_BYTES` of it."""
    more = f"… ({len(found)} bytes)" if len(found) > SHOWN_BYTES else ""
    return repr(bytes(found[:SHOWN_BYTES]))[1:] + more


class Fault(str):
    """What is wrong with a message that broke no protocol: a printable sentence in English.

    Attributes:
        words: the same as a format string and what goes into it, for who says it in another
            language.
    """

    __slots__ = ("words",)

    words: tuple[str, Mapping[str, object]]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Fault:
        fault = super().__new__(cls, template.format_map(values))
        fault.words = (template, values)
        return fault

    def __reduce__(self) -> tuple[type[Fault], tuple[str, Mapping[str, object]]]:
        # A copy is made of the parts, not of the text.
        return Fault, self.words


class ProtocolError(Exception):
    """Base of what goes wrong on a wire."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol; the conversation is over."""

    def __init__(self, what: str, found: bytes = b"") -> None:
        self.what = what
        self.found = found
        super().__init__(f"{what}: {shown(found)}" if found else what)


class TooLong(RemoteProtocolError):
    """The peer sent more than a limit allows.

    Attributes:
        got, limit: in `unit` ("bytes", "lines").
    """

    def __init__(self, what: str, got: int, limit: int, unit: str = "bytes") -> None:
        self.got = got
        self.limit = limit
        self.unit = unit
        super().__init__(f"{what}: {got} {unit} (limit {limit})")


class PeerClosed(RemoteProtocolError):
    """The peer closed the stream before the conversation was over.

    Attributes:
        received: bytes that stood unread in the buffer.
    """

    def __init__(self, what: str, received: int) -> None:
        self.received = received
        super().__init__(f"closed {what}" + (f", {received} bytes unread" if received else ""))


class LocalProtocolError(ProtocolError):
    """We asked for something that cannot be sent; nothing was sent."""
