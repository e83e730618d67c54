"""Whether free text may name a trunk: an application's data, a line of the console.

Owns the look for names in text whose grammar is not known, and errs towards finding one. Refuses to
know what the text would do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

# Asterisk takes quotes, backslashes and control characters out on some roads, and not on others.
_NOISE = re.compile(r"[\"'\\\x00-\x1f\x7f]")
_EXPLICIT = re.compile(
    r"(?<!\w)pjsip\s*/.*(?<!\w)(?:sips?|tel)\s*:"  # PJSIP/any/sip:user@host
    r"|(?<!\w)sip\s*/[^&,]*[.\[:]",  # SIP/user@host.name
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Naming:
    """Patterns by which a trunk is recognized, a technology each: `PJSIP/` and its endpoints."""

    trunks: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]

    @classmethod
    def of(cls, endpoints: Mapping[str, Iterable[str]]) -> Naming:
        """Args: endpoints: technology to the names of its endpoints, all in lower case."""
        return cls(
            tuple(
                (
                    re.compile(rf"(?<!\w){re.escape(technology)}\s*/"),
                    re.compile("|".join(_name(technology, name) for name in names)),
                )
                for technology, names in endpoints.items()
            )
        )

    def may_be_in(self, text: str) -> bool:
        text = _NOISE.sub("", unquote(text)).lower()
        if _EXPLICIT.search(text):
            return True
        for technology, endpoints in self.trunks:
            # What ${…} will be, nobody knows here.
            if technology.search(text) and ("$" in text or endpoints.search(text)):
                return True
        return False


def _name(technology: str, name: str) -> str:
    if technology == "dahdi":
        if group := re.fullmatch(r"g([0-9]+)", name):
            return rf"(?<!\w)[gr]\s*\+?0*{group[1]}(?![0-9])"
        if span := re.fullmatch(r"(i?)([0-9]+)", name):
            return rf"(?<!\w){span[1]}\s*\+?0*{span[2]}(?![0-9])"
    return rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)"
