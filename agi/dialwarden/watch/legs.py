"""The legs that are up on our trunks, as the events tell of them.

Owns what is known of each live leg, and what its end came to. Bounded: past the limit the oldest is
forgotten here, and the ledger keeps it open until it is settled as overdue. Pure.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dialwarden.gate.bypass import Bypass
from dialwarden.ledger import legs as leg_table
from dialwarden.ledger.legs import Ending, LegId
from dialwarden.watch.events import CAUSE_BUSY, Ended

MOST = 65536


@dataclass(slots=True)
class Leg:
    """A channel that was dialled on a trunk of ours.

    Attributes:
        pbx: whose channel it is, for the record.
        attempt: whose it is; None as long as nobody is known to have allowed it.
        caught: it was hung up for that; an attempt only if it reaches the callee all the same.
        bypass: what was written down of it then.
        rang: ringing or early media was heard.
        status: of its DialEnd; "" before.
        ended: its channel is gone, with that ISDN cause.
        judged: it was let through or caught; else somebody is about to.
        lost: the link went down; what has happened to it since is not known.
        unsure: the link was down for a part of its life: it may have rung then.
    """

    uniqueid: str
    channel: str
    trunk: str
    pbx: str
    attempt: int | None = None
    caught: bool = False
    bypass: Bypass | None = None
    rang: bool = False
    answered: bool = False
    status: str = ""
    ended: bool = False
    cause: int | None = None
    judged: bool = False
    lost: bool = False
    unsure: bool = False

    @property
    def id(self) -> LegId:
        """Which leg it is in the ledger."""
        return LegId(self.pbx, self.uniqueid, self.channel)

    @property
    def reached(self) -> bool:
        """Whether the callee was: a phone that rings, or is busy."""
        return self.rang or self.answered or (self.ended and self.ending is Ending.BUSY)

    @property
    def ending(self) -> Ending | None:
        """What the leg came to, its channel being gone; None where that was not all seen."""
        if self.answered or self.status == Ended.ANSWER:
            return Ending.ANSWERED
        if self.status == Ended.BUSY or (not self.status and self.cause == CAUSE_BUSY):
            return Ending.BUSY
        if self.status == Ended.CANCEL:
            return Ending.CANCELLED
        if self.rang:
            return Ending.NO_ANSWER
        return None if self.unsure else Ending.FAILED

    def end_step(self, at: datetime) -> Callable[[sqlite3.Connection], None]:
        """What is to be written of its end."""
        ending = self.ending
        if ending is None:
            return partial(leg_table.lost, leg=self.id, at=at)
        return partial(leg_table.ended, leg=self.id, ending=ending, cause=self.cause, at=at)


class Legs:
    """Live legs by Uniqueid."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._legs: OrderedDict[str, Leg] = OrderedDict()

    def __len__(self) -> int:
        return len(self._legs)

    def begin(self, leg: Leg) -> None:
        self._legs[leg.uniqueid] = leg
        if len(self._legs) > self._most:
            self._legs.popitem(last=False)

    def __contains__(self, uniqueid: object) -> bool:
        return uniqueid in self._legs

    def get(self, uniqueid: str) -> Leg | None:
        return self._legs.get(uniqueid)

    def end(self, uniqueid: str, cause: int | None = None) -> Leg | None:
        """The leg whose channel is gone, and no more of it; None for a channel that is none."""
        leg = self._legs.pop(uniqueid, None)
        if leg is not None:
            leg.ended, leg.cause = True, cause
        return leg

    def forget(self, uniqueid: str) -> None:
        """A leg that is none of ours after all."""
        self._legs.pop(uniqueid, None)

    def live(self) -> Iterable[Leg]:
        return self._legs.values()

    def clear(self) -> list[Leg]:
        """Forget them all, and tell which there were: the link is down."""
        gone = list(self._legs.values())
        self._legs.clear()
        return gone
