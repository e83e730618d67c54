"""Dialplans of a few lines, and which of those dial a trunk unasked."""

from __future__ import annotations

from tests.routing.carriers import TRUNKS

from dialwarden.doctor.asking import Reader
from dialwarden.doctor.dialplan_text import read_file

ASK = "Gosub(dialwarden,check,1(${EXTEN},paris))"
LOOK = 'GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)'
DIAL = "Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,60)"


def reader(text: str, *entries: str) -> Reader:
    return Reader(read_file(text), TRUNKS, agi_port=4580, entries=frozenset(entries))


def unasked(text: str, *entries: str) -> list[str]:
    """`EXTEN@CONTEXT`, with a ? behind what cannot be read."""
    return [
        f"{one.extension}@{one.context}{'?' if one.dynamic else ''}"
        for one in reader(text, *entries).unasked()
    ]


def context(*lines: str, name: str = "out", pattern: str = "_X.") -> str:
    steps = "".join(f" same => n,{line}\n" for line in lines)
    return f"[{name}]\nexten => {pattern},1,NoOp()\n{steps}"
