"""`dialwarden override`: a rule let go for a campaign, for a while, by somebody who answers for it.

Owns the words and their limits. Which rules may be let go is for `gate.waiving`, and what becomes
of calls for the bridge, which heeds it from its next question on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import click

from dialwarden.cli.common import Site, config_option, json_option, open_site, utc_now, who
from dialwarden.cli.output import clock, print_json, print_json_array, print_table, printable, warn
from dialwarden.cli.spans import duration, since_option, span, until_option
from dialwarden.gate.rulebook import Entry
from dialwarden.gate.waiving import NEVER, WAIVABLE
from dialwarden.imports.people import zones_of
from dialwarden.ledger.connection import snapshot, transaction
from dialwarden.ledger.overrides import (
    NewOverride,
    Override,
    begin_override,
    end_override,
    find_override,
    list_overrides,
    overrides_in_force,
)
from dialwarden.policy.figures import SectorConsent
from dialwarden.settings.report import allowed_of, choose_from
from dialwarden.verdict import Rule

# A rule that is to rest for longer is a wrong rule: it is changed in the configuration.
_LONGEST = timedelta(hours=24)
_LONGEST_TOLD = "24h, the most that one override may last; begin another one when it is over"
_NAME_LIMIT, _WHY_LIMIT = 128, 1000


@click.group(
    "override",
    short_help="Let a rule go for a while; somebody answers for it.",
    invoke_without_command=True,
    subcommand_metavar="[list | end ID]",
)
@click.option("--campaign", metavar="C", help="The campaign that it is for.")
@click.option(
    "--rule",
    "rules",
    metavar="R",
    multiple=True,
    help=f"The rule to let go: {allowed_of(WAIVABLE)}. May be given several times.",
)
@click.option(
    "--for", "length", metavar="TIME", help="For how long from now: 30m, 2h; 24h at most."
)
@click.option("--by", metavar="NAME", help="Who answers for it.")
@click.option("--why", metavar="TEXT", help="Why. Kept with every call that it lets go.")
@config_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    campaign: str | None,
    rules: tuple[str, ...],
    length: str | None,
    by: str | None,
    why: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Break glass: let a rule go for a campaign and a while, from the next question on.

    \b
    dialwarden override --campaign C --rule hours --for 30m --by NAME --why TEXT
    dialwarden override list [--all]
    dialwarden override end ID --by NAME [--why TEXT]

    It ends by itself. A call leaves under it only when every rule that refuses it is let go, and
    has on record what was let go, by which override. Never for consent, opposition or objection,
    which are the callee's, nor for number, campaign, unavailable and bypass. list_stale lets go
    the age of a list that was imported; who is on it is still not called. sector lets go a ban
    that no consent lifts, not the consent that would lift another.
    """
    given = {"--campaign": campaign, "--rule": rules, "--for": length, "--by": by, "--why": why}
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx.invoked_subcommand, [name for name, value in given.items() if value])
        if config is not None or as_json:
            raise click.UsageError(
                f"--config and --json stand behind the verb: override {ctx.invoked_subcommand} …"
            )
        return
    missing = [name for name, value in given.items() if not value or not str(value).strip()]
    if missing:
        raise click.UsageError(
            f"an override needs {allowed_of(given).replace(' or ', ' and ')}; missing: "
            f"{', '.join(missing)}. override list shows those in force, override end ID ends one"
        )
    _begin(
        campaign or "", rules, length or "", _text(by, "--by"), _text(why, "--why", _WHY_LIMIT),
        config, as_json=as_json,
    )  # fmt: skip


def _begin(
    campaign: str,
    rules: Sequence[str],
    length: str,
    by: str,
    why: str,
    config: str | None,
    *,
    as_json: bool,
) -> None:
    chosen = [_rule(name) for name in rules]
    lasts = duration(length, "--for", longest=_LONGEST, longest_told=_LONGEST_TOLD)
    site = open_site(config)
    name, entry = site.entry(campaign)
    now = utc_now()
    new = NewOverride(
        campaign=name,
        professional=entry.mandate.professional,
        rules=chosen,
        since=now,
        until=now + lasts,
        by=by,
        why=why,
        entered_by=who(),
    )
    with site.writing() as conn, transaction(conn):
        override = begin_override(conn, new)
    if not entry.enforce:
        warn(f"campaign {name} is in shadow mode: what is refused is let go there in any case")
    if Rule.SECTOR in chosen and _sold_with_consent(entry):
        warn(f"campaign {name} sells {entry.mandate.sector}: where only a consent lifts the ban, "
             "who gave none is refused all the same")  # fmt: skip
    if as_json:
        print_json(_as_json(override, now))
        return
    rules_told = " and ".join(rule.value for rule in override.rules)
    until = clock(override.until.astimezone(_zone(entry)))
    click.echo(
        f"override {override.id} is in force: {rules_told} let go for campaign {name} until "
        f"{until}, by {printable(by)}: {printable(why)}"
    )
    click.echo(f"It ends by itself; before that: dialwarden override end {override.id} --by NAME")


