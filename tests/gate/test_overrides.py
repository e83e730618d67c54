"""Break-glass: what an override lets go, until when, and what stays on record of it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from tests.gate.world import (
    CONFIG,
    DIALLED,
    NOW,
    NUMBER,
    OTHER,
    Bench,
    World,
    consent_to,
    failing,
    import_list,
    object_to,
    overlay,
    question,
    rulebook_of,
)

from dialwarden.gate.screening import Asked, Screener, When
from dialwarden.gate.verdicts import Answer
from dialwarden.gate.waiving import NEVER, WAIVABLE
from dialwarden.ledger.connection import open_ledger, snapshot, transaction
from dialwarden.ledger.overrides import NewOverride, begin_override, end_override
from dialwarden.ledger.tallies import Span, attempt_tallies, refusal_tallies
from dialwarden.question import Question
from dialwarden.verdict import Rule

MORE = """
[lists.weekly]
kind = "opposition"
max_age = "7 days"

[campaigns.weekly]
professional = "acme"
policy = "none"
region = "FR"
lists = ["weekly"]

[campaigns.both]
professional = "acme"
policy = "none"
region = "FR"
lists = ["weekly", "house"]

[campaigns.night]
professional = "night"
policy = "none"
region = "FR"
[campaigns.night.tighten]
hours = { mon = ["20:00-21:00"], tue-sun = ["00:00-24:00"] }

[campaigns.shut_soon]
professional = "soon"
policy = "none"
region = "FR"
[campaigns.shut_soon.tighten]
hours = { mon = ["10:00-10:30"] }

[campaigns.closed]
professional = "night"
policy = "none"
region = "FR"
[campaigns.closed.tighten]
hours = { mon = ["20:00-21:00"] }
closed = ["2026-11-02"]

[campaigns.day_off]
professional = "night"
policy = "none"
region = "FR"
[campaigns.day_off.tighten]
closed = ["2026-11-02"]

[campaigns.gap]
professional = "gap"
policy = "none"
region = "FR"
[campaigns.gap.tighten]
gap = "2 hours"

[campaigns.works]
professional = "seller"
policy = "fr"
region = "FR"
sector = "home-renewables"

# What is sold there needs a yes by the sector's own law: Italy since 19 June 2026, and Spain.
[campaigns.luce]
professional = "luce"
policy = "it-garante"
region = "IT"
sector = "electricity"
dial = "manual"
directory = "listed"

