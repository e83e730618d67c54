"""The processes of a self-test, and that none of them outlives it.

Owns how one is started and what the self-test does when it is told to end. A bridge that stands
still (SIGSTOP) ends by nothing but SIGKILL, and would keep its port for good.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# As a service manager, `timeout` and a terminal that is closed tell it. Ctrl-C is Python's own.
_ENDS = (signal.SIGTERM, signal.SIGHUP)


def start(
    argv: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program that is gone when we are, killed or not; it writes to `log`."""
    # util-linux has it, so Linux does; elsewhere a self-test that is killed leaves its own behind.
    tied = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    with log.open("wb") as out:
        return subprocess.Popen(
            [*tied, *argv],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            # A Ctrl-C is for us alone: we end them, each in its order.
            start_new_session=True,
        )


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Within it, being told to end is an exception: what was begun is ended and removed."""

    def leave(number: int, _: object) -> None:
        sys.exit(128 + number)

    former = {number: signal.signal(number, leave) for number in _ENDS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
