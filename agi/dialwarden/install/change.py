"""A change to one file, and how it is shown before it is made.

Owns the diff, in which no secret stands. Refuses to know why a file is changed.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dialwarden.install.folder import Found

_SECRET = re.compile(
    # Also those of an admin's own in [globals]: DB_PASSWORD, TRUNKSECRET2.
    r"^([-+ ]?[;\s]*[\w.-]*(?:secret|passw(?:or)?d|pass|md5_cred)\d*\s*=>?\s*)\S.*$",
    re.IGNORECASE,
)
Action = Literal["made", "changed", "removed"]


def sha256(content: bytes | None) -> str | None:
    """Of a file's bytes, hexadecimal; None of no file."""
    return None if content is None else hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is, and as it shall be.

    Attributes:
        found: the file now.
        after: its bytes then; None: it is removed.
        mode: its permissions then.
        uid, gid: its owner then.
        why: a sentence where there is something to be said; empty otherwise.
        secret: its content is not shown at all.
    """

    found: Found
    after: bytes | None
    mode: int
    uid: int
    gid: int
    why: str = ""
    secret: bool = False

    @property
    def path(self) -> Path:
        return self.found.path

    @property
    def action(self) -> Action:
        if self.after is None:
            return "removed"
        return "made" if self.found.content is None else "changed"

    @classmethod
    def of(
        cls, found: Found, after: bytes | None, *, why: str = "", secret: bool = False
    ) -> Change:
        """A change that leaves owner and mode as they are."""
        return cls(found, after, found.mode, found.uid, found.gid, why, secret)

    def diff(self) -> Iterator[str]:
        """A unified diff, without line ends; what is no UTF-8 stands there as \\xNN."""
        if self.secret:
            mode = "" if self.after is None else f", mode {self.mode:04o}"
            yield f"{self.action}: {self.path}{mode} (its content is not shown)"
            return
        name = str(self.path)
        before = "/dev/null" if self.found.content is None else name
        after = "/dev/null" if self.after is None else name
        lines = difflib.unified_diff(
            _lines(self.found.content), _lines(self.after), before, after, lineterm=""
        )
        for line in lines:
            yield _SECRET.sub(r"\1(hidden)", line)


def _lines(content: bytes | None) -> list[str]:
    return (
        [
            line.decode("utf-8", "backslashreplace").removesuffix("\r")
            for line in (content or b"").removesuffix(b"\n").split(b"\n")
        ]
        if content
        else []
    )
