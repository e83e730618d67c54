from __future__ import annotations

import sqlite3
from datetime import date, datetime

import pytest
from tests.ledger.helpers import T0, A, B, day

from dialwarden.ledger import refusals
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.refusals import NewRefusal, findings_text
from dialwarden.question import Door
from dialwarden.verdict import Rule


def refusal(at: datetime = T0, **more: object) -> NewRefusal:
    values: dict[str, object] = {
        "at": at,
        "number": A,
        "dialled": "0612345678",
        "rules": (Rule.HOURS, Rule.FREQUENCY),
        "findings": findings_text([{"rule": "hours"}, {"rule": "frequency"}]),
        "door": Door.AGI,
        "campaign": "energy",
        **more,
    }
    return NewRefusal(**values)  # type: ignore[arg-type]


def test_a_refusal_is_listed_with_every_reason_and_its_basis(conn: sqlite3.Connection) -> None:
    basis = basis_id(conn, Basis("fr-a", "fr", "aa", (("bloctel", 3),), "2026b", "0.1", "cc"))
    finding = {
        "rule": "hours",
        "key": "hours.closed",
        "reason": "fermé à midi",
        "until": T0,
        "values": {"day": date(2026, 11, 2)},
        "source": "D. 223-9",
    }
    refusals.record(
        conn,
        refusal(
            rules=(Rule.HOURS,),
            findings=findings_text([finding]),
            professional="acme",
            call="c",
            next=day(1),
            asked_by="PJSIP/7-00000001",
            would=True,
            basis_id=basis,
        ),
    )
    (row,) = refusals.list_refusals(conn)
    assert row == {
        "id": 1,
        "at": T0,
        "number": "+33612345678",
        "dialled": "0612345678",
        "professional": "acme",
        "campaign": "energy",
        "door": "agi",
        "call": "c",
        "asked_by": "PJSIP/7-00000001",
        "rule": "hours",
        "rules": "hours",
        "findings": [{**finding, "until": T0.isoformat(), "values": {"day": "2026-11-02"}}],
        "next": day(1),
        "would": True,
        "regime": "fr-a",
        "policy": "fr",
        "policy_sha256": "aa",
        "lists": '{"bloctel": 3}',
        "tzdata": "2026b",
        "program": "0.1",
        "config_sha256": "cc",
        "overrides": "{}",
    }


@pytest.mark.parametrize("dialled", ["x" * 5000, "06\udcff12", "06\x0012", "'; DROP TABLE refusal"])
def test_whatever_was_dialled_is_recorded_and_bounded(
    conn: sqlite3.Connection, dialled: str
) -> None:
    finding = {"rule": "number", "values": {"found": dialled}}
    refusals.record(
        conn,
        refusal(
            number=None,
            dialled=dialled,
            call=dialled,
            asked_by=dialled,
            campaign=dialled,
            rules=(Rule.NUMBER,),
            findings=findings_text([finding]),
        ),
    )
    (row,) = refusals.list_refusals(conn)
    assert row["number"] == ""
    assert row["dialled"] == dialled[:128].replace("\udcff", "?")


def test_each_filter_finds_its_own(conn: sqlite3.Connection) -> None:
    refusals.record(conn, refusal())
    refusals.record(
        conn, refusal(day(1), number=B, campaign="other", rules=(Rule.GAP,), findings="[]")
    )
    for wanted in (
        {"number": A},
        {"campaign": "energy"},
        {"rule": Rule.HOURS},
        {"rule": Rule.FREQUENCY},
        {"until": day(1)},
    ):
        found = list(refusals.list_refusals(conn, **wanted))  # type: ignore[arg-type]
        assert [row["id"] for row in found] == [1], wanted
    for wanted in ({"since": day(1)}, {"after_id": 1}, {"rule": Rule.GAP}):
        found = list(refusals.list_refusals(conn, **wanted))  # type: ignore[arg-type]
        assert [row["id"] for row in found] == [2], wanted


def test_an_exempt_list_is_logged_once_a_call(conn: sqlite3.Connection) -> None:
    def noted(call: str, number: int = A, listed_in: str = "staff") -> bool:
        return refusals.record_exempt(
            conn, at=T0, call=call, number=number, listed_in=listed_in, door=Door.AGI
        )

    assert [noted("c"), noted("c"), noted("d"), noted("c", B), noted("c", A, "lift")] == [
        True,
        False,
        True,
        True,
        True,
    ]
    # Nobody can say whether two questions without a call are the same one.
    assert [noted(""), noted("")] == [True, True]
