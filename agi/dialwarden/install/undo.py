"""Taking everything out again: each file as it was before the first run, byte for byte.

Owns what may be restored. A file that is still what a run left, or what it found, goes back to what
the first run found. One that somebody changed since is theirs: of it only the lines between our
markers are taken out, and a whole file of ours stays where it is. A file keeps the owner and the
permissions that it has now. Nothing is removed that Asterisk would then miss. Writes nothing.

Copies that somebody else could have written are believed for Asterisk's own folder alone: else
whoever may write there would have root write anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from dialwarden.install.change import Change, sha256
from dialwarden.install.folder import Folder, Found
from dialwarden.install.manager import MANAGER, MANAGER_CUSTOM, is_snippet
from dialwarden.install.manifest import Flavour
from dialwarden.install.marked import contexts_of, our_lines, without_comments, without_lines
from dialwarden.install.plan import Plan
from dialwarden.install.reading import ROOTS, includer_of, read_from
from dialwarden.install.record import FOLDER, FileRecord, Run

# A jump into a context of ours: Gosub(dialwarden,check,1(…)), also within ExecIf and GotoIf.
_JUMP = re.compile(rb"[(?,:]\s*dialwarden(?:-[a-z0-9-]+)?\s*,")


def plan_undo(folder: Folder, runs: Sequence[Run]) -> Plan:
    """What takes back all the runs, oldest first.

    Raises:
        InstallRefused: a copy is gone or spoilt, or a file cannot be read.
    """
    plan = Plan()
    chains: dict[str, list[tuple[Run, FileRecord]]] = {}
    for run in runs:
        for record in run.files:
            chains.setdefault(record.path, []).append((run, record))
    for path, chain in reversed(chains.items()):
        if _leads_out(folder, path) and not all(run.is_ours_alone() for run, _ in chain):
            plan.missing.append(
                f"{path}: the copies in {folder.path / FOLDER} may have been written by somebody "
                "else than this user, and lead out of Asterisk's folder: this file stays. Look at "
                "it, and put it back by hand"
            )
            continue
        if Path(path).is_absolute() and chain[-1][0].asterisk != str(folder.path):
            plan.notes.append(
                f"{path} was written by an install into {chain[-1][0].asterisk}: it stays"
            )
            continue
        _restore(plan, _find(folder, Path(path)), chain)
    # The lines that include our files go before the files: the other way round Asterisk would
    # load nothing of a file whose include is not there.
    plan.changes.sort(key=lambda change: change.after is None)
    _keep_what_is_included(plan, folder)
    return plan


def still_asking(plan: Plan, folder: Folder) -> list[str]:
    """The lines, file:line, that jump into a context of ours which an undo takes out.

    Asterisk hangs up a call that comes to one of them, whatever number it is for.
    """
    after = {change.path: change.after for change in plan.changes}
    left = {name for read in read_from(folder, ROOTS, after) for name in contexts_of(read.text)}
    if not plan.changes or "dialwarden" in left:
        return []
    return [
        f"{read.path}:{number}"
        for read in read_from(folder, ROOTS, {})
        if after.get(read.path, read.text) is not None
        for number, line in enumerate(without_comments(read.text).split(b"\n"), 1)
        if _JUMP.search(line)
    ]


def _leads_out(folder: Folder, path: str) -> bool:
    """Whether a path on record is, by itself or by a link, outside of Asterisk's folder."""
    return not (folder.path / path).resolve().is_relative_to(folder.path)


def _keep_what_is_included(plan: Plan, folder: Folder) -> None:
    """Leave every file that a line of the admin's includes: without it Asterisk loads nothing."""
    # Those with lines of ours first: what is left of them says which of our files are needed.
    removed = [change for change in plan.changes if change.after is None]
    removed.sort(key=lambda change: not our_lines(change.found.content or b""))
    for change in removed:
        after = {change.path: change.after for change in plan.changes}
        if not change.path.is_relative_to(folder.path):
            continue
        name = str(change.path.relative_to(folder.path))
        by = includer_of(read_from(folder, ROOTS, after), folder, name)
        if by is None:
            continue
        plan.changes.remove(change)
        content = change.found.content or b""
        if our_lines(content):
            why = f"it is not removed: {by} includes it"
            plan.changes.insert(0, Change.of(change.found, without_lines(content), why=why))
            continue
        plan.missing.append(
            f"{change.path} stays: {folder.path / by} includes it still, and Asterisk loads "
            "nothing of a file that includes one which is not there. Take that line out, then "
            "remove this file"
        )


