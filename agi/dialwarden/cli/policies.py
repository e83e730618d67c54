"""`dialwarden policy`: the rule packs, figure by figure, with their sources.

Needs no configuration; with one, the admin's own packs ([policies] path) are shown besides.
"""

from __future__ import annotations

import click

from dialwarden.cli.common import config_option, json_option
from dialwarden.cli.output import print_json, print_json_array, print_table
from dialwarden.cli.policy_calendar import calendar
from dialwarden.cli.policy_files import known_policies
from dialwarden.cli.policy_forms import all_sources, told
from dialwarden.cli.policy_json import everything, summary
from dialwarden.cli.policy_lint import lint
from dialwarden.settings.report import choose_from


@click.group("policy", short_help="The rule packs, figure by figure, with their sources.")
def command() -> None:
    """The law as data: dated regimes, their figures, and where each of these was read."""


@command.command("list", short_help="Every policy and its regimes.")
@config_option
@json_option
def list_(config: str | None, as_json: bool) -> None:
    """Show every policy and its regimes."""
    policies = known_policies(config).values()
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
    policies = known_policies(config)
    policy = policies.get(id)
    if policy is None:
        raise click.BadParameter(choose_from(id, policies, "policies"), param_hint="ID")
    if as_json:
        print_json(everything(policy, all_sources(policy)))
        return
    for line in told(policy):
        click.echo(line)


command.add_command(calendar)
command.add_command(lint)
