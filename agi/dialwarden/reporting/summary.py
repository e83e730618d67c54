"""The sums of a report, made of the ledger's tallies.

Owns what is added to what: a call let go against a refusal is on record twice, as a refusal and as
an attempt, and counts once, as what would be refused; a bypass is neither.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from dialwarden.ledger.tallies import (
    AttemptTally,
    BasisTally,
    BypassTally,
    Callees,
    RefusalTally,
    Span,
)
from dialwarden.verdict import REPORT_ORDER, Rule

BUSIEST = 10


@dataclass(slots=True)
class Sums:
    """Calls of an hour, a day, a campaign, or of all.

    Attributes:
        allowed: by a verdict; voided ones, which never left, are not among them.
        answered: of these and of what was let go, those known to have been.
        refused: questions answered with REFUSE; a dialer that asks again is refused again. Requests
            that the gateway cannot read, rule `bypass`, are among them: nothing left.
        would: refused by a rule and let go, in shadow mode or under an override.
        bypassed: left without asking; of these `stopped` were hung up by the guard.
        by_rule: of the refused, by the first rule that failed.
        would_by_rule: of what was let go, likewise.
    """

    allowed: int = 0
    answered: int = 0
    refused: int = 0
    would: int = 0
    bypassed: int = 0
    stopped: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    would_by_rule: Counter[str] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        """Questions that were judged."""
        return self.allowed + self.refused + self.would

    @property
    def refused_share(self) -> float:
        """Of the questions, which part was refused, 0 to 1."""
        return self.refused / self.asked if self.asked else 0.0

    @property
    def would_share(self) -> float:
        """Of the calls that were let go, which part enforcing would take away, 0 to 1."""
        let_go = self.allowed + self.would
        return self.would / let_go if let_go else 0.0

    def take_attempts(self, tally: AttemptTally) -> None:
        self.answered += tally.answered
        if tally.enforced:
            self.allowed += tally.count

    def take_refusals(self, tally: RefusalTally) -> None:
        rules = tally.rules.split("&")
        if tally.unasked:
            self.bypassed += tally.count
            self.stopped += 0 if tally.would else tally.count
        elif tally.would:
            self.would += tally.count
            self.would_by_rule[rules[0]] += tally.count
        else:
            self.refused += tally.count
            self.by_rule[rules[0]] += tally.count


@dataclass(frozen=True, slots=True)
class RuleSums:
    """What one rule refused.

    Attributes:
        first: refusals where it was the first to fail; the sum over all rules is all refusals.
        among: those where it failed, first or not.
        callees: different numbers of `first`.
        would, would_callees: the same of what was let go.
    """

    rule: str
    first: int
    among: int
    callees: int
    would: int
    would_callees: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A report.

    Attributes:
        zone: the time zone in which its days and hours are.
        hours: each hour of the zone with any call, by its beginning, in UTC: twice a year an hour
            of the clock comes twice.
        days: likewise, by date.
        by_hour: by hour of the day, 0 to 23, those with any call.
        campaigns: by name, in order; "" are calls that named none.
        rules: in the order of reports, those that refused anything.
        callees, would_callees: how many different numbers were refused, or let go.
    """

    span: Span
    zone: tzinfo
    total: Sums
    hours: Mapping[datetime, Sums]
    days: Mapping[date, Sums]
    by_hour: Mapping[int, Sums]
    campaigns: Mapping[str, Sums]
    hours_of_campaigns: Mapping[tuple[datetime, str], Sums]
    rules: tuple[RuleSums, ...]
    callees: int
    would_callees: int
    bypasses: tuple[BypassTally, ...]
    exempt: tuple[tuple[str, int], ...]
    bases: tuple[BasisTally, ...]

    @property
    def several_days(self) -> bool:
        return self.last_day > self.first_day

    @property
    def first_day(self) -> date:
        return self.span.since.astimezone(self.zone).date()

    @property
    def last_day(self) -> date:
        last = self.span.until - timedelta(microseconds=1)
        return last.astimezone(self.zone).date()

    def busiest_refused(self) -> list[tuple[datetime, Sums]]:
        """The hours with the most refusals and would-be refusals, the most first."""
        refusing = [(at, sums) for at, sums in self.hours.items() if sums.refused + sums.would]
        return sorted(refusing, key=lambda row: (-row[1].refused - row[1].would, row[0]))[:BUSIEST]


def summarise(
    span: Span,
    zone: tzinfo,
    *,
    attempts: Iterable[AttemptTally],
    refusals: Iterable[RefusalTally],
    callees: Iterable[Callees] = (),
    bypasses: Iterable[BypassTally] = (),
    exempt: Iterable[tuple[str, int]] = (),
    bases: Iterable[BasisTally] = (),
) -> Summary:
    """Sum up the tallies of a span in the hours and days of a zone."""
    hours: defaultdict[datetime, Sums] = defaultdict(Sums)
    days: defaultdict[date, Sums] = defaultdict(Sums)
    by_hour: defaultdict[int, Sums] = defaultdict(Sums)
    campaigns: defaultdict[str, Sums] = defaultdict(Sums)
    of_campaigns: defaultdict[tuple[datetime, str], Sums] = defaultdict(Sums)
    total, among = Sums(), Counter[str]()

    def rows(quarter: datetime, campaign: str) -> tuple[Sums, ...]:
        local = quarter.astimezone(zone)
        hour = quarter - timedelta(minutes=local.minute)
        return (
            total, hours[hour], days[local.date()], by_hour[local.hour], campaigns[campaign],
            of_campaigns[hour, campaign],
        )  # fmt: skip

    for tally in attempts:
        for sums in rows(tally.quarter, tally.campaign):
            sums.take_attempts(tally)
    for refusal in refusals:
        for sums in rows(refusal.quarter, refusal.campaign):
            sums.take_refusals(refusal)
        if not refusal.would and not refusal.unasked:
            among.update(dict.fromkeys(refusal.rules.split("&"), refusal.count))
    told = {(one.rule, one.would): one.count for one in callees}
    names = {*total.by_rule, *total.would_by_rule}
    return Summary(
        span, zone, total,
        dict(sorted(hours.items())),
        dict(sorted(days.items())),
        dict(sorted(by_hour.items())),
        dict(sorted(campaigns.items())),
        dict(sorted(of_campaigns.items())),
        tuple(
            RuleSums(
                rule, total.by_rule[rule], among[rule], told.get((rule, False), 0),
                total.would_by_rule[rule], told.get((rule, True), 0),
            )
            for rule in sorted(names, key=_order)
        ),
        told.get(("", False), 0),
        told.get(("", True), 0),
        tuple(bypasses), tuple(exempt), tuple(bases),
    )  # fmt: skip


def _order(rule: str) -> tuple[int, str]:
    """Rules of a ledger that a later version wrote come last."""
    return (REPORT_ORDER[Rule(rule)] if rule in set(Rule) else len(REPORT_ORDER), rule)
