"""The service as a process: its start and its end, its signals, and no call lost between."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap64
from tests.bench.load import Tally, load
from tests.doors.asking import ask, environment, send, variables_of
from tests.running import (
    CONFIG,
    SERVE,
    WITHIN_S,
    Running,
    SystemdStandIn,
    environ,
    write_config,
)

from dialwarden.doors.listening import listen
from dialwarden.ledger.attempt_list import list_attempts
from dialwarden.ledger.connection import open_ledger
from dialwarden.ledger.lists import import_version
from dialwarden.ledger.refusals import list_refusals

DIALLED = "0612345678"
_calls = itertools.count(1)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path)


@pytest.fixture
def running(config: Path) -> Iterator[Running]:
    with Running.start(config) as one:
        yield one


async def heard(running: Running, words: str, times: int = 1) -> None:
    """Wait until the bridge has said something so often."""
    await asyncio.to_thread(running.until_said, words, times)


async def check(port: int, campaign: str = "free", number: str = DIALLED, **keys: str) -> str:
    keys.setdefault("call", f"1800000000.{next(_calls)}")
    said = await ask(port, "check", number=number, campaign=campaign, **keys)
    return f"{said.get('DIALWARDEN_VERDICT', 'nothing')} {said.get('DIALWARDEN_RULE', '')}".strip()


def rows(config: Path, what: Any = list_attempts) -> list[dict[str, Any]]:
    with closing(open_ledger(config.parent / "ledger.db", create=False)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return list(what(conn))


# Starting and stopping.


async def test_it_starts_answers_and_stops(running: Running, config: Path) -> None:
    assert await check(running.port) == "ALLOW"
    assert running.stop() == 0
    assert "stopped: 1 questions, 1 answered, ledger closed" in running.log
    assert not (config.parent / "ledger.db-wal").exists()
    assert len(rows(config)) == 1


async def test_neither_a_damaged_list_nor_a_lock_keeps_it_from_starting(config: Path) -> None:
    with closing(open_ledger(config.parent / "ledger.db")) as conn:
        import_version(
            conn, "house", BitMap64([1]), as_of=None, source="", sha256="",
            imported_at=datetime.now(UTC),
        )  # fmt: skip
        conn.execute("BEGIN IMMEDIATE")
        with Running.start(config) as running:
            await heard(running, "lists are not ready")
            await heard(running, "is ready")
            assert await check(running.port, number="112") == "ALLOW"
            conn.execute("ROLLBACK")
            assert await check(running.port, "listed") == "ALLOW"
        conn.execute("UPDATE list_part SET bytes = x'00'")
    with Running.start(config) as running:
        await heard(running, "list house: ledger")
        await heard(running, "is ready")
        assert await check(running.port) == "ALLOW"
        assert await check(running.port, "listed") == "REFUSE unavailable"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_who_is_being_answered_is_answered_before_the_end(
    running: Running, config: Path, number: signal.Signals
) -> None:
    port = running.port
    with closing(sqlite3.connect(config.parent / "ledger.db", isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        asking = asyncio.create_task(check(port))
        assert await check(port, number="112") == "ALLOW"  # accepted after it: it is in flight
        running.signal(number)
        await heard(running, "stopping: no new calls, 1 in flight")
        assert not asking.done()
        conn.execute("ROLLBACK")
    assert await asking == "ALLOW"
    assert running.ended() == 0
    assert len(rows(config)) == 1


async def test_who_comes_while_it_stops_is_turned_away_at_once(
    running: Running, config: Path
) -> None:
    port = running.port
    with closing(sqlite3.connect(config.parent / "ledger.db", isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        asking = asyncio.create_task(check(port))
        assert await check(port, number="112") == "ALLOW"
        running.signal(signal.SIGTERM)
        await heard(running, "stopping: no new calls")
        # Asterisk's dialplan refuses at once then; a connection nobody answers costs it 2 s.
        await asyncio.to_thread(lambda: running.until(lambda: not accepts(port)))
        assert not asking.done()
        conn.execute("ROLLBACK")
    assert await asking == "ALLOW"
    assert running.ended() == 0


def accepts(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


async def test_a_second_start_goes_on_where_the_first_ended(config: Path) -> None:
    for expected in ("ALLOW", "ALLOW", "ALLOW", "ALLOW", "REFUSE frequency"):
        with Running.start(config) as one:
            assert await check(one.port, "capped") == expected
            assert one.stop() == 0


async def test_two_starts_at_once_on_a_fresh_ledger_both_serve(tmp_path: Path) -> None:
    with (
        Running.start(write_config(tmp_path, name="one.toml")) as one,
        Running.start(write_config(tmp_path, name="two.toml")) as two,
    ):
        assert await check(one.port) == "ALLOW"
        assert await check(two.port) == "ALLOW"
        assert (one.stop(), two.stop()) == (0, 0)
    assert len(rows(tmp_path / "one.toml")) == 2


def newer(path: Path) -> None:
    open_ledger(path).close()
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA user_version = 9999")


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE theirs (x)")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (newer, "is of version 9999, newer than this program's"),
        (foreign, "is a database of another program; name another file"),
        (lambda path: path.write_text("no database at all, " * 100), "is no SQLite file"),
        (lambda path: path.mkdir(), "is not a file"),
    ],
    ids=["newer", "foreign", "no database", "a folder"],
)
def test_a_ledger_that_is_not_ours_stops_the_start(config: Path, prepare: Any, said: str) -> None:
    prepare(config.parent / "ledger.db")
    with Running.start(config) as one:
        assert one.ended() == 2
        assert said in one.log
        assert "Traceback" not in one.log


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CONFIG.replace("[agi]", "[agi]\nlisten_on = 1"), "agi.listen_on"),
        (CONFIG.replace('policy = "none"', 'policy = "nonne"', 1), "did you mean none?"),
        (CONFIG + "[", "dialwarden.toml"),
        (CONFIG.replace("127.0.0.1:0", "192.0.2.1:4580"), "this machine has no such address"),
    ],
    ids=["key", "policy", "no TOML", "address"],
)
def test_a_wrong_configuration_stops_the_start(tmp_path: Path, text: str, said: str) -> None:
    with Running.start(write_config(tmp_path, text)) as one:
        assert one.ended() == 2
        assert "not started" in one.log
        assert said in one.log
        assert "Traceback" not in one.log


def test_a_busy_port_stops_the_start(tmp_path: Path) -> None:
    with closing(listen("127.0.0.1:0")) as taken:
        port = taken.getsockname()[1]
        text = CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}")
        with Running.start(write_config(tmp_path, text)) as one:
            assert one.ended() == 2
            assert f"cannot listen on 127.0.0.1:{port}: another process has this port" in one.log
            assert "Traceback" not in one.log


# The log.


async def test_every_line_of_the_log_is_json_and_no_number_is_in_clear(
    running: Running,
) -> None:
    port = running.port
    await check(port, call="17.1")
    await check(port, "capped", number="12", call="17.2")
    await check(port, number="112")
    await check(port, "listed", call="17.3", colour="red")
    await ask(port, "objection", call="17.1")
    await send(port, b"GET / HTTP/1.0\r\n\r\n")
    assert running.stop() == 0
    verdicts = {line["call"]: line for line in running.lines if "verdict" in line}
    allow, wrong, stale = (verdicts[f"17.{n}"] for n in (1, 2, 3))
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in running.lines)
    assert (allow["verdict"], allow["campaign"], allow["regime"]) == ("ALLOW", "free", "none")
    assert (allow["number"], allow["attempt"]) == ("+336••••••78", 1)
    assert allow["lists"] == {}
    assert 0 < allow["ms"] < 60_000
    assert (wrong["verdict"], wrong["rules"], wrong["next"]) == ("REFUSE", ["number"], "")
    assert "too short" in wrong["reason"]
    assert (stale["rules"], stale["lists"]) == (["list_stale"], {"house": None})
    assert "612345678" not in running.log


# Reading the configuration again.


async def test_hup_takes_a_good_configuration_and_keeps_the_old_one_for_a_bad(
    running: Running, config: Path
) -> None:
    port = running.port
    assert await check(port, "capped") == "ALLOW"
    write_config(config.parent, CONFIG.replace("max = 4", "max = 1"))
    running.signal(signal.SIGHUP)
    await heard(running, "in force, 3 campaigns")
    assert await check(port, "capped", call="17.2") == "REFUSE frequency"
    for wrong in (CONFIG.replace("max = 4", "max = 0"), "[", CONFIG.replace("none", "nobody")):
        said = running.log.count("the old configuration stays in force")
        write_config(config.parent, wrong)
        running.signal(signal.SIGHUP)
        await heard(running, "old configuration stays in force", said + 1)
        assert await check(port, "capped", call="17.3") == "REFUSE frequency"
    await asyncio.to_thread(config.unlink)
    running.signal(signal.SIGHUP)
    await heard(running, "old configuration stays in force", 4)
    assert await check(port, "capped", call="17.4") == "REFUSE frequency"
    assert running.stop() == 0
    assert "Traceback" not in running.log


async def test_hup_says_what_takes_effect_with_a_restart_only(
    running: Running, config: Path
) -> None:
    port = running.port
    write_config(config.parent, CONFIG.replace("ledger.db", "other.db"))
    for times in (1, 2):
        running.signal(signal.SIGHUP)
        await heard(running, "in force, 3 campaigns", times)
    assert running.log.count("[store] path changed; it takes effect with a restart") == 2
    assert await check(port) == "ALLOW"
    assert not (config.parent / "other.db").exists()


async def test_the_start_and_a_reload_say_what_the_guard_does_and_where_dialers_connect(
    tmp_path: Path,
) -> None:
    guarded = (
        '[ami]\naddress = "127.0.0.1:1"\nusername = "dw"\nsecret = "x"\n'
        '[gateway]\nlisten = "127.0.0.1:0"\n[http]\nlisten = "127.0.0.1:0"\n'
        '[trunks.carrier]\nchannel = "PJSIP/carrier"\ndial = ["PJSIP/{number}@carrier"]\n'
        '[guard]\nmode = "report"\n'
    )
    path = write_config(tmp_path, f"{CONFIG}\n{guarded}")
    with Running.start(path) as running:
        await heard(running, "is ready")
        assert "guard: mode report; trunks: carrier (PJSIP/carrier)" in running.log
        assert re.search(
            r", AMI gateway on 127\.0\.0\.1:\d+, /healthz and /metrics on 127\.0\.0\.1:\d+, ",
            running.log,
        )
        write_config(tmp_path, f"{CONFIG}\n{guarded.replace('report', 'hangup')}")
        running.signal(signal.SIGHUP)
        await heard(running, "guard: mode hangup; trunks: carrier (PJSIP/carrier)")


async def test_hup_under_load_loses_no_question(running: Running) -> None:
    port = running.port

    async def again_and_again() -> None:
        for times in range(1, 6):
            running.signal(signal.SIGHUP)
            await heard(running, 'campaigns"', times)
            await asyncio.sleep(0.1)

    tally, _ = await asyncio.gather(asking(port, seconds=1.5), again_and_again())
    assert only_allows(tally)


async def asking(port: int, *, seconds: float, rate: float = 150.0, seed: int = 1) -> Tally:
    return await load(
        host="127.0.0.1", port=port, campaign="free", seconds=seconds, rate=rate, seed=seed
    )


def only_allows(tally: Tally) -> bool:
    assert tally.errors == {}
    assert set(tally.verdicts) == {"ALLOW"}
    return len(tally.attempts) == len(set(tally.attempts)) == tally.verdicts["ALLOW"] > 0


# No call lost between two processes.


async def test_a_hand_over_under_load_loses_no_question(config: Path, tmp_path: Path) -> None:
    systemd = SystemdStandIn(tmp_path)
    with contextlib.ExitStack() as ends:
        ends.callback(systemd.close)
        old = ends.enter_context(Running.start(config, env=environ(NOTIFY_SOCKET=systemd.path)))
        port = old.port
        assert await asyncio.to_thread(systemd.main_pid) == old.process.pid
        load_it = asyncio.create_task(asking(port, seconds=6))
        await asyncio.sleep(0.5)
        old.signal(signal.SIGUSR2)
        successor = await asyncio.to_thread(systemd.main_pid)
        ends.callback(_end, successor)
        assert successor != old.process.pid
        assert await asyncio.to_thread(old.ended) == 0
        tally = await load_it
        assert only_allows(tally)
        assert await check(port) == "ALLOW"
        assert len(rows(config)) == tally.verdicts["ALLOW"] + 1
        assert "handing over to a successor" in old.log
        assert "Traceback" not in old.log


def _end(pid: int) -> None:
    """End a process that is nobody's child any more, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        os.close(handle)


