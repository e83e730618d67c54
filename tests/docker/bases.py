"""What the images are built on where no registry is: Debian roots, made once a machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.debian import DebianUnavailableError, Recipe, Say, cached_root

NAME = "python-bookworm"


def python_root(say: Say) -> Path:
    """A Debian 12 root with Python and its venv module, as python:slim has them.

    Raises:
        DebianUnavailableError: it cannot be made here.
    """
    recipe = Recipe(
        name=NAME,
        suite="bookworm",
        packages=("python3", "python3-venv"),
        instead="set DIALWARDEN_NO_IMAGES=1 to run the other tests only",
        check=_expect_python,
    )
    return cached_root(recipe, say)


def _expect_python(made: Path) -> None:
    command = ["chroot", str(made), "python3", "-c", "import venv, ensurepip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DebianUnavailableError(f"the Python of {made} cannot be used: {done.stderr}")
