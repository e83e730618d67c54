"""Our own user of Asterisk's manager interface: where it goes, and its secret on both sides.

Owns the choice of the place that manager.conf reads already, the secret (made here, the same in
Asterisk's file and in ours, shown nowhere), and what is wrong with a manager.conf. The rights are
those of the shipped `manager_dialwarden.conf`.
"""

from __future__ import annotations

import fnmatch
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dialwarden.errors import InstallRefused
from dialwarden.install.change import Change
from dialwarden.install.folder import Folder, Found
from dialwarden.install.marked import contexts_of, included_by, our_lines, with_lines
from dialwarden.install.plan import Plan, why_replaced
from dialwarden.install.reading import files_of

MANAGER = "manager.conf"
SNIPPET = "manager_dialwarden.conf"
# Where products keep an admin's own users, out of what they write anew.
MANAGER_CUSTOM = "manager_custom.conf"
_PLACEHOLDER = ";secret = CHANGE-ME"
_USER = "dialwarden"
# What can stand in manager.conf without being read as something else.
_USABLE_SECRET = re.compile(r"[^\x00-\x20;\x7f]+(?: +[^\x00-\x20;\x7f]+)*")
_USABLE_NAME = re.compile(r"[0-9A-Za-z_.@-]+")
# The beginning of the shipped snippet.
_SNIPPET_BEGINS = b"; An AMI user for dialwarden's own link"
_SECRET_LINE = re.compile(r"^[ \t]*secret[ \t]*=>?[ \t]*([^;\r\n]*?)[ \t]*(?:;.*)?$", re.MULTILINE)
_ENABLED = re.compile(rb"^[ \t]*enabled[ \t]*=>?[ \t]*(yes|true|1|on|y|t)\b", re.MULTILINE | re.I)


@dataclass(frozen=True, slots=True)
class OurSide:
    """What the bridge's configuration says of the user.

    Attributes:
        username: of `[ami]`; "dialwarden" where it says none.
        secret_file: where the bridge reads the secret.
        configured: whether `[ami]` names this file already.
        config: the configuration, for what is told.
    """

    username: str
    secret_file: Path
    configured: bool
    config: Path


def plan_manager(
    plan: Plan,
    folder: Folder,
    template: str,
    ours: OurSide,
    installed: Mapping[Path, str | None],
) -> None:
    """Add the user to a plan.

    Args:
        template: the text of the shipped snippet.
        installed: as for `plan_flavour`.

    Raises:
        InstallRefused: a file cannot be read; the secret's file is not the bridge's alone.
    """
    if not _USABLE_NAME.fullmatch(ours.username):
        raise InstallRefused(
            f"{ours.config}: ami.username", "cannot stand in manager.conf",
            "letters, digits, _ . @ and - are allowed",
        )  # fmt: skip
    manager = folder.find(MANAGER, like=MANAGER)
    if manager.content is None:
        plan.missing.append(
            f"{manager.path}: there is no such file, so Asterisk has no manager interface to log "
            "in to: make one with [general], enabled = yes, bindaddr = 127.0.0.1; then this again"
        )
        return
    target, include_in = _place(folder, manager)
    snippet = folder.find(target, like=MANAGER)
    if _taken_elsewhere(folder, manager, snippet, ours.username):
        plan.missing.append(
            f"{folder.path}: a user [{ours.username}] is there already: ours was left out. Give it "
            f"the rights that {SNIPPET} names, and write its secret into {ours.secret_file}, mode "
            "0600; or name another one in [ami] username"
        )
        return
    secret_file = _find_secret_file(ours.secret_file)
    secret = _secret(secret_file, snippet)
    text = template.replace(_PLACEHOLDER, f"secret = {secret}").replace(
        f"[{_USER}]", f"[{ours.username}]"
    )
    _change_secret_file(plan, secret_file, secret)
    if snippet.content != text.encode():
        why = why_replaced(snippet, installed)
        # It holds a secret: for Asterisk's user and group, for nobody else.
        mode = snippet.mode & 0o660
        plan.changes.append(Change(snippet, text.encode(), mode, snippet.uid, snippet.gid, why))
    if include_in is not None:
        line = f"#include {SNIPPET}"
        if line not in our_lines(include_in.content or b""):
            plan.changes.append(
                Change.of(include_in, with_lines(include_in.content or b"", [line]))
            )
    if not _ENABLED.search(manager.content):
        plan.notes.append(
            f"{manager.path}: enabled = yes is not set in [general]: nobody can log in"
        )
    if not ours.configured:
        plan.notes.append(
            f"put into {ours.config}, and restart the bridge:\n\n    [ami]\n"
            f'    username = "{ours.username}"\n    secret_file = "{_told(ours)}"\n'
        )


