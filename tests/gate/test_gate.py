"""The gate of a running bridge: always an answer, on disk before it leaves."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.gate.world import (
    CONFIG,
    NOW,
    NUMBER,
    OTHER,
    World,
    consent_to,
    failing,
    import_list,
    object_to,
    overlay,
    question,
    rulebook_of,
    settled,
    withdraw,
)

from dialwarden.errors import LedgerUnavailable
from dialwarden.gate import verdicts
from dialwarden.gate.gate import Grant
from dialwarden.gate.verdicts import Answer
from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.lists import Op
from dialwarden.question import Question
from dialwarden.rules.judge import judge
from dialwarden.verdict import Reason, Rule


@pytest.fixture(autouse=True)
def _verdicts_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="dialwarden")


def verdict_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if hasattr(record, "fields")]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the ledger's write lock."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        yield
        conn.execute("ROLLBACK")


# Durable before ALLOW; every refusal on disk.


async def test_an_allow_is_on_disk_when_it_is_given(world: World) -> None:
    answer = await world.ask()
    assert answer.allowed
    [attempt] = world.attempts()
    assert attempt["id"] == answer.attempt
    assert attempt["regime"] == "none"
    assert attempt["policy_sha256"]


async def test_a_refusal_is_on_disk_when_it_is_given(world: World) -> None:
    assert await world.rules("12") == "number"
    [refusal] = world.refusals()
    assert (refusal["rule"], refusal["dialled"]) == ("number", "12")
    assert refusal["config_sha256"] == world.gate.rulebook.config_sha256


@pytest.mark.parametrize("dialled", ["112", "9112", "17", "3949", "0800123"])
async def test_an_exempt_number_is_answered_as_dialled_and_counts_nothing(
    world: World, dialled: str
) -> None:
    answer = await world.ask(dialled)
    assert (answer.allowed, answer.verdict.number, answer.attempt) == (True, dialled, None)
    assert world.attempts() == world.refusals() == []


async def test_the_instant_is_that_of_the_transaction(world: World) -> None:
    with locked(world.path):
        asking = asyncio.create_task(world.ask())
        await asyncio.sleep(0.02)
        world.clock.advance(seconds=5)
    await asking
    assert world.attempts()[0]["at"] == NOW + timedelta(seconds=5)


# Peek.


async def test_peek_says_what_ask_would_and_reserves_nothing(world: World) -> None:
    for _ in range(3):
        assert (await world.gate.peek(question())).allowed
    assert world.attempts() == []
    await world.ask()
    await world.ask()
    assert failing(await world.gate.peek(question())) == "frequency"
    assert failing(await world.gate.peek(question("12"))) == "number"
    assert world.refusals() == []
    assert (await world.gate.peek(question("112"))).verdict.exempt == "emergency"


async def test_peek_needs_no_write_lock(world: World) -> None:
    await world.ask()
    with locked(world.path):
        assert (await world.gate.peek(question())).allowed


async def test_peek_is_unavailable_when_the_ledger_is_gone(world: World) -> None:
    _unlink(world.path)
    assert failing(await world.gate.peek(question())) == "unavailable"
    assert (await world.gate.peek(question("112"))).allowed


# What another process wrote holds for the next question.


async def test_an_objection_from_elsewhere_refuses_the_next_question(world: World) -> None:
    assert (await world.ask()).allowed
    world.elsewhere(object_to())
    assert await world.rules() == "objection"
    assert failing(await world.gate.peek(question())) == "objection"


async def test_a_consent_withdrawn_elsewhere_refuses_the_next_question_of_the_call(
    world: World,
) -> None:
    world.elsewhere(consent_to())
    assert await world.rules(campaign="solar", call="17.1") == ""
    world.elsewhere(withdraw())
    assert await world.rules(campaign="solar", call="17.1") == "consent"


@pytest.mark.parametrize("first", ["ask", "peek"])
async def test_a_list_imported_or_overlaid_elsewhere_holds_for_the_next_question(
    world: World, first: str
) -> None:
    async def rules() -> str:
        asked = question(campaign="listed")
        if first == "peek":
            return failing(await world.gate.peek(asked))
        return failing(await world.gate.ask(asked))

    assert await rules() == "list_stale"
    world.elsewhere(import_list("house", [33600000000]))
    assert await rules() == ""
    world.elsewhere(overlay("house"))
    assert await rules() == "opposition"
    world.elsewhere(overlay("house", op=Op.REMOVE))
    assert await rules() == ""
    world.elsewhere(import_list("house", [NUMBER], as_of=date(2026, 11, 20)))
    assert await rules() == ""  # the overlay survives the import …
    world.elsewhere(overlay("house", op=Op.ADD))
    assert await rules() == "opposition"
    assert failing(await world.ask(OTHER, "listed")) == ""
    world.elsewhere(import_list("house", [33687654321], as_of=date(2026, 11, 21)))
    assert failing(await world.ask(OTHER, "listed")) == "opposition"


async def test_an_exempt_number_added_elsewhere_passes_at_once(world: World) -> None:
    world.elsewhere(object_to())
    assert await world.rules() == "objection"
    world.elsewhere(overlay("staff"))
    assert (await world.ask()).verdict.exempt == "staff"


# Shadow mode.


async def test_shadow_mode_lets_go_and_records_would(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.elsewhere(object_to(professional="shade"))
    answer = await world.ask(campaign="shadow")
    assert (answer.allowed, answer.let_go) == (True, True)
    assert [row["would"] for row in world.refusals()] == [True]
    assert [row["enforced"] for row in world.attempts()] == [False]
    [line] = verdict_lines(caplog)
    assert (line["verdict"], line["would_refuse"], line["rules"]) == ("REFUSE", True, ["objection"])


async def test_shadow_mode_does_not_hide_that_the_ledger_is_gone(world: World) -> None:
    _unlink(world.path)
    answer = await world.ask(campaign="shadow")
    assert (answer.allowed, failing(answer)) == (False, "unavailable")


# Refuse when in doubt, and recover.


def _unlink(path: Path) -> None:
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)


async def test_a_locked_ledger_is_unavailable_and_recovers(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with locked(world.path):
        assert await world.rules() == "unavailable"
        assert (await world.ask("112")).allowed
        assert (await world.ask("3949")).allowed
    assert await world.rules() == ""
    assert len(world.attempts()) == 1
    line = next(line for line in verdict_lines(caplog) if line["rules"] == ["unavailable"])
    assert "locked" in line["reason"]


async def test_whatever_the_exempt_lists_raise_a_locked_ledger_is_unavailable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("in a list")

    monkeypatch.setattr(world.ledger.read_lists, "look_up", broken)
    with locked(world.path):
        async with asyncio.timeout(10):
            assert await world.rules() == "unavailable"


async def test_who_gave_up_while_the_exempt_lists_were_asked_is_refused_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(conn: sqlite3.Connection) -> None:
        begun.set()
        go_on.wait(5)

    holding = asyncio.create_task(world.ledger.read(hold))
    await asyncio.to_thread(begun.wait, 5)
    with locked(world.path):
        asked = question()
        asking = asyncio.create_task(world.gate.ask(asked))
        async with asyncio.timeout(10):
            while not world.gate.ledger_trouble:  # noqa: ASYNC110 - a condition of another's state
                await asyncio.sleep(0.005)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        world.gate.unanswered(asked, Reason("unavailable_deadline", {"seconds": "1.5"}))
    go_on.set()
    await holding
    await settled(world)
    assert len(verdict_lines(caplog)) == 1
    assert len(world.refusals()) <= 1


async def test_a_ledger_that_vanished_is_unavailable_until_it_is_back(world: World) -> None:
    assert await world.rules() == ""
    kept = world.path.with_suffix(".kept")
    with closing(open_ledger(world.path)) as conn:
        conn.execute("VACUUM INTO ?", (str(kept),))
    _unlink(world.path)
    for _ in range(2):
        assert await world.rules() == "unavailable"
    assert (await world.ask("112")).allowed
    assert not world.path.exists()
    kept.rename(world.path)
    assert await world.rules() == ""
    assert await world.rules() == "frequency"


async def test_a_full_ledger_is_unavailable_and_recovers(world: World) -> None:
    await world.ask()

    def limit(pages: int) -> Callable[[sqlite3.Connection], object]:
        return lambda conn: conn.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    await world.ledger.transact(limit(1))  # SQLite keeps what there is and gives no page more
    answers = [await world.rules(f"06{n:08}", "free") for n in range(10_000_000, 10_000_400)]
    assert answers[-1] == "unavailable"
    assert set(answers) <= {"", "unavailable"}
    assert len(world.attempts()) == 1 + answers.count("")
    assert (await world.ask("112")).allowed
    await world.ledger.transact(limit(1 << 30))
    assert await world.rules(OTHER) == ""


async def test_a_rule_that_raises_is_unavailable_with_its_traceback_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("in a rule")

    with monkeypatch.context() as patch:
        patch.setattr(verdicts, "judge", broken)
        assert await world.rules(call="17.9") == "unavailable"
        assert (await world.ask("112")).allowed
    assert any(
        record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records
    )
    await settled(world)
    [refusal] = world.refusals()
    assert (refusal["rule"], refusal["call"]) == ("unavailable", "17.9")
    assert world.attempts() == []
    assert await world.rules() == ""


async def test_a_rule_that_raises_harms_no_other_question(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken_for_some(matter: Any, at: Any) -> Any:
        if matter.mandate.campaign == "rival":
            raise KeyError("in a rule")
        return judge(matter, at)

    monkeypatch.setattr(verdicts, "judge", broken_for_some)
    campaigns = ["rival", "free", "free"] * 10
    answers = await asyncio.gather(
        *(world.rules(f"06{10**7 + n}", campaign) for n, campaign in enumerate(campaigns))
    )
    assert answers == ["unavailable", "", ""] * 10
    assert len(world.attempts()) == answers.count("")


async def test_a_clock_that_raises_is_no_allow(world: World) -> None:
    world.gate._clock = _broken_clock
    with pytest.raises(OverflowError):
        await world.ask()
    assert world.attempts() == []
    world.gate._clock = world.clock


def _broken_clock() -> Any:
    raise OverflowError("no time")


@pytest.mark.parametrize(
    "odd",
    [
        {"call": "17.\udce9"},
        {"person": "Ren\udce9"},
        {"caller_id": "\udce9"},
        {"asked_by": "PJSIP/\udce9"},
        {"call": "17.\x00"},
        {"call": "x" * 9000},
        {"person": "'; DROP TABLE attempt; --"},
    ],
    ids=str,
)
async def test_odd_text_in_a_question_never_raises(world: World, odd: dict[str, str]) -> None:
    answers = [await world.ask(**odd), await world.ask("12", **odd)]
    assert {failing(answer) for answer in answers} <= {"", "number", "unavailable"}
    await settled(world)
    assert len(world.attempts()) <= 1


# Nobody waits any more.


async def test_a_question_cancelled_before_its_batch_is_never_run(world: World) -> None:
    asking = asyncio.create_task(world.ask())
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await settled(world)
    assert world.counted() == []


async def _cancelled_in_its_batch(world: World, asked: Question) -> None:
    """Cancel a question after its work has begun and before its answer is given."""
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(conn: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(5)

    asking = asyncio.create_task(world.gate.ask(asked))
    holding = asyncio.create_task(world.ledger.transact(hold))
    await begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    go_on.set()
    await holding


async def test_a_question_cancelled_in_its_batch_leaves_no_counted_attempt(world: World) -> None:
    await _cancelled_in_its_batch(world, question())
    await settled(world)
    assert [row["state"] for row in world.attempts()] == ["voided"]
    assert world.counted() == []


class _Broken:
    """A listener that cannot take an ALLOW."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def granted(self, grant: Grant) -> None:
        raise ZeroDivisionError("in the watch")

    def revoked(self, attempt: int) -> None:
        self.told.append(attempt)


