"""What a span of the ledger counts: calls as they left, not questions as they were asked."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gate.world import NOW, NUMBER, Bench, rulebook_of
from tests.ledger.helpers import attempt

from dialwarden.ledger import attempts, refusals, tallies
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.connection import transaction
from dialwarden.ledger.overrides import NewOverride, begin_override
from dialwarden.ledger.states import Outcome
from dialwarden.ledger.tallies import Callees, Span
from dialwarden.question import Door
from dialwarden.verdict import Rule

DAY = Span(NOW - timedelta(hours=12), NOW + timedelta(hours=12))


@pytest.fixture
def bench(tmp_path: Path, conn: sqlite3.Connection) -> Bench:
    return Bench(conn, rulebook_of(tmp_path))


def let_go(conn: sqlite3.Connection) -> int:
    return sum(tally.count for tally in tallies.refusal_tallies(conn, DAY) if tally.would)


def would_callees(conn: sqlite3.Connection) -> dict[str, int]:
    return {one.rule: one.count for one in tallies.refused_callees(conn, DAY) if one.would}


def refuse(conn: sqlite3.Connection, *rules: Rule, **more: object) -> None:
    values = {"at": NOW, "number": NUMBER, "dialled": "0612345678", "findings": "[]",
              "door": Door.AGI, **more}  # fmt: skip
    with transaction(conn):
        refusals.record(conn, refusals.NewRefusal(rules=rules, **values))  # type: ignore[arg-type]


def test_a_call_that_asks_for_each_trunk_is_let_go_once(bench: Bench) -> None:
    bench.ask(campaign="shadow")
    for _ in range(3):
        bench.now += timedelta(seconds=1)
        assert bench.ask(campaign="shadow", call="17.24").let_go
    assert len(bench.refusals()) == 3
    assert let_go(bench.conn) == 1
    assert would_callees(bench.conn) == {"": 1, "frequency": 1}


def test_a_call_let_go_that_never_left_is_none(bench: Bench) -> None:
    bench.ask(campaign="shadow")
    answer = bench.ask(campaign="shadow", call="17.24")
    assert answer.attempt is not None
    assert let_go(bench.conn) == 1
    with transaction(bench.conn):
        assert attempts.void_unsent(bench.conn, answer.attempt, "never heard", NOW)
    assert let_go(bench.conn) == 0
    assert would_callees(bench.conn) == {}


def test_a_call_under_an_override_is_let_go_once(bench: Bench) -> None:
    new = NewOverride(
        "capped", "acme", (Rule.FREQUENCY,), NOW, NOW + timedelta(hours=1), "lea", "a fault"
    )
    with transaction(bench.conn):
        begin_override(bench.conn, new)
    for call in ("17.1", "17.2", "17.3", "17.3"):
        bench.now += timedelta(seconds=1)
        assert bench.ask(campaign="capped", call=call).allowed
    assert let_go(bench.conn) == 1
    assert sum(one.count for one in tallies.attempt_tallies(bench.conn, DAY) if one.enforced) == 2


def test_what_is_let_go_as_it_was_dialled_counts_though_it_is_nobodys_attempt(bench: Bench) -> None:
    assert bench.ask("1234", "shadow").let_go
    assert let_go(bench.conn) == 1
    assert would_callees(bench.conn) == {"": 1, "number": 1}


def test_a_history_from_elsewhere_was_allowed_by_nobody(conn: sqlite3.Connection) -> None:
    with transaction(conn):
        attempts.insert_history(conn, [HistoryRow(NUMBER, "acme", NOW, Outcome.ANSWERED)])
        attempts.reserve(conn, attempt(NUMBER, NOW))
    [tally] = tallies.attempt_tallies(conn, DAY)
    assert (tally.count, tally.answered) == (1, 0)


def test_a_request_that_the_gateway_refused_left_nothing(conn: sqlite3.Connection) -> None:
    refuse(conn, Rule.BYPASS, door=Door.GATEWAY)
    refuse(conn, Rule.BYPASS, door=Door.GUARD, at=NOW + timedelta(hours=1))
    found = [(one.unasked, one.count) for one in tallies.refusal_tallies(conn, DAY)]
    assert found == [(False, 1), (True, 1)]
    assert tallies.refused_callees(conn, DAY) == [
        Callees("", False, 1), Callees("bypass", False, 1),
    ]  # fmt: skip
    assert [one.count for one in tallies.bypass_tallies(conn, DAY)] == [1]


def test_bypasses_are_put_under_who_placed_them_not_under_each_call(
    conn: sqlite3.Connection,
) -> None:
    calls = [
        ("PJSIP/2001-0000001a", True),
        ("PJSIP/2001-0000001b", True),
        ("PJSIP/2001-0000001c", False),
        ("Local/0612345678@outbound-00000004;2", True),
        ("Local/0687654321@outbound-00000005;2", True),
        ("Local/0687654322@outbound-00000006;2", True),
        ("DAHDI/1-1", True),
    ]
    for minute, (by, would) in enumerate(calls):
        at = NOW - timedelta(minutes=minute)
        refuse(conn, Rule.BYPASS, door=Door.GUARD, asked_by=by, would=would, at=at)
    found = tallies.bypass_tallies(conn, DAY)
    assert [(one.by, one.let_go, one.count) for one in found] == [
        ("Local/…@outbound", True, 3),
        ("PJSIP/2001", True, 2),
        ("DAHDI/1-1", True, 1),
        ("PJSIP/2001", False, 1),
    ]
    assert found[0].last_at == NOW - timedelta(minutes=3)


def test_numbers_are_counted_once_for_each_rule_and_once_in_all(conn: sqlite3.Connection) -> None:
    for rule, number, dialled in (
        (Rule.HOURS, NUMBER, "1"), (Rule.HOURS, NUMBER, "2"), (Rule.GAP, NUMBER, "3"),
        (Rule.GAP, NUMBER + 1, "4"), (Rule.NUMBER, None, "x"), (Rule.NUMBER, None, "x"),
    ):  # fmt: skip
        refuse(conn, rule, number=number, dialled=dialled)
    assert {one.rule: one.count for one in tallies.refused_callees(conn, DAY)} == {
        "": 3, "hours": 1, "gap": 2, "number": 1,
    }  # fmt: skip


def test_attempts_are_put_under_what_judged_them(bench: Bench) -> None:
    bench.ask(campaign="capped")
    bench.ask(campaign="free")
    with transaction(bench.conn):
        attempts.reserve(bench.conn, attempt(NUMBER + 1, NOW, door=Door.GUARD, basis_id=1))
    [basis] = tallies.basis_tallies(bench.conn, DAY)
    assert (basis.policy, basis.count) == ("none", 2)