def _sold_with_consent(entry: Entry) -> bool:
    """Whether anything in the policy, wherever and whenever, bans the sector but for a consent."""
    return any(
        rule.consent is not SectorConsent.NONE and entry.mandate.sector in rule.sectors
        for terms in entry.mandate.terms.values()
        for rule in terms.sectors
    )


def _rule(name: str) -> Rule:
    """A rule that may be let go.

    Raises:
        click.BadParameter: it may not, and why not; or there is none of that name.
    """
    if name not in {*WAIVABLE, *NEVER}:
        raise click.BadParameter(
            choose_from(name, [rule.value for rule in WAIVABLE], "rules"), param_hint="--rule"
        )
    rule = Rule(name)
    if rule in NEVER:
        raise click.BadParameter(
            f"{rule.value} is never let go: {NEVER[rule]}; allowed rules: {allowed_of(WAIVABLE)}",
            param_hint="--rule",
        )
    return rule


def _text(text: str | None, option: str, limit: int = _NAME_LIMIT) -> str:
    """A name or a reason as it is kept: it is evidence, and never cut short.

    Raises:
        click.BadParameter: there is none, or it is too long.
    """
    found = (text or "").strip().encode(errors="replace").decode()
    if not found:
        raise click.BadParameter("it is empty", param_hint=option)
    if len(found) > limit:
        raise click.BadParameter(
            f"{len(found)} characters; at most {limit} are kept", param_hint=option
        )
    return found


def _refuse_options(verb: str, options: Sequence[str]) -> None:
    if options:
        raise click.UsageError(
            f"{', '.join(options)} belong to a new override, and stand without {verb}"
        )


@command.command("list", short_help="The overrides in force; with --all every one on record.")
@click.option("--all", "every", is_flag=True, help="Those that are over too.")
@click.option("--campaign", metavar="C", help="Of this campaign only.")
@since_option
@until_option
@config_option
@json_option
def list_(
    every: bool,
    campaign: str | None,
    since: str | None,
    until: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Show the overrides in force now, oldest first; with --all those that are over too.

    --since and --until, with --all: those that were in force at some time of that span.
    """
    if (since or until) and not every:
        raise click.UsageError("--since and --until look back: give --all with them")
    site = open_site(config)
    now = utc_now()
    start, end = span(since, until, site.zones, now)
    with site.reading() as conn, snapshot(conn):
        if every:
            found = list(list_overrides(conn, since=start, until=end, campaign=campaign))
        else:
            found = overrides_in_force(conn, now, campaign=campaign)
    if as_json:
        print_json_array(_as_json(one, now) for one in found)
        return
    print_table(
        ("id", "campaign", "rules", "from", "until", "by", "why", "state"),
        (
            (one.id, one.campaign, "&".join(one.rules), _local(one.since, one, site),
             _local(one.until, one, site), one.by, one.why, _state(one, now, site))
            for one in found
        ),
    )  # fmt: skip


@command.command("end", short_help="End an override before its time.")
@click.argument("override", metavar="ID", type=click.IntRange(min=1))
@click.option("--by", metavar="NAME", required=True, help="Who ends it.")
@click.option("--why", metavar="TEXT", default="", help="Kept with it.")
@config_option
@json_option
@click.pass_context
def end(
    ctx: click.Context, override: int, by: str, why: str, config: str | None, as_json: bool
) -> None:
    """End the override ID now: its rules hold again for the next question.

    Exit status 1 when it was over already.
    """
    name = _text(by, "--by")
    reason = _text(why, "--why", _WHY_LIMIT) if why.strip() else ""
    site = open_site(config)
    now = utc_now()
    with site.writing() as conn, transaction(conn):
        ended = end_override(conn, override, at=now, by=name, why=reason)
        found = find_override(conn, override)
    if as_json:
        print_json(_as_json(found, now))
    elif ended:
        rules = " and ".join(rule.value for rule in found.rules)
        holds = "hold" if len(found.rules) > 1 else "holds"
        click.echo(f"override {override} is over: {rules} {holds} again for {found.campaign}")
    if not ended:
        over = clock(found.over_at)
        warn(f"override {override} was over already, since {over}; nothing was changed")
        ctx.exit(1)


def _state(one: Override, now: datetime, site: Site) -> str:
    if one.ended_at is None:
        return "in force" if one.in_force(now) else "over"
    why = f": {one.ended_why}" if one.ended_why else ""
    return f"ended {_local(one.ended_at, one, site)} by {one.ended_by}{why}"


def _local(at: datetime, one: Override, site: Site) -> str:
    """An instant on the campaign's clock, where it is known and has one."""
    entry = site.rulebook.entries.get(one.campaign)
    return clock(at.astimezone(_zone(entry) if entry is not None else UTC))


def _zone(entry: Entry) -> tzinfo:
    zones = zones_of([entry.region])
    return zones[0] if len(zones) == 1 else UTC


def _as_json(one: Override, now: datetime) -> dict[str, object]:
    return {
        "id": one.id,
        "campaign": one.campaign,
        "professional": one.professional,
        "rules": [rule.value for rule in one.rules],
        "from": one.since,
        "until": one.until,
        "by": one.by,
        "why": one.why,
        "entered_by": one.entered_by,
        "in_force": one.in_force(now),
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
        "ended_why": one.ended_why,
    }
