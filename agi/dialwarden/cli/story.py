"""All that the ledger has of one number, section by section: for `why` and for `subject`.

Owns which sections there are and how a number typed by a person is read where there may be several
campaigns. Judges nothing, and shows nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import click

from dialwarden.cli.common import Site
from dialwarden.cli.known_lists import known_lists
from dialwarden.errors import LedgerBroken
from dialwarden.gate.reading import read_question
from dialwarden.ledger import consents, erasures, legs, lists, objections, refusals
from dialwarden.ledger.appointments import list_appointments
from dialwarden.ledger.attempt_list import AttemptFilter, list_attempts
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.persons import persons_of
from dialwarden.ledger.silent_calls import list_silent_calls
from dialwarden.numbers import Number, Unreadable, is_emergency, read_number
from dialwarden.question import Question

Row = dict[str, object]

# The sections of a number's records, and the column that tells when a row became known.
DATED = {
    "attempts": "at",
    "legs": "at",
    "silent_calls": "at",
    "appointments": "recorded_at",
    "consents": "given_at",
    "withdrawals": "at",
    "objections": "at",
    "refusals": "at",
    "exempt_calls": "at",
    "list_changes": "at",
    "erasures": "at",
}


@dataclass(frozen=True)
class Records:
    """What is on record of a number.

    Attributes:
        sections: by the names of `DATED`, the rows as the ledger lists them, the oldest first.
        lists: what every list that is configured, or was ever imported, says of it.
        persons: those that it was said to belong to, each with its other numbers.
    """

    sections: dict[str, list[Row]]
    lists: list[Row]
    persons: dict[str, tuple[str, ...]]


def callee_of(site: Site, text: str, campaign: str, region: str) -> Number:
    """A number typed by a person, who may have no campaign in mind.

    Read as the campaign's region writes numbers, else as the region given, else as the region of
    all campaigns.

    Raises:
        click.BadParameter: it cannot be read, is an emergency number, or such a campaign is none.
    """
    if is_emergency(text, site.rulebook.emergency, site.rulebook.strips):
        raise click.BadParameter(
            f"{text} is an emergency number: it is never judged, and nothing is recorded of it",
            param_hint="NUMBER",
        )
    home = site.entry(campaign)[1].region if campaign else region or site.region
    if isinstance(read_number(text, region=home, strips=site.rulebook.strips), Unreadable):
        reading = read_question(Question(text, campaign=campaign), site.rulebook)
        if reading.exempt:
            raise click.BadParameter(
                f"{text} is no number of anybody's, and [defaults] exempt covers it: it is never "
                "judged, and nothing is recorded of it",
                param_hint="NUMBER",
            )
    return site.callee(text, home)


def written_forms(site: Site, number: Number) -> tuple[str, ...]:
    """The digits that were dialled for a number, where no campaign was there to read them.

    Those that every campaign's region reads as this number, with and without a trunk's digits: of
    campaigns in several countries, national forms might be somebody else's.
    """
    digits = str(number.digits)
    regions = {entry.region for entry in site.rulebook.entries.values()}
    tails = [digits, *(digits[length:] for length in (1, 2, 3))]
    found = [digits]
    for prefix in ("", "0", "00", "011", "1", "8"):
        for tail in tails:
            if all(_means(prefix + tail, region, number) for region in regions) and regions:
                found.append(prefix + tail)
    with_strips = [strip + form for strip in site.rulebook.strips for form in found]
    return tuple(dict.fromkeys([*found, *with_strips]))


def _means(text: str, region: str, number: Number) -> bool:
    read = read_number(text, region=region)
    return not isinstance(read, Unreadable) and read.digits == number.digits


def records_of(
    conn: sqlite3.Connection,
    site: Site,
    number: Number,
    now: datetime,
    *,
    as_of: datetime | None = None,
    dialled: tuple[str, ...] = (),
) -> Records:
    """All that is on record of a number; within a snapshot.

    Args:
        as_of: with one, only what was dated at or before that instant, and the lists of then.
        dialled: besides, refusals of what has no number on record and was dialled so.
    """
    digits = number.digits
    sections = {
        "attempts": list_attempts(conn, AttemptFilter(number=digits)),
        "legs": legs.list_legs(conn, number=digits),
        "silent_calls": list_silent_calls(conn, number=digits),
        "appointments": list_appointments(conn, number=digits),
        "consents": consents.list_consents(conn, number=digits),
        "withdrawals": consents.list_withdrawals(conn, number=digits),
        "objections": objections.list_objections(conn, number=digits),
        "refusals": refusals.list_refusals(conn, number=digits, dialled_as=dialled),
        "exempt_calls": refusals.list_exempt_calls(conn, number=digits),
        "list_changes": lists.list_overlays(conn, number=digits),
        "erasures": erasures.list_erasures(conn, number=digits),
    }
    return Records(
        {name: _dated(name, rows, as_of) for name, rows in sections.items()},
        list(_lists(conn, site, number, now, as_of)),
        persons_of(conn, digits),
    )


def _dated(section: str, rows: Iterator[Row], as_of: datetime | None) -> list[Row]:
    def when(row: Row) -> datetime:
        at = row[DATED[section]]
        assert isinstance(at, datetime)
        return at

    return sorted((row for row in rows if as_of is None or when(row) <= as_of), key=when)


def _lists(
    conn: sqlite3.Connection, site: Site, number: Number, now: datetime, as_of: datetime | None
) -> Iterator[Row]:
    known = known_lists(site.config, now.date())
    cache = ListCache()
    cache.refresh(conn)
    at = as_of or now
    day = min(at.astimezone(zone).date() for zone in site.zones or (UTC,))
    for name in sorted({*known, *lists.known_names(conn)}):
        row: Row = {
            "list": name,
            "kind": known[name].kind.value if name in known else None,
            "listed": None, "since": None, "version": None, "as_of": None, "imported_at": None,
            "source": None, "fault": "",
        }  # fmt: skip
        try:
            of_then = (as_of, day) if as_of is not None else ()
            found = cache.look_up(conn, [name], number.digits, *of_then)[name]
        except LedgerBroken as error:
            yield {**row, "fault": error.what}
            continue
        row.update(listed=found.listed, since=found.since, version=found.version, as_of=found.as_of)
        head = found.version and lists.version_of(conn, name, found.version)
        if head:
            row.update(imported_at=head.imported_at, source=head.source)
        yield row


def versions_with(conn: sqlite3.Connection, number: Number) -> Iterator[Row]:
    """Every version of every list that the number stands in, in force or not, and is kept.

    Reads the numbers of each: seconds, with many long ones.
    """
    for name in lists.known_names(conn):
        live = lists.live_head(conn, name)
        for head in lists.versions(conn, name):
            if not lists.has_numbers(conn, head):
                continue
            try:
                body = lists.read_body(conn, head)
            except LedgerBroken:
                continue  # told with the list itself, where it is in force
            if number.digits in body.numbers:
                since: date | None = body.day_of(number.digits)
                yield {
                    "list": name,
                    "version": head.version,
                    "as_of": head.as_of,
                    "imported_at": head.imported_at,
                    "source": head.source,
                    "since": since,
                    "in_force": live is not None and live.version == head.version,
                }
