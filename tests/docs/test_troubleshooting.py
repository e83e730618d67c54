"""Whoever looks a warning or an error of the log up in docs/troubleshooting.md finds it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dialwarden
from dialwarden.verdict import Rule

PACKAGE = Path(dialwarden.__file__).parent
PAGE = (PACKAGE.parents[1] / "docs" / "troubleshooting.md").read_text()
# What is looked up stands in the first column.
LOOKED_UP = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| ")]

_LEAST = 10  # characters that tell a message from others


def messages() -> Iterator[tuple[str, str]]:
    """Where it is, and the message, of each warning and error without a traceback."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                # A warning of SeldomLog names its kind before the message.
                seldom = ast.unparse(node.func.value).endswith("seldom")
                at = 1 if seldom else 0
                if node.func.attr in {"warning", "error"} and len(node.args) > at:
                    said = node.args[at]
                    if isinstance(said, ast.Constant) and isinstance(said.value, str):
                        place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                        has_traceback = any(word.arg == "exc_info" for word in node.keywords)
                        if not has_traceback:
                            yield place, said.value


def tells(text: str) -> bool:
    """Whether a message, without what differs, has enough to be told from others."""
    return len(re.sub("[…;:,() ]+", "", text)) >= _LEAST


def forms() -> list[re.Pattern[str]]:
    """The messages of the page; `…` is anything."""
    written = [form for cell in LOOKED_UP for form in re.findall("`([^`]+)`", cell)]
    return [
        re.compile(".*".join(map(re.escape, form.split("…"))), re.DOTALL)
        for form in written
        if tells(form)
    ]


FORMS = forms()
# Of some all words come from elsewhere: a cause, which the line they stand in explains.
MESSAGES = [(place, said) for place, said in messages() if tells(re.sub("%[0-9.]*[a-z]", "", said))]


def test_there_are_messages_to_look_up() -> None:
    assert len(MESSAGES) > 60


@pytest.mark.parametrize(("place", "said"), MESSAGES, ids=[place for place, _ in MESSAGES])
def test_every_warning_and_error_can_be_looked_up(place: str, said: str) -> None:
    found = any(form.search(said.replace("`", "")) for form in FORMS)
    assert found, f"{place} says {said!r}, which docs/troubleshooting.md does not have"


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_that_refuses_can_be_looked_up(rule: Rule) -> None:
    assert any(f"`{rule.value}`" in cell for cell in LOOKED_UP)
