"""`dialwarden subject`: a callee asks what is on record of them, or to be forgotten.

Owns the two answers, a copy and an erasure, and that nothing goes unasked: the other numbers of a
person are named. What goes and what stays is for the ledger and the policies.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import click

from dialwarden.cli import kept as keeping
from dialwarden.cli.common import config_option, json_option, open_site, utc_now, who
from dialwarden.cli.output import counted, print_json, print_table, printable, warn
from dialwarden.cli.story import Records, Row, callee_of, records_of, written_forms
from dialwarden.ledger.connection import snapshot, translating
from dialwarden.ledger.erase import Sifted, Staying, Whom, erase, sift
from dialwarden.ledger.purge_clock import doubt_of
from dialwarden.numbers import Number
from dialwarden.policy.retention import Retention
from dialwarden.retention import retention_of

_REST_S = 0.01
# So many last digits of a number tell whose it is, written with a country code or without.
_TELLING = 8

region_option = click.option(
    "--region",
    metavar="R",
    default="",
    help="How a national number is read, where campaigns differ.",
)


class _NumberFirst(click.Group):
    """`subject NUMBER export`: the number may stand before the verb, or behind it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if len(args) > 1 and args[0] not in self.commands and args[1] in self.commands:
            args = [args[1], args[0], *args[2:]]
        return super().resolve_command(ctx, args)


@click.group(
    "subject",
    cls=_NumberFirst,
    subcommand_metavar="NUMBER export|erase [ARGS]...",
    short_help="Answer a callee who asks what is on record, or to be forgotten.",
)
def command() -> None:
    """Answer a callee who asks what is on record of their number, or asks for its erasure.

    For requests under articles 15, 17 and 20 of the GDPR: `subject NUMBER export` gives a copy of
    everything with an explanation, `subject NUMBER erase` removes what no duty keeps and tells what
    stays, why and until when.
    """


@command.command("export", short_help="Everything on record of a number, explained.")
@click.argument("number")
@region_option
@click.option(
    "--csv-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a CSV file for each section, and one that explains them; DIR is new, or empty.",
)
@config_option
@json_option
def export(
    number: str, region: str, csv_dir: Path | None, config: str | None, as_json: bool
) -> None:
    """Give everything that is on record of NUMBER, in clear, each field explained.

    Attempts with their legs and what they were judged by, refusals, consents, objections,
    appointments, lists, and how long it is all kept. Nothing is recorded.
    """
    from dialwarden.cli import subject_export

    if csv_dir is not None and as_json:
        raise click.UsageError("--csv-dir and --json: choose one")
    site = open_site(config)
    callee = callee_of(site, number, "", region)
    sections = subject_export.sections_of(site, callee, utc_now())
    if as_json:
        subject_export.print_as_json(callee, sections)
    elif csv_dir is not None:
        subject_export.write_csv(csv_dir, sections)
        click.echo(f"{csv_dir}: written, for {callee.e164}; open fields.csv first")
    else:
        subject_export.print_as_text(callee, sections)


