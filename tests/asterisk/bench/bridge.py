"""The real bridge as a process: `python -m dialwarden serve`, on ports of its own.

A configuration is written with the default addresses in it, as an admin would; they are moved to
the bench's ports here, the same way as in the shipped dialplan.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from bench.ports import free_tcp_port

SOURCE_ROOT = Path(__file__).parents[3] / "agi"
AGI_PORT, AMI_PORT, GATEWAY_PORT, HTTP_PORT = 4580, 5038, 5138, 4581
START_S = 20.0
STOP_S = 15.0


class BridgeError(Exception):
    """The bridge did not start, or a command beside it failed; the message says what it said."""


def moved_ports(*, agi: int, ami: int) -> dict[int, int]:
    """Default port to port of a run, for a bridge with every door open.

    Args:
        agi: where the dialplan asks.
        ami: Asterisk's, or what stands before it.
    """
    return {
        AGI_PORT: agi, AMI_PORT: ami, GATEWAY_PORT: free_tcp_port(), HTTP_PORT: free_tcp_port(),
    }  # fmt: skip


class Bridge:
    """A running bridge; `Bridge.start` makes one, `stop` or the end of a `with` block ends it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        directory: Path,
        config: Path,
        ports: Mapping[int, int],
    ) -> None:
        self.process = process
        self.directory = directory
        self.config = config
        self.port = ports[AGI_PORT]
        self.gateway_port = ports.get(GATEWAY_PORT, 0)
        self.http_port = ports.get(HTTP_PORT, 0)

    @classmethod
    def start(
        cls, config: str, directory: Path, *, ports: Mapping[int, int], name: str = "dialwarden"
    ) -> Self:
        """Start the bridge and return once its FastAGI port answers.

        Args:
            config: the TOML text, with default ports in its addresses.
            directory: the working directory, and where the configuration and the log go.
            ports: default port to port of this run; 4580 must be among them.
            name: of the configuration and log files, for several bridges in one directory.

        Raises:
            BridgeError: it ended, or did not answer in time.
        """
        for default, port in ports.items():
            config = config.replace(f"127.0.0.1:{default}", f"127.0.0.1:{port}")
        path = directory / f"{name}.toml"
        path.write_text(config)
        with (directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dialwarden", "serve", "--config", str(path)],
                cwd=directory,
                env=bridge_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        bridge = cls(process, directory, path, ports)
        try:
            bridge._wait_until_it_answers()
        except BaseException:
            bridge.kill()
            raise
        return bridge

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What it has said so far, both streams."""
        return self.config.with_suffix(".log").read_text(errors="replace")

    def wait_ready(self) -> None:
        """Wait until it says over HTTP that its doors are open and it sees what Asterisk does.

        Its lists may be missing: tests import them while it runs.

        Raises:
            BridgeError: it does not come to say so.
        """
        deadline = time.monotonic() + START_S
        said = "nothing"
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.http_port}/healthz", timeout=5
                ) as answer:
                    said = answer.read().decode()
                if _is_ready(json.loads(said)):
                    return
            except urllib.error.HTTPError as error:  # 503: it is blind for the moment
                said = error.read().decode()
            except OSError as error:
                said = str(error)
            time.sleep(0.02)  # nothing to be told of it by
        raise BridgeError(f"the bridge is not ready; it said {said}\n{self.log[-4000:]}")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `dialwarden ARGUMENTS --config ...` beside it, as an admin would."""
        return subprocess.run(
            [sys.executable, "-m", "dialwarden", *arguments, "--config", str(self.config)],
            cwd=self.directory,
            env=bridge_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *arguments: str) -> str:
        """What such a command prints, which must end well.

        Raises:
            BridgeError: it did not.
        """
        result = self.command(*arguments)
        if result.returncode:
            raise BridgeError(f"dialwarden {' '.join(arguments)}: {result.stderr}")
        return result.stdout

    def listed(self, *noun: str) -> list[dict[str, Any]]:
        """The rows of a command that lists some."""
        rows = json.loads(self.done(*noun, "--json"))
        assert isinstance(rows, list)
        return rows

    def import_list(self, name: str, numbers: Iterable[str] = (), *options: str) -> None:
        """A version of one of its lists with these numbers, written in any form, in it."""
        file = self.directory / f"{name}.csv"
        file.write_text("\n".join(["number", *numbers, ""]))
        self.done("list", "import", name, file.name, *options)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, SIGSTOP and SIGCONT among them."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to end and return its exit status; killed when it does not end in time."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)  # a stopped process would sleep on its SIGTERM
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)  # not listening yet: nothing to be told of it by
            else:
                return
        how = "ended" if self.process.poll() is not None else f"did not listen on port {self.port}"
        raise BridgeError(
            f"the bridge {how} (exit status {self.process.poll()}):\n{self.log[-4000:]}"
        )


def bridge_environment() -> dict[str, str]:
    """This process's environment with the package importable from its source."""
    paths = [str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def _is_ready(health: Any) -> bool:
    """Whether nothing is in the way but lists that were not imported."""
    only_lists = all(reason.startswith("list ") for reason in health.get("why", ()))
    return health["status"] == "ready" or (health["status"] == "degraded" and only_lists)
