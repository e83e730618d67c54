"""`dialwarden selftest` without Asterisk: a second best that says so, and what it cannot do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

import dialwarden
from dialwarden.cli import main
from dialwarden.errors import SelftestError
from dialwarden.selftest import scratch_asterisk
from dialwarden.selftest.bad_peer import BadPeer, answer
from dialwarden.selftest.played import PlayedAsterisk, verdict_of
from dialwarden.selftest.plugs import NUMBER, Plug, Result, Told
from dialwarden.selftest.scratch_asterisk import readdressed
from dialwarden.wire.agi_command import variables_in

FakeAsterisk = Callable[[str], list[str]]


@pytest.fixture
def fake_asterisk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAsterisk:
    """Puts a script in Asterisk's place, and a dialplan beside it; gives the command's words."""

    def put(script: str) -> list[str]:
        program = tmp_path / "asterisk"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        (tmp_path / "extensions_dialwarden.conf").write_text("[dialwarden]\n")
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        return ["selftest", "--asterisk-dir", str(tmp_path)]

    return put


def test_without_asterisk_it_says_what_it_does_not_prove() -> None:
    done = CliRunner().invoke(
        main, ["selftest", "--without-asterisk", "--only=works", "--only=closes"]
    )
    assert done.exit_code == 0
    assert "neither is proven here" in done.output
    assert "closes without a word" in done.output
    assert "1 of 1 ways to fail hold the call back" in done.output
    assert "112" not in done.output


def test_in_json_every_plug_has_its_row() -> None:
    done = CliRunner().invoke(main, ["selftest", "--without-asterisk", "--json", "--only=slams"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["asterisk"]) == (0, True, False)
    [row] = told["plugs"]
    assert (row["plug"], row["call"]["verdict"], row["emergency"]) == ("slams", "REFUSE", None)


def test_a_dialplan_that_is_not_there_is_no_proof(
    tmp_path: Path, fake_asterisk: FakeAsterisk
) -> None:
    words = fake_asterisk("")
    (tmp_path / "extensions_dialwarden.conf").unlink()
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert f"{tmp_path}/extensions_dialwarden.conf: no such file" in done.stderr
    assert "dialwarden install" in done.stderr


def test_an_asterisk_that_does_not_come_up_is_no_proof(
    tmp_path: Path, fake_asterisk: FakeAsterisk
) -> None:
    done = CliRunner().invoke(main, fake_asterisk("echo it is broken\nexit 1"))
    assert done.exit_code == 2
    assert "did not come up: it is broken" in done.stderr
    assert not list(tmp_path.glob("dialwarden-selftest-*"))


def test_an_asterisk_that_was_moved_is_found_where_its_configuration_says(
    tmp_path: Path, fake_asterisk: FakeAsterisk
) -> None:
    words = fake_asterisk('cp "$3" "$TMPDIR/was.conf"\nexit 1')
    (tmp_path / "asterisk.conf").write_text(
        "[directories](!)\n;astmoddir => /not/here\n"
        "astmoddir => /opt/modules ; moved\nastdatadir=/opt/data\nastspooldir => /var/spool\n"
    )
    CliRunner().invoke(main, words)
    written = (tmp_path / "was.conf").read_text()
    assert "astmoddir => /opt/modules\nastdatadir => /opt/data\n" in written
    assert "/var/spool" not in written


@pytest.mark.timeout(60)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_runs_on_behind_a_selftest_that_is_told_to_end(
    tmp_path: Path, how: signal.Signals
) -> None:
    test = subprocess.Popen(
        [sys.executable, "-m", "dialwarden", "selftest", "--without-asterisk", "--only=stopped"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )
    # Its bridge stands still: nothing but a kill ends that one.
    while "T" not in _states(tmp_path):
        assert test.poll() is None
        time.sleep(0.01)
    test.send_signal(how)
    assert test.wait() != 0
    while _states(tmp_path):
        time.sleep(0.01)
    if how is not signal.SIGKILL:
        assert not list(tmp_path.iterdir())


def _states(folder: Path) -> list[str]:
    """The states of the processes that were started on a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes():
                found.append((process / "stat").read_text().rpartition(")")[2].split()[0])
    return found


def test_what_lies_in_the_folder_it_is_called_in_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dialwarden.py").write_text("open('was_run', 'w')\n")
    source = str(Path(dialwarden.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", source)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["selftest", "--without-asterisk", "--only=works"])
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "was_run").exists()


def test_a_console_that_does_not_answer_is_no_proof(
    fake_asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = fake_asterisk("exec sleep 60")
    monkeypatch.setattr(scratch_asterisk, "START_S", 0.2)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "the console of an Asterisk of its own did not answer" in done.stderr


def test_a_port_that_was_taken_meanwhile_is_no_proof() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SelftestError, match=f"port {port} .* another program has it now"):
            BadPeer(Plug.SILENT, port)


@pytest.mark.parametrize(
    "address",
    ["agi://127.0.0.1:4580/check", "agi://127.0.0.1/check", "hagi://bridge.lan/check",
     "agi://[::1]:4580/check", "agi://${BRIDGE}/check"],
)  # fmt: skip
def test_however_the_dialplan_names_the_bridge_the_one_of_the_test_is_asked(address: str) -> None:
    line = f" same => n,AGI({address},number=${{ARG1}})\n"
    told = readdressed(line * 2, 4999)
    assert told == " same => n,AGI(agi://127.0.0.1:4999/check,number=${ARG1})\n" * 2


def test_a_bridge_that_is_named_without_a_script_is_not_asked_either() -> None:
    assert readdressed("AGI(agi://127.0.0.1:4580,a=b)", 4999) == "AGI(agi://127.0.0.1:4999,a=b)"


@pytest.mark.parametrize(
    "plug", [p for p in Plug if p not in (Plug.WORKS, Plug.STOPPED, Plug.KILLED)]
)
def test_no_bad_peer_lets_a_call_go(plug: Plug) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with BadPeer(plug, port):
        told = PlayedAsterisk(port).call(NUMBER)
    assert not told.left
    assert Result(plug, told, None).ok


def test_an_answer_in_time_lets_the_call_go() -> None:
    command = answer()
    assert verdict_of(variables_in(command)).left


@pytest.mark.parametrize(
    ("told", "ok"),
    [
        (Told("REFUSE"), True),
        (Told("REFUSE", left=True), False),
        (Told("ALLOW"), False),
        (Told("ALLOW", left=True), False),
        (Told(""), False),
    ],
)
def test_only_a_refusal_that_held_the_call_is_well(told: Told, ok: bool) -> None:
    assert Result(Plug.SILENT, told, Told("ALLOW", left=True)).ok is ok
    assert not Result(Plug.SILENT, told, Told("REFUSE")).ok
