"""Clocks as the pinned tzdata package writes them: a country's zones, and zones that agree.

Owns every reading of that package's files. Knows no telephone number, and never asks the machine's
own zone files: evidence names one version of the data, and this is it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import dialwarden.tzdata  # noqa: F401  whoever asks for a zone gets that of the pinned data

# Zones that agree from here on count as one. A question may be asked at a past instant, but the
# regimes begin here or later; that of Portugal begins in 2009, and its zones agreed and differed
# then as they do since.
_AGREE_SINCE: Final = 1420070400  # 2015-01-01T00:00:00Z, in Unix seconds


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name, always the same object.

    Raises:
        zoneinfo.ZoneInfoNotFoundError, ValueError: no such zone, or no name of one.
    """
    return ZoneInfo(name)


def _zone_files() -> Traversable:
    return files("tzdata").joinpath("zoneinfo")


@cache
def country_zones() -> Mapping[str, tuple[str, ...]]:
    """ISO 3166 country -> IANA zones, in the table's own order.

    From zone.tab, where each country has zones under its own names (Indian/Reunion); zone1970.tab
    names whoever shares the clock (Asia/Dubai), which no reader of a refusal would understand.
    """
    zones: dict[str, list[str]] = {}
    for line in _zone_files().joinpath("zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            zones.setdefault(country, []).append(name)
    return {country: tuple(names) for country, names in zones.items()}


def without_repeats(names: Iterable[str]) -> tuple[str, ...]:
    """The names, less those whose clock agrees with an earlier one's: Rome, Vatican -> Rome."""
    kept: dict[object, str] = {}
    for name in names:
        kept.setdefault(clock(name), name)
    return tuple(kept.values())


@cache
def clock(name: str) -> object:
    """What a zone's clock shows since 2015 and will show: equal for zones that always agree.

    Two rules written differently for one behaviour stay different; that only asks one zone more.

    Format: RFC 8536 (TZif): a version 1 block to skip, then the 64-bit block and a POSIX rule for
    all that comes after it.
    """
    data = _zone_files().joinpath(*name.split("/")).read_bytes()
    counts = struct.unpack(">6l", data[20:44])
    utc_std, wall_std, leaps, transitions, types, letters = counts
    skip = 44 + transitions * 5 + types * 6 + letters + leaps * 8 + wall_std + utc_std
    _, _, _, transitions, types, letters = struct.unpack(">6l", data[skip + 20 : skip + 44])

    start = skip + 44
    instants = struct.unpack_from(f">{transitions}q", data, start)
    kinds = data[start + transitions * 8 : start + transitions * 9]
    start += transitions * 9
    offsets = [struct.unpack_from(">l", data, start + kind * 6)[0] for kind in range(types)]

    rule = data.rstrip(b"\n").rpartition(b"\n")[2]
    if not instants or instants[-1] <= _AGREE_SINCE:
        # The rule alone governs; the last type listed is summer in one file and winter in another.
        return rule
    history = [(_AGREE_SINCE, offsets[0])]  # type 0 holds before the first transition
    for instant, kind in zip(instants, kinds, strict=True):
        if instant <= _AGREE_SINCE:
            history = [(_AGREE_SINCE, offsets[kind])]
        else:
            history.append((instant, offsets[kind]))
    changes = [after for before, after in pairwise(history) if before[1] != after[1]]
    return history[0], tuple(changes), rule