async def test_a_hand_over_that_fails_changes_nothing(running: Running, config: Path) -> None:
    port = running.port
    write_config(config.parent, "[")
    running.signal(signal.SIGUSR2)
    await heard(running, "hand-over failed")
    assert await check(port) == "ALLOW"
    assert running.process.poll() is None
    assert running.stop() == 0


async def test_a_stop_during_a_hand_over_leaves_no_successor(config: Path, tmp_path: Path) -> None:
    with Running.start(config) as old:
        port = old.port
        old.signal(signal.SIGUSR2)
        await heard(old, "handing over to a successor")
        old.signal(signal.SIGTERM)
        assert await asyncio.to_thread(old.ended) == 0
        assert not accepts(port)


# As systemd's socket unit hands one over: descriptor 3, for this very process.
ACTIVATED = (
    sys.executable,
    "-c",
    "import os, sys\n"
    "fd, *argv = sys.argv[1:]\n"
    "os.dup2(int(fd), 3, inheritable=True)\n"
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='agi')\n"
    "os.execv(argv[0], argv)\n",
)


async def test_a_restart_behind_somebody_elses_socket_loses_no_question(config: Path) -> None:
    with closing(listen("127.0.0.1:0")) as sock:
        port = sock.getsockname()[1]
        argv = (*ACTIVATED, str(sock.fileno()), *SERVE)

        def start() -> Running:
            return Running.start(config, argv=argv, pass_fds=[sock.fileno()])

        with start() as first:
            assert first.port == port
            load_it = asyncio.create_task(asking(port, seconds=5))
            await asyncio.sleep(0.5)
            assert await asyncio.to_thread(first.stop) == 0
            with start() as second:
                tally = await load_it
                assert only_allows(tally)
                assert await check(port) == "ALLOW"
                assert second.stop() == 0
    assert len(rows(config)) == tally.verdicts["ALLOW"] + 1