async def test_an_allow_that_could_not_be_told_leaves_no_counted_attempt(world: World) -> None:
    world.gate.listener = listener = _Broken()
    with pytest.raises(ZeroDivisionError):
        await world.ask()
    await settled(world)
    assert [(row["id"], row["state"]) for row in world.attempts()] == [(1, "voided")]
    assert listener.told == [1]


async def test_a_question_cancelled_in_the_turn_in_which_it_failed_is_cancelled(
    world: World,
) -> None:
    class Cancelling(_Broken):
        def granted(self, grant: Grant) -> None:
            if grant.number == NUMBER:
                super().granted(grant)
            asking.cancel()

    world.gate.listener = Cancelling()
    asking = asyncio.create_task(world.ask())
    await asyncio.sleep(0)
    assert (await world.ask(OTHER)).allowed  # in the same batch, behind it
    await asyncio.wait({asking})
    assert asking.cancelled()


async def test_an_allow_repeated_meanwhile_is_not_voided(world: World) -> None:
    asked = question(call="17.10")
    await _cancelled_in_its_batch(world, asked)
    again = await world.gate.ask(asked)
    await settled(world)
    states = {row["id"]: row["state"] for row in world.attempts()}
    assert again.allowed
    assert states[again.attempt] == "reserved"


async def test_closing_takes_back_what_the_last_batch_answered_to_nobody(world: World) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(conn: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(5)

    asking = asyncio.create_task(world.ask())
    holding = asyncio.create_task(world.ledger.transact(hold))
    await begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    closing_gate = asyncio.create_task(world.gate.close())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(holding, closing_gate)
    assert [row["state"] for row in world.attempts()] == ["voided"]


async def test_an_undelivered_allow_is_voided_and_frees_its_place(world: World) -> None:
    await world.ask()
    wasted = await world.ask()
    world.gate.undelivered(wasted, "the peer left")
    await settled(world)
    assert [row["state"] for row in world.attempts()] == ["reserved", "voided"]
    assert world.attempts()[1]["voided_why"] == "the peer left"
    assert await world.rules() == ""
    assert await world.rules() == "frequency"


@pytest.mark.parametrize("what", ["refusal", "repeat", "exempt"])
async def test_an_undelivered_answer_that_reserved_nothing_voids_nothing(
    world: World, what: str
) -> None:
    kept = await world.ask(call="17.11")
    answers: dict[str, Callable[[], Awaitable[Answer]]] = {
        "refusal": lambda: world.ask("12"),
        "repeat": lambda: world.ask(call="17.11"),
        "exempt": lambda: world.ask("112"),
    }
    world.gate.undelivered(await answers[what](), "the peer left")
    await settled(world)
    assert [(row["id"], row["state"]) for row in world.attempts()] == [(kept.attempt, "reserved")]


async def test_voiding_an_attempt_with_the_ledger_gone_is_told_and_harms_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    wasted = await world.ask()
    _unlink(world.path)
    world.gate.undelivered(wasted, "the peer left")
    await settled(world)
    assert f"attempt {wasted.attempt} was never answered and stays counted" in caplog.text


# Answered without a judgement.


async def test_an_unanswered_question_is_refused_logged_and_recorded(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    reason = Reason("unavailable_deadline", {"seconds": "1.5"})
    answer = world.gate.unanswered(question(call="17.12"), reason)
    assert (answer.allowed, answer.verdict.rules) == (False, (Rule.UNAVAILABLE,))
    assert verdict_lines(caplog)[-1]["rules"] == ["unavailable"]
    await settled(world)
    assert [(row["rule"], row["call"]) for row in world.refusals()] == [("unavailable", "17.12")]


async def test_a_question_given_up_while_an_exempt_list_is_read_is_recorded_once(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def read(work: object) -> None:
        reading.set()
        await go_on.wait()
        raise LedgerUnavailable("ledger.db", "cannot be read")

    monkeypatch.setattr(world.ledger, "read", read)
    with locked(world.path):
        asked = world.gate.answer(question(call="17.13"), str)
        await reading.wait()
    asked.cancel()
    world.gate.unanswered(
        question(call="17.13"), Reason("unavailable_deadline", {"seconds": "1.5"})
    )
    go_on.set()
    await settled(world)
    assert [(row["rule"], row["call"]) for row in world.refusals()] == [("unavailable", "17.13")]
    assert len(verdict_lines(caplog)) == 1


async def test_an_unanswered_emergency_passes(world: World) -> None:
    answer = world.gate.unanswered(question("9112"), Reason("unavailable_stopping"))
    assert (answer.allowed, answer.verdict.number) == (True, "9112")


async def test_with_the_ledger_gone_a_refusal_is_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _unlink(world.path)
    await world.ask(call="17.13")
    world.gate.unanswered(question(call="17.14"), Reason("unavailable_stopping"))
    await settled(world)
    assert {line["call"] for line in verdict_lines(caplog)} == {"17.13", "17.14"}


# Clocks.


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=-60), timedelta(seconds=-1)])
async def test_a_clock_set_back_between_two_questions_frees_no_cap(
    world: World, jump: timedelta
) -> None:
    await world.ask(call="17.15")
    await world.ask()
    world.clock.now = NOW + jump
    assert await world.rules() == "frequency"
    assert await world.rules(call="17.15") == "frequency"


async def test_a_clock_a_day_ahead_between_two_questions_keeps_rolling_caps(world: World) -> None:
    world.elsewhere(consent_to())
    world.clock.now = NOW + timedelta(days=1)
    assert await world.rules(campaign="solar") == ""
    world.clock.now = NOW + timedelta(hours=1)
    assert await world.rules(campaign="solar") == "frequency"


async def test_a_changed_rulebook_holds_for_the_next_question(world: World, tmp_path: Path) -> None:
    await world.ask()
    world.gate.rulebook = rulebook_of(tmp_path, CONFIG.replace("max = 2", "max = 1"))
    assert await world.rules() == "frequency"
