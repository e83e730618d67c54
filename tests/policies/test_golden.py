"""Every shipped pack against its golden file, and every figure of a pack against being changed.

A figure that could be another without a case noticing is a figure that nobody checked.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policies import load_policies
from dialwarden.policy import parse
from dialwarden.policy.hours import Window
from dialwarden.settings.reader import Table
from dialwarden.settings.report import Report

from .golden import GOLDEN, Campaigns, Case, cases_of, excused, wrong

POLICIES = {name: Campaigns(policy) for name, policy in load_policies().items()}
PACKS = sorted(path.stem for path in GOLDEN.glob("*.toml"))


def test_every_pack_has_its_cases() -> None:
    assert sorted(POLICIES) == PACKS


@pytest.mark.parametrize("case", [case for pack in PACKS for case in cases_of(pack)], ids=str)
def test_golden(case: Case) -> None:
    assert wrong(case, POLICIES[case.policy]) == []


# --- Every figure, changed

# What says where a figure stands, and what is only told.
_WORDS = frozenset({"id", "title", "source", "exempt_source", "extends", "name", "drop"})
# How long proof is kept, and how many calls may fall silent, shows in no verdict.
_SILENT_PARTS = frozenset({"evidence", "silent_share"})
_CHOICES = {
    "regional": ("off", "advisory", "counted"),
    "when": ("always", "unlisted", "automatic"),
    "consent": ("none", "specific", "any"),
    "dial": ("manual", "automatic"),
    "after": ("attempt", "silent"),
}
_PERIOD = re.compile(r"(\d+)( .+)")
_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_MINUTE = 60

Path = tuple[str | int, ...]


def other_values(key: str, value: object) -> Iterator[object]:
    """What a figure might have been instead."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield value - 1
    elif isinstance(value, date):
        yield value + timedelta(1)
        yield value - timedelta(1)
    elif isinstance(value, str):
        yield from other_texts(key, value)


def other_texts(key: str, text: str) -> Iterator[str]:
    if key in _CHOICES:
        yield from (choice for choice in _CHOICES[key] if choice != text)
    elif _WINDOW.fullmatch(text):
        window = Window.parse(text)
        for start, end in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            moved = Window(window.start_s + start * _MINUTE, window.end_s + end * _MINUTE)
            yield str(moved)
    elif match := _PERIOD.fullmatch(text):
        yield f"{int(match[1]) + 1}{match[2]}"
        yield f"{int(match[1]) - 1}{match[2]}"
    elif text.startswith("+"):
        yield text[:-1] + str((int(text[-1]) + 1) % 10)


def changes(node: Any, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Every single change to the regimes of a pack: the place, and what stands there then.

    `None` takes away what stands there.
    """
    items = enumerate(node) if isinstance(node, list) else node.items()
    for key, value in items:
        here = (*path, key)
        if key in _WORDS or key in _SILENT_PARTS:
            continue
        last = next((part for part in reversed(here) if isinstance(part, str)), "")
        if isinstance(value, (dict, list)):
            if len(here) > 1:
                yield here, None
            yield from changes(value, here)
        else:
            if isinstance(key, int):
                yield here, None
            yield from ((here, other) for other in other_values(last, value))


def changed(document: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    node: Any = copied["regimes"]
    for part in path[:-1]:
        node = node[part]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return copied


def told(document: dict[str, Any], path: Path, value: object) -> str:
    """A change as the golden files excuse it: regime, place, new value."""
    names: list[str] = []
    node: Any = document["regimes"]
    for part in path:
        node = node[part]
        if not isinstance(part, int):
            names.append(part)
        elif isinstance(node, dict):
            label = node.get("id") or node.get("name") or node.get("regions") or part
            names.append("+".join(label) if isinstance(label, list) else str(label))
        else:
            names.append(str(node))
    return f"{'.'.join(names)} -> {'nothing' if value is None else value}"


@pytest.mark.timeout(600)  # long where the machine is slow and coverage is measured
@pytest.mark.parametrize("pack", PACKS)
def test_every_figure_matters_to_some_case(pack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = files("dialwarden.policies").joinpath(f"{pack}.toml").read_text("utf-8")
    document = tomllib.loads(text)
    unnoticed = set()
    # Those that noticed the last change of a part notice the next one soonest.
    cases = list(cases_of(pack))
    for path, value in changes(document["regimes"]):
        other = changed(document, path, value)
        monkeypatch.setattr(
            parse, "read_document", lambda _, file, other=other: Table(other, (), Report(file, {}))
        )
        try:
            policy = parse.read_policy(text, "changed.toml")
        except SettingsError:
            continue  # a change that the reading refuses needs no case
        campaigns = Campaigns(policy)
        for place, case in enumerate(cases):
            if wrong(case, campaigns):
                cases.insert(0, cases.pop(place))
                break
        else:
            unnoticed.add(told(document, path, value))
    assert unnoticed == set(excused(pack)), "changes that no case notices, but for those excused"
