"""The bridge: everything that runs for as long as the service does, put together and taken down.

Owns the order of starting and stopping, the signals, and what is said about both. Knows how the
parts fit and nothing of what they do.

Signals: TERM and INT stop; HUP reads the configuration again, or keeps the old one and says why;
USR2 hands the listening socket to a successor, so that an upgrade refuses no call.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uvloop

from dialwarden import __version__, tzdata
from dialwarden.asterisk import AsteriskSide
from dialwarden.doors.agi_scripts import AgiScripts
from dialwarden.doors.fastagi import FastAgiServer, FastAgiSettings
from dialwarden.doors.listening import (
    HandOverFailed,
    Inherited,
    hand_over,
    inherited_sockets,
    raise_descriptor_limit,
    take_or_listen,
)
from dialwarden.doors.notify import Systemd
from dialwarden.errors import (
    DialwardenError,
    LedgerBroken,
    LedgerError,
    ListenError,
    SettingsError,
)
from dialwarden.gate.gate import Gate
from dialwarden.gate.override_watch import OverrideWatch
from dialwarden.gate.recording import Recorder
from dialwarden.gate.rulebook import Rulebook, compile_rulebook
from dialwarden.ledger.group_commit import Ledger
from dialwarden.ledger.learning import keep_learning
from dialwarden.log import VerdictLog, log, set_up_logging
from dialwarden.monitoring import Monitoring
from dialwarden.numbers import (
    emergency_numbers,
    missing_from_dialplan,
    places_of_region,
    read_number,
    zone,
)
from dialwarden.policies import load_policies
from dialwarden.policy.days import know_year
from dialwarden.policy.model import Confidence
from dialwarden.retention import DailyPurge
from dialwarden.settings.config import Config, load_config
from dialwarden.settings.effect import changed_for_a_restart
from dialwarden.settings.sections import Numbers

# Calls in flight when we stop: each is answered within the question's deadline anyway.
STOP_GRACE_S = 3.0
# The ledger's files, the log, the listening sockets, and room for the doors to come.
_OTHER_DESCRIPTORS = 256
# By the names of their sockets, which systemd's units and a successor know them by.
_DOORS = {"agi": "AGI", "gateway": "AMI gateway", "http": "/healthz and /metrics"}


def run(config_path: Path) -> int:
    """Serve until told to stop; the exit status.

    Faults of the configuration go to standard error, each with its place, and give 2.
    """
    # Until their handlers are there, these would end a process that is still starting.
    for number in (signal.SIGHUP, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    try:
        config = load_config(config_path, os.environ, load_policies)
    except SettingsError as error:
        print(f"dialwarden: not started\n{error}", file=sys.stderr)
        return 2
    set_up_logging(style=config.log.format, level=config.log.level)
    # Whoever ends us for standing still (systemd's watchdog: ABRT) is told where every thread is.
    with contextlib.suppress(AttributeError, RuntimeError, ValueError):  # no standard error
        faulthandler.enable()
    try:
        return uvloop.run(_serve(config))
    except DialwardenError as error:
        log.error("not started: %s", error)
        return 2


async def _serve(config: Config) -> int:
    bridge = Bridge(config)
    await bridge.start()
    try:
        await bridge.until_stopped()
    finally:
        await bridge.stop()
    return 0


class Bridge:
    """One running service."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._started_with = config
        self._stopped = asyncio.Event()
        self._handed_over = False
        self._successor: object | None = None  # held: it must not be collected while we live
        self._handing_over: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._reload_again = False
        self._sockets: dict[str, socket.socket] = {}
        self._asterisk: AsteriskSide | None = None
        self._systemd = Systemd()
        self._purge = DailyPurge(config)

    async def start(self) -> None:
        """Open the ledger, make ready what can be made ready, then listen.

        Raises:
            DialwardenError: the ledger cannot be opened, the address cannot be had.
        """
        config = self._config
        log.info(
            "dialwarden %s starting, configuration %s, time zones %s",
            __version__, config.file, tzdata.VERSION,
        )  # fmt: skip
        say_warnings(config)
        # The sockets first: what systemd or a predecessor gave must not leak into a failed start.
        inherited = inherited_sockets(os.environ, os.getpid())
        self._ledger = await Ledger.open(config.store.path)
        try:
            rulebook = compile_rulebook(config)
            self._verdict_log = VerdictLog(clear_numbers=config.log.numbers is Numbers.CLEAR)
            self._gate = Gate(self._ledger, rulebook, self._verdict_log)
            await _warm_up(self._ledger, rulebook)
            await self._ledger.list_watch.start()
            self._overrides = OverrideWatch(self._gate)
            await self._overrides.start()
            recorder = Recorder(self._gate)
            scripts = AgiScripts(self._gate, recorder, deadline=config.agi.deadline)
            self._server = FastAgiServer(
                scripts.answer,
                unavailable=scripts.unavailable,
                undelivered=scripts.undelivered,
                settings=FastAgiSettings(
                    allow_from=config.agi.allow_from,
                    question_deadline_s=config.agi.deadline.total_seconds(),
                    max_connections=config.agi.max_connections,
                ),
            )
            raise_descriptor_limit(config.agi.max_connections + _OTHER_DESCRIPTORS)
            self._monitoring = Monitoring(
                config, self._gate, self._overrides, self._server, self._systemd
            )
            await self._monitoring.start()
            sock = take_or_listen("agi", str(config.agi.listen), inherited)
            self._sockets["agi"] = sock
            # A copy for the successor: the server closes its own when it stops.
            await self._server.start(sock.dup())
            if config.ami is not None:
                gateway = take_or_listen("gateway", str(config.gateway.listen), inherited)
                self._sockets["gateway"] = gateway
                self._asterisk = AsteriskSide(config, self._gate, recorder)
                await self._asterisk.start(gateway.dup())
                self._monitoring.asterisk = self._asterisk
            await self._serve_monitoring(inherited)
            self._learning = asyncio.get_running_loop().create_task(keep_learning(self._ledger))
        except BaseException:
            await self._ledger.close()
            raise
        for left in inherited:
            log.warning("an inherited socket (%s) is for no door of ours; closed", left.name)
            left.sock.close()
        self._watch_signals()
        self._purge.start()
        # What was made until here lives as long as we do: no collection need look at it again.
        gc.collect()
        gc.freeze()
        doors = [
            f"{called} on {_where(self._sockets[name])}"
            for name, called in _DOORS.items()
            if name in self._sockets
        ]
        log.info(
            "ledger %s, %s, %d campaigns; process %d is ready", self._ledger.path,
            ", ".join(doors), len(rulebook.entries), os.getpid(),
        )  # fmt: skip
        self._systemd.ready(self._monitoring.status())

    async def _serve_monitoring(self, inherited: list[Inherited]) -> None:
        """Listen for monitoring; where nobody configured that, to be without it stops nothing."""
        address = str(self._config.http.listen)
        try:
            sock = take_or_listen("http", address, inherited)
        except ListenError as error:
            if "http" in self._config.given:
                raise
            log.warning("no /healthz and no /metrics: %s", error)
            return
        self._sockets["http"] = sock
        await self._monitoring.serve(sock.dup())

    async def until_stopped(self) -> None:
        await self._stopped.wait()

    async def stop(self) -> None:
        """Stop accepting, answer the calls in flight, close the ledger, say so."""
        if not self._handed_over:
            self._systemd.stopping()
        if self._reloading is not None:
            self._reloading.cancel()
            await asyncio.wait({self._reloading})
        if self._handing_over is not None and not self._handing_over.done():
            self._handing_over.cancel()  # a stop means the service: no successor outlives it
            await asyncio.wait({self._handing_over})
        log.info("stopping: no new calls, %d in flight", self._server.open_connections)
        await self._monitoring.stop()
        # Our copies first: as long as one is open the kernel takes calls that nobody will answer.
        for sock in self._sockets.values():
            sock.close()
        stops = [self._server.stop(STOP_GRACE_S)]
        if self._asterisk is not None:
            stops.append(self._asterisk.stop(STOP_GRACE_S))
        await asyncio.gather(self._purge.stop(), self._overrides.stop(), *stops)
        self._learning.cancel()
        await asyncio.wait({self._learning})
        await self._gate.close()
        await self._ledger.close()
        counters = self._server.counters
        log.info("stopped: %d questions, %d answered, ledger closed", counters.asked,
                 counters.answered)  # fmt: skip

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        loop.add_signal_handler(signal.SIGHUP, self._begin_reload)
        loop.add_signal_handler(signal.SIGUSR2, self._begin_hand_over)

    def _begin_reload(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.get_running_loop().create_task(self._reload())
        else:
            self._reload_again = True  # the file may have changed since that one was read

    async def _reload(self) -> None:
        self._reload_again = True
        while self._reload_again:
            self._reload_again = False
            self._systemd.reloading()
            taken = await self._reload_once()
            await self._monitoring.reloaded(self._config, taken=taken)
            self._systemd.reloaded(self._monitoring.status())

    async def _reload_once(self) -> bool:
        """Take the configuration anew, whole or not at all, and say which; no call waits for it."""
        old = self._config
        try:
            new = await asyncio.to_thread(load_config, old.file, os.environ, load_policies)
            rulebook = compile_rulebook(new)
            await _warm_up(self._ledger, rulebook)
        except SettingsError as error:
            log.error("reload: the old configuration stays in force\n%s", error)
            return False
        except Exception:
            log.exception("reload: the old configuration stays in force")
            return False
        say_warnings(new)
        for name in changed_for_a_restart(self._started_with, new):
            log.warning("reload: %s changed; it takes effect with a restart", name)
        self._config = new
        self._gate.rulebook = rulebook
        if self._asterisk is not None:
            self._asterisk.reload(new)
        self._purge.reload(new)
        self._verdict_log.clear_numbers = new.log.numbers is Numbers.CLEAR
        set_up_logging(style=new.log.format, level=new.log.level)
        log.info("reload: configuration %s in force, %d campaigns", new.file, len(rulebook.entries))
        return True

    def _begin_hand_over(self) -> None:
        if self._stopped.is_set():
            return
        if self._handing_over is None or self._handing_over.done():
            self._handing_over = asyncio.get_running_loop().create_task(self._hand_over())

    async def _hand_over(self) -> None:
        argv = [sys.executable, "-m", "dialwarden", "serve", "--config", str(self._config.file)]
        log.info("handing over to a successor")
        try:
            self._successor = await hand_over(argv, os.environ, self._sockets)
        except HandOverFailed as error:
            log.error("%s", error)
            return
        except Exception:
            log.exception("hand-over failed; this process goes on serving")
            return
        self._handed_over = True
        self._systemd.hush()
        self._stopped.set()


def _where(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _warm_up(ledger: Ledger, rulebook: Rulebook) -> None:
    """Do now what the first call would wait for: calendars, zones, number plans, lists.

    The ledger's trouble is told and harms nobody here: the questions that it concerns are refused,
    the others and every emergency call are not.
    """
    today = datetime.now(UTC).date()
    for entry in rulebook.entries.values():
        read_number("0", region=entry.region, strips=rulebook.strips)
        for place in places_of_region(entry.region):
            zone(place.zone)
        for terms in entry.mandate.terms.values():
            country = entry.region.partition("-")[0]
            for year in (today.year, today.year + 1):
                know_year(terms, year, country)
    names = {*rulebook.exempt_lists, *(name for e in rulebook.entries.values() for name in e.lists)}
    for name in sorted(names):
        try:
            # On the reading connection: a list's numbers, once in memory, serve the writing one
            # too.
            await ledger.read(partial(ledger.read_lists.look_up, names=(name,), number=0))
            await ledger.transact(partial(ledger.lists.look_up, names=(name,), number=0))
        except LedgerBroken as error:
            log.error("list %s: %s", name, error)
        except LedgerError as error:
            log.error("lists are not ready, and the first calls will wait for them: %s", error)
            return


def say_warnings(config: Config) -> None:
    """Say at the start what an admin should know before it matters."""
    for warning in config.warnings:
        log.warning("%s", warning)
    if "ami" not in config.given:
        log.info("no [ami]: no gateway and no guard; only calls that the dialplan asks about "
                 "are judged")  # fmt: skip
    else:
        trunks = ", ".join(f"{one.name} ({one.channel})" for one in config.trunks.values())
        log.info("guard: mode %s; trunks: %s", config.guard.mode.value, trunks or "none")
    missing = missing_from_dialplan(
        emergency_numbers(campaign.region for campaign in config.campaigns.values())
    )
    if missing:
        log.warning(
            "emergency numbers of configured regions that the shipped dialplan does not pass by "
            "itself: %s; add each to a context [dialwarden-emergency] of your own",
            ", ".join(missing),
        )  # fmt: skip
    today = datetime.now(UTC).date()
    unverified: set[tuple[str, str]] = set()
    for campaign in config.campaigns.values():
        for sentence in campaign.wider_than_law(today):
            log.warning("%s", sentence)
        for sentence in campaign.unsaid(today):
            log.warning("%s", sentence)
        regime = campaign.policy.regime_on(today)
        log.info(
            "campaign %s: professional %s, policy %s, regime %s%s", campaign.name,
            campaign.professional, campaign.policy.id, regime.id if regime else "none in force",
            "" if campaign.enforce else ", SHADOW MODE: refusals are logged and let go",
        )  # fmt: skip
        unverified.update(
            (campaign.policy.id, citation)
            for dated in campaign.policy.regimes
            for citation, source in dated.sources.items()
            if source.confidence is Confidence.UNVERIFIED
        )
    for policy, citation in sorted(unverified):
        log.warning("policy %s rests on an unverified source: %s", policy, citation)
