"""Whether a bypass is on record already."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from dialwarden.ledger import refusals
from dialwarden.ledger.bypasses import told
from dialwarden.ledger.refusals import NewRefusal, findings_text
from dialwarden.question import Door
from dialwarden.verdict import Rule

T0 = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def bypass(channel: str, *, door: Door = Door.GUARD) -> NewRefusal:
    found = findings_text([{"rule": "bypass", "values": {"channel": channel}}])
    return NewRefusal(
        at=T0, number=None, dialled="x", rules=[Rule.BYPASS], findings=found, door=door,
        call="1.1",
    )  # fmt: skip


def test_it_is_by_its_call_and_channel_and_for_a_while(conn: sqlite3.Connection) -> None:
    refusals.record(conn, bypass("PJSIP/carrier-1"))
    refusals.record(conn, bypass("PJSIP/carrier-2", door=Door.GATEWAY))
    assert told(conn, call="1.1", channel="PJSIP/carrier-1", since=T0)
    assert not told(conn, call="1.1", channel="PJSIP/carrier-1", since=T0 + SECOND)
    assert not told(conn, call="1.2", channel="PJSIP/carrier-1", since=T0)
    assert not told(conn, call="1.1", channel="PJSIP/carrier-2", since=T0)


def test_it_looks_at_the_newest_only(conn: sqlite3.Connection) -> None:
    statements: list[str] = []
    conn.set_trace_callback(statements.append)
    told(conn, call="1.1", channel="c", since=T0)
    conn.set_trace_callback(None)
    (statement,) = statements
    plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert "SEARCH refusal USING INDEX refusal_by_at (at>?)" in plan
