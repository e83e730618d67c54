"""Writing a file so that it is the old one or the new one at every instant, also after a crash.

Owns the temporary file beside it, its owner, mode, fsync and rename.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from dialwarden.errors import InstallRefused
from dialwarden.install.change import Change

_TEMPORARY = ".dialwarden-"
_STEPS = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room on the disk",
    errno.EROFS: "have the file system mounted to be written to",
    # A single file that is mounted into a container cannot be replaced from within it.
    errno.EBUSY: "it is mounted by itself: run this where the file really is",
}


def write(change: Change) -> None:
    """Make a change, whole or not at all.

    Raises:
        InstallRefused: it cannot be made; the file is as it was.
    """
    try:
        if change.after is None:
            change.path.unlink(missing_ok=True)
            sync_folder(change.path.parent)
        else:
            replace_file(change.path, change.after, change.mode, change.uid, change.gid)
    except OSError as error:
        raise InstallRefused(
            str(change.path),
            f"cannot be written ({error.strerror})",
            f"this file is as it was; {what_to_do(error)}",
        ) from None


def what_to_do(error: OSError) -> str:
    """The step that lets a file be written, by what was in the way."""
    return _STEPS.get(error.errno or 0, "run this as root")


def replace_file(path: Path, content: bytes, mode: int, uid: int, gid: int) -> None:
    """Put content in a file's place, with this owner and these permissions.

    Raises:
        OSError: it cannot be, or the owner cannot be kept; the file is as it was.
    """
    # Not *.conf: nothing that includes a whole folder reads it.
    temporary = path.with_name(f"{_TEMPORARY}{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            status = os.fstat(descriptor)
            if (status.st_uid, status.st_gid) != (uid, gid):
                os.fchown(descriptor, uid, gid)
            _copy_attributes(path, descriptor)
            os.fchmod(descriptor, mode)
            stream.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def _copy_attributes(path: Path, descriptor: int) -> None:
    """Give the new file the old one's access lists and labels, as far as there are any."""
    with contextlib.suppress(OSError):
        for name in os.listxattr(path):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(path, name))


def clear_left_behind(folder: Path) -> None:
    """Remove what an install that was killed had not renamed yet."""
    for path in folder.glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
