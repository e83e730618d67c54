"""The arguments of an application, split as Asterisk splits them.

Owns the quoting of `__ast_app_separate_args` in main/app.c. Knows no application.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# What Asterisk's ast_strip takes off both ends of a text: everything up to the blank.
BLANKS: Final = "".join(map(chr, range(1, 33)))


class Argument(NamedTuple):
    """One argument.

    Attributes:
        text: without the quotes and backslashes that are Asterisk's.
        start, end: where it stands in the text that was split, as it was written.
    """

    text: str
    start: int
    end: int


def separate(text: str, most: int, *, delimiter: str = ",", raw: bool = False) -> list[Argument]:
    """Split at delimiters outside quotes, parentheses and brackets.

    Args:
        most: arguments that the application declares. The last takes whatever is left, just as it
            is written: quotes, backslashes and further delimiters stay in it.
        raw: keep quotes and backslashes, as AST_STANDARD_RAW_ARGS does.
    """
    arguments: list[Argument] = []
    at, end = 0, len(text)
    parentheses = brackets = 0
    quoted = ended = False
    while at < end and len(arguments) < most - 1:
        start, kept, ended = at, [], False
        while at < end:
            character = text[at]
            if character == "(":
                parentheses += 1
            elif character == ")":
                parentheses = max(parentheses - 1, 0)
            elif character == "[":
                brackets += 1
            elif character == "]":
                brackets = max(brackets - 1, 0)
            elif character == '"':
                quoted = not quoted
                if not raw:
                    at += 1
                    continue
            elif character == "\\":
                if raw:
                    kept.append(character)
                at += 1
                character = text[at : at + 1]
            elif character == delimiter and not (quoted or parentheses or brackets):
                ended = True
                break
            kept.append(character)
            at += 1
        arguments.append(Argument("".join(kept), start, min(at, end)))
        at += ended
    if at < end or ended:
        arguments.append(Argument(text[at:], min(at, end), end))
    return arguments


def texts(text: str, most: int, *, delimiter: str = ",", raw: bool = False) -> list[str]:
    """The same, filled up with "" to as many as the application declares."""
    found = [one.text for one in separate(text, most, delimiter=delimiter, raw=raw)]
    return found + [""] * (most - len(found))
