"""`python -m dialwarden.manual DIR` writes the pages below DIR, the folder docs/ of the sources."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from dialwarden.manual.commands import about, all_commands
from dialwarden.manual.markdown import configuration, options
from dialwarden.manual.roff import commands_page, configuration_page
from dialwarden.manual.settings import all_sections


def pages() -> Mapping[str, str]:
    """Every page by its path below docs/."""
    commands = tuple(all_commands())
    sections = tuple(all_sections())
    return {
        "configuration.md": configuration(sections),
        "options.md": options(commands),
        "man/dialwarden.1": commands_page(about(), commands),
        "man/dialwarden.toml.5": configuration_page(sections),
    }


def write(folder: Path) -> None:
    """Write every page that is not as it should be."""
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"written: {path}")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
