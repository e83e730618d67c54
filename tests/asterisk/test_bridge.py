"""Calls through a real Asterisk, judged by the real bridge: what left the PBX, and what is on disk.

The law's own hours would make these tests depend on when they are run, so the campaigns here follow
a policy of the admin's own that is open day and night, or narrow that one down to nothing.
"""

from __future__ import annotations

import collections
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.bridge import Bridge, bridge_environment
from bench.pbx import Call, Pbx
from bench.trunk import Outcome, Trunk

MOBILE = "33612345678"
CALL_REJECTED = 21
LET_GO_S = 5.0
CAMPAIGN = "energy-paris"  # what the shipped [dialwarden-outbound] names

OPT_IN = """
id = "opt-in"
title = "Day and night, with consent"
country = "FR"

[sources.tests]
text = "the tests' own law"
confidence = "primary"

[[regimes]]
id = "opt-in"
title = "Consent required"
from = 2020-01-01

[regimes.consent]
required = true
max_years = 1
source = "tests"
"""


def config(*, policy: str = "none", campaign: str = "", tighten: str = "") -> str:
    return f"""
[store]
path = "ledger.db"

[policies]
path = "policies"

[agi]
listen = "127.0.0.1:4580"

[lists.house]
kind = "opposition"

[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{{number}}@carrier"]

[campaigns.{CAMPAIGN}]
professional = "acme"
policy = "{policy}"
region = "FR"
{campaign}

[campaigns.{CAMPAIGN}.tighten]
{tighten}
"""


@pytest.fixture(autouse=True)
def own_policies(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "opt-in.toml").write_text(OPT_IN)


def refused_call(pbx: Pbx, number: str = "0612345678") -> None:
    call = pbx.dial(number, "dialwarden-outbound")
    assert pbx.wait_hangup(call, timeout_s=LET_GO_S) == CALL_REJECTED


def verdict_lines(bridge: Bridge) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in bridge.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["logger"] == "dialwarden.verdict"]


def test_an_allowed_call_is_one_invite_and_one_attempt(
    pbx: Pbx, trunk: Trunk, second_trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config())
    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    assert [invite.number.lstrip("+") for invite in trunk.invites()] == [MOBILE]
    assert second_trunk.invites() == []
    (attempt,) = running.listed("attempts", "list")
    assert attempt["number"] == f"+{MOBILE}"
    assert attempt["call"] == call.id
    assert running.listed("refusals") == []


def today(days: int = 0) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def opposed(running: Bridge) -> None:
    running.import_list("house", ["06 12 34 56 78"])


def objected(running: Bridge) -> None:
    running.done("objection", "add", "0612345678", "--campaign", CAMPAIGN)


def called_twice(running: Bridge) -> None:
    now = datetime.now(UTC)
    rows = [f"0612345678,acme,{(now - timedelta(minutes=m)).isoformat()}" for m in (5, 9)]
    (running.directory / "history.csv").write_text("number,professional,at\n" + "\n".join(rows))
    running.done("attempts", "import", "history.csv")


def nothing(running: Bridge) -> None:
    """What refuses is in the configuration already."""


