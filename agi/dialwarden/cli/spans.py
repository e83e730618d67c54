"""Times in options: `--since` and `--until`, and lengths of time such as 30m."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import click

from dialwarden.imports.instants import InstantError, NoOffset, read_date, read_instant
from dialwarden.policy.period import day_start

_BACK = re.compile(r"(\d{1,6}) ?(s|m|h|d|w)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

since_option = click.option(
    "--since",
    metavar="WHEN",
    help="From this instant or date on, or 30m, 2h, 7d, 4w back. Without an "
    "offset it is local time of the campaigns, UTC if they have several.",
)
until_option = click.option(
    "--until",
    metavar="WHEN",
    help="Up to this instant or date, itself not included; or 2h, 7d back.",
)


def span(
    since: str | None, until: str | None, zones: Sequence[tzinfo], now: datetime
) -> tuple[datetime | None, datetime | None]:
    """The two ends of a span, the first inclusive, the second not; None where not given.

    Args:
        zones: where dates, and instants without an offset, are meant; UTC if not just one.

    Raises:
        click.BadParameter: one of them cannot be read.
    """
    return _end(since, "--since", zones, now), _end(until, "--until", zones, now)


def _end(text: str | None, option: str, zones: Sequence[tzinfo], now: datetime) -> datetime | None:
    if text is None:
        return None
    back = _BACK.fullmatch(text.strip().lower())
    zone = zones[0] if len(zones) == 1 else UTC
    try:
        if back:
            return now - _length(back)
        return day_start(read_date(text), zone).astimezone(UTC)
    except OverflowError:
        raise click.BadParameter(f"{text} is out of every calendar", param_hint=option) from None
    except InstantError:
        pass
    try:
        return read_instant(text, (zone,), repeated="earlier")
    except NoOffset:
        raise AssertionError("there is a zone") from None
    except InstantError as error:
        raise click.BadParameter(f"{error}, or 2h, 7d", param_hint=option) from None


def duration(text: str, option: str, *, longest: timedelta, longest_told: str) -> timedelta:
    """A length of time given with an option: 90s, 30m, 2h, 1d.

    Raises:
        click.BadParameter: it cannot be read, is nothing, or longer than the longest.
    """
    found = _BACK.fullmatch(text.strip().lower())
    if found is None:
        raise click.BadParameter(
            f"found {text!r}; allowed: a whole number of s, m, h or d, as in 30m", param_hint=option
        )
    length = _length(found)
    if not length:
        raise click.BadParameter(f"{text} is no time at all", param_hint=option)
    if length > longest:
        raise click.BadParameter(f"{text} is longer than {longest_told}", param_hint=option)
    return length


def _length(found: re.Match[str]) -> timedelta:
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
