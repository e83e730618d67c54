"""Listing a table: conditions put together from what was asked, rows as the outside has them."""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

# What is made of a column's value.
Reading = Callable[[Any], object]


class Where:
    """Conditions joined by AND; a value of None asks for nothing."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[object] = []

    def equal(self, column: str, value: object | None) -> None:
        self._add(f"{column} = ?", value.value if isinstance(value, enum.Enum) else value)

    def one_of(self, column: str, values: Sequence[object]) -> None:
        """Any of these; none of them asks for nothing."""
        if values:
            self._conditions.append(f"{column} IN ({', '.join('?' * len(values))})")
            self.values.extend(values)

    def at_least(self, column: str, value: object | None) -> None:
        self._add(f"{column} >= ?", value)

    def above(self, column: str, value: object | None) -> None:
        self._add(f"{column} > ?", value)

    def below(self, column: str, value: object | None) -> None:
        self._add(f"{column} < ?", value)

    def listed_in(self, column: str, value: str | None) -> None:
        """One of the names that the column holds joined by "&"."""
        self._add(f"instr('&' || {column} || '&', ?) > 0", None if value is None else f"&{value}&")

    def that(self, condition: str, values: Sequence[object] = ()) -> None:
        self._conditions.append(condition)
        self.values.extend(values)

    def _add(self, condition: str, value: object | None) -> None:
        if value is not None:
            self._conditions.append(condition)
            self.values.append(value)

    @property
    def sql(self) -> str:
        return " WHERE " + " AND ".join(self._conditions) if self._conditions else ""


# What is shown of a number or a person that the row does not say any more.
REDUCED = "reduced"


def e164(number: int | None) -> str:
    """A number with its +; "" for none, "reduced" for one that is a hash by now."""
    if number is None:
        return ""
    return f"+{number}" if number >= 0 else REDUCED


def as_is(value: object) -> object:
    return value


def listed(
    conn: sqlite3.Connection,
    columns: Mapping[str, Reading],
    tables: str,
    where: Where,
    *,
    order: str = "id",
    limit: int | None = None,
) -> Iterator[dict[str, object]]:
    """The rows that match, a dict each, streamed as they are read.

    Args:
        columns: what to read and what is made of it. Of `basis.regime` the name in the dict is
            `regime`, of `recorded_by AS by` it is `by`.
        tables: what follows FROM.
        order: the column that rows come in the order of.
    """
    names = [column.rpartition(" AS ")[2].rpartition(".")[2] for column in columns]
    readings = list(columns.values())
    sql = f"SELECT {', '.join(columns)} FROM {tables}{where.sql} ORDER BY {order}"
    if limit is not None:
        sql += f" LIMIT {int(limit)}"
    for row in conn.execute(sql, where.values):
        yield {name: read(value) for name, read, value in zip(names, readings, row, strict=True)}