REFUSED = {
    "opposition": (config(campaign='lists = ["house"]'), opposed),
    "list_stale": (config(campaign='lists = ["house"]'), nothing),
    "objection": (config(), objected),
    "hours": (config(tighten="hours = {}"), nothing),
    "holiday": (
        config(tighten=f"closed = [{today(-1)}, {today()}, {today(1)}]"),
        nothing,
    ),
    "frequency": (config(tighten='caps = [{ max = 2, period = "2 days" }]'), called_twice),
    "gap": (config(tighten='gap = "1 hour"'), called_twice),
    "consent": (config(policy="opt-in"), nothing),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_a_call_that_a_rule_refuses_is_no_invite_and_one_logged_refusal(
    pbx: Pbx, trunk: Trunk, second_trunk: Trunk, bridge: Callable[..., Bridge], rule: str
) -> None:
    text, happened = REFUSED[rule]
    running = bridge(text)
    happened(running)
    refused_call(pbx)
    assert trunk.invites() == []
    assert second_trunk.invites() == []
    (refusal,) = running.listed("refusals")
    assert refusal["rule"] == rule
    assert refusal["number"] == f"+{MOBILE}"
    assert refusal["findings"][0]["reason"]
    (line,) = verdict_lines(running)
    assert line["verdict"] == "REFUSE"
    assert line["rules"] == [rule]
    assert line["reason"] == refusal["findings"][0]["reason"]
    assert "345678" not in running.log
    assert not [a for a in running.listed("attempts", "list") if a["door"] != "import"]


def test_a_refusal_that_the_dialplan_made_by_itself_is_on_record_too(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config())
    refused_call(pbx, "0612345678,other-campaign")
    assert trunk.invites() == []
    (refusal,) = running.listed("refusals")
    assert refusal["rule"] == "number"
    assert refusal["call"]


def test_a_consent_lets_the_next_call_out(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config(policy="opt-in"))
    refused_call(pbx)
    running.done("consent", "grant", "0612345678", "--campaign", CAMPAIGN)
    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.wait_invite(MOBILE)
    pbx.hang_up(call)


def test_an_objection_from_the_command_line_holds_for_the_very_next_question(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config())
    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    objected(running)
    refused_call(pbx)
    assert len(trunk.invites()) == 1


def test_an_override_lets_the_very_next_call_out_and_its_end_holds_it_back_again(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(REFUSED["holiday"][0])
    refused_call(pbx)
    words = ("--campaign", CAMPAIGN, "--rule", "holiday", "--for", "30m")
    running.done("override", *words, "--by", "Anna", "--why", "a flood")
    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    running.done("override", "end", "1", "--by", "Bob")
    refused_call(pbx)
    assert len(trunk.invites()) == 1
    (attempt,) = running.listed("attempts", "list")
    assert (attempt["enforced"], attempt["overrides"]) == (False, {"holiday": 1})
    assert [refusal["would"] for refusal in running.listed("refusals")] == [False, True, False]


def test_in_shadow_mode_a_refused_call_leaves_and_is_on_record(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config(policy="opt-in", campaign="enforce = false"))
    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    (attempt,) = running.listed("attempts", "list")
    assert (attempt["enforced"], attempt["overrides"]) == (False, {})
    (refusal,) = running.listed("refusals")
    assert (refusal["rule"], refusal["would"]) == ("consent", True)
    (line,) = verdict_lines(running)
    assert (line["verdict"], line["would_refuse"]) == ("REFUSE", True)


def test_an_agent_objects_for_the_callee_with_a_key_in_the_call(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config())
    call = pbx.gosub(f"dialwarden,check,1(0612345678,{CAMPAIGN})")
    assert pbx.variable(call, "DIALWARDEN_VERDICT") == "ALLOW"
    linkedid = pbx.variable(call, "CHANNEL(linkedid)")
    said = pbx.gosub(f"dialwarden,objection,1(,,{linkedid})")
    assert pbx.variable(said, "DIALWARDEN_RESULT") == "OK"
    (objection,) = running.listed("objection", "list")
    assert objection["number"] == f"+{MOBILE}"
    refused_call(pbx)


@pytest.fixture
def recording(pbx: Pbx) -> Callable[..., Call]:
    """Runs a script in the dialplan, on a channel that is up or from its h extension."""
    asked = f"AGI(agi://127.0.0.1:{pbx.bridge_port}/${{BENCH_ASKED}})"
    for line in (f"s,1,{asked}", "s,2,UserEvent(BenchReturned)", "s,3,Wait(60)",
                 "gone,1,Hangup()", f"h,1,ExecIf($[${{BENCH_GONE}}]?{asked})",
                 "h,2,UserEvent(BenchRecorded)"):  # fmt: skip
        pbx.cli(f"dialplan add extension {line} into bench-recording replace")

    def run(script: str, *, gone: bool = False, **keys: str) -> Call:
        words = ",".join([script, *(f"{key}={value}" for key, value in keys.items())])
        given = {"BENCH_ASKED": words, "BENCH_GONE": str(int(gone))}
        call = pbx.dial("gone" if gone else "s", "bench-recording", given)
        if gone:
            pbx.wait_user_event(call, "BenchRecorded")
        else:
            pbx.wait_returned(call)
        return call

    return run


def test_what_a_callee_says_and_a_silent_call_are_recorded_from_the_dialplan(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge], recording: Callable[..., Call]
) -> None:
    running = bridge(config(policy="opt-in"))
    agreed = f"{today(2)}T18:30+01:00"
    said = [
        recording("consent", number="06 12 34 56 78", campaign=CAMPAIGN, until=today(90),
                  proof="form 12 (signed)"),
        recording("appointment", number="0612345678", campaign=CAMPAIGN, at=agreed),
    ]  # fmt: skip
    results = [pbx.channel_vars(call, "DIALWARDEN_RESULT", "DIALWARDEN_REASON") for call in said]
    assert results == [{"DIALWARDEN_RESULT": "OK", "DIALWARDEN_REASON": ""}] * 2
    (consent,) = running.listed("consent", "list")
    assert (consent["number"], consent["until"]) == (f"+{MOBILE}", today(90))
    assert consent["proof"] == "form 12 (signed)"
    (appointment,) = running.listed("appointment", "list")
    assert appointment["at"] == datetime.fromisoformat(agreed).astimezone(UTC).isoformat()

    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    recording("silent", gone=True, call=call.id)
    (attempt,) = running.listed("attempts", "list")
    assert attempt["silent"] is True

    unread = recording("consent", number="0612345678", campaign=CAMPAIGN, until="soon")
    assert pbx.variable(unread, "DIALWARDEN_RESULT") == "FAILED"
    assert "until='soon'" in pbx.variable(unread, "DIALWARDEN_REASON")
    assert len(running.listed("consent", "list")) == 1


def test_trunk_failover_is_one_attempt(
    pbx: Pbx, trunk: Trunk, second_trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config(tighten='caps = [{ max = 1, period = "2 days" }]'))
    trunk.on(f"+{MOBILE}", Outcome.REJECT)
    trunk.on(MOBILE, Outcome.REJECT)
    call = pbx.dial("0612345678", "dialwarden-outbound")
    second_trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    assert len(trunk.invites(MOBILE)) == 1
    (attempt,) = running.listed("attempts", "list")
    assert attempt["number"] == f"+{MOBILE}"
    refused_call(pbx)  # the cap of one is reached by that one


def test_a_callee_who_was_reached_is_not_called_again_in_the_same_call(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge]
) -> None:
    running = bridge(config(tighten='caps = [{ max = 1, period = "2 days" }]'))
    trunk.on(f"+{MOBILE}", Outcome.BUSY)
    trunk.on(MOBILE, Outcome.BUSY)
    call = pbx.originate("Local/0612345678@bench-twice/n")
    pbx.wait_hangup(call)
    assert len(trunk.invites(MOBILE)) == 1
    (attempt,) = running.listed("attempts", "list")
    assert attempt["outcome"] == "busy"
    (refusal,) = running.listed("refusals")
    assert refusal["rule"] == "frequency"


