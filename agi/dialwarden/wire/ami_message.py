"""AMI messages as bytes: the only place where AMI text is made, and the reading of Asterisk's.

Owns how a header becomes a line and what may never get into one. Refuses to know what an action
does and what becomes of a response; what clients send is read elsewhere, more strictly.

    message = *( name ":" SP value CR LF ) CR LF

The limits are those of Asterisk's reading (main/manager.c, the same in 16 to 22): `get_input` takes
a line into 1024 bytes with its line end, `do_message` keeps AST_MAX_MANHEADERS lines. A message
beyond them is answered with an error and not carried out, so none is made here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

LINE_LIMIT_BYTES = 1024  # of a request, with its line end
LINE_END = b"\r\n"
HEADERS_LIMIT = 128

Header = tuple[str, str]

# Asterisk knows no header with a blank in its name: "Action :" is not Action.
_NAME = re.compile(r"[^\x00-\x20:\x7f]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


class UnsafeText(ValueError):
    """A header that would be read otherwise than it is meant; nothing was made of it.

    The sentence names the header and never shows its value, which may be a secret.
    """


def request_bytes(headers: Iterable[Header]) -> bytes:
    """What reaches Asterisk; without headers a blank line, which it answers with an error.

    Raises:
        UnsafeText: CR, LF or NUL in a name or value, a name that is none (empty, with a blank or
            ":"), a line or a message longer than Asterisk reads, half a character.
    """
    lines = _lines(headers)
    if len(lines) > HEADERS_LIMIT:
        raise UnsafeText(f"{len(lines)} headers, Asterisk reads at most {HEADERS_LIMIT}")
    message = _message(lines)
    if len(message) > LINE_LIMIT_BYTES:
        for line in message.split(LINE_END):
            if len(line) + len(LINE_END) > LINE_LIMIT_BYTES:
                name = ascii(line.partition(b":")[0][:40].decode("utf-8", "replace"))
                raise UnsafeText(
                    f"header {name} has {len(line)} bytes, "
                    f"Asterisk reads at most {LINE_LIMIT_BYTES - len(LINE_END)}"
                )
    return message


def action_bytes(name: str, headers: Iterable[Header] = ()) -> bytes:
    """An action, `headers` in order behind its name.

    Raises:
        UnsafeText: as `request_bytes`.
    """
    return request_bytes((("Action", name), *headers))


def error_response(action_id: str, message: str) -> bytes:
    """`Response: Error`, in the order of Asterisk's own (`astman_send_response_full`).

    Args:
        action_id: of the request; "" when it had none.
        message: may quote what a client sent: each run of control characters becomes a space, and
            a byte that was no UTF-8 a "?".

    Raises:
        UnsafeText: CR, LF or NUL in the action id, half a character.
    """
    headers = [("Response", "Error")]
    if action_id:
        headers.append(("ActionID", action_id))
    text = _CONTROLS.sub(" ", message).encode("utf-8", "replace").decode()
    headers.append(("Message", text))
    return _message(_lines(headers))


def parse_message(block: bytes) -> dict[str, str]:
    """Read a response or an event of Asterisk's, with or without its blank line.

    Names are in lower case, and of equal names the first holds: what a value smuggled in comes
    later. Lines end with CR LF alone, so a bare LF stays in its value. One space after the colon
    is Asterisk's, any more are the value's. Bytes that are no UTF-8 become U+FFFD.
    """
    message: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            name = name.lower()
            if name not in message:
                message[name] = value.removeprefix(" ")
    return message


@functools.lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _lines(headers: Iterable[Header]) -> list[str]:
    lines = []
    for name, value in headers:
        if not _is_name(name):
            raise UnsafeText(f"{name[:40]!a} is no name of a header")
        if "\n" in value or "\r" in value or "\0" in value:
            raise UnsafeText(f"the value of header {name[:40]!a} holds CR, LF or NUL")
        lines.append(f"{name}: {value}\r\n")
    return lines


def _message(lines: list[str]) -> bytes:
    try:
        # Surrogates are bytes that were no UTF-8 when they came in.
        return ("".join(lines) + "\r\n").encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UnsafeText("a header holds half a character, which has no bytes") from error
