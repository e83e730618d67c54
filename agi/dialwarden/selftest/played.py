"""Asterisk's part played by ourselves, where there is none: it asks as the shipped dialplan does.

Owns what Asterisk and the dialplan do with an answer: two seconds to connect, two to answer, the
variables of a whole `SET VARIABLE ARRAY(…)` line, and their test at the end. That this is what the
real ones do is shown by nothing here: it is a second best, and the command says so.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from dialwarden import variables
from dialwarden.selftest.plugs import CAMPAIGN, Told
from dialwarden.wire.agi_command import variables_in

# res/res_agi.c waits so long for a connection, and the dialplan for an answer.
CONNECT_S = 2.0
ANSWER_S = 2.0

_REFUSED = Told("REFUSE", "unavailable", "dialwarden did not answer", agi="SUCCESS")


class PlayedAsterisk:
    """Asks on 127.0.0.1 `port`."""

    def __init__(self, port: int) -> None:
        self._port = port

    def call(self, number: str, *, may_hang: bool = False) -> Told:
        """What the dialplan would make of the answer for a number; `may_hang` changes nothing."""
        began = time.monotonic()
        try:
            conn = socket.create_connection(("127.0.0.1", self._port), CONNECT_S)
        except OSError:
            told = Told(_REFUSED.verdict, _REFUSED.rule, _REFUSED.reason, agi="FAILURE")
        else:
            with conn:
                answered, torn = _ask(conn, number)
                told = Told() if torn else verdict_of(answered)
        return Told(
            told.verdict, told.rule, told.reason, told.left, told.agi,
            cause=21 if told.verdict == "REFUSE" else None, after_s=time.monotonic() - began,
        )  # fmt: skip


def verdict_of(answered: dict[str, str] | None) -> Told:
    """What the shipped dialplan makes of the variables that were set; None: none were."""
    if answered is None:
        return _REFUSED
    verdict, number = answered.get(variables.VERDICT, ""), answered.get(variables.NUMBER, "")
    rule, reason = answered.get(variables.RULE, ""), answered.get(variables.REASON, "")
    if verdict == "ALLOW" and number:
        return Told(verdict, rule, reason, left=True, agi="SUCCESS")
    if verdict == "REFUSE":
        return Told(verdict, rule, reason, agi="SUCCESS")
    why = "dialwarden answered what is no verdict"
    return Told("REFUSE", "unavailable", why, agi="SUCCESS")


def _ask(conn: socket.socket, number: str) -> tuple[dict[str, str] | None, bool]:
    """The variables that were set, and whether a line was begun and left unended."""
    deadline = time.monotonic() + ANSWER_S
    found: dict[str, str] | None = None
    buffer, over = b"", False
    with suppress(OSError):
        conn.sendall(_environment(number))
        while (left := deadline - time.monotonic()) > 0:
            conn.settimeout(left)
            more = conn.recv(4096)
            if not more:
                over = True
                break
            buffer += more
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                answered = variables_in(line + b"\n")
                found = answered or found
                conn.sendall(b"200 result=1\n" if answered else b"510 Invalid or unknown command\n")
    return found, bool(buffer) and not over


def _environment(number: str) -> bytes:
    entries = {
        "network": "yes", "network_script": "check",
        "request": "agi://127.0.0.1/check", "channel": "Local/selftest", "uniqueid": "selftest",
        "arg_1": f"campaign={CAMPAIGN}", "arg_2": f"number={number}",
    }  # fmt: skip
    return "".join(f"agi_{key}: {value}\n" for key, value in entries.items()).encode() + b"\n"
