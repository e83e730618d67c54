"""A line's words, as Asterisk's console and AGI split them.

Owns the quoting of `parse_args` in main/cli.c; that of res/res_agi.c is the same but for how many
words it takes. Knows no command.
"""

from __future__ import annotations


def split_words(line: str, most: int) -> tuple[str, ...]:
    """The words of a line: blanks and tabs end one, quotes and backslashes keep them in it.

    Args:
        most: what stands behind so many words is cut off.
    """
    words: list[str] = []
    quoted = escaped = False
    blank = True
    for character in line.lstrip(" \t\n\v\f\r"):
        if len(words) >= most:
            break
        if character == '"' and not escaped:
            quoted = not quoted
            if quoted and blank:
                words.append("")
                blank = False
        elif character in " \t" and not (quoted or escaped):
            blank = True
        elif character == "\\" and not escaped:
            escaped = True
        else:
            if blank:
                words.append("")
                blank = False
            words[-1] += character
            escaped = False
    return tuple(words)
