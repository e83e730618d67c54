"""Which settings take effect at once when a running bridge reads its file again, and which do not.

Owns that one table: the bridge warns by it, and the reference is written by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dialwarden.settings.config import Config
from dialwarden.settings.sections import Gateway

# What is opened at the start, and stays open as it was.
AT_A_RESTART = frozenset({"store", "agi", "ami", "gateway", "http"})
# Of these sections all the same at once.
AT_ONCE = frozenset({("gateway", "dialplan"), ("gateway", "campaigns")})


def waits_for_a_restart(section: str, key: str) -> bool:
    """Whether a key's new value is only taken by a bridge that starts anew."""
    return section in AT_A_RESTART and (section, key) not in AT_ONCE


def changed_for_a_restart(was: Config, now: Config) -> Iterator[str]:
    """The sections of which something changed that the running bridge does not take."""
    if was.store.path != now.store.path:
        yield "[store] path"
    if was.agi != now.agi:
        yield "[agi]"
    if was.ami != now.ami:
        yield "[ami]"
    if _fixed(was.gateway) != _fixed(now.gateway):
        yield "[gateway]"
    if was.http != now.http:
        yield "[http]"


def _fixed(gateway: Gateway) -> Gateway:
    return replace(gateway, campaigns={}, dialplan_users=())
