"""Never one call too many: one gate, two processes, and what anybody writes in between."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.doors.asking import ask
from tests.gate.world import (
    DIALLED,
    NUMBER,
    World,
    consent_to,
    failing,
    import_list,
    object_to,
    overlay,
    withdraw,
)
from tests.running import CONFIG, Running, environ, write_config

from dialwarden.ledger.attempt_list import list_attempts
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.refusals import list_refusals

CROWD = 200
CAP = 4


async def test_a_crowd_at_one_gate_gets_exactly_the_cap(world: World) -> None:
    answers = await asyncio.gather(*(world.ask() for _ in range(CROWD)))
    told = Counter(map(failing, answers))
    assert told == {"": 2, "frequency": CROWD - 2}
    assert len(world.counted()) == 2
    assert len(world.refusals()) == CROWD - 2


async def test_a_crowd_of_one_call_is_one_attempt(world: World) -> None:
    answers = await asyncio.gather(*(world.ask(call="17.1") for _ in range(CROWD)))
    assert {answer.attempt for answer in answers} == {answers[0].attempt}
    assert sum(answer.reserved for answer in answers) == 1
    [attempt] = world.attempts()
    assert attempt["asked"] == CROWD


async def test_a_crowd_over_two_campaigns_shares_the_professionals_cap(world: World) -> None:
    campaigns = ("capped", "sister", "rival")
    answers = await asyncio.gather(*(world.ask(campaign=campaigns[n % 3]) for n in range(CROWD)))
    allowed = Counter(answer.verdict.professional for answer in answers if answer.allowed)
    assert allowed == {"acme": 2, "rival": 2}


async def test_two_gates_on_one_ledger_give_exactly_the_cap(world: World, tmp_path: Path) -> None:
    other = await World.open(tmp_path)
    worlds = (world, other)
    try:
        answers = await asyncio.gather(*(worlds[n % 2].ask() for n in range(CROWD)))
    finally:
        await other.close()
    # A lock that was waited for too long is a refusal, too, and never an ALLOW.
    told = Counter(map(failing, answers))
    assert told[""] == 2
    assert set(told) <= {"", "frequency", "unavailable"}
    assert len(world.counted()) == 2


@pytest.fixture
def two_bridges(tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    with (
        Running.start(write_config(tmp_path, name="one.toml")) as one,
        Running.start(write_config(tmp_path, name="two.toml")) as two,
    ):
        yield one, two


async def test_two_processes_on_one_ledger_give_exactly_the_cap(
    two_bridges: tuple[Running, Running], tmp_path: Path
) -> None:
    ports = [bridge.port for bridge in two_bridges]
    told = await asyncio.gather(
        *(
            ask(ports[n % 2], "check", number=DIALLED, campaign="capped", call=f"17.{n}")
            for n in range(CROWD)
        )
    )
    verdicts = Counter((said["DIALWARDEN_VERDICT"], said["DIALWARDEN_RULE"]) for said in told)
    assert verdicts == {("ALLOW", ""): CAP, ("REFUSE", "frequency"): CROWD - CAP}
    ids = {said["DIALWARDEN_ATTEMPT"] for said in told} - {""}
    conn = open_ledger(tmp_path / "ledger.db", create=False)
    assert {str(row["id"]) for row in list_attempts(conn)} == ids
    assert len(list(list_refusals(conn))) == CROWD - CAP
    conn.close()


async def test_two_processes_allow_each_number_its_cap(
    two_bridges: tuple[Running, Running],
) -> None:
    ports = [bridge.port for bridge in two_bridges]
    numbers = [f"06{n:08}" for n in range(10**7, 10**7 + 20)]
    told = await asyncio.gather(
        *(
            ask(ports[n % 2], "check", number=number, campaign="capped", call=f"17.{n}.{number}")
            for n in range(8)
            for number in numbers
        )
    )
    allowed = Counter(
        said["DIALWARDEN_NUMBER"] for said in told if said["DIALWARDEN_VERDICT"] == "ALLOW"
    )
    assert set(allowed.values()) == {CAP}
    assert len(allowed) == len(numbers)


async def test_one_call_at_two_processes_is_one_attempt(
    two_bridges: tuple[Running, Running],
) -> None:
    told = [
        await ask(bridge.port, "check", number=DIALLED, campaign="capped", call="17.1")
        for bridge in two_bridges
    ]
    assert told[0] == told[1]


# What is written between two questions, back to back, holds for the second.


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Running]:
    config = CONFIG + (
        '[campaigns.optin]\nprofessional = "seller"\npolicy = "optin"\nregion = "FR"\n'
        '[policies]\npath = "policies"\n'
    )
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "optin.toml").write_text(OPTIN)
    with Running.start(write_config(tmp_path, config)) as running:
        yield running


OPTIN = """
id = "optin"
title = "Consent at any hour"
country = "FR"
[sources.house]
text = "House"
confidence = "primary"
[[regimes]]
id = "optin"
title = "Consent"
from = 1900-01-01
purposes = ["sales"]
[regimes.consent]
required = true
source = "house"
"""


@pytest.mark.parametrize(
    ("campaign", "before", "between", "rule"),
    [
        ("free", None, object_to(professional="free"), "objection"),
        ("listed", import_list("house"), import_list("house", [NUMBER]), "opposition"),
        ("listed", import_list("house"), overlay("house"), "opposition"),
        ("optin", consent_to(), withdraw(), "consent"),
    ],
    ids=["objection", "import", "add", "withdraw"],
)
async def test_what_another_process_wrote_holds_for_the_very_next_question(
    bridge: Running, tmp_path: Path, campaign: str, before: Callable[..., object] | None,
    between: Callable[..., object], rule: str,
) -> None:  # fmt: skip
    port = bridge.port
    conn = open_ledger(tmp_path / "ledger.db", create=False)
    if before is not None:
        with transaction(conn):
            before(conn)
    asked = {"number": DIALLED, "campaign": campaign, "call": "17.1"}
    first = await ask(port, "check", **asked)
    with transaction(conn):
        between(conn)
    second = await ask(port, "check", **asked)
    conn.close()
    assert (first["DIALWARDEN_VERDICT"], first["DIALWARDEN_RULE"]) == ("ALLOW", "")
    assert (second["DIALWARDEN_VERDICT"], second["DIALWARDEN_RULE"]) == ("REFUSE", rule)


COMMANDS = {
    "objection": (["objection", "add", DIALLED, "--campaign", "free"], "free", "objection"),
    "import": (["list", "import", "house", "numbers.csv"], "listed", "opposition"),
    "add": (["list", "add", "house", DIALLED], "listed", "opposition"),
    "withdraw": (["consent", "withdraw", DIALLED, "--campaign", "optin"], "optin", "consent"),
}


def command_line(directory: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dialwarden", *words, "--config", "dialwarden.toml"],
        cwd=directory, env=environ(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_holds_for_the_very_next_question(
    bridge: Running, tmp_path: Path, name: str
) -> None:
    words, campaign, rule = COMMANDS[name]
    port = bridge.port
    conn = open_ledger(tmp_path / "ledger.db", create=False)
    with transaction(conn):
        import_list("house")(conn)
        consent_to()(conn)
    conn.close()
    (tmp_path / "numbers.csv").write_text(f"number\n{DIALLED}\n")
    asked = {"number": DIALLED, "campaign": campaign, "call": "17.1"}
    first = await ask(port, "check", **asked)
    await asyncio.to_thread(command_line, tmp_path, *words)
    second = await ask(port, "check", **asked)
    assert first["DIALWARDEN_VERDICT"] == "ALLOW"
    assert second["DIALWARDEN_RULE"] == rule


async def test_an_objection_in_the_call_holds_for_the_very_next_question(bridge: Running) -> None:
    asked = {"number": DIALLED, "campaign": "free", "call": "17.1"}
    assert (await ask(bridge.port, "check", **asked))["DIALWARDEN_VERDICT"] == "ALLOW"
    assert (await ask(bridge.port, "objection", call="17.1"))["DIALWARDEN_RESULT"] == "OK"
    assert (await ask(bridge.port, "check", **asked))["DIALWARDEN_RULE"] == "objection"
