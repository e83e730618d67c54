"""A policy from its TOML text: strict, every figure with its source, every fault named.

The format, one file per policy (`dialwarden/policies/fr.toml` is the example to read):

    id, title, country, binds        what the pack is and whom its text binds
    [sources.NAME]                   text, article, dated, read, confidence, note
    [[regimes]]                      id, title, from, until, extends, purposes
      [regimes.hours]                mon … sun or ranges = ["10:00-13:00"], source
      [regimes.holidays]             calendar, add, remove, open_for, source
      [[regimes.caps]]               max, period, purposes, source
      [[regimes.gaps]]               period, purposes, source
      [regimes.objection]            days (or until = "consent"), floor_days, floor_for, source
      [[regimes.lists]]              name, max_age, exempt, ended_within, later_consent_wins, source
      [regimes.consent]              required, max_years, void_before, exempt, waives, source
      [regimes.evidence]             years, source

A regime that `extends` another of the file takes over every part that it does not name itself;
a part is dropped by naming it empty (`lists = []`, `caps = []`) or with `drop = ["hours"]`.
A figure not found in the law is absent: nothing here has a default that is a number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TypeVar

from dialwarden.numbers.regions import UnknownRegion, home_country, places_of_region
from dialwarden.policy.calendar import UnknownCalendar, national_holidays
from dialwarden.policy.hours import WeekHours, parse_week
from dialwarden.policy.model import (
    Cap,
    Confidence,
    ConsentRule,
    Gap,
    HolidayRule,
    ListRule,
    ObjectionRule,
    Policy,
    Regime,
    Source,
)
from dialwarden.policy.period import Period, whole_days
from dialwarden.question import Bond, Purpose
from dialwarden.settings.reader import Table, read_document
from dialwarden.verdict import Rule

P = TypeVar("P")

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
# Beyond a lifetime a number of years is a slip of the pen, and dates have an end.
_MOST_YEARS = 100
_DROPPABLE = ("hours", "holidays", "caps", "gaps", "objection", "lists", "consent", "evidence")
# The rules that a consent may lift: a consent never stands in for a list, a cap or a number.
_WAIVABLE = {"hours": Rule.HOURS, "holiday": Rule.HOLIDAY}


def read_policy(text: str, file: str, *, sha256: str = "") -> Policy:
    """The policy that a TOML text holds.

    Args:
        file: its path as the user gave it, for messages.
        sha256: of the file's bytes, hexadecimal; left out, that of the text.

    Raises:
        SettingsError: with every fault of the file: line, key, what was found, what is allowed.
    """
    document = read_document(text, file)
    sources = {name: _source(table) for name, table in document.tables("sources").items()}
    reader = _RegimeReader(sources)
    regimes = [reader.regime(table) for table in document.array("regimes", required=True)]
    policy = Policy(
        id=document.parsed("id", _shaped(_ID, "small letters, digits and -"), "", required=True),
        title=document.text("title", required=True),
        country=document.parsed("country", _country, ""),
        regimes=tuple(sorted(regimes, key=lambda regime: regime.start)),
        sha256=sha256 or hashlib.sha256(text.encode()).hexdigest(),
        file=file,
        binds=document.text("binds"),
    )
    for earlier, later in zip(policy.regimes, policy.regimes[1:], strict=False):
        if earlier.end is None or earlier.end >= later.start:
            document.problem(
                "regimes",
                f"{earlier.id} is in force until {earlier.end or 'further notice'} but {later.id} "
                f"starts {later.start}; give {earlier.id} an until before that",
            )
        elif later.start - earlier.end > timedelta(1):
            document.problem(
                "regimes",
                f"no regime from {earlier.end + timedelta(1)} to {later.start - timedelta(1)}; "
                "every question of those days would be refused",
            )
    document.finish()
    document.check()
    return policy


def _shaped(shape: re.Pattern[str], allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not shape.fullmatch(text):
            raise ValueError(f"found {text!r}; allowed: {allowed}")
        return text

    return parse


def _country(text: str) -> str:
    """A campaign without a region has this one: its emergency numbers, its national numbers."""
    near = ""
    if not text or home_country(text) == text:
        return text
    try:
        places_of_region(text)
    except UnknownRegion as error:
        near = f", did you mean {error.nearest}?"
    raise ValueError(f"found {text!r}{near}; allowed: an ISO 3166 country such as FR")


def _source(table: Table) -> Source:
    return Source(
        text=table.text("text", required=True),
        article=table.text("article"),
        dated=table.text("dated"),
        read=table.day("read", None),
        confidence=table.choice("confidence", Confidence, Confidence.UNVERIFIED, required=True),
        note=table.text("note"),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a regime that another may take over."""

    hours: WeekHours | None = None
    hours_source: str = ""
    holidays: HolidayRule | None = None
    caps: tuple[Cap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    objection: ObjectionRule | None = None
    lists: tuple[ListRule, ...] = ()
    consent: ConsentRule | None = None
    evidence_years: int | None = None
    evidence_source: str = ""


class _RegimeReader:
    """Reads regimes in the order of the file, so that each may extend an earlier one."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources
        self._read: dict[str, Regime] = {}

    def regime(self, table: Table) -> Regime:
        regime_id = table.parsed(
            "id", _shaped(_ID, "small letters, digits and -"), "", required=True
        )
        if regime_id in self._read:
            table.problem("id", f"{regime_id} is the id of an earlier regime")
        base = self._base(table)
        purposes = _purposes(table, base.purposes if base else frozenset(Purpose))
        start = table.day("from", date.min, required=True)
        end = table.day("until", None)
        if end is not None and end < start:
            table.problem("until", f"found {end}; it is the last day in force, not before {start}")
        if end is not None and end.year == date.max.year:
            table.problem("until", f"found {end}; leave it out for a regime without an end")
        parts = self._parts(table, purposes)
        dropped = table.items("drop", _one_of(_DROPPABLE), ())
        parts = self._inherit(parts, base, table, frozenset(dropped))
        regime = Regime(
            id=regime_id,
            start=start,
            title=table.text("title", required=True),
            end=end,
            purposes=purposes,
            extends=base.id if base else "",
            sources={str(source): source for source in self._sources.values()},
            **{field.name: getattr(parts, field.name) for field in fields(_Parts)},
        )
        self._read[regime_id] = regime
        return regime

    def _base(self, table: Table) -> Regime | None:
        name = table.text("extends")
        if name and name not in self._read:
            known = ", ".join(self._read) or "none yet"
            table.problem("extends", f"found {name!r}; allowed: an earlier regime ({known})")
        return self._read.get(name)

    def _inherit(
        self, parts: _Parts, base: Regime | None, table: Table, dropped: frozenset[str]
    ) -> _Parts:
        taken = {field.name: getattr(parts, field.name) for field in fields(_Parts)}
        for field in fields(_Parts):
            key = field.name.removesuffix("_source").removesuffix("_years")
            if key in dropped and table.has(key):
                table.problem("drop", f"found {key!r}, which this regime also gives; do either")
            elif base is not None and not table.has(key) and key not in dropped:
                taken[field.name] = getattr(base, field.name)
        return _Parts(**taken)

    def _parts(self, table: Table, purposes: frozenset[Purpose]) -> _Parts:
        hours, hours_source = self._hours(table.table("hours"))
        evidence = table.table("evidence")
        return _Parts(
            hours=hours,
            hours_source=hours_source,
            holidays=self._if_given(table.table("holidays"), self._holidays),
            caps=tuple(self._cap(cap, purposes) for cap in table.array("caps")),
            gaps=tuple(self._gap(gap, purposes) for gap in table.array("gaps")),
            objection=self._if_given(table.table("objection"), self._objection),
            lists=tuple(self._list(entry) for entry in table.array("lists")),
            consent=self._if_given(table.table("consent"), self._consent),
            evidence_years=evidence.integer(
                "years", None, minimum=1, maximum=_MOST_YEARS, required=evidence.given
            ),
            evidence_source=self._citation(evidence) if evidence.given else "",
        )

    @staticmethod
    def _if_given(table: Table, read: Callable[[Table], P]) -> P | None:
        return read(table) if table.given else None

    def _citation(self, table: Table) -> str:
        """The source of a part, by its name in [sources]; every part must have one."""
        name = table.text("source", required=True)
        source = self._sources.get(name)
        if source is None:
            if name:
                known = ", ".join(self._sources) or "none; add a [sources] table"
                table.problem("source", f"found {name!r}; allowed: {known}")
            return ""
        return str(source)

    def _hours(self, table: Table) -> tuple[WeekHours | None, str]:
        if not table.given:
            return None, ""
        citation = self._citation(table)
        days = {key: table.strings(key) for key in table.keys() if key != "source"}  # noqa: SIM118
        wrong = False
        for key, windows in days.items():
            try:
                parse_week({key: windows})
            except ValueError as error:
                wrong = True
                table.problem(key, str(error))
        if wrong:
            return None, citation
        try:
            return parse_week(days), citation
        except ValueError as error:  # only the keys together are wrong: a day named twice
            table.problem("", str(error))
            return None, citation

    def _holidays(self, table: Table) -> HolidayRule:
        add = {}
        for day, name in table.texts("add").items():
            try:
                add[date.fromisoformat(day)] = name
            except ValueError:
                table.problem("add", f'found {day!r}; allowed: "2026-10-04" = "its name"')
        if not table.has("calendar") and not table.has("add"):
            table.problem("", "closes no day; give a calendar, or days to add, or leave it out")
        return HolidayRule(
            calendar=table.parsed("calendar", _calendar, ""),
            source=self._citation(table),
            add=add,
            remove=frozenset(table.days("remove")),
            open_for=frozenset(table.members("open_for", Purpose)),
        )

    def _cap(self, table: Table, purposes: frozenset[Purpose]) -> Cap:
        return Cap(
            max=table.integer("max", 1, minimum=1, required=True),
            period=table.parsed("period", Period.parse, Period(days=1), required=True),
            purposes=_purposes(table, purposes),
            source=self._citation(table),
        )

    def _gap(self, table: Table, purposes: frozenset[Purpose]) -> Gap:
        return Gap(
            period=table.parsed("period", Period.parse, Period(days=1), required=True),
            purposes=_purposes(table, purposes),
            source=self._citation(table),
        )

    def _objection(self, table: Table) -> ObjectionRule:
        endless = table.text("until", choices=("consent",)) == "consent"
        days = table.integer("days", 0, minimum=1)
        if endless == bool(days):
            table.problem("", 'give either days = N or until = "consent"')
        floor_days = table.integer("floor_days", 0, minimum=1)
        floor_for = frozenset(table.members("floor_for", Bond))
        if bool(floor_days) != bool(floor_for):
            table.problem("", "floor_days and floor_for go together")
        elif floor_days and not endless:
            table.problem(
                "", 'floor_days goes with until = "consent"; with days, days is the floor'
            )
        return ObjectionRule(
            source=self._citation(table), days=days, floor_days=floor_days, floor_for=floor_for
        )

    def _list(self, table: Table) -> ListRule:
        max_age = table.parsed("max_age", whole_days, None)
        ended_within = table.parsed("ended_within", whole_days, None)
        return ListRule(
            name=table.parsed(
                "name", _shaped(_ID, "small letters, digits and -"), "", required=True
            ),
            source=self._citation(table),
            max_age_days=max_age,
            exempt=frozenset(table.members("exempt", Bond)),
            ended_within_days=ended_within or 0,
            later_consent_wins=table.boolean("later_consent_wins", False),
        )

    def _consent(self, table: Table) -> ConsentRule:
        return ConsentRule(
            source=self._citation(table),
            required=table.boolean("required", False, required=True),
            max_years=table.integer("max_years", None, minimum=1, maximum=_MOST_YEARS),
            void_before=table.day("void_before", None),
            exempt=frozenset(table.members("exempt", Bond)),
            waives=frozenset(
                _WAIVABLE[name] for name in table.items("waives", _one_of(tuple(_WAIVABLE)), ())
            ),
        )


def _purposes(table: Table, otherwise: frozenset[Purpose]) -> frozenset[Purpose]:
    """What a figure binds; all that is above it when nothing is said."""
    if not table.has("purposes"):
        return otherwise
    found = frozenset(table.members("purposes", Purpose))
    if not found:
        table.problem("purposes", "binds nothing; name one, or leave it out")
    return found


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"found {text!r}; allowed: {', '.join(names)}")
        return text

    return parse


def _calendar(country: str) -> str:
    try:
        national_holidays(country, 2026)
    except UnknownCalendar as error:
        raise ValueError(str(error)) from None
    return country