[campaigns.shadow_night]
professional = "night"
policy = "none"
region = "FR"
enforce = false
[campaigns.shadow_night.tighten]
hours = { mon = ["20:00-21:00"] }
"""
OLD = NOW.date() - timedelta(days=8)
_PROFESSIONALS = {
    name: campaign["professional"]
    for name, campaign in tomllib.loads(CONFIG + MORE)["campaigns"].items()
}
Write = Callable[[sqlite3.Connection], object]


def let_go(
    campaign: str, *rules: str, since: datetime = NOW, minutes: float = 30, by: str = "Anna",
    why: str = "a flood", professional: str = "",
) -> Write:  # fmt: skip
    whose = professional or _PROFESSIONALS.get(campaign, "")
    new = NewOverride(
        campaign=campaign, professional=whose, rules=[Rule(rule) for rule in rules], since=since,
        until=since + timedelta(minutes=minutes), by=by, why=why, entered_by="cli:test",
    )  # fmt: skip
    return lambda conn: begin_override(conn, new)


def ended(override: int, at: datetime = NOW) -> Write:
    return lambda conn: end_override(conn, override, at=at, by="Bob", why="the water is gone")


class Office(Bench):
    """A bench, and another process that writes beside it."""

    def __init__(self, conn: sqlite3.Connection, directory: Path) -> None:
        super().__init__(conn, rulebook_of(directory, CONFIG + MORE))
        self.path = directory / "ledger.db"

    def ask(self, dialled: str = DIALLED, campaign: str = "capped", **more: object) -> Answer:
        answer = super().ask(dialled, campaign, **more)
        self.known.committed()
        return answer

    def elsewhere(self, *works: Write) -> None:
        with closing(open_ledger(self.path, create=False)) as conn:
            for work in works:
                with transaction(conn):
                    work(conn)

    def rules(self, campaign: str, dialled: str = DIALLED, **more: object) -> str:
        return failing(self.ask(dialled, campaign, **more))

    def of_last(self) -> tuple[dict[str, object], dict[str, object]]:
        """The newest attempt, and the newest refusal."""
        return self.attempts()[-1], self.refusals()[-1]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with closing(open_ledger(tmp_path / "ledger.db")) as conn:
        yield Office(conn, tmp_path)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    opened = await World.open(tmp_path, CONFIG + MORE)
    yield opened
    await opened.close()


# What may be let go, rule by rule.


def called_before(office: Office, campaign: str, times: int) -> None:
    for _ in range(times):
        assert office.ask(campaign=campaign).allowed


CASES: dict[str, tuple[str, Callable[[Office], None], dict[str, object]]] = {
    "sector": ("works", lambda office: office.elsewhere(consent_to()), {}),
    "list_stale": ("weekly", lambda office: office.elsewhere(import_list("weekly", as_of=OLD)), {}),
    "caller_id": (
        "solar", lambda office: office.elsewhere(consent_to()), {"caller_id": "0699999999"},
    ),
    "holiday": ("day_off", lambda office: None, {}),
    "hours": ("night", lambda office: None, {}),
    "frequency": ("capped", lambda office: called_before(office, "capped", 2), {}),
    "gap": ("gap", lambda office: called_before(office, "gap", 1), {}),
}  # fmt: skip


def test_there_is_a_case_for_every_rule_and_every_rule_is_one_or_the_other() -> None:
    assert set(CASES) == {rule.value for rule in WAIVABLE}
    assert {*WAIVABLE, *NEVER} == set(Rule)


@pytest.mark.parametrize("rule", CASES)
def test_an_override_lets_its_rule_go_and_the_attempt_says_by_which(
    office: Office, rule: str
) -> None:
    campaign, prepare, more = CASES[rule]
    prepare(office)
    before = len(office.attempts())
    assert office.rules(campaign, **more) == rule
    office.elsewhere(let_go(campaign, rule))
    answer = office.ask(campaign=campaign, **more)
    assert (answer.allowed, answer.verdict.allowed, answer.let_go) == (True, True, False)
    assert answer.verdict.rules == ()
    assert [(one.refusal.rule, one.override, one.by) for one in answer.verdict.waived] == [
        (rule, 1, "Anna")
    ]
    attempt, refusal = office.of_last()
    assert len(office.attempts()) == before + 1
    assert (attempt["id"], attempt["enforced"]) == (answer.attempt, False)
    assert attempt["overrides"] == refusal["overrides"] == json.dumps({rule: 1})
    assert (refusal["would"], refusal["rules"], refusal["call"]) == (True, rule, attempt["call"])
    [found] = refusal["findings"]  # type: ignore[misc]
    assert (found["rule"], found["override"]) == (rule, 1)
    assert found["reason"]


@pytest.mark.parametrize("rule", CASES)
def test_an_override_of_another_rule_or_campaign_lets_nothing_go(office: Office, rule: str) -> None:
    campaign, prepare, more = CASES[rule]
    prepare(office)
    others = [other for other in CASES if other != rule]
    office.elsewhere(let_go(campaign, *others), let_go("free", rule))
    assert office.rules(campaign, **more) == rule
    assert office.refusals()[-1]["would"] is False


NEVER_CASES: dict[str, tuple[str, tuple[Write, ...], dict[str, object]]] = {
    "number": ("capped", (), {"dialled": "12"}),
    "campaign": ("nobody", (), {}),
    "consent": ("solar", (), {}),
    "opposition": ("listed", (import_list("house", [NUMBER]),), {}),
    "objection": ("capped", (object_to(),), {}),
    "unavailable": ("capped", (), {"region": "XX"}),
    "bypass": ("capped", (), {"permit": "taken"}),
}


@pytest.mark.parametrize("rule", NEVER_CASES)
def test_whatever_is_in_the_ledger_what_is_the_callees_or_unknown_is_never_let_go(
    office: Office, rule: str
) -> None:
    assert set(NEVER_CASES) == {rule.value for rule in NEVER}
    campaign, works, more = NEVER_CASES[rule]
    office.elsewhere(*works, let_go(campaign, *Rule))
    office.ask(OTHER, "free", permit="taken")
    answer = office.ask(**{"campaign": campaign, **more})  # type: ignore[arg-type]
    assert not answer.allowed
    assert rule in failing(answer).split("&")
    assert len(office.attempts()) == 1


def test_of_several_rules_every_one_must_be_let_go(office: Office) -> None:
    alone = office.ask(campaign="closed")
    assert failing(alone) == "holiday&hours"
    office.elsewhere(let_go("closed", "hours"))
    partly = office.ask(campaign="closed")
    assert failing(partly) == "holiday&hours"
    assert not partly.allowed
    assert partly.verdict.next == alone.verdict.next  # the law's: overrides are not foreseen
    assert [row["would"] for row in office.refusals()] == [False, False]
    assert office.attempts() == []
    office.elsewhere(let_go("closed", "holiday", by="Bob"))
    answer = office.ask(campaign="closed")
    assert [(one.refusal.rule, one.override, one.by) for one in answer.verdict.waived] == [
        ("holiday", 2, "Bob"), ("hours", 1, "Anna"),
    ]  # fmt: skip
    assert office.attempts()[-1]["overrides"] == json.dumps({"holiday": 2, "hours": 1})


def test_a_ban_that_only_a_yes_lifts_is_the_callees_too(office: Office) -> None:
    """The rule is called sector there, and what is missing is a consent."""
    office.elsewhere(import_list("rpo", as_of=NOW.date()))
    italian = "+390212345678"
    assert office.rules("luce", italian) == "sector"
    office.elsewhere(let_go("luce", *Rule))
    assert office.rules("luce", italian) == "sector"
    assert failing(office.dry(italian, "luce")) == "sector"
    assert office.attempts() == []


def test_it_is_for_the_professional_for_whom_it_was_begun(office: Office) -> None:
    """Two call centres on one ledger may have given the same name to campaigns of two."""
    office.elsewhere(let_go("night", "hours", professional="somebody else"))
    assert office.rules("night") == "hours"
    assert failing(office.dry(campaign="night")) == "hours"


def test_an_objection_stays_beside_a_rule_that_is_let_go(office: Office) -> None:
    office.elsewhere(let_go("night", *WAIVABLE), object_to(professional="night"))
    assert office.rules("night") == "objection&hours"


# The age of a list, and nothing else of it.


def test_a_list_that_was_never_imported_stays_refused(office: Office) -> None:
    office.elsewhere(let_go("weekly", "list_stale"))
    assert office.rules("weekly") == "list_stale"


def test_one_list_too_old_and_another_never_imported_stay_refused(office: Office) -> None:
    office.elsewhere(let_go("both", "list_stale"), import_list("weekly", as_of=OLD))
    assert office.rules("both") == "list_stale"
    office.elsewhere(import_list("house"))
    assert office.ask(campaign="both").allowed


def test_who_is_on_the_old_version_is_still_refused(office: Office) -> None:
    office.elsewhere(
        let_go("weekly", "list_stale"), import_list("weekly", [NUMBER], as_of=OLD)
    )  # fmt: skip
    assert office.rules("weekly") == "opposition&list_stale"
    assert office.ask(OTHER, "weekly").allowed
    office.elsewhere(overlay("weekly", 33687654321))
    assert office.rules("weekly", OTHER) == "opposition&list_stale"


# Beginning and end.


def test_it_holds_from_its_first_instant_to_just_before_its_last(office: Office) -> None:
    office.elsewhere(let_go("night", "hours"))
    office.now = NOW - timedelta.resolution
    assert office.rules("night") == "hours"
    office.now = NOW
    assert office.ask(campaign="night").allowed
    office.now = NOW + timedelta(minutes=30) - timedelta.resolution
    assert office.ask(campaign="night").allowed
    office.now = NOW + timedelta(minutes=30)
    assert office.rules("night") == "hours"


def test_ended_by_hand_it_is_over_for_the_next_question(office: Office) -> None:
    office.elsewhere(let_go("night", "hours"))
    assert office.ask(campaign="night").allowed
    office.elsewhere(ended(1))
    assert office.rules("night") == "hours"


def test_a_ruling_of_the_minute_outlives_neither_its_beginning_nor_its_end(office: Office) -> None:
    """Callees of whom nothing is on record share a ruling: each of these does."""
    numbers = iter(f"06123456{n}" for n in range(10, 99))
    assert office.rules("night", next(numbers)) == "hours"
    office.elsewhere(let_go("night", "hours"))
    assert office.rules("night", next(numbers)) == ""
    office.elsewhere(ended(1))
    assert office.rules("night", next(numbers)) == "hours"
    office.elsewhere(let_go("night", "hours", minutes=0.5))
    assert office.rules("night", next(numbers)) == ""
    office.now += timedelta(seconds=29)
    assert office.rules("night", next(numbers)) == ""
    office.now += timedelta(seconds=1)
    assert office.rules("night", next(numbers)) == "hours"


def test_the_same_call_repeats_its_attempt_while_it_holds_and_is_refused_behind_it(
    office: Office,
) -> None:
    office.elsewhere(let_go("night", "hours"))
    first, again = (office.ask(campaign="night", call="17.1") for _ in range(2))
    assert (again.attempt, again.reserved) == (first.attempt, False)
    assert len(office.attempts()) == 1
    office.elsewhere(ended(1))
    assert office.rules("night", call="17.1") == "hours"


def test_a_call_that_was_allowed_before_says_so_when_it_is_let_go_for_another_trunk(
    office: Office,
) -> None:
    office.elsewhere(let_go("shut_soon", "hours"))
    office.now = NOW - timedelta(seconds=1)
    first = office.ask(campaign="shut_soon", call="1700000000.again")
    assert (office.attempts()[-1]["enforced"], office.attempts()[-1]["overrides"]) == (True, "{}")
    office.now = NOW
    again = office.ask(campaign="shut_soon", call="1700000000.again")
    assert (again.attempt, again.reserved, again.allowed) == (first.attempt, False, True)
    [attempt] = office.attempts()
    # One call, and in a report one that the rules allowed.
    assert (attempt["enforced"], attempt["overrides"]) == (True, json.dumps({"hours": 1}))
    assert attempt["asked"] == 2
    day = Span(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert sum(one.count for one in attempt_tallies(office.conn, day) if one.enforced) == 1
    assert list(refusal_tallies(office.conn, day)) == []


def test_with_the_clock_put_right_one_that_seemed_over_holds_for_live_questions_too(
    office: Office,
) -> None:
    office.elsewhere(let_go("night", "hours"))
    office.now = NOW + timedelta(hours=10, minutes=30)  # 21:00 in Paris, and over
    assert office.rules("night") == "hours"
    office.now = NOW + timedelta(minutes=1)
    assert failing(office.dry(campaign="night")) == ""
    assert office.rules("night") == ""


def test_without_one_nothing_is_asked_of_the_ledger_for_them(office: Office) -> None:
    asked: list[str] = []
    office.rules("night")
    office.conn.set_trace_callback(
        lambda sql: asked.append(sql) if "FROM override" in sql else None
    )
    assert office.ask(campaign="free").allowed
    assert [office.rules("night") for _ in range(5)] == ["hours"] * 5
    assert asked == []
    office.elsewhere(let_go("night", "hours"))
    assert office.ask(campaign="free").allowed
    assert asked == []  # what is allowed does not ask for them at all
    assert [office.rules("night") for _ in range(5)] == [""] * 5
    assert len(asked) == 1


def test_a_batch_that_was_rolled_back_reads_them_again(office: Office) -> None:
    office.rules("night")
    with contextlib.suppress(RuntimeError), transaction(office.conn):
        office.known.begin(office.conn)
        raise RuntimeError
    office.elsewhere(let_go("night", "hours"))
    assert office.rules("night") == ""


# What it does not touch.


async def test_emergency_and_exempt_calls_are_as_ever(world: World) -> None:
    world.elsewhere(let_go("night", "hours"))
    world.elsewhere(overlay("staff"))
    asked = [await world.ask(dialled, "night") for dialled in ("112", "3949", DIALLED)]
    assert [one.verdict.exempt for one in asked] == ["emergency", "pattern", "staff"]
    assert world.attempts() == world.refusals() == []


def test_what_is_allowed_anyway_has_no_override_on_record(office: Office) -> None:
    office.elsewhere(let_go("free", *WAIVABLE))
    assert office.ask(campaign="free").verdict.waived == ()
    [attempt] = office.attempts()
    assert (attempt["enforced"], attempt["overrides"]) == (True, "{}")


def test_an_override_goes_before_shadow_mode_which_lets_go_the_rest(office: Office) -> None:
    office.elsewhere(let_go("shadow_night", "hours"))
    covered = office.ask(campaign="shadow_night")
    assert (covered.let_go, len(covered.verdict.waived)) == (False, 1)
    office.elsewhere(object_to(professional="night"))
    other = office.ask(campaign="shadow_night")
    assert (other.let_go, other.verdict.waived) == (True, ())
    assert [row["overrides"] for row in office.refusals()] == ['{"hours": 1}', "{}"]


def test_a_call_let_go_counts_against_the_next(office: Office) -> None:
    called_before(office, "capped", 2)
    office.elsewhere(let_go("capped", "frequency", minutes=1))
    assert office.ask(campaign="capped").allowed
    office.now += timedelta(minutes=1)
    refused = office.ask(campaign="capped")
    assert failing(refused) == "frequency"
    assert refused.verdict.refusals[0].reason.values["made"] == 3


# Dry questions.


def test_a_dry_question_says_what_a_live_one_would_and_writes_nothing(office: Office) -> None:
    office.elsewhere(let_go("night", "hours"))
    changes = office.conn.total_changes
    dry = office.dry(campaign="night")
    assert office.conn.total_changes == changes
    live = office.ask(campaign="night")
    assert dry.verdict.waived == live.verdict.waived
    assert dry.verdict.allowed


@pytest.mark.parametrize(
    ("minutes", "rules"),
    [(-1, "hours"), (0, ""), (9, ""), (10, "hours"), (11, "hours")],
)
def test_at_an_instant_those_in_force_then_hold(office: Office, minutes: int, rules: str) -> None:
    office.elsewhere(let_go("night", "hours"), ended(1, NOW + timedelta(minutes=10)))
    at = NOW + timedelta(minutes=minutes)
    office.now = at
    assert failing(office.dry(campaign="night", as_of=at)) == rules


def test_screened_now_a_file_is_judged_by_those_in_force_now(office: Office) -> None:
    office.elsewhere(let_go("night", "hours", minutes=5), object_to(33687654321, "night"))

    def found(at: datetime) -> list[tuple[str, str]]:
        with snapshot(office.conn):
            screener = Screener(office.conn, office.rulebook, "night", lambda _: When(at, at))
            screened = screener.screen([Asked(DIALLED), Asked(OTHER)])
        return [one.finding.words[:2] for one in screened]

    assert found(NOW) == [("ALLOW", ""), ("REFUSE", "objection&hours")]
    assert found(NOW + timedelta(minutes=5)) == [
        ("REFUSE", "hours"), ("REFUSE", "objection&hours"),
    ]  # fmt: skip


# A gate that runs, and other processes beside it.


async def test_what_another_process_lets_go_holds_for_the_next_question(world: World) -> None:
    assert await world.rules(campaign="night") == "hours"
    world.elsewhere(let_go("night", "hours"))
    answer = await world.ask(campaign="night")
    assert answer.allowed
    assert (await world.gate.peek(_night())).verdict.waived == answer.verdict.waived
    world.elsewhere(ended(1))
    assert await world.rules(campaign="night") == "hours"
    assert failing(await world.gate.peek(_night())) == "hours"


async def test_the_log_names_the_override_the_rules_and_who_answers_for_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="dialwarden")
    world.elsewhere(let_go("closed", "holiday", "hours", by="Anna 0612345678"))
    await world.ask(campaign="closed")
    [record] = [one for one in caplog.records if hasattr(one, "fields")]
    told = record.getMessage()
    assert told.startswith("let go under override 1 (holiday&hours, by Anna 06")
    assert ") +336" in told
    assert "is closed by the campaign's own settings" in told
    assert "0612345678" not in told + str(record.fields)
    assert (record.fields["verdict"], record.fields["rules"]) == ("ALLOW", [])
    overrides = record.fields["overrides"]
    assert [(one["id"], one["rule"]) for one in overrides] == [(1, "holiday"), (1, "hours")]
    assert "would_refuse" not in record.fields


async def test_after_a_restart_it_goes_on_and_ends_in_time(tmp_path: Path) -> None:
    first = await World.open(tmp_path, CONFIG + MORE)
    first.elsewhere(let_go("night", "hours"))
    assert (await first.ask(campaign="night")).allowed
    await first.close()
    second = await World.open(tmp_path, CONFIG + MORE)
    second.clock.advance(minutes=29)
    assert (await second.ask(campaign="night")).allowed
    second.clock.advance(minutes=1)
    assert await second.rules(campaign="night") == "hours"
    await second.close()


async def test_two_gates_on_one_ledger_heed_the_same(tmp_path: Path, world: World) -> None:
    other = await World.open(tmp_path, CONFIG + MORE)
    world.elsewhere(let_go("night", "hours"))
    assert [await one.rules(campaign="night") for one in (world, other)] == ["", ""]
    world.elsewhere(ended(1))
    assert [await one.rules(campaign="night") for one in (world, other)] == ["hours", "hours"]
    await other.close()


async def test_without_a_ledger_nothing_is_let_go(world: World) -> None:
    world.elsewhere(let_go("night", *WAIVABLE))
    assert (await world.ask(campaign="night")).allowed
    for name in (world.path, Path(f"{world.path}-wal"), Path(f"{world.path}-shm")):
        name.unlink(missing_ok=True)
    assert await world.rules(campaign="night") == "unavailable"


def _night() -> Question:
    return question(DIALLED, "night")


def test_the_day_of_the_tests_is_the_monday_that_the_campaigns_close() -> None:
    assert NOW.date() == date(2026, 11, 2)
