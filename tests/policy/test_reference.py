"""The reference of the format, docs/policies.md, held against the reader of it."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest

import dialwarden.policy
from dialwarden.policies import load_policies
from dialwarden.policy.lint import lint

REFERENCE = Path(__file__).parents[2] / "docs" / "policies.md"
PACKAGE = Path(dialwarden.policy.__file__).parent


def examples() -> list[str]:
    """The indented blocks that are whole files."""
    blocks = re.findall(r"(?:^    .*\n|^\n)+", REFERENCE.read_text("utf-8"), re.MULTILINE)
    texts = ["".join(line[4:] or "\n" for line in block.splitlines(True)) for block in blocks]
    return [text.strip() + "\n" for text in texts if text.strip().startswith("id = ")]


@pytest.mark.parametrize("text", examples(), ids=["whole", "extending"])
def test_an_example_is_read_without_a_doubt(text: str) -> None:
    name = text.split('"')[1]
    bases = load_policies()
    found = lint(text, f"{name}.toml", bases=bases, taken=bases, today=date(2026, 11, 22))
    assert (found.errors, found.warnings) == ((), ())


def keys_read() -> set[str]:
    """Every key that the reader asks a table for by name."""
    keys = set()
    for module in ("parse.py", "parts.py", "words.py"):
        for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
            # table.text("name", …), self._citation(table, "exempt_source", …)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                keys |= {
                    argument.value
                    for argument in node.args[:2]
                    if isinstance(argument, ast.Constant)
                    and isinstance(argument.value, str)
                    and node.func.attr in READING
                }
    return keys - {""}


READING = {
    "array", "boolean", "choice", "day", "days", "integer", "items", "members", "parsed",
    "strings", "table", "tables", "text", "texts", "_citation",
}  # fmt: skip


def test_every_key_that_is_read_stands_in_the_reference() -> None:
    text = REFERENCE.read_text("utf-8")
    keys = keys_read()
    assert len(keys) > 40
    assert [
        key for key in sorted(keys) if not re.search(rf"[`\[.]{key}\b|^    {key} =", text, re.M)
    ] == []
