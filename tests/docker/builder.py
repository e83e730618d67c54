"""Images built without a daemon: buildah, its storage in a folder of ours, chroot isolation.

Owns what buildah is called with, and how this machine's pip reaches its index from within a build:
its configuration goes in as the secret that docker/Dockerfile takes, and the files that it names
are mounted where they are. None of that stays in an image. Refuses to know what is built.
"""

from __future__ import annotations

import ast
import configparser
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.debian import remove_directory

SOURCE = Path(__file__).parents[2]
# What slim images leave out too; and /tmp, where tests that run beside these keep their Asterisk.
_LEFT_OUT = (
    "./tmp/*", "./usr/share/doc/*", "./usr/share/locale/*", "./usr/share/man/*",
    "./var/cache/apt/*", "./var/lib/apt/lists/*",
)  # fmt: skip


class BuildError(Exception):
    """buildah did not do what it was asked; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Config:
    """What an image says of how it is run; names as in the OCI image specification.

    Attributes:
        healthcheck: the command, empty for none.
    """

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    user: str
    working_directory: str
    environment: tuple[str, ...]
    volumes: tuple[str, ...]
    labels: dict[str, str]
    stop_signal: str
    healthcheck: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A container that is not running: its name, its files, and what its image says."""

    name: str
    root: Path
    config: Config


@dataclass(slots=True)
class Builder:
    """Builds into `directory`; `close` removes everything in it."""

    directory: Path
    _secret: list[str] = field(default_factory=list)
    _driver: str = ""

    def take_root(self, root: Path, tag: str) -> str:
        """An image of a directory that holds a Debian root; its reference."""
        name = self._buildah("from", "scratch")
        inside = self._buildah("mount", name)
        excluded = " ".join(f"--exclude='{path}'" for path in _LEFT_OUT)
        script = f'tar -C "$1" --one-file-system {excluded} -c . | tar -C "$2" -x -p'
        _call(["bash", "-o", "pipefail", "-c", script, "take-root", str(root), inside])
        self._buildah("commit", "--quiet", "--rm", name, tag)
        return f"localhost/{tag}"

    def build(self, dockerfile: str, tag: str, *, base: str) -> str:
        """Build a Dockerfile of this source tree on a base image; what was said meanwhile."""
        return self._buildah(
            "build", "--isolation", "chroot", "--format", "docker",
            "--build-arg", f"BASE={base}", *self._pip(),
            "--tag", tag, "--file", str(SOURCE / dockerfile), str(SOURCE),
            both=True,
        )  # fmt: skip

    def unpack(self, tag: str) -> Unpacked:
        """A new container of an image, its files mounted."""
        name = self._buildah("from", f"localhost/{tag}")
        root = Path(self._buildah("mount", name))
        said = json.loads(self._buildah("inspect", "--type", "image", f"localhost/{tag}"))
        return Unpacked(name, root, _config(said["Docker"]["config"]))

    def running(self, name: str, *command: str, options: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs a command in a container, isolated by chroot."""
        return self._command("run", "--isolation", "chroot", *options, name, "--", *command)

    def set(self, name: str, *options: str) -> None:
        """Change what a container is run with."""
        self._buildah("config", *options, name)

    def close(self) -> None:
        remove_directory(self.directory)

    def _pip(self) -> list[str]:
        """The options that bring this machine's pip configuration into a build."""
        if not self._secret:
            text, files = pip_configuration()
            place = self.directory / "pip.conf"
            place.write_text(text)
            self._secret = ["--secret", f"id=pip,src={place}"]
            for file in files:
                self._secret += ["--volume", f"{file}:{file}:ro"]
        return self._secret

    def _storage(self) -> str:
        """Layers laid over one another where the kernel does that, else a whole copy for each."""
        if not self._driver:
            script = (
                "mkdir -p a b c d && mount -t overlay -o lowerdir=a,upperdir=b,workdir=c none d"
            )
            place = self.directory / "overlay"
            place.mkdir()
            command = ["unshare", "--mount", "sh", "-c", script]
            done = subprocess.run(command, cwd=place, capture_output=True, check=False)
            self._driver = "vfs" if done.returncode else "overlay"
        return self._driver

    def _buildah(self, *words: str, both: bool = False) -> str:
        return _call(self._command(*words), both=both)

    def _command(self, *words: str) -> list[str]:
        return [
            "buildah", "--storage-driver", self._storage(),
            "--root", str(self.directory / "storage"),
            "--runroot", str(self.directory / "run"),
            *words,
        ]  # fmt: skip


def pip_configuration() -> tuple[str, list[Path]]:
    """This machine's pip configuration as one file's text, and the files and folders it names."""
    said = _call([sys.executable, "-m", "pip", "config", "list"])
    merged = configparser.RawConfigParser()
    files = []
    # What the environment says comes last in the list's order of strength, and counts everywhere.
    for line in sorted(said.splitlines(), key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        section, key = name.split(".", 1)
        section = "global" if section == ":env:" else section
        if key == "config-file":  # it has been read
            continue
        value = str(ast.literal_eval(value))
        if not merged.has_section(section):
            merged.add_section(section)
        merged.set(section, key, "\n\t".join(value.split("\n")))
        files += [path for word in value.split() if (path := _local(word))]
    lines = []
    for section in merged.sections():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in merged.items(section))]
    return "\n".join([*lines, ""]), sorted(set(files))


def _local(word: str) -> Path | None:
    """The existing file or folder that a word of a pip setting names."""
    path = urlsplit(word).path if word.startswith("file://") else word
    if not path.startswith("/"):
        return None
    # A folder that an index is in names its files beside itself.
    found = Path(path)
    if found.name == "simple":
        found = found.parent
    return found if found.exists() else None


def _config(said: dict[str, Any]) -> Config:
    test = (said.get("Healthcheck") or {}).get("Test") or [""]
    return Config(
        entrypoint=tuple(said.get("Entrypoint") or ()),
        command=tuple(said.get("Cmd") or ()),
        user=said.get("User") or "",
        working_directory=said.get("WorkingDir") or "/",
        environment=tuple(said.get("Env") or ()),
        volumes=tuple(said.get("Volumes") or ()),
        labels=said.get("Labels") or {},
        stop_signal=said.get("StopSignal") or "",
        healthcheck=tuple(test[1:]) if test[0] == "CMD" else (),
    )


def _call(command: list[str], *, both: bool = False) -> str:
    """What a command says on its standard output, and with `both` on the other one as well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise BuildError(f"`{' '.join(command)}` ended with {done.returncode}:\n{tail}")
    return done.stdout + done.stderr if both else done.stdout.strip()
