"""`dialwarden attempts`: the calls that were made, and a history from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import click

from dialwarden.cli.common import (
    config_option,
    json_option,
    open_site,
    utc_now,
)
from dialwarden.cli.output import print_json_array, print_table, unpacked
from dialwarden.cli.records import add_import
from dialwarden.cli.spans import since_option, until_option
from dialwarden.imports.attempts import history
from dialwarden.ledger.attempt_list import AttemptFilter, list_attempts
from dialwarden.ledger.connection import snapshot
from dialwarden.ledger.states import State
from dialwarden.numbers import zone
from dialwarden.question import Door


@click.group("attempts", short_help="The calls that were made, and a history from elsewhere.")
def command() -> None:
    """The calls that were allowed, each counted whatever came of it."""


add_import(
    command,
    history,
    "attempt",
    short_help="Take a call history from a CSV file.",
    help="Take the call history of a dialer from FILE, so that caps hold from the first day.\n\n"
    "FILE is a CSV with the header number,professional,at[,outcome,purpose,person]. The outcome "
    "`silent` is a call that was answered and that no agent took.",
)


@command.command("list", short_help="The attempts on record.")
@click.option("--number", metavar="N", help="To this callee only.")
@click.option("--campaign", metavar="C", help="Of this campaign only.")
@click.option("--professional", metavar="P", help="For this professional only.")
@click.option("--call", metavar="ID", help="Of this call (linkedid) only.")
@click.option("--door", type=click.Choice([door.value for door in Door]), help="Asked there.")
@since_option
@until_option
@click.option("--state", type=click.Choice([state.value for state in State]), help="In this state.")
@config_option
@json_option
def list_(
    number: str | None,
    campaign: str | None,
    professional: str | None,
    call: str | None,
    door: str | None,
    since: str | None,
    until: str | None,
    state: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Show the attempts on record, voided ones too, oldest first. All of them: no limit."""
    from dialwarden.cli.spans import span

    site = open_site(config)
    start, end = span(since, until, site.zones, utc_now())
    wanted = AttemptFilter(
        number=site.number_filter(number, campaign),
        campaign=campaign,
        professional=professional,
        call=call,
        door=Door(door) if door else None,
        state=State(state) if state else None,
        since=start,
        until=end,
    )
    with site.reading() as conn, snapshot(conn):
        rows = list_attempts(conn, wanted)
        if as_json:
            print_json_array(unpacked(rows))
            return
        print_table(
            ("id", "at", "number", "professional", "campaign", "state", "outcome", "door", "by",
             "trunk", "cause", "call"),
            (
                (row["id"], _local(row), row["number"], row["professional"], row["campaign"],
                 row["state"], _outcome(row), row["door"], row["asked_by"], row["trunk"],
                 row["hangup_cause"], row["call"])
                for row in rows
            ),
        )  # fmt: skip


def _outcome(row: Mapping[str, object]) -> str:
    """What became of it, "" while that is not known."""
    return f"{row['outcome'] or ''}{' (silent)' if row['silent'] else ''}".strip()


def _local(row: Mapping[str, object]) -> datetime:
    """An attempt's instant where its callee was, as far as that is on record."""
    at, zones = row["at"], row["zones"]
    assert isinstance(at, datetime)
    assert isinstance(zones, tuple)
    return at.astimezone(zone(zones[0])) if zones else at
