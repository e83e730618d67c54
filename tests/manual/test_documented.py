"""What dialplans and scripts of others rest on is documented; what a page links to is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialwarden import variables
from dialwarden.routing.channel_variables import CAMPAIGN
from dialwarden.settings.config import CONFIG_VARIABLE
from dialwarden.shipped import shipped

ROOT = Path(__file__).parents[2]
DIALPLAN = (ROOT / "docs" / "dialplan.md").read_text()
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]

VARIABLES = sorted(
    value for name, value in vars(variables).items() if name.isupper() and isinstance(value, str)
)


@pytest.mark.parametrize("name", [*VARIABLES, CAMPAIGN])
def test_every_variable_is_in_the_dialplans_page(name: str) -> None:
    assert f"`{name}`" in DIALPLAN


def set_by_the_shipped_dialplan() -> set[str]:
    text = "".join(path.read_text() for path in shipped("asterisk").glob("extensions*.conf"))
    return set(re.findall(r"DIALWARDEN_[A-Z]+", text))


@pytest.mark.parametrize("name", sorted(set_by_the_shipped_dialplan()))
def test_every_variable_of_the_shipped_dialplan_is_told(name: str) -> None:
    assert f"`{name}`" in DIALPLAN


def set_or_read_for_products() -> set[str]:
    texts = (path.read_text() for path in shipped().rglob("*.conf"))
    return {name for text in texts for name in re.findall(r"DIALWARDEN_[A-Z]+", text)}


@pytest.mark.parametrize("name", sorted(set_or_read_for_products()))
def test_every_variable_of_the_files_for_products_is_told(name: str) -> None:
    pages = [*PAGES, *shipped().rglob("README.md")]
    assert any(re.search(rf"\b{name}\b", page.read_text()) for page in pages)


def test_where_the_configuration_is_looked_for_is_in_the_manual() -> None:
    assert CONFIG_VARIABLE in (ROOT / "docs" / "man" / "dialwarden.1").read_text()


def links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            yield target.partition("#")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    missing = [target for target in links(page) if not (page.parent / target).exists()]
    assert missing == []
