"""The commands after an install: run on the console of the Asterisk that is here, and looked at.

Owns how a command of a flavour is run: without a shell, for so long at most, `asterisk` in it
exchanged for what reaches the console here (`docker exec pbx asterisk`).
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from dialwarden.install.manifest import Check

_LONGEST_S = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command.

    Attributes:
        good: it ended with 0 and, of a check, its output held what was expected.
        told: one line of what it said, or what was missing.
    """

    command: str
    good: bool
    told: str


def answers(asterisk: str) -> Outcome:
    """Whether an Asterisk runs here."""
    return run("asterisk -rx 'core show version'", asterisk)


def run(command: str, asterisk: str, expect: str = "") -> Outcome:
    """Run a command, and look for what is expected in its output."""
    words = words_of(command, asterisk)
    told = shlex.join(words)
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_S,
            check=False,
        )
    except OSError as error:
        return Outcome(told, False, f"cannot be run ({error.strerror})")
    except subprocess.TimeoutExpired:
        return Outcome(told, False, f"no end within {_LONGEST_S:.0f} s")
    output = done.stdout.decode("utf-8", "replace").strip()
    first = output.splitlines()[0] if output else ""
    if done.returncode:
        return Outcome(told, False, f"ended with {done.returncode}: {first}")
    if expect and expect not in output:
        return Outcome(told, False, f"no {expect!r} in what it said: {first}")
    return Outcome(told, True, first)


def run_checks(checks: Sequence[Check], asterisk: str) -> list[Outcome]:
    """Run every check."""
    return [run(check.command, asterisk, check.expect) for check in checks]


def words_of(command: str, asterisk: str) -> list[str]:
    """A command's words, with what reaches the console here in place of `asterisk`."""
    words = shlex.split(command)
    return [*shlex.split(asterisk), *words[1:]] if words and words[0] == "asterisk" else words
