"""What every import says: how far it is, what went in, which rows did not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar

import click

from dialwarden.cli.common import Site
from dialwarden.cli.output import counted, print_json, warn
from dialwarden.imports.people import People
from dialwarden.imports.report import Report
from dialwarden.imports.tables import Kind, import_table
from dialwarden.numbers import UnknownRegion, places_of_region, zone

T = TypeVar("T")

_SHOWN_ROWS = 20

strict_option = click.option(
    "--strict", is_flag=True, help="All or nothing: one bad row and nothing goes in, exit 1."
)
zone_option = click.option(
    "--zone",
    metavar="ZONE",
    default="",
    help="Where instants without an offset were written: Europe/Paris; else the zone of the "
    "professional's campaigns, if they have but one.",
)


def checked_region(region: str) -> str:
    """A region of the command line.

    Raises:
        click.BadParameter: no region has this code.
    """
    if region:
        try:
            places_of_region(region)
        except UnknownRegion as error:
            raise click.BadParameter(str(error), param_hint="--region") from None
    return region


def checked_zone(name: str) -> tuple[tzinfo, ...]:
    """A zone of the command line.

    Raises:
        click.BadParameter: no zone has this name.
    """
    if not name:
        return ()
    try:
        return (zone(name),)
    except (KeyError, ValueError, OSError):
        raise click.BadParameter(
            f"no time zone {name!a}; write one such as Europe/Paris", param_hint="--zone"
        ) from None


@contextmanager
def progress(path: Path) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error, if that is a terminal and the file is a file."""
    if not (sys.stderr.isatty() and path.is_file()):
        yield None
        return
    with click.progressbar(length=path.stat().st_size, label=path.name, file=sys.stderr) as bar:
        yield bar.update


def people_of(site: Site, region: str, zone_name: str) -> People:
    return People(
        site.config.campaigns,
        region=checked_region(region),
        zones=checked_zone(zone_name),
        strips=site.rulebook.strips,
    )


def run_import(
    site: Site,
    path: Path,
    kind: Callable[[Report], Kind[T]],
    what: str,
    *,
    strict: bool,
    as_json: bool,
) -> int:
    """Import a file of rows and tell what came of it; the exit status."""
    report = Report(str(path))
    with site.writing() as conn, progress(path) as bar:
        import_table(conn, path, kind(report), report, strict=strict, progress=bar)
    return tell(report, what, {}, as_json=as_json)


def tell(
    report: Report,
    what: str,
    more: dict[str, object],
    *,
    again: str = "known already",
    as_json: bool,
) -> int:
    """Tell what came of an import; the exit status: 1 when `--strict` kept it out.

    Args:
        what: the thing imported, singular.
        again: what is said of duplicates.
        more: what this kind of import has to add to the JSON.
    """
    if as_json:
        print_json(
            {
                "file": report.file,
                **more,
                "rows": report.rows,
                "added": report.added,
                "duplicates": report.duplicates,
                "bad": report.bad,
                "kept": report.kept,
                "bad_rows": [{"line": row.line, "reason": row.reason} for row in report.bad_rows],
                "warnings": list(report.warnings),
                "refused": report.refused,
            }
        )
    else:
        _tell_people(report, what, again)
    return 1 if report.refused else 0


def _tell_people(report: Report, what: str, again: str) -> None:
    for warning in report.warnings:
        warn(warning)
    for row in report.bad_rows[:_SHOWN_ROWS]:
        warn(f"{report.file}:{row.line}: {row.reason}")
    if report.bad > _SHOWN_ROWS:
        warn(f"{report.file}: {counted(report.bad - _SHOWN_ROWS, 'more bad row')}")
    if report.refused:
        why = report.refusal or f"{counted(report.bad, 'bad row')} (--strict)"
        click.echo(f"nothing imported: {why}")
        return
    parts = [f"imported {counted(report.added, what)}"]
    if report.duplicates:
        parts.append(f"{report.duplicates:,} {again}")
    if report.bad > report.kept:
        parts.append(f"{counted(report.bad - report.kept, 'bad row')} left out")
    if report.kept:
        parts.append(f"{report.kept:,} taken without what was wrong")
    click.echo(", ".join(parts))
