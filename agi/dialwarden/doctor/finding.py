"""What the doctor says: an item for each thing it looked at, a finding for each check.

Owns how the items of a check become one finding, and what accepting one does. Knows no check.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

S = TypeVar("S")


class Status(enum.StrEnum):
    """How a thing is, from the best to the worst."""

    OK = "ok"
    NOTE = "note"  # worth knowing; nothing has to be done
    UNKNOWN = "unknown"  # it could not be looked at
    WARNING = "warning"  # a person should look at it
    FAILURE = "failure"  # calls are refused, or leave unasked, or soon will

    @property
    def rank(self) -> int:
        return list(Status).index(self)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a check looked at.

    Attributes:
        says: what was found, one sentence.
        do: what to do about it; "" when there is nothing to be done.
        about: what it is about, a user or a trunk; "" for the check as a whole. Stable: an admin
            names it to accept it.
    """

    status: Status
    says: str
    do: str = ""
    about: str = ""


def ok(says: str) -> Item:
    return Item(Status.OK, says)


def note(says: str, do: str = "", about: str = "") -> Item:
    return Item(Status.NOTE, says, do, about)


def unknown(says: str, do: str = "", about: str = "") -> Item:
    return Item(Status.UNKNOWN, says, do, about)


def warning(says: str, do: str, about: str = "") -> Item:
    return Item(Status.WARNING, says, do, about)


def failure(says: str, do: str, about: str = "") -> Item:
    return Item(Status.FAILURE, says, do, about)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check comes to: the worst of its items.

    Attributes:
        check: its id.
        items: everything that is no OK, the worst first; the one OK of a check that is green.
    """

    check: str
    status: Status
    items: tuple[Item, ...]
    doc: str

    @property
    def summary(self) -> str:
        """The sentence of the worst item, and how many more there are of its kind."""
        alike = sum(item.status is self.status for item in self.items)
        more = f" (and {alike - 1} more)" if alike > 1 else ""
        return f"{self.items[0].says}{more}"

    @property
    def do(self) -> str:
        """What to do about the worst item."""
        return self.items[0].do


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """One check.

    Attributes:
        id: stable, for monitoring.
        examine: gives at least one item.
    """

    id: str
    examine: Callable[[S], Iterable[Item]]

    @property
    def doc(self) -> str:
        """Where the documentation tells of it."""
        return f"docs/doctor.md#{self.id.partition('.')[0]}"


def conclude(check: Check[S], seen: S, accepted: Collection[str]) -> Finding:
    """Look at one thing; a check that fails by itself is a finding too, not an end.

    Args:
        accepted: what the admin lives with: a check's id, or `id:about`.
    """
    try:
        items = [_accept(item, check.id, accepted) for item in check.examine(seen)]
    except Exception as error:
        items = [
            unknown(
                f"the check itself failed: {error!r}", "report this: it is a fault in dialwarden"
            )
        ]
    items.sort(key=lambda item: -item.status.rank)
    worst = items[0].status
    told = [item for item in items if item.status is not Status.OK] or items[:1]
    return Finding(check.id, worst, tuple(told), check.doc)


def _accept(item: Item, check: str, accepted: Collection[str]) -> Item:
    if item.status in (Status.OK, Status.NOTE):
        return item
    if check not in accepted and f"{check}:{item.about}" not in accepted:
        return item
    return replace(item, status=Status.NOTE, says=f"{item.says} (accepted in [doctor])", do="")
