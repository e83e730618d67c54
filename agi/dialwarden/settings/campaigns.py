"""Campaigns: what an admin says of each, and what becomes of it together with its policy.

Owns the reading of `[campaigns.NAME]` and of `tighten`, and the checks that need policies and
lists. Refuses to know how policies are loaded: they are handed in.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from dialwarden.policy.hours import parse_week
from dialwarden.policy.model import Cap, Gap, HouseRules, ListRule, Policy
from dialwarden.policy.period import Period
from dialwarden.policy.terms import Mandate, mandate
from dialwarden.question import Dialling, Purpose
from dialwarden.settings.forms import (
    LABEL,
    NAME,
    NAMES,
    REGION,
    Form,
    one_of,
    optional,
    read_section,
    setting,
)
from dialwarden.settings.house import wider_than_law
from dialwarden.settings.reader import Table
from dialwarden.settings.report import choose_from
from dialwarden.settings.sections import ListEntry, ListKind

# A consent's scope is one word: "professional", or a purpose, a sector, a campaign.
_TAKEN_NAMES = frozenset({"professional", "campaign", "all", *Purpose})
_EVERY_PURPOSE = frozenset(Purpose)


class Directory(enum.StrEnum):
    """Italy: whether the numbers dialled stand in a public directory."""

    LISTED = "listed"
    UNLISTED = "unlisted"


def _read_flag(table: Table, key: str, default: bool | None, required: bool) -> bool | None:
    return table.boolean(key, default, required=required)


_FLAG: Form[bool | None] = Form("true or false", _read_flag)


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """[campaigns.NAME] as it stands in the file."""

    name: str
    professional: str = setting(
        LABEL,
        "",
        "For whose benefit is called; caps and objections are counted for it across campaigns.",
        required=True,
    )
    policy: str = setting(NAME, "", "The rule pack: `dialwarden policy list`.", required=True)
    region: str = setting(
        REGION, "", "How a national number is read; left out: the policy's country."
    )
    purpose: Purpose = setting(one_of(Purpose), Purpose.SALES, "What the calls are about.")
    lists: tuple[str, ...] = setting(
        NAMES, (), "Opposition lists of [lists], besides those that the policy asks for."
    )
    sector: str = setting(NAME, "", "What is sold, for sector bans.")
    dial: Dialling | None = setting(
        optional(one_of(Dialling)), None, "By hand or by machine, where the question is silent."
    )
    directory: Directory | None = setting(
        optional(one_of(Directory)), None, "Italy: are these numbers in a public directory?"
    )
    enforce: bool | None = setting(
        _FLAG, None, "false: shadow mode for this campaign; left out: as in [defaults]."
    )


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign ready to be judged by.

    Attributes:
        region: ISO 3166, never empty.
        own_lists: those of `lists`, with the greatest age that their entries give.
        house: its `tighten`; empty when there is none.
        mandate: all of it as the rules see it.
    """

    name: str
    professional: str
    policy: Policy
    region: str
    purpose: Purpose
    own_lists: tuple[ListRule, ...]
    sector: str
    dial: Dialling | None
    directory: Directory | None
    enforce: bool
    house: HouseRules
    mandate: Mandate

    @property
    def lists(self) -> frozenset[str]:
        """Every opposition list that may be asked, whatever the regime and the purpose."""
        asked = (rule.name for regime in self.policy.regimes for rule in regime.lists)
        return frozenset({*asked, *(rule.name for rule in self.own_lists)})

    def wider_than_law(self, today: date) -> list[str]:
        """What `tighten` says in vain under the regimes in force on a date or later."""
        return [
            f"{self.house.source}: {sentence} (regime {regime.id})"
            for regime in self.policy.regimes
            if regime.end is None or regime.end >= today
            for sentence in wider_than_law(self.house, regime, self.purpose)
        ]


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign that has been read and not yet been checked against policies and lists."""

    table: Table
    entry: CampaignEntry
    house: HouseRules

    def resolve(
        self, policies: Mapping[str, Policy], lists: Mapping[str, ListEntry], *, enforce: bool
    ) -> Campaign | None:
        """The campaign; None when it cannot be made, its faults then being noted."""
        entry = self.entry
        policy = policies.get(entry.policy)
        if entry.policy and policy is None:
            self.table.problem("policy", choose_from(entry.policy, policies, "policies"))
        if policy is None:
            return None
        region = entry.region or policy.country
        if not region:
            self.table.problem(
                "region", f"missing; policy {policy.id} has no country to take it from"
            )
        source = f"campaign {entry.name}, lists"
        own_lists = tuple(self._own_lists(policy, lists, source))
        house = self.house
        return Campaign(
            name=entry.name,
            professional=entry.professional,
            policy=policy,
            region=region,
            purpose=entry.purpose,
            own_lists=own_lists,
            sector=entry.sector,
            dial=entry.dial,
            directory=entry.directory,
            enforce=enforce if entry.enforce is None else entry.enforce,
            house=house,
            mandate=mandate(
                campaign=entry.name,
                professional=entry.professional,
                policy=policy,
                sector=entry.sector,
                house=house,
                own_lists=own_lists,
                max_ages={
                    name: entry.max_age
                    for name, entry in lists.items()
                    if entry.max_age is not None
                },
            ),
        )

    def _own_lists(
        self, policy: Policy, lists: Mapping[str, ListEntry], source: str
    ) -> Iterator[ListRule]:
        asked = {rule.name for regime in policy.regimes for rule in regime.lists}
        for name in self.entry.lists:
            entry = lists.get(name)
            if entry is not None and entry.kind is ListKind.EXEMPT:
                self.table.problem(
                    "lists", f'found "{name}", which is exempt; allowed: lists of kind opposition'
                )
            elif entry is not None or name in asked:
                yield ListRule(name, source, entry.max_age if entry else None)
            else:
                known = {name for name, entry in lists.items() if entry.kind is ListKind.OPPOSITION}
                self.table.problem("lists", choose_from(name, known | asked, "opposition lists"))


def read_campaign(name: str, table: Table) -> CampaignDraft:
    """Read one `[campaigns.NAME]`; its faults are noted in the table."""
    if name in _TAKEN_NAMES:
        table.problem("", f'found "{name}", which means something else in a consent\'s scope')
    entry = read_section(table, CampaignEntry, name=name)
    if entry.sector in _TAKEN_NAMES:
        table.problem(
            "sector", f'found "{entry.sector}", which means something else in a consent\'s scope'
        )
    return CampaignDraft(table, entry, _read_tighten(name, table.table("tighten")))


def _read_tighten(name: str, table: Table) -> HouseRules:
    source = f"campaign {name}, tighten"
    gap = table.parsed("gap", Period.parse, None)
    return HouseRules(
        hours=table.parsed_mapping("hours", parse_week, None),
        closed=frozenset(table.days("closed")),
        caps=tuple(_read_caps(table.array("caps"), source)),
        gaps=(Gap(gap, _EVERY_PURPOSE, source),) if gap else (),
        source=source if table.given else "",
    )


def _read_caps(tables: Iterable[Table], source: str) -> Iterator[Cap]:
    for table in tables:
        most = table.integer("max", 0, minimum=1, maximum=1000, required=True)
        period = table.parsed("period", Period.parse, None, required=True)
        if period:
            yield Cap(most, period, _EVERY_PURPOSE, source)
