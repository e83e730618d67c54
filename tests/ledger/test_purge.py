"""What is over goes, what is not stays: each kind at its edge, and a purge that is cut short."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pyroaring import BitMap64
from tests.ledger.helpers import (
    EDGE,
    LAW,
    LONG_AGO,
    NOW,
    OVER,
    TICK,
    A,
    B,
    attempt,
    objection,
    start_python,
)

from dialwarden.errors import LedgerBroken
from dialwarden.facts import Scope
from dialwarden.ledger import (
    appointments,
    attempts,
    consents,
    legs,
    lists,
    objections,
    purge_survey,
    refusals,
    silent_calls,
)
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.legs import LegId
from dialwarden.ledger.overrides import NewOverride, begin_override
from dialwarden.ledger.purge import Purged, purge
from dialwarden.ledger.purge_kinds import Plan
from dialwarden.ledger.refusals import NewRefusal
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.ledger.verify import verify
from dialwarden.policy.retention import Keeping, Span
from dialwarden.question import Dialling, Door
from dialwarden.verdict import Rule

UNKNOWN = Keeping(None, "")


def plan(others: Keeping = UNKNOWN, now: datetime = NOW, **named: Keeping) -> Plan:
    """Of acme three years, unless it is said otherwise; of others nothing is known."""
    of = {"acme": LAW, **named}
    return Plan(
        {name: keeping.on(now) for name, keeping in of.items()},
        others.on(now),
        {"energy": "acme", "water": "beta"},
        LAW.on(now).proof_before,
    )


def run(conn: sqlite3.Connection, of: Plan | None = None) -> Purged:
    return purge(conn, of or plan(), NOW, by="test", pause=lambda _: False)


def ids(conn: sqlite3.Connection, table: str) -> list[int]:
    return [row[0] for row in conn.execute(f"SELECT id FROM {table} ORDER BY id")]


def reserve(conn: sqlite3.Connection, at: datetime, **more: object) -> int:
    return attempts.reserve(conn, attempt(at=at, **more))


def refuse(conn: sqlite3.Connection, at: datetime, **more: object) -> int:
    values: dict[str, object] = {"professional": "acme", "campaign": "energy", **more}
    new = NewRefusal(at, A, "0612", [Rule.HOURS], "[]", Door.AGI)
    return refusals.record(conn, replace(new, **values))  # type: ignore[arg-type]


def yes(conn: sqlite3.Connection, given_at: datetime, until: str = "") -> None:
    last = date.fromisoformat(until) if until else None
    assert consents.grant(conn, NewConsent(A, "acme", given_at, given_at, until=last))


def silence(conn: sqlite3.Connection, at: datetime, **more: object) -> None:
    new = NewSilentCall(A, "acme", at, at)
    assert silent_calls.add(conn, replace(new, **more))  # type: ignore[arg-type]


# Each kind at its edge.


def test_attempts_go_the_day_after_their_period_with_their_legs(conn: sqlite3.Connection) -> None:
    over, kept = reserve(conn, OVER), reserve(conn, EDGE)
    for number in (over, kept):
        leg = LegId("pbx", f"17.{number}", "PJSIP/carrier-1")
        legs.dialled(conn, number, leg, trunk="carrier", at=EDGE)
    assert run(conn).removed == {"attempts": 1, "legs": 1}
    assert ids(conn, "attempt") == [kept]
    assert conn.execute("SELECT attempt_id FROM leg").fetchall() == [(kept,)]


def test_an_attempt_that_nobody_settled_goes_like_any_other(conn: sqlite3.Connection) -> None:
    reserve(conn, OVER)
    attempts.void(conn, reserve(conn, OVER), "never dialled", OVER)
    assert run(conn).removed == {"attempts": 2}


@pytest.mark.parametrize(
    ("professional", "others", "gone"),
    [
        ("acme", UNKNOWN, True),
        ("beta", UNKNOWN, False),
        ("beta", Keeping(3, "house"), True),
        ("beta", Keeping(4, "house"), False),
    ],
)
def test_whom_no_campaign_names_is_kept_unless_the_house_has_a_period(
    conn: sqlite3.Connection, professional: str, others: Keeping, gone: bool
) -> None:
    reserve(conn, OVER, professional=professional)
    refuse(conn, OVER, professional=professional)
    objections.add(conn, objection(at=OVER, professional=professional))
    done = run(conn, plan(others))
    assert (done.removed == {"attempts": 1, "refusals": 1}) == gone
    assert (done.reduced == {"objections": 1}) == gone


def test_what_a_cap_still_sees_stays(conn: sqlite3.Connection) -> None:
    span = timedelta(days=1500)
    seen = reserve(conn, NOW - span)
    reserve(conn, NOW - span - TICK)
    run(conn, plan(acme=replace(LAW, history=span)))
    assert ids(conn, "attempt") == [seen]


def test_refusals_and_exempt_calls_go_by_their_professional(conn: sqlite3.Connection) -> None:
    kept = [refuse(conn, EDGE), refuse(conn, OVER, professional="", campaign="?")]
    refuse(conn, OVER)
    for at, campaign in ((OVER, "energy"), (EDGE, "energy"), (OVER, "water"), (OVER, "gone")):
        refusals.record_exempt(
            conn, at=at, call="", number=A, listed_in="staff", campaign=campaign, door=Door.AGI
        )
    assert run(conn).removed == {"refusals": 1, "exempt calls": 1}
    assert ids(conn, "refusal") == kept
    assert ids(conn, "exempt_call") == [2, 3, 4]


@pytest.mark.parametrize(
    ("at", "recorded_at", "used", "gone"),
    [
        (OVER, LONG_AGO, None, True),
        (EDGE, LONG_AGO, None, False),
        (OVER, EDGE, None, False),
        (OVER, LONG_AGO, OVER, True),
        # The call came some minutes after the hour agreed on, and is still proof.
        (OVER, LONG_AGO, EDGE, False),
    ],
)
def test_an_appointment_goes_with_its_call(
    conn: sqlite3.Connection,
    at: datetime,
    recorded_at: datetime,
    used: datetime | None,
    gone: bool,
) -> None:
    appointments.add(conn, number=A, professional="acme", at=at, recorded_at=recorded_at)
    if used is not None:
        assert appointments.use(conn, reserve(conn, used), 1)
    run(conn)
    assert ids(conn, "appointment") == ([] if gone else [1])
    if used is not None:
        assert ids(conn, "attempt") == ([] if gone else [1])


@pytest.mark.parametrize(
    ("given_at", "until", "withdrawn", "gone"),
    [
        # Good without end: it is proof for as long as it may be called upon.
        (LONG_AGO, "", None, False),
        (LONG_AGO, "2023-11-01", None, True),
        (LONG_AGO, "2023-11-02", None, False),
        (LONG_AGO, "", OVER, True),
        (LONG_AGO, "", EDGE, False),
    ],
)
def test_a_consent_goes_when_its_end_is_so_long_ago(
    conn: sqlite3.Connection, given_at: datetime, until: str, withdrawn: datetime | None, gone: bool
) -> None:
    yes(conn, given_at, until)
    if withdrawn is not None:
        consents.withdraw(conn, number=A, professional="acme", at=withdrawn, recorded_at=withdrawn)
    run(conn)
    assert ids(conn, "consent") == ([] if gone else [1])


def test_a_consent_that_the_law_ends_goes_by_the_day_it_was_given(
    conn: sqlite3.Connection,
) -> None:
    # A year later it had lapsed, and three years more are over.
    edge = datetime(2022, 11, 1, 10, tzinfo=UTC)
    yes(conn, edge - TICK)
    yes(conn, edge)
    assert run(conn, plan(acme=replace(LAW, consents=((1, None),)))).removed == {"consents": 1}
    assert ids(conn, "consent") == [2]


# A no.


def test_a_no_that_still_holds_is_reduced_the_day_after_its_period(
    conn: sqlite3.Connection,
) -> None:
    for at, number in ((OVER, A), (EDGE, B)):
        objections.add(
            conn, objection(number, at=at, person="P1", note="angry", by="agent 7", recorded_at=at)
        )
    consents.withdraw(conn, number=A, professional="acme", at=OVER, recorded_at=OVER, by="agent 7")
    done = run(conn)
    assert (done.removed, done.reduced) == ({}, {"objections": 1, "withdrawals": 1})
    first, second = objections.list_objections(conn)
    assert (first["number"], first["person"], first["note"], first["by"], first["door"]) == (
        "reduced", "reduced", "", "", "",
    )  # fmt: skip
    assert (second["number"], second["note"], second["reduced_at"]) == (f"+{B}", "angry", None)
    assert conn.execute("SELECT number < 0, recorded_by FROM withdrawal").fetchall() == [(1, "")]
    # Nowhere in the file: neither the number nor who it was.
    dump = "\n".join(conn.iterdump())
    assert str(A) not in dump
    facts = read_facts(conn, number=A, professional="acme", attempts_since=LONG_AGO)
    assert [one.at for one in facts.objections] == [OVER]


def test_what_was_recorded_today_stays_as_it_is_for_a_day(conn: sqlite3.Connection) -> None:
    day_ago = NOW - timedelta(days=1)
    for recorded in (day_ago - TICK, day_ago):
        objections.add(conn, objection(at=OVER, recorded_at=recorded, note=str(recorded)))
        objections.add(conn, objection(B, at=OVER, recorded_at=recorded))
    assert run(conn).reduced == {"objections": 2}
    # Of the second of A's it is known that it is the same no: it was never recorded.
    assert len(ids(conn, "objection")) == 2


def test_a_no_whose_effect_ended_goes_and_one_to_everybody_stays(
    conn: sqlite3.Connection,
) -> None:
    ends = replace(LAW, noes=Span(years=1, days=60), withdrawals=Span(years=1))
    for at, scope in ((OVER, Scope.PROFESSIONAL), (EDGE, Scope.PROFESSIONAL), (OVER, Scope.ALL)):
        objections.add(conn, objection(at=at, scope=scope))
    for at in (OVER, EDGE):
        consents.withdraw(conn, number=B, professional="acme", at=at, recorded_at=at)
    done = run(conn, plan(acme=ends))
    assert done.removed == {"objections": 1, "withdrawals": 1}
    assert done.reduced == {"objections": 1}
    assert ids(conn, "objection") == [2, 3]


def test_an_effect_longer_than_the_proof_keeps_a_no_reduced_until_it_ends(
    conn: sqlite3.Connection,
) -> None:
    objections.add(conn, objection(at=OVER))
    ends = replace(LAW, noes=Span(years=5))
    assert run(conn, plan(acme=ends)).reduced == {"objections": 1}
    later = datetime(2028, 11, 2, 12, tzinfo=UTC)
    done = purge(conn, plan(acme=ends, now=later), later, by="test", pause=lambda _: False)
    assert done.removed == {"objections": 1}


# Silent calls, after which an agent must come first.

AWAITED = replace(LAW, silence_stays=True)


@pytest.mark.parametrize(
    ("keeping", "person", "then", "gone"),
    [
        (LAW, "", None, True),
        (AWAITED, "", None, False),
        (AWAITED, "", {}, True),
        (AWAITED, "", {"dialling": None}, False),
        (AWAITED, "", {"number": B}, False),
        # Whoever asks without the person would find it unanswered.
        (AWAITED, "P1", {"person": "P1"}, False),
        (AWAITED, "P1", {}, False),
    ],
)
def test_a_silence_stays_until_an_agent_called(
    conn: sqlite3.Connection, keeping: Keeping, person: str,
    then: dict[str, object] | None, gone: bool,
) -> None:  # fmt: skip
    earlier = OVER - timedelta(days=9)
    first = reserve(conn, earlier, person=person)
    silence(conn, earlier + TICK, person=person, attempt=first)
    if then is not None:
        reserve(conn, OVER - TICK, **{"dialling": Dialling.MANUAL, **then})
    run(conn, plan(acme=keeping))
    assert ids(conn, "silent_call") == ([] if gone else [1])
    # The calls that it is judged with stay as long as it does.
    stayed = {row[0] for row in conn.execute("SELECT number FROM attempt")}
    assert stayed == (set() if gone else {A})


def test_a_silence_within_the_period_keeps_its_own_call(conn: sqlite3.Connection) -> None:
    first = reserve(conn, OVER)
    silence(conn, EDGE, attempt=first)
    assert run(conn).removed == {}
    assert ids(conn, "attempt") == [first]


# What they were judged by, and the lists.


def basis(conn: sqlite3.Connection, **versions: int) -> int:
    named = tuple(versions.items())
    return basis_id(conn, Basis("r", "p", "sha", named, "2026a", "1", str(versions)))


def bring(conn: sqlite3.Connection, at: datetime, as_of: date | None = None) -> int:
    return lists.import_version(
        conn, "house", BitMap64([A]), as_of=as_of, imported_at=at, source="f", sha256=str(at)
    )


def test_a_basis_goes_with_the_last_row_that_leans_on_it(conn: sqlite3.Connection) -> None:
    only_old, shared, unused = basis(conn, a=1), basis(conn, a=2), basis(conn, a=3)
    reserve(conn, OVER, basis_id=only_old)
    reserve(conn, OVER, basis_id=shared)
    refuse(conn, EDGE, basis_id=shared)
    done = run(conn)
    assert done.removed == {"attempts": 2, "bases": 2}
    assert ids(conn, "basis") == [shared]
    assert unused not in ids(conn, "basis")
    assert conn.execute("PRAGMA foreign_keys").fetchone() == (1,)


def override(conn: sqlite3.Connection, until: datetime, professional: str = "acme") -> int:
    new = NewOverride(
        "energy", professional, [Rule.HOURS], until - timedelta(hours=1), until, "Anna", "a flood"
    )
    return begin_override(conn, new).id


def under(conn: sqlite3.Connection, of: int) -> int:
    """The basis of a call that was let go under an override."""
    return basis_id(conn, Basis("r", "p", "sha", (), "2026a", "1", "c", overrides=(("hours", of),)))


def test_overrides_go_when_they_are_no_proof_any_more(conn: sqlite3.Connection) -> None:
    over, kept = override(conn, OVER), override(conn, EDGE)
    unknown = override(conn, LONG_AGO, "nobody")
    assert run(conn).removed == {"overrides": 1}
    assert ids(conn, "override") == [kept, unknown]
    assert over not in (kept, unknown)


def test_an_override_stays_as_long_as_a_call_leans_on_it_and_goes_in_the_purge_behind(
    conn: sqlite3.Connection,
) -> None:
    leant, refused, alone = (override(conn, LONG_AGO) for _ in range(3))
    reserve(conn, EDGE, basis_id=under(conn, leant))
    refuse(conn, OVER, basis_id=under(conn, refused))
    assert run(conn).removed == {"refusals": 1, "overrides": 1, "bases": 1}
    assert ids(conn, "override") == [leant, refused]
    assert alone not in ids(conn, "override")
    assert run(conn).removed == {"overrides": 1}
    assert ids(conn, "override") == [leant]
    assert not [check for check in verify(conn) if check.wrong]


def test_old_lists_lose_their_numbers_and_stay_known(conn: sqlite3.Connection) -> None:
    old = [bring(conn, LONG_AGO + timedelta(days=n)) for n in range(5)]
    reserve(conn, EDGE, basis_id=basis(conn, house=old[1]))
    assert run(conn).removed == {"list versions": 2}
    heads = list(lists.versions(conn, "house"))
    # Judged by; what is in force; and what would be, were that taken back.
    assert [lists.has_numbers(conn, head) for head in heads] == [False, True, False, True, True]
    with pytest.raises(LedgerBroken, match="version 1 of list house were removed by a purge"):
        lists.read_body(conn, heads[0])
    assert not [check for check in verify(conn) if check.wrong]


def test_a_version_that_was_taken_back_stands_in_for_none(conn: sqlite3.Connection) -> None:
    for n in range(4):
        bring(conn, LONG_AGO + timedelta(days=n))
    conn.execute("UPDATE list_version SET withdrawn_at = 1 WHERE id = 3")
    assert run(conn).removed == {"list versions": 2}
    kept = [lists.has_numbers(conn, head) for head in lists.versions(conn, "house")]
    assert kept == [False, True, False, True]


def test_the_list_in_force_stays_however_old(conn: sqlite3.Connection) -> None:
    live = bring(conn, LONG_AGO, date(2020, 1, 1))
    bring(conn, LONG_AGO, date(2019, 1, 1))
    bring(conn, LONG_AGO, date(2018, 1, 1))
    bring(conn, LONG_AGO, date(2017, 1, 1))
    run(conn)
    head = lists.live_head(conn, "house")
    assert head is not None
    assert head.version == live
    assert lists.read_body(conn, head).numbers == BitMap64([A])


# The purge itself.


def fill(conn: sqlite3.Connection, rows: int = 400) -> None:
    """Rows of every kind, a quarter of them over."""
    with transaction(conn):
        for n in range(rows):
            at = OVER - timedelta(hours=n) if n % 4 == 0 else EDGE + timedelta(hours=n)
            number = A + n
            one = reserve(conn, at, number=number, basis_id=basis(conn, a=n % 7))
            leg = LegId("pbx", f"17.{n}", "PJSIP/carrier-1")
            legs.dialled(conn, one, leg, trunk="carrier", at=at)
            refuse(conn, at)
            objections.add(conn, objection(number, at=at))


def contents(conn: sqlite3.Connection) -> list[str]:
    """All that is on record, but when and by what key it was reduced, and by which purges."""
    left_out = ("hash_key", "purge", "migration", "sqlite_sequence", "list_")
    return [
        line
        for line in conn.iterdump()
        if line.startswith("INSERT")
        and not any(f'"{name}' in line for name in left_out)
        and '"objection"' not in line
    ]


def test_a_second_purge_finds_nothing(conn: sqlite3.Connection) -> None:
    fill(conn, 80)
    assert run(conn).removed == {"attempts": 20, "legs": 20, "refusals": 20}
    after = contents(conn)
    done = run(conn)
    assert (done.removed, done.reduced, done.finished) == ({}, {}, True)
    assert contents(conn) == after


def test_it_is_on_record_with_what_it_removed(conn: sqlite3.Connection) -> None:
    reserve(conn, OVER)
    objections.add(conn, objection(at=OVER))
    run(conn)
    by, ended, counts = conn.execute(
        "SELECT recorded_by, ended_at >= began_at, removed FROM purge"
    ).fetchone()
    assert (by, ended) == ("test", 1)
    assert json.loads(counts) == {"removed": {"attempts": 1}, "reduced": {"objections": 1}}


def test_one_that_is_stopped_says_so_and_the_next_goes_on(conn: sqlite3.Connection) -> None:
    fill(conn, 400)
    done = purge(conn, plan(), NOW, by="test", pause=lambda _: True)
    assert not done.finished
    assert 0 < done.removed["attempts"] < 100
    assert conn.execute("SELECT ended_at FROM purge").fetchall() == [(None,)]
    rest = run(conn)
    assert done.removed["attempts"] + rest.removed["attempts"] == 100
    assert rest.finished


PURGE = """
import sys, time
sys.path.insert(0, sys.argv[2])
from tests.ledger.test_purge import NOW, plan
from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.purge import purge

