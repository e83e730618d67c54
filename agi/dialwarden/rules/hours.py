"""hours: the windows of the day on the callee's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from dialwarden.policy.days import Day
from dialwarden.policy.hours import Windows, intersect, is_open, openings
from dialwarden.policy.period import earlier
from dialwarden.policy.terms import ELSEWHERE
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, Reason, Refusal, Rule

# A week has every weekday; one day more, because today's windows may all be over, and one for
# a window that a clock change swallows whole. A second week for eves, which shorten a day.
_SEARCH_DAYS = 22


def judge_hours(case: Case) -> Finding:
    """Refuse outside the windows of the day: half-open, in the callee's zone.

    The eve of a holiday has its own where the law gives it some, cut by the weekday's. A consent
    or an appointment that lifts the law's hours leaves the house's.
    """
    terms = case.terms
    if terms.hours is None:
        return None
    today = case.day(case.today)
    assert today.windows is not None
    if is_open(today.windows, case.local):
        return None
    lifted = bool(terms.law) and case.lifted(Rule.HOURS)
    windows = today.house_windows if lifted else today.windows
    if windows is None or is_open(windows, case.local):
        return None
    by_consent = bool(terms.law) and case.lifted_by_consent(Rule.HOURS)
    until = _until(case, lifted=by_consent)
    return Refusal(
        Rule.HOURS,
        _reason(case, today, windows, until),
        until=until,
        source=_source(case, today, lifted=lifted),
    )


def _reason(case: Case, today: Day, windows: Windows, until: datetime | None) -> Reason:
    # Of several places where the callee may be, the one that this is about.
    several = len(case.matter.places) > 1 and case.region != ELSEWHERE
    where = f" ({case.region})" if several else ""
    values: dict[str, object] = {"local": case.local, "where": where, "opens": until}
    if until is None:
        return Reason("hours_never", values)
    if not windows:
        return Reason("hours_weekday", values)
    values["windows"] = _written(windows)
    if today.eve_of and windows == today.windows:
        values["holiday"] = today.eve_of
        return Reason("hours_eve", values)
    return Reason("hours", values)


def _source(case: Case, today: Day, *, lifted: bool) -> str:
    """Whose windows do not hold the instant: the law's, its region's, or the house's."""
    if not lifted:
        for rule in case.terms.law:
            windows = rule.week.on(case.today)
            if today.eve_of and rule.eve is not None:
                windows = intersect(windows, rule.eve)
            if not is_open(windows, case.local):
                return rule.source
    return case.terms.house.source


def _until(case: Case, *, lifted: bool) -> datetime | None:
    """When it is open next, by the clock or by an appointment.

    Args:
        lifted: the law's hours do not bind this callee at all.
    """

    def windows(day: date) -> Windows | None:
        known = case.day(day)
        return known.house_windows if lifted else known.windows

    def house(day: date) -> Windows | None:
        return case.day(day).house_windows

    found = next_opening(windows, case.local, case.zone)
    for begin in case.awaited(Rule.HOURS) if case.terms.law else ():
        if found is not None and found.timestamp() <= begin.timestamp():
            break
        within = house(begin.date())
        if within is None or is_open(within, begin):
            return begin
        # The house opens in the midst of it, if at all.
        opening = next_opening(house, begin, case.zone)
        if opening is not None and case.agreed_at(opening):
            return earlier(opening, found)
    return found


@lru_cache(maxsize=512)  # a search for the next instant judges the same few days again and again
def _written(windows: Windows) -> str:
    return ", ".join(str(window) for window in windows)


def next_opening(
    windows: Callable[[date], Windows | None], local: datetime, zone: tzinfo
) -> datetime | None:
    """The first instant after `local` at which it is open, aware in `zone`; None when never.

    Args:
        windows: those of a local date; None of one that nobody limits: open all day.

    Aware datetimes of one zone compare by wall clock; around a clock change that is wrong, so
    instants are compared.
    """
    now = local.timestamp()
    for days in range(_SEARCH_DAYS):
        day = local.date() + timedelta(days)
        for opening in openings(windows(day) or (), day, zone):
            if opening.timestamp() > now:
                return opening
    return None