# Killed.


async def test_after_a_kill_under_load_every_allow_given_is_in_the_ledger(config: Path) -> None:
    with Running.start(config) as one:
        load_it = asyncio.create_task(
            load(host="127.0.0.1", port=one.port, campaign="free", seconds=2, rate=400)
        )
        await asyncio.sleep(1)
        one.process.kill()
        tally = await load_it
    assert tally.errors
    assert tally.attempts
    assert set(tally.attempts) <= {str(row["id"]) for row in rows(config)}
    with Running.start(config) as again:
        assert await check(again.port) == "ALLOW"
        assert again.stop() == 0


async def test_after_a_kill_no_number_has_more_than_its_cap(config: Path) -> None:
    async def one_call(port: int, n: int) -> dict[str, str]:
        with contextlib.suppress(OSError, AssertionError):
            return await ask(port, "check", number=DIALLED, campaign="capped", call=f"17.{n}")
        return {}

    with Running.start(config) as one:
        port = one.port
        crowd = [asyncio.create_task(one_call(port, n)) for n in range(200)]
        await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
        one.process.kill()
        told = await asyncio.gather(*crowd)
    allowed = {said["DIALWARDEN_ATTEMPT"] for said in told if said.get("DIALWARDEN_ATTEMPT")}
    assert allowed <= {str(row["id"]) for row in rows(config)}
    with Running.start(config) as again:
        port = again.port
        more = await asyncio.gather(*(one_call(port, 1000 + n) for n in range(10)))
        assert again.stop() == 0
    assert len(rows(config)) == 4
    assert {said["DIALWARDEN_VERDICT"] for said in more} <= {"ALLOW", "REFUSE"}
    assert all(row["rule"] == "frequency" for row in rows(config, list_refusals))


async def test_a_stopped_process_goes_on_where_it_was(running: Running) -> None:
    port = running.port
    running.signal(signal.SIGSTOP)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(environment("check", f"number={DIALLED}", "campaign=free"))
    running.signal(signal.SIGCONT)
    async with asyncio.timeout(WITHIN_S):
        said = variables_of(await reader.readline())
    writer.close()
    assert said["DIALWARDEN_VERDICT"] == "ALLOW"
