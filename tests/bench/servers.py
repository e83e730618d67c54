"""The servers that are measured: each a process on a core of its own, with what it costs.

Owns where processes run and how their processor and memory are read. The load runs in this
process, on another core where there are two; without, the two share it, and the figures say so.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.running import environ

ROOT = Path(__file__).parents[2]
_STARTS_WITHIN_S = 60.0
_IDLE_S = 0.005  # of processor within half a second


class Cores:
    """Which core serves and which asks."""

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.alone = len(cores) == 1
        self._all = set(cores)
        self.asking = cores[0]
        self.serving = cores[-1]

    def ask(self) -> None:
        """Bind this process, and whatever it starts from now on, to the asking core."""
        os.sched_setaffinity(0, {self.asking})

    def served(self) -> contextlib.AbstractContextManager[None]:
        """What is started meanwhile is bound to the serving core."""
        return self._bound({self.serving})

    def all(self) -> contextlib.AbstractContextManager[None]:
        """What is started meanwhile may run on every core."""
        return self._bound(self._all)

    @contextlib.contextmanager
    def _bound(self, cores: set[int]) -> Iterator[None]:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


class Server:
    """A server that was started; the end of a `with` block ends it.

    Args:
        port: where it will listen; 0 when it says so itself, as its first line.
        beside: pid of a database server that works for it and whose processes are counted apart.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cores: Cores,
        log: Path,
        port: int = 0,
        env: Mapping[str, str] | None = None,
        beside: int = 0,
    ) -> None:
        self.name = name
        self.started = time.perf_counter()
        self._beside = beside
        with cores.served(), log.open("wb") as stream:
            self._process = subprocess.Popen(
                argv, env=environ(**(env or {})), cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=stream, stderr=stream,
            )  # fmt: skip
        try:
            self.port = port or self._said(log)
            if port:
                self._wait_listening(log)
        except BaseException:
            self.stop()
            raise

    @classmethod
    def bridge(cls, name: str, config: Path, port: int, cores: Cores) -> Self:
        """Our own, on a configuration that says this port."""
        argv = [sys.executable, "-m", "dialwarden", "serve", "--config", str(config)]
        return cls(name, argv, cores=cores, log=config.with_suffix(".log"), port=port)

    @classmethod
    def peer(
        cls,
        name: str,
        module: str,
        loop: str,
        cores: Cores,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        beside: int = 0,
    ) -> Self:
        """One of `tests.bench.peers`."""
        argv = [sys.executable, "-m", f"tests.bench.peers.{module}", "--loop", loop]
        log = folder / f"{module}-{loop}.log"
        return cls(name, argv, cores=cores, log=log, env=env, beside=beside)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _said(self, log: Path) -> int:
        # Not by connecting: what a connection without a word does to a peer is not our matter.
        while not (found := re.search(r"^(\d+)\n", log.read_text(errors="replace"))):
            self._wait(log)
        return int(found[1])

    def _wait_listening(self, log: Path) -> None:
        """Our bridge heeds no connection that says nothing, and writes no line at `warning`."""
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            self._wait(log)

    def _wait(self, log: Path) -> None:
        late = time.perf_counter() > self.started + _STARTS_WITHIN_S
        if late or self._process.poll() is not None:
            said = log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{self.name} did not start:\n{said}")
        time.sleep(0.002)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def settle(self) -> None:
        """Wait until it does nothing by itself any more: what it does at its start is no call's."""
        give_up = time.perf_counter() + _STARTS_WITHIN_S
        before = self.processor()
        while time.perf_counter() < give_up:
            time.sleep(0.5)
            now = self.processor()
            if now - before < _IDLE_S:
                return
            before = now
        raise SystemExit(f"{self.name} does not come to rest")

    def processor(self) -> float:
        """Seconds of processor that all its threads have taken so far."""
        return _processor_of(self._process.pid)

    def processor_beside(self) -> float:
        """The same of the database server's processes."""
        if not self._beside:
            return 0.0
        return sum(map(_processor_of, (self._beside, *_children_of(self._beside))))

    def resident(self) -> int:
        """Bytes of memory that are its own: what it shares with a file is not counted."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024


def _processor_of(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # The name, in brackets, may hold anything; the parent is the second word behind it.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found
