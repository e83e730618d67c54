"""What is in Asterisk's folder: files as they are, bytes, owner and mode, links followed.

Owns the looking; changes nothing.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from dialwarden.errors import InstallRefused

# More than any configuration is: a log, or a database, was named by mistake.
_LARGEST_BYTES = 32 << 20
# What Asterisk reads first. Folders within its own are read whole by some products: copies of
# files would be read there too.
_FIRST = "extensions.conf"


@dataclass(frozen=True, slots=True)
class Found:
    """A file, or the place where there is none.

    Attributes:
        path: the file itself, where `name` is a link.
        name: as an admin calls it.
        content: None when there is none.
        mode, uid, gid: its own; for one that is to be made, what it shall have.
        link: whether `name` is a link to it.
    """

    path: Path
    name: str
    content: bytes | None
    mode: int
    uid: int
    gid: int
    link: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that exists and may be written to."""

    path: Path

    @classmethod
    def open(cls, path: Path, *, writing: bool) -> Folder:
        """Asterisk's folder, links followed.

        Raises:
            InstallRefused: there is none, it is none of Asterisk's, or it may not be written to.
        """
        try:
            real = path.resolve(strict=True)
            is_folder = real.is_dir()
        except OSError as error:
            raise InstallRefused(
                str(path),
                f"no such folder ({error.strerror})",
                "name Asterisk's with --asterisk-dir",
            ) from None
        if not is_folder:
            raise InstallRefused(str(path), "is no folder", "name the folder it is in")
        if not os.access(real, os.R_OK | os.X_OK, effective_ids=True):
            raise InstallRefused(str(path), "may not be read by this user", "run this as root")
        if writing and not os.access(real, os.W_OK, effective_ids=True):
            raise InstallRefused(
                str(path),
                "may not be written to by this user",
                "run this as root, or with --dry-run",
            )
        if not (real / _FIRST).exists() and (real.parent / _FIRST).exists():
            raise InstallRefused(
                str(path),
                f"is a folder within Asterisk's: {_FIRST} is in {real.parent}",
                f"--asterisk-dir {real.parent}",
            )
        return cls(real)

    def names(self) -> frozenset[str]:
        """Of everything in it, at the top."""
        return frozenset(entry.name for entry in self.path.iterdir())

    def find(self, name: str, *, like: str = "extensions.conf") -> Found:
        """A file by its path in the folder.

        Args:
            like: a file whose owner and mode one that is made shall have; without it the folder's
                owner, and read by all.

        Raises:
            InstallRefused: it is no plain file, cannot be read, or is a link to nowhere.
        """
        named = self.path / name
        try:
            status = named.stat()
        except FileNotFoundError:
            if named.is_symlink():
                raise InstallRefused(
                    str(named), f"is a link to {named.readlink()}, which is not there",
                    "remove the link",
                ) from None  # fmt: skip
            return self._absent(named, name, like)
        except OSError as error:
            raise InstallRefused(str(named), f"cannot be read ({error.strerror})") from None
        if not stat.S_ISREG(status.st_mode):
            raise InstallRefused(str(named), "is no plain file", "move it away")
        if status.st_size > _LARGEST_BYTES:
            raise InstallRefused(str(named), f"has {status.st_size:,} bytes: no configuration")
        real = named.resolve(strict=True)
        try:
            content = named.read_bytes()
        except OSError as error:
            raise InstallRefused(
                str(named), f"cannot be read ({error.strerror})", "run this as root"
            ) from None
        return Found(
            real, name, content, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid,
            link=real != named,
        )  # fmt: skip

    def _absent(self, named: Path, name: str, like: str) -> Found:
        try:
            pattern = (self.path / like).stat()
            mode = stat.S_IMODE(pattern.st_mode) & 0o666
        except OSError:
            pattern = self.path.stat()
            mode = 0o644
        return Found(named, name, None, mode, pattern.st_uid, pattern.st_gid)
