"""The forms that a setting may take: how each is read, and the words an admin is told it with.

Owns addresses, networks, durations, sizes, names, regions, trunk templates, and the declaration of
a setting: form, default, help, once. Refuses to know which settings there are.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dialwarden.numbers.regions import UnknownRegion, places_of_region
from dialwarden.policy.period import whole_days
from dialwarden.settings.reader import Table
from dialwarden.settings.report import allowed_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*\.?")
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) *(ms|s)")
_SIZE = re.compile(r"(\d{1,6}) *([KMG]iB)")
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_ENDPOINT = re.compile(r"[A-Za-z][A-Za-z0-9]*/[^\s/&,|{}]+")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens, or is to be connected to.

    Attributes:
        host: a name or an IP address, without brackets.
        port: 0 lets the system choose one, for listening.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `127.0.0.1:4580`, `pbx:5038`, `[::1]:4580`.

        Raises:
            ValueError: anything else.
        """
        host, _, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        bare = host[1:-1] if bracketed else host
        if port.isascii() and port.isdecimal() and int(port) <= 65535:
            try:
                version = ipaddress.ip_address(bare).version
            except ValueError:
                # What looks like a number but is no address must not go to a name server.
                named = _HOST.fullmatch(bare) and not re.fullmatch(r"[0-9.]+", bare)
                if named and not bracketed:
                    return cls(bare, int(port))
            else:
                if bracketed == (version == 6):
                    return cls(bare, int(port))
        raise ValueError(
            f'found "{text}"; allowed: host:port such as 127.0.0.1:4580 or [::1]:4580, '
            "the port at most 65535"
        )

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Secret:
    """A password; only `reveal` shows it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(hidden)" if self._text else "Secret(none)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret is not written anywhere")


# Parsers of one text; each raises ValueError with a sentence made for the admin.


def parse_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f'found "{text}"; allowed in a name: letters, digits, "_", "." and "-"')
    return text


def parse_host(text: str) -> str:
    """A host's name or its IP address, as a certificate may name it."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not _HOST.fullmatch(text):
            raise ValueError(
                f'found "{text}"; allowed: the name of a host or its IP address, such as '
                "pbx.example.org"
            ) from None
    return text


def parse_network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        # "has host bits set" is worth telling: 10.0.0.5/8 lets in more than it seems to.
        raise ValueError(
            f'found "{text}" ({error}); allowed: a network or an address such as 10.0.0.0/8, ::1'
        ) from None


def parse_region(text: str) -> str:
    """An ISO 3166 country or subdivision, in capitals as the standard has it."""
    try:
        if not _REGION.fullmatch(text):
            raise UnknownRegion(text, "")
        places_of_region(text)
    except UnknownRegion as error:
        near = f", did you mean {error.nearest}?" if error.nearest else ""
        raise ValueError(
            f'found "{text}"{near}; allowed: an ISO 3166 code in capitals such as FR, FR-974, IT-BZ'
        ) from None
    return text


def parse_strip(text: str) -> str:
    if not _DIGITS.fullmatch(text):
        raise ValueError(f'found "{text}"; allowed: digits such as "9"')
    return text


def parse_clock_time(text: str) -> time:
    match = _CLOCK_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f'found "{text}"; allowed: a time of day from "00:00" to "23:59"')
    return time(int(match[1]), int(match[2]))


def parse_endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError(
            f'found "{text}"; allowed: technology/endpoint as in channel names, such as '
            "PJSIP/carrier"
        )
    return text


def parse_dial(text: str) -> str:
    """A template of dial strings: one `{number}`, and `{rest}` for what may follow it."""
    placeholders = _PLACEHOLDER.findall(text)
    technology = text.partition("/")[0]
    if (
        placeholders.count("{number}") != 1
        or any(placeholder not in ("{number}", "{rest}") for placeholder in placeholders)
        or len(placeholders) != len(set(placeholders))
        or not technology.isalnum()
        or "/" not in text
    ):
        raise ValueError(
            f'found "{text}"; allowed: a dial string with {{number}} once, and {{rest}} at most '
            "once for what may be anything, such as PJSIP/{number}@carrier"
        )
    return text


# Forms


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """One form: how it is read from a table, and how it is told.

    Attributes:
        read: (table, key, default, required) to the value.
        words: for the reference, such as "host:port".
    """

    words: str
    read: Callable[[Table, str, T, bool], T]


@dataclass(frozen=True, slots=True)
class Setting:
    """One declared setting, as the reference shows it."""

    key: str
    words: str
    default: object
    help: str
    required: bool


def setting(form: Form[T], default: T, help: str, *, required: bool = False, key: str = "") -> T:
    """Declare a field of a section; its key in the file is `key`, or else the field's name."""
    metadata = {"form": form, "default": default, "help": help, "required": required, "key": key}
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(section: type[DataclassInstance]) -> tuple[Setting, ...]:
    """What a section declares, in its order."""
    return tuple(
        Setting(
            field.metadata["key"] or field.name,
            field.metadata["form"].words,
            field.metadata["default"],
            field.metadata["help"],
            field.metadata["required"],
        )
        for field in dataclasses.fields(section)
        if "form" in field.metadata
    )


