"""Rows of the ledger as they are recorded: what `--follow` shows, and how long it goes on.

Owns the waiting, and what becomes of it when the file is replaced, taken away or locked, and when
whoever reads our output leaves. Knows neither what rows are nor how they are shown.
"""

from __future__ import annotations

import os
import select
import sqlite3
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from dialwarden.cli.common import Site, utc_now
from dialwarden.cli.output import warn
from dialwarden.errors import LedgerError
from dialwarden.ledger.connection import LedgerConnection, replaced, snapshot

Row = dict[str, object]

_POLL_S = 0.5
# In a file that took another's place ids tell nothing: rows are looked for by their instant, from
# a little before the last look on, and those that were shown are known by id and instant.
_OVERLAP = timedelta(seconds=10)
_REMEMBERED = 10_000


class Listing(Protocol):
    """The rows that match, in the order of recording; each has `id` and `at`."""

    def __call__(
        self, conn: sqlite3.Connection, *, since: datetime | None, after_id: int | None
    ) -> Iterator[Row]: ...


class ReaderGone(Exception):
    """Nobody reads what we print any more."""


def follow(site: Site, listing: Listing, since: datetime) -> Iterator[Row]:
    """Rows dated at `since` or later, then whatever comes, by whatever process; never ends.

    A ledger that is replaced, taken away or locked is told once on standard error, and followed
    again when it can be read. Rows that a purge removed are not missed.

    Raises:
        LedgerError: it cannot be read at the very beginning.
        ReaderGone: whoever read standard output has left.
    """
    followed = _Followed(site, listing, since)
    yield from followed.look()
    while True:
        _pause()
        yield from followed.look_again()


class _Followed:
    def __init__(self, site: Site, listing: Listing, since: datetime) -> None:
        self._site = site
        self._listing = listing
        self._since = since
        self._after: int | None = None
        self._shown: deque[tuple[object, object]] = deque(maxlen=_REMEMBERED)
        self._opened = ExitStack()
        self._conn: sqlite3.Connection | None = None
        self._last_look = since
        self._trouble = ""

    def look(self) -> list[Row]:
        """What was recorded since the last look.

        Raises:
            LedgerError: the ledger cannot be read now.
        """
        if self._conn is not None and self._is_another():
            self._close()
        if self._conn is None:
            self._conn = self._opened.enter_context(self._site.reading())
        looked = utc_now()
        # Behind a row that was shown everything is new, though its clock was set back.
        since = self._since if self._after is None else None
        with snapshot(self._conn) as conn:
            rows = list(self._listing(conn, since=since, after_id=self._after))
        if self._after is None:
            rows = [row for row in rows if (row["id"], row["at"]) not in self._shown]
        for row in rows:
            self._shown.append((row["id"], row["at"]))
            found = row["id"]
            assert isinstance(found, int)
            self._after = found
        self._last_look = looked
        return rows

    def look_again(self) -> list[Row]:
        """As `look`; nothing while the ledger cannot be read, which is told once."""
        try:
            rows = self.look()
        except LedgerError as error:
            self._close()
            if str(error) != self._trouble:
                warn(f"{error}; waiting for it")
            self._trouble = str(error)
            return []
        if self._trouble:
            warn("the ledger can be read again")
            self._trouble = ""
        return rows

    def _is_another(self) -> bool:
        """Whether the name stands for another file than the one that is read, or will soon."""
        conn = self._conn
        assert conn is not None
        path = self._site.config.store.path
        if not isinstance(conn, LedgerConnection):
            return path.exists()  # what was read was the empty one of a fresh install
        return replaced(conn)

    def _close(self) -> None:
        self._opened.close()
        self._conn = None
        if self._after is not None or self._shown:
            self._since = max(self._since, self._last_look - _OVERLAP)
        self._after = None


def to_its_end(show: Callable[[], None]) -> None:
    """Run what shows rows until Ctrl-C, or until nobody reads them: both are a good end."""
    try:
        show()
    except KeyboardInterrupt:
        return
    except (ReaderGone, BrokenPipeError):
        # What is still in the buffer would be tried again at the very end.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115


def _pause() -> None:
    """Wait a moment; shorter when whoever reads us leaves, who would be missed until a row comes.

    Raises:
        ReaderGone: they left.
    """
    with suppress(OSError, ValueError):  # in a test, say, standard output is no file
        waiting = select.poll()
        waiting.register(sys.stdout.fileno(), 0)
        if any(what & select.POLLERR for _, what in waiting.poll(_POLL_S * 1000)):
            raise ReaderGone
        return
    time.sleep(_POLL_S)
