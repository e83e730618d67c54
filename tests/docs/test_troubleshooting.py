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
TEXT = " ".join((PACKAGE.parents[1] / "docs" / "troubleshooting.md").read_text().split())

# Placeholders of %-formatting; what stands between them is the same in every line.
_PLACE = re.compile(r"%(?:\.\d+)?[sdrgafo]|\n")
_LEAST = 8  # characters that tell a message from others


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


def tellings(message: str) -> list[str]:
    """The parts of a message by which it can be looked up."""
    parts = [" ".join(part.split()).strip(" ;:,()") for part in _PLACE.split(message)]
    return [part for part in parts if len(part) >= _LEAST]


MESSAGES = [(place, said) for place, said in messages() if tellings(said)]


def test_there_are_messages_to_look_up() -> None:
    assert len(MESSAGES) > 60


@pytest.mark.parametrize(("place", "said"), MESSAGES, ids=[place for place, _ in MESSAGES])
def test_every_warning_and_error_can_be_looked_up(place: str, said: str) -> None:
    found = [part for part in tellings(said) if any(piece in TEXT for piece in pieces(part))]
    assert found, f"{place} says {said!r}, which docs/troubleshooting.md does not have"


def pieces(part: str) -> list[str]:
    """A part whole, or up to a comma or bracket: what follows says more of the same."""
    cuts = [part, *(part.rpartition(mark)[0] for mark in (";", "(", ",", ":", " `"))]
    return [cut.strip(" ,;(") for cut in cuts if len(cut.strip(" ,;(")) >= _LEAST]


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_that_refuses_can_be_looked_up(rule: Rule) -> None:
    assert f"`{rule.value}`" in TEXT
