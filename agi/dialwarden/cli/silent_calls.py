"""`dialwarden silent`: calls that the callee answered and that no agent took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from dialwarden.cli.common import (
    Site,
    campaign_option,
    config_option,
    json_option,
    open_site,
    past_option,
    utc_now,
    who,
    zones_of_callee,
)
from dialwarden.cli.output import clock, counted, print_json, print_json_array, print_table, warn
from dialwarden.cli.records import add_list
from dialwarden.cli.spans import since_option, span, until_option
from dialwarden.imports.people import zones_of
from dialwarden.ledger import silent_calls
from dialwarden.ledger.connection import snapshot, transaction
from dialwarden.ledger.silent_share import Share, silent_shares
from dialwarden.policy.figures import SilentShare
from dialwarden.policy.model import Confidence, Regime
from dialwarden.policy.period import day_start
from dialwarden.settings.campaigns import Campaign
from dialwarden.settings.report import choose_from

# Over how many days is counted where no law says it.
_DAYS = 30


@click.group("silent", short_help="Calls that were answered and that no agent took.")
def command() -> None:
    """Calls that the callee answered and that no agent took: some laws ask to wait after one."""


@command.command("add", short_help="Record that a call fell silent.")
@click.argument("number")
@campaign_option
@click.option("--at", metavar="ISO", help="When; now if not given. Local time of the callee.")
@click.option("--person", metavar="ID", default="", help="Joins one consumer's numbers.")
@config_option
@json_option
def add(
    number: str, campaign: str, at: str | None, person: str, config: str | None, as_json: bool
) -> None:
    """Record that the callee at NUMBER answered and found nobody on the line."""
    site = open_site(config)
    now = utc_now()
    name, entry = site.entry(campaign)
    callee = site.callee(number, entry.region)
    zones = zones_of_callee(callee)
    fell = past_option(at, zones, now, day="end")
    professional = entry.mandate.professional
    with site.writing() as conn, transaction(conn):
        if not at:
            fell = silent_calls.after_its_call(
                conn, number=callee.digits, professional=professional, now=now
            )
        new = silent_calls.NewSilentCall(
            number=callee.digits,
            person=person,
            professional=professional,
            campaign=name,
            at=fell,
            recorded_at=now,
            by=who(),
        )
        recorded = silent_calls.add(conn, new)
    if as_json:
        print_json(
            {
                "number": callee.e164,
                "professional": professional,
                "campaign": name,
                "at": new.at,
                "recorded": recorded,
            }
        )
        return
    word = "recorded" if recorded else "known already"
    click.echo(f"silent call to {callee.e164} {word}: {clock(new.at.astimezone(zones[0]))}")


add_list(
    command,
    silent_calls.list_silent_calls,
    ("id", "at", "number", "professional", "campaign", "attempt", "by"),
    short_help="The silent calls on record.",
    help="Show the silent calls on record, in the order in which they were recorded.",
)


@dataclass(frozen=True)
class _Measure:
    """How a campaign's silent calls are counted, and how many it may have.

    Attributes:
        since: the first instant; None for the whole campaign.
        regime, limit: by which at most so many; None where nothing limits them.
    """

    since: datetime | None
    regime: Regime | None = None
    limit: SilentShare | None = None

    def as_json(self) -> dict[str, object] | None:
        if self.limit is None or self.regime is None:
            return None
        source = self.regime.sources.get(self.limit.source)
        confidence = source.confidence if source else Confidence.UNVERIFIED
        return {
            "percent": self.limit.percent,
            "days": self.limit.days,
            "regime": self.regime.id,
            "source": self.limit.source,
            "confidence": confidence.value,
        }


@command.command("share", short_help="How many of the answered calls fell silent.")
@click.option("--campaign", metavar="C", help="Of this campaign only.")
@since_option
@until_option
@config_option
@json_option
@click.pass_context
def share(
    ctx: click.Context,
    campaign: str | None,
    since: str | None,
    until: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Show how many of the answered calls fell silent, by campaign, beside the law's limit.

    Without --since they are counted as the campaign's policy measures them: over its days, or the
    whole campaign; where it sets no limit, over 30 days. Exit status 1 when a campaign is above
    its limit.
    """
    site = open_site(config)
    now = utc_now()
    start, end = span(since, until, site.zones, now)
    measures = {
        name: _measure(entry, start, end or now) for name, entry in site.config.campaigns.items()
    }
    others = _Measure(start or _days_before(end or now, _DAYS, None))
    with site.reading() as conn, snapshot(conn):
        # Campaigns that are counted from the same instant on are counted together.
        spans = {measure.since for measure in (*measures.values(), others)}
        found = [
            (counted_share, measure)
            for first in spans
            for counted_share in silent_shares(conn, since=first, until=end, campaign=campaign)
            if (measure := measures.get(counted_share.campaign, others)).since == first
        ]
    if campaign is not None and campaign not in measures and not found:
        told = choose_from(campaign, measures, "campaigns")
        raise click.BadParameter(told, param_hint="--campaign")
    found.sort(key=lambda pair: (pair[0].campaign, pair[0].professional))
    if as_json:
        print_json_array(_as_json(one, measure, end or now) for one, measure in found)
    else:
        print_table(
            ("campaign", "professional", "since", "answered", "silent", "percent", "limit"),
            (
                (one.campaign, one.professional, _since(measure, site), one.answered, one.silent,
                 _percent(one), f"{measure.limit.percent} %" if measure.limit else "")
                for one, measure in found
            ),
        )  # fmt: skip
    for sentence in _doubts(found):
        warn(sentence)
    ctx.exit(1 if any(_above(one, measure) for one, measure in found) else 0)


