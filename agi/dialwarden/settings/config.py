"""The configuration file: found, read, checked as a whole, and made into one frozen value.

Owns what joins sections (names that must exist elsewhere, files beside the file). Refuses to know
how policies are loaded and what anybody does with a value. Reads the configuration file and, in
`manager.py`, the secret's file, nothing else, and never logs: warnings are values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from dialwarden.errors import Problem, SettingsError
from dialwarden.policy.model import Policy
from dialwarden.policy.retention import evidence
from dialwarden.policy.terms import Mandate
from dialwarden.settings.campaigns import Campaign, CampaignDraft, read_campaign
from dialwarden.settings.forms import parse_name, read_section
from dialwarden.settings.manager import ami_warnings, check_addresses, read_ami, read_gateway
from dialwarden.settings.reader import Table, decode_document, read_document
from dialwarden.settings.report import choose_from
from dialwarden.settings.sections import (
    Agi,
    Ami,
    Defaults,
    Doctor,
    Gateway,
    Guard,
    GuardMode,
    Http,
    ListEntry,
    ListKind,
    Log,
    Policies,
    Retention,
    Store,
    Trunk,
)

T = TypeVar("T")

CONFIG_VARIABLE = "DIALWARDEN_CONFIG"
CONFIG_PLACES = (Path("dialwarden.toml"), Path("/etc/dialwarden/dialwarden.toml"))


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured. Paths are absolute if the file's own path was.

    Attributes:
        file: as it was named.
        sha256: of the file's bytes, hexadecimal.
        given: names of the sections that stand in the file.
        ami: None without `[ami]`; there is then no gateway and no guard.
        warnings: one sentence each, for a person to read at the start.
    """

    file: Path
    sha256: str
    given: frozenset[str]
    store: Store
    agi: Agi
    ami: Ami | None
    gateway: Gateway
    guard: Guard
    http: Http
    log: Log
    defaults: Defaults
    policies: Policies
    retention: Retention
    doctor: Doctor
    trunks: Mapping[str, Trunk]
    lists: Mapping[str, ListEntry]
    campaigns: Mapping[str, Campaign]
    warnings: tuple[str, ...] = ()


def find_config(option: str | Path | None, env: Mapping[str, str]) -> Path:
    """The configuration file: `--config`, `$DIALWARDEN_CONFIG`, or the first usual place.

    Raises:
        SettingsError: the one named does not exist, or none is named and there is none.
    """
    hidden: list[Path] = []
    named = str(option) if option else env.get(CONFIG_VARIABLE, "")
    if named:
        if _is_file(Path(named), hidden):
            return Path(named)
        by = "--config" if option else f"${CONFIG_VARIABLE}"
        what = "this user may not look for it" if hidden else "no such file"
        raise SettingsError([Problem(named, "", 0, f"{what}; {by} names it")])
    for place in CONFIG_PLACES:
        if _is_file(place, hidden):
            return place
    tried = " nor ".join(str(place) for place in CONFIG_PLACES)
    message = f"neither {tried} exists; name one with --config FILE or ${CONFIG_VARIABLE}"
    if hidden:
        message = (
            f"this user may not look for {hidden[-1]}; run this as root or as the bridge's user"
        )
    raise SettingsError([Problem("configuration", "", 0, message)])


def _is_file(place: Path, hidden: list[Path]) -> bool:
    """Whether there is a file; a place that this user may not look into is noted."""
    try:
        return place.is_file()
    except PermissionError:
        hidden.append(place)
        return False


