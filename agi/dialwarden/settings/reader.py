"""A strict reader of TOML: typed values out, and every fault with its file, line and key.

Owns the shape of complaints (what was found, what is allowed, the nearest known key) and collects
them, so that an admin mends a file in one go. Refuses to know what the keys are for: the
configuration and the policies ask for theirs, and what nobody asked for is unknown.

A faulty or missing value is noted and its default handed out, so that the reading goes on; nothing
that was read may be used before `check()` has let it pass.
"""

from __future__ import annotations

import difflib
import enum
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import TypeVar

from dialwarden.errors import Problem, SettingsError
from dialwarden.settings.locate import KeyPath, locate
from dialwarden.settings.report import Report, allowed_of, bounds, dotted, quoted, shown

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=enum.StrEnum)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SYNTAX_PLACE = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")
_MISSING = object()


def decode_document(data: bytes, file: str) -> str:
    """The text of a file; a byte order mark, as Windows editors write it, is dropped.

    Raises:
        SettingsError: not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"found the byte 0x{data[error.start]:02x}, which is no UTF-8; save it as UTF-8"
        raise SettingsError([Problem(file, "", line, message)]) from None


def read_document(text: str, file: str) -> Table:
    """The root table of a TOML text.

    Args:
        file: its path as the user gave it, for messages.

    Raises:
        SettingsError: no TOML; holds that one problem.
    """
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # A plain ValueError is an integer of thousands of digits.
        sentence = str(error) or "nested too deeply"
        place = _SYNTAX_PLACE.search(sentence)
        line, where = 0, ""
        if place:
            line = int(place[1]) if place[1] else text.count("\n") + 1
            where = f", column {place[2]}" if place[2] else ", at the end of the file"
        message = f"no TOML{where}: {_SYNTAX_PLACE.sub('', sentence)}"
        raise SettingsError([Problem(file, "", line, message)]) from None
    return Table(values, (), Report(file, locate(text)))


class Table:
    """One table of the file; its methods each read one key, and remember that it is known.

    Attributes:
        given: whether it stands in the file; an absent one reads as empty.
    """

    def __init__(
        self, values: Mapping[str, object], path: KeyPath, report: Report, *, given: bool = True
    ) -> None:
        self.given = given
        self._values = values
        self._path = path
        self._report = report
        self._known: set[str] = set()
        self._tables: dict[str | tuple[str, int], Table] = {}

    # What stands in the table

    @property
    def file(self) -> str:
        return self._report.file

    @property
    def path(self) -> str:
        """Dotted; "" for the root."""
        return dotted(self._path)

    @property
    def name(self) -> str:
        """The last part of the path: the name of a campaign, a list, a trunk."""
        return str(self._path[-1]) if self._path else ""

    def has(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> tuple[str, ...]:
        """All keys given, in the order of the file."""
        return tuple(self._values)

    # Single values

    def text(
        self,
        key: str,
        default: str = "",
        *,
        choices: Collection[str] | None = None,
        required: bool = False,
        secret: bool = False,
    ) -> str:
        """A text, stripped of nothing; one of `choices` when they are given.

        With `required`, an absent key and an empty text are problems. What stands in a `secret`
        is never shown.
        """
        value = self._get(key, required=required)
        if value is _MISSING:
            return default
        if not isinstance(value, str):
            found = "(hidden)" if secret else value
            self._wrong(key, found, allowed_of(map(quoted, choices)) if choices else "a text")
            return default
        if choices is not None and value not in choices:
            self._wrong(key, value, allowed_of(map(quoted, choices)))
            return default
        if required and not value.strip():
            self._wrong(key, value, "a text that is not empty")
        return value

    def parsed(
        self, key: str, parse: Callable[[str], T], default: D, *, required: bool = False
    ) -> T | D:
        """A text made into a value; the sentence of a ValueError becomes the problem."""
        value = self._get(key, required=required)
        if value is _MISSING:
            return default
        if not isinstance(value, str):
            self._wrong(key, value, "a text in quotes")
            return default
        return self._try(key, lambda: parse(value), default)

    def choice(self, key: str, kind: type[E], default: D, *, required: bool = False) -> E | D:
        """A member of an enumeration, by its value."""
        value = self.text(key, choices=[*kind], required=required)
        return kind(value) if value else default

    def integer(
        self,
        key: str,
        default: D,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        required: bool = False,
    ) -> int | D:
        """A whole number within bounds, both included."""
        value = self._get(key, required=required)
        if value is _MISSING:
            return default
        whole = isinstance(value, int) and not isinstance(value, bool)
        if (
            not isinstance(value, int)
            or not whole
            or (minimum is not None and value < minimum)
            or (maximum is not None and value > maximum)
        ):
            self._wrong(key, value, "a whole number" + bounds(minimum, maximum))
            return default
        return value

    def boolean(self, key: str, default: D, *, required: bool = False) -> bool | D:
        value = self._get(key, required=required)
        if value is _MISSING:
            return default
        if not isinstance(value, bool):
            self._wrong(key, value, "true or false, without quotes")
            return default
        return value

    def day(self, key: str, default: D, *, required: bool = False) -> date | D:
        """A date without a time: TOML's own, or the same in quotes."""
        value = self._get(key, required=required)
        if value is _MISSING:
            return default
        return self._day((key,), value) or default

    # Several values

    def strings(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """An array of texts."""
        return self.items(key, str, default)

    def items(
        self,
        key: str,
        parse: Callable[[str], T],
        default: tuple[T, ...] = (),
        *,
        required: bool = False,
    ) -> tuple[T, ...]:
        """An array of texts, each made into a value; faulty ones are noted and left out.

        With `required`, an absent key and an empty array are problems.
        """
        values = self._array(key, "an array of texts", required=required)
        if values is None:
            return default
        if required and not values:
            self._wrong(key, values, "an array of texts, at least one")
        items: list[T] = []
        for place, value in enumerate(values):
            if not isinstance(value, str):
                self._wrong((key, place), value, "a text")
                continue
            try:
                items.append(parse(value))
            except ValueError as error:
                self._report.add((*self._path, key, place), str(error))
        return tuple(items)

    def members(self, key: str, kind: type[E], default: tuple[E, ...] = ()) -> tuple[E, ...]:
        """An array of members of an enumeration, by their values."""

        def member(text: str) -> E:
            try:
                return kind(text)
            except ValueError:
                allowed = allowed_of(map(quoted, kind))
                raise ValueError(f"found {quoted(text)}; allowed: {allowed}") from None

        return self.items(key, member, default)

    def days(self, key: str) -> tuple[date, ...]:
        """An array of dates."""
        values = self._array(key, "an array of dates") or []
        days = (self._day((key, place), value) for place, value in enumerate(values))
        return tuple(day for day in days if day is not None)

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts under names of its writer's choice."""
        table = self.table(key)
        return {name: table.text(name) for name in table.keys()}  # noqa: SIM118

    def mapping(self, key: str) -> dict[str, tuple[str, ...]]:
        """A table of arrays of texts under names of its writer's choice, as `hours` is.

        What is no array is noted and left out.
        """
        table = self.table(key)
        arrays = {name: table.strings(name) for name in table.keys()}  # noqa: SIM118
        return {name: arrays[name] for name in arrays if isinstance(table._values[name], list)}

    def parsed_mapping(
        self, key: str, parse: Callable[[dict[str, tuple[str, ...]]], T], default: D
    ) -> T | D:
        """`mapping` made into a value; absent gives the default, an empty table is parsed."""
        mapping = self.mapping(key)
        if not self.has(key):
            return default
        return self._try(key, lambda: parse(mapping), default)

    # Tables

    def table(self, key: str, *, required: bool = False) -> Table:
        """A table; empty, and not `given`, when it is absent. Asked again, it is the same one."""
        value = self._get(key, required=required)
        if isinstance(value, dict):
            return self._child(key, value, self._report)
        if value is _MISSING:
            return self._child(key, None, self._report)
        self._wrong(key, value, "a table")
        # One complaint is enough: what would be missing in it goes to a report nobody reads.
        return self._child(key, None, Report(self.file, {}))

    def tables(self, key: str) -> dict[str, Table]:
        """The tables under a table, by name: `[campaigns.x]`."""
        table = self.table(key)
        return {name: table.table(name) for name in table.keys()}  # noqa: SIM118

    def array(self, key: str, *, required: bool = False) -> list[Table]:
        """An array of tables, `[[key]]` or inline; with `required` at least one."""
        values = self._array(key, "an array of tables", required=required)
        tables = []
        for place, value in enumerate(values or []):
            if isinstance(value, dict):
                tables.append(self._child((key, place), value, self._report))
            else:
                self._wrong((key, place), value, "a table")
        if required and values is not None and not values:
            self._wrong(key, values, "at least one table")
        return tables

    # Problems

    def problem(self, key: str, message: str) -> None:
        """Note a fault found after the reading; `key` "" is the table itself."""
        self._report.add((*self._path, key) if key else self._path, message)

    def finish(self) -> None:
        """Note every key of this table, and of those read from it, that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                self._report.add((*self._path, key), self._unknown(key))
        for table in self._tables.values():
            table.finish()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems of the file so far, in the order of its lines."""
        return tuple(sorted(self._report.problems, key=lambda problem: problem.line))

    def check(self) -> None:
        """Let pass, or raise.

        Raises:
            SettingsError: with every problem noted in this file so far.
        """
        if self._report.problems:
            raise SettingsError(self.problems)

    def _unknown(self, key: str) -> str:
        names = sorted(self._known)
        near = difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.6)
        message = "unknown key"
        if near:
            message += f"; did you mean {near[0]}?"
        return f"{message}; allowed: {', '.join(names)}" if names else f"{message}; none is allowed"

    def _child(
        self, key: str | tuple[str, int], values: Mapping[str, object] | None, report: Report
    ) -> Table:
        if key not in self._tables:
            parts = (key,) if isinstance(key, str) else key
            path = (*self._path, *parts)
            self._tables[key] = Table(values or {}, path, report, given=values is not None)
        return self._tables[key]

    def _get(self, key: str, *, required: bool) -> object:
        self._known.add(key)
        value = self._values.get(key, _MISSING)
        if value is _MISSING and required:
            self._report.add((*self._path, key), "missing; it has no default")
        return value

    def _array(self, key: str, allowed: str, *, required: bool = False) -> list[object] | None:
        value = self._get(key, required=required)
        if value is _MISSING:
            return None
        if not isinstance(value, list):
            self._wrong(key, value, allowed)
            return None
        return value

    def _day(self, place: KeyPath, value: object) -> date | None:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self._wrong(place, value, "a date such as 2026-12-24")
        return None

    def _try(self, key: str, make: Callable[[], T], default: D) -> T | D:
        try:
            return make()
        except ValueError as error:
            self.problem(key, str(error))
            return default

    def _wrong(self, key: str | KeyPath, value: object, allowed: str) -> None:
        place: KeyPath = (key,) if isinstance(key, str) else key
        message = f"found {shown(value)}; allowed: {allowed}"
        self._report.add((*self._path, *place), message)
