"""The parts of a regime from its tables: hours, holidays, caps, lists and the rest.

Owns the reading of each part and of the words in it. Refuses to know how regimes follow one
another and what one takes over from another: see `policy.parse`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

from dialwarden.policy import words
from dialwarden.policy.figures import (
    AppointmentRule,
    CallerIdRule,
    Cap,
    ConsentRule,
    ConsentWhen,
    Exemption,
    Gap,
    GapAfter,
    HolidayRule,
    HoursRule,
    ListRule,
    LocalDays,
    ObjectionRule,
    RegionalDays,
    RegionRules,
    SectorConsent,
    SectorRule,
    SilentShare,
)
from dialwarden.policy.hours import WeekHours, parse_week, parse_windows
from dialwarden.policy.model import Source
from dialwarden.policy.period import Period, Span, whole_days
from dialwarden.question import Bond, Dialling, Purpose
from dialwarden.settings.reader import Table

P = TypeVar("P")

# A part of a regime, as it is named in the file -> the fields of `Regime` that it fills.
PARTS: Mapping[str, tuple[str, ...]] = {
    "hours": ("hours", "hours_for"),
    "holidays": ("holidays",),
    "caps": ("caps",),
    "gaps": ("gaps",),
    "objection": ("objection",),
    "lists": ("lists",),
    "consent": ("consent",),
    "appointments": ("appointments",),
    "sectors": ("sectors",),
    "caller_id": ("caller_id",),
    "silent_share": ("silent_share",),
    "evidence": ("evidence_years", "evidence_source"),
    "regions": ("regions",),
}

# Beyond a lifetime a number of years is a slip of the pen, and dates have an end.
MOST_YEARS = 100
_MOST_DAYS = 36_500


class PartsReader:
    """Reads the parts of one regime; every part must say where it stands.

    Args:
        sources: those of the file, by the name that parts quote.
        purposes: the regime's: what a part binds that names none itself.
    """

    def __init__(self, sources: Mapping[str, Source], purposes: frozenset[Purpose]) -> None:
        self._sources = sources
        self._purposes = purposes

    def read(self, table: Table) -> dict[str, Any]:
        """The fields of `Regime` that the table's parts fill; of parts not given, none."""
        parts = self._weekly(table)
        hours = table.table("hours")
        own_hours = {
            purpose: rule
            for purpose in Purpose
            if (rule := self._hours(hours.table(purpose.value), ())) is not None
        }
        evidence = table.table("evidence")
        parts |= {
            "hours_for": own_hours,
            "objection": self._if_given(table.table("objection"), self._objection),
            "lists": tuple(map(self._list, table.array("lists"))),
            "consent": self._if_given(table.table("consent"), self._consent),
            "appointments": self._if_given(table.table("appointments"), self._appointments),
            "sectors": tuple(map(self._sector, table.array("sectors"))),
            "caller_id": tuple(map(self._caller_id, table.array("caller_id"))),
            "regions": tuple(map(self._region, table.array("regions"))),
            "silent_share": self._if_given(table.table("silent_share"), self._silent_share),
            "evidence_years": evidence.integer(
                "years", None, minimum=1, maximum=MOST_YEARS, required=evidence.given
            ),
            "evidence_source": self._citation(evidence) if evidence.given else "",
        }
        given = [field for key, fields in PARTS.items() if table.has(key) for field in fields]
        return {field: parts[field] for field in given}

    def _weekly(self, table: Table) -> dict[str, Any]:
        """What a region may add to a regime too."""
        return {
            "hours": self._hours(table.table("hours"), tuple(Purpose)),
            "holidays": self._if_given(table.table("holidays"), self._holidays),
            "caps": tuple(map(self._cap, table.array("caps"))),
            "gaps": tuple(map(self._gap, table.array("gaps"))),
        }

    @staticmethod
    def _if_given(table: Table, read: Callable[[Table], P]) -> P | None:
        return read(table) if table.given else None

    def _citation(self, table: Table, key: str = "source", *, required: bool = True) -> str:
        """The source of a part, by its name in [sources]."""
        name = table.text(key, required=required)
        source = self._sources.get(name)
        if source is None:
            if name:
                known = ", ".join(self._sources) or "none; add a [sources] table"
                table.problem(key, f"found {name!r}; allowed: {known}")
            return ""
        return str(source)

    def _bound(self, table: Table) -> frozenset[Purpose]:
        return words.purposes_of(table, self._purposes)

    def _hours(self, table: Table, purposes: tuple[Purpose, ...]) -> HoursRule | None:
        """Args: purposes: names of tables within it that are no days."""
        if not table.given:
            return None
        others = {"source", "eve", *purposes}
        days = {key: table.strings(key) for key in table.keys() if key not in others}  # noqa: SIM118
        wrong = False
        for key, windows in days.items():
            try:
                parse_week({key: windows})
            except ValueError as error:
                wrong = True
                table.problem(key, str(error))
        week = None
        if not wrong:
            try:
                week = parse_week(days)
            except ValueError as error:  # only the keys together are wrong: a day named twice
                table.problem("", str(error))
        eve = None
        if table.has("eve"):
            try:
                eve = parse_windows(table.strings("eve"))
            except ValueError as error:
                table.problem("eve", str(error))
        source = self._citation(table)
        return HoursRule(week or WeekHours(((),) * 7), source, eve)

    def _holidays(self, table: Table) -> HolidayRule:
        add = {}
        for day, name in table.texts("add").items():
            try:
                add[date.fromisoformat(day)] = name
            except ValueError:
                table.problem("add", f'found {day!r}; allowed: "2026-10-04" = "its name"')
        if not table.has("calendar") and not table.has("add"):
            table.problem("", "closes no day; give a calendar, or days to add, or leave it out")
        local = tuple(map(self._local_days, table.array("local")))
        regional = table.choice("regional", RegionalDays, RegionalDays.OFF)
        subdivisions = table.boolean("subdivisions", False)
        if regional is not RegionalDays.OFF and not local and not subdivisions:
            table.problem(
                "regional", "no regional days to look at; give local ones, or subdivisions = true"
            )
        return HolidayRule(
            calendar=table.parsed("calendar", words.calendar, ""),
            source=self._citation(table),
            add=add,
            remove=frozenset(table.days("remove")),
            open_for=frozenset(table.members("open_for", Purpose)),
            observed=table.boolean("observed", True),
            regional=regional,
            local=local,
            subdivisions=subdivisions,
        )

    def _local_days(self, table: Table) -> LocalDays:
        easter = table.integer("easter", None, minimum=-70, maximum=70)
        day = table.parsed("day", words.yearly, None)
        if (easter is None) == (day is None):
            table.problem("", 'give either day = "12-26" or easter = -2')
        return LocalDays(
            regions=words.regions(table),
            name=table.text("name", required=True),
            source=self._citation(table),
            day=day,
            easter=easter,
        )

    def _cap(self, table: Table) -> Cap:
        return Cap(
            max=table.integer("max", 1, minimum=1, required=True),
            period=table.parsed("period", Period.parse, Period(days=1), required=True),
            purposes=self._bound(table),
            source=self._citation(table),
        )

    def _gap(self, table: Table) -> Gap:
        period = table.parsed("period", Period.parse, None)
        full_days = table.integer("full_days", 0, minimum=1, maximum=10_000)
        if (period is None) == (not full_days):
            table.problem("", 'give either period = "72 hours" or full_days = 5')
        after = table.choice("after", GapAfter, GapAfter.ATTEMPT)
        for key in ("agent_first", "unless_agent"):
            if table.has(key) and after is not GapAfter.SILENT:
                table.problem(key, 'goes with after = "silent"')
        return Gap(
            period=period,
            full_days=full_days,
            purposes=self._bound(table),
            source=self._citation(table),
            after=after,
            agent_first=table.boolean("agent_first", False),
            unless_agent=table.boolean("unless_agent", False),
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
        return ListRule(
            name=table.parsed("name", words.name, "", required=True),
            source=self._citation(table),
            max_age_days=table.parsed("max_age", whole_days, None),
            exempt=self._exemption(table),
            later_consent_wins=table.boolean("later_consent_wins", False),
            purposes=self._bound(table),
        )

    def _exemption(self, table: Table) -> Exemption:
        own = self._citation(table, "exempt_source", required=False)
        exemption = Exemption(
            bonds=frozenset(table.members("exempt", Bond)),
            ended_within=table.parsed("ended_within", Span.parse, None),
            requested_within=table.parsed("requested_within", Span.parse, None),
            source=own or self._citation(table),
        )
        if exemption.requested_within and Bond.REQUEST in exemption.bonds:
            table.problem("requested_within", "exempt names request, which then has no limit")
        if exemption.ended_within and Bond.ENDED in exemption.bonds:
            table.problem("ended_within", "exempt names ended, which then has no limit")
        if own and not exemption:
            table.problem("exempt_source", "there is no exemption here")
        return exemption

    def _consent(self, table: Table) -> ConsentRule:
        return ConsentRule(
            source=self._citation(table),
            required=table.boolean("required", False, required=True),
            when=table.choice("when", ConsentWhen, ConsentWhen.ALWAYS),
            max_years=table.integer("max_years", None, minimum=1, maximum=MOST_YEARS),
            void_before=table.day("void_before", None),
            exempt=self._exemption(table),
            waives=words.waived(table),
            purposes=self._bound(table),
        )

    def _appointments(self, table: Table) -> AppointmentRule:
        waives = words.waived(table)
        if not waives:
            table.problem("waives", f"lifts nothing; name {' or '.join(words.WAIVABLE)}")
        return AppointmentRule(
            tolerance=table.parsed("tolerance", words.tolerance, timedelta(0), required=True),
            waives=waives,
            source=self._citation(table),
        )

    def _sector(self, table: Table) -> SectorRule:
        start, end = words.dates(table)
        exempt = self._exemption(table)
        request_consents = table.boolean("request_consents", False)
        if request_consents and not (exempt.requested_within or Bond.REQUEST in exempt.bonds):
            table.problem("request_consents", "no request lifts this ban; give requested_within")
        return SectorRule(
            sectors=frozenset(table.items("sectors", words.name, (), required=True)),
            source=self._citation(table),
            consent=table.choice("consent", SectorConsent, SectorConsent.NONE),
            exempt=exempt,
            request_consents=request_consents,
            purposes=self._bound(table),
            start=start,
            end=end,
        )

    def _caller_id(self, table: Table) -> CallerIdRule:
        start, end = words.dates(table)
        rule = CallerIdRule(
            source=self._citation(table),
            identified=table.boolean("identified", False),
            forbidden=table.items("forbidden", words.prefix, ()),
            required=table.items("required", words.prefix, ()),
            declared=table.boolean("declared", False),
            dialling=table.choice("dial", Dialling, None),
            purposes=self._bound(table),
            start=start,
            end=end,
        )
        if not (rule.identified or rule.forbidden or rule.required or rule.declared):
            table.problem("", "asks for nothing; give identified, forbidden, required or declared")
        return rule

    def _silent_share(self, table: Table) -> SilentShare:
        return SilentShare(
            percent=table.integer("percent", 0, minimum=0, maximum=100, required=True),
            source=self._citation(table),
            days=table.integer("days", None, minimum=1, maximum=_MOST_DAYS),
        )

    def _region(self, table: Table) -> RegionRules:
        parts = self._weekly(table)
        if not any(table.has(key) for key in parts):
            table.problem("", f"adds nothing; give {', '.join(parts)}")
        return RegionRules(regions=words.regions(table), **parts)
