"""Making a plan's changes: on record first, then one file after the other.

Killed at any point, every file is the old one or the new one, and what was begun is on record: the
same command again does the rest, and `--undo` takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from dialwarden.errors import InstallRefused
from dialwarden.install.change import Change
from dialwarden.install.plan import Plan
from dialwarden.install.record import Records, Run
from dialwarden.install.writing import clear_left_behind, write


def install(records: Records, plan: Plan, *, flavour: str, by: str, now: datetime) -> Run | None:
    """Make a plan's changes; the run that is now on record, None when there was nothing to do.

    Raises:
        InstallRefused: a file was changed meanwhile, or cannot be written.
    """
    _check_unchanged(plan.changes)
    run = records.begin(plan.changes, flavour=flavour, by=by, now=now)
    _write_all(plan.changes)
    return run


def undo(records: Records, plan: Plan, runs: Sequence[Run], *, now: datetime) -> None:
    """Make the changes of an undo, and have its runs on record as taken back.

    Raises:
        InstallRefused: a file was changed meanwhile, or cannot be written.
    """
    _check_unchanged(plan.changes)
    clear_left_behind(records.asterisk)
    _write_all(plan.changes)
    records.mark_undone(runs, now)


def _check_unchanged(changes: Sequence[Change]) -> None:
    for change in changes:
        try:
            content: bytes | None = change.path.read_bytes()
        except FileNotFoundError:
            content = None
        except OSError as error:
            raise InstallRefused(
                str(change.path), f"cannot be read ({error.strerror})", "nothing was changed"
            ) from None
        if content != change.found.content:
            raise InstallRefused(
                str(change.path), "was changed while you looked at the difference",
                "nothing was changed; run this again",
            )  # fmt: skip


def _write_all(changes: Sequence[Change]) -> None:
    folders: set[Path] = {change.path.parent for change in changes}
    for folder in folders:
        clear_left_behind(folder)
    for place, change in enumerate(changes):
        try:
            write(change)
        except InstallRefused as error:
            done = f"; {place} of {len(changes)} files are written" if place else ""
            raise InstallRefused(
                error.place, error.what + done, f"{error.do}, then the same again; or --undo"
            ) from None
