"""What the gate answers: a verdict, with every reason for it.

Owns the names of the rules, in the order in which they are reported, and the values that a
judgement is made of. Knows no rule, no language and no channel variable.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType


class Rule(enum.StrEnum):
    """One reason a call may be refused. The order of the members is the order of reports."""

    NUMBER = "number"
    CAMPAIGN = "campaign"
    SECTOR = "sector"
    CONSENT = "consent"
    OPPOSITION = "opposition"
    LIST_STALE = "list_stale"
    OBJECTION = "objection"
    CALLER_ID = "caller_id"
    HOLIDAY = "holiday"
    HOURS = "hours"
    FREQUENCY = "frequency"
    GAP = "gap"
    # Outside the rules: we could not decide, and a call that never asked.
    UNAVAILABLE = "unavailable"
    BYPASS = "bypass"


REPORT_ORDER: Mapping[Rule, int] = MappingProxyType({rule: i for i, rule in enumerate(Rule)})


class Decision(enum.StrEnum):
    ALLOW = "ALLOW"
    REFUSE = "REFUSE"


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence yet to be written: the key of its template and what goes into it.

    `values` holds str, int, date, datetime (aware, already in the callee's zone), a period, a
    phrase, or tuples of these; `dialwarden.reasons` turns the whole into one sentence in a
    person's language.
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


class Phrase(str):
    """A few words that stand in a sentence as a value of its `Reason`, in English.

    Text like any other for logs and records; `dialwarden.reasons` says the same in a person's
    language.

    Attributes:
        key: the English words as a format string, which is what the catalogues know them by.
        values: what goes into it: str or int. Of a pair (key, values) comes a phrase in its turn.
    """

    __slots__ = ("key", "values")

    key: str
    values: Mapping[str, object]

    def __new__(cls, key: str, values: Mapping[str, object] = MappingProxyType({})) -> Phrase:
        known = {
            name: Phrase(*value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }
        phrase = super().__new__(cls, key.format_map(known))
        phrase.key = key
        phrase.values = known
        return phrase

    def __reduce__(self) -> tuple[type[Phrase], tuple[str, Mapping[str, object]]]:
        # A copy is made of the parts, not of the text.
        return Phrase, (self.key, self.values)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that says no.

    Attributes:
        until: the first instant at which this rule alone, under the regime that spoke, would
            allow the call; None when waiting does not help. Aware, in the callee's zone.
        source: the article of law, or the configuration key, that the refusal rests on.
    """

    rule: Rule
    reason: Reason
    until: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule that could not speak because a fact was not given. It refuses nothing."""

    rule: Rule
    reason: Reason


@dataclass(frozen=True, slots=True)
class Waived:
    """A refusal that a person has let go.

    Attributes:
        override: the id of the override, by which it is on record who answers for it, and why.
        by: who answers for it.
    """

    refusal: Refusal
    override: int
    by: str


# What one rule says of one case: a refusal, a "not judged", or nothing (it allows).
Finding = Refusal | NotJudged | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question.

    Attributes:
        exempt: "emergency", "pattern" or an exempt list's name when the call is never judged;
            None for a judged call.
        number: E.164 with its +, or the number as dialled when exempt; "" when unreadable.
        regime: id of the regime(s) in force for the callee, joined by "&"; "" when none.
        zones: the callee's candidate time zones, IANA names.
        refusals: in the order of `Rule`, one per rule.
        next: the first instant, to the second, at which the call would be allowed with the facts
            as they are; None when waiting does not help or when it is allowed now.
        unverified: citations of what it rests on that no text was read for.
        waived: of an ALLOW, the refusals that overrides have let go, in the order of `Rule`.
    """

    decision: Decision
    at: datetime
    exempt: str | None = None
    number: str = ""
    campaign: str = ""
    professional: str = ""
    policy: str = ""
    regime: str = ""
    zones: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    next: datetime | None = None
    unverified: tuple[str, ...] = ()
    waived: tuple[Waived, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.decision is Decision.ALLOW

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The failing rules, in the order of reports."""
        return tuple(refusal.rule for refusal in self.refusals)