def is_snippet(text: bytes) -> bool:
    """Whether a file is our user's, as far as its beginning tells."""
    return text.lstrip().startswith(_SNIPPET_BEGINS)


def _told(ours: OurSide) -> str:
    folder = ours.config.parent
    file = ours.secret_file
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)


def _place(folder: Folder, manager: Found) -> tuple[str, Found | None]:
    """The snippet's path, and the file that a line is to be put into; None: it is read already."""
    included = included_by(manager.content or b"")
    for pattern in included:
        path = Path(pattern)
        name = str(path.parent / f"{_USER}.conf")
        inside = not path.is_absolute() and (folder.path / path.parent).is_dir()
        if inside and fnmatch.fnmatchcase(name, str(path)) and "*" in path.name:
            return name, None
    if SNIPPET in included and not our_lines(manager.content or b""):
        return SNIPPET, None
    if MANAGER_CUSTOM in included:
        return SNIPPET, folder.find(MANAGER_CUSTOM, like=MANAGER)
    return SNIPPET, manager


def _taken_elsewhere(folder: Folder, manager: Found, snippet: Found, username: str) -> bool:
    """Whether a file other than our snippet has a user of this name."""
    included = included_by(manager.content or b"")
    names = [manager.name, *(str(path) for one in included for path in files_of(folder, one))]
    files = (folder.find(name) for name in names)
    return any(
        file.path != snippet.path and username in contexts_of(file.content or b"") for file in files
    )


def _find_secret_file(path: Path) -> Found:
    parent = path.parent
    if not parent.is_dir():
        raise InstallRefused(
            str(parent),
            "no such folder for the secret",
            "make the configuration first: dialwarden init",
        )
    return Folder.open(parent, writing=False).find(path.name, like=path.name)


def _secret(file: Found, snippet: Found) -> str:
    """The secret that is there on either side; else a new one.

    Raises:
        InstallRefused: the file is no text, or none that manager.conf can hold.
    """
    if file.content is not None:
        try:
            text = file.content.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise InstallRefused(str(file.path), "is no UTF-8 text", "remove it") from None
        if text and not _USABLE_SECRET.fullmatch(text):
            raise InstallRefused(
                str(file.path),
                "holds what cannot stand in manager.conf: a ;, a second line, a blank at an end",
                "write another secret there: openssl rand -hex 24",
            )
        if text:
            return text
    match = _SECRET_LINE.search((snippet.content or b"").decode("utf-8", "replace"))
    return match[1] if match and match[1] else secrets.token_hex(24)


def _change_secret_file(plan: Plan, file: Found, secret: str) -> None:
    content = f"{secret}\n".encode()
    if file.content is None or not file.content.strip():
        uid, gid = (file.uid, file.gid) if file.content is not None else _owner(file.path.parent)
        plan.changes.append(Change(file, content, 0o600, uid, gid, secret=True))
    elif file.mode & 0o077:
        plan.notes.append(
            f"{file.path} has mode {file.mode:04o}, so that others may read the secret: "
            f"chmod 600 {file.path}"
        )


def _owner(folder: Path) -> tuple[int, int]:
    """Who the bridge runs as, as far as its folder tells; only root may give a file away."""
    status = folder.stat()
    return (status.st_uid, status.st_gid) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
