"""`dialwarden ledger`: a copy of it, and whether it is what it should be."""

from __future__ import annotations

from pathlib import Path

import click

from dialwarden.cli.common import config_option, json_option, open_site
from dialwarden.cli.output import print_json, printable, progress_bar
from dialwarden.errors import LedgerBroken
from dialwarden.ledger.backup import back_up
from dialwarden.ledger.connection import open_ledger_to_read
from dialwarden.ledger.verify import Check, opened, verify


@click.group("ledger", short_help="Copy the ledger, and check it.")
def command() -> None:
    """The file that everything is on record in. Both may be run beside a running bridge."""


@command.command("backup", short_help="Copy the ledger while it is in use.")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@json_option
def backup(file: Path, config: str | None, as_json: bool) -> None:
    """Copy the ledger to FILE, which must not exist, as it is at this moment.

    The copy is checked and on disk before this ends. It holds callees' numbers like the ledger
    itself: it is made for its owner alone to read.
    """
    path = open_site(config).config.store.path
    conn = open_ledger_to_read(path, busy_timeout_s=10.0)
    try:
        with progress_bar("backup") as progress:
            length = back_up(conn, file, progress)
    finally:
        conn.close()
    if as_json:
        print_json({"ledger": str(path), "file": str(file), "bytes": length})
    else:
        click.echo(f"{file}: {length:,} bytes, checked and on disk")


@command.command("verify", short_help="Whether a ledger, or a backup, is what it should be.")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@config_option
@json_option
@click.pass_context
def verify_(ctx: click.Context, file: Path | None, config: str | None, as_json: bool) -> None:
    """Check FILE, or the ledger that is configured: every page, reference, list and row.

    Nothing is changed. Exit status 1 when something is wrong, and what to do about it.
    """
    path = file if file is not None else open_site(config).config.store.path
    if file is not None and not file.exists():
        raise click.BadParameter(f"there is no file {file}", param_hint="FILE")

    def tell(check: Check) -> None:
        if not as_json:
            _tell(check)

    try:
        with opened(path, live=file is None) as conn:
            checks = verify(conn, tell)
    except LedgerBroken as error:
        checks = [Check("file", (error.what,), do=error.do)]
        tell(checks[0])
    wrong = sum(bool(check.wrong) for check in checks)
    if as_json:
        print_json(
            {
                "file": str(path),
                "good": not wrong,
                "checks": [
                    {
                        "name": check.name,
                        "wrong": list(check.wrong),
                        "note": check.note,
                        "do": check.do if check.wrong else "",
                    }
                    for check in checks
                ],
            }
        )
    else:
        click.echo(f"{path}: {'good' if not wrong else 'something is WRONG'}")
    ctx.exit(1 if wrong else 0)


def _tell(check: Check) -> None:
    note = f" ({check.note})" if check.note else ""
    click.echo(f"{'WRONG' if check.wrong else 'ok':<6}{check.name}{note}")
    for sentence in check.wrong:
        click.echo(f"      {printable(sentence)}")
    if check.wrong:
        click.echo(f"      what to do: {check.do}")
