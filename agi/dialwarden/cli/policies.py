"""`dialwarden policy`: the rule packs, figure by figure, with their sources.

Needs no configuration; with one, the admin's own packs ([policies] path) are shown besides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from dialwarden.cli.common import config_option, json_option
from dialwarden.cli.output import print_json, print_json_array, print_table, warn
from dialwarden.cli.policy_forms import everything, summary, told
from dialwarden.errors import SettingsError
from dialwarden.policies import load_policies
from dialwarden.policy.model import Policy
from dialwarden.settings.config import CONFIG_VARIABLE, find_config, read_config
from dialwarden.settings.report import choose_from


@click.group("policy", short_help="The rule packs, figure by figure, with their sources.")
def command() -> None:
    """The law as data: dated regimes, their figures, and where each of these was read."""


@command.command("list", short_help="Every policy and its regimes.")
@config_option
@json_option
def list_(config: str | None, as_json: bool) -> None:
    """Show every policy and its regimes."""
    policies = _policies(config).values()
    if as_json:
        print_json_array(summary(policy) for policy in policies)
        return
    print_table(
        ("policy", "country", "regime", "from", "until", "lists", "title"),
        (
            (
                policy.id if place == 0 else "", policy.country if place == 0 else "",
                regime.id, regime.start, regime.end,
                " ".join(rule.name for rule in regime.lists),
                regime.title,
            )
            for policy in policies
            for place, regime in enumerate(policy.regimes)
        ),
    )  # fmt: skip


@command.command("show", short_help="Every figure of a policy, with its source.")
@click.argument("id")
@config_option
@json_option
def show(id: str, config: str | None, as_json: bool) -> None:
    """Show every regime of policy ID with every figure, its source and how surely it was read."""
    policies = _policies(config)
    policy = policies.get(id)
    if policy is None:
        raise click.BadParameter(choose_from(id, policies, "policies"), param_hint="ID")
    if as_json:
        print_json(everything(policy))
        return
    for line in told(policy):
        click.echo(line)


def _policies(config: str | None) -> Mapping[str, Policy]:
    """The shipped policies, and an admin's own if a configuration names a folder."""
    return load_policies(_own_folder(config))


def _own_folder(config: str | None) -> Path | None:
    try:
        path = find_config(config, os.environ)
    except SettingsError:
        if config or os.environ.get(CONFIG_VARIABLE):
            raise
        return None
    try:
        return read_config(path.read_bytes(), path, os.environ).policies.path
    except (SettingsError, OSError) as error:
        if config:
            raise
        warn(f"{error}; shipped policies only")
        return None
