"""What a reload takes and what waits for a restart: bridge and reference say the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialwarden.policies import load_policies
from dialwarden.settings.config import Config, read_config
from dialwarden.settings.effect import changed_for_a_restart, waits_for_a_restart

TEXT = b'[ami]\nusername = "dialwarden"\nsecret = "x"\n'
CONFIG = read_config(TEXT, Path("x.toml"), {}).resolve(load_policies())
ALONE = ("store", "agi", "ami", "gateway", "guard", "http", "log", "defaults", "policies",
         "retention")  # fmt: skip


def changed(section: str, field: str) -> Config:
    """The configuration with another value there."""
    values: dict[str, Any] = {field: object()}
    other: dict[str, Any] = {section: dataclasses.replace(getattr(CONFIG, section), **values)}
    return dataclasses.replace(CONFIG, **other)


def every_setting() -> Iterator[tuple[str, str, str]]:
    """Section, field, and its key in the file."""
    for section in ALONE:
        for field in dataclasses.fields(getattr(CONFIG, section)):
            yield section, field.name, field.metadata.get("key") or field.name


@pytest.mark.parametrize(("section", "field", "key"), list(every_setting()))
def test_the_bridge_warns_of_what_the_reference_calls_a_restart(
    section: str, field: str, key: str
) -> None:
    told = list(changed_for_a_restart(CONFIG, changed(section, field)))
    assert [name.split("]")[0] for name in told] == (
        [f"[{section}"] if waits_for_a_restart(section, key) else []
    )


def test_what_did_not_change_is_not_told() -> None:
    assert list(changed_for_a_restart(CONFIG, CONFIG)) == []
