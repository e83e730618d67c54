"""The command line: verbs on nouns, text for people, `--json` for programs.

Owns the list of commands and what every error becomes: a sentence on standard error and an exit
status. 0: done, or allowed. 1: refused, or a check failed, or the ledger did not take it now.
2: wrong flags, files or configuration.

A command's module is imported when it is asked for: `dialwarden --help` waits for none of them.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from dialwarden import __version__
from dialwarden.errors import DialwardenError, LedgerUnavailable, SettingsError

# Name -> module of this package, and the one line of help; a test holds that it is the command's.
COMMANDS = {
    "serve": ("serve", "Run the bridge that Asterisk asks."),
    "doctor": ("doctor", "Check the whole chain against the running Asterisk."),
    "check": ("check", "Judge one number, dry, and say what every rule finds."),
    "why": ("why", "The whole story of a number, and when it may be called."),
    "screen": ("screen", "Judge every row of a contact file, dry."),
    "list": ("lists", "Opposition and exempt lists."),
    "objection": ("objections", "Callees who said no."),
    "consent": ("consents", "Callees who said yes."),
    "appointment": ("appointments", "Dates and times that callees agreed to be called at."),
    "silent": ("silent_calls", "Calls that were answered and that no agent took."),
    "attempts": ("attempts", "The calls that were made, and a history from elsewhere."),
    "refusals": ("refusals", "The calls that were refused, and why."),
    "report": ("report", "A day or a month of calls, summed up."),
    "subject": ("subject", "Answer a callee who asks what is on record, or to be forgotten."),
    "override": ("override", "Let a rule go for a while; somebody answers for it."),
    "purge": ("purge", "Remove what need not be kept any longer."),
    "ledger": ("ledger", "Copy the ledger, and check it."),
    "selftest": ("selftest", "Pull each plug, and show what a caller would get."),
    "policy": ("policies", "The rule packs, figure by figure, with their sources."),
    "init": ("init", "Write a configuration for the first day."),
    "install": ("install", "Put our files into Asterisk's folder, or take them out."),
    "completion": ("completion", "The script with which a shell completes our commands."),
}

# Set by a shell that asks what may stand next: cli/completion.py.
COMPLETING = "_DIALWARDEN_COMPLETE"
_CANNOT_BE_WRITTEN = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__name__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        if COMPLETING in os.environ:
            from dialwarden.cli.completing import equip

            equip(command, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
            return done
        except OSError as error:
            if error.errno not in _CANNOT_BE_WRITTEN:
                raise
            # What is still in the buffer would be tried again at the very end.
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
            click.echo(f"dialwarden: the output cannot be written: {error.strerror}", err=True)
            raise click.exceptions.Exit(2) from None
        except DialwardenError as error:
            lines = error.problems if isinstance(error, SettingsError) else [error]
            for line in lines:
                click.echo(f"dialwarden: {line}", err=True)
            # What may pass by itself is no fault of the command's: the same again may do.
            raise click.exceptions.Exit(1 if isinstance(error, LedgerUnavailable) else 2) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dialwarden", message="%(prog)s %(version)s")
def main() -> None:
    """May this number be called now, for this campaign?

    Every command takes --config FILE; else $DIALWARDEN_CONFIG, ./dialwarden.toml and
    /etc/dialwarden/dialwarden.toml are looked for, in this order. Exit status: 0 done or
    allowed, 1 refused or a check failed, 2 wrong flags, files or configuration.
    """
