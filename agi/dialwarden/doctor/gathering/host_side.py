"""This machine: files, disk, clock, and what of manager.conf may be read here.

A secret is looked at here and never handed on: what leaves is a sentence, or a user's name.
"""

from __future__ import annotations

import ctypes
import getpass
import os
import pwd
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from dialwarden.doctor.snapshot import Disk, FileFact, Host, Missing, Seen
from dialwarden.settings.config import Config

# Those that distributions and examples ship: FreePBX, VICIdial, Asterisk's own sample, and ours.
_KNOWN_SECRETS = frozenset({
    "1234", "12345", "123456", "admin", "amp111", "asterisk", "change-me", "changeme", "cron",
    "dialwarden", "manager", "mysecret", "password", "secret", "secret5", "test",
})  # fmt: skip
_SHORTEST_SECRET = 12
_TIME_ERROR = 5
_TIMEX_BYTES = 512  # of struct timex, 208 on 64-bit Linux; read only, so more does no harm
_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_SECRET = re.compile(r"secret\s*=>?\s*(?P<secret>\S.*)", re.IGNORECASE)
_INCLUDE = re.compile(r"#(?:try)?include\s+[\"<]?(?P<file>[^\">]+)[\">]?")
_DEEPEST = 5


def look(config: Config, folder: Seen[Path], spool: Seen[Path | None]) -> Host:
    """Files by what they are; those that are not there by why.

    Args:
        folder: of Asterisk's configuration, as Asterisk names it.
        spool: of its call files.
    """
    ledger = config.store.path
    ami = config.ami
    secret = config.file.parent / ami.secret_file if ami and ami.secret_file else None
    manager = folder if isinstance(folder, Missing) else folder / "manager.conf"
    files: dict[str, Seen[FileFact]] = {
        "ledger": _fact(ledger, absent=""),
        "wal": _fact(Path(f"{ledger}-wal"), absent=""),
        "folder": _fact(ledger.parent, absent=""),
        "config": _fact(config.file),
        "secret": Missing("") if secret is None else _fact(secret),
        "manager": Missing("") if isinstance(manager, Missing) else _fact(manager, absent=""),
        "spool": Missing("not looked for")
        if spool is None
        else spool
        if isinstance(spool, Missing)
        else _fact(spool, absent="Asterisk's spool is not on this file system"),
    }
    return Host(
        files=files,
        disk=_disk(ledger.parent),
        synchronised=_synchronised(),
        weak_users=_weak_users(manager),
        user=_user(),
    )


def weakness(secret: str) -> str:
    """What is wrong with a secret, to stand behind its name; "" for nothing."""
    if secret.lower() in _KNOWN_SECRETS:
        return "is one that everybody knows"
    if len(secret) < _SHORTEST_SECRET:
        return f"has {len(secret)} characters; {_SHORTEST_SECRET} or more cannot be tried out"
    return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _fact(path: Path, *, absent: str | None = None) -> Seen[FileFact]:
    """A file's facts; `absent` is why when it is not there, "" where that is no news."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return Missing(f"{path} is not there" if absent is None else absent)
    except OSError as error:
        return Missing(
            f"{path} cannot be looked at ({error.strerror})", "run this as root, or as its owner"
        )
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = str(found.st_uid)
    return FileFact(path, stat.S_IMODE(found.st_mode), owner, found.st_size)


def _disk(folder: Path) -> Seen[Disk]:
    # Of one that is still to be made, the folder that it will be made in.
    folder = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return Missing(f"{folder} cannot be looked at ({error.strerror})", "see [store] path")
    return Disk(
        free=found.f_bavail * found.f_frsize,
        total=found.f_blocks * found.f_frsize,
        inodes_free=found.f_favail,
        inodes=found.f_files,
    )


def _synchronised() -> Seen[bool]:
    """What the kernel holds of its clock, by adjtimex(2) with nothing to adjust."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(
            ctypes.create_string_buffer(_TIMEX_BYTES)
        )
    except (OSError, AttributeError):
        state = -1
    if state < 0:
        return Missing(
            "the kernel does not tell whether its clock is synchronised",
            "on the host: timedatectl show -p NTPSynchronized, or chronyc tracking",
        )
    return bool(state != _TIME_ERROR)


def _weak_users(manager: Path | Missing) -> Seen[tuple[str, ...]]:
    """AMI users whose secret, as manager.conf has it, is known to everybody."""
    if isinstance(manager, Missing):
        return manager
    try:
        secrets = dict(_secrets(manager, manager.parent, 0))
    except OSError as error:
        return Missing(
            f"{manager} cannot be read here ({error.strerror})",
            "run this as root on Asterisk's machine: sudo dialwarden doctor --only ami.secret",
        )
    return tuple(user for user, secret in secrets.items() if secret.lower() in _KNOWN_SECRETS)


def _included(folder: Path, name: str) -> list[Path]:
    """The files of an #include, which Asterisk looks for in its folder unless it begins with /."""
    path = Path(name)
    root = Path(path.anchor) if path.is_absolute() else folder
    return sorted(root.glob(str(path.relative_to(path.anchor))))


def _secrets(file: Path, folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    section = ""
    for line in file.read_text(errors="replace").splitlines():
        text = line.partition(";")[0].strip()
        if opened := _SECTION.match(text):
            section = opened["name"]
        elif included := _INCLUDE.match(text):
            if depth < _DEEPEST:
                for other in _included(folder, included["file"].strip()):
                    yield from _secrets(other, folder, depth + 1)
        elif (found := _SECRET.fullmatch(text)) and section not in ("", "general"):
            yield section, found["secret"].strip()
