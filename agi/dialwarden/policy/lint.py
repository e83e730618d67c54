"""What is wrong in a policy file, and what is right and yet doubtful: for its author.

Owns the warnings; the errors are `policy.parse`'s, as the loader has them. Reads the text twice:
as a policy, and as the tables that it is made of, since a policy does not know its lines.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any

from dialwarden.errors import Problem, SettingsError
from dialwarden.policy.laxer import laxer
from dialwarden.policy.model import Confidence, Policy, Regime
from dialwarden.policy.parse import UnknownBase, read_policy
from dialwarden.settings.locate import KeyPath, locate
from dialwarden.settings.reader import read_document
from dialwarden.settings.report import Report, choose_from, dotted

_QUOTING = ("source", "exempt_source")
_DOUBTFUL = (Confidence.UNVERIFIED, Confidence.SECONDARY)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a file, in the order of its lines; every line is 1 or more.

    Attributes:
        errors: for each of these the loader refuses the file.
    """

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def lint(
    text: str,
    file: str,
    *,
    bases: Mapping[str, Policy],
    taken: Collection[str],
    today: date,
) -> Findings:
    """Look through the text of a policy file.

    Args:
        file: its path as the user gave it.
        bases: the other policies, by id: what it may extend.
        taken: the ids that it may not have. With one of `bases` that is not among them it takes
            that policy's place.
    """
    try:
        document = read_document(text, file)
    except SettingsError as error:
        return Findings(_in_order(error.problems), ())
    tables = tomllib.loads(text)
    named = tables.get("id")
    own_id = named if isinstance(named, str) else ""
    if own_id in taken:
        document.problem("id", f"{own_id!r} is taken by {bases[own_id].file}; choose another")
    others = {name: policy for name, policy in bases.items() if name != own_id or name in taken}
    warnings = _Warnings(tables, Report(file, locate(text)), today)
    policy = None
    faults: tuple[Problem, ...] = ()
    try:
        policy = read_policy(text, file, bases=others)
    except UnknownBase as error:
        told = choose_from(error.base, others, "policies")
        document.problem("extends", f"{told}; the regimes were not looked at")
    except SettingsError as error:
        faults = error.problems
    errors = _in_order([*document.problems, *faults])
    if own_id in bases and own_id not in taken:
        warnings.add(("id",), f"takes the place of {bases[own_id].file}")
    warnings.of_file(own_id)
    if policy is not None:
        warnings.of_policy(policy, others.get(policy.extends))
    return Findings(errors, _in_order(warnings.found))


def _in_order(problems: Collection[Problem]) -> tuple[Problem, ...]:
    """By line; what is missing in the file as a whole is told of its first."""
    placed = (replace(problem, line=max(problem.line, 1)) for problem in problems)
    return tuple(sorted(dict.fromkeys(placed), key=lambda problem: problem.line))


