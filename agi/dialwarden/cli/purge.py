"""`dialwarden purge`: what need not be kept any longer goes."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from dialwarden.cli.common import (
    config_option,
    instant_option,
    json_option,
    open_site,
    utc_now,
    who,
)
from dialwarden.cli.output import counted, print_json, print_table, progress_bar, warn
from dialwarden.ledger.purge_clock import ClockDoubted, doubt_of
from dialwarden.ledger.purge_survey import Found, survey
from dialwarden.policy.retention import Cut, Keeping, Retention
from dialwarden.retention import plan_of, purge_ledger, retention_of, told

# Without attempts nothing is judged by a cap: these go by the period of proof alone.
_BY_PROOF = frozenset({"consents", "objections", "withdrawals"})
_NOBODYS = frozenset({"bases", "list versions"})


@click.command("purge", short_help="Remove what need not be kept any longer.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and why; write nothing.")
@click.option(
    "--at",
    metavar="ISO",
    help="As of then; now if not given. In the future with --dry-run only.",
)
@config_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, dry_run: bool, at: str | None, config: str | None, as_json: bool
) -> None:
    """Remove what is older than the law, a cap or the house asks for.

    Attempts, refusals and consents go when their evidence period is over, objections and
    withdrawals when they have no effect either; those that still have one are reduced: they go on
    refusing without saying of whom they are. Of professionals without a period all is kept. It
    may be run beside a running bridge, stopped, and run again.

    Where nothing was recorded for more than a month until this one, this server's clock may be
    ahead: nothing goes then, with exit status 1, unless --at says when it is.
    """
    site = open_site(config)
    now = utc_now()
    moment = instant_option(at, (UTC,)) or now
    if moment > now and not dry_run:
        raise click.BadParameter(
            f"{at} lies in the future: what goes now must be over now; --dry-run looks ahead",
            param_hint="--at",
        )
    kept = retention_of(site.config)
    if dry_run:
        with site.reading() as conn, progress_bar("purge") as progress:
            found = survey(conn, plan_of(kept, moment), moment, progress)
            doubt = doubt_of(conn, now) if at is None else None
        _tell_survey(found, kept, moment, as_json=as_json)
        if doubt is not None:
            warn(str(doubt))
        return
    with site.writing():
        pass  # made if there never was one, and told if it vanished
    try:
        with progress_bar("purge") as progress:
            done = purge_ledger(
                site.config.store.path, site.config, moment,
                by=who(), pause=_pause, progress=progress, sure=at is not None,
            )  # fmt: skip
    except ClockDoubted as error:
        warn(str(error))
        ctx.exit(1)
    if as_json:
        print_json({"at": moment, "removed": done.removed, "reduced": done.reduced})
        return
    click.echo(told(done))
    _tell_kept(kept)


def _pause(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _tell_survey(found: list[Found], kept: Retention, now: datetime, *, as_json: bool) -> None:
    rows = [_row(one, kept, now) for one in found]
    if as_json:
        print_json({"at": now, "kinds": rows})
        return
    print_table(
        ("kind", "professional", "rows", "action", "older than", "why", "oldest kept"),
        (
            (
                row["kind"],
                row["professional"],
                f"{row['rows']:,}",
                row["action"],
                row["before"],
                row["why"],
                row["oldest_kept"],
            )
            for row in rows
        ),
    )
    for name, keeping in kept.named.items():
        if keeping.years is not None:
            click.echo(f"{name}: {counted(keeping.years, 'year')}, {keeping.source}")
    total = sum(one.rows for one in found)
    click.echo(f"{counted(total, 'row')} would go; nothing was changed")
    _tell_kept(kept)


def _row(one: Found, kept: Retention, now: datetime) -> dict[str, object]:
    before: datetime | None
    if one.kind in _NOBODYS:
        before = kept.lists_before(now) if one.kind == "list versions" else None
        why, source = "no call on record was judged by it", ""
    else:
        keeping = kept.named.get(one.professional, kept.others)
        cut = keeping.on(now)
        before = _before(one, cut)
        why, source = _why(one, keeping, cut), keeping.source
    return {
        "kind": one.kind,
        "professional": one.professional,
        "action": "reduced" if one.reduced else "removed",
        "rows": one.rows,
        "before": before,
        "why": why,
        "source": source,
        "oldest_kept": one.oldest_kept,
    }


def _before(one: Found, cut: Cut) -> datetime | None:
    if one.kind not in _BY_PROOF:
        return cut.before
    if one.reduced or one.kind == "consents":
        return cut.proof_before
    return cut.noes_before if one.kind == "objections" else cut.withdrawals_before


def _why(one: Found, keeping: Keeping, cut: Cut) -> str:
    if keeping.years is None:
        return "kept: no evidence period is known"
    period = counted(keeping.years, "year")
    if one.kind not in _BY_PROOF:
        return period if cut.before == cut.proof_before else f"caps look back {keeping.history}"
    if one.kind == "consents":
        return f"{period} after the consent was over"
    if one.reduced:
        return f"{period}, and it goes on holding"
    return period if _before(one, cut) else "kept: it has an effect without end"


def _tell_kept(kept: Retention) -> None:
    for name, keeping in kept.named.items():
        if keeping.years is None:
            warn(
                f"professional {name}: no policy of its campaigns says how long proof is kept, so "
                "everything is; [retention] years gives a period"
            )
