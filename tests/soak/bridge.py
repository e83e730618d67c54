"""A bridge under load: its configuration, its port, and what it takes of the machine.

Owns what is read of a process in /proc. Refuses to know what is asked of it.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.doors.asking import environment, variables_of, words_of
from tests.running import Running, write_config
from tests.soak.calls import CAMPAIGN

CAP = 4
CONFIG = """
[store]
path = "{ledger}"
[agi]
listen = "127.0.0.1:{port}"
max_connections = {connections}
[http]
listen = "127.0.0.1:0"
[log]
level = "{level}"
[defaults]
exempt = ["_3949"]
[lists.house]
kind = "opposition"
[lists.spare]
kind = "opposition"
region = "FR"
# No law here: the hour of the day must not decide what is asked of the ledger.
[campaigns.soak]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]
[campaigns.soak.tighten]
caps = [{{ max = 4, period = "30 days" }}]
"""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody has now: a bridge that is killed is started on the same one again."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def configured(
    directory: Path,
    *,
    ledger: str = "ledger.db",
    port: int = 0,
    level: str = "info",
    connections: int = 2000,
    name: str = "dialwarden.toml",
) -> Path:
    """A configuration file; its port is free when none is given."""
    text = CONFIG.format(
        ledger=ledger, port=port or free_port(), level=level, connections=connections
    )
    return write_config(directory, text, name)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process takes: bytes, seconds of processor time, descriptors."""

    resident: int
    cpu: float
    descriptors: int

    @classmethod
    def of(cls, pid: int) -> Self:
        proc = Path(f"/proc/{pid}")
        resident = int((proc / "statm").read_text().split()[1]) * _PAGE
        times = (proc / "stat").read_text().rpartition(")")[2].split()[11:13]
        return cls(resident, sum(map(int, times)) / _TICKS, sum(1 for _ in (proc / "fd").iterdir()))


def size_of(path: Path, suffix: str = "") -> int:
    """Bytes; 0 for a file that is not there."""
    try:
        return Path(f"{path}{suffix}").stat().st_size
    except FileNotFoundError:
        return 0


def ask_once(port: int, number: str, call: str, *, within_s: float = 5.0) -> dict[str, str]:
    """What one call is told; {} when nothing is, or nobody is there."""
    question = environment("check", *words_of(number=number, campaign=CAMPAIGN, call=call))
    try:
        with socket.create_connection(("127.0.0.1", port), within_s) as sock:
            sock.sendall(question)
            said = b""
            while not said.endswith(b"\n"):
                more = sock.recv(65536)
                if not more:
                    return {}
                said += more
            sock.sendall(b"200 result=1\n")
    except OSError:
        return {}
    return variables_of(said)


def seconds_to_first_answer(
    running: Running, port: int, began: float, within_s: float = 60.0
) -> float:
    """From `began` (`time.monotonic`) to the first verdict that rests on the ledger.

    Raises:
        TimeoutError: none came.
    """
    while time.monotonic() < began + within_s and running.process.poll() is None:
        # Nobody's number: once called, the cap must not decide what the next start measures.
        number = f"+336{90_000_000 + int(began * 1000) % 10_000_000}"
        said = ask_once(port, number, f"first.{began}", within_s=1.0)
        if said.get("DIALWARDEN_RULE", "unavailable") != "unavailable":
            return time.monotonic() - began
        time.sleep(0.005)
    raise TimeoutError(f"no answer within {within_s} s\n{running.log[-2000:]}")