def pause(seconds):
    print("bite", flush=True)
    time.sleep(0.002)

purge(open_ledger(sys.argv[1]), plan(), NOW, by="killed", pause=pause)
"""


@pytest.mark.parametrize("bites", [1, 2, 8])
def test_a_purge_that_was_killed_leaves_nothing_half_done(path: Path, bites: int) -> None:
    conn = open_ledger(path)
    fill(conn)
    process = start_python(PURGE, path, Path(__file__).parents[2])
    assert process.stdout is not None
    for _ in range(bites):
        assert process.stdout.readline() == "bite\n"
    process.kill()
    process.communicate()
    assert not [check for check in verify(conn) if check.wrong]
    run(conn)
    assert len(ids(conn, "attempt")) == len(ids(conn, "leg")) == len(ids(conn, "refusal")) == 300
    kept, reduced = conn.execute(
        "SELECT count(*), sum(reduced_at IS NOT NULL) FROM objection"
    ).fetchone()
    assert (kept, reduced) == (400, 100)
    assert not [check for check in verify(conn) if check.wrong]
    conn.close()


def test_a_row_that_came_to_be_needed_meanwhile_stays(path: Path) -> None:
    """Between being found and being removed: the condition is asked again under the lock."""
    conn, beside = open_ledger(path), open_ledger(path)
    for _ in range(200):  # more than go at once
        reserve(conn, OVER)
    held: list[int] = []

    def pause(_: float) -> bool:
        if not held:
            held.append(ids(beside, "attempt")[-1])
            silence(beside, NOW, attempt=held[0])
        return False

    purge(conn, plan(), NOW, by="test", pause=pause)
    assert ids(conn, "attempt") == held
    conn.close()
    beside.close()


def queries_of(conn: sqlite3.Connection, ask: Callable[[], object]) -> list[str]:
    queries: list[str] = []
    conn.set_trace_callback(queries.append)
    ask()
    conn.set_trace_callback(None)
    return queries


def test_nothing_big_is_read_through_under_the_lock(conn: sqlite3.Connection) -> None:
    fill(conn, 40)
    locked, plans = False, []
    for query in queries_of(conn, lambda: run(conn)):
        locked = (locked or query.startswith("BEGIN IMMEDIATE")) and query != "COMMIT"
        if locked and query.startswith(("DELETE", "UPDATE", "SELECT")):
            plans += [(row[3], query) for row in conn.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert plans
    scans = [plan for plan in plans if plan[0].startswith("SCAN")]
    assert {plan.split(" VIRTUAL")[0] for plan, _ in scans} <= {
        "SCAN json_each", "SCAN sqlite_master",
    }, scans  # fmt: skip


def test_a_survey_counts_what_a_purge_then_removes(conn: sqlite3.Connection) -> None:
    fill(conn, 40)
    silence(conn, OVER, attempt=1)
    appointments.add(conn, number=A, professional="acme", at=OVER, recorded_at=LONG_AGO)
    assert appointments.use(conn, 5, 1)
    yes(conn, LONG_AGO, "2020-01-01")
    for n in range(4):
        bring(conn, LONG_AGO + timedelta(days=n))
    reserve(conn, OVER, professional="beta")
    before = "\n".join(conn.iterdump())
    found = purge_survey.survey(conn, plan(), NOW)
    assert "\n".join(conn.iterdump()) == before
    done = run(conn)
    for reduced, counts in ((False, done.removed), (True, done.reduced)):
        told: dict[str, int] = {}
        for one in found:
            if one.rows and one.reduced is reduced:
                told[one.kind] = told.get(one.kind, 0) + one.rows
        assert told == counts
    by = {(one.kind, one.professional): one for one in found if not one.reduced}
    assert by["attempts", "acme"].oldest_kept == EDGE + timedelta(hours=1)
    assert (by["attempts", "beta"].rows, by["attempts", "beta"].oldest_kept) == (0, OVER)
