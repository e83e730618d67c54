"""Two trunks, and what demands on them look like in tables of cases."""

from __future__ import annotations

from dataclasses import dataclass

from dialwarden.routing.demand import TWICE, Demand
from dialwarden.routing.trunks import compile_trunks


@dataclass(frozen=True)
class Settings:
    name: str
    channel: str
    dial: tuple[str, ...]
    strip: str = ""


TRUNKS = compile_trunks(
    {
        "carrier": Settings(
            "carrier",
            "PJSIP/carrier",
            ("PJSIP/{number}@carrier", "PJSIP/carrier/sip:{number}@{rest}"),
        ),
        "backup": Settings("backup", "PJSIP/backup", ("PJSIP/{number}@backup",)),
    }
)


def said(demand: Demand) -> str:
    """A demand in one line: the numbers in order, `?` where one cannot be read.

    `(…)` is asked only if it is a telephone number, `later:` stands before what no call is placed
    for now; a problem is its rule in capitals, or TWICE.
    """
    if demand.problem == TWICE:
        return "TWICE"
    if demand.problem:
        return demand.problem[0].upper()
    words = [
        f"({reach.number})" if reach.optional else reach.number or "?" for reach in demand.reaches
    ]
    return ("" if demand.places_call or not words else "later:") + " ".join(words)
