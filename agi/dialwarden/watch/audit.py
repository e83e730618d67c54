"""The audit: what is up in Asterisk when our link comes up, and what follows for open legs.

Owns the comparison of Asterisk's list of channels with the ledger's open legs. A leg that is still
there is followed on; one that is gone ended while nobody looked, and its attempt stays counted.
Pure but for what it is handed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialwarden.ledger.legs import OpenLeg
from dialwarden.routing.trunks import Trunks
from dialwarden.watch.events import STATE_UP, UNANSWERED, Event

# What app_dial and the originating core write as a dialled channel's application.
_DIALLED_BY = frozenset({"AppDial", "AppDial2"})


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """One row of CoreShowChannels.

    Attributes:
        answered: in conversation, or at least picked up.
        dialled: it was created outbound, and nobody has answered it.
    """

    channel: str
    uniqueid: str
    linkedid: str
    answered: bool
    dialled: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What an audit comes to.

    Attributes:
        on: open legs that are still up, each with its channel.
        gone: open legs that are not.
        unknown: unanswered outbound channels on our trunks of which the ledger has no leg.
        talking: answered channels on our trunks of which it has none.
    """

    on: tuple[tuple[OpenLeg, LiveChannel], ...]
    gone: tuple[OpenLeg, ...]
    unknown: tuple[LiveChannel, ...]
    talking: tuple[LiveChannel, ...]


def live_channel(row: Event) -> LiveChannel:
    """Read a CoreShowChannel event."""
    state = row.get("channelstate", "")
    application = row.get("application", "")
    return LiveChannel(
        channel=row.get("channel", ""),
        uniqueid=row.get("uniqueid", ""),
        linkedid=row.get("linkedid", ""),
        answered=state == STATE_UP,
        dialled=state in UNANSWERED and (application in _DIALLED_BY or not application),
    )


def compare(rows: Iterable[Event], open_legs: Sequence[OpenLeg], trunks: Trunks) -> Found:
    """Lay Asterisk's channels beside the ledger's open legs."""
    channels: Mapping[str, LiveChannel] = {
        channel.uniqueid: channel for channel in map(live_channel, rows)
    }
    known = {leg.uniqueid for leg in open_legs}
    ours = [
        channel
        for channel in channels.values()
        if channel.uniqueid not in known and trunks.of_channel(channel.channel) is not None
    ]
    return Found(
        on=tuple((leg, channels[leg.uniqueid]) for leg in open_legs if leg.uniqueid in channels),
        gone=tuple(leg for leg in open_legs if leg.uniqueid not in channels),
        unknown=tuple(channel for channel in ours if channel.dialled),
        talking=tuple(channel for channel in ours if channel.answered),
    )
