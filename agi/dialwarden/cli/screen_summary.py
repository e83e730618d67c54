"""What came of a screening: counted row by row, told at the end, to people or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pyroaring import BitMap64

from dialwarden.cli.output import clock, counted
from dialwarden.gate.screening import Finding, Screened
from dialwarden.reasons import sentence
from dialwarden.verdict import REPORT_ORDER, Rule

# Lines told of what is wrong in rows: enough to see what it is, however long the file.
_FIRST = 10


@dataclass(slots=True)
class Faults:
    """Rows with one kind of fault: how many, and the first of them with what is wrong."""

    rows: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, why: str) -> None:
        self.rows += 1
        if len(self.first) < _FIRST:
            self.first.append((line, why))

    @property
    def lines(self) -> str:
        """ "lines 3, 7 and 2,000 more"."""
        told = ", ".join(str(line) for line, _ in self.first)
        more = f" and {self.rows - len(self.first):,} more" if self.rows > len(self.first) else ""
        return f"line{'s' if self.rows > 1 else ''} {told}{more}"


class Tally:
    """Counts what is found of rows.

    Attributes:
        rows, blank: rows judged, and those without any text.
        unreadable: rows without a number that could be read; `scientific` are those of them whose
            number a spreadsheet wrote in scientific notation.
        undecided: rows with another word that could not be read, or no instant of their own.
    """

    def __init__(self, language: str) -> None:
        self.rows = 0
        self.blank = 0
        self.unreadable = Faults()
        self.scientific = Faults()
        self.undecided = Faults()
        self.next: datetime | None = None
        self._language = language
        self._by_rules: Counter[tuple[Rule, ...]] = Counter()
        self._exempt = 0
        self._numbers = BitMap64()
        self._with_number = 0

    def count(self, found: Iterable[Screened]) -> None:
        """Count what was found of some rows."""
        by_rules, digits, upcoming = self._by_rules, [], self.next
        for finding, number in found:
            self.rows += 1
            if finding.exempt:
                self._exempt += 1
            else:
                by_rules[finding.rules] += 1
            if number is not None:
                digits.append(number)
            if finding.next is not None and finding.next is not upcoming:
                upcoming = _earlier(finding.next, upcoming)
        self.next = upcoming
        self._with_number += len(digits)
        self._numbers.update(digits)

    def fault(self, line: int, finding: Finding, told: str, *, scientific: bool) -> None:
        """Keep the place of a row with something that could not be read.

        Args:
            told: what is wrong, where it is more than the finding says.
        """
        if finding.why is None:
            return
        why = told or sentence(finding.why, self._language)
        if Rule.NUMBER in finding.rules:
            self.unreadable.add(line, why)
            if scientific:
                self.scientific.add(line, why)
        else:
            self.undecided.add(line, why)

    @property
    def allowed(self) -> int:
        return self._by_rules[()] + self._exempt

    @property
    def refused(self) -> int:
        return self.rows - self.allowed

    @property
    def duplicates(self) -> int:
        """Rows whose number stands in an earlier row too."""
        return self._with_number - len(self._numbers)

    def by_first_rule(self) -> dict[str, int]:
        """Refused rows by the first rule that refuses them, in the order of reports."""
        return self._by(1)

    def by_rule(self) -> dict[str, int]:
        """Refused rows by every rule that refuses them, in the order of reports."""
        return self._by(None)

    def _by(self, first: int | None) -> dict[str, int]:
        counts: Counter[Rule] = Counter()
        for rules, rows in self._by_rules.items():
            for rule in rules[:first]:
                counts[rule] += rows
        return {rule.value: counts[rule] for rule in sorted(counts, key=REPORT_ORDER.__getitem__)}

    def as_json(self) -> dict[str, object]:
        """What was counted, for `--json`."""
        return {
            "rows": self.rows,
            "blank": self.blank,
            "allowed": self.allowed,
            "refused": self.refused,
            "exempt": self._exempt,
            "by_first_rule": self.by_first_rule(),
            "by_rule": self.by_rule(),
            "next": self.next,
            "duplicates": self.duplicates,
            "unreadable": _as_json(self.unreadable),
            "scientific": _as_json(self.scientific),
            "undecided": _as_json(self.undecided),
        }

    def as_text(self) -> list[str]:
        """What was counted, a line each, for a person."""
        exempt = f" ({self._exempt:,} never judged)" if self._exempt else ""
        lines = [
            f"  {counted(self.rows, 'row')}: {self.allowed:,} allowed{exempt}, "
            f"{self.refused:,} refused"
        ]
        first, every = self.by_first_rule(), self.by_rule()
        if every:
            width = max(map(len, every))
            wide = max(len(f"{rows:,}") for rows in every.values())
            lines.append(f"  refused by {'':{width}}  {'first':>{max(wide, 5)}}  in all")
            lines += [
                f"    {rule:{width + 9}}  {first.get(rule, 0):>{max(wide, 5)},}  {rows:>6,}"
                for rule, rows in every.items()
            ]
        if self.next is not None:
            lines.append(f"  the first of them may be called {clock(self.next)}")
        if self.duplicates:
            lines.append(f"  {counted(self.duplicates, 'row')} with the number of an earlier row")
        if self.scientific.rows:
            lines.append(
                f"  {counted(self.scientific.rows, 'number')} in a spreadsheet's scientific "
                "notation, digits lost: format the column as text and export it again "
                f"({self.scientific.lines})"
            )
        lines += _told(self.unreadable, "row", "without a number that can be read")
        lines += _told(self.undecided, "row", "refused for want of what could not be read")
        return lines


def _earlier(one: datetime, other: datetime | None) -> datetime:
    # As instants: two wall clocks of one zone compare wrongly around a clock change.
    return one if other is None or one.timestamp() < other.timestamp() else other


def _as_json(faults: Faults) -> dict[str, object]:
    return {
        "rows": faults.rows,
        "first": [{"line": line, "reason": why} for line, why in faults.first],
    }


def _told(faults: Faults, what: str, which: str) -> list[str]:
    if not faults.rows:
        return []
    lines = [f"  {counted(faults.rows, what)} {which}"]
    lines += [f"    line {line}: {why}" for line, why in faults.first]
    if faults.rows > len(faults.first):
        lines.append(f"    and {faults.rows - len(faults.first):,} more")
    return lines
