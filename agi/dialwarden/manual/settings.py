"""Every section and key of the configuration, as a reader is told of it.

Owns the sections' order and what a default looks like in the file. What there is to say of a key
is declared with it, in `settings/`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING

from dialwarden.settings import sections
from dialwarden.settings.campaigns import TIGHTEN, CampaignEntry
from dialwarden.settings.effect import waits_for_a_restart
from dialwarden.settings.forms import Secret, Setting, settings_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it takes, its default as it would be written, and what it is for.

    Attributes:
        default: "" where leaving it out means that there is none.
        restart: whether a running bridge takes a new value only when it starts anew.
    """

    name: str
    takes: str
    default: str
    help: str
    required: bool
    restart: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its header without brackets, what it is, its keys."""

    name: str
    about: str
    keys: tuple[Key, ...]


_DECLARED: tuple[tuple[str, type[DataclassInstance]], ...] = (
    ("store", sections.Store),
    ("agi", sections.Agi),
    ("ami", sections.Ami),
    ("gateway", sections.Gateway),
    ("guard", sections.Guard),
    ("http", sections.Http),
    ("log", sections.Log),
    ("defaults", sections.Defaults),
    ("trunks.NAME", sections.Trunk),
    ("lists.NAME", sections.ListEntry),
    ("campaigns.NAME", CampaignEntry),
    ("retention", sections.Retention),
    ("doctor", sections.Doctor),
    ("policies", sections.Policies),
)


def all_sections() -> Iterator[Section]:
    """In the order of the shipped file."""
    for name, declared in _DECLARED:
        about = (declared.__doc__ or "").partition("\n\n")[0].partition(": ")[2]
        yield Section(name, _sentence(about), tuple(_keys(name, settings_of(declared))))
        if name == "gateway":
            yield _GATEWAY_CAMPAIGNS
        if name == "campaigns.NAME":
            yield Section(
                "campaigns.NAME.tighten",
                "House rules: only ever stricter than the law.",
                tuple(_keys("campaigns.NAME.tighten", TIGHTEN)),
            )


_GATEWAY_CAMPAIGNS = Section(
    "gateway.campaigns",
    "Which campaigns an AMI user's calls may name.",
    (
        Key(
            "USER",
            "an array of campaigns, at least one",
            "",
            "A user of manager.conf; the first is taken where a call names none.",
            required=False,
            restart=waits_for_a_restart("gateway", "campaigns"),
        ),
    ),
)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]


def _keys(section: str, settings: tuple[Setting, ...]) -> Iterator[Key]:
    for one in settings:
        default = "" if one.required else default_as_written(one)
        restart = waits_for_a_restart(section.partition(".")[0], one.key)
        yield Key(one.key, one.words, default, one.help, one.required, restart)


def default_as_written(setting: Setting) -> str:
    """A default as it would stand in the file; "" where it is that there is none."""
    value = setting.default
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, int) and setting.words.startswith("a size"):
        return f'"{value // _MIB} MiB"'
    return _written(value)


def _written(value: object) -> str:
    match value:
        case None | "" | Secret():
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case timedelta():
            return f'"{value // timedelta(milliseconds=1)} ms"'
        case time():
            return f'"{value:%H:%M}"'
        case enum.Enum():
            return f'"{value.value}"'
        case _:
            return f'"{value}"'
