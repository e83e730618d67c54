"""What single records do: each before the very rules that judge calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.gate.world import (
    CONFIG,
    NOW,
    NUMBER,
    Bench,
    agree,
    consent_to,
    object_to,
    question,
    rulebook_of,
    withdraw,
)

from dialwarden.facts import Appointment, Consent, Objection, PastAttempt, Scope
from dialwarden.gate.reading import read_question
from dialwarden.gate.standing import NoStanding, Standing, YesStanding
from dialwarden.ledger.connection import open_ledger, snapshot, transaction
from dialwarden.question import Purpose

MORE = """
[campaigns.old]
professional = "acme"
policy = "fr"
region = "FR"
"""
DAY = timedelta(days=1)
# Under the law before consent was asked for: sixty days after a no.
BEFORE = datetime(2026, 6, 1, 10, tzinfo=UTC)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    conn = open_ledger(tmp_path / "ledger.db")
    yield Bench(conn, rulebook_of(tmp_path, CONFIG + MORE))
    conn.close()


def say(bench: Bench, *said: object) -> None:
    with transaction(bench.conn):
        for one in said:
            one(bench.conn)  # type: ignore[operator]


def standing(bench: Bench, campaign: str, at: datetime = NOW, *, then: bool = False) -> Standing:
    reading = read_question(question(campaign=campaign), bench.rulebook)
    with snapshot(bench.conn):
        return Standing(bench.conn, reading, at, as_of=at if then else None)


def test_an_objection_without_end_is_in_force_until_a_good_consent_ends_it(bench: Bench) -> None:
    said = NOW - 9 * DAY
    say(bench, object_to(professional="seller", at=said))
    assert standing(bench, "solar").objection(Objection(said)) == NoStanding(True)
    say(bench, consent_to(at=said + DAY))
    ended = standing(bench, "solar").objection(Objection(said))
    assert ended == NoStanding(False, ended_by="consent")


@pytest.mark.parametrize(("days", "in_force"), [(60, True), (61, False)])
def test_one_that_time_ends_says_until_when(bench: Bench, days: int, in_force: bool) -> None:
    said = BEFORE - days * DAY
    say(bench, object_to(professional="acme", at=said))
    found = standing(bench, "old", BEFORE, then=True).objection(Objection(said))
    assert found is not None
    assert found.in_force is in_force
    if in_force:
        assert found.until == datetime(2026, 6, 1, 22, tzinfo=UTC)  # midnight in Paris
    else:
        assert found.ended_by == "time"


def test_each_of_several_is_looked_at_by_itself(bench: Bench) -> None:
    older, newer = NOW - 9 * DAY, NOW - 3 * DAY
    say(bench, object_to(professional="seller", at=older), consent_to(at=NOW - 6 * DAY),
        object_to(professional="seller", at=newer))  # fmt: skip
    found = standing(bench, "solar")
    assert found.objection(Objection(older)) == NoStanding(False, ended_by="consent")
    assert found.objection(Objection(newer)) == NoStanding(True)


def test_one_to_another_campaign_does_not_reach_this_one(bench: Bench) -> None:
    no = Objection(NOW - DAY, Scope.CAMPAIGN, "capped")
    say(bench, object_to(professional="acme", at=no.at, scope=no.scope, campaign=no.campaign))
    assert standing(bench, "capped").objection(no) == NoStanding(True)
    assert standing(bench, "sister").objection(no) is None


@pytest.mark.parametrize(
    ("said", "flaw"),
    [
        ([], None),
        ([withdraw(at=NOW - DAY / 2)], "withdrawn"),
        ([object_to(professional="seller", at=NOW - DAY / 2)], "overruled"),
    ],
    ids=["good", "withdrawn", "overruled"],
)
def test_a_consent_says_why_it_is_not_good_and_how_long_it_would_be(
    bench: Bench, said: list[object], flaw: str | None
) -> None:
    say(bench, consent_to(at=NOW - DAY), *said)
    found = standing(bench, "solar").consent(Consent(NOW - DAY))
    assert found == YesStanding(flaw, date(2027, 10, 31))
    assert standing(bench, "free").consent(Consent(NOW - DAY)) is None


@pytest.mark.parametrize(("after", "stands"), [(timedelta(0), True), (timedelta(hours=2), False)])
def test_an_appointment_stands_until_its_time_is_over(
    bench: Bench, after: timedelta, stands: bool
) -> None:
    at = NOW + timedelta(hours=1)
    say(bench, agree(at))
    assert standing(bench, "solar", NOW + after).appointment(Appointment(at, id=1)) is stands
    # A law that knows no appointments heeds none.
    assert not standing(bench, "free", NOW + after).appointment(Appointment(at, id=1))


def test_one_that_a_withdrawal_ended_does_not_stand(bench: Bench) -> None:
    at = NOW + timedelta(hours=1)
    say(bench, agree(at), withdraw(at=NOW))
    assert not standing(bench, "solar").appointment(Appointment(at, id=1))


def test_an_attempt_names_each_cap_it_counts_against_and_until_when(bench: Bench) -> None:
    say(bench, consent_to(at=NOW - DAY))
    made = bench.ask(campaign="solar")
    assert made.allowed
    past = PastAttempt(NOW, Purpose.SALES)
    held = standing(bench, "solar", NOW + timedelta(hours=1)).attempt(past)
    assert [(one.cap.max, str(one.cap.period)) for one in held] == [
        (4, "30 days"), (1, "2 hours"),
    ]  # fmt: skip
    assert held[1].until == NOW + timedelta(hours=2)
    later = standing(bench, "solar", NOW + timedelta(hours=2)).attempt(past)
    assert [one.cap.max for one in later] == [4]
    assert standing(bench, "solar", NOW + 31 * DAY).attempt(past) == ()


def test_what_the_gate_counts_and_what_is_told_to_count_are_the_same(bench: Bench) -> None:
    for _ in range(2):
        assert bench.ask(campaign="capped").allowed
    assert [one.value for one in bench.ask(campaign="capped").verdict.rules] == ["frequency"]
    held = standing(bench, "capped").attempt(PastAttempt(NOW, Purpose.SALES))
    assert [one.cap.max for one in held] == [2]
    assert NUMBER == 33612345678
