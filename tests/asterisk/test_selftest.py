"""`dialwarden selftest` on the real Asterisk: what it proves, and that a bad dialplan is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.bridge import bridge_environment
from bench.pbx import SHIPPED_DIALPLAN
from bench.root import find_root

Selftest = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def selftest(tmp_path: Path) -> Iterator[Selftest]:
    """Runs the command with an `asterisk` on its PATH: the installed one, or the root's."""
    root = find_root()
    inside = root.new_directory()
    # Asterisk must see the self-test's folder under the name that it has outside.
    seen = Path(root.inside(inside))
    if seen != inside:
        seen.symlink_to(inside)
    program = tmp_path / "bin" / "asterisk"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {" ".join(root.command())} "$@"\n')
    program.chmod(0o755)

    def run(text: str, plugs: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        dialplan = tmp_path / "extensions_dialwarden.conf"
        dialplan.write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "dialwarden", "selftest", "--json", "--dialplan", str(dialplan)]
            + [f"--only={plug}" for plug in plugs],
            env={
                **bridge_environment(),
                "TMPDIR": str(seen),
                "PATH": f"{program.parent}:{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    yield run
    if seen != inside:
        seen.unlink()
    shutil.rmtree(inside)


@pytest.mark.timeout(180)
def test_the_shipped_dialplan_holds_every_call_back_and_lets_112_go(selftest: Selftest) -> None:
    status, told = selftest(SHIPPED_DIALPLAN.read_text())
    plugs = {row["plug"]: row for row in told["plugs"]}
    assert (status, told["ok"], told["asterisk"]) == (0, True, True)
    assert plugs.pop("works")["call"]["left"]
    assert len(plugs) == 14
    assert not [row for row in plugs.values() if row["call"]["left"]]
    assert all(row["emergency"]["left"] for row in told["plugs"])
    hangs = plugs.pop("hangs")["call"]
    assert (hangs["verdict"], hangs["cause"]) == ("", None)
    assert {(row["call"]["verdict"], row["call"]["cause"]) for row in plugs.values()} == {
        ("REFUSE", 21)
    }
    # Closed without a word, and still SUCCESS: nobody may go by AGISTATUS.
    assert plugs["closes"]["call"]["agi"] == "SUCCESS"
    assert plugs["killed"]["call"]["agi"] == "FAILURE"


@pytest.mark.timeout(180)
def test_a_dialplan_that_goes_by_agistatus_is_found_out(selftest: Selftest) -> None:
    status, told = selftest(
        "[dialwarden]\n"
        "exten => check,1,AGI(agi://127.0.0.1:4580/check,number=${ARG1},campaign=${ARG2})\n"
        ' same => n,GotoIf($["${AGISTATUS}" != "SUCCESS"]?no)\n'
        " same => n,Set(DIALWARDEN_VERDICT=ALLOW)\n"
        " same => n,Set(DIALWARDEN_NUMBER=${ARG1})\n"
        " same => n,Return()\n"
        " same => n(no),Set(DIALWARDEN_VERDICT=REFUSE)\n"
        " same => n,Return()\n",
        plugs=("works", "killed", "closes"),
    )
    plugs = {row["plug"]: row for row in told["plugs"]}
    assert (status, told["ok"]) == (1, False)
    assert plugs["closes"]["call"]["left"]
    # And with the process dead no emergency call leaves.
    assert not plugs["killed"]["call"]["left"]
    assert not plugs["killed"]["ok"]
