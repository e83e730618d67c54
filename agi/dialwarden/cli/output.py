"""What commands print: tables for people, JSON for programs, nothing else on standard output.

Owns the form; knows no command. What a peer sent is escaped on its way to a terminal; JSON is
ASCII for the same reason.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import chain, islice

import click

# Rows looked at for the columns' widths; what comes later and is wider moves its own line only,
# so that a ledger of any size is printed as it is read.
_MEASURED = 500


def print_json(value: object, *, indent: int | None = 2) -> None:
    """One JSON value."""
    click.echo(json.dumps(value, default=_plain, indent=indent))


def json_line(row: Mapping[str, object]) -> str:
    """One object on a line of its own, for whoever reads rows as they come."""
    return json.dumps(isoformat_values(row), default=_plain)


def print_json_array(rows: Iterable[Mapping[str, object]]) -> None:
    """One JSON array, an object a line, written as the rows come."""
    first = True
    for row in rows:
        click.echo(("[\n" if first else ",\n") + json.dumps(row, default=_plain), nl=False)
        first = False
    click.echo("[]" if first else "\n]")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """A table, its header in capitals; returns how many rows there were."""
    source = iter(rows)
    texts = [_cells(row) for row in islice(source, _MEASURED)]
    if not texts:
        return 0
    capitals = tuple(name.upper() for name in header)
    widths = [max(map(len, column)) for column in zip(capitals, *texts, strict=True)]
    count = 0
    for cells in chain([capitals], texts, map(_cells, source)):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
        count += 1
    return count - 1


def _cells(row: Sequence[object]) -> tuple[str, ...]:
    return tuple(printable(_text(value)) for value in row)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return clock(value)
        case _:
            return str(value)


def clock(instant: datetime) -> str:
    """An instant as people read it, with its zone: "Thu 2026-12-24 20:00 Europe/Paris"."""
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[instant.weekday()]
    time = f"{instant:%H:%M:%S}" if instant.second else f"{instant:%H:%M}"
    zone = "UTC" if instant.tzinfo is UTC else str(instant.tzinfo or "")
    return f"{weekday} {instant.date().isoformat()} {time} {zone}".rstrip()


def printable(text: str) -> str:
    """A text without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def isoformat_values(row: Mapping[str, object]) -> dict[str, object]:
    """A row of the ledger as JSON has it: the evidence columns that hold JSON are unpacked."""
    plain = dict(row)
    for name in ("lists", "overrides"):
        held = plain.get(name)
        if isinstance(held, str):
            plain[name] = json.loads(held)
    return plain


def counted(number: int, singular: str, plural: str = "") -> str:
    """ "1 row", "2,000 rows"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def warn(sentence: str) -> None:
    """A sentence for people, on standard error."""
    click.echo(f"dialwarden: {printable(sentence)}", err=True)


def unpacked(rows: Iterable[Mapping[str, object]]) -> Iterator[dict[str, object]]:
    return map(isoformat_values, rows)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, if that is a terminal: told how much is done, and of how much."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield show


def csv_cell(value: object) -> str:
    """A value as a spreadsheet may have it."""
    if isinstance(value, datetime):
        return value.isoformat()
    text = "" if value is None else printable(str(value))
    # A peer's words in a spreadsheet must stay words: =, @ and - would start a formula. Of a +
    # only what is no number: callees' numbers begin with one.
    if text[:1] in ("=", "@", "-") or (text[:1] == "+" and not text[1:].isdecimal()):
        return f"'{text}"
    return text
