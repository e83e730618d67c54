"""The files shipped for an admin to take: the configuration, the dialplan, what products need.

Owns where they are: `config/` of the sources, which the package holds as `templates` (a link in the
sources, a folder in a wheel). Refuses to know what is in any of them.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from dialwarden.errors import InstallRefused


def shipped(name: str = "") -> Path:
    """A shipped file or folder by its path below `config/`; without one, all of them.

    Raises:
        InstallRefused: none were installed with the program.
    """
    folder = Path(str(files("dialwarden") / "templates"))
    if folder.is_file():
        # A link, as git writes it where the file system has none.
        folder = folder.parent / folder.read_text("utf-8").strip()
    if not folder.is_dir():
        raise InstallRefused(
            str(folder), "the files that are shipped are not there",
            "install dialwarden anew, from its wheel or its source archive",
        )  # fmt: skip
    return folder / name
