"""How the bridge is, over HTTP: `/healthz`, for monitoring and for load balancers.

Owns what ready, degraded and blind mean, and how they are told: JSON, or one line of text to who
asks for text only. 503 when blind, else 200. Refuses to know how any of it is found out: a
`Health` is handed in.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from dialwarden.doors.http_server import Asked, Page
from dialwarden.ledger.overrides import Override
from dialwarden.settings.sections import GuardMode


class Status(enum.StrEnum):
    """How we are; the first that holds, from the end."""

    READY = "ready"
    DEGRADED = "degraded"  # refusing what we could judge, or calls go past us in numbers
    BLIND = "blind"  # calls that never asked are not seen


@dataclass(frozen=True, slots=True)
class AmiHealth:
    """Our own link to Asterisk's manager interface.

    Attributes:
        since: of being up or down, aware; None: never tried.
        status: one sentence for people.
        audited: whether the channels that were there when it came up have been looked through.
        deaf: why less is heard than the guard needs; "" when all of it is.
    """

    up: bool
    since: datetime | None = None
    status: str = ""
    audited: bool = False
    deaf: str = ""


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """Whether the ledger did what was last asked of it, and if not, why."""

    available: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class ListHealth:
    """One list that a campaign asks for, or that the configuration names.

    Attributes:
        as_of: the day that its version in force speaks of; None where nobody said, or there is no
            version.
        age_days: from then until today where the list is at home; None without `as_of`.
        limit_days: the greatest age; None for no limit.
        numbers: of the version in force, without what was added or removed by hand.
        imported_at: aware; None for a list that was never imported.
        stale: some campaign asks for it, and there is no version, or none that is young enough.
        why: why calls are refused for want of it, one sentence; "" when none are.
    """

    name: str
    as_of: date | None = None
    age_days: int | None = None
    limit_days: int | None = None
    numbers: int = 0
    imported_at: datetime | None = None
    stale: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class ConfigHealth:
    """What is in force.

    Attributes:
        read_at: when it was last tried to read the configuration, aware; None: not known.
        taken: whether what was read then is in force; else what was before.
        campaigns: those that are configured.
        lawless: of those that are enforced, each whose policy has no regime in force today, and
            the policy: all its calls are refused.
    """

    read_at: datetime | None = None
    taken: bool = True
    campaigns: tuple[str, ...] = ()
    lawless: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that `/healthz` says.

    Attributes:
        ami: None without `[ami]`: there is then no guard that could be blind.
        alarm: whether calls go past us in such numbers that the guard's alarm is raised.
        gateway_clients: connected now; None without a gateway.
        shadow: the campaigns in shadow mode: what is refused is let go.
        overrides: those in force now.
        lines_lost: of the log, since the start.
        config_sha256: of the configuration file that is in force, hexadecimal.
    """

    version: str
    guard: GuardMode
    ami: AmiHealth | None = None
    alarm: bool = False
    gateway_clients: int | None = None
    ledger: LedgerHealth = LedgerHealth()
    shadow: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    lists: tuple[ListHealth, ...] = ()
    config: ConfigHealth = field(default_factory=ConfigHealth)
    lines_lost: int = 0
    config_sha256: str = ""

    @property
    def status(self) -> Status:
        if self.why_blind:
            return Status.BLIND
        return Status.DEGRADED if self.why_degraded else Status.READY

    @property
    def why(self) -> tuple[str, ...]:
        """Everything that keeps us from being ready, a sentence each."""
        unseen = f"calls that never ask are not seen: {self.why_blind}"
        return ((unseen,) if self.why_blind else ()) + self.why_degraded

    @property
    def why_degraded(self) -> tuple[str, ...]:
        """Why calls are refused that could be judged, or go past us."""
        why = []
        if not self.ledger.available:
            why.append(f"calls are refused: {self.ledger.why}")
        if self.alarm:
            why.append("calls leave without asking: dialwarden refusals --rule bypass --since 1h")
        why += [
            f"calls of {campaign} are refused (campaign): policy {policy} has no regime in force"
            for campaign, policy in self.config.lawless
        ]
        why += [one.why for one in self.lists if one.why]
        return tuple(why)

    @property
    def why_blind(self) -> str:
        """Why the guard does not see what leaves the PBX; "" when it does, or is not to."""
        if self.guard is GuardMode.OFF or self.ami is None:
            return ""
        if not self.ami.up:
            return self.ami.status or "the AMI link is down"
        if self.ami.deaf:
            return self.ami.deaf
        return "" if self.ami.audited else "the channels that are up have not been looked at yet"


def document(health: Health) -> dict[str, object]:
    """A health as `/healthz` shows it; what is not configured is null."""
    ami = health.ami
    clients = health.gateway_clients
    return {
        "status": health.status.value,
        "why": list(health.why),
        "version": health.version,
        "config_sha256": health.config_sha256,
        "guard": {
            "mode": health.guard.value,
            "blind": bool(health.why_blind),
            "why": health.why_blind,
            "alarm": health.alarm,
        },
        "ami": None
        if ami is None
        else {
            "up": ami.up,
            "since": _instant(ami.since),
            "status": ami.status,
        },
        "gateway": None if clients is None else {"clients": clients},
        "ledger": {"available": health.ledger.available, "why": health.ledger.why},
        "shadow": list(health.shadow),
        "overrides": [
            {
                "id": one.id,
                "campaign": one.campaign,
                "rules": [rule.value for rule in one.rules],
                "until": one.until.isoformat(timespec="seconds"),
                "by": one.by,
            }
            for one in health.overrides
        ],
        "lists": [_list_document(one) for one in health.lists],
        "config": {
            "read_at": _instant(health.config.read_at),
            "taken": health.config.taken,
            "campaigns": len(health.config.campaigns),
        },
        "log": {"lines_lost": health.lines_lost},
    }


def _list_document(one: ListHealth) -> dict[str, object]:
    return {
        "name": one.name,
        "as_of": one.as_of.isoformat() if one.as_of else None,
        "age_days": one.age_days,
        "limit_days": one.limit_days,
        "numbers": one.numbers,
        "imported_at": _instant(one.imported_at),
        "stale": one.stale,
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def health_page(report: Callable[[], Health]) -> Callable[[Asked], Page]:
    """Make what answers `/healthz`.

    Args:
        report: gives the health of this instant; called in the event loop, must not block.
    """

    def page(asked: Asked) -> Page:
        health = report()
        status = 503 if health.status is Status.BLIND else 200
        if "text/plain" in asked.accept and "json" not in asked.accept:
            return Page(status, f"{line_of(health)}\n".encode(), "text/plain; charset=utf-8")
        return Page(status, json.dumps(document(health)).encode() + b"\n")

    return page


def line_of(health: Health) -> str:
    """A health in one line for people."""
    return ": ".join((health.status.value, "; ".join(health.why))) if health.why else "ready"
