"""Hours of the week: half-open local windows per weekday, their reading and their intersection.

A window `10:00-13:00` is [10:00:00, 13:00:00) on the callee's wall clock: the law rarely says
whether the last instant is in, and leaving it out is the safe reading. Stated here once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d) *- *(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """[start_s, end_s) in seconds after local midnight; end_s may be 86400 (24:00)."""

    start_s: int
    end_s: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read "10:00-13:00"; the end may be 24:00.

        Raises:
            ValueError: not of this form, empty, or crossing midnight.
        """
        match = _WINDOW.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'{text!r} is no window; write "10:00-13:00", the end at most 24:00')
        start = int(match[1]) * 3600 + int(match[2]) * 60
        end = int(match[3] or match[5]) * 3600 + int(match[4] or match[6]) * 60
        if end <= start:
            raise ValueError(
                f"{text!r} ends at or before its start; a window that crosses midnight is two, "
                "one a day, each ending or starting at midnight"
            )
        return cls(start, end)

    def __str__(self) -> str:
        return f"{_clock(self.start_s)}-{_clock(self.end_s)}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


Windows = tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class WeekHours:
    """Seven tuples of windows, Monday first; a day without windows is closed."""

    days: tuple[Windows, Windows, Windows, Windows, Windows, Windows, Windows]

    def on(self, day: date) -> Windows:
        return self.days[day.weekday()]

    def intersect(self, other: WeekHours) -> WeekHours:
        return week(intersect(a, b) for a, b in zip(self.days, other.days, strict=True))

    def shortened(self, margin_s: int) -> WeekHours:
        """Every window without its last seconds; one that is no longer than these is gone."""
        if not margin_s:
            return self
        return week(
            tuple(
                Window(window.start_s, window.end_s - margin_s)
                for window in windows
                if window.end_s - margin_s > window.start_s
            )
            for windows in self.days
        )


def week(days: Iterable[Windows]) -> WeekHours:
    mon, tue, wed, thu, fri, sat, sun = days
    return WeekHours((mon, tue, wed, thu, fri, sat, sun))


def parse_week(table: Mapping[str, Sequence[str]]) -> WeekHours:
    """Read `{ mon-fri = ["10:00-13:00"], sat = [] }`; days not named are closed.

    Raises:
        ValueError: an unknown day, a day named twice, windows that overlap.
    """
    days: dict[int, Windows] = {}
    for key, texts in table.items():
        for weekday in _weekdays(key):
            if weekday in days:
                raise ValueError(f"{WEEKDAYS[weekday]} is named twice, by {key!r} and another key")
            days[weekday] = parse_windows(texts)
    return week(days.get(weekday, ()) for weekday in range(7))


def parse_windows(texts: Sequence[str]) -> Windows:
    """Read the windows of one day, in any order; ones that only touch are joined.

    Raises:
        ValueError: a wrong window, or two that overlap.
    """
    windows: list[Window] = []
    for window in sorted(Window.parse(text) for text in texts):
        if windows and window.start_s < windows[-1].end_s:
            raise ValueError(f"windows {windows[-1]} and {window} overlap")
        if windows and window.start_s == windows[-1].end_s:
            windows[-1] = Window(windows[-1].start_s, window.end_s)
        else:
            windows.append(window)
    return tuple(windows)


def _weekdays(key: str) -> range:
    first, dash, last = key.strip().lower().partition("-")
    if first in WEEKDAYS and (last in WEEKDAYS if dash else True):
        start = WEEKDAYS.index(first)
        end = WEEKDAYS.index(last) if dash else start
        if start <= end:
            return range(start, end + 1)
    raise ValueError(f"{key!r} is no day; write mon … sun or a range such as mon-fri")


def intersect(left: Windows, right: Windows) -> Windows:
    """What lies in both, in order."""
    both = (Window(max(a.start_s, b.start_s), min(a.end_s, b.end_s)) for a in left for b in right)
    return tuple(sorted(window for window in both if window.start_s < window.end_s))


def is_open(windows: Windows, local: datetime) -> bool:
    """Whether the wall clock of `local` lies in one of the windows of its day."""
    second = local.hour * 3600 + local.minute * 60 + local.second
    return any(window.start_s <= second < window.end_s for window in windows)


def openings(windows: Windows, day: date, zone: tzinfo) -> Iterator[datetime]:
    """Every real instant of a local date from which it is open anew, aware in `zone`, in order.

    Besides the windows' starts, the instant of a clock change counts when it is open: a window
    that starts in the skipped hour opens there, and one whose start or end is repeated opens twice.
    """
    midnight = datetime.combine(day, time(0), tzinfo=zone)
    # Wall clock arithmetic: exact on a day without a change, where each reading occurs once.
    starts = (midnight + timedelta(seconds=window.start_s) for window in windows)
    changes = clock_changes(day, zone) if windows else []
    if not changes:
        yield from starts
        return
    instants = {start.replace(fold=fold).astimezone(UTC) for start in starts for fold in (0, 1)}
    instants.update(changes)
    for instant in sorted(instants):
        local = instant.astimezone(zone)
        before = (instant - _SECOND).astimezone(zone)
        if _open_on(day, windows, local) and not _open_on(day, windows, before):
            yield local


def _open_on(day: date, windows: Windows, local: datetime) -> bool:
    return local.date() == day and is_open(windows, local)


def clock_changes(day: date, zone: tzinfo) -> list[datetime]:
    """The instants in UTC, to the second, at which the zone's offset changes on a local date.

    One a day at most, since no zone has ever had two. One that skips midnight (Beirut) is of the
    day that it cuts short.
    """

    def offset(instant: datetime) -> timedelta | None:
        return instant.astimezone(zone).utcoffset()

    # In a skipped or repeated hour, a wall clock's offset is the one before the change (PEP 495).
    first = datetime.combine(day, time(0), tzinfo=zone)
    last = datetime.combine(day + timedelta(1), time(0), tzinfo=zone)
    if first.utcoffset() == last.utcoffset():
        return []
    before, after = first.astimezone(UTC) - _SECOND, last.astimezone(UTC)
    old = offset(before)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        before, after = (middle, after) if offset(middle) == old else (before, middle)
    return [after]
