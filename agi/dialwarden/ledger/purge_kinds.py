"""What of each table is over: conditions in SQL, of the figures that hold for each professional.

Owns what may be removed without any rule missing it, table by table. Where the figures come from is
told by whoever asks; how rows are gone about is for `purge`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from dialwarden.ledger.connection import micros
from dialwarden.ledger.facts import followed

# What was recorded within this stays as it is, however long ago it was said: whoever recorded it
# may look at it, and an attempt that is still open must find it.
_FRESH = timedelta(days=1)


class Cut(Protocol):
    """What of one professional's is over: instants before which it is, None where it never is."""

    @property
    def before(self) -> datetime | None:
        """No proof any more, and out of the sight of every cap and gap."""

    @property
    def proof_before(self) -> datetime | None:
        """No proof any more."""

    @property
    def last_day_before(self) -> date | None:
        """A consent that was good until an earlier day is no proof any more."""

    @property
    def consents_before(self) -> datetime | None:
        """A consent given earlier is none either, however long it was to be good."""

    @property
    def noes_before(self) -> datetime | None:
        """An objection said earlier is no proof, and has no effect."""

    @property
    def withdrawals_before(self) -> datetime | None:
        """A withdrawal made earlier is no proof, and has no effect."""

    @property
    def silence_stays(self) -> bool:
        """A silent call that no agent's call followed is never over."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to go.

    Attributes:
        named: by professional.
        others: of professionals that have no entry there.
        of_campaign: the professional of each campaign.
        lists_before: the numbers of lists imported earlier go; None: none do.
    """

    named: Mapping[str, Cut]
    others: Cut
    of_campaign: Mapping[str, str]
    lists_before: datetime | None

    def cut(self, professional: str) -> Cut:
        return self.named.get(professional, self.others)


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one table that go the same way.

    Attributes:
        name: as it is told and counted: "attempts".
        over: the condition, in SQL; NULL is no.
        dated: the column that tells how old a row is.
        whose: the column that tells the professional; of `by_campaign` kinds, the campaign.
        reduced: they are not removed but kept without saying of whom.
        children: the name and table of rows that go with them.
    """

    name: str
    table: str
    over: str
    dated: str = "at"
    whose: str = "professional"
    by_campaign: bool = False
    reduced: bool = False
    children: tuple[str, str] | None = None


@dataclass(slots=True)
class Kinds:
    """All kinds, in the order in which they go: what others lean on goes after them.

    Attributes:
        all: the kinds.
        values: what is bound in their conditions.
    """

    all: tuple[Kind, ...] = ()
    values: dict[str, object] = field(default_factory=dict)


def kinds_of(plan: Plan, now: datetime) -> Kinds:
    """The kinds of rows, with the conditions under which they are over at an instant, aware."""
    kinds = Kinds()
    of = _Figures(plan, kinds.values)
    kinds.values["until"] = micros(now)
    kinds.values["fresh"] = micros(now - _FRESH)
    before = of.each(lambda cut: cut.before)
    proof = of.each(lambda cut: cut.proof_before)
    noes = of.each(lambda cut: cut.noes_before)
    withdrawals = of.each(lambda cut: cut.withdrawals_before)

    appointments = (
        f"appointment.at < {before('appointment')} AND appointment.recorded_at <"
        f" {before('appointment')} AND NOT EXISTS (SELECT 1 FROM attempt AS used"
        f" WHERE used.id = appointment.used_by AND used.at >= {before('appointment')})"
    )
    # Of whoever may ask: with a person's id, with another's, or with none.
    answered = followed(
        "number = silent_call.number AND person IS NULL", "silent_call.professional"
    )
    person = followed("person = silent_call.person", "silent_call.professional")
    stays = of.each(lambda cut: cut.silence_stays)("silent_call")
    silences = (
        f"silent_call.at < {before('silent_call')} AND (NOT {stays}"
        f" OR ({answered} AND (silent_call.person IS NULL OR {person})))"
    )
    # An attempt that may have followed a silent call is needed for as long as that is there.
    attempts = f"attempt.at < {before('attempt')}" + "".join(
        f" AND NOT EXISTS (SELECT 1 FROM silent_call WHERE {subject} AND ({silences}) IS NOT TRUE)"
        for subject in (
            "silent_call.attempt_id = attempt.id",
            "silent_call.number = attempt.number"
            " AND silent_call.professional = attempt.professional AND silent_call.at < attempt.at",
            "silent_call.person = attempt.person"
            " AND silent_call.professional = attempt.professional AND silent_call.at < attempt.at",
        )
    )
    attempts += (
        " AND NOT EXISTS (SELECT 1 FROM appointment"
        f" WHERE appointment.used_by = attempt.id AND ({appointments}) IS NOT TRUE)"
    )
    given = of.each(lambda cut: cut.consents_before)("consent")
    last_day = of.each(lambda cut: cut.last_day_before)("consent")
    consents = (
        f"given_at < {proof('consent')} AND (given_at < {given} OR until < {last_day}"
        f" OR withdrawn_at < {proof('consent')})"
    )
    # What calls were let go under is proof for as long as they are: their bases say so, and go in a
    # purge of their own behind them.
    overrides = (
        f"override.until < {before('override')} AND override.since < :fresh"
        " AND NOT EXISTS (SELECT 1 FROM basis, json_each(basis.overrides) AS named"
        " WHERE basis.overrides <> '{}' AND named.value = override.id)"
    )
    # A no to everybody holds for professionals that are yet to come.
    no_over = f"scope <> 'all' AND at < {noes('objection')} AND recorded_at < :fresh"
    withdrawal_over = f"at < {withdrawals('withdrawal')} AND recorded_at < :fresh"
    kinds.all = (
        Kind("appointments", "appointment", appointments),
        Kind("silent calls", "silent_call", silences),
        Kind("attempts", "attempt", attempts, children=("legs", "leg")),
        Kind("refusals", "refusal", f"at < {before('refusal')}"),
        Kind(
            "exempt calls",
            "exempt_call",
            f"at < {of.by_campaign(lambda cut: cut.before)}",
            whose="campaign",
            by_campaign=True,
        ),
        Kind("overrides", "override", overrides, dated="since"),
        Kind("consents", "consent", consents, dated="given_at"),
        Kind("objections", "objection", no_over),
        Kind(
            "objections",
            "objection",
            f"reduced_at IS NULL AND at < {proof('objection')} AND recorded_at < :fresh"
            f" AND ({no_over}) IS NOT TRUE",
            reduced=True,
        ),
        Kind("withdrawals", "withdrawal", withdrawal_over),
        Kind(
            "withdrawals",
            "withdrawal",
            f"reduced_at IS NULL AND at < {proof('withdrawal')} AND recorded_at < :fresh"
            f" AND ({withdrawal_over}) IS NOT TRUE",
            reduced=True,
        ),
    )
    return kinds


class _Figures:
    """Figures by professional, as SQL that chooses among them; bound, never written into it."""

    def __init__(self, plan: Plan, values: dict[str, object]) -> None:
        self._plan = plan
        self._values = values

    def each(self, what: Callable[[Cut], object]) -> Callable[[str], str]:
        """By table, the figure of a row's professional."""
        whens = [(name, what(cut)) for name, cut in sorted(self._plan.named.items())]
        choice = self._choice(whens, what(self._plan.others))
        return lambda table: choice.format(f"{table}.professional")

    def by_campaign(self, what: Callable[[Cut], object]) -> str:
        """The figure of the professional whose campaign a row names."""
        whens = [
            (campaign, what(self._plan.cut(professional)))
            for campaign, professional in sorted(self._plan.of_campaign.items())
        ]
        return self._choice(whens, what(self._plan.others)).format("campaign")

    def _choice(self, whens: list[tuple[str, object]], other: object) -> str:
        if not whens:
            return self._bound(other)
        cases = " ".join(f"WHEN {self._bound(name)} THEN {self._bound(to)}" for name, to in whens)
        return f"(CASE {{0}} {cases} ELSE {self._bound(other)} END)"

    def _bound(self, value: object) -> str:
        if isinstance(value, datetime):
            value = micros(value)
        elif isinstance(value, date):
            value = value.isoformat()
        name = f"f{len(self._values)}"
        self._values[name] = value
        return f":{name}"
