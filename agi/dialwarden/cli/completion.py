"""`dialwarden completion`: the script with which a shell completes our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dialwarden.cli import COMPLETING

PROGRAM = "dialwarden"


@click.command("completion", short_help="The script with which a shell completes our commands.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script for SHELL. Commands, options, campaigns, lists and policies are completed.

    \b
    bash  dialwarden completion bash > /etc/bash_completion.d/dialwarden
    zsh   dialwarden completion zsh > /usr/local/share/zsh/site-functions/_dialwarden
    fish  dialwarden completion fish > ~/.config/fish/completions/dialwarden.fish
    """
    found = get_completion_class(shell)
    assert found is not None  # click knows all three
    click.echo(found(ctx.find_root().command, {}, PROGRAM, COMPLETING).source())
