from __future__ import annotations

import sqlite3

from tests.ledger.helpers import T0, A, attempt, day

from dialwarden.ledger import appointments, attempts


def test_an_appointment_is_recorded_once_and_spent_once(conn: sqlite3.Connection) -> None:
    def add() -> bool:
        return appointments.add(
            conn,
            number=A,
            professional="acme",
            at=day(2),
            recorded_at=T0,
            campaign="energy",
            by="agent 7",
        )

    assert add()
    assert not add()
    one = attempts.reserve(conn, attempt())
    spent = [
        appointments.use(conn, one, number=A, professional="acme", at=at, campaign=campaign)
        for at, campaign in (
            (day(2), ""),
            (day(1), "energy"),
            (day(2), "energy"),
            (day(2), "energy"),
        )
    ]
    assert spent == [False, False, True, False]
    assert list(appointments.list_appointments(conn, number=A)) == [
        {
            "id": 1,
            "number": "+33612345678",
            "professional": "acme",
            "campaign": "energy",
            "at": day(2),
            "recorded_at": T0,
            "by": "agent 7",
            "used_by": one,
        }
    ]
