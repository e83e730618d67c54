"""A report as one HTML page that needs nothing beside itself: no script, no font, no picture.

Owns what is drawn; the template owns how it looks.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache

import jinja2

from dialwarden.reporting.charts import Chart, stacked
from dialwarden.reporting.summary import Summary, Sums

# In the order in which they are stacked.
SERIES = ("allowed", "let go against a refusal", "refused", "left without asking")
_MOST_DAYS = 400


def page(summary: Summary, *, title: str, made: str, scope: str) -> str:
    """The page.

    Args:
        title: of what the report is, the day or month.
        made: when, by which version and of which ledger, for the foot.
        scope: the campaign, or that it is all of them.
    """
    return _template().render(
        s=summary,
        title=title,
        made=made,
        scope=scope,
        chart=_days(summary) if summary.several_days else _hours(summary),
        profile=_profile(summary) if summary.several_days else None,
        of_what="day" if summary.several_days else "hour",
        series=SERIES,
        busiest=[(_hour(at, summary), sums) for at, sums in summary.busiest_refused()],
    )


def _values(sums: Sums) -> tuple[int, int, int, int]:
    return sums.allowed, sums.would, sums.refused, sums.bypassed


def _hours(summary: Summary) -> Chart:
    begin, rows = summary.span.since, []
    while begin < summary.span.until:
        local = begin.astimezone(summary.zone)
        sums = summary.hours.get(begin, Sums())
        rows.append((f"{local:%H}", f"{local:%H:%M}", _values(sums)))
        begin += timedelta(hours=1)
        # Where a clock change is half an hour, hours of the clock begin elsewhere behind it.
        begin -= timedelta(minutes=begin.astimezone(summary.zone).minute)
    return stacked(rows, SERIES)


def _days(summary: Summary) -> Chart:
    days = (summary.last_day - summary.first_day).days + 1
    dates = [summary.first_day + timedelta(days=n) for n in range(days)]
    if days > _MOST_DAYS:  # years: those with any call
        dates = list(summary.days)
    rows = [(_short(day), f"{day:%a %Y-%m-%d}", _values(summary.days.get(day, Sums())))
            for day in dates]  # fmt: skip
    return stacked(rows, SERIES)


def _profile(summary: Summary) -> Chart:
    rows = [
        (f"{hour:02}", f"{hour:02}:00", _values(summary.by_hour.get(hour, Sums())))
        for hour in range(24)
    ]
    return stacked(rows, SERIES)


def _short(day: date) -> str:
    return f"{day.day}.{day.month}." if day.day == 1 else str(day.day)


def _hour(at: datetime, summary: Summary) -> str:
    local = at.astimezone(summary.zone)
    return f"{local:%a %Y-%m-%d %H:%M}"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dialwarden.reporting", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["n"] = lambda number: f"{number:,}"
    environment.filters["pc"] = lambda share: f"{100 * share:.1f} %"
    return environment.get_template("page.html.j2")
