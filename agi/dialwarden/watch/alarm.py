"""The alarm: many calls that nobody asked about, within a minute.

One forgotten line of a dialplan is a bypass; a dialer that went past us is a hundred. Pure but for
the instants it is given.
"""

from __future__ import annotations

from collections import deque

SPAN_S = 60.0


class Alarm:
    """Counts catches; raised while the last minute holds as many as `most`.

    Args:
        most: catches within a minute.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._catches: deque[float] = deque()
        self._raised = False

    def caught(self, now: float) -> bool:
        """Note one more; True when this is the one that raises the alarm."""
        self._catches.append(now)
        while len(self._catches) > self.most:
            self._catches.popleft()
        raised, self._raised = self._raised, self.raised(now)
        return self._raised and not raised

    def raised(self, now: float) -> bool:
        """Whether the last minute holds so many."""
        return len(self._catches) >= self.most and now - self._catches[0] < SPAN_S
