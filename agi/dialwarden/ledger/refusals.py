"""Refusals, each with its reasons, and the calls that an exempt list let pass unjudged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dialwarden.ledger.connection import instant, maybe_instant, maybe_micros, micros
from dialwarden.ledger.evidence import bounded
from dialwarden.ledger.filters import Where, e164
from dialwarden.question import Door
from dialwarden.verdict import Rule


@dataclass(frozen=True, slots=True)
class NewRefusal:
    """A question that was answered with REFUSE.

    Attributes:
        number: None when what was dialled is no number.
        dialled: the number as the asker wrote it; kept up to 128 characters.
        rules: every failing rule, in the order of reports; at least one.
        findings: one mapping a failing rule, for people and programs: rule, reason (the rendered
            sentence), key, values, until, source. Instants and dates are kept in ISO 8601.
        would: shadow mode, the call was let go.
    """

    at: datetime
    number: int | None
    dialled: str
    rules: Sequence[Rule]
    findings: Sequence[Mapping[str, object]]
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
            _findings_text(new.findings),
            maybe_micros(new.next),
            new.would,
            new.basis_id,
        ),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _findings_text(findings: Sequence[Mapping[str, object]]) -> str:
    text = json.dumps(findings, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace").decode()


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def list_refusals(
    conn: sqlite3.Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    rule: Rule | None = None,
    campaign: str | None = None,
    number: int | None = None,
    after_id: int | None = None,
) -> Iterator[dict[str, object]]:
    """The refusals that match, in the order of recording; streams.

    `since` is inclusive, `until` is not; `rule` finds those where it failed, first or not;
    `after_id` continues where a former listing ended. `findings` comes back as a list,
    instants aware and in UTC, `number` E.164 with its + or "".
    """
    where = Where()
    where.above("refusal.id", after_id)
    where.at_least("at", since and micros(since))
    where.below("at", until and micros(until))
    where.listed_in("rules", rule and rule.value)
    where.equal("campaign", campaign)
    where.equal("number", number)
    rows = conn.execute(
        "SELECT refusal.id, at, number, dialled, professional, campaign, door, call, asked_by,"
        " rule, rules, findings, next, would, regime, policy, policy_sha256, lists, tzdata,"
        " program, config_sha256"
        f" FROM refusal LEFT JOIN basis ON basis.id = basis_id{where.sql} ORDER BY refusal.id",
        where.values,
    )
    for row in rows:
        yield {
            "id": row[0],
            "at": instant(row[1]),
            "number": e164(row[2]),
            "dialled": row[3],
            "professional": row[4],
            "campaign": row[5],
            "door": row[6],
            "call": row[7],
            "asked_by": row[8],
            "rule": row[9],
            "rules": row[10],
            "findings": json.loads(row[11]),
            "next": maybe_instant(row[12]),
            "would": bool(row[13]),
            "regime": row[14],
            "policy": row[15],
            "policy_sha256": row[16],
            "lists": row[17],
            "tzdata": row[18],
            "program": row[19],
            "config_sha256": row[20],
        }


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