def read_section(table: Table, section: type[T], **others: object) -> T:
    """Read every declared setting of a section; `others` are its fields that are no settings."""
    values: dict[str, Any] = dict(others)
    for field in dataclasses.fields(cast("type[DataclassInstance]", section)):
        if "form" in field.metadata:
            form: Form[Any] = field.metadata["form"]
            default, required = field.metadata["default"], field.metadata["required"]
            key = field.metadata["key"] or field.name
            values[field.name] = form.read(table, key, default, required)
    return section(**values)


def form_of(words: str, parse: Callable[[str], T]) -> Form[T]:
    """A text with a parser."""

    def read(table: Table, key: str, default: T, required: bool) -> T:
        return table.parsed(key, parse, default, required=required)

    return Form(words, read)


def optional(form: Form[T]) -> Form[T | None]:
    """The same form, where saying nothing means None."""
    return cast("Form[T | None]", form)


def list_of(words: str, parse: Callable[[str], T]) -> Form[tuple[T, ...]]:
    """An array of texts with a parser; required: at least one. The same one twice is a fault."""

    def read(table: Table, key: str, default: tuple[T, ...], required: bool) -> tuple[T, ...]:
        items = table.items(key, parse, default, required=required)
        for place, item in enumerate(items):
            if item in items[:place]:
                table.problem(key, f'found "{item}" twice; allowed: each once')
        return items

    return Form(words, read)


def one_of(kind: type[E]) -> Form[E]:
    def read(table: Table, key: str, default: E, required: bool) -> E:
        return table.choice(key, kind, default, required=required)

    return Form(allowed_of(f'"{member}"' for member in kind), read)


def whole(minimum: int, maximum: int) -> Form[int]:
    def read(table: Table, key: str, default: int, required: bool) -> int:
        return table.integer(key, default, minimum=minimum, maximum=maximum, required=required)

    return Form(f"a whole number from {minimum} to {maximum}", read)


def duration(minimum: timedelta, maximum: timedelta) -> Form[timedelta]:
    words = f'a duration from "{_told(minimum)}" to "{_told(maximum)}"'

    def parse(text: str) -> timedelta:
        match = _DURATION.fullmatch(text.strip())
        if match:
            value = timedelta(
                **{"milliseconds" if match[2] == "ms" else "seconds": float(match[1])}
            )
            if minimum <= value <= maximum:
                return value
        raise ValueError(f'found "{text}"; allowed: {words}')

    return form_of(words, parse)


def size(minimum: int, maximum: int) -> Form[int]:
    """An amount of memory, in bytes once it is read."""
    words = f'a size from "{_told_size(minimum)}" to "{_told_size(maximum)}"'

    def parse(text: str) -> int:
        match = _SIZE.fullmatch(text.strip())
        if match:
            value = int(match[1]) * _UNITS[match[2]]
            if minimum <= value <= maximum:
                return value
        raise ValueError(f'found "{text}"; allowed: {words}')

    return form_of(words, parse)


def _told_size(amount: int) -> str:
    unit = next(unit for unit in reversed(_UNITS) if amount % _UNITS[unit] == 0)
    return f"{amount // _UNITS[unit]} {unit}"


def _told(span: timedelta) -> str:
    ms = span // timedelta(milliseconds=1)
    return f"{ms // 1000} s" if ms % 1000 == 0 else f"{ms} ms"


def _read_text(table: Table, key: str, default: str, required: bool) -> str:
    return table.text(key, default, required=required)


def _read_boolean(table: Table, key: str, default: bool, required: bool) -> bool:
    return table.boolean(key, default, required=required)


def _read_secret(table: Table, key: str, default: Secret, required: bool) -> Secret:
    return Secret(table.text(key, "", required=required, secret=True))


def _parse_path(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError(f'found "{text}"; allowed: the path of a file')
    return Path(text)


def _parse_printable(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip() or "," in text:
        raise ValueError(
            f'found "{text}"; allowed: a name that is not empty, without commas and without '
            "blanks around it"
        )
    return text


TEXT = Form("a text", _read_text)
BOOLEAN = Form("true or false", _read_boolean)
SECRET = Form("a text", _read_secret)
NAME = form_of("a name", parse_name)
LABEL = form_of("a name", _parse_printable)
PATH = form_of("a path, from this file's folder if relative", _parse_path)
ADDRESS = form_of("host:port", Address.parse)
HOST = form_of("a host", parse_host)
REGION = form_of("an ISO 3166 code", parse_region)
DAYS = form_of("whole days", whole_days)
CLOCK_TIME = form_of("a time of day", parse_clock_time)
STRIP = form_of("digits", parse_strip)
ENDPOINT = form_of("technology/endpoint", parse_endpoint)
NAMES = list_of("an array of names", parse_name)
LABELS = list_of("an array of names", _parse_printable)
NETWORKS = list_of("an array of networks", parse_network)
DIALS = list_of("an array of dial strings", parse_dial)
