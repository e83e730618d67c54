"""An erasure by the command while a real bridge answers: two processes on one ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.doors.asking import ask
from tests.running import CONFIG, Running, environ, write_config

from dialwarden.facts import Scope
from dialwarden.ledger import objections
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.objections import NewObjection
from dialwarden.question import Door

N, OTHER = "+33612345678", "+33687654321"
LONG_AGO = datetime(2015, 1, 1, 10, tzinfo=UTC)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    config = write_config(tmp_path, CONFIG + "\n[retention]\nyears = 3\n")
    no = NewObjection(
        int(N[1:]), "free", LONG_AGO, LONG_AGO, Door.CLI, scope=Scope.PROFESSIONAL, note="angry"
    )
    with closing(open_ledger(tmp_path / "ledger.db")) as conn, transaction(conn):
        objections.add(conn, no)
    with Running.start(config) as one:
        yield one


def command(folder: Path, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "dialwarden", *words, "--json"],
        env=environ(DIALWARDEN_CONFIG=str(folder / "dialwarden.toml")),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


async def verdict(running: Running, number: str, campaign: str = "free") -> str:
    said = await ask(running.port, "check", number=number, campaign=campaign, call="1.1")
    return f"{said['DIALWARDEN_VERDICT']} {said['DIALWARDEN_RULE']}".strip()


async def test_a_no_that_was_reduced_refuses_the_next_question_and_caps_count_on(
    running: Running, tmp_path: Path
) -> None:
    assert await verdict(running, N) == "REFUSE objection"
    assert await verdict(running, N, "capped") == "ALLOW"
    told = command(tmp_path, "subject", N, "erase", "--by", "Ann", "--why", "letter", "--yes")
    assert (told["removed"], told["reduced"]) == ({}, {"objections": 1})
    assert {row["kind"] for row in told["kept"]} == {"attempts", "refusals"}
    assert await verdict(running, N) == "REFUSE objection"
    assert await verdict(running, OTHER) == "ALLOW"
    story = command(tmp_path, "why", N, "--campaign", "capped")
    assert [row["number"] for row in story["objections"]] == ["reduced"]
    counts = story["attempts"][0]["standing"]["capped"]["counts_against"]
    assert [cap["max"] for cap in counts] == [4]
    assert N[1:] not in running.log
