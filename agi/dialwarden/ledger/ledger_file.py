"""The ledger's file before SQLite sees it: there, a file, nobody else's to read.

Owns its mode, its folder's, and those of the -wal and -shm beside it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from pathlib import Path

from dialwarden.errors import LedgerBroken, LedgerUnavailable

log = logging.getLogger(__name__)

_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
_WIDER = stat.S_IRWXG | stat.S_IRWXO
AS_OWNER = "run this as the user that dialwarden runs as, or as root"


def prepare_file(path: Path, *, create: bool) -> None:
    """Make the file private before SQLite sees it: -wal and -shm take their mode from it."""
    try:
        if create:
            _make_directory(path.parent)
            # O_EXCL, and nothing is opened that exists: closing any descriptor of a database
            # drops the POSIX locks that every other connection of this process holds on it.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _FILE_MODE))
        check_file(path)
    except OSError as error:
        raise LedgerUnavailable(path, f"cannot be opened ({error.strerror})") from error
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        _tighten(name)


def check_file(path: Path) -> None:
    if not path.exists():
        raise LedgerUnavailable(path, "there is no such file")
    if not path.is_file():
        raise LedgerBroken(path, "is not a file", "name another one")


def check_rights(path: Path) -> None:
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        # One that is not there will be made.
        if not os.access(name if name.exists() else path.parent, os.R_OK | os.W_OK):
            what = "may not be read and written by this user, and reading takes both"
            raise LedgerUnavailable(path, what, AS_OWNER)


def _make_directory(directory: Path) -> None:
    if directory.is_dir():
        return
    _make_directory(directory.parent)
    directory.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)


def _tighten(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & _WIDER:
            return
        path.chmod(_FILE_MODE)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning(
            "ledger %s: mode is %o and cannot be changed (%s): others may read callees' numbers",
            path,
            mode,
            error.strerror,
        )
        return
    log.warning("ledger %s: mode was %o, now %o", path, mode, _FILE_MODE)
