"""Every plug pulled, one after another, on one scratch port.

Owns what stands on the port while a call is made. Who makes the call is an argument: an Asterisk
of our own, or ourselves in its part.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from dialwarden.selftest.bad_peer import BadPeer
from dialwarden.selftest.plugs import EMERGENCY, HELD, NUMBER, REAL, Plug, Result, Told
from dialwarden.selftest.scratch_bridge import ScratchBridge


class Caller(Protocol):
    """Who dials, and is told what became of it."""

    def call(self, number: str, *, may_hang: bool = False) -> Told: ...


def pull(
    caller: Caller, port: int, plugs: Iterable[Plug] = Plug, *, emergency: bool
) -> Generator[Result, None, None]:
    """Pull each plug and let somebody call; yields as it goes.

    Args:
        emergency: 112 is dialled too; without a dialplan there is nothing to show by it.

    Raises:
        SelftestError: a bridge or a call of our own failed us.
    """
    for plug in plugs:
        with _failing(plug, port):
            call = caller.call(NUMBER, may_hang=plug in HELD)
            yield Result(plug, call, caller.call(EMERGENCY) if emergency else None)


@contextmanager
def _failing(plug: Plug, port: int) -> Iterator[None]:
    if plug not in REAL:
        with BadPeer(plug, port):
            yield
        return
    with (
        tempfile.TemporaryDirectory(prefix="dialwarden-selftest-") as folder,
        ScratchBridge(Path(folder), port) as bridge,
    ):
        if plug is Plug.STOPPED:
            bridge.stand_still()
        elif plug is Plug.KILLED:
            bridge.kill()
        yield
