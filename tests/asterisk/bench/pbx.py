"""A real Asterisk on loopback, with a private configuration, driven over AMI.

Everything of it lives in one directory that is removed at the end; it is ended by its own pid.
Nothing here waits for a while: it waits for events and conditions.
"""

from __future__ import annotations

import itertools
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.ami import WAIT_S, Ami, AmiError, Message
from bench.configuration import AMI_SECRET, AMI_USER, Places, configuration_files
from bench.ports import free_tcp_port, free_udp_port
from bench.root import AsteriskRoot, find_root

SHIPPED_DIALPLAN = Path(__file__).parents[3] / "config" / "asterisk" / "extensions_dialwarden.conf"
SHIPPED_ADDRESS = "127.0.0.1:4580"
# How long the shipped dialplan waits for an answer: so many seconds, or its caller's own time left.
SHIPPED_WAIT = "${own} > 2]?2:"
START_S = 30.0
STOP_S = 10.0


class PbxError(Exception):
    """Asterisk did not start or did not stop; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call set off over AMI: the channel that runs the dialplan, and that channel's uniqueid."""

    id: str
    channel: str
    uniqueid: str
    since: int


class Pbx:
    """A running Asterisk; `Pbx.start` makes one, `stop` or the end of a `with` block ends it."""

    def __init__(
        self,
        root: AsteriskRoot,
        directory: Path,
        process: subprocess.Popen[bytes],
        ami: Ami,
        ports: Places,
    ) -> None:
        self.root = root
        self.directory = directory
        self.ami = ami
        self.ami_port = ports.ami_port
        self.sip_port = ports.sip_port
        self.http_port = ports.http_port
        self.bridge_port = 0
        self._process = process
        self._ids = itertools.count(1)

    @classmethod
    def start(
        cls,
        root: AsteriskRoot | None = None,
        *,
        dialplan: str = "",
        bridge_port: int = 4580,
        trunks: Mapping[str, int] | None = None,
        features: str = "",
        pjsip: str = "",
        modules: Iterable[str] = (),
        files: Callable[[Places], Mapping[str, str]] | None = None,
    ) -> Self:
        """Start Asterisk with the shipped dialplan and return once it is fully booted.

        Args:
            root: which Asterisk; looked for, and made when missing, by default.
            dialplan: more contexts, beside the shipped ones.
            bridge_port: replaces the port in the shipped dialplan, else read as it is.
            trunks: names of PJSIP endpoints and the UDP ports they lead to.
            features: the text of features.conf.
            pjsip: more sections of pjsip.conf.
            modules: names of modules to load beside the usual ones.
            files: gives more configuration files, name to text, once the ports are known.

        Raises:
            AsteriskUnavailableError: there is no Asterisk and none can be made.
            PbxError: it did not come up.
        """
        root = root or find_root()
        directory = root.new_directory()
        try:
            places = Places(
                root.inside(directory), free_tcp_port(), free_udp_port(), free_tcp_port()
            )
            for name in ("etc", "lib", "cache", "spool/outgoing", "spool/tmp", "run", "log", "moh"):
                (directory / name).mkdir(parents=True)
            shipped = SHIPPED_DIALPLAN.read_text()
            written = configuration_files(
                places,
                shipped=shipped.replace(SHIPPED_ADDRESS, f"127.0.0.1:{bridge_port}"),
                dialplan=dialplan,
                trunks=trunks or {},
                features=features,
                pjsip=pjsip,
                modules=modules,
            )
            for name, text in {**written, **(files(places) if files else {})}.items():
                file = directory / "etc" / name
                file.parent.mkdir(exist_ok=True)
                file.write_text(text)
            process, ami = _run(root, directory, places.ami_port)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        pbx = cls(root, directory, process, ami, places)
        pbx.bridge_port = bridge_port
        return pbx

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Asterisk's own process id."""
        return self._process.pid

    def restart(self, *, kill: bool = False) -> None:
        """End Asterisk and start it again: the same directory and ports, another pid and link.

        `kill` ends it as `kill -9` does. Calls, marks and channels of before mean nothing after.

        Raises:
            PbxError: it did not come up again.
        """
        self.ami.close()
        if kill:
            self._process.kill()
        _end(self._process)
        self._process, self.ami = _run(self.root, self.directory, self.ami_port)

    def stop(self) -> None:
        """End Asterisk and remove its directory."""
        self.ami.close()
        _end(self._process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def originate(
        self,
        channel: str,
        *,
        application: str = "Wait",
        data: str = "60",
        variables: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Call:
        """Set off a call and return as soon as Asterisk has taken it.

        For a Local channel the call's `channel` is the far half, the one that runs the dialplan.

        Raises:
            AmiError: Asterisk rejects the action, or no channel comes of it.
        """
        call_id = headers.pop("ChannelId", f"bench-{next(self._ids)}")
        local = channel.lower().startswith("local/")
        uniqueid = f"{call_id};2" if local else call_id
        since = self.ami.mark()
        fields = [("Channel", channel), ("ChannelId", call_id), ("Async", "true"), *headers.items()]
        if "Context" not in headers:
            fields += [("Application", application), ("Data", data)]
        fields += [
            ("Variable", f"{name}={_escaped(value)}") for name, value in (variables or {}).items()
        ]
        self.ami.action("Originate", fields)
        created = self.ami.wait(
            lambda event: event["Event"] == "Newchannel" and event["Uniqueid"] == uniqueid,
            since=since,
        )
        return Call(call_id, created["Channel"], uniqueid, since)

    def dial(
        self,
        extension: str,
        context: str,
        variables: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Call:
        """Let a caller dial an extension, whatever characters it holds."""
        return self.originate(f"Local/{extension}@{context}/n", variables=variables, **headers)

    def gosub(
        self, target: str, variables: Mapping[str, str] | None = None, *, timeout: str = ""
    ) -> Call:
        """Run `Gosub(target)` on a fresh channel with that absolute timeout; return when it has."""
        given = {"BENCH_GOSUB": target, "BENCH_TIMEOUT": timeout, **(variables or {})}
        call = self.dial("s", "bench-gosub", given)
        self.wait_returned(call)
        return call

    def wait_returned(self, call: Call) -> Message:
        """Wait for the bench's dialplan to get the channel back from its Gosub.

        Raises:
            AmiError: it did not, or the channel was hung up instead.
        """
        event = self.ami.wait(
            lambda event: (
                event["Uniqueid"] == call.uniqueid
                and (event["UserEvent"] == "BenchReturned" or event["Event"] == "Hangup")
            ),
            since=call.since,
        )
        if event["Event"] == "Hangup":
            raise AmiError(
                f"{call.channel} was hung up (cause {event['Cause']}) before its Gosub returned"
            )
        return event

    def wait_user_event(self, call: Call, name: str, *, timeout_s: float = WAIT_S) -> Message:
        """Wait for a UserEvent of that name on the call's channel."""
        return self.ami.wait(
            lambda event: event["UserEvent"] == name and event["Uniqueid"] == call.uniqueid,
            since=call.since, timeout_s=timeout_s,
        )  # fmt: skip

    def wait_application(self, call: Call, name: str) -> Message:
        """Wait for the call's channel to begin an application of the dialplan."""
        return self.ami.wait(
            lambda event: (
                event["Event"] == "Newexten"
                and event["Application"] == name
                and event["Uniqueid"] == call.uniqueid
            ),
            since=call.since,
        )

    def wait_bridged(self, call: Call) -> Message:
        """Wait for the call's channel to be in conversation with another."""
        return self.ami.wait(
            lambda event: (
                event["Event"] == "BridgeEnter"
                and event["Uniqueid"] == call.uniqueid
                and event["BridgeNumChannels"] == "2"
            ),
            since=call.since,
        )

    def press(self, call: Call, digits: str) -> None:
        """The party on the call's channel presses keys."""
        for digit in digits:
            self.ami.action(
                "PlayDTMF", Channel=call.channel, Digit=digit, Receive="true", Duration="80"
            )

    def wait_hangup(self, call: Call, *, timeout_s: float = WAIT_S) -> int:
        """Wait for the call's channel to be hung up; its cause."""
        event = self.ami.wait(
            lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == call.uniqueid,
            since=call.since, timeout_s=timeout_s,
        )  # fmt: skip
        return int(event["Cause"])

    def channel_vars(self, call: Call, *names: str) -> dict[str, str]:
        """Variables or functions of a channel that is up; those of a verdict by default."""
        return {name: self.variable(call, name) for name in names or VERDICT_VARIABLES}

    def variable(self, call: Call, name: str) -> str:
        """One variable of a channel that is up, empty when it is not set."""
        return self.ami.action("Getvar", Channel=call.channel, Variable=name)["Value"]

    def set_global(self, name: str, value: str) -> None:
        """Set a global variable; an empty value clears it."""
        self.ami.action("Setvar", Variable=name, Value=value)

    def is_up(self, call: Call) -> bool:
        """Whether the call's channel is alive."""
        return self.ami.ask("Status", Channel=call.channel)["Response"] == "Success"

    def hang_up(self, call: Call) -> None:
        """Hang the call's channel up, if it is still there, and wait until it is gone."""
        if self.ami.ask("Hangup", Channel=call.channel)["Response"] == "Success":
            self.wait_hangup(call)

    def hang_up_all(self) -> None:
        """Hang up whatever is left and wait until no channel is."""
        self.ami.ask("Hangup", Channel="/.*/")
        deadline = time.monotonic() + WAIT_S
        while self.channels():
            if time.monotonic() > deadline:
                raise PbxError(f"channels that do not end: {self.channels()}")
            time.sleep(0.01)  # a channel's going is told before it is gone from the list

    def channels(self) -> list[str]:
        """The names of the channels that are up."""
        lines = self.cli("core show channels concise").splitlines()
        return [line.split("!")[0] for line in lines if "!" in line]

    def cli(self, command: str) -> str:
        """What the console says to a command."""
        return "\n".join(self.ami.ask("Command", Command=command).all("Output"))

    @contextmanager
    def waiting_for_answers(self, seconds: int) -> Iterator[None]:
        """Have the dialplan wait so long for an answer: for what holds on a slow machine too."""
        file = self.directory / "etc" / "extensions_dialwarden.conf"
        usual = file.read_text()
        assert usual.count(SHIPPED_WAIT) == 1
        file.write_text(usual.replace(SHIPPED_WAIT, f"${{own}} > {seconds}]?{seconds}:"))
        self.cli("dialplan reload")
        try:
            yield
        finally:
            file.write_text(usual)
            self.cli("dialplan reload")

    def console(self, command: str) -> str:
        """What `asterisk -rx COMMAND` says: the real console, past every AMI."""
        conf = f"{self.root.inside(self.directory)}/etc/asterisk.conf"
        return subprocess.run(
            self.root.command("-C", conf, "-rx", command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def spool(self, name: str, text: str) -> None:
        """Hand in a call file, as a whole."""
        draft = self.directory / "spool" / "tmp" / name
        draft.write_text(text)
        draft.rename(self.directory / "spool" / "outgoing" / name)

    def log(self) -> str:
        """Asterisk's log so far."""
        return (self.directory / "log" / "full").read_text(errors="replace")


VERDICT_VARIABLES = (
    "DIALWARDEN_VERDICT",
    "DIALWARDEN_RULE",
    "DIALWARDEN_RULES",
    "DIALWARDEN_REASON",
    "DIALWARDEN_NEXT",
    "DIALWARDEN_NUMBER",
    "DIALWARDEN_ATTEMPT",
)


def _escaped(value: str) -> str:
    """A value of AMI's `Variable` header, which Asterisk splits like an application's arguments."""
    return re.sub(r'([\\",()\[\]])', r"\\\1", value)


def _run(root: AsteriskRoot, directory: Path, port: int) -> tuple[subprocess.Popen[bytes], Ami]:
    with (directory / "log" / "stdout").open("ab") as output:
        process = subprocess.Popen(
            # a bench that is killed takes its Asterisk with it
            ["setpriv", "--pdeathsig", "KILL"] * bool(shutil.which("setpriv"))
            + root.command("-f", "-C", f"{root.inside(directory)}/etc/asterisk.conf"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return process, _log_in(process, directory, port)
    except BaseException:
        _end(process)
        raise


def _log_in(process: subprocess.Popen[bytes], directory: Path, port: int) -> Ami:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            ami = Ami("127.0.0.1", port, AMI_USER, AMI_SECRET)
        except (OSError, AmiError):
            time.sleep(0.02)  # not listening yet: nothing to be told of it by
            continue
        ami.wait(lambda event: event["Event"] == "FullyBooted", timeout_s=START_S)
        return ami
    how = (
        f"ended with {process.poll()}"
        if process.poll() is not None
        else f"was not up within {START_S} s"
    )
    tail = (directory / "log" / "stdout").read_text(errors="replace").splitlines()[-15:]
    raise PbxError("\n".join([f"Asterisk {how}:", *tail]))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
