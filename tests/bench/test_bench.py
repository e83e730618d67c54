"""The benchmark, short: real servers, a small ledger, and no look at how long anything took."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.running import environ

ROOT = Path(__file__).parents[2]


# It ends with 1 when a question had no answer, or when the ALLOWs that were answered and the
# attempts in the ledgers are not equally many. One test, so that it is run once: a fixture for
# several of them would be made by each process that the tests are spread over.
@pytest.mark.timeout(180)
def test_a_quick_run_answers_every_question_and_tells_every_figure(tmp_path: Path) -> None:
    text, found = run(tmp_path)
    _every_question_has_its_answer(found)
    _every_figure_is_in_the_table(text, found)
    _growth_is_told_for_every_size(text, found)


def run(folder: Path) -> tuple[str, dict[str, Any]]:
    """What `python -m tests.bench` prints, and what it writes for programs."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", "--only", "decisions,start,growth",
         "--rounds", "1", "--seconds", "0.3", "--json", str(folder / "bench.json")],
        cwd=ROOT, env=environ(XDG_CACHE_HOME=str(folder)), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "bench.json").read_text())


def _every_question_has_its_answer(found: dict[str, Any]) -> None:
    assert found["errors"] == {}
    # Everybody may be called but who is on the list: no rule of the benchmark's policy decides.
    # On a machine that is starved some questions are answered by the deadline instead.
    assert set(found["verdicts"]) - {"REFUSE unavailable"} == {"ALLOW", "REFUSE opposition"}
    assert all(found["verdicts"].values())


def _every_figure_is_in_the_table(text: str, found: dict[str, Any]) -> None:
    rows = [(row["what"], row["peer"].partition(" us")[0].rstrip("0123456789").rstrip())
            for row in found["rows"]]  # fmt: skip
    processor = "processor a decision, 128 at once, line by line"
    assert [peer for what, peer in rows if what == processor] == [
        "panoramisk on asyncio", "panoramisk on uvloop", "bare asyncio", "bare uvloop",
    ]  # fmt: skip
    whats = [what for what, _ in rows]
    assert "… the environment in one piece" in whats
    assert "… calls answered a second" in whats
    assert f"{processor}, beside a pooled SQL check" in whats
    tail = "latency at 200 calls/s, from the scheduled instant, p99"
    assert len([what for what in whats if what.startswith(tail)]) == 1
    assert "start with 50,000 attempts, to the first answer" in whats
    for row in found["rows"]:
        assert row["what"] in text
        assert row["ratio"] is None or row["low"] <= row["ratio"] <= row["high"]


def _growth_is_told_for_every_size(text: str, found: dict[str, Any]) -> None:
    sizes = [(one["attempts"], one["numbers"]) for one in found["growth"]]
    assert sizes == [(0, 0), (0, 100_000), (50_000, 100_000)]
    for attempts, numbers in sizes:
        assert f"| {attempts:<10,} | {numbers:<10,} |" in text
