"""`dialwarden policy calendar`: when may be called, day by day, for a manager's wall.

Owns the command, its table and its JSON. The days are `calendar_days`'s, the iCalendar file is
`calendar_ics`'s.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import date

import click

from dialwarden.cli.calendar_days import Change, Closed, Sheet, View, sheets
from dialwarden.cli.common import config_option, json_option, open_site, utc_now
from dialwarden.cli.output import print_json_array, printable
from dialwarden.cli.policy_files import known_policies
from dialwarden.cli.policy_forms import dated_and_read
from dialwarden.imports.instants import InstantError, read_date
from dialwarden.numbers import zone
from dialwarden.numbers.regions import UnknownRegion, places_of_region
from dialwarden.policy.days import Closing, Holiday
from dialwarden.policy.hours import WEEKDAYS
from dialwarden.policy.model import Regime
from dialwarden.policy.terms import mandate
from dialwarden.question import Purpose
from dialwarden.settings.report import choose_from

_WIDTH = 100
_MOST_DAYS = 800
_MOST_ZONES = 4  # named; of more, how many
# The holidays library and the time-zone data say little of other years.
_YEARS = range(1900, 2200)
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKDAY_NAMES = (
    "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays",
)  # fmt: skip


@click.command("calendar", short_help="When may be called, day by day.")
@click.argument("policy")
@click.option("--region", metavar="R", help="Where the callees are: US-FL; else the country.")
@click.option("--from", "first", metavar="DATE", help="The first day; else today, there.")
@click.option(
    "--days",
    type=click.IntRange(1, _MOST_DAYS),
    default=28,
    show_default=True,
    help="How many.",
)
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    help="What is called about; else the campaign's, or sales.",
)
@click.option("--campaign", metavar="C", help="The law and this campaign's tighten together.")
@config_option
@json_option
@click.option("--ics", is_flag=True, help="An iCalendar file on stdout, and nothing else.")
def calendar(
    policy: str,
    region: str | None,
    first: str | None,
    days: int,
    purpose: str | None,
    campaign: str | None,
    config: str | None,
    as_json: bool,
    ics: bool,
) -> None:
    """Show on each day the hours in which POLICY lets callees in a region be called.

    Nothing is known of a callee here: no consent, no appointment, no attempt, no list. Times are
    those of the callee's own clock.
    """
    if as_json and ics:
        raise click.UsageError("--json and --ics exclude each other")
    view = _view(policy, region, purpose, campaign, config)
    start = _first_day(first, view)
    rows = sheets(view, start, days)
    if as_json:
        print_json_array(_as_json(sheet, view) for sheet in rows)
    elif ics:
        # A library that only this form needs.
        from dialwarden.cli.calendar_ics import as_ics

        told = as_ics(view, list(rows), utc_now())
        if told is None:
            raise click.ClickException("no window is open and no day a holiday: nothing to write")
        click.echo(told, nl=False)
    else:
        for line in _as_text(view, list(rows)):
            click.echo(line)


def _view(
    policy: str,
    region: str | None,
    purpose: str | None,
    campaign: str | None,
    config: str | None,
) -> View:
    if campaign is not None:
        name, entry = open_site(config).entry(campaign)
        if entry.mandate.policy.id != policy:
            raise click.BadParameter(
                f"found {policy!r}; campaign {name} is judged by {entry.mandate.policy.id}",
                param_hint="POLICY",
            )
        bound, about, where = entry.mandate, entry.purpose, entry.region
    else:
        policies = known_policies(config)
        found = policies.get(policy)
        if found is None:
            raise click.BadParameter(choose_from(policy, policies, "policies"), param_hint="POLICY")
        bound = mandate(campaign="", professional="", policy=found)
        about, where = Purpose.SALES, found.country
    where = where if region is None else region
    if not where:
        raise click.BadParameter(
            f"name one; policy {policy} has no country to take it from", param_hint="--region"
        )
    try:
        places = places_of_region(where)
    except UnknownRegion as error:
        raise click.BadParameter(
            f"found {where[:40]!r}, did you mean {error.nearest}?; allowed: ISO 3166 codes such as "
            "FR or US-FL",
            param_hint="--region",
        ) from None
    return View.of(bound, Purpose(purpose) if purpose else about, places)


def _first_day(text: str | None, view: View) -> date:
    if text is None:
        return utc_now().astimezone(zone(view.zones[0])).date()
    try:
        first = read_date(text)
    except InstantError as error:
        raise click.BadParameter(str(error), param_hint="--from") from None
    if first.year not in _YEARS:
        raise click.BadParameter(
            f"found {first}; allowed: dates from {_YEARS[0]} to {_YEARS[-1]}", param_hint="--from"
        )
    return first


# For programs


def _as_json(sheet: Sheet, view: View) -> dict[str, object]:
    holiday, doubt = sheet.holiday, sheet.doubt
    return {
        "date": sheet.date,
        "weekday": WEEKDAYS[sheet.date.weekday()],
        "regime": sheet.regime.id if sheet.regime else None,
        "closed": sheet.closed.value if sheet.closed else None,
        "windows": [str(window) for window in sheet.windows],
        "holiday": {"name": holiday.name, "kind": holiday.kind.value, **_where(holiday)}
        if holiday
        else None,
        "doubt": {"name": doubt.name, **_where(doubt)} if doubt else None,
        "eve_of": sheet.eve_of or None,
        "clock_changes": [
            {"zone": change.zone, "before": _clock(change.before), "after": _clock(change.after)}
            for change in sheet.changes
        ],
        "region": view.region,
        "zone": view.zones[0] if len(view.zones) == 1 else None,
        "zones": view.zones,
        "unverified": sheet.unverified,
    }


def _where(holiday: Holiday) -> dict[str, str | None]:
    return {"region": holiday.region or None, "source": holiday.source}


# For people


def _as_text(view: View, rows: Sequence[Sheet]) -> Iterator[str]:
    yield from _title(view, rows)
    yield ""
    opened = [_open(sheet) for sheet in rows]
    width = max(len(text) for text in ("OPEN", *opened))
    yield f"{'DATE':<16}{'OPEN':<{width}}  NOTE"
    before: object = ...
    for sheet, windows in zip(rows, opened, strict=True):
        if sheet.regime is not before:
            if before is not ...:
                yield ""
            yield from _wrapped(_regime(sheet.regime, view.purpose), "", "  ")
            before = sheet.regime
        day = f"{_DAY_NAMES[sheet.date.weekday()]} {sheet.date}  {windows:<{width}}  "
        notes = printable("; ".join(_notes(sheet, view)))
        # Beside many windows a note has no room: it goes under them.
        beside = len(day) <= _WIDTH - 24
        yield from _wrapped(notes if beside else "", day, " " * len(day))
        if not beside:
            yield from _wrapped(notes, " " * 16, " " * 16)
    yield from _sources(rows)


def _title(view: View, rows: Sequence[Sheet]) -> Iterator[str]:
    policy = view.mandate.policy
    yield from _wrapped(policy.title, "", "  ")
    whose = f"policy {policy.id}, {view.purpose.value} calls"
    if view.mandate.campaign:
        whose += f", campaign {view.mandate.campaign} with its tighten"
    many = len(view.zones) > _MOST_ZONES
    zones = f"{len(view.zones)} clocks" if many else ", ".join(view.zones)
    yield from _wrapped(f"{whose}; region {view.region}, {zones}", "", "  ")
    differ = f", and clocks differ within {view.region}" if len(view.zones) > 1 else ""
    yield f"times are those of the callee's own clock{differ}"
    apart = sorted(_regions_apart(rows))
    if apart and not view.known:
        told = (
            f"regions differ: {', '.join(apart)} add rules that are not shown here; "
            f"name one, --region {apart[0]}"
        )
        yield from _wrapped(told, "", "  ")
    elif not view.known and any(sheet.doubt for sheet in rows):
        yield "regions differ: name the callee's with --region for its own holidays"


def _regions_apart(rows: Sequence[Sheet]) -> set[str]:
    regimes = {id(sheet.regime): sheet.regime for sheet in rows if sheet.regime}.values()
    return {region for one in regimes for part in one.regions for region in part.regions}


def _regime(regime: Regime | None, purpose: Purpose) -> str:
    if regime is None:
        return "no regime in force: every call is refused"
    until = f" through {regime.end}" if regime.end else ""
    told = f"regime {regime.id}, from {regime.start}{until}: {regime.title}"
    if purpose not in regime.purposes:
        told += f" (binds no {purpose.value} calls)"
    return told


def _open(sheet: Sheet) -> str:
    return ", ".join(map(str, sheet.windows)) or "closed"


def _notes(sheet: Sheet, view: View) -> Iterator[str]:
    holiday, doubt = sheet.holiday, sheet.doubt
    match sheet.closed:
        case Closed.HOLIDAY if holiday is not None:
            yield _holiday(holiday, view)
        case Closed.CAMPAIGN:
            yield "closed by the campaign"
        case Closed.WEEKDAY:
            yield f"closed on {_WEEKDAY_NAMES[sheet.date.weekday()]}"
        case _:
            pass
    if sheet.eve_of:
        yield f"eve of {sheet.eve_of}"
    if doubt is not None:
        yield (f"{doubt.name}: holiday in {doubt.region}; not known whether the callee is there")
    yield from _changes(sheet.changes, view)


def _holiday(holiday: Holiday, view: View) -> str:
    if not holiday.region:
        return f"holiday: {holiday.name}"
    if holiday.kind is Closing.ADVISORY:
        return f"holiday in {holiday.region}, closed out of caution: {holiday.name}"
    where = holiday.region if view.known else f"{holiday.region}, where the callee may be"
    return f"holiday in {where}: {holiday.name}"


def _changes(changes: Sequence[Change], view: View) -> Iterator[str]:
    alike: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        alike.setdefault((_clock(change.before), _clock(change.after)), []).append(change.zone)
    for (before, after), zones in alike.items():
        whose = ""
        if len(zones) < len(view.zones):
            many = len(zones) > _MOST_ZONES
            whose = f" ({f'{len(zones)} of the clocks' if many else ', '.join(zones)})"
        yield f"clocks change, {before} to {after}{whose}"


def _clock(instant: date) -> str:
    return f"{instant:%H:%M}"


def _sources(rows: Sequence[Sheet]) -> Iterator[str]:
    """What the days rest on, in the order in which it is first met."""
    about: dict[str, dict[str, None]] = {}
    for sheet in rows:
        for name, citations in (("hours", sheet.hours), ("holidays", sheet.holidays)):
            for citation in citations:
                about.setdefault(citation, {})[name] = None
    known = {
        citation: source
        for sheet in rows
        if sheet.regime
        for citation, source in sheet.regime.sources.items()
    }
    if about:
        yield ""
        yield "sources"
    for citation, names in about.items():
        yield from _wrapped(f"{' and '.join(names)}: {citation}", "  ", "    ")
        if citation in known:
            yield from _wrapped(dated_and_read(known[citation]), "    ", "    ")


def _wrapped(text: str, first: str, others: str) -> list[str]:
    """A text in lines of at most the width of a page; a blank one where there is no text."""
    if not text:
        return [first.rstrip()] if first.strip() else []
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
