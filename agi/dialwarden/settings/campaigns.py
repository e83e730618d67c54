"""Campaigns: what an admin says of each, and what becomes of it together with its policy.

Owns the reading of `[campaigns.NAME]` and of `tighten`, and the checks that need policies and
lists. Refuses to know how policies are loaded: they are handed in.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from dialwarden.numbers import Number, read_number
from dialwarden.policy import words
from dialwarden.policy.figures import Cap, ConsentWhen, Gap, ListRule, RegionalDays
from dialwarden.policy.hours import parse_week
from dialwarden.policy.model import HouseRules, Policy
from dialwarden.policy.period import Period
from dialwarden.policy.terms import Mandate, mandate
from dialwarden.question import Dialling, Purpose
from dialwarden.settings.forms import (
    LABEL,
    NAME,
    NAMES,
    REGION,
    Form,
    Setting,
    form_of,
    list_of,
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
_LONGEST_MARGIN = timedelta(hours=4)
# A declared number may be a short one, which is no E.164.
_CALLER_ID = re.compile(r"\+?[0-9]{3,15}")


def _caller_id(text: str) -> str:
    if not _CALLER_ID.fullmatch(text):
        raise ValueError(f'found "{text}"; allowed: a number such as "+390612345678"')
    return text


SECTOR = form_of("a name in small letters", words.name)
CALLER_IDS = list_of("an array of numbers", _caller_id)


class Directory(enum.StrEnum):
    """Italy: whether the numbers dialled stand in a public directory."""

    LISTED = "listed"
    UNLISTED = "unlisted"


def _read_flag(table: Table, key: str, default: bool | None, required: bool) -> bool | None:
    return table.boolean(key, default, required=required)


_FLAG: Form[bool | None] = Form("true or false", _read_flag)


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """[campaigns.NAME]: one operation, of one professional under one policy, as it is written."""

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
    sector: str = setting(SECTOR, "", "What is sold, for sector bans.")
    dial: Dialling | None = setting(
        optional(one_of(Dialling)), None, "By hand or by machine, where the question is silent."
    )
    directory: Directory | None = setting(
        optional(one_of(Directory)), None, "Italy: are these numbers in a public directory?"
    )
    caller_ids: tuple[str, ...] = setting(
        CALLER_IDS,
        (),
        "Numbers of the professional that may be shown where the law asks for declared ones.",
    )
    regional_holidays: RegionalDays | None = setting(
        optional(one_of(RegionalDays)),
        None,
        "Holidays of a part of the country: not looked at, closed where the callee is known to be "
        "there, closed wherever the callee may be there; left out: as the policy says.",
    )
    enforce: bool | None = setting(
        _FLAG, None, "false: shadow mode for this campaign; left out: as in [defaults]."
    )
    count_failed: bool | None = setting(
        _FLAG,
        None,
        "Whether an attempt that failed without having rung counts; left out: as in [defaults].",
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
    count_failed: bool
    house: HouseRules
    mandate: Mandate

    @property
    def lists(self) -> frozenset[str]:
        """Every opposition list that may be asked, whatever the regime and the purpose."""
        asked = (rule.name for regime in self.policy.regimes for rule in regime.lists)
        return frozenset({*asked, *(rule.name for rule in self.own_lists)})

    def lists_on(self, day: date) -> tuple[ListRule, ...]:
        """The lists that its calls of a local date ask for, each with the greatest age that holds.

        None where no regime is in force: every call is refused then.
        """
        terms = self.mandate.terms_on(day, self.purpose)
        return terms.lists if terms is not None else ()

    def unsaid(self, today: date) -> Iterator[str]:
        """What the settings leave open, or seem to misspell, that a rule hangs on from today on."""
        bans = {
            name
            for regime in self.policy.regimes_from(today)
            for rule in regime.sectors
            if self.purpose in rule.purposes and (rule.end is None or rule.end >= today)
            for name in rule.sectors
        }
        if bans and not self.sector:
            yield (
                f"campaign {self.name}: no sector is set, so rule sector is not judged; "
                f"policy {self.policy.id} bans {', '.join(sorted(bans))}"
            )
        near = difflib.get_close_matches(self.sector.lower(), sorted(bans), n=1, cutoff=0.75)
        if near and self.sector not in bans:
            yield (
                f'campaign {self.name}: sector "{self.sector}" is none that policy '
                f"{self.policy.id} bans; did you mean {near[0]}?"
            )
        consents = (regime.consent for regime in self.policy.regimes_from(today))
        if self.directory is None and any(
            rule is not None and rule.when is ConsentWhen.UNLISTED and self.purpose in rule.purposes
            for rule in consents
        ):
            yield (
                f"campaign {self.name}: no directory is set, so rule consent is not judged; say "
                "whether its numbers stand in a public directory (listed, unlisted)"
            )

    def wider_than_law(self, today: date) -> list[str]:
        """What `tighten` says in vain under the regimes in force on a date or later."""
        return [
            f"{self.house.source}: {sentence} (regime {regime.id})"
            for regime in self.policy.regimes_from(today)
            for sentence in wider_than_law(self.house, regime, self.purpose)
        ]


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign that has been read and not yet been checked against policies and lists."""

    table: Table
    entry: CampaignEntry
    house: HouseRules

    def resolve(
        self,
        policies: Mapping[str, Policy],
        lists: Mapping[str, ListEntry],
        *,
        enforce: bool,
        count_failed: bool,
    ) -> Campaign | None:
        """The campaign; None when it cannot be made, its faults then being noted.

        Args:
            enforce, count_failed: those of [defaults], where the campaign does not say.
        """
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
            count_failed=count_failed if entry.count_failed is None else entry.count_failed,
            house=house,
            mandate=mandate(
                campaign=entry.name,
                professional=entry.professional,
                policy=policy,
                sector=entry.sector,
                house=house,
                own_lists=own_lists,
                unlisted=entry.directory is Directory.UNLISTED if entry.directory else None,
                caller_ids=frozenset(_own_digits(text, region) for text in entry.caller_ids),
                regional=entry.regional_holidays,
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


def _own_digits(text: str, region: str) -> str:
    """A declared number as a presented one is compared with it: digits of E.164, or as it is."""
    read = read_number(text, region=region)
    return str(read.digits) if isinstance(read, Number) else text


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


# As the reference shows them; they are read below, each in its own way.
TIGHTEN = (
    Setting(
        "hours",
        'a table of days ("mon", "mon-fri") and arrays of windows ("10:00-12:30")',
        None,
        "When may be called, in the callee's local time; days not named are closed.",
        required=False,
    ),
    Setting("closed", "an array of dates", (), "Days on which nobody is called.", required=False),
    Setting(
        "caps",
        "an array of tables { max, period }: a whole number from 1 to 1000, and a period such as "
        '"2 days" or "48 hours"',
        (),
        "At most so many attempts in a period; days are the callee's calendar days, hours rolling.",
        required=False,
    ),
    Setting(
        "gap", 'a period such as "2 hours"', None, "The least time between two attempts.",
        required=False,
    ),
    Setting(
        "margin", 'a time such as "2 minutes", at most 4 hours', None,
        "Every window closes this long before its end.", required=False,
    ),
)  # fmt: skip


def _read_tighten(name: str, table: Table) -> HouseRules:
    source = f"campaign {name}, tighten"
    gap = table.parsed("gap", Period.parse, None)
    margin = table.parsed("margin", _margin, timedelta(0))
    return HouseRules(
        hours=table.parsed_mapping("hours", parse_week, None),
        closed=frozenset(table.days("closed")),
        caps=tuple(_read_caps(table.array("caps"), source)),
        gaps=(Gap(gap, _EVERY_PURPOSE, source),) if gap else (),
        margin=margin,
        source=source if table.given else "",
    )


def _margin(text: str) -> timedelta:
    """How long before their end windows close: minutes, at most a few hours."""
    period = Period.parse(text)
    if period.days or period.rolling > _LONGEST_MARGIN:
        raise ValueError(f'found "{text}"; allowed: at most 4 hours, such as "2 minutes"')
    return period.rolling


def _read_caps(tables: Iterable[Table], source: str) -> Iterator[Cap]:
    for table in tables:
        most = table.integer("max", 0, minimum=1, maximum=1000, required=True)
        period = table.parsed("period", Period.parse, None, required=True)
        if period:
            yield Cap(most, period, _EVERY_PURPOSE, source)
