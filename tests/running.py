"""A real bridge as a process: `python -m dialwarden serve`, on a port of the system's choosing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import dialwarden

SOURCES = str(Path(dialwarden.__file__).parents[1])
# What must happen sooner or later happens within this, on a machine that does much else.
WITHIN_S = 30.0
CONFIG = """
[store]
path = "ledger.db"
[agi]
listen = "127.0.0.1:0"
[lists.house]
kind = "opposition"
[campaigns.free]
professional = "free"
policy = "none"
region = "FR"
[campaigns.listed]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]
[campaigns.capped]
professional = "acme"
policy = "none"
region = "FR"
[campaigns.capped.tighten]
caps = [{ max = 4, period = "30 days" }]
"""
SERVE = (sys.executable, "-m", "dialwarden", "serve", "--config")


def environ(**more: str) -> dict[str, str]:
    left_out = ("LISTEN_", "DIALWARDEN_", "NOTIFY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "PYTHONPATH": SOURCES, **more}


def write_config(directory: Path, text: str = CONFIG, name: str = "dialwarden.toml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


class Running:
    """A bridge that was started; the end of a `with` block ends it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, skip: int) -> None:
        self.process = process
        self._log = log
        self._skip = skip

    @classmethod
    def start(
        cls,
        config: Path,
        *,
        env: Mapping[str, str] | None = None,
        argv: Sequence[str] = SERVE,
        pass_fds: Sequence[int] = (),
    ) -> Self:
        log = config.with_suffix(".log")
        skip = log.stat().st_size if log.exists() else 0
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [*argv, str(config)], env=env or environ(), stdin=subprocess.DEVNULL,
                stdout=stream, stderr=stream, pass_fds=pass_fds,
            )  # fmt: skip
        return cls(process, log, skip)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        """What this process, and whoever it started, has said so far."""
        return self._log.read_bytes()[self._skip :].decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]

    def until_said(self, words: str, times: int = 1) -> None:
        self.until(lambda: self.log.count(words) >= times)

    def until(self, happened: Callable[[], bool]) -> None:
        give_up = time.monotonic() + WITHIN_S
        while not happened():
            assert time.monotonic() < give_up, self.log
            time.sleep(0.01)

    @property
    def port(self) -> int:
        """The port it listens on, once it does."""
        return self.port_of("AGI")

    def port_of(self, door: str) -> int:
        """The port of one of its doors, by its name in the log, once it listens."""
        self.until(lambda: "is ready" in self.log or self.process.poll() is not None)
        said = re.findall(rf"{door} on 127\.0\.0\.1:(\d+).* ready", self.log)
        assert said, self.log
        return int(said[-1])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit status, once it has ended."""
        return self.process.wait(WITHIN_S)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.ended()


class SystemdStandIn:
    """The socket on which a service tells systemd its state."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(self.path)
        self._socket.settimeout(WITHIN_S)

    def main_pid(self) -> int:
        """The process that says next that it is ready."""
        return int(self.said("MAINPID")["MAINPID"])

    def said(self, key: str) -> dict[str, str]:
        """The next message that has this key in it, and `pid`, whose it is."""
        while True:
            data, ((_, _, sender),), *_ = self._socket.recvmsg(4096, 256)
            message = dict(line.split("=", 1) for line in data.decode().splitlines())
            if key in message:
                pid, *_ = struct.unpack("3i", sender)  # unix(7): struct ucred
                return {**message, "pid": str(pid)}

    def close(self) -> None:
        self._socket.close()
