"""`dialwarden report`: a day, a month or any span, summed up for a manager."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from dialwarden import __version__
from dialwarden.cli.common import Site, config_option, json_option, open_site, utc_now
from dialwarden.cli.output import clock, counted, csv_cell, print_json, print_table, warn
from dialwarden.imports.instants import InstantError, read_date
from dialwarden.ledger import tallies
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.tallies import Span
from dialwarden.policy.period import day_start
from dialwarden.reporting.summary import Summary, Sums, summarise
from dialwarden.verdict import Rule

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
# Days of the year 1 begin before time does where clocks are ahead of UTC.
_FIRST_YEAR = 2
_SUMS = ("allowed", "answered", "refused", "would", "bypassed")
_RULES = tuple(rule.value for rule in Rule)


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a report: `until` is the first one behind it."""

    title: str
    since: date
    until: date


@click.command("report", short_help="A day or a month of calls, summed up.")
@click.option("--day", metavar="DATE", help="This day; today if nothing else is named.")
@click.option("--month", metavar="YYYY-MM", help="This month.")
@click.option("--since", metavar="DATE", help="From this day on, up to --until, or today.")
@click.option("--until", metavar="DATE", help="The last day of it.")
@click.option("--campaign", metavar="C", default="", help="Of this campaign only.")
@click.option(
    "--zone",
    metavar="ZONE",
    default="",
    help="Whose days and hours: Europe/Paris. Else those of the campaigns' region, UTC if several.",
)
@click.option("--csv", "as_csv", is_flag=True, help="A row an hour and campaign, for spreadsheets.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A page with charts that needs nothing beside itself.",
)
@config_option
@json_option
def command(
    day: str | None,
    month: str | None,
    since: str | None,
    until: str | None,
    campaign: str,
    zone: str,
    as_csv: bool,
    html: Path | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Sum up the calls of a day or a month: allowed, refused and why, and what left unasked.

    What was let go against a refusal, in shadow mode or under an override, is told by rule,
    campaign and hour: that is what enforcing would change.
    """
    if as_csv + as_json + bool(html) > 1:
        raise click.UsageError("one of --csv, --html and --json")
    site = open_site(config)
    where = _zone(zone) if zone else _zone_of(site)
    period = _period(day, month, since, until, utc_now().astimezone(where).date())
    summary = _summary(site, period, where, campaign)
    if as_json:
        print_json(_json(summary))
    elif as_csv:
        _csv(summary)
    elif html:
        _html(html, summary, period, site)
    else:
        _text(summary, period)


def _summary(site: Site, period: Period, zone: tzinfo, campaign: str) -> Summary:
    span = Span(
        day_start(period.since, zone).astimezone(UTC),
        day_start(period.until, zone).astimezone(UTC),
        campaign,
    )
    with site.reading() as conn, snapshot(conn):
        summary = summarise(
            span,
            zone,
            attempts=tallies.attempt_tallies(conn, span),
            refusals=tallies.refusal_tallies(conn, span),
            callees=tallies.refused_callees(conn, span),
            bypasses=tallies.bypass_tallies(conn, span),
            exempt=tallies.exempt_tallies(conn, span),
            bases=tallies.basis_tallies(conn, span),
        )
    if campaign and campaign not in site.rulebook.entries and not summary.campaigns:
        warn(f"campaign {campaign!r} is not configured, and nothing is on record of it")
    return summary


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(
            f"{name} is no time zone; one is named like Europe/Paris", param_hint="--zone"
        ) from None


def _zone_of(site: Site) -> tzinfo:
    zones = site.zones
    return zones[0] if len(zones) == 1 else UTC


def _period(
    day: str | None, month: str | None, since: str | None, until: str | None, today: date
) -> Period:
    if sum(map(bool, (day, month, since or until))) > 1:
        raise click.UsageError("one of --day, --month, and --since with --until")
    if month:
        return _month(month)
    if since or until:
        first = _date(since, "--since") if since else None
        last = _date(until, "--until") if until else today
        if first is None:
            raise click.UsageError("--until needs a --since")
        if last < first:
            raise click.BadParameter(f"{last} lies before {first}", param_hint="--until")
        return Period(f"{first} to {last}", first, _after(last))
    one = _date(day, "--day") if day else today
    return Period(f"{one:%a} {one}", one, _after(one))


def _month(text: str) -> Period:
    found = _MONTH.fullmatch(text.strip())
    try:
        first = date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        first = None
    if first is None or not _FIRST_YEAR <= first.year < date.max.year:
        raise click.BadParameter(f"{text} is no month; one is 2026-11", param_hint="--month")
    return Period(f"{first:%B %Y}", first, _after(first.replace(day=28) + timedelta(days=4), 1))


def _after(day: date, to: int = 0) -> date:
    """The day behind; with `to`, that day of the same month."""
    return day.replace(day=to) if to else day + timedelta(days=1)


def _date(text: str, option: str) -> date:
    try:
        found = read_date(text)
    except InstantError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    if not _FIRST_YEAR <= found.year < date.max.year:
        raise click.BadParameter(f"{found}: nothing is on record of then", param_hint=option)
    return found


# For people.


def _text(summary: Summary, period: Period) -> None:
    total = summary.total
    scope = summary.span.campaign or "every campaign"
    click.echo(f"Calls, {period.title}, {scope}; hours of {summary.zone}")
    if not summary.hours:
        click.echo("no call was asked about, and none left without asking")
        return
    click.echo(
        f"{total.allowed:,} allowed ({total.answered:,} known to be answered), "
        f"{total.refused:,} refused ({counted(summary.callees, 'number')}, "
        f"{100 * total.refused_share:.1f} % of what was asked), "
        f"{total.bypassed:,} left without asking ({total.stopped:,} of them hung up)"
    )
    if total.would:
        click.echo(
            f"{total.would:,} let go against a refusal "
            f"({counted(summary.would_callees, 'number')}): enforcing every rule would take away "
            f"{100 * total.would_share:.1f} % of what left"
        )
    with _part("Why calls were refused", summary.rules):
        print_table(
            ("rule", "refused", "numbers", "failed in all", "let go", "numbers"),
            ((r.rule, r.first, r.callees, r.among, r.would, r.would_callees)
             for r in summary.rules),
        )  # fmt: skip
    with _part("Campaigns", summary.campaigns):
        print_table(
            ("campaign", "allowed", "answered", "refused", "share", "first rules", "let go",
             "unasked"),
            ((name or "(none named)", s.allowed, s.answered, s.refused,
              f"{100 * s.refused_share:.1f} %", _among(s.by_rule), s.would, s.bypassed)
             for name, s in summary.campaigns.items()),
        )  # fmt: skip
    busiest = summary.busiest_refused()
    with _part("The hours with the most refusals", busiest):
        print_table(
            ("hour from", "refused", "let go", "allowed", "rules"),
            ((clock(at.astimezone(summary.zone)), s.refused, s.would, s.allowed,
              _among(s.by_rule + s.would_by_rule)) for at, s in busiest),
        )  # fmt: skip
    would = [(f"{hour:02}:00", s) for hour, s in summary.by_hour.items() if s.would]
    would += [(name, s) for name, s in summary.campaigns.items() if s.would]
    with _part("What enforcing would change", would):
        print_table(
            ("hour, campaign", "let go", "of what left", "rules"),
            ((name, s.would, f"{100 * s.would_share:.1f} %", _among(s.would_by_rule))
             for name, s in would),
        )  # fmt: skip
    with _part("Left without asking", summary.bypasses):
        print_table(
            ("placed by", "calls", "the guard", "last"),
            ((one.by or "?", one.count, "let them go" if one.let_go else "hung them up",
              one.last_at.astimezone(summary.zone)) for one in summary.bypasses),
        )  # fmt: skip
    for name, count in summary.exempt:
        click.echo(f"never judged, list {name}: {counted(count, 'call')}")


@contextmanager
def _part(title: str, rows: object) -> Iterator[None]:
    if rows:
        click.echo(f"\n{title}")
    yield


def _among(rules: Mapping[str, int]) -> str:
    most = sorted(rules.items(), key=lambda row: (-row[1], row[0]))
    return ", ".join(f"{rule} {count:,}" for rule, count in most)


def _html(file: Path, summary: Summary, period: Period, site: Site) -> None:
    # Here: no other command needs a template engine.
    from dialwarden.reporting.page import page

    made = (
        f"Made {clock(utc_now().astimezone(summary.zone))} by dialwarden {__version__} from "
        f"{site.config.store.path}."
    )
    scope = f"Campaign {summary.span.campaign}" if summary.span.campaign else "Every campaign"
    text = page(summary, title=period.title, made=made, scope=scope)
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise click.BadParameter(
            f"{file} cannot be written: {error.strerror}", param_hint="--html"
        ) from None
    click.echo(f"{file}: {period.title}, {counted(len(summary.hours), 'hour')} with calls")


# For programs.


def _row(sums: Sums) -> dict[str, object]:
    return {name: getattr(sums, name) for name in _SUMS} | {"hung_up": sums.stopped}


def _rules(sums: Sums) -> dict[str, object]:
    return {"by_rule": dict(sums.by_rule), "would_by_rule": dict(sums.would_by_rule)}


def _json(summary: Summary) -> dict[str, object]:
    return {
        "since": summary.span.since.astimezone(summary.zone),
        "until": summary.span.until.astimezone(summary.zone),
        "zone": str(summary.zone),
        "campaign": summary.span.campaign or None,
        "total": {
            **_row(summary.total),
            "callees_refused": summary.callees,
            "callees_would": summary.would_callees,
        },
        "rules": [
            {
                "rule": one.rule,
                "refused": one.first,
                "callees": one.callees,
                "failed": one.among,
                "would": one.would,
                "would_callees": one.would_callees,
            }
            for one in summary.rules
        ],
        "campaigns": [
            {"campaign": name, **_row(sums), **_rules(sums)}
            for name, sums in summary.campaigns.items()
        ],
        "days": [{"day": day, **_row(sums), **_rules(sums)} for day, sums in summary.days.items()],
        "hours": [
            {"from": at.astimezone(summary.zone), **_row(sums), **_rules(sums)}
            for at, sums in summary.hours.items()
        ],
        "bypasses": [
            {"by": one.by, "calls": one.count, "let_go": one.let_go, "last": one.last_at}
            for one in summary.bypasses
        ],
        "exempt": [{"list": name, "calls": count} for name, count in summary.exempt],
        "judged_by": [
            {
                "regime": basis.regime,
                "policy": basis.policy,
                "policy_sha256": basis.policy_sha256,
                "calls": basis.count,
            }
            for basis in summary.bases
        ],
    }


def _csv(summary: Summary) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("from", "campaign", *_SUMS, *(f"refused_{r}" for r in _RULES),
                  *(f"would_{r}" for r in _RULES)))  # fmt: skip
    for (at, campaign), sums in summary.hours_of_campaigns.items():
        out.writerow(
            (
                at.astimezone(summary.zone).isoformat(),
                csv_cell(campaign),
                *(getattr(sums, name) for name in _SUMS),
                *(sums.by_rule[rule] for rule in _RULES),
                *(sums.would_by_rule[rule] for rule in _RULES),
            )
        )