@pytest.mark.parametrize(
    "ending", [Outcome.DECLINE, Outcome.TIMEOUT, Outcome.ERROR, Outcome.REJECT, Outcome.NOT_FOUND]
)
def test_a_callee_whose_phone_rang_is_not_called_through_another_trunk(
    pbx: Pbx, trunk: Trunk, second_trunk: Trunk, bridge: Callable[..., Bridge], ending: Outcome
) -> None:
    bridge(config())
    trunk.on(MOBILE, Outcome.RING)
    trunk.on(f"+{MOBILE}", Outcome.RING)
    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.reply(trunk.wait_invite(MOBILE), ending)
    pbx.wait_hangup(call)
    assert second_trunk.invites() == []


@pytest.mark.parametrize("ending", [Outcome.DECLINE, Outcome.ERROR, Outcome.REJECT])
def test_a_callee_who_declined_was_reached(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge], ending: Outcome
) -> None:
    running = bridge(config(tighten='caps = [{ max = 1, period = "2 days" }]'))
    trunk.on(MOBILE, Outcome.RING)
    trunk.on(f"+{MOBILE}", Outcome.RING)
    call = pbx.originate("Local/0612345678@bench-twice/n")
    trunk.reply(trunk.wait_invite(MOBILE), ending)
    pbx.wait_hangup(call)
    assert len(trunk.invites(MOBILE)) == 1
    (refusal,) = running.listed("refusals")
    assert refusal["rule"] == "frequency"


