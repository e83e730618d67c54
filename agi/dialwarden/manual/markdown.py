"""docs/configuration.md and docs/options.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from dialwarden.manual.commands import PROGRAM, Command
from dialwarden.manual.settings import Key, Section

_WIDTH = 119
_WRITTEN = "<!-- Written by `make manual` from the code; what is changed here is lost. -->"

_CONFIGURATION = f"""\
# Configuration

{_WRITTEN}

One TOML file: `--config FILE`, else `$DIALWARDEN_CONFIG`, else `./dialwarden.toml`, else
`/etc/dialwarden/dialwarden.toml`. `dialwarden init` writes one with every section commented.
Every section may be left out. A key that is unknown or wrong stops the start, with its file and
line, what was found and what is allowed.

Relative paths begin at the file's own folder. Secrets come from a file or the environment, never
from the command line. `kill -HUP` makes a running bridge read the file again; the column *from*
says what it takes then (`reload`), and what only a bridge that starts anew takes (`restart`).
"""

_OPTIONS = f"""\
# Every command and its options

{_WRITTEN}

What `dialwarden COMMAND --help` prints, in one page. What the commands are for, their files and
their JSON: [commands.md](commands.md). `dialwarden completion bash` prints what a shell completes
them with; `man dialwarden` has this page too. Each takes `-h`, `--help`.
"""


def configuration(sections: Iterable[Section]) -> str:
    """The reference of the configuration."""
    parts = [_CONFIGURATION]
    for section in sections:
        parts.append(f"## [{section.name}]\n\n{_wrapped(section.about)}\n")
        rows = "\n".join(map(_row, section.keys))
        parts.append(f"| key | takes | default | from | |\n|---|---|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _row(key: Key) -> str:
    default = "required" if key.required else f"`{key.default}`" if key.default else "none"
    effect = "restart" if key.restart else "reload"
    cells = (f"`{key.name}`", _cell(key.takes), _cell(default), effect, _cell(key.help))
    return f"| {' | '.join(cells)} |"


def options(commands: Iterable[Command]) -> str:
    """The reference of the commands."""
    parts = [_OPTIONS]
    for command in commands:
        parts.append(f"## {PROGRAM} {command.words}\n")
        parts.append(f"    {PROGRAM} {command.words} {command.usage}\n")
        parts += [_paragraph(text) for text in command.paragraphs]
        rows = "\n".join(f"| `{_cell(name)}` | {_cell(help_)} |" for name, help_ in command.options)
        if rows:
            parts.append(f"| option | |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def _paragraph(text: str) -> str:
    first, _, rest = text.partition("\n")
    if first.strip() == "\b":
        return textwrap.indent(textwrap.dedent(rest), "    ") + "\n"
    return _wrapped(text) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), _WIDTH, break_on_hyphens=False)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
