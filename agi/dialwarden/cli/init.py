"""`dialwarden init`: a configuration for the first day, where there is none.

Owns what of the shipped file depends on where it stands. Never writes over anything.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from dialwarden.cli.common import config_option, json_option
from dialwarden.cli.output import print_json
from dialwarden.errors import InstallRefused
from dialwarden.install.writing import replace_file
from dialwarden.settings.config import CONFIG_PLACES, CONFIG_VARIABLE
from dialwarden.shipped import shipped

_SYSTEM_WIDE = CONFIG_PLACES[-1]
_SYSTEM_LEDGER = Path("/var/lib/dialwarden/dialwarden.db")
# As they stand in the shipped file; a test holds that they do.
SHIPPED_LEDGER = 'path = "../var/dialwarden.db" '
SHIPPED_START = " `make run` starts with this file."


@click.command("init", short_help="Write a configuration for the first day.")
@click.option(
    "--ledger", metavar="FILE", type=click.Path(path_type=Path),
    help=f"[store] path; else {_SYSTEM_LEDGER} for {_SYSTEM_WIDE}, var/dialwarden.db elsewhere.",
)  # fmt: skip
@config_option
@json_option
def command(ledger: Path | None, config: str | None, as_json: bool) -> None:
    """Write the commented configuration to --config FILE, else $DIALWARDEN_CONFIG, else
    /etc/dialwarden/dialwarden.toml. A file that is there already is left alone, exit status 2.

    What it says is safe: nothing may be called until its lists and consents are there.
    """
    path = Path(config or os.environ.get(CONFIG_VARIABLE) or _SYSTEM_WIDE).absolute()
    store = ledger or (_SYSTEM_LEDGER if path == _SYSTEM_WIDE else Path("var/dialwarden.db"))
    _write(path, configuration(store))
    if as_json:
        print_json({"config": str(path), "ledger": str(path.parent / store)})
        return
    click.echo(f"{path}: written. The ledger will be {path.parent / store}.")
    units = shipped("systemd")
    click.echo(
        "\nNext:\n"
        f"  1. name your campaigns in {path}\n"
        "  2. dialwarden check 0612345678 --campaign demo-fr\n"
        "  3. dialwarden install --asterisk-dir /etc/asterisk\n"
        "  4. dialwarden serve" + (f", or systemd's units: {units}" if units.is_dir() else "")
    )


def configuration(ledger: Path) -> str:
    """The shipped file with this ledger."""
    text = shipped("dialwarden.toml").read_text("utf-8")
    named = f'path = "{ledger}"'
    return text.replace(SHIPPED_LEDGER, f"{named.ljust(len(SHIPPED_LEDGER) - 1)} ").replace(
        SHIPPED_START, ""
    )


def _write(path: Path, text: str) -> None:
    try:
        if path.exists() or path.is_symlink():
            raise InstallRefused(str(path), "is there already", "edit it; nothing was written")
        # A secret may come to stand in it.
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        owner = path.parent.stat()
        gid = owner.st_gid if os.geteuid() == 0 else os.getegid()
        replace_file(path, text.encode(), 0o640, os.geteuid(), gid)
    except OSError as error:
        raise InstallRefused(
            str(path),
            f"cannot be written ({error.strerror})",
            "run this as root, or name another FILE",
        ) from None
