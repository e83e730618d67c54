"""What the configuration says of the professionals that a file names.

Owns how a row's national number, its instant without an offset and its missing purpose are read:
as the campaigns of its professional all say, and not at all when they differ.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cache
from typing import Literal

from dialwarden.imports.instants import InstantError, NoOffset, read_instant, read_past
from dialwarden.imports.numbers import NumberReader
from dialwarden.imports.report import Report, RowFault
from dialwarden.numbers import places_of_region, zone
from dialwarden.question import Purpose
from dialwarden.settings.campaigns import Campaign


def only(values: Iterable[str]) -> str:
    """The one value there is; "" when there is none, or more than one."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def zones_of(regions: Iterable[str]) -> tuple[tzinfo, ...]:
    """Every time zone of some regions, once each."""
    names = {place.zone for region in regions if region for place in places_of_region(region)}
    return tuple(zone(name) for name in sorted(names))


class People:
    """Professionals, as the campaigns of a configuration know them.

    Args:
        campaigns: by name.
        region: given on the command line: how every national number is read.
        zones: given on the command line: where every instant without an offset was written.
        strips: what the trunks' dialers put in front of numbers.
    """

    def __init__(
        self,
        campaigns: Mapping[str, Campaign],
        *,
        region: str = "",
        zones: Sequence[tzinfo] = (),
        strips: Sequence[str] = (),
    ) -> None:
        self._campaigns = campaigns
        self._region = region
        self._zones = tuple(zones)
        self._strips = strips
        self._by_name: dict[str, tuple[Campaign, ...]] = {}
        for campaign in campaigns.values():
            known = self._by_name.get(campaign.professional, ())
            self._by_name[campaign.professional] = (*known, campaign)
        self._readers: dict[str, NumberReader] = {}
        self._zones_of = cache(self._find_zones)

    def professional(self, text: str, report: Report) -> str:
        """A row's professional; one that no campaign has is taken, with a warning.

        Raises:
            RowFault: there is none.
        """
        if not text:
            raise RowFault("the row has no professional")
        if text not in self._by_name:
            known = sorted(self._by_name)
            near = difflib.get_close_matches(text.lower(), [name.lower() for name in known], n=1)
            hint = next((name for name in known if near and name.lower() == near[0]), "")
            asked = f"; did you mean {hint}?" if hint else ""
            report.warn(
                f"professional {text[:60]!a} has no configured campaign, its rows are kept "
                f"all the same{asked} (known: {', '.join(known) or 'none'})"
            )
        return text

    def number(self, text: str, professional: str) -> int:
        """A row's number, as digits of E.164.

        Raises:
            RowFault: it cannot be read.
        """
        reader = self._readers.get(professional)
        if reader is None:
            # One reader a region: its memory of blocks is worth sharing.
            region = self._region or only(c.region for c in self._of(professional))
            alike = (other for other in self._readers.values() if other.region == region)
            reader = next(alike, None) or NumberReader(region, self._strips)
            self._readers[professional] = reader
        return reader.read(text)

    def instant(
        self,
        text: str,
        professional: str,
        now: datetime,
        *,
        day: Literal["start", "end"] | None = None,
    ) -> datetime:
        """A row's instant, aware in UTC.

        Args:
            day: what a date alone stands for, see `read_past`; None where it is a fault. It is
                one for calls: two of a day would be one, and one call too many would be let out.

        Raises:
            RowFault: it cannot be read, or lies in the future.
        """
        if not text:
            raise RowFault("the row has no instant")
        try:
            zones = self._zones_of(professional)
            if day is None:
                found = read_instant(text, zones, repeated="later")
            else:
                found = read_past(text, zones, day=day, now=now)
        except NoOffset as error:
            raise RowFault(f"{error}, or name the file's zone with --zone") from None
        except InstantError as error:
            raise RowFault(str(error)) from None
        if found > now:
            raise RowFault(f"{text[:40]!a} lies in the future")
        return found

    def purpose(self, text: str, professional: str) -> Purpose:
        """A row's purpose; where it has none, that of the professional's campaigns, else sales.

        Sales is what the laws count most strictly.

        Raises:
            RowFault: no such purpose.
        """
        if not text:
            return Purpose(only(c.purpose.value for c in self._of(professional)) or Purpose.SALES)
        try:
            return Purpose(text.lower())
        except ValueError:
            allowed = ", ".join(Purpose)
            raise RowFault(f"purpose {text[:40]!a}; allowed: {allowed}") from None

    def scope(self, text: str) -> str:
        """What a consent is for: "professional", or a purpose, a sector, a campaign.

        Raises:
            RowFault: none of these; a consent for it would never count.
        """
        sectors = {c.sector for c in self._campaigns.values() if c.sector}
        allowed = {"professional", *(p.value for p in Purpose), *sectors, *self._campaigns}
        if not text:
            return "professional"
        if text not in allowed:
            near = difflib.get_close_matches(text, sorted(allowed), n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise RowFault(
                f"scope {text[:40]!a}{hint}; allowed: professional, a purpose "
                f"({', '.join(Purpose)}), a configured sector or campaign"
            )
        return text

    def _of(self, professional: str) -> tuple[Campaign, ...]:
        """The campaigns of a professional; of an unknown one, all of them."""
        return self._by_name.get(professional) or tuple(self._campaigns.values())

    def _find_zones(self, professional: str) -> tuple[tzinfo, ...]:
        return self._zones or zones_of(campaign.region for campaign in self._of(professional))
