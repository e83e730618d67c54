"""The shipped units under a real systemd, in a container that is gone afterwards.

systemd-nspawn boots this machine's own /usr with an empty rest, so that nothing is installed and
nothing stays: the units as they are shipped, the program of this checkout, calls asked as Asterisk
asks them. Takes root, a machine that lets it, and a Python that lies in /usr.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.load import load

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "config" / "systemd"
WITHIN_S = 120.0
RATE = 50.0
CONFIG = """
[store]
path = "/var/lib/dialwarden/dialwarden.db"
[ami]
address = "127.0.0.1:5038"
username = "dialwarden"
secret_file = "ami.secret"
[gateway]
listen = "127.0.0.1:5138"
[http]
listen = "127.0.0.1:4581"
[log]
format = "journal"
[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{number}@carrier"]
[campaigns.free]
professional = "free"
policy = "none"
region = "FR"
"""
TARGET = """
[Unit]
Requires=basic.target dialwarden.socket dialwarden-gateway.socket dialwarden-http.socket
Wants=dialwarden.service
After=basic.target
"""
# The program where it lies here, and a watchdog that a trial can wait for.
HERE = """
[Service]
Environment=PYTHONPATH=/opt/source PYTHONDONTWRITEBYTECODE=1
ExecStart=
ExecStart=/opt/dialwarden/bin/python -m dialwarden serve --config /etc/dialwarden/dialwarden.toml
WatchdogSec=6
"""


class Trouble(Exception):
    """What was to be shown is not so."""


class Machine:
    """A container that runs systemd.

    Args:
        leader: process 1 in it, by its id here.
    """

    def __init__(self, leader: int) -> None:
        self._leader = leader

    def run(self, *command: str) -> str:
        """What a command in it prints; its exit status has to be 0."""
        enter = ["nsenter", f"--target={self._leader}", "--all", "--", *command]
        done = subprocess.run(enter, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Trouble(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def shown(self, name: str) -> str:
        return self.run("systemctl", "show", "--value", f"--property={name}", "dialwarden").strip()

    def asking(self, seconds: float) -> subprocess.Popen[str]:
        """Ask for so long, as Asterisk does, from within its network."""
        ask = [sys.executable, "-m", "tests.systemd.trial", "ask", str(seconds)]
        enter = ["nsenter", f"--target={self._leader}", "--net", "--", *ask]
        env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'agi'}"}
        return subprocess.Popen(enter, env=env, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def until(happened: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + WITHIN_S
    while not happened():
        if time.monotonic() > give_up:
            raise Trouble(f"not within {WITHIN_S:g} s: {what}")
        time.sleep(0.2)


@contextmanager
def booted() -> Iterator[Machine]:
    """A machine with the units in it, up."""
    with tempfile.TemporaryDirectory() as folder:
        binds = _files(Path(folder))
        log = Path(folder, "boot.log")
        command = [
            "systemd-nspawn", "--directory=/", "--volatile=yes", "--private-network",
            "--register=no", "--keep-unit", f"--machine=dialwarden-trial-{os.getpid()}",
            *(f"--bind-ro={here}:{there}" for there, here in binds.items()),
            "--boot", "systemd.unit=trial.target", "systemd.firstboot=off",
        ]  # fmt: skip
        with log.open("w") as stream:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
        try:
            machine = Machine(_leader(process))
            until(lambda: _is_up(machine), "dialwarden.service is active")
            yield machine
        except BaseException:
            print(log.read_text(errors="replace")[-3000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait()


def _is_up(machine: Machine) -> bool:
    try:
        return machine.shown("ActiveState") == "active"
    except Trouble:  # systemd itself is not up yet
        return False


def _leader(process: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

    def there() -> bool:
        if process.poll() is not None:
            raise Trouble("systemd-nspawn ended")
        return bool(children.read_text().split())

    until(there, "a process 1")
    return int(children.read_text().split()[0])


def _files(folder: Path) -> dict[str, Path]:
    """Where in the container, and what of here."""
    made = {
        "/etc/dialwarden/dialwarden.toml": CONFIG,
        "/etc/dialwarden/ami.secret": "hush\n",
        "/etc/systemd/system/trial.target": TARGET,
        "/etc/systemd/system/dialwarden.service.d/zz-here.conf": HERE,
    }
    binds = {}
    for number, (there, text) in enumerate(made.items()):
        binds[there] = folder / str(number)
        binds[there].write_text(text)
    binds["/etc/dialwarden/ami.secret"].chmod(0o600)
    for unit in (*UNITS.glob("*.socket"), *UNITS.glob("*.service"), *UNITS.glob("*.d/*.conf")):
        binds[f"/etc/systemd/system/{unit.relative_to(UNITS)}"] = unit
    binds["/etc/sysusers.d/dialwarden.conf"] = UNITS / "dialwarden.sysusers"
    binds["/opt/dialwarden"] = Path(sys.prefix)
    binds["/opt/source"] = ROOT / "agi"
    return binds


def told(process: subprocess.Popen[str]) -> str:
    """What became of the questions; all of them are to be allowed.

    Raises:
        Trouble: one was not.
    """
    said, _ = process.communicate(timeout=WITHIN_S)
    tally = json.loads(said)
    if tally["errors"] or set(tally["verdicts"]) != {"ALLOW"}:
        raise Trouble(f"not every call was allowed: {tally}")
    return f"{tally['verdicts']['ALLOW']} calls, the longest waited {tally['longest_s']:.2f} s"


def sandboxed(machine: Machine) -> str:
    pid = machine.shown("MainPID")
    status = machine.run("grep", "-E", "^(Seccomp|NoNewPrivs|CapBnd):", f"/proc/{pid}/status")
    found = dict(line.split(":\t", 1) for line in status.splitlines())
    if found != {"NoNewPrivs": "1", "CapBnd": "0" * 16, "Seccomp": "2"}:
        raise Trouble(status)
    user = machine.run("stat", "--format=%U %a", f"/proc/{pid}", "/var/lib/dialwarden")
    return f"no capabilities, system calls filtered; process and ledger's folder: {user.split()}"


def answers(machine: Machine) -> str:
    said = told(machine.asking(1))
    found = machine.run("journalctl", "--quiet", "DIALWARDEN_VERDICT=ALLOW", "--output=cat")
    if len(found.splitlines()) < RATE:
        raise Trouble("the verdicts are not in the journal")
    return f"{said}; {len(found.splitlines())} found by DIALWARDEN_VERDICT=ALLOW"


def reloads(machine: Machine) -> str:
    asking = machine.asking(3)
    machine.run("systemctl", "reload", "dialwarden")
    until(lambda: machine.shown("ActiveState") == "active", "active after a reload")
    return told(asking)


def hands_over(machine: Machine) -> str:
    before, asking = machine.shown("MainPID"), machine.asking(8)
    time.sleep(1)  # so that it is under load
    machine.run("systemctl", "kill", "--signal=USR2", "--kill-who=main", "dialwarden")
    until(lambda: machine.shown("MainPID") not in ("0", before), "another main process")
    return f"process {before} to {machine.shown('MainPID')}: {told(asking)}"


def restarts(machine: Machine) -> str:
    asking = machine.asking(8)
    time.sleep(1)
    machine.run("systemctl", "restart", "dialwarden")
    return told(asking)


def is_ended_when_it_stands_still(machine: Machine) -> str:
    before = machine.shown("MainPID")
    machine.run("kill", "-STOP", before)
    until(lambda: machine.shown("MainPID") not in ("0", before), "another main process")
    until(lambda: machine.shown("ActiveState") == "active", "active again")
    said = machine.run("journalctl", "--quiet", "--output=cat", "--unit=dialwarden")
    if "Watchdog timeout" not in said or "Fatal Python error: Aborted" not in said:
        raise Trouble("it was not the watchdog that ended it, or nobody told where it stood")
    return f"{told(machine.asking(1))}; restarts: {machine.shown('NRestarts')}"


TRIALS: dict[str, Callable[[Machine], str]] = {
    "in its sandbox": sandboxed,
    "answers": answers,
    "reload": reloads,
    "restart": restarts,
    "watchdog": is_ended_when_it_stands_still,
    # Last: in a container on cgroup v1 systemd waits for no main process that it did not start
    # itself, and when that is to stop kills it at once (unit_kill_context, systemd 252).
    "hand-over": hands_over,
}


def lacking() -> str:
    """What keeps this machine from it; "" when nothing does."""
    missing = [one for one in ("systemd-nspawn", "nsenter") if shutil.which(one) is None]
    if missing:
        return f"{' and '.join(missing)} missing (systemd-container, util-linux)"
    if os.geteuid() != 0:
        return "this takes root"
    python = Path(sys.executable).resolve()
    if not python.is_relative_to("/usr"):
        return f"{python} is not in /usr, which is all that is in the container; take Debian's"
    return ""


def main() -> int:
    if why := lacking():
        print(f"error: {why}", file=sys.stderr)
        return 1
    with booted() as machine:
        version = machine.run("systemctl", "--version").split()[1]
        print(f"systemd {version}; {RATE:g} calls a second", flush=True)
        for name, trial in TRIALS.items():
            try:
                print(f"{name:<15} {trial(machine)}", flush=True)
            except Trouble as trouble:
                print(f"{name:<15} FAILED: {trouble}")
                print(machine.run("journalctl", "--quiet", "--priority=warning"))
                return 1
    return 0


def ask(seconds: float) -> None:
    tally = asyncio.run(
        load(
            host="127.0.0.1", port=4580, campaign="free", seconds=seconds, rate=RATE,
            seed=time.time_ns() % 2**31,
        )
    )  # fmt: skip
    longest = max(tally.latencies, default=0.0)
    print(
        json.dumps(
            {"verdicts": tally.verdicts, "errors": tally.errors, "longest_s": longest}, default=str
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["ask"]:
        ask(float(sys.argv[2]))
    else:
        sys.exit(main())
