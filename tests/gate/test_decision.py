"""One question in one transaction: what is judged, what is recorded, what counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gate.world import (
    DIALLED,
    NOW,
    NUMBER,
    OTHER,
    Bench,
    consent_to,
    failing,
    import_list,
    object_to,
    overlay,
    question,
    rulebook_of,
    withdraw,
)

from dialwarden import __version__, tzdata
from dialwarden.facts import Scope
from dialwarden.gate.reading import read_question
from dialwarden.gate.verdicts import Answer
from dialwarden.ledger import attempts
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.lists import Op
from dialwarden.ledger.states import Event, Outcome
from dialwarden.policies import load_policies
from dialwarden.question import Purpose, Question


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    conn = open_ledger(tmp_path / "ledger.db")
    yield Bench(conn, rulebook_of(tmp_path))
    conn.close()


# What is recorded.


def test_an_allow_is_an_attempt_with_what_it_was_judged_by(bench: Bench) -> None:
    import_list("house")(bench.conn)
    answer = bench.ask(campaign="listed", call="17.1", asked_by="PJSIP/100-1", caller_id="0142")
    [attempt] = bench.attempts()
    assert answer.allowed
    assert answer.reserved
    assert attempt["id"] == answer.attempt
    kept = {
        "number": "+33612345678", "professional": "acme", "campaign": "listed", "purpose": "sales",
        "door": "agi", "call": "17.1", "caller_id": "0142", "state": "reserved", "at": NOW,
        "zones": ("Europe/Paris",), "enforced": True, "asked": 1, "regime": "none",
        "policy": "none", "policy_sha256": load_policies()["none"].sha256,
        "lists": json.dumps({"house": 1}), "tzdata": tzdata.VERSION, "program": __version__,
        "config_sha256": bench.rulebook.config_sha256,
    }  # fmt: skip
    assert {key: attempt[key] for key in kept} == kept


def test_a_refusal_is_recorded_with_every_reason_and_its_basis(bench: Bench) -> None:
    object_to(professional="seller")(bench.conn)
    bench.now = NOW.replace(hour=3)
    answer = bench.ask(campaign="solar", call="17.2", asked_by="PJSIP/100-1")
    [refusal] = bench.refusals()
    assert failing(answer) == "consent&objection&hours"
    kept = {
        "number": "+33612345678", "dialled": DIALLED, "professional": "seller",
        "campaign": "solar", "door": "agi", "call": "17.2", "asked_by": "PJSIP/100-1",
        "rule": "consent", "rules": "consent&objection&hours", "at": bench.now, "would": False,
        "regime": "fr-optin-2026", "policy": "fr", "policy_sha256": load_policies()["fr"].sha256,
        "tzdata": tzdata.VERSION, "config_sha256": bench.rulebook.config_sha256, "next": None,
    }  # fmt: skip
    assert {key: refusal[key] for key in kept} == kept
    findings = refusal["findings"]
    assert isinstance(findings, list)
    assert [found["rule"] for found in findings] == ["consent", "objection", "hours"]
    assert all(found["reason"] and found["source"] for found in findings)
    assert bench.attempts() == []


@pytest.mark.parametrize(
    ("dialled", "campaign", "more", "rule"),
    [
        ("12", "capped", {}, "number"),
        ("0612x", "capped", {}, "number"),
        (DIALLED, "capped", {"faults": ("'number' is given twice",)}, "number"),
        (DIALLED, "nobody", {}, "campaign"),
        (DIALLED, "capped", {"region": "XX"}, "unavailable"),
        (DIALLED, "listed", {}, "list_stale"),
        (DIALLED, "solar", {}, "consent"),
    ],
)
def test_every_refusal_is_recorded_with_its_reason(
    bench: Bench, dialled: str, campaign: str, more: dict[str, object], rule: str
) -> None:
    answer = bench.ask(dialled, campaign, **more)
    [refusal] = bench.refusals()
    assert (answer.allowed, refusal["rule"], refusal["dialled"]) == (False, rule, dialled)
    assert refusal["findings"]
    assert refusal["program"] == __version__
    assert bench.attempts() == []


def test_a_refusal_is_judged_afresh_and_costs_nothing(bench: Bench) -> None:
    overlay("house")(bench.conn)
    import_list("house")(bench.conn)
    asked = {"campaign": "listed", "call": "17.3"}
    assert failing(bench.ask(**asked)) == "opposition"
    assert failing(bench.ask(**asked)) == "opposition"
    assert len(bench.refusals()) == 2
    overlay("house", op=Op.REMOVE)(bench.conn)
    assert bench.ask(**asked).allowed


# One call, one attempt.


def test_the_same_call_and_number_repeat_the_allow_and_count_nothing(bench: Bench) -> None:
    first = bench.ask(call="17.4")
    again = [bench.ask(call="17.4") for _ in range(5)]
    assert all(answer.allowed for answer in again)
    assert {answer.attempt for answer in again} == {first.attempt}
    assert not any(answer.reserved for answer in again)
    [attempt] = bench.attempts()
    assert attempt["asked"] == 6
    assert bench.ask().allowed  # the second of two
    assert failing(bench.ask()) == "frequency"


def test_the_repeat_holds_at_the_cap(bench: Bench) -> None:
    bench.ask()
    last = bench.ask(call="17.5")
    assert bench.ask(call="17.5").attempt == last.attempt
    assert failing(bench.ask()) == "frequency"


@pytest.mark.parametrize("event", [Event.RANG, Event.BUSY, Event.ANSWERED])
def test_after_a_leg_reached_the_callee_it_is_a_new_question(bench: Bench, event: Event) -> None:
    first = bench.ask(call="17.6")
    assert first.attempt is not None
    attempts.advance(bench.conn, first.attempt, event, NOW)
    second = bench.ask(call="17.6")
    assert second.attempt != first.attempt
    assert failing(bench.ask(call="17.6", dialled="0611111111")) == ""
    bench.ask()
    assert failing(bench.ask()) == "frequency"


def test_a_leg_that_failed_without_ringing_leaves_the_attempt_open(bench: Bench) -> None:
    first = bench.ask(call="17.7")
    assert first.attempt is not None
    attempts.advance(bench.conn, first.attempt, Event.DIALLED, NOW)
    attempts.advance(bench.conn, first.attempt, Event.FAILED, NOW)
    assert bench.ask(call="17.7").attempt == first.attempt


@pytest.mark.parametrize(
    "spoil",
    [
        object_to(),
        object_to(scope=Scope.ALL, professional="somebody"),
        object_to(scope=Scope.CAMPAIGN, campaign="capped"),
    ],
)
def test_an_objection_in_between_ends_the_repeat(
    bench: Bench, spoil: Callable[[sqlite3.Connection], object]
) -> None:
    bench.ask(call="17.8")
    spoil(bench.conn)
    assert failing(bench.ask(call="17.8")) == "objection"


def test_an_attempt_older_than_a_minute_is_not_repeated(bench: Bench) -> None:
    first = bench.ask(call="17.9")
    bench.now += timedelta(seconds=59)
    assert bench.ask(call="17.9").attempt == first.attempt
    bench.now += timedelta(seconds=1)
    assert bench.ask(call="17.9").attempt != first.attempt
    bench.now += timedelta(seconds=60)
    assert failing(bench.ask(call="17.9")) == "frequency"


def test_an_attempt_that_lies_ahead_of_the_clock_is_not_repeated(bench: Bench) -> None:
    first = bench.ask(call="17.10")
    bench.now -= timedelta(seconds=1)
    second = bench.ask(call="17.10")
    assert second.attempt != first.attempt
    assert failing(bench.ask()) == "frequency"


@pytest.mark.parametrize("status", ["CHANUNAVAIL", "CONGESTION", "congestion"])
def test_a_trunk_that_failed_may_be_followed_by_another(bench: Bench, status: str) -> None:
    first = bench.ask(call="17.11")
    assert bench.ask(call="17.11", dial_status=status).attempt == first.attempt
    assert bench.state(first.attempt) == ("reserved", None)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("ANSWER", "answered"),
        ("BUSY", "busy"),
        ("NOANSWER", "no_answer"),
        ("CANCEL", "cancelled"),
        ("INVALIDARGS", "failed"),
        ("DONTCALL", "failed"),
        ("x" * 200, "failed"),
    ],
)
def test_any_other_end_of_the_dial_settles_the_attempt_and_counts_the_next(
    bench: Bench, status: str, outcome: str
) -> None:
    first = bench.ask(call="17.12")
    second = bench.ask(call="17.12", dial_status=status)
    assert second.attempt != first.attempt
    assert second.reserved
    assert bench.state(first.attempt) == ("settled", outcome)
    third = bench.ask(call="17.12", dial_status=status)
    assert failing(third) == "frequency"


@pytest.mark.parametrize("event", [Event.BUSY, Event.RANG, Event.ANSWERED, Event.FAILED])
@pytest.mark.parametrize(
    "status", ["ANSWER", "BUSY", "NOANSWER", "CANCEL", "CHANUNAVAIL", "DONTCALL"]
)
def test_what_the_link_saw_and_what_the_channel_says_may_differ(
    bench: Bench, event: Event, status: str
) -> None:
    first = bench.ask(call="17.13")
    assert first.attempt is not None
    attempts.advance(bench.conn, first.attempt, event, NOW)
    second = bench.ask(call="17.13", dial_status=status)
    assert second.allowed
    repeated = event is Event.FAILED and status == "CHANUNAVAIL"
    assert (second.attempt == first.attempt) is repeated


def test_a_status_that_speaks_of_another_numbers_dial_repeats_nothing(bench: Bench) -> None:
    first = bench.ask(call="17.14")
    bench.ask("0687654321", call="17.14")
    again = bench.ask(call="17.14", dial_status="CHANUNAVAIL")
    assert again.attempt != first.attempt


@pytest.mark.parametrize(
    "other",
    [
        {"campaign": "rival"},
        {"dialled": "0687654321"},
        {"call": "17.16"},
        {"purpose": Purpose.SURVEY},
        {"person": "p-1"},
    ],
    ids=["professional", "number", "call", "purpose", "person"],
)
def test_another_question_in_the_same_call_is_an_attempt_of_its_own(
    bench: Bench, other: dict[str, str]
) -> None:
    first = bench.ask(call="17.15", person="p-0")
    second = bench.ask(**{"call": "17.15", **other})
    assert second.reserved
    assert second.attempt != first.attempt


def test_two_campaigns_of_one_professional_in_one_call_are_one_attempt(bench: Bench) -> None:
    first = bench.ask(call="17.15")
    second = bench.ask(campaign="sister", call="17.15")
    assert (second.allowed, second.attempt) == (True, first.attempt)
    assert len(bench.attempts()) == 1


def test_a_call_without_a_law_or_a_cap_is_repeated_too(bench: Bench) -> None:
    first = bench.ask(campaign="free", call="17.17")
    assert bench.ask(campaign="free", call="17.17").attempt == first.attempt
    assert len(bench.attempts()) == 1


def test_a_campaign_that_changed_hands_repeats_nothing(bench: Bench, tmp_path: Path) -> None:
    first = bench.ask(call="17.18")
    text = (tmp_path / "dialwarden.toml").read_text()
    bench.rulebook = rulebook_of(tmp_path, text.replace('"acme"', '"successor"'))
    second = bench.ask(call="17.18")
    assert second.attempt != first.attempt
    assert bench.attempts()[1]["professional"] == "successor"


def test_without_a_call_every_question_counts(bench: Bench) -> None:
    assert bench.ask(call="").attempt != bench.ask(call="").attempt
    assert failing(bench.ask(call="")) == "frequency"


def test_a_repeat_is_judged_again(bench: Bench) -> None:
    import_list("house")(bench.conn)
    assert bench.ask(campaign="listed", call="17.19").allowed
    overlay("house")(bench.conn)
    assert failing(bench.ask(campaign="listed", call="17.19")) == "opposition"


def test_a_consent_withdrawn_between_two_questions_of_a_call_refuses(bench: Bench) -> None:
    consent_to()(bench.conn)
    assert bench.ask(campaign="solar", call="17.20").allowed
    withdraw()(bench.conn)
    assert failing(bench.ask(campaign="solar", call="17.20")) == "consent"


def test_a_window_that_closed_between_two_questions_of_a_call_refuses(bench: Bench) -> None:
    consent_to()(bench.conn)
    bench.now = NOW.replace(hour=11, minute=59, second=59)  # 12:59:59 in Paris
    assert bench.ask(campaign="solar", call="17.21").allowed
    bench.now += timedelta(seconds=1)
    answer = bench.ask(campaign="solar", call="17.21")
    assert failing(answer) == "hours"
    assert answer.verdict.next is not None
    assert answer.verdict.next.isoformat() == "2026-11-02T14:00:00+01:00"


# Who is counted for whom.


def test_two_professionals_count_apart_and_two_campaigns_of_one_together(bench: Bench) -> None:
    assert bench.ask(campaign="capped").allowed
    assert bench.ask(campaign="sister").allowed
    assert failing(bench.ask(campaign="capped")) == "frequency"
    assert failing(bench.ask(campaign="sister")) == "frequency"
    assert bench.ask(campaign="rival").allowed


def test_a_person_joins_numbers(bench: Bench) -> None:
    numbers = ["0612345678", "0687654321", "0611223344"]
    assert bench.ask(numbers[0], person="p-7").allowed
    assert bench.ask(numbers[1], person="p-7").allowed
    assert failing(bench.ask(numbers[2], person="p-7")) == "frequency"
    assert bench.ask(numbers[2], person="p-8").allowed


def test_an_objection_of_a_person_holds_on_all_their_numbers(bench: Bench) -> None:
    object_to(person="p-7")(bench.conn)
    assert failing(bench.ask("0687654321", person="p-7")) == "objection"
    assert bench.ask("0687654321").allowed


# Exempt lists.


def test_a_number_on_an_exempt_list_is_let_through_unjudged_and_noted_once(bench: Bench) -> None:
    overlay("staff")(bench.conn)
    object_to()(bench.conn)
    for _ in range(3):
        answer = bench.ask(call="17.22")
        assert (answer.allowed, answer.verdict.exempt) == (True, "staff")
        assert (answer.verdict.number, answer.attempt) == (DIALLED, None)
    bench.ask(call="17.23")
    assert _noted(bench) == ["17.22", "17.23"]
    assert bench.attempts() == bench.refusals() == []


def test_an_imported_exempt_list_holds_as_well(bench: Bench) -> None:
    import_list("staff", [NUMBER])(bench.conn)
    assert bench.ask().verdict.exempt == "staff"
    assert bench.ask("0687654321").verdict.exempt is None


def test_a_wrong_region_holds_no_exempt_number_back(bench: Bench) -> None:
    overlay("staff")(bench.conn)
    assert bench.ask(region="XX").verdict.exempt == "staff"
    assert bench.dry(region="XX").verdict.exempt == "staff"


def _noted(bench: Bench) -> list[str]:
    return [row[0] for row in bench.conn.execute("SELECT call FROM exempt_call ORDER BY id")]


# Shadow mode.


def test_shadow_mode_lets_go_records_would_and_counts(bench: Bench) -> None:
    assert bench.ask(campaign="shadow").allowed
    answer = bench.ask(campaign="shadow", call="17.24")
    assert (answer.allowed, answer.let_go, failing(answer)) == (True, True, "frequency")
    [refusal] = bench.refusals()
    assert refusal["would"] is True
    assert [row["enforced"] for row in bench.attempts()] == [True, False]
    again = bench.ask(campaign="shadow", call="17.24")
    assert again.attempt == answer.attempt
    assert again.allowed


def test_shadow_mode_lets_a_number_go_as_dialled_when_it_cannot_be_read(bench: Bench) -> None:
    answer = bench.ask("1234", "shadow")
    assert (answer.allowed, answer.verdict.number, answer.attempt) == (True, "1234", None)
    assert [row["would"] for row in bench.refusals()] == [True]


@pytest.mark.parametrize("dialled", ["", "0612;x", "06&SIP/1", "0612\n"])
def test_what_is_no_number_at_all_is_refused_in_shadow_mode_too(bench: Bench, dialled: str) -> None:
    assert not bench.ask(dialled, "shadow").allowed
    assert [row["would"] for row in bench.refusals()] == [False]


@pytest.mark.parametrize("dialled", ["1234", DIALLED, "12;ext=1", ""])
def test_a_dry_question_in_shadow_mode_says_whether_it_would_be_let_go(
    bench: Bench, dialled: str
) -> None:
    object_to(professional="shade")(bench.conn)
    dry, live = bench.dry(dialled, "shadow"), bench.ask(dialled, "shadow")
    assert (dry.allowed, dry.let_go) == (live.allowed, live.let_go)
    assert (dry.verdict.number, dry.verdict.rules) == (live.verdict.number, live.verdict.rules)


def test_a_call_let_go_despite_its_region_is_an_attempt(bench: Bench) -> None:
    answer = bench.ask(campaign="shadow", region="XX")
    assert (answer.allowed, answer.let_go) == (True, True)
    assert [row["id"] for row in bench.attempts()] == [answer.attempt]


# Dry.


@pytest.mark.parametrize("campaign", ["capped", "shadow", "listed", "solar", "nobody"])
def test_a_dry_question_writes_nothing(bench: Bench, campaign: str) -> None:
    bench.dry(campaign=campaign)
    overlay("staff")(bench.conn)
    bench.dry(campaign=campaign)
    assert not bench.attempts() + bench.refusals()
    assert not _noted(bench)


def test_a_dry_question_says_what_a_live_one_would(bench: Bench) -> None:
    bench.ask(call="17.25")
    bench.ask(call="17.26")
    assert failing(bench.dry()) == "frequency"
    assert bench.dry(call="17.26").allowed
    assert failing(bench.dry(call="17.26", dial_status="BUSY")) == "frequency"
    assert bench.state(2) == ("reserved", None)


def test_an_instant_is_judged_by_what_was_dated_until_then(bench: Bench) -> None:
    bench.ask()
    bench.ask()
    assert failing(bench.dry(as_of=NOW)) == "frequency"
    bench.now = NOW - timedelta(seconds=1)
    assert bench.dry(as_of=bench.now).allowed


# Clocks.


def test_a_clock_set_back_frees_no_cap(bench: Bench) -> None:
    bench.ask()
    bench.ask()
    bench.now = NOW - timedelta(hours=1)
    assert failing(bench.ask()) == "frequency"
    bench.now = NOW - timedelta(days=40)
    assert failing(bench.ask()) == "frequency"


def test_a_clock_that_jumped_ahead_and_back_frees_no_cap(bench: Bench) -> None:
    bench.ask()
    bench.now = NOW + timedelta(days=1)
    assert bench.ask().allowed
    bench.now = NOW
    assert failing(bench.ask()) == "frequency"


def test_outcomes_do_not_free_the_cap(bench: Bench) -> None:
    first, second = bench.ask(), bench.ask()
    for answer, outcome in ((first, Outcome.FAILED), (second, Outcome.BUSY)):
        assert answer.attempt is not None
        attempts.settle(bench.conn, answer.attempt, outcome, NOW)
    assert failing(bench.ask()) == "frequency"


# Several in one go.


def ask_together(bench: Bench, *asked: Question) -> list[Answer]:
    readings = [(read_question(one, bench.rulebook), bench.rulebook) for one in asked]
    with transaction(bench.conn):
        bench.known.begin(bench.conn)
        bench.known.written()
        bench.lists.refresh(bench.conn)
        answers = bench.decider.decide_all(bench.conn, readings, lambda: bench.now)
    bench.known.committed()
    return answers


def test_questions_of_one_go_see_what_those_before_them_were_allowed(bench: Bench) -> None:
    one, other = question(call="a"), question(OTHER, call="b")
    answers = ask_together(
        bench,
        one, other, question(call="c"), question(call="d"), question(OTHER, call="e"),
        question(campaign="rival", call="f"),
    )  # fmt: skip
    assert [answer.allowed for answer in answers] == [True, True, True, False, True, True]
    assert answers[3].verdict.rules == ("frequency",)
    assert [answer.attempt for answer in answers] == [1, 2, 3, None, 4, 5]
    assert [row["number"] for row in bench.attempts()] == [
        "+33612345678", "+33687654321", "+33612345678", "+33687654321", "+33612345678",
    ]  # fmt: skip
    assert len(bench.refusals()) == 1


def test_in_one_go_a_call_that_asks_again_repeats_its_attempt(bench: Bench) -> None:
    answers = ask_together(bench, question(call="a"), question(call="a"), question(call="b"))
    assert [(answer.attempt, answer.reserved) for answer in answers] == [
        (1, True), (1, False), (2, True),
    ]  # fmt: skip


def test_in_one_go_a_permit_serves_once(bench: Bench) -> None:
    answers = ask_together(
        bench,
        question(call="p", permit="p"), question(OTHER, call="p", permit="p"),
        question(OTHER, call="x"), question(OTHER, call="y", permit="x"),
    )  # fmt: skip
    assert [answer.verdict.rules for answer in answers] == [(), ("bypass",), (), ("bypass",)]


def test_of_a_number_never_heard_of_nothing_is_read(bench: Bench) -> None:
    statements: list[str] = []
    ask_together(bench, question(OTHER))
    bench.conn.set_trace_callback(statements.append)
    ask_together(bench, question())
    bench.conn.set_trace_callback(None)
    assert not [text for text in statements if "WHERE number" in text]


def test_of_a_number_that_was_called_its_attempts_alone_are_read(bench: Bench) -> None:
    statements: list[str] = []
    ask_together(bench, question())
    bench.conn.set_trace_callback(statements.append)
    ask_together(bench, question())
    bench.conn.set_trace_callback(None)
    [text] = [text for text in statements if "WHERE number" in text]
    assert "FROM attempt" in text
