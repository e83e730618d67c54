"""`dialwarden serve`: hands over to the bridge."""

from __future__ import annotations

import os

import click

from dialwarden.cli.common import config_option
from dialwarden.settings.config import find_config


@click.command("serve", short_help="Run the bridge that Asterisk asks.")
@config_option
@click.pass_context
def command(ctx: click.Context, config: str | None) -> None:
    """Run the bridge that Asterisk asks, until it is told to stop (TERM, INT).

    HUP makes it read the configuration again; a wrong one is told and the old one kept.
    """
    from dialwarden.bridge import run

    ctx.exit(run(find_config(config, os.environ)))
