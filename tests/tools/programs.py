"""Programs of other projects' that judge what we ship for them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"


def run(
    program: str, *arguments: str | Path, stdin: str = "", cwd: Path | None = None
) -> tuple[int, str]:
    """Run one; its exit status, and all that it said. A program that is missing fails the test."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    found = shutil.which(program, path=path)
    if found is None:
        pytest.fail(f"{program} is not installed: .ci/tools.sh installs it")
    done = subprocess.run(
        [found, *map(str, arguments)], input=stdin, text=True, cwd=cwd, check=False, timeout=50,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
    )  # fmt: skip
    return done.returncode, done.stdout
