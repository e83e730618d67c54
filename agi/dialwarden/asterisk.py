"""Everything of a running bridge that talks to Asterisk's manager interface, put together.

Owns the order in which link, watcher, guard and gateway start and stop, what a reload changes of
them, and how they are. Each of them owns what it does.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from dialwarden.doors.ami_gateway import (
    AmiGateway,
    GatewayCounters,
    GatewaySettings,
    Upstream,
)
from dialwarden.doors.ami_rulings import Rulings
from dialwarden.doors.health import AmiHealth
from dialwarden.doors.tls import client_context, server_context
from dialwarden.doors.user_events import UserEvents
from dialwarden.errors import DialwardenError
from dialwarden.gate.bypass import BypassLog
from dialwarden.gate.gate import Gate
from dialwarden.gate.recording import Recorder
from dialwarden.link.connection import ActionFailed, AmiLink
from dialwarden.link.settings import LinkSettings
from dialwarden.routing.trunks import compile_trunks
from dialwarden.settings.config import Config
from dialwarden.settings.sections import Ami, GuardMode
from dialwarden.verdict import Phrase
from dialwarden.watch.alarm import Alarm
from dialwarden.watch.events import WANTED
from dialwarden.watch.guard import Guard
from dialwarden.watch.legs import Legs
from dialwarden.watch.origin import dialled_uri, origin_of
from dialwarden.watch.permits import Permits
from dialwarden.watch.settlement import Settlement
from dialwarden.watch.watcher import Watcher
from dialwarden.wire.console import aliases_of, endpoints_of, missing_rights

log = logging.getLogger("dialwarden.ami")

# From the start until it is told that the link has not come up.
FIRST_LINK_S = 5.0
# The message of a Command that the console did not carry out.
_CLI_FAILED = "Command output follows"


class AsteriskSide:
    """The link, what is seen through it, and the gateway beside it.

    Raises:
        DialwardenError: a certificate or key cannot be used.
    """

    def __init__(self, config: Config, gate: Gate, recorder: Recorder) -> None:
        assert config.ami is not None
        self._config = config
        self._gate = gate
        self._trunks = compile_trunks(config.trunks)
        self._aliases: Mapping[str, str] = {}
        self._alarm = Alarm(config.guard.alarm)
        self._changed_at = datetime.now(UTC)
        self._first_look: asyncio.TimerHandle | None = None
        self._user = config.ami.username
        self._deaf = ""  # why the link hears less than the guard needs
        ami = config.ami
        context = _upstream_context(ami)
        self._link = AmiLink(
            LinkSettings(
                host=ami.address.host,
                port=ami.address.port,
                username=ami.username,
                secret=ami.secret.reveal(),
                ssl=context,
                tls_name=ami.tls_name,
            ),
            on_event=self._on_event,
            on_up=self._on_up,
            on_down=self._on_down,
            wanted=WANTED,
        )
        permits, legs = Permits(), Legs()
        settlement = self._settlement = Settlement(gate.ledger)
        pbx = f"{socket.gethostname()} {ami.address}"
        guard = Guard(
            gate, permits, legs, settlement, BypassLog(gate, settlement.record), self._link,
            mode=lambda: self._config.guard.mode,
            origin=self._origin,
            dialled_uri=self._dialled_uri,
            pbx=pbx,
            on_catch=self._on_catch,
        )  # fmt: skip
        self._watcher = Watcher(
            gate, permits, legs, settlement, guard,
            trunks=lambda: self._trunks,
            pbx=pbx,
            user_event=UserEvents(recorder).take,
        )  # fmt: skip
        rulings = Rulings(
            gate,
            trunks=lambda: self._trunks,
            settings=lambda: self._config.gateway,
            aliases=lambda: self._aliases,
            linkedid_of=self._watcher.linkedid_of,
        )
        gateway = config.gateway
        self._gateway = AmiGateway(
            rulings,
            upstream=Upstream(ami.address.host, ami.address.port, context, ami.tls_name),
            settings=GatewaySettings(
                allow_from=gateway.allow_from,
                max_clients=gateway.max_clients,
                max_backlog=gateway.max_backlog,
                ssl=server_context(gateway.tls_cert, gateway.tls_key)
                if gateway.tls_cert and gateway.tls_key
                else None,
            ),
        )
        gate.listener = permits

    @property
    def gateway_clients(self) -> int:
        return self._gateway.clients

    @property
    def gateway_counters(self) -> GatewayCounters:
        return self._gateway.counters

    @property
    def events_waiting(self) -> int:
        """Of calls, not yet in the ledger."""
        return self._settlement.waiting

    @property
    def alarm(self) -> bool:
        return self._alarm.raised(time.monotonic())

    @property
    def health(self) -> AmiHealth:
        return AmiHealth(
            up=self._link.up,
            since=self._changed_at,
            status=self._link.status,
            audited=self._watcher.seeing,
            deaf=self._deaf,
        )

    async def start(self, gateway_socket: socket.socket) -> None:
        """Take up what was open, connect to Asterisk, and accept dialers."""
        await self._watcher.start()
        await self._link.start()
        self._first_look = asyncio.get_running_loop().call_later(FIRST_LINK_S, self._tell_unseen)
        await self._gateway.start(gateway_socket)

    async def stop(self, grace_s: float) -> None:
        """Stop accepting, let what is under way come to its end, let go of Asterisk."""
        if self._first_look is not None:
            self._first_look.cancel()
        await self._gateway.stop(grace_s)
        await self._link.stop()
        await self._watcher.stop()
        self._gate.listener = None

    def reload(self, config: Config) -> None:
        """Take what a new configuration changes without a restart: trunks, campaigns, modes."""
        self._trunks = compile_trunks(config.trunks)
        self._alarm.most = config.guard.alarm
        self._config = config

    # What the link tells.

    async def _on_up(self) -> None:
        self._changed_at = datetime.now(UTC)
        # Neither waits for the other: an audit that Asterisk does not answer is asked for again.
        await asyncio.gather(
            self._watcher.link_up(self._link),
            self._learn_aliases(),
            self._check_rights(),
            self._check_trunks(),
        )

    def _on_down(self, why: str) -> None:
        self._changed_at = datetime.now(UTC)
        self._watcher.link_down(why)

    def _on_event(self, event: Mapping[str, str]) -> None:
        self._watcher.on_event(event)

    def _tell_unseen(self) -> None:
        """The watcher tells when it goes blind; who never saw has nothing to lose."""
        if not self._link.up and self._config.guard.mode is not GuardMode.OFF:
            log.error("the guard is blind: the AMI link has not been up yet, %s", self._link.status)

    async def _check_rights(self) -> None:
        """Asterisk takes any login, and leaves out what its user may not hear, without a word."""
        user = self._user
        try:
            said = await self._link.ask("Command", [("Command", f"manager show user {user}")])
        except DialwardenError as error:
            log.warning("rights of AMI user %s are not known (%s); it needs those of "
                        "manager_dialwarden.conf", user, error)  # fmt: skip
            return
        missing = missing_rights(said.get("output", ""))
        self._deaf = f"AMI user {user} lacks read = call" if "call" in missing["read"] else ""
        if self._deaf:
            log.error("the guard is blind: %s in manager.conf, so that Asterisk tells of no call",
                      self._deaf)  # fmt: skip
        for which, classes in missing.items():
            if classes:
                log.error("AMI user %s lacks %s = %s in manager.conf; add it, `manager reload`, "
                          "and restart dialwarden: rights are fixed at the login",
                          user, which, ",".join(classes))  # fmt: skip

    async def _check_trunks(self) -> None:
        """A trunk that is misspelt guards nothing, and nobody would notice."""
        try:
            said = await self._link.ask("Command", [("Command", "pjsip show endpoints")])
        except DialwardenError:
            return  # no PJSIP, or no right: that is told elsewhere
        known = endpoints_of(said.get("output", ""))
        for trunk in self._config.trunks.values():
            technology, _, endpoint = trunk.channel.partition("/")
            if known and technology.upper() == "PJSIP" and endpoint.lower() not in known:
                log.warning(
                    "[trunks.%s] channel = %s: Asterisk has no such PJSIP endpoint, so nothing is "
                    "judged or guarded by it; `pjsip show endpoints` lists those there are",
                    trunk.name, trunk.channel,
                )  # fmt: skip

    async def _learn_aliases(self) -> None:
        """The admin's own names for console commands: the gateway judges `call …` as what it is."""
        try:
            said = await self._link.ask("Command", [("Command", "cli show aliases")])
        except ActionFailed as error:
            if error.message == _CLI_FAILED:  # no such command: res_clialiases is not loaded
                self._aliases = {}
            else:
                self._tell_no_aliases(error)
            return
        except DialwardenError as error:
            self._tell_no_aliases(error)
            return
        self._aliases = aliases_of(said.get("output", ""))

    def _tell_no_aliases(self, error: DialwardenError) -> None:
        log.warning("aliases of the console are not known, only `originate` is judged as one "
                    "(%s)", error)  # fmt: skip

    async def _origin(self, caller: str, place: str) -> Phrase:
        ami = self._config.ami
        ours = frozenset((ami.username,)) if ami else frozenset()
        return await origin_of(self._link, caller, place, ours=ours)

    async def _dialled_uri(self, channel: str) -> str:
        return await dialled_uri(self._link, channel)

    def _on_catch(self) -> None:
        now = time.monotonic()
        if self._alarm.caught(now):
            stopped = self._config.guard.mode is GuardMode.HANGUP
            log.error(
                "ALARM: %d calls within a minute left without asking, and were %s; what they are: "
                "dialwarden refusals --rule bypass --since 1h",
                self._alarm.most, "hung up" if stopped else "let go (guard mode report)",
            )  # fmt: skip


def _upstream_context(ami: Ami) -> ssl.SSLContext | None:
    return client_context(ami.ca) if ami.tls or ami.ca else None
