"""Refusals, each with its reasons, and the calls that an exempt list let pass unjudged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dialwarden.ledger.basis import EVIDENCE
from dialwarden.ledger.connection import instant, maybe_instant, maybe_micros, micros
from dialwarden.ledger.evidence import bounded
from dialwarden.ledger.listing import Reading, Where, as_is, e164, listed
from dialwarden.question import Door
from dialwarden.verdict import Rule


@dataclass(frozen=True, slots=True)
class NewRefusal:
    """A question that was answered with REFUSE.

    Attributes:
        number: None when what was dialled is no number.
        dialled: the number as the asker wrote it; kept up to 128 characters.
        rules: every failing rule, in the order of reports; at least one.
        findings: what `findings_text` makes of them.
        would: shadow mode, the call was let go.
    """

    at: datetime
    number: int | None
    dialled: str
    rules: Sequence[Rule]
    findings: str
    door: Door
    professional: str = ""
    campaign: str = ""
    call: str = ""
    asked_by: str = ""
    next: datetime | None = None
    would: bool = False
    basis_id: int | None = None


def record(conn: sqlite3.Connection, new: NewRefusal) -> int:
    """Record a refusal; returns its id, greater than every id before."""
    cursor = conn.execute(
        "INSERT INTO refusal (at, number, dialled, professional, campaign, door, call, asked_by,"
        " rule, rules, findings, next, would, basis_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            micros(new.at),
            new.number,
            bounded(new.dialled),
            new.professional,
            bounded(new.campaign),
            new.door.value,
            bounded(new.call),
            bounded(new.asked_by),
            new.rules[0].value,
            "&".join(new.rules),
            new.findings,
            maybe_micros(new.next),
            new.would,
            new.basis_id,
        ),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def findings_text(findings: Sequence[Mapping[str, object]]) -> str:
    """The findings of a refusal as they are kept.

    Args:
        findings: one mapping a failing rule, for people and programs: rule, reason (the rendered
            sentence), key, values, until, source. Instants and dates are kept in ISO 8601.
    """
    text = json.dumps(findings, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace").decode()


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


_COLUMNS: dict[str, Reading] = {
    "refusal.id": as_is,
    "at": instant,
    "number": e164,
    "dialled": as_is,
    "professional": as_is,
    "campaign": as_is,
    "door": as_is,
    "call": as_is,
    "asked_by": as_is,
    "rule": as_is,
    "rules": as_is,
    "findings": json.loads,
    "next": maybe_instant,
    "would": bool,
    **EVIDENCE,
}


# What was dialled, without what people write between digits.
_DIGITS = "dialled"
for _mark in " ()-./+":
    _DIGITS = f"replace({_DIGITS}, '{_mark}', '')"


def list_refusals(
    conn: sqlite3.Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    rule: Rule | None = None,
    campaign: str | None = None,
    number: int | None = None,
    door: Door | None = None,
    would: bool | None = None,
    dialled_as: Collection[str] = (),
    after_id: int | None = None,
) -> Iterator[dict[str, object]]:
    """The refusals that match, in the order of recording; streams.

    `since` is inclusive, `until` is not; `rule` finds those where it failed, first or not;
    `would` the calls that were let go all the same (True), or were not (False). `dialled_as`, with
    `number`, finds also those of which no number is on record, and these digits were dialled.
    `after_id` continues where a former listing ended. `findings` comes back as a list,
    instants aware and in UTC, `number` E.164 with its + or "".
    """
    where = Where()
    where.above("refusal.id", after_id)
    where.at_least("at", since and micros(since))
    where.below("at", until and micros(until))
    where.listed_in("rules", rule and rule.value)
    where.equal("campaign", campaign)
    if dialled_as and number is not None:
        where.that(dialled_so(dialled_as), (number, *dialled_as))
    else:
        where.equal("number", number)
    where.equal("door", door)
    where.equal("would", would)
    tables = "refusal LEFT JOIN basis ON basis.id = basis_id"
    return listed(conn, _COLUMNS, tables, where, order="refusal.id")


def dialled_so(forms: Collection[str]) -> str:
    """SQL: a refusal is of a number (bound first), or of none and was dialled in one of the forms.

    Of those that have no number each is looked at, in an index that has no others.
    """
    marks = ", ".join("?" * len(forms))
    return (
        "refusal.id IN (SELECT id FROM refusal WHERE number = ? UNION ALL"
        f" SELECT id FROM refusal WHERE number IS NULL AND {_DIGITS} IN ({marks}))"
    )


_EXEMPT_COLUMNS: dict[str, Reading] = {
    "id": as_is,
    "at": instant,
    "number": e164,
    "list": as_is,
    "campaign": as_is,
    "door": as_is,
    "call": as_is,
    "asked_by": as_is,
}


def list_exempt_calls(conn: sqlite3.Connection, *, number: int) -> Iterator[dict[str, object]]:
    """The calls of a number that an exempt list let pass, in no particular order; streams.

    There is no index of numbers: each call is looked at.
    """
    where = Where()
    where.equal("number", number)
    return listed(conn, _EXEMPT_COLUMNS, "exempt_call", where)


def record_exempt(
    conn: sqlite3.Connection,
    *,
    at: datetime,
    call: str,
    number: int,
    listed_in: str,
    campaign: str = "",
    door: Door,
    asked_by: str = "",
) -> bool:
    """Note that an exempt list let a call pass; False when it was noted for this call before."""
    noted = conn.execute(
        "INSERT INTO exempt_call (at, call, number, list, campaign, door, asked_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            micros(at),
            bounded(call),
            number,
            listed_in,
            bounded(campaign),
            door.value,
            bounded(asked_by),
        ),
    )
    return noted.rowcount > 0
