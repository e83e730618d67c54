"""How long to wait before the next try.

Owns the delays. Refuses to know what is tried.
"""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Delays that double from `first_s` up to `most_s`, each shortened by chance to no less than
    half, so that the bridges of a site do not knock at one Asterisk in step.
    """

    def __init__(
        self,
        first_s: float,
        most_s: float,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._chance = chance
        self._delay_s = first_s
        self.reset()

    def next(self) -> float:
        """Seconds to wait now; the next ones are longer."""
        delay_s = self._delay_s
        self._delay_s = min(delay_s * 2, self._most_s)
        return self._chance(delay_s / 2, delay_s)

    def reset(self) -> None:
        """Begin at the first delay again."""
        self._delay_s = min(self._first_s, self._most_s)
