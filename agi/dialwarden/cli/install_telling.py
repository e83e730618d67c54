"""What `dialwarden install` says: before it writes, and after; for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from dialwarden.cli.output import counted, print_json, printable
from dialwarden.install.change import Change, sha256
from dialwarden.install.manifest import Flavour
from dialwarden.install.plan import Plan
from dialwarden.install.record import FOLDER, Run
from dialwarden.install.steps import Outcome


@dataclass(slots=True)
class Told:
    """A run of the command, as far as it came.

    Attributes:
        flavour: None where an undo does not know it.
        why: that flavour; of an undo, since when.
        run: what is on record of this run.
        ran: the commands that were run after it.
        written: whether it came to the writing.
        declined: whether somebody said no.
    """

    folder: Path
    flavour: Flavour | None
    why: str
    plan: Plan
    dry_run: bool
    undoing: bool = False
    run: Run | None = None
    ran: list[Outcome] = field(default_factory=list)
    written: bool = False
    declined: bool = False

    @property
    def good(self) -> bool:
        """Whether all is done that was asked for."""
        whole = not self.plan.missing and not self.declined
        return whole and all(outcome.good for outcome in self.ran)

    def after(self, run: Run | None, ran: Sequence[Outcome]) -> Told:
        """The same, once it was written."""
        self.run, self.written = run, True
        self.ran = list(ran)
        return self


# Of a file that is made or removed whole so much is shown: what matters is what becomes of the
# admin's own.
_MOST_LINES = 40


def show_plan(told: Told, *, full: bool) -> None:
    """What would change, as a difference; then what each file is.

    Args:
        full: also the whole of a long file that is made or removed.
    """
    title = f"{told.flavour.title} ({told.flavour.name}), " if told.flavour else ""
    click.echo(f"{told.folder}: {title}{told.why}")
    changes = told.plan.changes
    for change in changes:
        click.echo("")
        lines = list(change.diff())
        if not full and change.action != "changed" and len(lines) > _MOST_LINES:
            lines[2:] = [f"@@ all of its {len(lines) - 3} lines: --full shows them @@"]
        for line in lines:
            click.echo(printable(line.replace("\t", "    ")))
    if not changes:
        click.echo(
            "Nothing to take out." if told.undoing else "Nothing to write: all is as it shall be."
        )
        return
    click.echo(f"\n{counted(len(changes), 'file')}:")
    for change in changes:
        click.echo("  " + _line(change))
    if told.undoing:
        _notes(told)  # before anybody agrees to it
    else:
        click.echo(f"What was there is kept in {told.folder / FOLDER}.")


def _notes(told: Told) -> None:
    for sentence in told.plan.notes:
        click.echo(f"\nNote: {sentence}")


def _line(change: Change) -> str:
    why = f": {change.why}" if change.why else ""
    return f"{change.action:<8} {change.path}{why}"


def print_told(told: Told, *, as_json: bool) -> None:
    """What was done, and what comes next."""
    if as_json:
        print_json(_as_json(told))
        return
    if not (told.undoing and told.plan.changes):
        _notes(told)
    for sentence in told.plan.missing:
        click.echo(f"\nTO BE DONE BY HAND: {sentence}")
    if told.declined:
        click.echo("\nNothing was written.")
        return
    if told.dry_run:
        click.echo("\nNothing was written: --dry-run.")
        return
    if told.run is not None:
        click.echo(f"\nWritten. As it was before: {told.run.folder}")
    elif told.undoing and told.plan.changes:
        click.echo(
            f"\nTaken out. The copies stay in {told.folder / FOLDER}; remove them when you like."
        )
    for outcome in told.ran:
        click.echo(
            f"{'ok' if outcome.good else 'FAILED':<7} {outcome.command}: {printable(outcome.told)}"
        )
    _next(told)


def _next(told: Told) -> None:
    flavour = told.flavour
    if flavour is None or (told.undoing and not told.plan.changes):
        return
    steps = [] if told.ran and told.good else list(_commands(told))
    if not told.undoing:
        steps += flavour.by_hand
        steps += [] if told.ran else [f"{c.command}   says {c.expect!r}" for c in flavour.checks]
    if steps:
        click.echo("\nNext:")
        for place, step in enumerate(steps, 1):
            first, *more = step.strip().splitlines()
            click.echo(f"  {place}. {first}")
            for line in more:
                click.echo(f"     {line}")


def _commands(told: Told) -> Sequence[str]:
    flavour = told.flavour
    names = {change.path.name for change in told.plan.changes}
    manager = any(name.startswith("manager") for name in names)
    return [*(flavour.after if flavour else ()), *(["asterisk -rx 'manager reload'"] * manager)]


def _as_json(told: Told) -> dict[str, object]:
    flavour = told.flavour
    return {
        "asterisk_dir": str(told.folder),
        "flavour": flavour.name if flavour else None,
        "why": told.why,
        "undo": told.undoing,
        "written": told.written,
        "files": [
            {
                "path": str(change.path),
                "action": change.action,
                "why": change.why,
                "before": sha256(change.found.content),
                "after": sha256(change.after),
                "diff": list(change.diff()),
            }
            for change in told.plan.changes
        ],
        "backup": str(told.run.folder) if told.run else None,
        "missing": told.plan.missing,
        "notes": told.plan.notes,
        "next": list(_commands(told)),
        "by_hand": list(flavour.by_hand) if flavour and not told.undoing else [],
        "checks": [
            {"command": check.command, "expect": check.expect}
            for check in (flavour.checks if flavour and not told.undoing else ())
        ],
        "ran": [
            {"command": outcome.command, "good": outcome.good, "told": outcome.told}
            for outcome in told.ran
        ],
    }
