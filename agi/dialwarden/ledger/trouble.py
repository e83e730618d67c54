"""What is said in the log while the ledger takes nothing: that it began, how it goes on, its end.

Owns how seldom that is: a disk stays full for hours, and each refusal has a line of its own
elsewhere. Refuses to know what the trouble is and what is done about it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from dialwarden.errors import LedgerError

log = logging.getLogger(__name__)

_EVERY_S = 5.0


class TroubleLog:
    """Told how each batch ended. One thread at a time.

    Args:
        path: the ledger's.
        clock: seconds that only grow.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._began: float | None = None  # None: the last batch was written
        self._said = False  # that it is in trouble
        self._next = float("-inf")  # when something may be said again
        self._works = 0  # not written, and not told of
        self._next_copy = float("-inf")

    def failed(self, problem: LedgerError, works: int) -> None:
        """A batch with so many works was not written."""
        now = self._clock()
        if self._began is None:
            self._began = now
        self._works += works
        if now < self._next:
            return
        log.error("%s; calls are refused until it can be written (works not written since the "
                  "last such line: %d)", problem, self._works)  # fmt: skip
        self._said = True
        self._next = now + _EVERY_S
        self._works = 0

    def worked(self) -> None:
        """A batch was written."""
        if self._began is None:
            return
        if self._said:
            log.warning("ledger %s: written again after %.1f s (works not written since the last "
                        "such line: %d)", self._path, self._clock() - self._began,
                        self._works)  # fmt: skip
            self._works = 0
        self._began = None
        self._said = False

    def not_copied(self, problem: object) -> None:
        """The log could not be copied into the file: nothing is lost, and the log grows."""
        now = self._clock()
        if now >= self._next_copy:
            self._next_copy = now + _EVERY_S
            log.warning("ledger %s: the log was not copied (%s)", self._path, problem)
