"""What is over, removed: the configuration's figures brought to the ledger, by hand or once a day.

Owns the bridge's daily purge: when it is due, its thread, its end. What is over is for
`policy.retention`, how it goes for `ledger.purge`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import closing
from datetime import UTC, datetime, time
from pathlib import Path

from dialwarden.errors import LedgerError
from dialwarden.ledger.connection import open_ledger, translating
from dialwarden.ledger.purge import Pause, Progress, Purged, purge
from dialwarden.ledger.purge_clock import BY_ITSELF, ClockDoubted, check_clock
from dialwarden.ledger.purge_kinds import Plan
from dialwarden.policy.retention import Retention, retention
from dialwarden.settings.config import Config

log = logging.getLogger(__name__)

# The clock is looked at so often: it may be set, or the machine may have slept.
_LOOK_S = 20.0
# A call waits up to a second for the lock; who only tidies up gives way sooner, and tries again.
_BUSY_TIMEOUT_S = 0.5


def retention_of(config: Config) -> Retention:
    """How long everything is kept under a configuration."""
    mandates = (campaign.mandate for campaign in config.campaigns.values())
    return retention(mandates, config.retention.years)


def plan_of(kept: Retention, now: datetime) -> Plan:
    """What of it is over at an instant, aware."""
    return Plan(
        named={name: keeping.on(now) for name, keeping in kept.named.items()},
        others=kept.others.on(now),
        of_campaign=kept.of_campaign,
        lists_before=kept.lists_before(now),
    )


def purge_ledger(
    path: Path,
    config: Config,
    now: datetime,
    *,
    by: str,
    pause: Pause,
    progress: Progress | None = None,
    sure: bool = False,
) -> Purged:
    """Remove what is over by a configuration from a ledger, over a connection of its own.

    Args:
        sure: a person said which instant it is, whatever speaks against the clock.

    Raises:
        ClockDoubted: nothing was removed, for the clock may be ahead.
        LedgerUnavailable, LedgerBroken: see `ledger.purge`.
    """
    with closing(open_ledger(path, create=False, busy_timeout_s=_BUSY_TIMEOUT_S)) as conn:
        if not sure:
            with translating(str(path)):
                check_clock(conn, now)
        plan = plan_of(retention_of(config), now)
        return purge(conn, plan, now, by=by, pause=pause, progress=progress)


class DailyPurge:
    """Purges once a day at `[retention] daily`, for as long as the bridge runs.

    On this machine's own clock: where a clock change leaves that time out, at the next there is.
    A bridge that starts later on a day begins with the next one.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        # That of the start, as the bridge's own: a reload does not change it.
        self._path = config.store.path
        self._stopping = threading.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look at the clock; in a running loop."""
        if self._config.retention.daily is None:
            log.info("[retention] daily is not set: nothing is removed but by `dialwarden purge`")
        self._task = asyncio.get_running_loop().create_task(self._run())

    def reload(self, config: Config) -> None:
        """Another configuration holds from now on; a purge that runs goes on as it began."""
        self._config = config

    async def stop(self) -> None:
        """Stop looking; a purge that runs ends within a few rows, and goes on another day."""
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        looked = _local_now()
        while True:
            await asyncio.sleep(_LOOK_S)
            before, looked = looked, _local_now()
            if _passed(self._config.retention.daily, before, looked):
                await self._purge()

    async def _purge(self) -> None:
        config = self._config
        work = asyncio.create_task(asyncio.to_thread(self._in_thread, config))
        try:
            # The thread has a connection of its own, which only it may close: it is waited for.
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise

    def _in_thread(self, config: Config) -> None:
        log.info("purge: removing what is over")
        try:
            done = purge_ledger(
                self._path, config, datetime.now(UTC), by=BY_ITSELF, pause=self._stopping.wait
            )
        except ClockDoubted as error:
            log.error("purge: not done: %s", error)
        except LedgerError as error:
            log.warning("purge: not finished, it goes on the next time: %s", error)
        except Exception:
            log.exception("purge: not finished")
        else:
            log.info("purge: %s", told(done))


def told(done: Purged) -> str:
    """What a purge did, in one line."""
    parts = [f"{kind}: {count:,} removed" for kind, count in done.removed.items()]
    parts += [f"{kind}: {count:,} reduced" for kind, count in done.reduced.items()]
    what = ", ".join(parts) or "nothing was over"
    return what if done.finished else f"{what}; stopped before its end, it goes on the next time"


def _local_now() -> datetime:
    return datetime.now().astimezone().replace(tzinfo=None)


def _passed(daily: time | None, before: datetime, now: datetime) -> bool:
    """Whether a time of day lies between two looks at the clock; a clock set back passes none."""
    if daily is None:
        return False
    days = {before.date(), now.date()}
    return any(before < datetime.combine(day, daily) <= now for day in days)
