from __future__ import annotations

import sqlite3
from datetime import datetime

from tests.ledger.helpers import T0, A, B, attempt, day

from dialwarden.ledger import appointments, attempts

AGREED = day(2)


def add(
    conn: sqlite3.Connection, number: int = A, at: datetime = AGREED, campaign: str = "energy"
) -> bool:
    return appointments.add(
        conn,
        number=number,
        professional="acme",
        at=at,
        recorded_at=T0,
        campaign=campaign,
        by="agent 7",
    )


def used_by(conn: sqlite3.Connection) -> list[object]:
    return [row["used_by"] for row in appointments.list_appointments(conn)]


def test_an_appointment_is_recorded_once_and_spent_once(conn: sqlite3.Connection) -> None:
    assert add(conn)
    assert not add(conn)
    one, two = (attempts.reserve(conn, attempt()) for _ in range(2))
    spent = [appointments.use(conn, by, which) for by, which in ((one, 2), (one, 1), (two, 1))]
    assert spent == [False, True, False]
    assert list(appointments.list_appointments(conn, number=A)) == [
        {
            "id": 1,
            "number": "+33612345678",
            "professional": "acme",
            "campaign": "energy",
            "at": AGREED,
            "recorded_at": T0,
            "by": "agent 7",
            "used_by": one,
        }
    ]


def test_another_campaign_instant_or_callee_is_another_appointment(
    conn: sqlite3.Connection,
) -> None:
    said = [add(conn), add(conn, campaign="solar"), add(conn, at=day(3)), add(conn, B), add(conn)]
    assert said == [True, True, True, True, False]
    one = attempts.reserve(conn, attempt())
    assert appointments.use(conn, one, 2)
    assert used_by(conn) == [None, one, None, None]


def test_a_voided_attempt_gives_its_appointment_back(conn: sqlite3.Connection) -> None:
    add(conn)
    one, two, three = (attempts.reserve(conn, attempt()) for _ in range(3))
    assert appointments.use(conn, one, 1)
    attempts.void(conn, one, "never dialled", T0)
    assert used_by(conn) == [None]
    assert not add(conn)
    assert appointments.use(conn, two, 1)
    assert attempts.void_unsent(conn, two, "the channel was gone", T0)
    assert used_by(conn) == [None]
    assert appointments.use(conn, three, 1)
    assert used_by(conn) == [three]


def test_an_instant_agreed_anew_after_its_call_is_good_for_one_more(
    conn: sqlite3.Connection,
) -> None:
    add(conn)
    one = attempts.reserve(conn, attempt())
    assert appointments.use(conn, one, 1)
    assert add(conn)
    assert not add(conn)
    assert used_by(conn) == [one, None]