def _measure(campaign: Campaign, since: datetime | None, until: datetime) -> _Measure:
    zones = zones_of([campaign.region])
    # The last instant of the span: `until` itself may be the first of another day.
    last = (until - timedelta(microseconds=1)).astimezone(zones[0] if len(zones) == 1 else UTC)
    regime = campaign.policy.regime_on(last.date())
    limit = regime.silent_share if regime and campaign.purpose in regime.purposes else None
    if limit is None:
        return _Measure(since or _days_before(until, _DAYS, campaign))
    if since is None and limit.days:
        since = _days_before(until, limit.days, campaign)
    return _Measure(since, regime, limit)


def _days_before(until: datetime, days: int, campaign: Campaign | None) -> datetime:
    """The start of the first of so many calendar days, the last of them ending with the span."""
    zones = zones_of([campaign.region]) if campaign else ()
    zone = zones[0] if len(zones) == 1 else UTC
    last = (until - timedelta(microseconds=1)).astimezone(zone).date()
    return day_start(last - timedelta(days - 1), zone).astimezone(UTC)


def _above(one: Share, measure: _Measure) -> bool:
    return measure.limit is not None and one.above(measure.limit.percent)


def _as_json(one: Share, measure: _Measure, until: datetime) -> Mapping[str, object]:
    percent = one.percent
    return {
        "campaign": one.campaign,
        "professional": one.professional,
        "since": measure.since,
        "until": until,
        "answered": one.answered,
        "silent": one.silent,
        "unknown": one.unknown,
        "percent": None if percent is None else round(percent, 2),
        "limit": measure.as_json(),
        "above": _above(one, measure),
    }


def _since(measure: _Measure, site: Site) -> str:
    if measure.since is None:
        return "the first call"
    zones = site.zones
    return clock(measure.since.astimezone(zones[0] if len(zones) == 1 else UTC))


def _percent(one: Share) -> str:
    return "" if one.percent is None else f"{one.percent:.2f} %"


def _doubts(found: list[tuple[Share, _Measure]]) -> Iterator[str]:
    for one, measure in found:
        if measure.limit is not None and _above(one, measure):
            doubt = measure.as_json() or {}
            unread = " (UNVERIFIED)" if doubt.get("confidence") == Confidence.UNVERIFIED else ""
            yield (
                f"campaign {one.campaign}: {counted(one.silent, 'silent call')} in "
                f"{one.answered:,} answered, {_percent(one)}; at most {measure.limit.percent} %"
                f"{unread}: {measure.limit.source}"
            )
    for one, _ in found:
        if one.unknown:
            yield (
                f"campaign {one.campaign or '(none)'}: of {counted(one.unknown, 'attempt')} it is "
                "not on record whether they were answered; with these the share may be smaller"
            )
