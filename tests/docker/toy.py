"""docker/compose.yaml brought up without docker: its services in order, run as it says.

Reads the keys that the file uses and fails at any other, so that nothing in it goes untried in
silence. One network in place of two: the toy trunk has an address of its own in it.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tests.docker.builder import SOURCE, Builder, Unpacked
from tests.docker.container import Container, Mount, Network, Spec

FILE = SOURCE / "docker" / "compose.yaml"
ENDS_S = 60.0
TRUNK = "127.0.0.2"
# What docker's network does by itself: a name of its own for the trunk, and its DNS, which is all
# that PJSIP asks for a name.
_IN_ONE_NETWORK = {"trunk": {"TRUNK_HOST": TRUNK}, "asterisk": {"TRUNK": f"{TRUNK}:5070"}}
_KEYS = {
    "build", "cap_drop", "command", "depends_on", "entrypoint", "group_add", "healthcheck",
    "hostname", "image", "logging", "network_mode", "read_only", "restart", "security_opt",
    "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip


def services(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """Every service of a compose file, merges resolved."""
    found: dict[str, dict[str, Any]] = YAML(typ="safe").load(file.read_text())["services"]
    return found


def in_order(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The services' names, each behind those that it waits for."""
    done: set[str] = set()
    while len(done) < len(found):
        ready = [
            name
            for name, service in found.items()
            if name not in done and set(service.get("depends_on", {})) <= done
        ]
        if not ready:
            raise ValueError(f"{FILE.name}: services wait for one another in a circle")
        done.update(ready)
        yield from ready


@dataclass(slots=True)
class Toy:
    """Up after `up`; `down` ends every service in the order in which docker would."""

    builder: Builder
    directory: Path
    network: Network
    running: dict[str, Container] = field(default_factory=dict)
    _unpacked: dict[str, Unpacked] = field(default_factory=dict)
    _checks: dict[str, Sequence[str]] = field(default_factory=dict)

    def up(self) -> None:
        """Start every service once those that it waits for are as it wants them.

        Raises:
            ContainerError: one of them does not come to be so.
        """
        found = services()
        for name, service in found.items():
            if unknown := set(service) - _KEYS:
                raise ValueError(f"{FILE.name}: {name}: {sorted(unknown)}: not tried here")
        hosts = self.directory / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()}\n{TRUNK} trunk\n")
        for name in in_order(found):
            for other, how in found[name].get("depends_on", {}).items():
                self._wait(other, how["condition"])
            self.start(name, found[name])

    def start(self, name: str, service: Mapping[str, Any] | None = None) -> Container:
        """Start one service, again where it has run before."""
        service = services()[name] if service is None else service
        # Read-only, all of them: those of one image can share its files.
        unpacked = self._unpacked.get(service["image"]) or self.builder.unpack(service["image"])
        self._unpacked[service["image"]] = unpacked
        self._checks[name] = unpacked.config.healthcheck
        log = self.directory / f"{name}.log"
        self.running[name] = Container(self._spec(name, service, unpacked), self.network, log)
        return self.running[name]

    def wait_healthy(self, name: str) -> None:
        self.running[name].wait_healthy(self._checks[name])

    def down(self) -> dict[str, int]:
        """End what still runs, last started first; the exit status of each service."""
        return {name: one.stop() for name, one in reversed(self.running.items())}

    def _wait(self, name: str, condition: str) -> None:
        if condition == "service_completed_successfully":
            status = self.running[name].wait(ENDS_S)
            if status:
                raise ValueError(f"{name} ended with {status}:\n{self.running[name].log}")
        else:
            assert condition == "service_healthy", condition
            self.wait_healthy(name)

    def _spec(self, name: str, service: Mapping[str, Any], unpacked: Unpacked) -> Spec:
        config = unpacked.config
        entrypoint = service.get("entrypoint")
        own_command = service.get("command", config.command if entrypoint is None else ())
        environment = dict(line.split("=", 1) for line in config.environment)
        environment |= _IN_ONE_NETWORK.get(name, {})
        return Spec(
            root=unpacked.root,
            command=[*(config.entrypoint if entrypoint is None else entrypoint), *own_command],
            user=config.user,
            working_directory=config.working_directory,
            environment=environment,
            mounts=list(self._mounts(service, unpacked)),
            groups=service.get("group_add", ()),
            read_only=service["read_only"],
            drop_all=service["cap_drop"] == ["ALL"],
            no_new_privileges="no-new-privileges:true" in service["security_opt"],
        )

    def _mounts(self, service: Mapping[str, Any], unpacked: Unpacked) -> Iterator[Mount]:
        yield Mount("/etc/hosts", self.directory / "hosts", read_only=True)
        for line in service.get("tmpfs", ()):
            target, _, options = line.partition(":")
            yield Mount(target, options=options)
        for line in service.get("volumes", ()):
            source, target, *mode = line.split(":")
            place = (
                (FILE.parent / source).resolve()
                if source.startswith(".")
                else self._volume(source, target, unpacked)
            )
            yield Mount(target, place, read_only=mode == ["ro"])

    def _volume(self, name: str, target: str, unpacked: Unpacked) -> Path:
        """A named volume; a new one takes owner and mode over from the image, as docker's do."""
        if not re.fullmatch("[a-z]+", name):
            raise ValueError(f"{FILE.name}: {name} is no volume's name")
        place = self.directory / "volumes" / name
        if not place.exists():
            place.mkdir(parents=True)
            like = unpacked.root / target.lstrip("/")
            if like.exists():
                found = like.stat()
                place.chmod(found.st_mode & 0o7777)
                os.chown(place, found.st_uid, found.st_gid)
        return place