@pytest.mark.parametrize("plug", ["killed", "stopped"])
def test_without_the_bridge_nothing_leaves_but_an_emergency_call(
    pbx: Pbx, trunk: Trunk, bridge: Callable[..., Bridge], plug: str
) -> None:
    running = bridge(config())
    if plug == "killed":
        running.kill()
    else:
        running.signal(signal.SIGSTOP)
    refused_call(pbx)
    assert trunk.invites() == []
    call = pbx.dial("112", "dialwarden-outbound")
    trunk.wait_invite("112")
    pbx.hang_up(call)


# --- under load

CALLS = 200
NUMBERS = 40
CAP = 3


def numbers() -> Iterator[str]:
    for place in range(CALLS):
        yield f"06{20_000_000 + place % NUMBERS:08d}"


def set_off(pbx: Pbx, count: int = CALLS) -> list[str]:
    """Set calls off without waiting for any of them; their ids."""
    ids = []
    for place, number in zip(range(count), numbers(), strict=False):
        ids.append(f"load-{time.time_ns()}-{place}")
        pbx.ami.ask(
            "Originate",
            Channel=f"Local/{number}@dialwarden-outbound/n",
            ChannelId=ids[-1],
            Application="Wait",
            Data="1",
            Async="true",
        )
    return ids


def wait_more(trunk: Trunk, count: int) -> None:
    """Wait until so many more calls have reached the trunk."""
    reached = len(trunk.invites()) + count
    trunk.wait(lambda: len(trunk.invites()) >= reached, what=f"{count} more calls")


