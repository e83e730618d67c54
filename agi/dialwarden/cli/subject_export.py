"""Everything on record of a number, written down for whoever is called: text, JSON or CSV files.

Owns the forms. What the fields mean is in `subject_fields`.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TextIO

import click

from dialwarden.cli import kept as keeping
from dialwarden.cli.common import Site
from dialwarden.cli.output import csv_cell, print_json, printable, unpacked
from dialwarden.cli.story import Row, records_of, versions_with, written_forms
from dialwarden.cli.subject_fields import ABOUT, FIELDS, SECTIONS
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.erase import Whom
from dialwarden.numbers import Number
from dialwarden.retention import retention_of

_FILE_MODE = 0o600

Sections = Mapping[str, list[Row]]


def sections_of(site: Site, number: Number, now: datetime) -> Sections:
    """All sections, in the order in which they are told; an empty list where nothing is."""
    forms = written_forms(site, number)
    with site.reading() as conn, snapshot(conn):
        records = records_of(conn, site, number, now, dialled=forms)
        versions = list(versions_with(conn, number))
        kept = keeping.kept_of(conn, Whom(number.digits, forms), retention_of(site.config), now)
    changes = records.sections["list_changes"]
    found: dict[str, list[Row]] = {
        **{name: list(unpacked(rows)) for name, rows in records.sections.items()},
        "lists": [row for row in records.lists if row["listed"] or row["fault"]],
        "list_versions": versions,
        "persons": [
            {"person": name, "numbers": list(numbers)} for name, numbers in records.persons.items()
        ],
        "kept": [*kept, *keeping.of_lists(records.lists, changes)],
    }
    return {name: found[name] for name in SECTIONS}


def print_as_json(number: Number, sections: Sections) -> None:
    """One object: the records, and what each section and field means."""
    print_json(
        {
            "number": number.e164,
            "about": ABOUT,
            "sections": SECTIONS,
            "fields": FIELDS,
            "records": sections,
        }
    )


def print_as_text(number: Number, sections: Sections) -> None:
    """Every record field by field, each explained; fields that are empty are left out."""
    click.echo(f"What is on record of {number.e164}\n\n{ABOUT}")
    empty = []
    for name, rows in sections.items():
        if not rows:
            empty.append(name.replace("_", " "))
            continue
        click.echo(f"\n{name.replace('_', ' ').upper()}\n{SECTIONS[name]}")
        told = [field for field in FIELDS[name] if any(_text(row.get(field)) for row in rows)]
        for field in told:
            click.echo(f"  {field}: {FIELDS[name][field]}")
        for row in rows:
            click.echo()
            for field in told:
                if _text(row.get(field)):
                    click.echo(f"    {field}: {printable(_text(row.get(field)))}")
    click.echo(f"\nNothing is on record of: {', '.join(empty)}.")


def write_csv(directory: Path, sections: Sections) -> None:
    """A file for each section that has records, and `fields.csv`, which explains them.

    Raises:
        click.BadParameter: the directory holds something, or cannot be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise click.BadParameter(
                f"{directory} holds files already: name a new one", param_hint="--csv-dir"
            )
        with _opened(directory / "fields.csv") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("file", "field", "meaning"))
            for name, rows in sections.items():
                writer.writerow((f"{name}.csv" if rows else "", name, SECTIONS[name]))
                writer.writerows((f"{name}.csv", *of) for of in FIELDS[name].items() if rows)
        for name, rows in sections.items():
            if rows:
                with _opened(directory / f"{name}.csv") as file:
                    writer = csv.writer(file, lineterminator="\n")
                    writer.writerow(FIELDS[name])
                    for row in rows:
                        writer.writerow(csv_cell(_text(row.get(field))) for field in FIELDS[name])
    except OSError as error:
        raise click.BadParameter(
            f"{directory} cannot be written ({error.strerror})", param_hint="--csv-dir"
        ) from None


def _opened(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    return open(descriptor, "w", encoding="utf-8", newline="")  # noqa: PTH123


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime() | date():
            return value.isoformat()
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=str) if value else ""
        case _:
            return str(value)
