"""What text of a peer's may not run, write or set, whatever else it does.

Owns the look for four ways out that no destination tells of: a program on the PBX's own host, a
file in its spool, a contact for a telephone, a variable of ours. Refuses to know actions and
applications; it is handed their words.

Measured on Asterisk 16 and 22, each of these placed a call to a number that nobody had judged:
`Exec(NoOp(${SHELL(asterisk -rx …)}))`, `Set(FILE(…)=…)` into a call file, line by line, and
`DBPut` of `registrar/contact/…`, which gives an inside telephone an outside address. Function names
count in upper case alone (`ast_custom_function_find`). Quotes and backslashes are taken out before
anything is looked for, since Asterisk takes them out on some roads: `ARRAY(DIALWARDEN\\_X)` sets
DIALWARDEN_X.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# What sets variables of ours would pass for our own answer in the dialplan.
RESERVED: Final = "DIALWARDEN_"

_NOISE = re.compile(r"[\"'\\\x00-\x1f\x7f]")
_PROGRAM = re.compile(r"(?<!\w)SHELL\s*\(|MONITOR_EXEC")  # what res_monitor runs when it is done
_FILE = re.compile(r"(?<!\w)(?:FILE|REALTIME(?:_STORE|_DESTROY)?)\s*\(")
# Where PJSIP, SIP and IAX2 keep the addresses of who registered.
_REGISTRY: Final = ("registrar/", "sip/registry/", "iax/registry/")
_CONTACT = re.compile(r"(?<!\w)DB\s*\(\s*/*(?:registrar|sip/+registry|iax/+registry)\W", re.I)
# A name or an argument that is known only when another has been replaced.
_COMPOSED = re.compile(r"(?<!\w)EVAL\s*\(|\$[{\[][^}\]]*\$[{\[]")
# What becomes of a recording: a program and its arguments, which no shell can read otherwise.
_PLAIN_PROGRAM = re.compile(r"[\w./^{}, :=@+%-]*", re.ASCII)
# Programs that run what they are told, or speak to Asterisk, and the folder that it calls from.
_TELLS = re.compile(
    r"(?<![\w-])(?:"
    r"[a-z]*sh|busybox|r?asterisk|python[\d.]*|perl[\d.]*|php[\d.]*|ruby|lua[\d.]*|node|tclsh|"
    r"[gmn]?awk|xargs|env|sudo|su|nohup|setsid|timeout|find|eval|exec|source|curl|wget|nc|ncat|"
    r"netcat|socat|telnet|at|batch|crontab"
    r")(?![\w-])|outgoing",
    re.ASCII,
)
_PLAIN_VARIABLE = re.compile(r"\$\{\w+\}", re.ASCII)


def names_ours(text: str) -> bool:
    """Whether a text names, or may come to name, a variable of ours."""
    return RESERVED in _NOISE.sub("", text).upper()


def holds_value(text: str) -> bool:
    """Whether a text holds what Asterisk would put a value in the place of."""
    return "${" in text or "$[" in text


def holds_plain_values(text: str) -> bool:
    """Whether all such places are variables' alone: no function runs, no name is put together."""
    return not holds_value(_PLAIN_VARIABLE.sub("", text))


def tampering(texts: Iterable[str], *, evaluated: bool) -> str:
    """What texts would do behind the PBX's back, to stand after "it"; "" when nothing is seen.

    Args:
        evaluated: Asterisk may put values in the place of variables in them.
    """
    for text in texts:
        text = _NOISE.sub("", text)
        if _PROGRAM.search(text):
            return "runs a program, which may call anybody"
        if _FILE.search(text):
            return "writes to a file or a database, where a call may come from"
        if _CONTACT.search(text):
            return "sets where a telephone is registered"
        if evaluated and _COMPOSED.search(text):
            return "puts together what is to be run, so that it is not known here"
    return ""


def is_plain_program(command: str) -> bool:
    """Whether a command line does one thing, and that is not to run another or to call somebody."""
    # MixMonitor writes ^{…} for ${…}.
    return bool(_PLAIN_PROGRAM.fullmatch(command)) and not _TELLS.search(command)


def is_contact(family: str, key: str) -> bool:
    """Whether an entry of Asterisk's database is the address of who registered."""
    path = re.sub(r"/+", "/", f"{family}/{key}").lstrip("/").lower()
    return path.startswith(_REGISTRY)
