"""The AGI environment: what Asterisk says of a call before it waits for the first command.

Owns the reading of the lines up to the blank one. Refuses to know which scripts and keys exist:
whoever answers does.

The grammar, from Asterisk's res/res_agi.c (`launch_netscript`, `setup_env`):

    environment = "agi_network: yes" LF
                  [ "agi_network_script: " script LF ]   ; what follows the host in the URL
                  "agi_request: " url LF
                  *( "agi_" name ": " value LF )          ; channel, uniqueid …
                  *( "agi_arg_" n ": " argument LF )      ; n = 1, 2, … the last lines of all
                  LF

Values go out unescaped, so a line end in a value (in a variable that became an argument, in a
caller's name set by a script) makes lines of its own. What can be told from a true environment is
refused: an entry that comes twice, an argument out of turn, a line that is no entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from dialwarden.wire.errors import Fault, RemoteProtocolError, TooLong

# Asterisk fills an application's data into 8192 bytes (main/pbx.c, EXT_DATA_SIZE): no argument,
# URL or script can be longer. The rest is for the entry's own name.
LINE_LIMIT_BYTES = 8192 + 256
# The URL comes twice (as request and as script) and shares those 8192 bytes with the arguments;
# the other twenty entries are names and numbers, 600 bytes in practice.
ENVIRONMENT_LIMIT_BYTES = 32 * 1024
# AGI() takes at most 128 arguments (MAX_ARGS), beside 22 entries; a few for versions to come.
ENVIRONMENT_LIMIT_LINES = 192

# Every environment begins so: what does not is told apart by its first bytes.
OPENING = b"agi_"
_ARGUMENT = "agi_arg_"
_BLANK_LINE = "\n\n"


# One request is one event, and equal only to itself. Not frozen: that would double what it costs to
# make one.
@dataclass(slots=True, eq=False)
class AgiRequest:
    """One question, as it stood in the environment. Text is UTF-8; other bytes are surrogates.

    Attributes:
        script: what follows the host in the URL, up to a `?`; "" when there was none.
        arguments: key to value, in the order given, from the query string and then from the
            arguments; of a key given twice the first value.
        faults: why the arguments cannot be trusted, a printable sentence each: a key given twice, a
            word that is no `key=value` (the torn half of a value with a comma). A question with
            faults is ambiguous: whoever answers it must refuse.
        uniqueid, channel: of the asking channel; "" when they were missing.
        size: bytes of the environment, its blank line among them.
        answer: what whoever answers wants to find again when it hears of the request once more.
    """

    script: str
    arguments: Mapping[str, str]
    faults: tuple[Fault, ...]
    uniqueid: str
    channel: str
    size: int
    answer: object = None


# What Asterisk 16 to 22 send, in their order (res/res_agi.c, `setup_env`): read by one expression,
# a third of what it takes to read any environment. The property tests hold that both read alike.
_ENTRIES = (
    "request", "channel", "language", "type", "uniqueid", "version", "callerid", "calleridname",
    "callingpres", "callingani2", "callington", "callingtns", "dnid", "rdnis", "context",
    "extension", "priority", "enhanced", "accountcode", "threadid",
)  # fmt: skip
_READ = ("channel", "uniqueid")
_USUAL = re.compile(
    "agi_network: yes\n(?:agi_network_script: ([^\n?]*)\n)?"
    + "\n".join(f"agi_{name}: " + ("([^\n]*)" if name in _READ else "[^\n]*") for name in _ENTRIES)
    + f"((?:\n{_ARGUMENT}[^\n]*)*)"
)
# Fewer bytes than these no such environment has, whatever stands in it.
SHORTEST_BYTES = len("agi_network: yes\n\n") + sum(len(f"agi_{name}: \n") for name in _ENTRIES)


def read_environment(block: bytes | bytearray) -> AgiRequest:
    """Give the request that an environment makes; `block` ends before the blank line.

    Raises:
        TooLong: more lines, or a longer line, than Asterisk ever sends.
        RemoteProtocolError: a line that is no entry, an entry that comes twice, an argument out of
            turn.
    """
    # A caller's name may be Latin-1: it must neither matter nor be lost.
    text = block.decode("utf-8", "surrogateescape")
    return _read_usual(text, len(block)) or _read_any(text, block)


def _read_usual(text: str, size: int) -> AgiRequest | None:
    """The request of an environment as Asterisk makes them; None for any other."""
    if len(text) > LINE_LIMIT_BYTES // 4:  # a character is at most four bytes
        return None
    usual = _USUAL.fullmatch(text)
    if usual is None:
        return None
    script, channel, uniqueid, lines = usual.groups("")
    words = lines.split("\n" + _ARGUMENT)
    for n in range(1, len(words)):
        index, _, word = words[n].partition(": ")
        if index != str(n):
            return None
        words[n] = word
    arguments, faults = _read_words(words)
    return AgiRequest(script, arguments, faults, uniqueid, channel, size + len(_BLANK_LINE))


def _read_any(text: str, block: bytes | bytearray) -> AgiRequest:
    lines = text.split("\n")
    if len(lines) > ENVIRONMENT_LIMIT_LINES:
        raise TooLong("AGI environment", len(lines), ENVIRONMENT_LIMIT_LINES, "lines")
    if len(block) > LINE_LIMIT_BYTES:
        _refuse_long_line(block)
    try:
        entries = dict([line.split(": ", 1) for line in lines])
    except ValueError:
        raise _no_entry(lines) from None
    if len(entries) != len(lines):
        raise RemoteProtocolError(
            f"AGI environment has {len(lines) - len(entries)} entries twice", bytes(block)
        )
    last = _last_lines_of_arguments(lines)
    words = [entries.get(f"{_ARGUMENT}{n}") for n in range(1, last + 1)]
    if None in words or text.count("\n" + _ARGUMENT) != last:
        raise RemoteProtocolError("AGI arguments are out of turn", bytes(block))
    script, query, tail = entries.get("agi_network_script", "").partition("?")
    asked = _query_words(tail) if query else []
    arguments, faults = _read_words([*asked, *filter(None, words)])
    return AgiRequest(
        script,
        arguments,
        faults,
        entries.get("agi_uniqueid", ""),
        entries.get("agi_channel", ""),
        len(block) + len(_BLANK_LINE),
    )


def _refuse_long_line(block: bytes | bytearray) -> None:
    longest = max(map(len, block.split(b"\n")))
    if longest > LINE_LIMIT_BYTES:
        raise TooLong("AGI environment line", longest, LINE_LIMIT_BYTES)


def _no_entry(lines: list[str]) -> RemoteProtocolError:
    wrong = next(line for line in lines if ": " not in line)
    return RemoteProtocolError(
        'AGI environment line is no "name: value"', wrong.encode("utf-8", "surrogateescape")
    )


def _last_lines_of_arguments(lines: list[str]) -> int:
    """How many lines at the end are arguments."""
    first = len(lines)
    while first and lines[first - 1].startswith(_ARGUMENT):
        first -= 1
    return len(lines) - first


def _query_words(query: str) -> list[str]:
    """The `key=value` words of a query string, percent-decoded.

    A `+` stays a `+`: the dialplan writes numbers into the URL as they are.
    """
    return [unquote(word, errors="surrogateescape") for word in query.split("&") if word]


def _read_words(words: list[str]) -> tuple[dict[str, str], tuple[Fault, ...]]:
    """Split `key=value` words at the first `=`; give the arguments and what is wrong with them."""
    arguments: dict[str, str] = {}
    faults: list[Fault] = []
    for word in words:
        key, equals, value = word.partition("=")
        key = key.strip()
        if not equals:
            # An empty word is an optional part of a dialplan line that was left empty.
            if key:
                told = {"word": ascii(key[:40])}
                faults.append(Fault("{word} is no key=value (a value may hold no comma)", told))
        elif key in arguments:
            faults.append(Fault("{word} is given twice", {"word": ascii(key[:40])}))
        else:
            arguments[key] = value.strip()
    return arguments, tuple(faults)
