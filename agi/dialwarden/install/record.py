"""What was changed, on record beside Asterisk's files: every run, every file, byte for byte.

Owns the folder `dialwarden.backup`: one folder a run, named by its instant in UTC, with a copy of
each file as it was and `manifest.json`:

    {"version": 1, "at": "2026-12-01T09:30:00+00:00", "by": "root", "program": "1.2.0",
     "asterisk": "/etc/asterisk", "flavour": "plain", "undone": null,
     "files": [{"path": "extensions.conf", "copy": "1-extensions.conf",
                "before": sha256, "after": sha256, "mode": 416, "uid": 0, "gid": 0,
                "secret": false}]}

`path` is relative to the folder, where it is in there: a copy of the folder is a folder of its own.
It is written whole before the first file is touched: a run that was killed is on record. `copy` and
`before` are null where there was no file, `after` where there is none any more. Copies may hold
secrets: the folder is its owner's alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from dialwarden import __version__
from dialwarden.errors import InstallRefused
from dialwarden.install.change import Change, sha256
from dialwarden.install.writing import replace_file, sync_folder, what_to_do

FOLDER = "dialwarden.backup"
_MANIFEST = "manifest.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a run; the fields are those of the manifest."""

    path: str
    copy: str | None
    before: str | None
    after: str | None
    mode: int
    uid: int
    gid: int
    secret: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command.

    Attributes:
        folder: where its copies are.
        asterisk: the folder it was run in.
        undone: when it was taken back, ISO 8601; None: it holds.
    """

    folder: Path
    at: str
    by: str
    program: str
    asterisk: str
    flavour: str
    undone: str | None
    files: tuple[FileRecord, ...]

    def is_ours_alone(self) -> bool:
        """Whether nobody but root and this user can have written what is on record here."""
        for path in (self.folder.parent, self.folder, self.folder / _MANIFEST):
            status = path.lstat()
            is_link = stat.S_ISLNK(status.st_mode)
            if is_link or status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
                return False
        return True

    def original(self, record: FileRecord) -> bytes | None:
        """A file as it was before the run.

        Raises:
            InstallRefused: the copy is gone, or is not what was copied.
        """
        if record.copy is None:
            return None
        path = self.folder / record.copy
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InstallRefused(
                str(path), f"cannot be read ({error.strerror})", _BY_HAND
            ) from None
        if sha256(content) != record.before:
            raise InstallRefused(str(path), "is not what was copied there", _BY_HAND)
        return content


_BY_HAND = "nothing was restored; take our lines out by hand, between the markers of dialwarden"


class Records:
    """The runs in an Asterisk folder."""

    def __init__(self, asterisk: Path) -> None:
        self.asterisk = asterisk
        self.folder = asterisk / FOLDER

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second run out; makes the folder.

        Raises:
            InstallRefused: another run is under way, or the folder cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise InstallRefused(
                str(self.folder), f"cannot be made ({error.strerror})", "run this as root"
            ) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InstallRefused(
                    str(self.folder), "another `dialwarden install` is at work", "wait for its end"
                ) from None
            yield
        finally:
            os.close(descriptor)

    def runs(self) -> tuple[Run, ...]:
        """Every run that holds, oldest first.

        Raises:
            InstallRefused: the folder, or a manifest in it, cannot be read.
        """
        if not self.folder.is_dir():
            return ()
        if not os.access(self.folder, os.R_OK | os.X_OK, effective_ids=True):
            raise InstallRefused(
                str(self.folder),
                "may not be read by this user",
                "run this as its owner, or as root",
            )
        for one in self.folder.iterdir():
            if one.is_dir() and not os.access(one, os.R_OK | os.X_OK, effective_ids=True):
                raise InstallRefused(
                    str(one), "may not be read by this user", "run this as its owner, or as root"
                )
        files = sorted(self.folder.glob(f"*/{_MANIFEST}"))
        return tuple(run for run in map(_read, files) if run.undone is None)

    def installed(self) -> Mapping[Path, str | None]:
        """The files that runs wrote, and the sha256 that the last one gave each."""
        return {
            self.asterisk / record.path: record.after for run in self.runs() for record in run.files
        }

    def begin(self, changes: Sequence[Change], *, flavour: str, by: str, now: datetime) -> Run:
        """Copy every file that is about to change, and write down what will be.

        Raises:
            InstallRefused: that cannot be written; nothing was changed.
        """
        try:
            return self._begin(changes, flavour=flavour, by=by, now=now)
        except OSError as error:
            raise InstallRefused(
                str(self.folder),
                f"no copy can be kept there ({error.strerror})",
                f"nothing was changed; {what_to_do(error)}",
            ) from None

    def _begin(self, changes: Sequence[Change], *, flavour: str, by: str, now: datetime) -> Run:
        folder = self._new_folder(now)
        records = []
        for place, change in enumerate(changes, 1):
            found = change.found
            copy = None
            if found.content is not None:
                copy = f"{place}-{found.path.name}"
                replace_file(folder / copy, found.content, 0o600, os.getuid(), os.getgid())
            records.append(
                FileRecord(
                    self._told(found.path),
                    copy,
                    sha256(found.content),
                    sha256(change.after),
                    found.mode,
                    found.uid,
                    found.gid,
                    change.secret,
                )
            )
        run = Run(
            folder=folder,
            at=now.isoformat(timespec="seconds"),
            by=by,
            program=__version__,
            asterisk=str(self.asterisk),
            flavour=flavour,
            undone=None,
            files=tuple(records),
        )
        _write(run)
        sync_folder(self.folder)
        return run

    def _told(self, path: Path) -> str:
        inside = path.is_relative_to(self.asterisk)
        return str(path.relative_to(self.asterisk) if inside else path)

    def _new_folder(self, now: datetime) -> Path:
        name = f"{now:%Y%m%dT%H%M%S.%fZ}"
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder

    def mark_undone(self, runs: Sequence[Run], now: datetime) -> None:
        """The newest first: what is left of a crash in between is the beginning of the story.

        Raises:
            InstallRefused: a manifest cannot be written.
        """
        for run in reversed(runs):
            try:
                _write(replace(run, undone=now.isoformat(timespec="seconds")))
            except OSError as error:
                raise InstallRefused(
                    str(run.folder / _MANIFEST), f"cannot be written ({error.strerror})"
                ) from None


def _write(run: Run) -> None:
    values = {"version": _VERSION, **asdict(run)}
    del values["folder"]
    text = json.dumps(values, indent=2) + "\n"
    replace_file(run.folder / _MANIFEST, text.encode(), 0o600, os.getuid(), os.getgid())


def _read(path: Path) -> Run:
    try:
        values = json.loads(path.read_bytes())
        if values.pop("version") != _VERSION:
            raise ValueError("written by a newer version")
        files = tuple(FileRecord(**one) for one in values.pop("files"))
        return Run(folder=path.parent, files=files, **values)
    except OSError as error:
        raise InstallRefused(
            str(path), f"cannot be read ({error.strerror})", "run this as root"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InstallRefused(str(path), f"is no manifest of ours ({error})", _BY_HAND) from None
