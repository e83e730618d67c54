"""`dialwarden init`: a configuration for the first day, and systemd's units, where there are none.

Owns what of the shipped files depends on where they come to stand. Never writes over anything.
"""

from __future__ import annotations

import grp
import json
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import click

from dialwarden.cli.common import config_option, json_option
from dialwarden.cli.output import print_json, warn
from dialwarden.errors import InstallRefused
from dialwarden.install.writing import replace_file
from dialwarden.settings.config import CONFIG_PLACES, CONFIG_VARIABLE
from dialwarden.shipped import shipped

_SYSTEM_WIDE = CONFIG_PLACES[-1]
_SYSTEM_LEDGER = Path("/var/lib/dialwarden/dialwarden.db")
_SERVICE_GROUP = "dialwarden"
# As they stand in the shipped files; tests hold that they do.
SHIPPED_LEDGER = 'path = "../var/dialwarden.db" '
SHIPPED_START = " `make run` starts with this file."
SHIPPED_PROGRAM = "/opt/dialwarden/bin/dialwarden"
SHIPPED_CONFIG = "/etc/dialwarden/dialwarden.toml"
# Where the sandbox of the unit looks at nothing.
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


@click.command("init", short_help="Write a configuration for the first day.")
@click.option(
    "--ledger", metavar="FILE", type=click.Path(path_type=Path),
    help=f"[store] path; else {_SYSTEM_LEDGER} for {_SYSTEM_WIDE}, var/dialwarden.db elsewhere.",
)  # fmt: skip
@click.option(
    "--units", metavar="DIR", type=click.Path(path_type=Path),
    help="Also systemd's units, which start this very program: /etc/systemd/system.",
)  # fmt: skip
@config_option
@json_option
def command(ledger: Path | None, units: Path | None, config: str | None, as_json: bool) -> None:
    """Write the commented configuration to --config FILE, else $DIALWARDEN_CONFIG, else
    /etc/dialwarden/dialwarden.toml. A file that is there already is left alone: without --units
    that is exit status 2.

    What it says is safe: nothing may be called until its lists and consents are there.
    """
    path = Path(config or os.environ.get(CONFIG_VARIABLE) or _SYSTEM_WIDE).absolute()
    store = ledger or (_SYSTEM_LEDGER if path == _SYSTEM_WIDE else Path("var/dialwarden.db"))
    wanted = {path: configuration(store)}
    if units is not None:
        wanted |= {units.absolute() / name: text for name, text in units_for(path).items()}
    written, left = _write_all(wanted, must_write=path if units is None else None)
    if as_json:
        print_json({"config": str(path), "ledger": str(path.parent / store),
                    "written": [str(file) for file in written],
                    "left": [str(file) for file in left]})  # fmt: skip
        return
    for file in written:
        click.echo(f"{file}: written")
    for file in left:
        click.echo(f"{file}: is there already, and was left alone")
    _next(path, units)


def _next(path: Path, units: Path | None) -> None:
    found = path in (Path(place).absolute() for place in CONFIG_PLACES)
    config = "" if found else f" --config {shlex.quote(str(path))}"
    steps = [
        f"name your campaigns in {path}",
        f"dialwarden check 0612345678 --campaign demo-fr{config}",
        f"dialwarden install --asterisk-dir /etc/asterisk{config}",
        f"dialwarden serve --config {shlex.quote(str(path))}",
    ]
    if units is not None:
        steps[-1:] = [
            f"systemd-sysusers {shipped('systemd/dialwarden.sysusers')}",
            "systemctl daemon-reload",
            "systemctl enable --now dialwarden",
        ]
        if any(_program().is_relative_to(home) for home in _HOMES):
            warn(
                f"{_program()} is in a home folder, which the unit's sandbox does not see: "
                "install dialwarden below /opt"
            )
    click.echo("\nNext:")
    for place, step in enumerate(steps, 1):
        click.echo(f"  {place}. {step}")


def configuration(ledger: Path) -> str:
    """The shipped file with this ledger."""
    text = shipped("dialwarden.toml").read_text("utf-8")
    # JSON's escapes are TOML's.
    named = f"path = {json.dumps(str(ledger), ensure_ascii=False)}"
    return text.replace(SHIPPED_LEDGER, f"{named.ljust(len(SHIPPED_LEDGER) - 1)} ").replace(
        SHIPPED_START, ""
    )


def units_for(config: Path) -> Mapping[str, str]:
    """The shipped units, name to text, starting this program with this configuration.

    Raises:
        InstallRefused: none are shipped.
    """
    folder = shipped("systemd")
    files = sorted([*folder.glob("*.service"), *folder.glob("*.socket")])
    if not files:
        raise InstallRefused(str(folder), "no units are shipped", "install dialwarden anew")
    return {
        file.name: file.read_text("utf-8")
        .replace(SHIPPED_PROGRAM, _word(_program()))
        .replace(SHIPPED_CONFIG, _word(config))
        for file in files
    }


def _word(path: Path) -> str:
    """A path as one word of a unit's command line: systemd.service(5), "Command lines"."""
    text = str(path).replace("%", "%%").replace("$", "$$")
    if not set(text) & set(" \t\"'\\;"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _program() -> Path:
    """The command of the environment that this runs in."""
    return Path(sys.executable).with_name("dialwarden")


def _write_all(
    wanted: Mapping[Path, str], *, must_write: Path | None
) -> tuple[list[Path], list[Path]]:
    """Write what is not there; what was written, and what was left.

    Raises:
        InstallRefused: a file cannot be written; the one that must be is there.
    """
    written, left = [], []
    for path, text in wanted.items():
        if os.path.lexists(path):
            if path == must_write:
                raise InstallRefused(str(path), "is there already", "edit it; nothing was written")
            left.append(path)
            continue
        try:
            _write(path, text)
        except OSError as error:
            raise InstallRefused(
                str(path),
                f"cannot be written ({error.strerror})",
                "run this as root, or name another place",
            ) from None
        written.append(path)
    return written, left


def _write(path: Path, text: str) -> None:
    """A new file, and its folder: for the service's group where there is one already.

    Without that group root's are open to read, as what lies in /etc mostly is: the service's user
    is made later, and secrets have a file of their own.
    """
    gid, closed = os.getegid(), os.geteuid() != 0
    with suppress(KeyError):
        if not closed:
            gid, closed = grp.getgrnam(_SERVICE_GROUP).gr_gid, True
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
        os.chown(path.parent, -1, gid)
        path.parent.chmod(0o750 if closed else 0o755)
    is_unit = path.suffix != ".toml"
    mode = 0o644 if is_unit or not closed else 0o640
    replace_file(path, text.encode(), mode, os.geteuid(), os.getegid() if is_unit else gid)
