"""Appointments and silent calls through the gate: what is read, spent, and given back.

The law of `dates` is open 10:00-13:00 and 14:00-20:00 on weekdays and heeds appointments, ten
minutes either side; that of `quiet` wants five whole days after a silent call, then an agent. Most
questions are of Monday 2 November 2026, 20:30 in Paris.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.gate.world import CONFIG, NOW, NUMBER, OTHER, Bench, agree, failing, rulebook_of

from dialwarden.gate.verdicts import Answer
from dialwarden.ledger import appointments, attempts, silent_calls
from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.ledger.states import Event, Outcome
from dialwarden.question import Dialling, Purpose

HEAD = """
id = "{id}"
title = "t"
country = "FR"
[sources.law]
text = "the law"
confidence = "primary"
[[regimes]]
id = "{id}"
title = "t"
from = 2020-01-01
"""
DATES = """
[regimes.hours]
mon-fri = ["10:00-13:00", "14:00-20:00"]
source = "law"
[regimes.appointments]
tolerance = "10 minutes"
waives = ["hours", "holiday"]
source = "law"
"""
QUIET = """
[[regimes.gaps]]
full_days = 5
after = "silent"
agent_first = true
source = "law"
"""
CAMPAIGNS = """
[policies]
path = "packs"
[campaigns.dates]
professional = "seller"
policy = "dates"
[campaigns.sister-dates]
professional = "seller"
policy = "dates"
[campaigns.shadow-dates]
professional = "seller"
policy = "dates"
enforce = false
[campaigns.quiet]
professional = "seller"
policy = "quiet"
"""
AGREED = NOW.replace(hour=19, minute=30)  # 20:30 in Paris


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    packs = tmp_path / "packs"
    packs.mkdir()
    for name, parts in (("dates", DATES), ("quiet", QUIET)):
        (packs / f"{name}.toml").write_text(HEAD.format(id=name) + parts)
    conn = open_ledger(tmp_path / "ledger.db")
    made = Bench(conn, rulebook_of(tmp_path, CONFIG + CAMPAIGNS))
    made.now = AGREED
    yield made
    conn.close()


def ask(bench: Bench, **more: Any) -> Answer:
    return bench.ask(**{"campaign": "dates", **more})


def spent_on(bench: Bench) -> list[object]:
    """By appointment, in the order of recording, the attempt that it was spent on."""
    return [row["used_by"] for row in appointments.list_appointments(bench.conn)]


def test_a_call_at_its_appointment_is_allowed_and_spends_it(bench: Bench) -> None:
    assert failing(ask(bench)) == "hours"
    agree(AGREED)(bench.conn)
    answer = ask(bench)
    assert answer.allowed
    assert answer.reserved
    assert spent_on(bench) == [answer.attempt]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-601, "hours"), (-600, ""), (0, ""), (599, ""), (600, "hours")],
)
def test_it_is_good_within_its_tolerance(bench: Bench, seconds: int, expected: str) -> None:
    agree(AGREED)(bench.conn)
    bench.now = AGREED + timedelta(seconds=seconds)
    assert failing(ask(bench)) == expected
    assert (spent_on(bench) == [None]) is bool(expected)


def test_a_second_call_within_the_tolerance_is_refused(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    first = ask(bench)
    bench.now += timedelta(seconds=1)
    second = ask(bench)
    assert failing(second) == "hours"
    assert spent_on(bench) == [first.attempt]
    # What is spent is not waited for.
    assert second.verdict.next is not None
    assert second.verdict.next.isoformat() == "2026-11-03T10:00:00+01:00"


def test_the_same_call_asking_again_repeats_its_allow(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    first = ask(bench, call="17.1")
    again = [ask(bench, call="17.1") for _ in range(3)]
    assert [answer.attempt for answer in again] == [first.attempt] * 3
    assert not any(answer.reserved for answer in again)
    assert bench.dry(campaign="dates", call="17.1").allowed
    assert spent_on(bench) == [first.attempt]
    assert failing(ask(bench, call="17.2")) == "hours"


def test_another_trunk_may_follow_one_that_failed(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    first = ask(bench, call="17.1")
    assert ask(bench, call="17.1", dial_status="CONGESTION").attempt == first.attempt
    # One that reached the callee was the call agreed on.
    assert failing(ask(bench, call="17.1", dial_status="BUSY")) == "hours"
    assert spent_on(bench) == [first.attempt]


def test_a_repeat_is_one_for_a_minute(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    ask(bench, call="17.1")
    bench.now += timedelta(seconds=60)
    assert failing(ask(bench, call="17.1")) == "hours"


def test_a_repeat_is_not_allowed_beyond_the_tolerance(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    bench.now = AGREED + timedelta(minutes=9, seconds=50)
    assert ask(bench, call="17.1").allowed
    bench.now += timedelta(seconds=10)
    assert failing(ask(bench, call="17.1")) == "hours"


def test_an_attempt_that_was_voided_gives_its_appointment_back(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    first = ask(bench)
    assert first.attempt is not None
    attempts.void(bench.conn, first.attempt, "undelivered", bench.now)
    assert spent_on(bench) == [None]
    second = ask(bench)
    assert second.allowed
    assert spent_on(bench) == [second.attempt]


def test_an_attempt_that_came_to_nothing_keeps_its_appointment(bench: Bench) -> None:
    """The phone was not answered: an appointment is good for one call, whatever came of it."""
    agree(AGREED)(bench.conn)
    first = ask(bench)
    assert first.attempt is not None
    attempts.settle(bench.conn, first.attempt, Outcome.NO_ANSWER, bench.now)
    assert failing(ask(bench)) == "hours"
    assert spent_on(bench) == [first.attempt]


def test_a_call_in_ordinary_hours_within_the_tolerance_spends_it_too(bench: Bench) -> None:
    """19:55 in Paris is open anyway, and 20:05 would be open by the appointment alone."""
    agree(AGREED.replace(minute=0))(bench.conn)
    bench.now = AGREED.replace(hour=18, minute=55)
    first = ask(bench)
    assert first.allowed
    assert spent_on(bench) == [first.attempt]
    bench.now = AGREED.replace(minute=5)
    assert failing(ask(bench)) == "hours"


def test_a_call_in_ordinary_hours_before_the_tolerance_spends_nothing(bench: Bench) -> None:
    agree(AGREED.replace(minute=0))(bench.conn)
    bench.now = AGREED.replace(hour=18, minute=49, second=59)
    assert ask(bench).allowed
    assert spent_on(bench) == [None]


def test_of_two_appointments_each_is_good_for_a_call(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    agree(AGREED + timedelta(minutes=5))(bench.conn)
    first, second = ask(bench), ask(bench)
    assert first.allowed
    assert second.allowed
    assert sorted(map(str, spent_on(bench))) == sorted([str(first.attempt), str(second.attempt)])
    assert failing(ask(bench)) == "hours"


def test_a_repeat_spends_no_second_appointment(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    agree(AGREED + timedelta(minutes=5))(bench.conn)
    first = ask(bench, call="17.1")
    assert ask(bench, call="17.1").attempt == first.attempt
    assert sorted(map(str, spent_on(bench))) == sorted([str(first.attempt), "None"])


@pytest.mark.parametrize(
    ("agreed", "asked", "expected"),
    [
        ({}, {}, ""),
        ({"campaign": "dates"}, {}, ""),
        ({"campaign": "sister-dates"}, {}, "hours"),
        ({"campaign": "sister-dates"}, {"campaign": "sister-dates"}, ""),
        ({"campaign": ""}, {"campaign": "sister-dates"}, ""),
        ({"professional": "another"}, {}, "hours"),
        ({"number": 33687654321}, {}, "hours"),
        ({"number": 33687654321}, {"dialled": OTHER}, ""),
        ({}, {"purpose": Purpose.SERVICE}, ""),
    ],
)
def test_an_appointment_is_a_callees_with_a_professional_and_its_campaign(
    bench: Bench, agreed: dict[str, Any], asked: dict[str, Any], expected: str
) -> None:
    agree(AGREED, **agreed)(bench.conn)
    answer = ask(bench, **asked)
    assert failing(answer) == expected
    assert spent_on(bench) == [answer.attempt]


def test_a_refusal_spends_nothing(bench: Bench) -> None:
    agree(AGREED + timedelta(hours=1))(bench.conn)
    assert failing(ask(bench)) == "hours"
    assert spent_on(bench) == [None]


@pytest.mark.parametrize("as_of", [None, AGREED])
def test_a_dry_question_spends_nothing(bench: Bench, as_of: datetime | None) -> None:
    agree(AGREED)(bench.conn)
    assert bench.dry(campaign="dates", as_of=as_of).allowed
    assert spent_on(bench) == [None]


def test_in_shadow_mode_too_an_allow_spends_it(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    first = ask(bench, campaign="shadow-dates")
    assert not first.let_go
    assert spent_on(bench) == [first.attempt]
    second = ask(bench, campaign="shadow-dates")
    assert (second.let_go, failing(second)) == (True, "hours")
    assert spent_on(bench) == [first.attempt]


def test_next_is_the_beginning_of_an_appointment(bench: Bench) -> None:
    agree(AGREED)(bench.conn)
    bench.now = AGREED - timedelta(minutes=20)
    following = ask(bench).verdict.next
    assert following is not None
    assert following.isoformat() == "2026-11-02T20:20:00+01:00"


# --- Silent calls


def silent(bench: Bench, at: datetime, number: int = NUMBER) -> None:
    new = NewSilentCall(number=number, professional="seller", at=at, recorded_at=at)
    silent_calls.add(bench.conn, new)


@pytest.mark.parametrize(
    ("days", "dialling", "expected"),
    [
        (1, Dialling.MANUAL, "gap"),
        (5, Dialling.MANUAL, "gap"),
        (6, Dialling.MANUAL, ""),
        (6, Dialling.AUTOMATIC, "gap"),
        (6, None, ""),
    ],
)
def test_after_a_silent_call_there_is_a_gap(
    bench: Bench, days: int, dialling: Dialling | None, expected: str
) -> None:
    silent(bench, AGREED)
    bench.now = AGREED + timedelta(days=days)
    answer = ask(bench, campaign="quiet", dialling=dialling)
    assert failing(answer) == expected
    not_judged = [silence.rule.value for silence in answer.verdict.not_judged]
    assert not_judged == (["gap"] if dialling is None else [])


def test_a_call_with_an_agent_frees_the_machine_again(bench: Bench) -> None:
    silent(bench, AGREED)
    bench.now = AGREED + timedelta(days=6)
    machine = {"campaign": "quiet", "dialling": Dialling.AUTOMATIC}
    assert failing(ask(bench, **machine)) == "gap"
    by_hand = ask(bench, campaign="quiet", dialling=Dialling.MANUAL)
    assert by_hand.attempt is not None
    attempts.advance(bench.conn, by_hand.attempt, Event.ANSWERED, bench.now)
    bench.now += timedelta(hours=1)
    assert ask(bench, **machine).allowed


def test_where_no_rule_asks_for_silent_calls_they_say_nothing(bench: Bench) -> None:
    silent(bench, AGREED)
    bench.now = AGREED + timedelta(hours=16)
    assert ask(bench, campaign="dates").allowed
    assert failing(ask(bench, campaign="quiet")) == "gap"


@pytest.mark.parametrize(
    ("campaign", "table", "read"),
    [
        ("quiet", "silent_call", True),
        ("dates", "silent_call", False),
        ("free", "silent_call", False),
        ("dates", "appointment", True),
        ("quiet", "appointment", False),
        ("free", "appointment", False),
    ],
)
def test_what_no_rule_asks_for_is_not_read(
    bench: Bench, campaign: str, table: str, read: bool
) -> None:
    silent(bench, AGREED)
    agree(AGREED)(bench.conn)
    statements: list[str] = []
    bench.conn.set_trace_callback(statements.append)
    ask(bench, campaign=campaign)
    bench.dry(campaign=campaign)
    bench.conn.set_trace_callback(None)
    assert any(f"FROM {table} WHERE number" in statement for statement in statements) is read