@command.command("erase", short_help="Remove what no duty keeps of a number, and tell what stays.")
@click.argument("number")
@region_option
@click.option("--dry-run", is_flag=True, help="Say what would go and what stays; write nothing.")
@click.option("--by", metavar="NAME", default="", help="Who answers the request; recorded.")
@click.option("--why", metavar="TEXT", default="", help="Its reason or reference; recorded.")
@click.option("--yes", is_flag=True, help="Without asking first.")
@config_option
@json_option
@click.pass_context
def erase_(
    ctx: click.Context,
    number: str,
    region: str,
    dry_run: bool,
    by: str,
    why: str,
    yes: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Remove of NUMBER what no duty keeps; tell what stays, why and until when.

    What goes is what is older than the evidence period of every regime, and out of sight of every
    cap and gap: as in `dialwarden purge`, for this number and at once. Objections and withdrawals
    are never lost: they go on refusing without saying whose they are, once their proof may go.

    That it was done is recorded with who, why and how many, without the number. Where a person id
    joins other numbers to this one they are named, and left as they are.
    """
    site = open_site(config)
    callee = callee_of(site, number, "", region)
    if not dry_run:
        _check_words(callee, by, why)
    if as_json and not dry_run and not yes:
        raise click.UsageError("--json asks nothing: say --yes")
    now, kept = utc_now(), retention_of(site.config)
    whom = Whom(callee.digits, written_forms(site, callee))
    with site.reading() as conn, snapshot(conn):
        found = sift(conn, whom, keeping.planning(kept), now)
        records = records_of(conn, site, callee, now)
        doubt = doubt_of(conn, now)
    if dry_run:
        stays = _kept(found.staying, records, kept, now)
        _tell(callee, found.counts(), stays, records, None, as_json=as_json)
        if doubt is not None:
            warn(str(doubt))
        return
    if doubt is not None:
        warn(str(doubt))
        ctx.exit(1)
    if not yes:
        _ask(callee, found)
    with site.writing() as conn, translating(str(site.config.store.path)):
        done = erase(
            conn, whom, keeping.planning(kept), now, by=f"{by} ({who()})", why=why, rest=_rest
        )
    stays = _kept(done.staying, records, kept, now)
    _tell(callee, done.counts, stays, records, done.id, as_json=as_json)


def _check_words(callee: Number, by: str, why: str) -> None:
    """What is recorded of an erasure says who and why, and not whose number it was."""
    for option, text in (("--by", by), ("--why", why)):
        if not text.strip():
            raise click.UsageError(f"{option} is recorded with an erasure: say it (--dry-run: not)")
        if str(callee.digits)[-_TELLING:] in re.sub(r"\D", "", text):
            raise click.BadParameter(
                "leave the number out: it is recorded that this was done, not for whom",
                param_hint=option,
            )


def _ask(callee: Number, found: Sifted) -> None:
    counts = found.counts()
    click.echo(f"{callee.e164}: {_done(counts, 'to be removed', 'to be reduced')}", err=True)
    click.confirm("It cannot be brought back. Go on?", abort=True, err=True)


def _rest() -> None:
    time.sleep(_REST_S)


def _kept(
    staying: Iterable[Staying], records: Records, kept: Retention, now: datetime
) -> list[Row]:
    return [
        *keeping.told(staying, kept, now),
        *keeping.of_lists(records.lists, records.sections["list_changes"]),
    ]


def _tell(
    callee: Number,
    counts: Mapping[str, Mapping[str, int]],
    stays: list[Row],
    records: Records,
    erasure: int | None,
    *,
    as_json: bool,
) -> None:
    persons = {name: list(numbers) for name, numbers in records.persons.items() if numbers}
    if as_json:
        print_json(
            {
                "number": callee.e164,
                "dry_run": erasure is None,
                "erasure": erasure,
                "removed": counts["removed"],
                "reduced": counts["reduced"],
                "kept": stays,
                "persons": persons,
            }
        )
        return
    words = ("would be removed", "would be reduced") if erasure is None else ("removed", "reduced")
    click.echo(f"{callee.e164}: {_done(counts, *words)}")
    if erasure is None:
        click.echo("nothing was changed")
    else:
        click.echo(f"recorded as erasure {erasure}, without the number")
    if stays:
        _tell_what_stays(stays)
    for person, numbers in persons.items():
        click.echo()
        click.echo(
            printable(
                f"Person {person} was named with {', '.join(numbers)} too; nothing of that was "
                f"touched: dialwarden subject {numbers[0]} erase"
            )
        )


def _tell_what_stays(stays: list[Row]) -> None:
    click.echo("\nWhat stays:")
    print_table(
        ("what", "of", "rows", "until", "why"),
        ((row["kind"], row["professional"], row["rows"], _until(row), row["why"]) for row in stays),
    )
    sources = {str(row["professional"]): str(row["source"]) for row in stays if row["source"]}
    for professional, source in sources.items():
        if professional:
            click.echo(printable(f"{professional}: {source}"))


def _until(row: Row) -> str:
    if row["until"] is not None:
        return str(row["until"])
    return f"reduced from {row['reduced_from']}" if row["reduced_from"] else "without end"


def _done(counts: Mapping[str, Mapping[str, int]], removed: str, reduced: str) -> str:
    parts = [
        f"{kind}: {counted(rows, 'row')} {word}"
        for word, of in ((removed, counts["removed"]), (reduced, counts["reduced"]))
        for kind, rows in of.items()
    ]
    return ", ".join(parts) or "nothing is over yet"
