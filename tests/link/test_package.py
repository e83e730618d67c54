"""Where panoramisk may be imported, and that it may be imported there without a loop."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import dialwarden

PACKAGE = Path(dialwarden.__file__).parent


def imports_panoramisk(path: Path) -> bool:
    names = [
        name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    ]
    return any(name.split(".")[0] == "panoramisk" for name in names)


def test_panoramisk_is_imported_by_the_link_alone() -> None:
    using = {
        path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if imports_panoramisk(path)
    }
    assert using == {Path("link/manager.py"), Path("link/protocol.py")}


def test_importing_and_making_a_link_needs_no_loop() -> None:
    program = """
from dialwarden.link.connection import AmiLink, LinkSettings
async def up(): ...
AmiLink(LinkSettings("127.0.0.1", 1, "u", "s"), on_event=print, on_up=up, on_down=print)
"""
    subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:dialwarden", "-c", program],
        check=True, env={"PYTHONPATH": str(PACKAGE.parent)},
    )  # fmt: skip
