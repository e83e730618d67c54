from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.helpers import LONG_AGO, T0, A, B, day, objection

from dialwarden.facts import Scope
from dialwarden.ledger import consents, objections, schema
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.objections import NewObjection

MICROSECOND = timedelta(microseconds=1)


def given_by(number: int = A, at: datetime = T0, **more: object) -> NewConsent:
    values: dict[str, object] = {
        "number": number,
        "professional": "acme",
        "given_at": at,
        "recorded_at": at,
        **more,
    }
    return NewConsent(**values)  # type: ignore[arg-type]


def withdraw(conn: sqlite3.Connection, at: datetime, campaign: str = "") -> int:
    return consents.withdraw(
        conn, number=A, professional="acme", at=at, recorded_at=at, campaign=campaign
    )


def marks(conn: sqlite3.Connection) -> list[object]:
    return [row["withdrawn_at"] for row in consents.list_consents(conn)]


def test_a_consent_is_listed_with_all_that_was_recorded(conn: sqlite3.Connection) -> None:
    consents.grant(
        conn,
        given_by(
            campaign="energy",
            until=date(2027, 1, 1),
            scope="electricity",
            proof="rec 5",
            complete=True,
            by="import",
            recorded_at=day(2),
        ),
    )
    assert list(consents.list_consents(conn, number=A)) == [
        {
            "id": 1,
            "number": "+33612345678",
            "professional": "acme",
            "campaign": "energy",
            "given_at": T0,
            "until": date(2027, 1, 1),
            "scope": "electricity",
            "proof": "rec 5",
            "complete": True,
            "withdrawn_at": None,
            "recorded_at": day(2),
            "by": "import",
        }
    ]


def test_a_withdrawal_ends_every_earlier_consent_of_that_professional(
    conn: sqlite3.Connection,
) -> None:
    for consent in (
        given_by(),
        given_by(at=day(1), campaign="energy"),
        given_by(at=day(3)),
        given_by(B),
        given_by(professional="beta"),
    ):
        consents.grant(conn, consent)
    assert withdraw(conn, day(2)) == 2
    assert marks(conn) == [day(2), day(2), None, None, None]
    assert withdraw(conn, day(2)) == 0


def test_an_earlier_withdrawal_learnt_later_moves_the_mark_back(conn: sqlite3.Connection) -> None:
    consents.grant(conn, given_by())
    withdraw(conn, day(5))
    assert withdraw(conn, day(2)) == 1
    assert marks(conn) == [day(2)]


# (campaign of the consent, its scope, whether withdrawing for "energy" ends it)
COVERED = [
    ("", "professional", True),
    ("energy", "professional", True),
    ("other", "professional", True),
    ("energy", "electricity", True),
    ("", "electricity", True),
    ("other", "electricity", True),
    ("other", "sales", True),
    ("other", "energy", True),
    ("other", "other", False),
]


@pytest.mark.parametrize(("campaign", "scope", "ended"), COVERED)
@pytest.mark.parametrize("order", ["consent first", "withdrawal first"])
def test_a_withdrawal_for_one_campaign_ends_what_might_cover_it(
    conn: sqlite3.Connection, campaign: str, scope: str, ended: bool, order: str
) -> None:
    consent = given_by(campaign=campaign, scope=scope)
    if order == "consent first":
        consents.grant(conn, consent)
        assert withdraw(conn, day(1), "energy") == int(ended)
    else:
        withdraw(conn, day(1), "energy")
        consents.grant(conn, consent)
    assert marks(conn) == [day(1) if ended else None]


def test_a_consent_imported_after_its_withdrawal_does_not_rise_again(
    conn: sqlite3.Connection,
) -> None:
    consents.grant(conn, given_by())
    withdraw(conn, day(2))
    assert not consents.grant(conn, given_by())
    assert consents.grant(conn, given_by(proof="another record"))
    assert consents.grant(conn, given_by(at=day(3)))
    assert marks(conn) == [day(2), day(2), None]


# What was said, and the days after T0 to which a yes of T0 is moved; None where it stays.
NOES = [
    ([], None),
    ([objection(at=day(-1))], None),
    ([objection()], 0),
    ([objection(at=day(2)), objection(at=day(1))], 2),
    ([objection(at=day(2), scope=Scope.CAMPAIGN, campaign="other")], 2),
    ([objection(at=day(2), professional="beta")], None),
    ([objection(at=day(2), professional="beta", scope=Scope.ALL)], 2),
    ([objection(B, at=day(2))], None),
    ([objection(B, at=day(2), person="P1")], 2),
    ([objection(B, at=day(2), person="P2")], None),
]


@pytest.mark.parametrize(("said", "moved_to"), NOES, ids=range(len(NOES)))
def test_a_yes_said_live_is_later_than_every_no(
    conn: sqlite3.Connection, said: list[NewObjection], moved_to: int | None
) -> None:
    for no in said:
        objections.add(conn, no)
    dated = consents.after_every_no(conn, number=A, professional="acme", person="P1", now=T0)
    assert dated == (T0 if moved_to is None else day(moved_to) + MICROSECOND)


def test_a_yes_said_live_is_later_than_every_withdrawal(conn: sqlite3.Connection) -> None:
    withdraw(conn, day(1), "other")
    dated = consents.after_every_no(conn, number=A, professional="acme", now=T0)
    assert dated == day(1) + MICROSECOND
    consents.grant(conn, given_by(at=dated, campaign="other"))
    assert marks(conn) == [None]


@given(
    st.lists(
        st.tuples(st.sampled_from(["yes", "no", "withdrawal"]), st.integers(-5, 5)),
        min_size=1,
        max_size=8,
    )
)
def test_the_last_word_said_live_wins_whatever_the_clock_did(said: list[tuple[str, int]]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        schema.migrate(conn)
        for word, days in said:
            now = day(days)
            if word == "yes":
                at = consents.after_every_no(conn, number=A, professional="acme", now=now)
                consents.grant(conn, given_by(at=at))
            elif word == "no":
                objections.add(conn, objection(at=consents.last_word_at(conn, A, now)))
            else:
                withdraw(conn, consents.last_word_at(conn, A, now))
        known = read_facts(conn, number=A, professional="acme", attempts_since=LONG_AGO)
    stands = any(
        consent.withdrawn_at is None and all(no.at < consent.given_at for no in known.objections)
        for consent in known.consents
    )
    assert stands is (said[-1][0] == "yes")
