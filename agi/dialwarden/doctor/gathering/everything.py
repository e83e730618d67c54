"""The whole snapshot: each side with a limit of its own, so that none holds up another."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from dialwarden import __version__, tzdata
from dialwarden.doctor.dialplan_text import Context, Dialplan, read_file
from dialwarden.doctor.gathering import asterisk_side, bridge_side, host_side, ledger_side
from dialwarden.doctor.gathering.console import console
from dialwarden.doctor.snapshot import Asterisk, Missing, Seen, Snapshot
from dialwarden.settings.config import Config
from dialwarden.shipped import shipped

# A large PBX has thousands of extensions and telephones, and each is looked at.
_ASTERISK_S = 60.0


def shipped_dialplan() -> Dialplan:
    """The dialplan of this version, as it is shipped."""
    return read_file(shipped("asterisk/extensions_dialwarden.conf").read_text("utf-8"))


def shipped_flavours() -> Dialplan:
    """Contexts of our own that products' files bring; theirs, which they are hooked into, not."""
    found: dict[str, Context] = {}
    for file in sorted(shipped().glob("*/extensions_dialwarden_*.conf")):
        contexts = read_file(file.read_text("utf-8")).items()
        found |= {name: one for name, one in contexts if name.startswith("dialwarden-")}
    return found


def gather(config: Config, *, timeout_s: float) -> Snapshot:
    """Look at everything; needs no running loop.

    Args:
        timeout_s: for each question that is put to somebody else.
    """
    return asyncio.run(_gather(config, timeout_s))


async def _gather(config: Config, timeout_s: float) -> Snapshot:
    (asterisk, login), bridge, ledger = await asyncio.gather(
        _asterisk(config, timeout_s),
        bridge_side.look(config, timeout_s),
        asyncio.to_thread(ledger_side.look, config.store.path, datetime.now(UTC), timeout_s),
    )
    return Snapshot(
        now=datetime.now(UTC),
        config=config,
        version=__version__,
        zones=tzdata.VERSION,
        shipped=shipped_dialplan(),
        flavours=shipped_flavours(),
        asterisk=asterisk,
        bridge=bridge,
        ledger=ledger,
        host=host_side.look(
            config,
            asterisk if isinstance(asterisk, Missing) else asterisk.folder,
            asterisk if isinstance(asterisk, Missing) else asterisk.spool,
        ),
        ami=login,
        secret=host_side.weakness(config.ami.secret.reveal()) if config.ami else "",
    )


async def _asterisk(config: Config, timeout_s: float) -> tuple[Seen[Asterisk], Seen[bool]]:
    async with console(config.ami, timeout_s) as (found, login):
        if isinstance(found, Missing):
            return found, login
        try:
            async with asyncio.timeout(max(_ASTERISK_S, timeout_s)):
                return await asterisk_side.look(found), login
        except TimeoutError:
            return Missing(
                f"Asterisk did not answer everything within {_ASTERISK_S:g} s",
                "is it overloaded, or does it hang? core show uptime",
            ), login
