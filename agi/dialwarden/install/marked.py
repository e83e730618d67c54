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
from collections.abc import Iterator, Sequence

BEGIN = (
    b"; >>> dialwarden: put here by `dialwarden install`, taken out by `dialwarden install --undo`"
)
END = b"; <<< dialwarden"


_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_CONTEXT = re.compile(rb"^[ \t]*\[([^\]\r\n]+)\]", re.MULTILINE)
_INCLUDE = re.compile(
    rb'^[ \t]*#(try)?include[ \t]+["<]?([^">;\r\n]+?)[">]?[ \t]*(?:;.*)?\r?$', re.M
)


def with_lines(text: bytes, lines: Sequence[str]) -> bytes:
    """The text with these lines of ours: where others of ours stand, else at the end."""
    end = b"\r\n" if b"\r\n" in text else b"\n"
    block = end.join([BEGIN, *(line.encode() for line in lines), END]) + end
    kept, placed = [], False
    for ours, line in _told_apart(text):
        if not ours:
            kept.append(line)
        elif not placed:
            kept.append(block)
            placed = True
    if placed:
        return b"".join(kept)
    if text and not text.endswith(b"\n"):
        text += end
    return text + block


def without_lines(text: bytes) -> bytes:
    """The text without any line of ours."""
    return b"".join(line for ours, line in _told_apart(text) if not ours)


def our_lines(text: bytes) -> tuple[str, ...]:
    """The lines of ours that stand between our markers."""
    return tuple(
        line.decode("utf-8", "replace").strip()
        for ours, line in _told_apart(text)
        if ours and line.strip() not in (BEGIN, END)
    )


def _told_apart(text: bytes) -> Iterator[tuple[bool, bytes]]:
    """Each line, and whether it is ours: a marker, or an #include between two of them.

    Whatever else somebody wrote between the markers is theirs. Where the second marker was lost,
    the #includes directly behind the first are ours, and nothing after them.
    """
    lines = _LINE.findall(text)
    until = -1
    for place, line in enumerate(lines):
        if line.strip() == BEGIN:
            until = _last_of_block(lines, place)
            yield True, line
        elif place <= until:
            yield line.strip() == END or line.lstrip().startswith(b"#include"), line
        else:
            yield False, line


def _last_of_block(lines: Sequence[bytes], begin: int) -> int:
    last = begin
    for place, line in enumerate(lines[begin + 1 :], begin + 1):
        if line.strip() == END:
            return place
        if line.strip() == BEGIN:
            break
        if last == place - 1 and line.lstrip().startswith(b"#include"):
            last = place
    return last


def contexts_of(text: bytes) -> dict[str, int]:
    """The contexts of a text, and the line where each begins first."""
    text = without_comments(text)
    found: dict[str, int] = {}
    for match in _CONTEXT.finditer(text):
        line = text.count(b"\n", 0, match.start()) + 1
        found.setdefault(match[1].decode("utf-8", "replace").strip(), line)
    return found


def included_by(text: bytes, *, only_needed: bool = False) -> tuple[str, ...]:
    """The files that a text includes, as they are written there; they may be patterns.

    Args:
        only_needed: without those of #tryinclude, which need not be there.
    """
    return tuple(
        match[2].decode("utf-8", "surrogateescape").strip()
        for match in _INCLUDE.finditer(without_comments(text))
        if not (only_needed and match[1])
    )


def body_of(text: bytes, context: str) -> str:
    """What stands in a context, without its header; "" when there is no such context."""
    match = re.search(
        rb"^[ \t]*\[" + re.escape(context.encode()) + rb"\][^\r\n]*\r?\n(.*?)(?=^[ \t]*\[|\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    return match[1].decode("utf-8", "replace").strip("\r\n") if match else ""


def without_comments(text: bytes) -> bytes:
    """The same lines without any comment."""
    return _read(text)[0]


def comment_left_open(text: bytes) -> int | None:
    """The line with half a comment, `;--` or `--;`, behind which Asterisk reads nothing."""
    return _read(text)[1]


def _read(text: bytes) -> tuple[bytes, int | None]:
    """The text without comments, and where half a comment stands that is never made whole.

    As config.c does it, a semicolon at a time: `;--` is looked for only where no `;` came before it
    in its line, a third dash makes it a comment to the end of the line, and `;--` nests. A `--;`
    too many counts as well: Asterisk is then in a comment until the next `;--`.
    """
    depth, began = 0, 0
    kept = []
    for number, line in enumerate(text.split(b"\n"), 1):
        out, rest, live = b"", line, not depth
        while rest:
            before, semicolon, behind = rest.partition(b";")
            escaped = before.endswith(b"\\")
            begins = not escaped and behind[:2] == b"--" and behind[2:3] != b"-"
            ends = not escaped and not begins and before.endswith(b"--")
            out += before if live else b""
            if not semicolon or not (escaped or begins or ends or depth):
                break
            if begins or ends:
                began = began if depth else number
                depth += 1 if begins else -1
                live = ends and not depth
            elif live:
                out += semicolon
            rest = behind[2:] if begins else behind
        kept.append(out)
    return b"\n".join(kept), began if depth else None
