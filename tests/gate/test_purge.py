"""Whatever is on record, a purge changes no verdict."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gate.world import CONFIG, NOW, Bench, consent_to, object_to, withdraw

from dialwarden.facts import Scope
from dialwarden.gate.rulebook import compile_rulebook
from dialwarden.ledger import attempts, silent_calls
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.erase import Whom, erase
from dialwarden.ledger.purge import purge
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.policies import load_policies
from dialwarden.question import Dialling, Door, Purpose
from dialwarden.retention import plan_of, retention_of
from dialwarden.settings.config import Config, load_config

HOUSE = """
[campaigns.rome]
professional = "bella"
policy = "it-garante"
directory = "listed"
[campaigns.rome.tighten]
caps = [{ max = 1, period = "1200 days" }]
[retention]
years = 3
"""
NUMBERS = (33612345678, 33687654321)
PERSONS = ("", "P1", "P2")
CAMPAIGNS = {"capped": "acme", "solar": "seller", "free": "free", "rome": "bella"}

Event = Callable[[sqlite3.Connection], object]
days = st.integers(0, 6 * 365) | st.sampled_from([1094, 1095, 1096, 1097, 1199, 1200, 1201])


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    path = tmp_path_factory.mktemp("config") / "dialwarden.toml"
    path.write_text(CONFIG + HOUSE)
    return load_config(path, {}, load_policies)


@st.composite
def events(draw: st.DrawFn) -> Event:
    at = NOW - timedelta(days=draw(days), seconds=draw(st.integers(1, 86_000)))
    number = draw(st.sampled_from(NUMBERS))
    professional = draw(st.sampled_from(["bella", *CAMPAIGNS.values()]))
    person = draw(st.sampled_from(PERSONS))
    kind = draw(st.sampled_from(["attempt", "no", "yes", "withdrawal", "silence"]))
    if kind == "no":
        scope = draw(st.sampled_from([Scope.PROFESSIONAL, Scope.ALL]))
        return object_to(number, professional, at, person=person, scope=scope)
    if kind == "yes":
        return consent_to(number, professional, at)
    if kind == "withdrawal":
        return withdraw(number, professional, at)
    if kind == "silence":
        silent = NewSilentCall(number, "bella", at, at, person=person)  # hers alone are heeded
        return lambda conn: silent_calls.add(conn, silent)
    new = NewAttempt(
        number, professional, "c", Purpose.SALES, Door.AGI, at, person=person,
        dialling=draw(st.sampled_from([None, Dialling.MANUAL, Dialling.AUTOMATIC])),
    )  # fmt: skip
    return lambda conn: attempts.reserve(conn, new)


def verdicts(bench: Bench) -> list[str]:
    """Of every callee under every campaign, by hand and by machine."""
    return [
        "&".join(bench.dry(f"+{number}", name, person=who, dialling=dialling).verdict.rules)
        for number in NUMBERS
        for name in CAMPAIGNS
        for who in PERSONS
        for dialling in (Dialling.MANUAL, Dialling.AUTOMATIC)
    ]


@settings(max_examples=40)
@given(story=st.lists(events(), min_size=1, max_size=14))
def test_no_verdict_is_another_one_after_a_purge(config: Config, story: list[Event]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_ledger(Path(folder) / "ledger.db")) as conn,
    ):
        with transaction(conn):
            for event in story:
                event(conn)
        bench = Bench(conn, compile_rulebook(config))
        before = verdicts(bench)
        plan = plan_of(retention_of(config), NOW)
        for _ in range(2):
            purge(conn, plan, NOW, by="test", pause=lambda _: False)
            assert verdicts(bench) == before


@settings(max_examples=40, deadline=None)
@given(story=st.lists(events(), min_size=1, max_size=14))
def test_no_verdict_is_another_one_after_a_callee_was_erased(
    config: Config, story: list[Event]
) -> None:
    """Of nobody, though the same person may have had both numbers."""
    kept = retention_of(config)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_ledger(Path(folder) / "ledger.db")) as conn,
    ):
        with transaction(conn):
            for event in story:
                event(conn)
        bench = Bench(conn, compile_rulebook(config))
        before = verdicts(bench)
        for number in NUMBERS:
            erase(conn, Whom(number), lambda at: plan_of(kept, at), NOW, by="test", why="test")
            assert verdicts(bench) == before
        purge(conn, plan_of(kept, NOW), NOW, by="test", pause=lambda _: False)
        assert verdicts(bench) == before
