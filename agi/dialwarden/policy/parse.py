"""A policy from its TOML text: strict, every figure with its source, every fault named.

The format, one file per policy (`dialwarden/policies/fr.toml` is the example to read, and
`docs/policies.md` the reference):

    id, title, country, binds        what the pack is and whom its text binds
    extends                          another policy, whose regimes it takes over
    [sources.NAME]                   text, article, dated, read, confidence, note
    [[regimes]]                      id, title, from, until, extends, drop, purposes
      [regimes.hours]                mon … sun or ranges = ["10:00-13:00"], eve, source
      [regimes.holidays]             calendar, observed, add, remove, open_for, regional, local …
      [[regimes.caps]]               max, period, purposes, source
      [[regimes.gaps]]               period or full_days, after, agent_first, unless_agent …
      [regimes.objection]            days (or until = "consent"), floor_days, floor_for, source
      [[regimes.lists]]              name, max_age, exempt …, later_consent_wins, purposes, source
      [regimes.consent]              required, when, max_years, void_before, exempt …, waives …
      [regimes.appointments]         tolerance, waives, source
      [[regimes.sectors]]            sectors, consent, exempt …, from, until, purposes, source
      [[regimes.caller_id]]          identified, forbidden, required, declared, dial, from, until …
      [regimes.silent_share]         percent, days, source
      [regimes.evidence]             years, source
      [[regimes.regions]]            regions, and hours, holidays, caps, gaps that they add

A regime that `extends` another takes over every part that it does not name itself; a part is
dropped by naming it empty (`lists = []`, `caps = []`) or with `drop = ["hours"]`. A policy that
`extends` another takes over its regimes; a regime of its own that extends one of these stands in
its place. A figure not found in the law is absent: nothing here has a default that is a number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from dialwarden.numbers.regions import UnknownRegion, home_country, places_of_region
from dialwarden.policy.figures import EVERYTHING
from dialwarden.policy.model import Confidence, Policy, Regime, Source
from dialwarden.policy.parts import PARTS, PartsReader
from dialwarden.policy.words import one_of, purposes_of, rebound
from dialwarden.question import Purpose
from dialwarden.settings.reader import Table, read_document

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


class UnknownBase(ValueError):
    """A policy extends one that is not there (yet); `base` is its id."""

    def __init__(self, base: str) -> None:
        self.base = base
        super().__init__(base)


def read_policy(
    text: str, file: str, *, sha256: str = "", bases: Mapping[str, Policy] | None = None
) -> Policy:
    """The policy that a TOML text holds.

    Args:
        file: its path as the user gave it, for messages.
        sha256: of the file's bytes, hexadecimal; left out, that of the text.
        bases: the policies that it may extend, by id; None: whichever it names is missing.

    Raises:
        SettingsError: with every fault of the file: line, key, what was found, what is allowed.
        UnknownBase: it extends a policy that is not among the bases.
    """
    document = read_document(text, file)
    base = _base_policy(document, bases or {})
    sources = _sources(document, base)
    reader = _RegimeReader(sources, base)
    tables = document.array("regimes", required=base is None)
    own = [reader.regime(table) for table in tables]
    kept = reader.kept()
    own_id = document.parsed("id", _id, "", required=True)
    if base is not None and own_id == base.id:
        document.problem("id", f"found {own_id!r}, the policy that it extends; give it its own")
    digest = sha256 or hashlib.sha256(text.encode()).hexdigest()
    policy = Policy(
        id=own_id,
        title=document.text("title", required=True),
        country=document.parsed("country", _country, base.country if base else ""),
        regimes=tuple(sorted([*kept, *own], key=lambda regime: regime.start)),
        # What it rests on is part of what it says.
        sha256=f"{digest}&{base.sha256}" if base else digest,
        file=file,
        binds=document.text("binds", base.binds if base else ""),
        extends=base.id if base else "",
    )
    places = {regime.id: table for regime, table in zip(own, tables, strict=True)}
    for regime in kept:
        if regime.id in places:
            message = f"{regime.id} is the id of a regime that is taken over"
            places[regime.id].problem("id", message)
    _check_sequence(document, policy, places)
    document.finish()
    document.check()
    return policy


def _check_sequence(document: Table, policy: Policy, places: Mapping[str, Table]) -> None:
    """Args: places: the regimes of the file by id; one that was taken over stands nowhere."""
    for earlier, later in pairwise(policy.regimes):
        place, key = places.get(later.id) or places.get(earlier.id), ""
        if place is None:
            place, key = document, "extends"
        if earlier.end is None or earlier.end >= later.start:
            place.problem(
                key,
                f"{earlier.id} is in force until {earlier.end or 'further notice'} but {later.id} "
                f"starts {later.start}; give {earlier.id} an until before that",
            )
        elif later.start - earlier.end > timedelta(1):
            place.problem(
                key,
                f"no regime from {earlier.end + timedelta(1)} to {later.start - timedelta(1)}; "
                "every question of those days would be refused",
            )


def _base_policy(document: Table, bases: Mapping[str, Policy]) -> Policy | None:
    name = document.text("extends")
    if not name:
        return None
    if name not in bases:
        raise UnknownBase(name)
    return bases[name]


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"found {text!r}; allowed: small letters, digits and -")
    return text


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


def _sources(document: Table, base: Policy | None) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    inherited = {
        citation: source
        for regime in (base.regimes if base else ())
        for citation, source in regime.sources.items()
    }
    for name, table in document.tables("sources").items():
        source = Source(
            text=table.text("text", required=True),
            article=table.text("article"),
            dated=table.text("dated"),
            read=table.day("read", None),
            confidence=table.choice("confidence", Confidence, Confidence.UNVERIFIED, required=True),
            note=table.text("note"),
        )
        same = next((other for other, known in sources.items() if str(known) == str(source)), "")
        if same:
            table.problem("article", f"is cited as {same} is; tell the two apart")
        if base is not None and inherited.get(str(source), source) != source:
            # The figures taken over would seem to be read as surely as these.
            table.problem(
                "article", f"is cited as a source of policy {base.id} is; tell the two apart"
            )
        sources[name] = source
    return sources


def _left_over(regime: Regime, spans: Iterable[tuple[date, date]]) -> Iterator[Regime]:
    """A regime on the days that lie in none of the spans, which are in order."""
    start, end = regime.start, regime.end or date.max
    for first, last in spans:
        if start < first and start <= end:
            yield replace(regime, start=start, end=min(first - timedelta(1), end))
        if last >= end:
            return
        start = max(start, last + timedelta(1))
    if start <= end:
        yield replace(regime, start=start)


class _RegimeReader:
    """Reads regimes in the order of the file, so that each may extend an earlier one."""

    def __init__(self, sources: Mapping[str, Source], base: Policy | None) -> None:
        self._sources = sources
        self._taken = base.regimes if base else ()
        self._inherited = {regime.id: regime for regime in self._taken}
        self._replaced: set[str] = set()
        self._read: dict[str, Regime] = {}

    def kept(self) -> list[Regime]:
        """Those of the policy extended, where and while none of the file stands in for them."""
        spans = sorted((own.start, own.end or date.max) for own in self._read.values())
        kept: list[Regime] = []
        for regime in self._taken:
            kept += _left_over(regime, spans) if regime.id in self._replaced else [regime]
        return kept

    def regime(self, table: Table) -> Regime:
        base = self._base(table)
        # One that stands in for a regime of another policy has its name and dates but for its own.
        model = base if base is not None and base is self._inherited.get(base.id) else None
        regime_id = table.parsed("id", _id, model.id if model else "", required=model is None)
        if regime_id in self._read:
            table.problem("id", f"{regime_id} is the id of an earlier regime")
        start = table.day("from", model.start if model else date.min, required=model is None)
        end = table.day("until", model.end if model else None)
        if end is not None and end < start:
            table.problem("until", f"found {end}; it is the last day in force, not before {start}")
        if end is not None and end.year == date.max.year:
            table.problem("until", f"found {end}; leave it out for a regime without an end")
        if model is not None:
            self._replaced.add(model.id)
        purposes = purposes_of(table, base.purposes if base else EVERYTHING)
        parts = PartsReader(self._sources, purposes).read(table)
        inherited = self._inherit(base, table, purposes) if base else self._no_drop(table)
        regime = Regime(
            id=regime_id,
            start=start,
            title=table.text("title", model.title if model else "", required=model is None),
            end=end,
            purposes=purposes,
            extends=base.id if base else "",
            sources={
                **(base.sources if base else {}),
                **{str(source): source for source in self._sources.values()},
            },
            **{**inherited, **parts},
        )
        self._read[regime_id] = regime
        return regime

    def _base(self, table: Table) -> Regime | None:
        name = table.text("extends")
        if not name or name in self._read:
            return self._read.get(name)
        if name in self._inherited:
            return self._inherited[name]
        known = ", ".join([*self._inherited, *self._read]) or "none yet"
        table.problem("extends", f"found {name!r}; allowed: an earlier regime ({known})")
        return None

    @staticmethod
    def _inherit(base: Regime, table: Table, purposes: frozenset[Purpose]) -> dict[str, Any]:
        """The parts of the base that the table neither gives itself nor drops.

        What bound whom the base binds, binds whom this regime binds.
        """
        dropped = table.items("drop", one_of(tuple(PARTS)), ())
        for key in dropped:
            if table.has(key):
                table.problem("drop", f"found {key!r}, which this regime also gives; do either")
        return {
            field: rebound(getattr(base, field), base.purposes, purposes)
            for key, fields in PARTS.items()
            if key not in dropped and not table.has(key)
            for field in fields
        }

    @staticmethod
    def _no_drop(table: Table) -> dict[str, Any]:
        if table.items("drop", one_of(tuple(PARTS)), ()):
            table.problem("drop", "there is nothing to drop: this regime extends none")
        return {}
