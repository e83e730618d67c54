"""One number's rows: what is over goes and is recorded, what stays is told until when."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.ledger.helpers import EDGE, LAW, NOW, OVER, TICK, A, B, attempt, objection

from dialwarden.errors import LedgerUnavailable
from dialwarden.facts import Scope
from dialwarden.ledger import (
    appointments,
    attempts,
    consents,
    erasures,
    legs,
    objections,
    refusals,
    silent_calls,
)
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.erase import Erased, Sifted, Staying, Whom, erase, sift
from dialwarden.ledger.legs import LegId
from dialwarden.ledger.persons import persons_of
from dialwarden.ledger.purge import purge
from dialwarden.ledger.purge_kinds import Plan
from dialwarden.ledger.reduced import key_of, reduced_number
from dialwarden.ledger.refusals import NewRefusal
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.policy.retention import Keeping, Span
from dialwarden.question import Dialling, Door
from dialwarden.verdict import Rule

TABLES = ("attempt", "leg", "refusal", "objection", "consent", "withdrawal", "appointment",
          "silent_call", "exempt_call")  # fmt: skip


def plan_at(keeping: Keeping = LAW, others: Keeping = LAW) -> Callable[[datetime], Plan]:
    return lambda at: Plan({"acme": keeping.on(at)}, others.on(at), {"energy": "acme"}, None)


def run(conn: sqlite3.Connection, number: int = A, keeping: Keeping = LAW) -> Erased:
    return erase(conn, Whom(number), plan_at(keeping), NOW, by="Ann", why="letter")


def look(
    conn: sqlite3.Connection, keeping: Keeping = LAW, *, now: datetime = NOW, others: Keeping = LAW
) -> Sifted:
    return sift(conn, Whom(A), plan_at(keeping, others), now)


def staying(found: Sifted) -> dict[str, tuple[int, date | None]]:
    return {one.kind: (one.rows, one.until) for one in found.staying}


def rows(conn: sqlite3.Connection) -> dict[str, int]:
    counts = {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
    return {name: count for name, count in counts.items() if count}


def refuse(conn: sqlite3.Connection, at: datetime, **more: object) -> int:
    values: dict[str, object] = {"professional": "acme", "campaign": "energy", **more}
    new = NewRefusal(at, A, "0612", [Rule.HOURS], "[]", Door.AGI)
    return refusals.record(conn, replace(new, **values))  # type: ignore[arg-type]


def everything(conn: sqlite3.Connection, at: datetime, number: int = A, **more: object) -> None:
    """One row of every kind."""
    made = attempts.reserve(conn, attempt(number, at, **more))
    legs.dialled(conn, made, LegId("pbx", f"1.{made}", "PJSIP/carrier-1"), trunk="t", at=at)
    refuse(conn, at, number=number)
    objections.add(conn, objection(number, at))
    consents.grant(conn, NewConsent(number, "acme", at, at, until=at.date()))
    consents.withdraw(conn, number=number, professional="acme", at=at, recorded_at=at)
    appointments.add(conn, number=number, professional="acme", at=at, recorded_at=at)
    silent_calls.add(conn, NewSilentCall(number, "acme", at, at))
    refusals.record_exempt(
        conn, at=at, call="c", number=number, listed_in="staff", campaign="energy", door=Door.AGI
    )


def test_what_is_over_goes_of_this_number_alone(conn: sqlite3.Connection) -> None:
    everything(conn, OVER)
    everything(conn, OVER, B)
    done = run(conn)
    assert done.counts == {
        "removed": {
            "appointments": 1, "silent calls": 1, "attempts": 1, "legs": 1, "refusals": 1,
            "exempt calls": 1, "consents": 1,
        },
        "reduced": {"objections": 1, "withdrawals": 1},
        "kept": {},
    }  # fmt: skip
    assert rows(conn) == {**dict.fromkeys(TABLES, 1), "objection": 2, "withdrawal": 2}
    assert run(conn).counts["removed"] == {}


def test_what_is_not_over_stays_and_is_told_until_the_day_on_which_a_purge_would_take_it(
    conn: sqlite3.Connection,
) -> None:
    everything(conn, EDGE)
    before = rows(conn)
    found = look(conn)
    assert found.going == ()
    assert rows(conn) == before
    day = date(2026, 11, 3)
    ends = staying(found)
    for kind in ("attempts", "refusals", "appointments", "silent calls", "exempt calls"):
        assert ends[kind] == (1, day), kind
    (no,) = [one for one in found.staying if one.kind == "objections"]
    assert (no.until, no.reduced_from) == (None, day)
    # And so it is: by noon of that day and not a moment earlier.
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert look(conn, now=noon - TICK).going == ()
    assert {one.kind.name for one in look(conn, now=noon).going} >= {"attempts", "objections"}


@pytest.mark.parametrize("days", [0, 1, 59, 365, 1094, 1095, 1096, 2000])
def test_the_day_told_is_the_first_one_whatever_the_age(
    conn: sqlite3.Connection, days: int
) -> None:
    refuse(conn, NOW - timedelta(days=days))
    found = look(conn)
    if found.going:
        assert days >= 1096
        return
    ((_, until),) = staying(found).values()
    assert until is not None
    noon = datetime(until.year, until.month, until.day, 12, tzinfo=UTC)
    assert look(conn, now=noon).going
    assert not look(conn, now=noon - TICK).going


def test_what_a_cap_still_sees_stays_and_the_cap_says_until_when(
    conn: sqlite3.Connection,
) -> None:
    attempts.reserve(conn, attempt(at=NOW - timedelta(days=1200)))
    keeping = replace(LAW, history=timedelta(days=1500))
    assert staying(look(conn, keeping)) == {"attempts": (1, date(2027, 8, 30))}
    assert run(conn, keeping=keeping).counts["removed"] == {}


def test_nothing_goes_where_no_period_is_known_and_none_is_made_up(
    conn: sqlite3.Connection,
) -> None:
    everything(conn, datetime(2001, 1, 1, tzinfo=UTC))
    before = rows(conn)
    done = run(conn, keeping=Keeping(None, ""))
    assert (done.counts["removed"], done.counts["reduced"]) == ({}, {})
    assert rows(conn) == before
    assert {one.until for one in done.staying} == {None}


def test_a_consent_that_is_good_without_end_stays_and_one_that_ended_says_when_it_goes(
    conn: sqlite3.Connection,
) -> None:
    keeping = replace(LAW, consents=((None, None),))
    consents.grant(conn, NewConsent(A, "acme", OVER, OVER))
    assert staying(look(conn, keeping)) == {"consents": (1, None)}
    consents.withdraw(conn, number=A, professional="acme", at=NOW, recorded_at=NOW)
    assert staying(look(conn, keeping))["consents"] == (1, date(2029, 11, 4))


def test_an_objection_goes_on_holding_when_it_was_reduced(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(at=OVER, note="angry", scope=Scope.ALL, person="P1"))
    assert run(conn).counts["reduced"] == {"objections": 1}
    (row,) = objections.list_objections(conn, number=A)
    assert (row["number"], row["person"], row["note"]) == ("reduced", "reduced", "")
    (kept,) = look(conn).staying
    assert kept == Staying("objections", "acme", 1, None, None, 1)


def test_an_objection_without_effect_goes_reduced_or_not(conn: sqlite3.Connection) -> None:
    objections.add(conn, objection(at=OVER))
    run(conn)
    over = replace(LAW, noes=Span(days=30))
    assert run(conn, keeping=over).counts["removed"] == {"objections": 1}
    assert rows(conn) == {}


def test_an_attempt_that_is_leant_on_stays_with_what_leans_on_it(conn: sqlite3.Connection) -> None:
    made = attempts.reserve(conn, attempt(at=OVER))
    silent_calls.add(conn, NewSilentCall(A, "acme", OVER, OVER, attempt=made))
    keeping = replace(LAW, silence_stays=True)
    assert run(conn, keeping=keeping).counts["removed"] == {}
    assert staying(look(conn, keeping)) == {"silent calls": (1, None), "attempts": (1, None)}


def test_exactly_what_a_purge_would_remove_goes(conn: sqlite3.Connection, tmp_path: Path) -> None:
    for days in range(0, 2400, 37):
        everything(conn, NOW - timedelta(days=days))
    found = look(conn)
    done = purge(conn, plan_at()(NOW), NOW, by="test", pause=lambda _: False)
    told = found.counts()
    assert told["reduced"] == done.reduced
    legs_too = {**told["removed"], "legs": told["removed"]["attempts"]}
    assert legs_too == done.removed


def test_refusals_of_what_has_no_number_go_when_it_was_dialled_so(
    conn: sqlite3.Connection,
) -> None:
    for dialled in ("06 12-34.56(78)", "+33 612345678", "0612345679", "x0612345678"):
        refuse(conn, OVER, number=None, dialled=dialled)
    whom = Whom(A, ("33612345678", "0612345678"))
    found = sift(conn, whom, plan_at(), NOW)
    assert [one.ids for one in found.going] == [(1, 2)]
    listed = refusals.list_refusals(conn, number=A, dialled_as=whom.dialled)
    assert [row["id"] for row in listed] == [1, 2]
    # Neither those of the number nor those of none are looked for among all refusals.
    condition = refusals.dialled_so(whom.dialled)
    plan = conn.execute(
        f"EXPLAIN QUERY PLAN SELECT id FROM refusal WHERE {condition}", (A, *whom.dialled)
    ).fetchall()
    steps = [row[3] for row in plan]
    assert not [step for step in steps if step == "SCAN refusal"]
    assert any("refusal_without_number" in step for step in steps)


def test_it_is_on_record_that_it_was_done_and_not_whose_it_was(
    conn: sqlite3.Connection, path: Path
) -> None:
    everything(conn, OVER)
    refuse(conn, NOW)
    done = run(conn)
    (row,) = erasures.list_erasures(conn, number=A)
    assert (row["id"], row["number"], row["by"], row["why"]) == (
        done.id,
        "reduced",
        "Ann",
        "letter",
    )
    assert row["counts"] == done.counts
    assert done.counts["kept"] == {"refusals": 1}
    assert row["at"] == row["ended_at"] == NOW
    key = key_of(conn)
    assert key is not None
    stored = conn.execute("SELECT number FROM erasure").fetchone()[0]
    assert stored == reduced_number(key, A)
    assert list(erasures.list_erasures(conn, number=B)) == []


def test_a_number_is_never_written_into_an_erasure_in_clear(conn: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="in clear"):
        erasures.begin(conn, number=A, at=NOW, by="Ann", why="x")


def test_what_went_is_overwritten_in_the_file(conn: sqlite3.Connection, path: Path) -> None:
    attempts.reserve(conn, attempt(at=OVER, call="needle-in-the-file"))
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"needle-in-the-file" in path.read_bytes()
    run(conn)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"needle-in-the-file" not in path.read_bytes()


def test_one_that_is_cut_short_is_on_record_with_what_it_did_and_goes_on(
    conn: sqlite3.Connection,
) -> None:
    for n in range(250):
        refuse(conn, OVER - n * TICK)
    steps = iter([None, "stop"])

    def rest() -> None:
        if next(steps):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(conn, Whom(A), plan_at(), NOW, by="Ann", why="x", rest=rest)
    (row,) = erasures.list_erasures(conn, number=A)
    assert row["ended_at"] is None
    assert row["counts"] == {"removed": {"refusals": 200}, "reduced": {}}
    assert run(conn).counts["removed"] == {"refusals": 50}
    assert rows(conn) == {}


def test_others_write_between_two_bites(conn: sqlite3.Connection, path: Path) -> None:
    for n in range(150):
        refuse(conn, OVER - n * TICK)
    other = open_ledger(path, busy_timeout_s=0)

    def rest() -> None:
        with transaction(other):
            attempts.reserve(other, attempt(B, NOW))

    erase(conn, Whom(A), plan_at(), NOW, by="Ann", why="x", rest=rest)
    other.close()
    assert rows(conn) == {"attempt": 2}


def test_a_ledger_that_is_locked_is_told_and_nothing_is_half_done(path: Path) -> None:
    conn = open_ledger(path, busy_timeout_s=0)
    refuse(conn, OVER)
    holder = open_ledger(path)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable):
        run(conn)
    holder.execute("ROLLBACK")
    assert rows(conn) == {"refusal": 1}
    holder.close()
    conn.close()


def test_the_other_numbers_of_a_person_are_named_and_left(conn: sqlite3.Connection) -> None:
    attempts.reserve(conn, attempt(A, OVER, person="P1"))
    attempts.reserve(conn, attempt(B, OVER, person="P1"))
    objections.add(conn, objection(A, OVER, person="P2"))
    assert persons_of(conn, A) == {"P1": (f"+{B}",), "P2": ()}
    assert persons_of(conn, B + 1) == {}
    run(conn)
    assert rows(conn) == {"attempt": 1, "objection": 1}
    assert persons_of(conn, A) == {}  # what was reduced names nobody


def test_an_id_that_only_looks_like_a_hash_is_a_person_like_any(conn: sqlite3.Connection) -> None:
    """A dialer may number households so."""
    attempts.reserve(conn, attempt(A, NOW, person="h:42"))
    assert persons_of(conn, A) == {"h:42": ()}


def test_an_attempt_stays_while_a_silent_call_to_another_number_of_its_person_rests_on_it(
    conn: sqlite3.Connection,
) -> None:
    """Without the call by an agent that followed it, that silent call would never be over."""
    keeping = replace(LAW, silence_stays=True)
    silent_calls.add(conn, NewSilentCall(B, "acme", OVER - TICK, OVER - TICK, person="P1"))
    for person in ("P1", ""):
        attempts.reserve(conn, attempt(A, OVER, person=person, dialling=Dialling.MANUAL))
        attempts.reserve(conn, attempt(B, OVER, person=person, dialling=Dialling.MANUAL))
    assert run(conn, keeping=keeping).counts["removed"] == {"attempts": 1}
    assert purge(conn, plan_at(keeping)(NOW), NOW, by="t", pause=lambda _: False).removed == {
        "silent calls": 1, "attempts": 3,
    }  # fmt: skip