class _Warnings:
    """Collects what is doubtful in the tables of a file, and in the policy made of them.

    The tables may hold any fault: what is not of the right kind is passed over here, for the
    errors tell it.
    """

    def __init__(self, tables: Mapping[str, Any], report: Report, today: date) -> None:
        self._tables = tables
        self._report = report
        self._today = today
        self._regimes = list(_tables_in(tables.get("regimes")))

    @property
    def found(self) -> list[Problem]:
        return self._report.problems

    def add(self, path: KeyPath, message: str) -> None:
        self._report.add(path, message)

    def of_file(self, own_id: str) -> None:
        """What can be told without a policy being made of it."""
        stem = PurePath(self._report.file).stem
        if own_id and own_id != stem:
            self.add(("id",), f"found {own_id!r}, but the file is called {stem}; name them alike")
        self._sources()

    def of_policy(self, policy: Policy, base: Policy | None) -> None:
        own = {regime.id: regime for regime in policy.regimes}
        for place, table in enumerate(self._regimes):
            name = table.get("id", table.get("extends"))
            regime = own[str(name)]
            path = ("regimes", place)
            self._silence(regime, path)
            self._dates(regime, table, path)
            for replaced in base.regimes if base else ():
                for part, sentence in laxer(regime, replaced):
                    key = part if part in table or "drop" not in table else "drop"
                    self.add((*path, key), f"laxer than the policy extended: {part}: {sentence}")
        self._ends(policy)

    # Sources

    def _sources(self) -> None:
        quoted: dict[str, list[str]] = {}
        for path, name in _quotes(self._tables, ()):
            quoted.setdefault(name, []).append(dotted(path))
        sources = self._tables.get("sources")
        for name, table in sources.items() if isinstance(sources, dict) else ():
            if isinstance(table, dict):
                self._source(("sources", name), table, quoted.get(name, []))

    def _source(self, path: KeyPath, table: Mapping[str, Any], quoted: list[str]) -> None:
        if not quoted:
            self.add(path, "no figure quotes it; quote it or take it out")
        read = _day(table.get("read"))
        if "read" not in table:
            self.add(path, "says not when it was read; add read = DATE")
        elif read is not None and read > self._today:
            self.add((*path, "read"), f"found {read}, which is yet to come: today is {self._today}")
        confidence = table.get("confidence")
        if confidence in _DOUBTFUL and quoted:
            told = f"{confidence}; what rests on it: {', '.join(quoted)}"
            self.add((*path, "confidence"), told)

    # Regimes

    def _silence(self, regime: Regime, path: KeyPath) -> None:
        if regime.hours is None and not regime.hours_for:
            self.add(path, "no hours: no time of day is refused")
        if regime.objection is None:
            self.add(path, "no objection rule: a no holds without end")

    def _dates(self, regime: Regime, table: Mapping[str, Any], path: KeyPath) -> None:
        """Dates within a regime on which it is not in force."""
        for at, holidays in _holiday_tables(table, path):
            add, remove = holidays.get("add"), holidays.get("remove")
            days = [(("add", text), _day(text)) for text in (add if isinstance(add, dict) else ())]
            days += [
                (("remove", place), _day(value))
                for place, value in enumerate(remove if isinstance(remove, list) else ())
            ]
            for key, day in days:
                if day is not None and not _in_force(regime, day):
                    self.add((*at, *key), f"{day} lies outside the regime, {_span(regime)}")
        for part in ("sectors", "caller_id"):
            for place, rule in enumerate(_tables_in(table.get(part))):
                self._rule_dates(regime, rule, (*path, part, place))

    def _rule_dates(self, regime: Regime, rule: Mapping[str, Any], path: KeyPath) -> None:
        start, end = _day(rule.get("from")), _day(rule.get("until"))
        last = regime.end or date.max
        if (start and start > last) or (end and end < regime.start):
            key = "from" if start and start > last else "until"
            self.add((*path, key), f"never in force: the regime is, {_span(regime)}")
            return
        if start and start < regime.start:
            self.add((*path, "from"), f"found {start}; the regime is in force {_span(regime)}")
        if end and end > last:
            self.add((*path, "until"), f"found {end}; the regime is in force {_span(regime)}")

    def _ends(self, policy: Policy) -> None:
        """Days before and after all regimes."""
        first, last = policy.regimes[0], policy.regimes[-1]
        refused = "every question of those days would be refused"
        if first.start > self._today:
            told = f"no regime in force before {first.start}: {refused}"
            self.add(self._path_of(first, "from"), told)
        if last.end is not None:
            told = f"no regime in force from {last.end + timedelta(1)}: {refused}"
            self.add(self._path_of(last, "until"), told)

    def _path_of(self, regime: Regime, key: str) -> KeyPath:
        """A regime's key; of one that was taken over, where the policy is named."""
        for place, table in enumerate(self._regimes):
            if regime.id == table.get("id", table.get("extends")):
                return "regimes", place, key
        return ("extends",)


def _tables_in(value: object) -> Iterator[Mapping[str, Any]]:
    """The tables of an array of tables; an empty one for what is none, to keep the places."""
    for table in value if isinstance(value, list) else ():
        yield table if isinstance(table, dict) else {}


def _holiday_tables(
    regime: Mapping[str, Any], path: KeyPath
) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """The holidays of a regime, and those that regions add."""
    parts = [(path, regime)]
    parts += [
        ((*path, "regions", place), part)
        for place, part in enumerate(_tables_in(regime.get("regions")))
    ]
    for at, table in parts:
        holidays = table.get("holidays")
        if isinstance(holidays, dict):
            yield (*at, "holidays"), holidays


def _quotes(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every part that quotes a source, and the source's name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _QUOTING and isinstance(inner, str):
                yield (path if key == "source" else (*path, key)), inner
            elif key != "sources":
                yield from _quotes(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _quotes(inner, (*path, place))


def _day(value: object) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _in_force(regime: Regime, day: date) -> bool:
    return regime.start <= day and (regime.end is None or day <= regime.end)


def _span(regime: Regime) -> str:
    return f"from {regime.start}" + (f" through {regime.end}" if regime.end else "")
