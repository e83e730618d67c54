"""What an AMI client sends, read as Asterisk reads it, or refused.

Owns the reading of requests and what in them is ambiguous. Refuses to know what an action does and
whether it may: whoever judges does, and sends on `AmiRequest.to_bytes()`, so that what was judged
is what Asterisk gets.

Asterisk's reading (main/manager.c, the same in 16 to 22):

- `get_input` gives one line: up to LF, less one CR before it. A line whose LF is not within 1024
  bytes fails its message.
- `do_message` gathers up to 128 lines until an empty one; a NUL ends a line's text early, so a
  line that begins with NUL ends the message. Any more lines fail it.
- `__astman_get_header` compares what stands before the ":" without regard to ASCII case, skips
  bytes below 33 after it, keeps blanks at the end, and takes the first of equal names; of
  `Variable` all are used. `process_message` takes the first Action that is not empty.

What could be read in two ways is a `BadRequest` and goes no further. What has one reading is passed
on, however it is spelled; so is a message without an action and one of a blank line alone, which
some clients send as a keepalive or out of habit behind every message: Asterisk answers each with
"Missing action in request", and those clients are used to just that, in its turn.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from dialwarden.wire.ami_message import (
    HEADERS_LIMIT,
    LINE_END,
    LINE_LIMIT_BYTES,
    Header,
    request_bytes,
)

# The lines of a message without its blank line: the most that Asterisk can read.
MESSAGE_LIMIT_BYTES = HEADERS_LIMIT * LINE_LIMIT_BYTES

# Headers that decide what an action does, and of which Asterisk heeds the first alone. Others may
# honestly repeat: Variable, charges (AOCMessage), whatever a UserEvent carries.
NOT_REPEATED = frozenset({
    "account", "action", "actionid", "application", "applicationdata", "async", "authtype",
    "callerid", "channel", "channelid", "codecs", "command", "commandid", "context", "data",
    "dstfilename", "earlymedia", "events", "exten", "extension", "extrachannel", "extracontext",
    "extraexten", "extrapriority", "filename", "interface", "key", "membername",
    "otherchannelid", "priority", "queue", "secret", "srcfilename", "stateinterface", "timeout",
    "username",
})  # fmt: skip

_BLANKS = " \t"
_LINE_ENDING = re.compile(rb"\r?\n")
_MESSAGE_ENDING = re.compile(rb"\n\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


@functools.lru_cache(maxsize=1024)
def _folded(name: str) -> str:
    """A name in lower case, as strncasecmp() folds it: U+212A KELVIN SIGN is no k."""
    return name.lower() if name.isascii() else name.translate(_ASCII_LOWER)


@dataclass(frozen=True, slots=True)
class AmiRequest:
    """One request, as Asterisk reads it.

    Attributes:
        headers: (name, value) in order; the name as written, up to the first ":"; the value without
            blanks before it, with those behind it. Text is UTF-8; other bytes are surrogates. Empty
            for a blank line.
    """

    headers: tuple[Header, ...]

    def get(self, name: str) -> str:
        """The first header of that name, in any case; "" when there is none."""
        wanted = _folded(name)
        for key, value in self.headers:
            if _folded(key) == wanted:
                return value
        return ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every header of that name, in any case, in order."""
        wanted = _folded(name)
        return tuple([value for key, value in self.headers if _folded(key) == wanted])

    @property
    def action(self) -> str:
        """The action, as written; "" when there is none."""
        for key, value in self.headers:
            if value and _folded(key) == "action":
                return value
        return ""

    @property
    def action_id(self) -> str:
        """What the client tells its requests apart by; "" when it does not."""
        return self.get("actionid")

    def with_header(self, name: str, value: str) -> AmiRequest:
        """The same with that one header in the place of all of that name, else at the end.

        Raises:
            UnsafeText: it cannot be sent: CR, LF, NUL, a name that is none, a line too long for
                Asterisk, or one header too many.
        """
        wanted = _folded(name)
        new: Header | None = (name, value.lstrip(_BLANKS))
        headers: list[Header] = []
        for header in self.headers:
            if _folded(header[0]) != wanted:
                headers.append(header)
            elif new:
                headers.append(new)
                new = None
        if new:
            headers.append(new)
        request = AmiRequest(tuple(headers))
        request.to_bytes()
        return request

    def to_bytes(self) -> bytes:
        """`Name: value` lines and a blank one; read again they are this request.

        Never raises for what `RequestReader` gave or `with_header` took.

        Raises:
            UnsafeText: as `with_header`.
        """
        return request_bytes(self.headers)


@dataclass(frozen=True, slots=True)
class BadRequest:
    """A message that Asterisk would or could read otherwise than we did.

    Attributes:
        why: one printable English sentence, without any value of the message.
        action_id: "" when there was none, or none that could be read safely.
    """

    why: str
    action_id: str


_NOTHING = AmiRequest(())


