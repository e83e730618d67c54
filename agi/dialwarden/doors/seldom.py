"""Warnings that a flood cannot turn into a flood of lines.

Owns how often one kind of warning may be written. Refuses to know what the kinds mean.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable


class SeldomLog:
    """Writes the first warning of a kind at once, then at most one per `every_s` seconds.

    What was kept back is counted and told with the next line of its kind. There are as many kinds
    as there are words in the code, so the memory is bounded.
    """

    def __init__(
        self,
        log: logging.Logger,
        every_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._every_s = every_s
        self._clock = clock
        self._kinds: dict[str, tuple[float, int]] = {}  # kind -> (not before, kept back)

    def warning(self, kind: str, message: str, *values: object) -> None:
        """Write `message % values`, or count it when its kind was written a moment ago."""
        now = self._clock()
        not_before, kept_back = self._kinds.get(kind, (now, 0))
        if now < not_before:
            self._kinds[kind] = (not_before, kept_back + 1)
            return
        self._kinds[kind] = (now + self._every_s, 0)
        if kept_back:
            message, values = message + " (and %d more of this kind)", (*values, kept_back)
        self._log.warning(message, *values)
