"""Our lines in an admin's file: put in between two markers, found again, taken out.

Owns the markers, and what of Asterisk's syntax is needed to know which contexts and files a text
names already. Works on bytes: nothing outside the markers changes, whatever its encoding and its
line ends. Refuses to know files.

A text, as Asterisk's config.c reads it:

    [context](template)     begins a context; blanks in front count for nothing
    #include file           so does "file", <file>, and #tryinclude
    ; comment               to the end of the line; ;-- begins one that goes on to --;
"""

from __future__ import annotations

import re
from collections.abc import Sequence

BEGIN = (
    b"; >>> dialwarden: put here by `dialwarden install`, taken out by `dialwarden install --undo`"
)
END = b"; <<< dialwarden"


_BLOCK = re.compile(
    rb"^" + re.escape(BEGIN) + rb"\r?\n(.*?)^" + re.escape(END) + rb"(?:\r?\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_BLOCK_COMMENT = re.compile(rb";--(?!-).*?--;", re.DOTALL)
_CONTEXT = re.compile(rb"^[ \t]*\[([^\]\r\n]+)\]", re.MULTILINE)
_INCLUDE = re.compile(
    rb'^[ \t]*#(?:try)?include[ \t]+["<]?([^">;\r\n]+?)[">]?[ \t]*(?:;.*)?\r?$', re.M
)


def with_lines(text: bytes, lines: Sequence[str]) -> bytes:
    """The text with these lines of ours: where others of ours stand, else at the end."""
    end = b"\r\n" if b"\r\n" in text else b"\n"
    block = end.join([BEGIN, *(line.encode() for line in lines), END]) + end
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda _: block, text, count=1)
    if text and not text.endswith(b"\n"):
        text += end
    return text + block


def without_lines(text: bytes) -> bytes:
    """The text without any line of ours."""
    return _BLOCK.sub(b"", text)


def our_lines(text: bytes) -> tuple[str, ...]:
    """What stands between our markers."""
    found = _BLOCK.search(text)
    return tuple(found[1].decode("utf-8", "replace").splitlines()) if found else ()


def contexts_of(text: bytes) -> dict[str, int]:
    """The contexts of a text, and the line where each begins first."""
    text = _without_comments(text)
    found: dict[str, int] = {}
    for match in _CONTEXT.finditer(text):
        line = text.count(b"\n", 0, match.start()) + 1
        found.setdefault(match[1].decode("utf-8", "replace").strip(), line)
    return found


def included_by(text: bytes) -> tuple[str, ...]:
    """The files that a text includes, as they are written there; they may be patterns."""
    return tuple(
        match[1].decode("utf-8", "surrogateescape").strip()
        for match in _INCLUDE.finditer(_without_comments(text))
    )


def body_of(text: bytes, context: str) -> str:
    """What stands in a context, without its header; "" when there is no such context."""
    match = re.search(
        rb"^[ \t]*\[" + re.escape(context.encode()) + rb"\][^\r\n]*\r?\n(.*?)(?=^[ \t]*\[|\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    return match[1].decode("utf-8", "replace").strip("\r\n") if match else ""


def _without_comments(text: bytes) -> bytes:
    """The same lines, without what is between `;--` and `--;`."""
    return _BLOCK_COMMENT.sub(lambda match: b"\n" * match[0].count(b"\n"), text)
