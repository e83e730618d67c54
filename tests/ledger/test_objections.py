from __future__ import annotations

import sqlite3

import pytest
from tests.ledger.helpers import T0, A, B, day, objection

from dialwarden.facts import Scope
from dialwarden.ledger import objections


def test_an_objection_is_listed_with_all_that_was_recorded(conn: sqlite3.Connection) -> None:
    said = objection(
        person="P1",
        campaign="energy",
        scope=Scope.CAMPAIGN,
        by="agent 7",
        note="angry",
        recorded_at=day(1),
    )
    assert objections.add(conn, said)
    assert list(objections.list_objections(conn)) == [
        {
            "id": 1,
            "number": "+33612345678",
            "person": "P1",
            "professional": "acme",
            "campaign": "energy",
            "scope": "campaign",
            "at": T0,
            "recorded_at": day(1),
            "door": "cli",
            "by": "agent 7",
            "note": "angry",
            "reduced_at": None,
        }
    ]


def test_the_same_no_is_recorded_once(conn: sqlite3.Connection) -> None:
    assert objections.add(conn, objection())
    assert not objections.add(conn, objection(recorded_at=day(3), note="again", by="import"))
    for other in (
        objection(B),
        objection(at=day(1)),
        objection(person="P1"),
        objection(scope=Scope.ALL),
        objection(professional="beta"),
    ):
        assert objections.add(conn, other)
    assert len(list(objections.list_objections(conn))) == 6


def test_an_objection_to_a_campaign_names_it(conn: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="names it"):
        objections.add(conn, objection(scope=Scope.CAMPAIGN))


def test_each_filter_finds_its_own(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(person="P1", campaign="energy"))
    objections.add(conn, objection(B, day(1), professional="beta"))
    for wanted in (
        {"number": A},
        {"person": "P1"},
        {"professional": "acme"},
        {"campaign": "energy"},
        {"until": day(1)},
    ):
        found = list(objections.list_objections(conn, **wanted))  # type: ignore[arg-type]
        assert [row["id"] for row in found] == [1], wanted
    assert [row["id"] for row in objections.list_objections(conn, since=day(1))] == [2]
