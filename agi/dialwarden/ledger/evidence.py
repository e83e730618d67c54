"""What a peer sent, as it is kept: as evidence, not as a way to fill our disk."""

from __future__ import annotations

_TEXT_LIMIT = 128


def bounded(text: str) -> str:
    """Its first 128 characters, with ? for a lone surrogate.

    Such a surrogate (bytes that were no UTF-8) would make SQLite refuse the whole row.
    """
    return text[:_TEXT_LIMIT].encode(errors="replace").decode()
