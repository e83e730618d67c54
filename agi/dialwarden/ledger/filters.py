"""WHERE clauses put together from what was asked for, and how numbers are shown."""

from __future__ import annotations

import enum


class Where:
    """Conditions joined by AND; a value of None asks for nothing."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[object] = []

    def equal(self, column: str, value: object | None) -> None:
        self._add(f"{column} = ?", value.value if isinstance(value, enum.Enum) else value)

    def at_least(self, column: str, value: object | None) -> None:
        self._add(f"{column} >= ?", value)

    def above(self, column: str, value: object | None) -> None:
        self._add(f"{column} > ?", value)

    def below(self, column: str, value: object | None) -> None:
        self._add(f"{column} < ?", value)

    def listed_in(self, column: str, value: str | None) -> None:
        """One of the names that the column holds joined by "&"."""
        self._add(f"instr('&' || {column} || '&', ?) > 0", None if value is None else f"&{value}&")

    def that(self, condition: str) -> None:
        self._conditions.append(condition)

    def _add(self, condition: str, value: object | None) -> None:
        if value is not None:
            self._conditions.append(condition)
            self.values.append(value)

    @property
    def sql(self) -> str:
        return " WHERE " + " AND ".join(self._conditions) if self._conditions else ""


def e164(number: int | None) -> str:
    """A number with its +; "" for none."""
    return "" if number is None else f"+{number}"
