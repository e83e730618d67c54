"""A no that outlived its proof, through the gate: it refuses, and a later yes ends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.gate.world import NOW, NUMBER, OTHER, Bench, consent_to, object_to, rulebook_of, withdraw

from dialwarden.facts import Scope
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.purge import purge
from dialwarden.ledger.purge_kinds import Plan
from dialwarden.policy.retention import Keeping

LONG_AGO = NOW - timedelta(days=4 * 365)
KEPT = Keeping(3, "law").on(NOW)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    conn = open_ledger(tmp_path / "ledger.db")
    yield Bench(conn, rulebook_of(tmp_path))
    conn.close()


def reduce(bench: Bench, count: int = 1) -> None:
    done = purge(bench.conn, Plan({}, KEPT, {}, None), NOW, by="test", pause=lambda _: False)
    assert sum(done.reduced.values()) == count
    assert not done.removed


def say(bench: Bench, *said: object) -> None:
    with transaction(bench.conn):
        for one in said:
            one(bench.conn)  # type: ignore[operator]


def rules(bench: Bench, number: str = "0612345678", campaign: str = "free", **more: object) -> str:
    return "&".join(bench.ask(number, campaign, **more).verdict.rules)


def test_it_refuses_by_its_number(bench: Bench) -> None:
    say(bench, object_to(professional="free", at=LONG_AGO))
    reduce(bench)
    assert rules(bench) == "objection"
    assert rules(bench, OTHER) == ""
    assert rules(bench, campaign="capped") == ""  # of another professional


def test_it_refuses_by_its_person_on_every_number(bench: Bench) -> None:
    say(bench, object_to(professional="free", at=LONG_AGO, person="P1"))
    reduce(bench)
    assert rules(bench, OTHER, person="P1") == "objection"
    assert rules(bench, person="P1") == "objection"
    assert rules(bench, person="P2") == "objection"  # this phone's no, whoever picks up
    assert rules(bench, OTHER, person="P2") == ""


def test_one_to_everybody_and_one_to_a_campaign_reach_whom_they_did(bench: Bench) -> None:
    say(
        bench,
        object_to(professional="acme", at=LONG_AGO, scope=Scope.ALL),
        object_to(33687654321, "acme", LONG_AGO, scope=Scope.CAMPAIGN, campaign="capped"),
    )
    reduce(bench, 2)
    assert rules(bench) == "objection"
    assert rules(bench, OTHER, "capped") == "objection"
    assert rules(bench, OTHER, "sister") == ""


@pytest.mark.parametrize(
    ("given_at", "expected"),
    [
        (LONG_AGO - timedelta(days=1), "objection"),
        (LONG_AGO, "objection"),  # a no and a yes of the same instant: the no
        (LONG_AGO + timedelta(microseconds=1), ""),
        (NOW - timedelta(days=1), ""),
    ],
)
def test_only_a_later_yes_ends_it(bench: Bench, given_at: datetime, expected: str) -> None:
    say(bench, object_to(professional="free", at=LONG_AGO))
    reduce(bench)
    say(bench, consent_to(professional="free", at=given_at))
    assert rules(bench) == expected


def test_with_the_yes_withdrawn_it_stands_again(bench: Bench) -> None:
    say(
        bench,
        object_to(professional="free", at=LONG_AGO),
        consent_to(professional="free", at=NOW - timedelta(days=2)),
    )
    reduce(bench)
    assert rules(bench) == ""
    say(bench, withdraw(professional="free", at=NOW - timedelta(days=1)))
    assert rules(bench) == "objection"


def test_a_yes_that_was_taken_back_does_not_rise_when_it_is_imported_again(bench: Bench) -> None:
    given = LONG_AGO - timedelta(days=1)
    say(
        bench,
        object_to(professional="free", at=LONG_AGO - timedelta(days=2)),
        consent_to(professional="free", at=given),
        withdraw(professional="free", at=LONG_AGO),
    )
    done = purge(bench.conn, Plan({}, KEPT, {}, None), NOW, by="test", pause=lambda _: False)
    assert (done.removed, done.reduced) == ({"consents": 1}, {"objections": 1, "withdrawals": 1})
    say(bench, consent_to(professional="free", at=given))
    assert rules(bench) == "objection"
    say(bench, consent_to(professional="free", at=LONG_AGO + timedelta(days=1)))
    assert rules(bench) == ""


def test_a_dry_question_and_one_about_an_instant_see_it_too(bench: Bench) -> None:
    say(bench, object_to(professional="free", at=LONG_AGO))
    reduce(bench)
    assert [rule.value for rule in bench.dry(campaign="free").verdict.rules] == ["objection"]
    before = LONG_AGO - timedelta(seconds=1)
    assert bench.dry(campaign="free", as_of=before).verdict.rules == ()


def test_another_connection_notices_the_first_reduction(bench: Bench, tmp_path: Path) -> None:
    say(bench, object_to(NUMBER, professional="free", at=LONG_AGO))
    assert rules(bench) == "objection"
    beside = open_ledger(tmp_path / "ledger.db")
    purge(beside, Plan({}, KEPT, {}, None), NOW, by="test", pause=lambda _: False)
    beside.close()
    assert rules(bench) == "objection"
