"""A real bridge of its own: a scratch ledger, a campaign under policy `none`, one port.

Owns its process and its folder, and ends it whatever happens.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from dialwarden.errors import SelftestError
from dialwarden.selftest.children import start
from dialwarden.selftest.plugs import CAMPAIGN

START_S = 20.0
_CONFIG = """
[store]
path = "ledger.db"
[agi]
listen = "127.0.0.1:{port}"
[http]
listen = "127.0.0.1:{http}"
[campaigns.{campaign}]
professional = "selftest"
policy = "none"
region = "FR"
purpose = "survey"
"""


class ScratchBridge:
    """Serves while it is entered.

    Raises:
        SelftestError: it did not come up; the message has its last lines.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._log = folder / "bridge.log"

    def __enter__(self) -> Self:
        config = self._folder / "dialwarden.toml"
        config.write_text(_CONFIG.format(port=self._port, http=free_port(), campaign=CAMPAIGN))
        # -P: whatever is called dialwarden.py in the folder that root happens to be in is not run.
        self._process = start(
            [sys.executable, "-P", "-m", "dialwarden", "serve", "--config", str(config)],
            self._log,
            environment=_environment(),
        )
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def stand_still(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.02)  # not listening yet: nothing to be told of it by
        said = self._log.read_text("utf-8", errors="replace").splitlines()[-5:]
        raise SelftestError("a bridge of its own did not start: " + " / ".join(said))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def _environment() -> dict[str, str]:
    """Ours, without what tells a service of its sockets and of systemd."""
    ours = {k: v for k, v in os.environ.items() if k not in {"NOTIFY_SOCKET", "WATCHDOG_USEC"}}
    return {k: v for k, v in ours.items() if not k.startswith("LISTEN_")}
