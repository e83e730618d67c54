"""What commands share: their options, the configuration they stand on, and the ledger opened.

Owns when a ledger may be made. A command that writes makes it on a fresh install. A command that
only reads makes nothing: where there never was a ledger it sees an empty one, in memory; where one
vanished (its -wal or -shm is there still, or its disk is not mounted) there is none, and whoever
asks is told so.
"""

from __future__ import annotations

import getpass
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import click

from dialwarden.errors import LedgerUnavailable
from dialwarden.gate.reading import detail_of
from dialwarden.gate.rulebook import Entry, Rulebook, compile_rulebook
from dialwarden.imports.instants import InstantError, Repeated, read_instant, read_past
from dialwarden.imports.people import only, zones_of
from dialwarden.ledger import schema
from dialwarden.ledger.connection import open_ledger, open_ledger_to_read
from dialwarden.ledger.ledger_file import AS_OWNER
from dialwarden.numbers import Number, Unreadable, read_number, zone
from dialwarden.policies import load_policies
from dialwarden.reasons import sentence
from dialwarden.settings.config import Config, find_config, load_config
from dialwarden.settings.report import choose_from
from dialwarden.verdict import Reason

F = TypeVar("F", bound=Callable[..., object])

# The bridge holds the write lock for milliseconds; a person waits a little longer than a call.
_BUSY_TIMEOUT_S = 10.0

config_option = click.option(
    "--config", metavar="FILE", help="The configuration; $DIALWARDEN_CONFIG names it too."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="JSON for programs, and nothing else, on stdout."
)
campaign_option = click.option(
    "--campaign", metavar="C", default="", help="The campaign; else [defaults] campaign."
)
region_option = click.option(
    "--region", metavar="R", default="", help="ISO 3166: how national numbers are read (FR-974)."
)


def file_argument(function: F) -> F:
    return click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))(
        function
    )


@dataclass(frozen=True)
class Site:
    """A configuration, and what a command needs of it."""

    config: Config

    @cached_property
    def rulebook(self) -> Rulebook:
        return compile_rulebook(self.config)

    @property
    def language(self) -> str:
        return self.rulebook.language

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The ledger, made if there never was one.

        Raises:
            LedgerError: it cannot be opened, or it vanished.
        """
        path = self.config.store.path
        _check_not_vanished(path)
        with closing(open_ledger(path, create=True, busy_timeout_s=_BUSY_TIMEOUT_S)) as conn:
            yield conn

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The ledger, left as it is; an empty one in memory where there never was any.

        Raises:
            LedgerError: it cannot be opened, it is older than this program, or it vanished.
        """
        path = self.config.store.path
        if _check_not_vanished(path):
            conn = open_ledger_to_read(path, busy_timeout_s=_BUSY_TIMEOUT_S)
        else:
            conn = sqlite3.connect(":memory:", isolation_level=None)
            schema.migrate(conn)
            click.echo(
                f"dialwarden: there is no ledger at {path} yet: nothing is on record", err=True
            )
        with closing(conn):
            yield conn

    def entry(self, campaign: str) -> tuple[str, Entry]:
        """A campaign named on the command line, or the default one.

        Raises:
            click.BadParameter: there is none of that name.
        """
        name = campaign or self.rulebook.default_campaign
        entries = self.rulebook.entries
        if not name:
            raise click.BadParameter(
                "name one; [defaults] campaign is not set", param_hint="--campaign"
            )
        if name not in entries:
            raise click.BadParameter(
                choose_from(name, entries, "campaigns"), param_hint="--campaign"
            )
        return name, entries[name]

    def callee(self, text: str, region: str, hint: str = "NUMBER") -> Number:
        """A number typed by a person.

        Raises:
            click.BadParameter: it cannot be read, and why.
        """
        found = read_number(text, region=region, strips=self.rulebook.strips)
        if isinstance(found, Unreadable):
            values = {"detail": detail_of(found), "region": region or "no region"}
            told = sentence(Reason(f"number_{found.code}", values), self.language)
            if not region:
                told += "; write it with + and its country code, for nothing says where it is from"
            raise click.BadParameter(told, param_hint=hint)
        return found

    @property
    def region(self) -> str:
        """The region of all campaigns, "" when they have several."""
        return only(entry.region for entry in self.rulebook.entries.values())

    @property
    def zones(self) -> tuple[tzinfo, ...]:
        """The time zones of all campaigns' regions."""
        return zones_of(entry.region for entry in self.rulebook.entries.values())

    def number_filter(self, text: str | None, campaign: str | None = None) -> int | None:
        """The digits of a number to look for, read by the campaign's region or everybody's."""
        if not text:
            return None
        entry = self.rulebook.entries.get(campaign or "")
        return self.callee(text, entry.region if entry else self.region, "--number").digits


def _check_not_vanished(path: Path) -> bool:
    """Whether there is a ledger; if not, there never was one.

    A bridge that has it open notices, and refuses; an empty file made in its place would be taken
    for the old one.

    Raises:
        LedgerUnavailable: it was there before, its disk is not mounted, or this user may not
            enter its folder.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        try:
            path.stat()
        except PermissionError as error:
            what = f"cannot be looked for ({error.strerror})"
            raise LedgerUnavailable(path, what, AS_OWNER) from error
        return True
    left = [name for name in (f"{path}-wal", f"{path}-shm") if Path(name).exists()]
    if left:
        what = f"there is no such file, but {' and '.join(left)}: it was taken away"
        raise LedgerUnavailable(path, what, "bring it back, or remove these to begin anew")
    # var/ is ours to make; of a path that is missing further up, the disk is not there.
    if not path.parent.is_dir() and not path.parent.absolute().parent.is_dir():
        what = f"there is no folder {path.parent.absolute().parent}"
        raise LedgerUnavailable(path, what, "make it, or correct [store] path")
    return False


def open_site(config: str | None) -> Site:
    """The configuration that a command was started with.

    Raises:
        SettingsError: there is none, or it is wrong.
    """
    return Site(load_config(find_config(config, os.environ), os.environ, load_policies))


def utc_now() -> datetime:
    return datetime.now(UTC)


def who() -> str:
    """Who records something: "cli:" and the name of the system's user."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError, ImportError):
        return "cli"


def zones_of_callee(number: Number) -> tuple[tzinfo, ...]:
    return tuple(zone(name) for name in dict.fromkeys(place.zone for place in number.places))


def instant_option(
    text: str | None,
    zones: tuple[tzinfo, ...],
    option: str = "--at",
    *,
    repeated: Repeated = "refuse",
) -> datetime | None:
    """An instant given with an option; without an offset it is of the zones, if they agree.

    Raises:
        click.BadParameter: it cannot be read.
    """
    if text is None:
        return None
    try:
        return read_instant(text, zones, repeated=repeated)
    except InstantError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def past_option(
    text: str | None, zones: tuple[tzinfo, ...], now: datetime, *, day: Literal["start", "end"]
) -> datetime:
    """`--at` of something that happened; now when it was not given.

    Args:
        day: what a date alone stands for, see `read_past`.

    Raises:
        click.BadParameter: it cannot be read, or lies in the future.
    """
    if text is None:
        return now
    try:
        at = read_past(text, zones, day=day, now=now)
    except InstantError as error:
        raise click.BadParameter(str(error), param_hint="--at") from None
    if at > now:
        raise click.BadParameter(
            f"{text} lies in the future; what is recorded has happened", param_hint="--at"
        )
    return at
