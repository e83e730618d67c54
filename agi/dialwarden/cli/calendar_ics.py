"""A calendar as an iCalendar file (RFC 5545): an event for each open window, one for each holiday.

Owns the events and their names. Instants are in UTC: a reader's own clock, whatever it is, then
shows when the callee's is in a window. Escaping and folding are the library's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from icalendar import Calendar, Event

from dialwarden.cli.calendar_days import Closed, Sheet, View
from dialwarden.numbers import zone
from dialwarden.policy.days import Closing
from dialwarden.policy.hours import Windows, clock_changes, is_open
from dialwarden.policy.model import Confidence


def as_ics(view: View, rows: Sequence[Sheet], now: datetime) -> bytes | None:
    """The file; None when there is no event, since a calendar without any is none.

    Args:
        now: when it is written; the events' own names do not depend on it, so that a newer file
            replaces the events of an older one.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//dialwarden//policy calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{view.mandate.policy.id}, {_whose(view)}")
    for sheet in rows:
        for event in _events(sheet, view):
            event.add("dtstamp", now.replace(microsecond=0))
            calendar.add_component(event)
    if not calendar.subcomponents:
        return None
    content: bytes = calendar.to_ical()
    return content


def _events(sheet: Sheet, view: View) -> Iterator[Event]:
    described = _description(sheet)
    for name, summary in _closures(sheet):
        event = Event()
        event.add("uid", _uid(view, sheet.date, name))
        event.add("summary", summary)
        event.add("dtstart", sheet.date)
        event.add("dtend", sheet.date + timedelta(1))
        event.add("transp", "TRANSPARENT")
        event.add("description", described)
        yield event
    for clock in view.zones:
        apart = f"-{clock}" if len(view.zones) > 1 else ""
        where = f" ({clock})" if apart else ""
        for place, (start, end) in enumerate(open_spans(sheet.windows, sheet.date, zone(clock)), 1):
            event = Event()
            event.add("uid", _uid(view, sheet.date, f"open{place}{apart}"))
            event.add("summary", f"Calls allowed: {_whose(view)}{where}")
            event.add("dtstart", start)
            event.add("dtend", end)
            event.add("description", described)
            yield event


def open_spans(windows: Windows, day: date, clock: tzinfo) -> list[tuple[datetime, datetime]]:
    """The real spans of a local date in which one of the windows holds the wall clock.

    Half-open, in UTC and in order. A window that a clock change repeats in part is two spans, one
    of which it skips a part is shorter by it.
    """
    midnight = datetime.combine(day, time(0))
    bounds = {s for window in windows for s in (window.start_s, window.end_s)}
    walls = [midnight, midnight + timedelta(1), *(midnight + timedelta(seconds=s) for s in bounds)]
    instants = {
        wall.replace(tzinfo=clock, fold=fold).astimezone(UTC) for wall in walls for fold in (0, 1)
    }
    instants.update(clock_changes(day, clock))
    ordered = sorted(instants)
    spans: list[tuple[datetime, datetime]] = []
    for start, end in pairwise(ordered):
        local = start.astimezone(clock)
        if local.date() != day or not is_open(windows, local):
            continue
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _closures(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """What closes a whole day, or might: the end of the event's name, and its title."""
    holiday, doubt = sheet.holiday, sheet.doubt
    if holiday is not None:
        where = f" in {holiday.region}" if holiday.region else ""
        caution = ", out of caution" if holiday.kind is Closing.ADVISORY else ""
        yield "holiday", f"No calls: {holiday.name}{where}{caution}"
    elif sheet.closed is Closed.CAMPAIGN:
        yield "closed", "No calls: closed by the campaign"
    if doubt is not None:
        yield "doubt", f"Perhaps no calls: {doubt.name}, if the callee is in {doubt.region}"


def _description(sheet: Sheet) -> str:
    lines = [f"Regime {sheet.regime.id}: {sheet.regime.title}"] if sheet.regime else []
    if sheet.eve_of:
        lines.append(f"Eve of {sheet.eve_of}")
    for citation in dict.fromkeys([*sheet.hours, *sheet.holidays]):
        source = sheet.regime.sources.get(citation) if sheet.regime else None
        doubtful = source is not None and source.confidence is Confidence.UNVERIFIED
        lines.append(citation + (" (UNVERIFIED: do not rely on it)" if doubtful else ""))
    return "\n".join(lines)


def _whose(view: View) -> str:
    campaign = f", campaign {view.mandate.campaign}" if view.mandate.campaign else ""
    return f"{view.purpose.value} calls, {view.region}{campaign}"


def _uid(view: View, day: date, what: str) -> str:
    owner = view.mandate.campaign or "law"
    parts = (view.mandate.policy.id, owner, view.purpose.value, view.region, day.isoformat(), what)
    return "-".join(parts) + "@dialwarden"
