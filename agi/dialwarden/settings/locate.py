"""Where each key of a TOML text stands: paths to line numbers, nothing else.

`tomllib` forgets lines as soon as it has parsed; an admin needs them. Owns a scan of keys,
headers and the brackets of values. Refuses to know what any value means, and whether the text is
right: it is only ever given text that `tomllib` has accepted.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

# Names of tables and keys; an int is the place in an array, counted from 0.
KeyPath = tuple[str | int, ...]

# The grammar, as far as a scan needs it (TOML 1.0, toml.abnf):
#   key        = simple-key *( ws "." ws simple-key )
#   simple-key = 1*( ALPHA / DIGIT / "-" / "_" ) / basic-string / literal-string
_BLANKS = re.compile(r"[ \t]*")
_BLANKS_AND_LINES = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:\\.|[^"\\\n])*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def locate(text: str) -> dict[KeyPath, int]:
    """The 1-based line of every table, key and array element, by its path.

    Args:
        text: TOML that `tomllib` accepts.
    """
    return _Scan(text.replace("\r\n", "\n")).lines


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: dict[KeyPath, int] = {}
        self._at = 0
        self._line_ends = [place for place, letter in enumerate(text) if letter == "\n"]
        self._tables_in: dict[KeyPath, int] = {}  # arrays of tables, and how many so far
        inside: KeyPath = ()
        while self._skip(_BLANKS_AND_LINES) < len(text):
            inside = self._header() if text[self._at] == "[" else self._pair(inside)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self._at)
        self._at = match.end() if match else self._at + 1
        return self._at

    def _peek(self, mark: str) -> bool:
        return self.text.startswith(mark, self._at)

    def _note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, bisect_right(self._line_ends, self._at - 1) + 1)

    def _header(self) -> KeyPath:
        array = self._peek("[[")
        self._at += 2 if array else 1
        names = self._key()
        path: KeyPath = ()
        for depth, name in enumerate(names, 1):
            path = (*path, name)
            self._note(path)
            if array and depth == len(names):
                self._tables_in[path] = self._tables_in.get(path, 0) + 1
            if path in self._tables_in:
                path = (*path, self._tables_in[path] - 1)
        self._note(path)
        self._skip(_BLANKS)
        self._at += 2 if array else 1
        return path

    def _pair(self, inside: KeyPath) -> KeyPath:
        """Read `key = value`; gives back `inside`, which goes on for the next line."""
        path = inside
        for name in self._key():
            path = (*path, name)
            self._note(path)
        self._skip(_BLANKS)
        self._at += 1  # the equals sign
        self._value(path)
        return inside

    def _key(self) -> list[str]:
        names = []
        while True:
            start = self._skip(_BLANKS)
            quoted = self._peek('"') or self._peek("'")
            end = self._skip(_STRING if quoted else _BARE)
            name = self.text[start:end]
            names.append(str(tomllib.loads(f"x = {name}")["x"]) if quoted else name)
            self._skip(_BLANKS)
            if not self._peek("."):
                return names
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANKS)
        if self._peek("["):
            self._elements(path)
        elif self._peek("{"):
            self._at += 1
            while self._skip(_BLANKS_AND_LINES) < len(self.text) and not self._peek("}"):
                self._pair(path)
                self._comma()
            self._at += 1
        else:
            self._skip(_STRING if self._peek('"') or self._peek("'") else _SCALAR)

    def _elements(self, path: KeyPath) -> None:
        self._at += 1
        place = 0
        while self._skip(_BLANKS_AND_LINES) < len(self.text) and not self._peek("]"):
            self._note((*path, place))
            self._value((*path, place))
            self._comma()
            place += 1
        self._at += 1

    def _comma(self) -> None:
        self._skip(_BLANKS_AND_LINES)
        if self._peek(","):
            self._at += 1