def load_config(
    path: Path, env: Mapping[str, str], policies_of: Callable[[Path | None], Mapping[str, Policy]]
) -> Config:
    """Read, check and resolve a configuration file.

    Args:
        env: where `secret_env` is looked up.
        policies_of: gives all policies by id, from the admin's folder (None: there is none).

    Raises:
        SettingsError: every fault of the file; or of the policies, when these cannot be loaded.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError([Problem(str(path), "", 0, f"not read: {error.strerror}")]) from None
    draft = read_config(data, path, env)
    return draft.resolve(policies_of(draft.policies.path))


def read_config(data: bytes, path: Path, env: Mapping[str, str]) -> Draft:
    """Read every section; faults are noted, and raised by `Draft.resolve`.

    Raises:
        SettingsError: no UTF-8, or no TOML.
    """
    document = read_document(decode_document(data, str(path)), str(path))
    folder = path.parent
    store = read_section(document.table("store"), Store)
    policies = read_section(document.table("policies"), Policies)
    draft = Draft(
        document=document,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        store=replace(store, path=folder / store.path),
        agi=read_section(document.table("agi"), Agi),
        ami=read_ami(document.table("ami"), folder, env),
        gateway=read_gateway(document.table("gateway"), folder),
        guard=read_section(document.table("guard"), Guard),
        http=read_section(document.table("http"), Http),
        log=read_section(document.table("log"), Log),
        defaults=read_section(document.table("defaults"), Defaults),
        policies=replace(policies, path=folder / policies.path) if policies.path else policies,
        retention=read_section(document.table("retention"), Retention),
        doctor=read_section(document.table("doctor"), Doctor),
        trunks=_named(document, "trunks", lambda n, t: read_section(t, Trunk, name=n)),
        lists=_named(document, "lists", lambda n, t: read_section(t, ListEntry, name=n)),
        campaigns=_named(document, "campaigns", read_campaign),
    )
    document.finish()
    return draft


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that has been read; `resolve` checks it as a whole."""

    document: Table
    path: Path
    sha256: str
    store: Store
    agi: Agi
    ami: Ami | None
    gateway: Gateway
    guard: Guard
    http: Http
    log: Log
    defaults: Defaults
    policies: Policies
    retention: Retention
    doctor: Doctor
    trunks: Mapping[str, Trunk]
    lists: Mapping[str, ListEntry]
    campaigns: Mapping[str, CampaignDraft]

    def resolve(self, policies: Mapping[str, Policy]) -> Config:
        """Join campaigns with their policies and lists.

        Args:
            policies: by id, all that a campaign may name.

        Raises:
            SettingsError: with every fault of the file.
        """
        resolved = {
            name: draft.resolve(
                policies,
                self.lists,
                enforce=self.defaults.enforce,
                count_failed=self.defaults.count_failed,
            )
            for name, draft in self.campaigns.items()
        }
        campaigns = {name: campaign for name, campaign in resolved.items() if campaign}
        self._check_campaign_names()
        self._check_trunks()
        check_addresses(
            self.document,
            ami=self.ami.address if self.ami else None,
            agi=self.agi.listen,
            gateway=self.gateway.listen,
            http=self.http.listen,
        )
        self._check_required_lists(campaigns.values())
        self.document.check()
        return Config(
            file=self.path,
            sha256=self.sha256,
            given=frozenset(self.document.keys()),
            store=self.store,
            agi=self.agi,
            ami=self.ami,
            gateway=self.gateway,
            guard=self.guard,
            http=self.http,
            log=self.log,
            defaults=self.defaults,
            policies=self.policies,
            retention=self.retention,
            doctor=self.doctor,
            trunks=self.trunks,
            lists=self.lists,
            campaigns=MappingProxyType(campaigns),
            warnings=tuple(self._warnings(campaigns)),
        )

    def _check_campaign_names(self) -> None:
        default = self.defaults.campaign
        if default and default not in self.campaigns:
            message = choose_from(default, self.campaigns, "campaigns")
            self.document.table("defaults").problem("campaign", message)
        for draft in self.campaigns.values():
            if draft.entry.sector in self.campaigns:
                draft.table.problem(
                    "sector",
                    f'found "{draft.entry.sector}", which is the name of a campaign: a consent to '
                    "the one would be taken for the other; rename either",
                )
        users = self.document.table("gateway").table("campaigns")
        for user, names in self.gateway.campaigns.items():
            for name in names:
                if name not in self.campaigns:
                    users.problem(user, choose_from(name, self.campaigns, "campaigns"))

    def _check_trunks(self) -> None:
        owners: dict[str, str] = {}
        for name, trunk in self.trunks.items():
            # Asterisk finds technologies and endpoints whatever their case.
            owner = owners.setdefault(trunk.channel.lower(), name)
            if trunk.channel and owner != name:
                self.document.table("trunks").table(name).problem(
                    "channel", f'found "{trunk.channel}", which is the channel of trunk {owner}'
                )

    def _check_required_lists(self, campaigns: Iterable[Campaign]) -> None:
        for campaign in campaigns:
            for regime in campaign.policy.regimes:
                for rule in regime.lists:
                    entry = self.lists.get(rule.name)
                    if entry and entry.kind is ListKind.EXEMPT:
                        self.document.table("lists").table(rule.name).problem(
                            "kind",
                            f'found "exempt"; allowed: "opposition", since policy '
                            f"{campaign.policy.id} asks for this list",
                        )

    def _warnings(self, campaigns: Mapping[str, Campaign]) -> Iterable[str]:
        if not campaigns:
            yield "no [campaigns] are configured: every question is refused, rule campaign"
        if self.ami is None:
            for section in ("gateway", "guard"):
                if self.document.has(section):
                    yield f"[{section}] needs [ami], which is not configured: no {section}"
        else:
            yield from ami_warnings(self.document, self.gateway, self.guard, self.trunks)
        used = {name for campaign in campaigns.values() for name in campaign.lists}
        for name, entry in self.lists.items():
            if entry.kind is ListKind.OPPOSITION and name not in used:
                yield f"[lists.{name}] is asked for by no campaign and no policy: never consulted"
        for campaign in campaigns.values():
            for regime in campaign.policy.regimes:
                for rule in regime.lists:
                    own = self.lists.get(rule.name)
                    law = rule.max_age_days
                    if own and own.max_age and law and own.max_age > law:
                        yield (
                            f"[lists.{rule.name}] max_age {own.max_age} days changes nothing under "
                            f"regime {regime.id}: its own {law} days are fewer"
                        )
        yield from _near_professionals(campaigns.values())
        yield from self._shorter_retention(campaigns.values())
        yield from _shadow_mode(campaigns.values(), self.guard.mode)

    def _shorter_retention(self, campaigns: Iterable[Campaign]) -> Iterable[str]:
        years = self.retention.years
        by_professional: dict[str, list[Mandate]] = {}
        for campaign in campaigns:
            by_professional.setdefault(campaign.professional, []).append(campaign.mandate)
        for professional, mandates in by_professional.items():
            asked, source = evidence(mandates)
            if years is not None and asked is not None and years < asked:
                yield (
                    f"[retention] years = {years} changes nothing for professional {professional}: "
                    f"{asked} years are asked for ({source})"
                )