class RequestReader:
    """Cuts a client's bytes into requests.

    However the bytes are split, the same comes out. At most one message is held, and of one that is
    longer than Asterisk reads nothing once that has been told.
    """

    __slots__ = ("_buffer", "_skipping")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skipping = False  # the rest of a message that was told already

    @property
    def pending(self) -> int:
        """Bytes received of a message that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[AmiRequest | BadRequest]:
        """Take what the client sent; give what it completes, in order.

        A bad message is told once, at its end, or as soon as it is longer than any can be; either
        way the next begins behind its blank line.
        """
        buffer = self._buffer
        # A blank line can begin two bytes before what is new; nothing is looked at more often.
        unseen = max(0, len(buffer) - 2)
        buffer += data
        completed: list[AmiRequest | BadRequest] = []
        start = 0
        while True:
            blank = None if self._skipping else _LINE_ENDING.match(buffer, start)
            if blank:
                completed.append(_NOTHING)
                start = unseen = blank.end()
                continue
            ending = _MESSAGE_ENDING.search(buffer, max(start, unseen))
            if not ending:
                break
            if not self._skipping:
                completed.append(_read(bytes(buffer[start : ending.start() + 1])))
            self._skipping = False
            start = unseen = ending.end()
        del buffer[:start]
        # The two bytes more are the blank line of the longest message, all but complete.
        if not self._skipping and len(buffer) >= MESSAGE_LIMIT_BYTES + len(LINE_END):
            completed.append(_too_large(bytes(buffer)))
            self._skipping = True
        if self._skipping:
            del buffer[:-2]
        return completed


def _read(block: bytes) -> AmiRequest | BadRequest:
    """Read a message's lines, each with its line end, the blank one left out."""
    if len(block) > MESSAGE_LIMIT_BYTES:
        return _too_large(block)
    control = _CONTROL.search(block)
    if control:
        return _bad(block, _control_fault(control[0]))
    lines = block.replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape").split("\n")
    lines.pop()  # behind the last line end
    if len(lines) > HEADERS_LIMIT:
        return _bad(block, f"{len(lines)} header lines, Asterisk reads at most {HEADERS_LIMIT}")
    # A rewritten line is at most two bytes longer than it came: the space, and CR LF for LF.
    if len(block) > LINE_LIMIT_BYTES - 2 and (fault := _length_fault(block)):
        return _bad(block, fault)
    headers: list[Header] = []
    keys: list[str] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not name or not colon or " " in name or "\t" in name:
            return _bad(block, _line_fault(name, colon, len(headers) + 1))
        headers.append((name, value.lstrip(_BLANKS)))
        keys.append(_folded(name))
    if len(set(keys)) < len(keys):
        repeated = _without_repeats(headers, keys)
        if isinstance(repeated, str):
            return _bad(block, repeated)
        headers = repeated
    request = AmiRequest(tuple(headers))
    if request.action.endswith((" ", "\t")):
        # Asterisk would not know that action either; it must not be taken for the one without.
        return _bad(block, "a blank stands behind the name of the action; take it away")
    return request


def _without_repeats(headers: list[Header], keys: list[str]) -> list[Header] | str:
    """Keep one of equal headers that Asterisk reads once; what is wrong when they differ."""
    values: dict[str, str] = {}
    kept: list[Header] = []
    for header, key in zip(headers, keys, strict=True):
        if key in NOT_REPEATED and key in values:
            if values[key] != header[1]:
                return (
                    f"header {key} is given twice with different values, "
                    "of which Asterisk heeds only one; send one"
                )
            continue
        values[key] = header[1]
        kept.append(header)
    return kept


def _bad(block: bytes, why: str) -> BadRequest:
    return BadRequest(why, _safe_action_id(block))


def _too_large(block: bytes) -> BadRequest:
    # How much more has come by now depends on how it was split.
    return _bad(
        block[:MESSAGE_LIMIT_BYTES],
        f"the message is longer than {MESSAGE_LIMIT_BYTES} bytes, the most that Asterisk can read; "
        "end each message with a blank line",
    )


def _control_fault(found: bytes) -> str:
    what = {b"\0": "NUL", b"\r": "CR without LF"}.get(found, f"control character 0x{found[0]:02x}")
    return f"{what} in the message; a line is text and tabs, and ends with CR LF"


def _length_fault(block: bytes) -> str:
    """What is wrong when a line is too long for Asterisk, as it came or as it is rewritten."""
    most = LINE_LIMIT_BYTES - len(LINE_END)
    for number, line in enumerate(block.split(b"\n"), 1):
        came = line.removesuffix(b"\r")
        name, _, value = came.partition(b":")
        rewritten = len(name) + len(b": ") + len(value.lstrip(b" \t"))
        if len(line) + 1 > LINE_LIMIT_BYTES or rewritten > most:
            size = max(len(came), rewritten)
            return f"line {number} has {size} bytes, Asterisk reads at most {most}"
    return ""


def _line_fault(name: str, colon: str, number: int) -> str:
    if not colon or not name:
        return f'line {number} is no "Name: value"'
    return f"line {number} has a blank in the name of its header, for Asterisk another name"


def _safe_action_id(block: bytes) -> str:
    """The ActionID of a message that is not trusted otherwise, to answer it with."""
    for line in block.split(b"\n")[:-1]:
        name, colon, value = line.removesuffix(b"\r").partition(b":")
        if colon and name.lower() == b"actionid":
            value = value.lstrip(b" \t")
            clean = not _CONTROL.search(value) and len(line) < LINE_LIMIT_BYTES
            return value.decode("utf-8", "surrogateescape") if clean else ""
    return ""
