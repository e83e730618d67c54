"""Asterisk's bytes on their way to a client, cut where a message ends.

Owns the places where something may be put between Asterisk's messages. Refuses to know what the
messages say, but for responses, and those only while somebody watches.

The stream is a banner of one line, "Asterisk Call Manager/x.y.z", and messages that each end with a
blank line. A message is held until it is complete, so that there nearly always is a boundary; one
that grows beyond `HOLD_LIMIT_BYTES` (the output of a Command has no limit) is let through as it
comes.
"""

from __future__ import annotations

from dialwarden.wire.ami_message import parse_message

# A message of Asterisk's is some 300 to 2,000 bytes; above this it is a list or a Command's output.
HOLD_LIMIT_BYTES = 64 * 1024
BANNER_LIMIT_BYTES = 1024

_END = b"\r\n\r\n"
_RESPONSE = b"Response:"


class StreamCutter:
    """The stream from one Asterisk to one client.

    Attributes:
        at_boundary: whether what was returned so far ends where a message ends; only then may
            something else be sent.
        watching: whether responses are looked for. What is cheap without is a search more with it.
        responses: those that the last `feed` completed, while watching: lower-case names to values.
            Only the first `HOLD_LIMIT_BYTES` of each are looked at, and one that is longer is told
            as soon as it is let through.
    """

    __slots__ = ("_before", "_flowing", "_held", "_opened", "at_boundary", "responses", "watching")

    def __init__(self) -> None:
        self.at_boundary = False
        self.watching = False
        self.responses: list[dict[str, str]] = []
        self._held = bytearray()
        self._before = b""  # the last three bytes received: the end of a message may be split
        self._flowing = False  # part of a message has been let through
        self._opened = False  # the banner has passed

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete."""
        return len(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take what Asterisk sent; give what may be sent to the client now, maybe nothing."""
        self.responses = []
        return self._cut(data) if self._opened else self._open(data)

    def flush(self) -> bytes:
        """Give what is held, as it is: the stream has ended."""
        rest = bytes(self._held)
        self._held.clear()
        if rest:
            self.at_boundary = False
        return rest

    def _open(self, data: bytes) -> bytes:
        held = self._held
        held += data
        end = held.find(b"\n", 0, BANNER_LIMIT_BYTES) + 1
        if not end and len(held) < BANNER_LIMIT_BYTES:
            return b""
        # Without a banner it is no Asterisk; what it is, the client may see for itself.
        banner, rest = bytes(held[:end]), bytes(held[end:])
        held.clear()
        self._opened = True
        self.at_boundary = bool(end)
        self._flowing = not end
        self._before = banner[-3:]
        return banner + self._cut(rest)

    def _cut(self, data: bytes) -> bytes:
        end = data.rfind(_END) + len(_END)
        if end < len(_END):
            # None within the new bytes; one may end among their first three.
            split = (self._before + data[:3]).rfind(_END)
            end = split + len(_END) - len(self._before) if split >= 0 else 0
        before, self._before = self._before, (self._before + data[-3:])[-3:]
        if end:
            whole = end == len(data)
            # Joined in one go: what is copied here is most of what a busy stream costs.
            sent = (
                data if whole and not self._held else b"".join((self._held, memoryview(data)[:end]))
            )
            if self.watching:
                self._look(before + sent if self._flowing else _END + sent)
            self._held.clear()
            if not whole:
                self._held += data[end:]
            self._flowing = False
            self.at_boundary = True
            return sent
        if self._flowing:
            return data
        self._held += data
        # The end of the longest message that is held whole may be here but for its last byte.
        if len(self._held) < HOLD_LIMIT_BYTES + len(_END):
            return b""
        sent = bytes(self._held)
        self._held.clear()
        self._flowing = True
        self.at_boundary = False
        if self.watching and sent.startswith(_RESPONSE):
            self._tell(sent)
        return sent

    def _look(self, text: bytes) -> None:
        """Find the responses in whole messages; each begins behind the end of another."""
        mark = _END + _RESPONSE
        found = text.find(mark)
        while found >= 0:
            start = found + len(_END)
            end = text.find(_END, start)
            self._tell(text[start : min(end, start + HOLD_LIMIT_BYTES + 1)])
            found = text.find(mark, end)

    def _tell(self, response: bytes) -> None:
        if len(response) > HOLD_LIMIT_BYTES:
            response = response[:HOLD_LIMIT_BYTES].rpartition(b"\r\n")[0]
        self.responses.append(parse_message(response))
