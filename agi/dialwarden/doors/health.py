"""How the bridge is, over HTTP: `/healthz`, for monitoring and for load balancers.

Owns what ready, degraded and blind mean, and how they are told. Refuses to know how any of it is
found out: a `Health` is handed in.
"""

from __future__ import annotations

import enum
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dialwarden.doors.http_server import HttpServer, Page
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
class Health:
    """Everything that `/healthz` says.

    Attributes:
        ami: None without `[ami]`: there is then no guard that could be blind.
        alarm: whether calls go past us in such numbers that the guard's alarm is raised.
        gateway_clients: connected now; None without a gateway.
        shadow: the campaigns in shadow mode: what is refused is let go.
        overrides: those in force now.
    """

    version: str
    guard: GuardMode
    ami: AmiHealth | None = None
    alarm: bool = False
    gateway_clients: int | None = None
    ledger: LedgerHealth = LedgerHealth()
    shadow: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def status(self) -> Status:
        if self.why_blind:
            return Status.BLIND
        return Status.DEGRADED if self.alarm or not self.ledger.available else Status.READY

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
        "version": health.version,
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
            "since": ami.since.isoformat(timespec="seconds") if ami.since else None,
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
    }


class HealthServer:
    """Answers `/healthz` on a listening socket: 503 when blind, else 200.

    Args:
        report: gives the health of this instant; called in the event loop, must not block.
    """

    def __init__(self, report: Callable[[], Health]) -> None:
        self._report = report
        self._server = HttpServer({"/healthz": self._page})

    async def start(self, sock: socket.socket) -> None:
        """Accept connections on `sock`, a bound stream socket, which is closed at the end."""
        await self._server.start(sock)

    async def stop(self) -> None:
        await self._server.stop()

    def _page(self) -> Page:
        health = self._report()
        status = 503 if health.status is Status.BLIND else 200
        return Page(status, json.dumps(document(health)).encode() + b"\n")
