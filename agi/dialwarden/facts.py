"""What is known of a callee when a question is judged: plain values, read by the ledger.

All instants are aware and in UTC; the rules turn them into the callee's zone. Nothing here reads
a clock or a database: the ledger fills these in, the rules take them as they are.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from dialwarden.question import Purpose


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An allowed call that counts, whatever came of it."""

    at: datetime
    purpose: Purpose


class Scope(enum.StrEnum):
    """How far an objection reaches."""

    PROFESSIONAL = "professional"
    CAMPAIGN = "campaign"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Objection:
    """The callee said no. `campaign` matters for the scope of the same name only."""

    at: datetime
    scope: Scope = Scope.PROFESSIONAL
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """The callee said yes.

    Attributes:
        until: last local day on which it is good (inclusive); None for the law's own limit.
        scope: "professional" for whatever the professional calls about; else the name of the one
            campaign, sector or purpose it was given for.
        complete: its record holds every item that the law in force asks of a consent's proof.
        withdrawn_at: when it was taken back; None while it stands. Withdrawn, it is void whatever
            the clock says: a clock that jumped back must not bring it to life.
    """

    given_at: datetime
    until: date | None = None
    scope: str = "professional"
    complete: bool = False
    withdrawn_at: datetime | None = None


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Appointment:
    """A date and time at which the callee agreed to be called; good for one call.

    Attributes:
        campaign: the one that it was agreed with; "" for any of the professional's.
        used_by: the attempt that it was spent on; None while it is good. One that was voided
            spends nothing.
        agreed_at: when it was recorded: a no said later has ended it.
    """

    at: datetime
    campaign: str = ""
    id: int = 0
    used_by: int | None = None
    agreed_at: datetime = _LONG_AGO


@dataclass(frozen=True, slots=True)
class SilentCall:
    """A call that the callee answered and no agent took.

    Attributes:
        followed: a later call to the callee was placed that may have been answered: known
            unanswered, busy, failed, cancelled and voided ones are none.
    """

    at: datetime
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list says of one number.

    Attributes:
        version: id of the version consulted; None when the list was never imported.
        as_of: the date the version speaks of; None for a list without one.
        listed: whether the number stands in it, overlays included.
        since: the local date since when, where the list has dates.
    """

    version: int | None
    as_of: date | None = None
    listed: bool = False
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything recorded that bears on one callee and one professional.

    Attributes:
        attempts: newest first; only those that count (voided ones are left out), at least as far
            back as the longest period of the policy and the campaign.
        objections, consents, silent_calls: newest first.
        appointments: in no order, spent ones too.
        lists: by list name; every list that the campaign or a regime asks for has an entry.
    """

    attempts: tuple[PastAttempt, ...] = ()
    objections: tuple[Objection, ...] = ()
    consents: tuple[Consent, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    silent_calls: tuple[SilentCall, ...] = ()
    lists: Mapping[str, Listing] = field(default_factory=dict)

    @property
    def attempts_alone(self) -> bool:
        """Whether the callee has never said anything, and was never left without an answer."""
        return not (self.objections or self.consents or self.appointments or self.silent_calls)
