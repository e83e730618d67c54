"""The audit: what is up in Asterisk when our link comes up, and what follows for open legs.

Owns the comparison of Asterisk's list of channels with the ledger's open legs. A leg that is still
there is followed on; one that is gone ended while nobody looked, and its attempt stays counted.
Pure but for what it is handed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dialwarden.ledger.legs import OpenLeg
from dialwarden.routing.trunks import Trunks
from dialwarden.watch.events import STATE_RINGING, STATE_UP, UNANSWERED, Event

# What app_dial and the originating core write as a dialled channel's application.
_DIALLED_BY = frozenset({"AppDial", "AppDial2"})


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """One row of CoreShowChannels.

    Attributes:
        answered: in conversation, or at least picked up.
        ringing: the callee's phone rings.
        dialled: it was created outbound, and nobody has answered it.
    """

    channel: str
    uniqueid: str
    linkedid: str
    answered: bool
    ringing: bool
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
        ringing=state == STATE_RINGING,
        dialled=state in UNANSWERED and (application in _DIALLED_BY or not application),
    )


class Meanwhile:
    """What events told of channels while the list of them was on its way."""

    def __init__(self) -> None:
        self._ringing: set[str] = set()
        self._answered: set[str] = set()
        self._gone: set[str] = set()

    def rings(self, uniqueid: str) -> None:
        self._ringing.add(uniqueid)

    def answers(self, uniqueid: str) -> None:
        self._answered.add(uniqueid)

    def ends(self, uniqueid: str) -> None:
        self._gone.add(uniqueid)

    def applied(self, rows: Iterable[Event]) -> dict[str, LiveChannel]:
        """The channels as they are now, by Uniqueid."""
        return {
            channel.uniqueid: self._now(channel)
            for channel in map(live_channel, rows)
            if channel.uniqueid not in self._gone
        }

    def _now(self, channel: LiveChannel) -> LiveChannel:
        if channel.uniqueid in self._answered:
            return replace(channel, answered=True, ringing=False, dialled=False)
        if channel.uniqueid in self._ringing and not channel.answered:
            return replace(channel, ringing=True)
        return channel


def compare(
    channels: Mapping[str, LiveChannel],
    open_before: Iterable[OpenLeg],
    open_now: Sequence[OpenLeg],
    followed: Container[str],
    trunks: Trunks,
) -> Found:
    """Lay Asterisk's channels beside the ledger's open legs.

    Args:
        channels: as they are, by Uniqueid.
        open_before: read before the channels were asked for: a leg that is none of them is over.
            One that was recorded since, by another bridge, may be younger than their list.
        open_now: read after that.
        followed: Uniqueids of legs that are followed already.
    """
    known = {leg.uniqueid for leg in open_now}
    ours = [
        channel
        for channel in channels.values()
        if channel.uniqueid not in known
        and channel.uniqueid not in followed
        and trunks.of_channel(channel.channel) is not None
    ]
    fresh = [leg for leg in open_now if leg.uniqueid not in followed]
    return Found(
        on=tuple((leg, channels[leg.uniqueid]) for leg in fresh if leg.uniqueid in channels),
        gone=tuple(
            leg
            for leg in open_before
            if leg.uniqueid not in channels and leg.uniqueid not in followed
        ),
        unknown=tuple(channel for channel in ours if channel.dialled),
        talking=tuple(channel for channel in ours if channel.answered),
    )
