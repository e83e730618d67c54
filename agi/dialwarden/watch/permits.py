"""The permits that are out: calls that were allowed and have not been dialled to an end.

Owns the table that the guard looks into before anything else. Bounded; the ledger knows the rest.
An entry lives for the permit's life, also when it is spent: that it is spent must be known here
before the ledger is.

Pure but for the clock that it is given.
"""

from __future__ import annotations

import enum
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from dialwarden.gate.gate import Grant
from dialwarden.gate.rulebook import PERMIT_LIFE
from dialwarden.ledger.permits import OpenPermit

K = TypeVar("K")

MOST = 65536
LIFE_S = PERMIT_LIFE.total_seconds()
# Digits at the end that make two spellings one number.
_TELLING = 7


class Use(enum.Enum):
    """How far a permit is used up."""

    FREE = enum.auto()  # nobody has dialled it, or the last leg failed without ringing
    DIALLED = enum.auto()  # a leg of it is alive
    SPENT = enum.auto()  # the callee was reached


@dataclass(slots=True)
class Permit:
    """One attempt that may be dialled.

    Attributes:
        ids: what its call is known by: the Linkedid that asked, the ChannelId it travels as.
        granted_at: on the clock of the table.
        use: see `Use`.
        dialled: a leg of it was seen, whatever became of that.
        seen: our link has seen its whole life so far.
        unbound: its leg carries none of the ids, and is known by its number.
        in_doubt: something of its call was dialled that we do not follow.
    """

    attempt: int
    number: int
    campaign: str
    ids: tuple[str, ...]
    granted_at: float
    use: Use = Use.FREE
    dialled: bool = False
    seen: bool = True
    unbound: bool = False
    in_doubt: bool = False


class Permits:
    """The table: by attempt, and by every id of a call.

    Args:
        clock: seconds; never goes back.
        most: entries; past that the oldest go, and the ledger is asked about them.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._permits: OrderedDict[int, Permit] = OrderedDict()
        self._by_id: dict[str, list[Permit]] = {}
        self._unbound: dict[int, list[Permit]] = {}
        self._seeing = False

    def __len__(self) -> int:
        return len(self._permits)

    def granted(self, grant: Grant, *, age_s: float = 0.0) -> None:
        """An ALLOW has left; the same attempt's again gives it its life anew."""
        known = self._permits.get(grant.attempt)
        if known is not None:
            known.granted_at = max(known.granted_at, self._clock() - age_s)
            return
        ids = tuple(dict.fromkeys(one for one in (grant.call, grant.permit) if one))
        permit = Permit(
            grant.attempt, grant.number, grant.campaign, ids, self._clock() - age_s,
            seen=self._seeing and age_s == 0, unbound=grant.unbound,
        )  # fmt: skip
        self._permits[grant.attempt] = permit
        if grant.unbound:
            self._unbound.setdefault(grant.number, []).append(permit)
        for one in ids:
            self._by_id.setdefault(one, []).append(permit)
        while len(self._permits) > self._most:
            self._forget(next(iter(self._permits)))

    def take_up(self, permit: OpenPermit, *, age_s: float) -> None:
        """One that the ledger tells of: another bridge gave it, or we did before our start."""
        grant = Grant(
            permit.attempt, permit.number, permit.campaign, permit.call, permit.permit, permit.at
        )
        self.granted(grant, age_s=max(age_s, 0.001))

    def revoked(self, attempt: int) -> None:
        """An ALLOW that was not acted on: known as used up until the ledger knows it too."""
        permit = self._permits.get(attempt)
        if permit is not None:
            permit.use = Use.SPENT

    def of_call(self, ids: Iterable[str]) -> list[Permit]:
        """The permits of a call that are within their life, used up or not, the newest first."""
        found: dict[int, Permit] = {}
        oldest = self._clock() - LIFE_S
        for one in ids:
            for permit in self._by_id.get(one, ()):
                if permit.granted_at > oldest:
                    found[permit.attempt] = permit
        return sorted(found.values(), key=lambda permit: -permit.attempt)

    def of_number(self, numbers: Iterable[int]) -> list[Permit]:
        """The unbound permits for these numbers that are within their life, the oldest first."""
        oldest = self._clock() - LIFE_S
        return [
            permit
            for number in numbers
            for permit in self._unbound.get(number, ())
            if permit.granted_at > oldest
        ]

    def take(self, attempt: int) -> None:
        """A leg was dialled with that permit."""
        permit = self._permits.get(attempt)
        if permit is not None:
            permit.use = Use.DIALLED
            permit.dialled = True

    def reached(self, attempt: int) -> None:
        """The callee's side was reached: no other leg may follow."""
        permit = self._permits.get(attempt)
        if permit is not None:
            permit.use = Use.SPENT

    def released(self, attempt: int) -> None:
        """The leg failed without ringing: another trunk may try."""
        permit = self._permits.get(attempt)
        if permit is not None and permit.use is Use.DIALLED:
            permit.use = Use.FREE

    def doubt(self, ids: Iterable[str]) -> None:
        """Something of that call was dialled that we do not follow: it may have been the callee."""
        for one in ids:
            for permit in self._by_id.get(one, ()):
                permit.in_doubt = True

    def doubt_number(self, digits: Iterable[str]) -> None:
        """Something was dialled that we do not follow, with these digits: whoever's call it is, it
        may have been the callee of a permit.
        """
        tails = {run[-_TELLING:] for run in digits if len(run) >= _TELLING}
        if tails:
            for permit in self._permits.values():
                if str(permit.number)[-_TELLING:] in tails:
                    permit.in_doubt = True

    def is_free(self, attempt: int) -> bool:
        """Whether a leg may still be dialled with that permit, for all that is known here."""
        permit = self._permits.get(attempt)
        return permit is None or permit.use is Use.FREE

    def begin_seeing(self) -> None:
        """The link is up: what is granted from now on is seen."""
        self._seeing = True

    def stop_seeing(self) -> None:
        """The link is down: of no permit that is out we can say that it was never dialled."""
        self._seeing = False
        for permit in self._permits.values():
            permit.seen = False

    def expire(self) -> list[Permit]:
        """Drop the permits past their life; returns them."""
        oldest = self._clock() - LIFE_S
        past = [permit for permit in self._permits.values() if permit.granted_at <= oldest]
        for permit in past:
            self._forget(permit.attempt)
        return past

    def _forget(self, attempt: int) -> None:
        permit = self._permits.pop(attempt, None)
        if permit is None:
            return
        for one in permit.ids:
            _take_out(self._by_id, one, permit)
        if permit.unbound:
            _take_out(self._unbound, permit.number, permit)


def _take_out(index: dict[K, list[Permit]], key: K, permit: Permit) -> None:
    left = [other for other in index[key] if other is not permit]
    if left:
        index[key] = left
    else:
        del index[key]