def _shadow_mode(campaigns: Iterable[Campaign], guard: GuardMode) -> Iterable[str]:
    """What is not enforced; a campaign that was forgotten there calls whomever it likes."""
    campaigns = list(campaigns)
    shadow = sorted(campaign.name for campaign in campaigns if not campaign.enforce)
    if not shadow:
        return
    everything = len(shadow) == len(campaigns)
    which = "every campaign" if everything else f"{len(shadow)} of {len(campaigns)} campaigns"
    yield (
        f"SHADOW MODE for {which} ({', '.join(shadow)}): refusals are logged as would_refuse and "
        "the calls let go; enforce = true, in [defaults] or the campaign, ends it"
    )
    if everything and guard is GuardMode.HANGUP:
        yield '[guard] mode = "hangup" hangs nothing up while every campaign is in shadow mode'


def _near_professionals(campaigns: Iterable[Campaign]) -> Iterable[str]:
    """Caps and objections are counted by this name: one business under two is dialled twice."""
    spellings: dict[str, str] = {}
    for campaign in campaigns:
        name = campaign.professional
        first = spellings.setdefault(name.casefold(), name)
        if first != name:
            yield (
                f'professionals "{first}" and "{name}" (campaign {campaign.name}) differ in case '
                "only: their caps and objections are counted apart"
            )


def _named(document: Table, section: str, read: Callable[[str, Table], T]) -> Mapping[str, T]:
    entries = {}
    for name, table in document.tables(section).items():
        try:
            parse_name(name)
        except ValueError as error:
            table.problem("", str(error))
        entries[name] = read(name, table)
    return MappingProxyType(entries)
