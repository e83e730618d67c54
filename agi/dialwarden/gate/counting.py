"""What was answered, in numbers that only grow: the verdicts, how long they took, the bypasses.

Owns the counters of the gate and what each is told apart by. Refuses to know who reads them and in
which form. A call costs one increment in a mapping and one look-up among a dozen bounds: families
that are sums of others are summed when somebody asks.

Counted is what was told, as the log has it: a line of a verdict there is one here. Dry questions
(`peek`, the command line) are neither.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dialwarden.gate.verdicts import Answer
from dialwarden.question import Door

# Upper bounds, inclusive, in seconds. The dialplan leaves at 2 s, the deadline is 1.5 s where it is
# not set; a decision takes a millisecond or a few.
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0)

ALLOW, REFUSE, WOULD_REFUSE = "ALLOW", "REFUSE", "would_refuse"
OVERRIDDEN = "overridden"
# In place of a campaign that is not configured: whoever asks may invent as many as he likes.
OTHER = "other"


class Told(NamedTuple):
    """What answers are told apart by.

    Attributes:
        verdict: `ALLOW`, `REFUSE`, `would_refuse` for a refusal that shadow mode let go, or
            `overridden` for one that an override did.
        rule: the first that failed, "" for an ALLOW.
        campaign: a configured one, else `OTHER`.
        reserved: an attempt was reserved for it.
    """

    verdict: str
    rule: str
    campaign: str
    door: str
    reserved: bool


@dataclass(slots=True)
class Took:
    """How long answers took.

    Attributes:
        counts: by bound, each above the bound before it; the last is beyond them all.
        sum_s: of all of them, seconds.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def cumulated(self) -> Iterator[int]:
        """How many took at most each bound; the last is how many there were."""
        total = 0
        for count in self.counts:
            total += count
            yield total


class Counts:
    """The counters of one gate; used from its loop.

    Attributes:
        answers: of questions that were judged, and of calls that never asked (door `guard`).
        exempt: by what exempted them ("emergency", "pattern", a list) and door.
        took: by door, from the whole question read to its answer.
        bypasses: by trunk, and by whether the call was hung up.
        taken_back: attempts whose ALLOW surely never left us.
    """

    __slots__ = ("answers", "bypasses", "exempt", "taken_back", "took")

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, str, str, bool], int] = {}
        self.exempt: dict[tuple[str, str], int] = {}
        self.took: dict[str, Took] = {}
        self.bypasses: dict[tuple[str, bool], int] = {}
        self.taken_back = 0

    def answer(self, answer: Answer, door: Door, campaigns: Container[str]) -> None:
        """Count an answer.

        Args:
            campaigns: those that are configured.
        """
        verdict = answer.verdict
        if verdict.exempt:
            exempt = verdict.exempt, door
            self.exempt[exempt] = self.exempt.get(exempt, 0) + 1
            return
        campaign = verdict.campaign if verdict.campaign in campaigns else OTHER
        # A plain tuple: to make a named one takes three times as long, and each call makes one.
        key: tuple[str, str, str, str, bool]
        if verdict.waived and not verdict.refusals:
            key = OVERRIDDEN, verdict.waived[0].refusal.rule, campaign, door, answer.reserved
        elif not verdict.refusals:
            key = ALLOW, "", campaign, door, answer.reserved
        else:
            word = WOULD_REFUSE if answer.let_go else REFUSE
            key = word, verdict.refusals[0].rule, campaign, door, answer.reserved
        self.answers[key] = self.answers.get(key, 0) + 1

    def took_s(self, door: Door, seconds: float) -> None:
        """Count how long an answer took."""
        took = self.took.get(door)
        if took is None:
            took = self.took[door] = Took()
        took.counts[bisect_left(BOUNDS_S, seconds)] += 1
        took.sum_s += seconds

    def bypass(self, trunk: str, *, hung_up: bool) -> None:
        """Count a call that left without asking."""
        key = trunk, hung_up
        self.bypasses[key] = self.bypasses.get(key, 0) + 1

    def told(self) -> Iterator[tuple[Told, int]]:
        """Every kind of answer, and how many there were."""
        for key, count in self.answers.items():
            verdict, rule, campaign, door, reserved = key
            yield Told(verdict, str(rule), campaign, str(door), reserved), count

    def of_verdict(self, verdict: str) -> int:
        """How many answers there were of a verdict, by the words of `Told`."""
        return sum(count for one, count in self.told() if one.verdict == verdict)