def wait_idle(pbx: Pbx, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while pbx.channels():
        assert time.monotonic() < deadline, pbx.channels()
        time.sleep(0.05)


def attempts_on_disk(ledger: Path) -> collections.Counter[str]:
    with closing(sqlite3.connect(ledger)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = conn.execute("SELECT number FROM attempt WHERE voided_at IS NULL").fetchall()
    return collections.Counter(str(number) for (number,) in rows)


def test_after_kill_nine_under_load_every_invite_has_its_attempt_and_no_cap_is_passed(
    pbx: Pbx, trunk: Trunk, tmp_path: Path, bridge: Callable[..., Bridge]
) -> None:
    text = config(tighten=f'caps = [{{ max = {CAP}, period = "2 days" }}]')
    running = bridge(text)
    caller = threading.Thread(target=set_off, args=(pbx,))
    caller.start()
    trunk.wait(lambda: len(trunk.invites()) >= 20, what="the first calls")
    running.kill()
    caller.join()
    again = bridge(text)
    set_off(pbx)
    wait_idle(pbx)
    again.stop()
    left = collections.Counter(invite.number.lstrip("+") for invite in trunk.invites())
    recorded = attempts_on_disk(tmp_path / "ledger.db")
    assert left
    assert not left - recorded, "an INVITE without its attempt"
    assert max(recorded.values()) <= CAP
    assert max(left.values()) <= CAP


def refused_as_unavailable(pbx: Pbx) -> list[str]:
    """What the dialplan says, at WARNING, when it refuses by itself."""
    lines = pbx.log().splitlines()
    return [line for line in lines if " WARNING[" in line and "did not answer" in line]


@pytest.fixture
def under_load(pbx: Pbx) -> Callable[[], Any]:
    """Keeps calls coming in the background for as long as the block runs; how many they were."""

    @contextmanager
    def load() -> Iterator[list[str]]:
        stop = threading.Event()
        placed: list[str] = []

        def place() -> None:
            while not stop.is_set():
                placed.extend(set_off(pbx, 4))
                stop.wait(0.1)  # some 40 calls a second

        caller = threading.Thread(target=place)
        caller.start()
        try:
            yield placed
        finally:
            stop.set()
            caller.join()

    return load


def test_a_hand_over_under_load_refuses_no_call(
    pbx: Pbx,
    trunk: Trunk,
    tmp_path: Path,
    bridge: Callable[..., Bridge],
    under_load: Callable[[], Any],
) -> None:
    running = bridge(config())
    before = len(refused_as_unavailable(pbx))
    with under_load() as placed:
        trunk.wait(lambda: len(trunk.invites()) >= 20, what="the first calls")
        running.signal(signal.SIGUSR2)
        assert running.process.wait(30) == 0
        wait_more(trunk, 40)
    wait_idle(pbx)
    try:
        assert len(trunk.invites()) == len(placed)
        assert len(refused_as_unavailable(pbx)) == before
        assert sum(attempts_on_disk(tmp_path / "ledger.db").values()) == len(placed)
        assert running.listed("refusals") == []
    finally:
        end_successor(running)


def end_successor(running: Bridge) -> None:
    """The successor is not our child: its pid is in its log."""
    pids = re.findall(r"process (\d+) is ready", running.log)
    os.kill(int(pids[-1]), signal.SIGTERM)


def wait_started(log: Path, times: int) -> None:
    """Wait for so many starts to be done: INVITEs of former answers come late, and tell little."""
    deadline = time.monotonic() + 20
    while log.read_text().count(" is ready") < times:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


# As systemd does: descriptor 3, and LISTEN_PID of the process that is executed.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="agi")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_restart_behind_an_activated_socket_refuses_no_call(
    pbx: Pbx,
    trunk: Trunk,
    tmp_path: Path,
    under_load: Callable[[], Any],
) -> None:
    text = config().replace("127.0.0.1:4580", f"127.0.0.1:{pbx.bridge_port}")
    (tmp_path / "activated.toml").write_text(text)
    before = len(refused_as_unavailable(pbx))
    with (
        closing(socket.create_server(("127.0.0.1", pbx.bridge_port), backlog=4096)) as listening,
        (tmp_path / "activated.log").open("wb") as log,
        # Nothing serves while the next process starts, so whether two seconds are enough is the
        # machine's to say; that no call is lost between the two processes is ours.
        pbx.waiting_for_answers(20),
    ):

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-c", ACTIVATE, str(listening.fileno()), sys.executable,
                 "-m", "dialwarden", "serve", "--config", "activated.toml"],
                cwd=tmp_path, env=bridge_environment(), pass_fds=[listening.fileno()],
                stdout=log, stderr=log,
            )  # fmt: skip

        process = start()
        try:
            with under_load() as placed:
                for restart in range(3):
                    wait_started(tmp_path / "activated.log", restart + 1)
                    wait_more(trunk, 20)
                    process.terminate()
                    assert process.wait(15) == 0
                    process = start()
                wait_started(tmp_path / "activated.log", 4)
                wait_more(trunk, 20)
            wait_idle(pbx)
        finally:
            process.terminate()
            process.wait(15)
    assert len(trunk.invites()) == len(placed)
    assert len(refused_as_unavailable(pbx)) == before


def test_two_bridges_on_one_ledger_never_let_one_call_too_many_out(
    pbx: Pbx, trunk: Trunk, tmp_path: Path, bridge: Callable[..., Bridge]
) -> None:
    text = config(tighten=f'caps = [{{ max = {CAP}, period = "2 days" }}]')
    first = bridge(text)
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    second = bridge(text, port=port, name="second")
    ids = [
        pbx.ami.ask(
            "Originate",
            Channel=f"Local/0612345678@{context}/n",
            Application="Wait",
            Data="1",
            Async="true",
            Variable=f"BENCH_PORT={port}",
        )
        for context in ["dialwarden-outbound", "bench-second-bridge"] * (CALLS // 2)
    ]
    assert len(ids) == CALLS
    wait_idle(pbx)
    assert len(trunk.invites(MOBILE)) == CAP
    assert verdict_lines(first)
    assert verdict_lines(second)
    assert attempts_on_disk(tmp_path / "ledger.db")[MOBILE] == CAP
