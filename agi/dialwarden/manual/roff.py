"""dialwarden(1) and dialwarden.toml(5), as `man` reads them: groff's man macros."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from dialwarden import __version__
from dialwarden.manual.commands import PROGRAM, Command
from dialwarden.manual.settings import Key, Section

_WIDTH = 72
_COMMANDS_END = f"""\
.SH EXIT STATUS
.TP
.B 0
Done, allowed, listed.
.TP
.B 1
Refused; a check failed; the ledger does not answer.
.TP
.B 2
Wrong flags, files or configuration.
.SH ENVIRONMENT
.TP
.B DIALWARDEN_CONFIG
The configuration file, where no
.B \\-\\-config
names one.
.SH FILES
.TP
.I /etc/dialwarden/dialwarden.toml
The configuration, where neither names one and
.I ./dialwarden.toml
is not there.
.SH SEE ALSO
.BR {PROGRAM}.toml (5),
.BR asterisk (8)
"""
_CONFIGURATION = """\
.SH NAME
dialwarden.toml \\- the configuration of dialwarden
.SH DESCRIPTION
One TOML file, read at the start and again on
.BR SIGHUP .
Every section may be left out. Relative paths begin at the file's own
folder. A key that is unknown or wrong stops the start, with its line,
what was found and what is allowed.
.PP
What is marked
.I restart
is only taken by a bridge that starts anew; the rest by one that reads
its file again.
"""


def commands_page(about: Iterable[str], commands: Iterable[Command]) -> str:
    """dialwarden(1)."""
    first, *more = about
    lines = [_header(PROGRAM, 1, "User Commands"), ".SH NAME"]
    lines.append(f"{PROGRAM} \\- a call\\-permission gate for Asterisk")
    lines += [".SH SYNOPSIS", f".B {PROGRAM}", ".I COMMAND", "[OPTIONS]", ".SH DESCRIPTION"]
    lines.append(_text(first))
    for text in more:
        lines += [".PP", _text(text)]
    lines.append(".SH COMMANDS")
    for command in commands:
        lines += _command(command)
    return "\n".join(lines) + "\n" + _COMMANDS_END


def _command(command: Command) -> Iterable[str]:
    yield f'.SS "{_line(f"{PROGRAM} {command.words} {command.usage}")}"'
    for place, text in enumerate(command.paragraphs):
        first, _, rest = text.partition("\n")
        if first.strip() == "\b":
            yield from (".PP", ".nf", *map(_line, rest.splitlines()), ".fi")
            continue
        if place:
            yield ".PP"
        yield _text(text)
    for name, help_ in command.options:
        yield from (".TP", f".B {_line(name)}", _text(help_))


def configuration_page(sections: Iterable[Section]) -> str:
    """dialwarden.toml(5)."""
    lines = [_header("dialwarden.toml", 5, "File Formats"), _CONFIGURATION.rstrip("\n")]
    for section in sections:
        lines += [f'.SH "[{_line(section.name)}]"', _text(section.about)]
        for key in section.keys:
            lines += [".TP", f".B {_line(key.name)}", _text(_told(key))]
    lines += [".SH SEE ALSO", f".BR {PROGRAM} (1)"]
    return "\n".join(lines) + "\n"


def _told(key: Key) -> str:
    default = (
        "required" if key.required else f"default {key.default}" if key.default else "no default"
    )
    restart = "; restart" if key.restart else ""
    return f"{key.help} Takes {key.takes}; {default}{restart}."


def _header(name: str, section: int, volume: str) -> str:
    # No date: the page is the same for the same version.
    return f'.TH {name.upper()} {section} "" "dialwarden {__version__}" "{volume}"\n.ad l\n.nh'


def _text(text: str) -> str:
    """A paragraph, in lines as `mandoc -T lint` likes them."""
    plain = " ".join(text.split()).replace("`", "")
    return "\n".join(map(_line, textwrap.wrap(plain, _WIDTH, break_on_hyphens=False)))


def _line(text: str) -> str:
    """A line of text, none of which is taken for a request; option's dashes stay dashes."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
