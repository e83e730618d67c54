"""What others are told of a running bridge: `/healthz`, `/metrics`, and systemd.

Owns when the ledger is looked at for that, the watchdog, and the joining of what the parts of the
bridge say of themselves. Refuses to know what ready, degraded and blind mean, and how anything is
written: that is `doors`'.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial

from dialwarden import __version__, tzdata
from dialwarden.asterisk import AsteriskSide
from dialwarden.doors.fastagi import FastAgiServer
from dialwarden.doors.health import (
    ConfigHealth,
    Health,
    LedgerHealth,
    ListHealth,
    health_page,
    line_of,
)
from dialwarden.doors.http_server import HttpServer
from dialwarden.doors.metrics import Figures, LedgerFigures, PurgeFigures, metrics_page
from dialwarden.doors.notify import Systemd
from dialwarden.errors import LedgerError
from dialwarden.gate.counting import ALLOW, REFUSE, WOULD_REFUSE
from dialwarden.gate.gate import Gate
from dialwarden.gate.ledger_watch import LedgerWatch
from dialwarden.gate.override_watch import OverrideWatch
from dialwarden.known_lists import known_lists, today_of
from dialwarden.ledger.survey import FileSizes, Survey, file_sizes, survey
from dialwarden.list_health import lists_health
from dialwarden.log import lines_lost
from dialwarden.settings.config import Config

log = logging.getLogger(__name__)

# So often the ledger's lists and files are looked at, and systemd is told how we are.
LOOK_S = 2.0
# Signs of life in the time after which systemd takes us for dead.
_SIGNS = 4


class Monitoring:
    """Watches one bridge and tells of it, from `start` to `stop`.

    Args:
        overrides: knows which are in force.
        agi: the door whose counters are shown.
        systemd: whom it tells besides.
    """

    def __init__(
        self,
        config: Config,
        gate: Gate,
        overrides: OverrideWatch,
        agi: FastAgiServer,
        systemd: Systemd,
    ) -> None:
        self._config = config
        self._gate = gate
        self._ledger_watch = LedgerWatch(gate)
        self._overrides = overrides
        self._agi = agi
        self._systemd = systemd
        self._started_at = self._read_at = datetime.now(UTC)
        self._taken = True
        self._survey = Survey()
        self._sizes = FileSizes()
        self._lists: tuple[ListHealth, ...] = ()
        self._lawless: tuple[tuple[str, str], ...] = ()
        self._tasks: list[asyncio.Task[None]] = []
        self._looking = asyncio.Lock()
        self._server: HttpServer | None = None
        self.asterisk: AsteriskSide | None = None

    async def start(self) -> None:
        """Look for the first time, and go on looking; without a port yet."""
        await self._look()
        self._keep(self._look_on())
        self._keep(self._watch_on())
        if self._systemd.watchdog_s is not None:
            self._keep(self._give_signs(self._systemd.watchdog_s))

    async def serve(self, sock: socket.socket) -> None:
        """Answer on `sock`, a bound stream socket, which is closed at the end."""
        pages = {"/healthz": health_page(self.health), "/metrics": metrics_page(self.figures)}
        self._server = HttpServer(pages)
        await self._server.start(sock)

    async def stop(self) -> None:
        """Answer no more, look no more, give no sign of life any more."""
        if self._server is not None:
            await self._server.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def reloaded(self, config: Config, *, taken: bool) -> None:
        """A configuration was read; it is in force, or the one before stays."""
        self._read_at, self._taken = datetime.now(UTC), taken
        if taken:
            self._config = config
            await self._look()

    def health(self) -> Health:
        """How the bridge is, at this instant."""
        asterisk, trouble = self.asterisk, self._gate.ledger_trouble
        config = self._config
        return Health(
            version=__version__,
            guard=config.guard.mode,
            ami=asterisk.health if asterisk else None,
            alarm=asterisk.alarm if asterisk else False,
            gateway_clients=asterisk.gateway_clients if asterisk else None,
            ledger=LedgerHealth(not trouble, trouble),
            lists=self._lists,
            shadow=self._gate.rulebook.shadow,
            overrides=self._overrides.in_force,
            config=ConfigHealth(self._read_at, self._taken, tuple(config.campaigns), self._lawless),
            lines_lost=lines_lost(),
            config_sha256=config.sha256,
        )

    def figures(self) -> Figures:
        """The bridge in figures, at this instant."""
        asterisk, ledger = self.asterisk, self._gate.ledger
        return Figures(
            tzdata=tzdata.VERSION,
            started_at=self._started_at,
            health=self.health(),
            counts=self._gate.counts,
            agi=self._agi.counters,
            agi_connections=self._agi.open_connections,
            ledger=LedgerFigures(
                ledger.waiting,
                ledger.batches,
                ledger.works,
                self._sizes.file,
                self._sizes.wal,
                self._sizes.free,
            ),
            gateway=asterisk.gateway_counters if asterisk else None,
            events_waiting=asterisk.events_waiting if asterisk else None,
            purge=PurgeFigures(self._survey.purge_began, self._survey.purge_ended),
            trunks=tuple(self._config.trunks),
        )

    def status(self) -> str:
        """The bridge in one line, for `systemctl status`."""
        health, counts = self.health(), self._gate.counts
        campaigns = f"{len(health.config.campaigns)} campaigns"
        if health.shadow:
            campaigns += f" ({len(health.shadow)} in shadow mode)"
        if health.overrides:
            campaigns += f" ({len(health.overrides)} overrides)"
        ami = "no AMI" if health.ami is None else f"AMI {'up' if health.ami.up else 'down'}"
        verdicts = f"{counts.of_verdict(ALLOW)} allowed, {counts.of_verdict(REFUSE)} refused"
        if would := counts.of_verdict(WOULD_REFUSE):
            verdicts += f", {would} would be"
        return f"{line_of(health)}; {campaigns}, {ami}; {verdicts}"

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look()

    async def _watch_on(self) -> None:
        """Beside the looks: where the disk stands still those wait for it, and this says so."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._ledger_watch.look(LOOK_S)
                self._systemd.status(self.status())
            except Exception:  # whatever it is: it is looked at again
                log.exception("monitoring: it was not looked how the bridge is")

    async def _look(self) -> None:
        """Read what the ledger says of lists and purges; what was known stays where it cannot."""
        try:
            await self._read_ledger()
        except Exception:  # whatever it is: neither a start nor a reload must fail over it
            log.exception("monitoring: the ledger was not looked at")

    async def _read_ledger(self) -> None:
        self._lawless = _lawless(self._config, datetime.now(UTC))
        async with self._looking:
            ledger = self._gate.ledger
            names = tuple(known_lists(self._config, datetime.now(UTC).date()))
            self._sizes = await asyncio.to_thread(file_sizes, ledger.path)
            # What ails the ledger is told by whoever asks it for a call.
            with contextlib.suppress(LedgerError):
                self._survey = await ledger.read(partial(survey, names=names))
            self._lists = lists_health(self._config, self._survey.lists, datetime.now(UTC))

    async def _give_signs(self, watchdog_s: float) -> None:
        """Tell systemd that we live, for as long as loop and ledger's thread come round.

        A ledger that cannot be written is none of its business: a restart would not mend it.
        """
        while True:
            with contextlib.suppress(Exception):  # a connection that is lost is told elsewhere
                await self._gate.ledger.come_round()
                self._systemd.alive()
            await asyncio.sleep(watchdog_s / _SIGNS)


def _lawless(config: Config, now: datetime) -> tuple[tuple[str, str], ...]:
    return tuple(
        (campaign.name, campaign.policy.id)
        for campaign in config.campaigns.values()
        if campaign.enforce
        and campaign.policy.regime_on(today_of(None, now, campaign.region)) is None
    )
