"""The one command we send, and the one function that escapes what goes into it.

Owns the road of a value from here onto the channel. Refuses to know what the values mean.

A command is a line of at most `COMMAND_LIMIT_BYTES`, ended by LF alone: Asterisk cuts the LF off
and leaves a CR in the last value. It reads the line twice:

1. `parse_args` (res/res_agi.c) splits it into words at blanks outside quotes. `"` opens and closes
   a quote, `\\` makes the next character literal; both go.
2. `ARRAY()` (funcs/func_strings.c) splits the fourth word at commas, by `AST_STANDARD_APP_ARGS`
   (main/app.c, `__ast_app_separate_args`). Again `"` quotes and `\\` makes literal; both go. Round
   and square brackets are counted, **inside quotes as well**, and a comma within an open one does
   not split: an unpaired "(" in one value would swallow every variable behind it.

So a value goes out in the quotes of the second reading, with unpaired brackets escaped for it, and
the quotes and backslashes of that escaped for the first. Neither reading fails: whatever comes in,
some variables are set, and the reply is `200 result=1`. Hence nothing is left to chance here.

What a value itself may hold is less than what could be carried: it ends in dialplan expressions,
`$["${DIALWARDEN_RULE}" = "gap"]`, in logs and on consoles. See `safe_text`.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Mapping

from dialwarden.wire.errors import LocalProtocolError

# res/res_agi.c, AGI_BUF_LEN: 2048 with the closing NUL until July 2025, 8192 since. The older one
# is everywhere; 2047 bytes with the LF are what fits, and the margin costs nothing.
COMMAND_LIMIT_BYTES = 2000
# ARRAY() keeps 99 of each, silently.
VARIABLES_LIMIT = 99

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
# What passes both readings as it is.
_PLAIN_CHARACTERS = r"A-Za-z0-9 !#%&'*+./:;<=>?@^_`{|}~-"
_PLAIN = re.compile(f"[{_PLAIN_CHARACTERS}]*")
_PLAIN_WORDS = re.compile(f"[,{_PLAIN_CHARACTERS}]*")
_REPLACED = str.maketrans({'"': "'", "\\": "/", "$": "?"})
_BRACKETS = re.compile(r"[()\[\]]")
_COMMAND = re.compile(r'SET VARIABLE ARRAY\(([A-Z0-9_,]+)\) "(.*)"\n', re.DOTALL)


def safe_text(value: str) -> str:
    """What of a value is put on a channel: one line, printable, without active characters.

    Blanks of every kind become a space, `"` becomes `'`, a backslash `/`; `$` and what cannot be
    printed (control characters, NUL, halves of characters, invisible marks) become `?`.
    """
    if _PLAIN.fullmatch(value):
        return value
    value = value.translate(_REPLACED)
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in value)


def set_variables(values: Mapping[str, str], *, shorten: str = "") -> bytes:
    """The command that sets all of `values` on the channel in one round trip.

    Args:
        values: variable name to value; names are constants of ours, values may hold anything.
        shorten: name of the value that may be cut, ending in "…", where the command is too long.

    Raises:
        LocalProtocolError: no variable, too many, a name that is none, or a command that does not
            fit even with `shorten` emptied.
    """
    head = _head(tuple(values))
    words = ",".join(values.values())
    # An ALLOW and most refusals need no escaping at all: one look at everything tells.
    if not _PLAIN_WORDS.fullmatch(words) or words.count(",") != len(values) - 1:
        words = _words(values)
    command = f'{head}{words}"\n'.encode()
    if len(command) > COMMAND_LIMIT_BYTES:
        room = COMMAND_LIMIT_BYTES - len(head) - len('"\n')
        command = f'{head}{_shortened(values, shorten, room)}"\n'.encode()
    return command


@functools.lru_cache(maxsize=64)
def _head(names: tuple[str, ...]) -> str:
    """The command up to the opening quote; cached, since a script always sets the same names."""
    if not 0 < len(names) <= VARIABLES_LIMIT:
        raise LocalProtocolError(f"{len(names)} variables to set (1 to {VARIABLES_LIMIT})")
    for name in names:
        if not _NAME.fullmatch(name):
            raise LocalProtocolError(f"{name!r} is no variable name")
    return f'SET VARIABLE ARRAY({",".join(names)}) "'


def _words(values: Mapping[str, str]) -> str:
    return ",".join([_word(value) for value in values.values()])


def _word(value: str) -> str:
    """A value in the form that comes out of both readings as `safe_text(value)`."""
    if _PLAIN.fullmatch(value):
        return value
    text = safe_text(value)
    if not _paired(text, "()") or not _paired(text, "[]"):
        text = _BRACKETS.sub(r"\\\\\g<0>", text)
    return f'\\"{text}\\"'


def _paired(text: str, brackets: str) -> bool:
    """Whether each bracket closes one that was opened: Asterisk's count then ends where it began.

    It counts the two kinds apart from each other, so `([)]` is paired here too.
    """
    opening, closing = brackets[0], brackets[1]
    depth = 0
    for character in text:
        if character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def _shortened(values: Mapping[str, str], name: str, room: int) -> str:
    """The words with the longest beginning of the named value that fits into `room` bytes."""
    text = safe_text(values.get(name, ""))[:COMMAND_LIMIT_BYTES]

    def size(kept: int) -> int:
        return len(_words({**values, name: text[:kept] + "…"}).encode())

    fitting = bisect_right(range(len(text)), room, key=size) - 1 if text else -1
    if fitting < 0:
        raise LocalProtocolError(f"values exceed the {room} bytes that a command has for them")
    return _words({**values, name: text[:fitting] + "…"})


def variables_in(command: bytes) -> dict[str, str]:
    """What a command of `set_variables` sets on a channel, read as Asterisk reads it.

    {} for anything else: who answers may be no bridge at all.
    """
    whole = _COMMAND.fullmatch(command.decode(errors="replace"))
    if whole is None:
        return {}
    names = whole[1].split(",")
    # Asterisk's AGI takes the backslashes off once, ARRAY() what is left of them again.
    values = _array(re.sub(r"\\(.)", r"\1", whole[2]))
    return dict(zip(names, values, strict=True)) if len(names) == len(values) else {}


def _array(text: str) -> list[str]:
    """Split at commas outside quotes, as ARRAY() does."""
    values, quoted, escaped = [""], False, False
    for character in text:
        if escaped:
            values[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            values.append("")
        else:
            values[-1] += character
    return values