def plan_undo_without_record(folder: Folder, flavours: Iterable[Flavour]) -> Plan:
    """What takes our lines and our files out where no run is on record: the copies were removed.

    A whole file of ours goes where it is as this version ships it, and is told otherwise.

    Raises:
        InstallRefused: a file cannot be read.
    """
    plan = Plan()
    flavours = tuple(flavours)
    files_of_theirs = {include.file for flavour in flavours for include in flavour.includes}
    for name in sorted({*files_of_theirs, MANAGER, MANAGER_CUSTOM}):
        found = folder.find(name)
        if found.content is not None and our_lines(found.content):
            plan.changes.append(Change.of(found, without_lines(found.content)))
    files = {own.target: own.source for flavour in flavours for own in flavour.files}
    for target, source in sorted(files.items()):
        found = folder.find(target)
        if found.content is None or found.link:
            continue
        if found.content == source.read_bytes():
            plan.changes.append(Change.of(found, None))
        elif plan.changes:
            plan.notes.append(f"{found.path} is not what this version ships: it stays")
    plan.missing += [
        f"{read.path} has our AMI user, with its rights: remove the file, then manager reload"
        for read in read_from(folder, (MANAGER,), {})
        if is_snippet(read.text)
    ]
    _keep_what_is_included(plan, folder)
    return plan


def _find(folder: Folder, path: Path) -> Found:
    if path.is_absolute():
        return Folder(path.parent).find(path.name)
    return folder.find(str(path))


def _restore(plan: Plan, found: Found, chain: Sequence[tuple[Run, FileRecord]]) -> None:
    run, first = chain[0]
    place = _oldest_reached(sha256(found.content), chain)
    if place is not None:
        content = _before(plan, place, chain)
        if content != found.content:
            plan.changes.append(Change.of(found, content, secret=first.secret))
    elif found.content is None:
        plan.notes.append(f"{found.path} was removed by somebody else: it is not brought back")
    elif our_lines(found.content):
        why = (
            "it was edited since: only our lines are taken out; what it was before the install is "
            f"in {run.folder}"
        )
        plan.changes.append(Change.of(found, without_lines(found.content), why=why))
    elif first.before is None:
        plan.missing.append(
            f"{found.path} was edited since it was put there: it stays. Nothing of ours includes "
            "it any more; remove it when you have what you need of it"
        )
    else:
        plan.notes.append(f"{found.path} was edited since and has no line of ours: it stays")


def _oldest_reached(now: str | None, chain: Sequence[tuple[Run, FileRecord]]) -> int | None:
    """The oldest run that can be gone back beyond from this state without anybody's edit between.

    None when no run left or found the file in this state.
    """
    for place in reversed(range(len(chain))):
        if now not in (chain[place][1].after, chain[place][1].before):
            continue
        # A run that was killed may have found what the next one found again.
        while place and chain[place][1].before in (
            chain[place - 1][1].after, chain[place - 1][1].before,
        ):  # fmt: skip
            place -= 1
        return place
    return None


def _before(plan: Plan, place: int, chain: Sequence[tuple[Run, FileRecord]]) -> bytes | None:
    """A file as the run at this place found it, without anything of the runs before."""
    run, record = chain[place]
    content = run.original(record)
    if place == 0 or content is None:
        return content
    if our_lines(content):
        return without_lines(content)
    if chain[0][1].before is None:
        plan.notes.append(f"{record.path}: the copy that was edited is in {run.folder}")
        return None
    return content
