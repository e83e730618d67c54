"""The files shipped for an admin to take: the configuration, the dialplan, what products need.

Owns where they are: `config/` of the sources, which the package holds as `templates` (a link in the
sources, a folder in a wheel). Refuses to know what is in any of them.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def shipped(name: str = "") -> Path:
    """A shipped file or folder by its path below `config/`; without one, all of them."""
    return Path(str(files("dialwarden") / "templates")) / name
