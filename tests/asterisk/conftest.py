"""Fixtures of the tests on a real Asterisk, and what happens to those tests where there is none."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import exchange as exchange_files
from bench.bridge import Bridge
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import (
    DEFAULT_SUITE,
    MAJORS,
    NO_ASTERISK,
    AsteriskRoot,
    AsteriskUnavailableError,
    find_root,
)
from bench.standin import StandIn
from bench.trunk import Trunk
from guarded import Guarded, guarding
from office import module_pbx, office, phone, start  # noqa: F401  fixtures
from ways import SEEN, Exchange, empty_the_queue

HERE = Path(__file__).parent
OLD_SUITE = "bullseye"

FEATURES = '[applicationmap]\nobjection => *66,self,Gosub,"dialwarden-feature,objection,1"\n'

DIALPLAN = """
; An agent in conversation: the agent's leg runs this, with the shipped in-call feature switched on.
[bench-agent]
exten => _X.,1,Set(__DYNAMIC_FEATURES=objection)
 same => n,Dial(PJSIP/${EXTEN}@carrier,30,g)
 same => n,UserEvent(BenchAfterDial)
 same => n,Wait(60)

; A channel that leaves a verdict to its children.
[bench-parent]
exten => _X.,1,Set(__DIALWARDEN_VERDICT=ALLOW)
 same => n,Set(__DIALWARDEN_NUMBER=33612345678)
 same => n,Dial(Local/${EXTEN}@dialwarden-outbound/n,30)
 same => n,Hangup()

; A dialplan that calls the same number again in the same call, whatever came of the first time.
[bench-twice]
exten => _X.,1,Gosub(dialwarden,check,1(${EXTEN},energy-paris))
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,20)
 same => n,Gosub(dialwarden,check,1(${EXTEN},energy-paris))
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,20)
 same => n(no),Hangup(21)

; Another host's dialplan, which asks a second bridge.
[bench-second-bridge]
exten => _X.,1,Set(DIALWARDEN_VERDICT=)
 same => n,AGI(agi://127.0.0.1:${BENCH_PORT}/check,number=${EXTEN},campaign=energy-paris)
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,20)
 same => n(no),Hangup(21)

; What an admin adds in a file of his own.
[dialwarden-emergency]
exten => 9112,1,NoOp()
"""

_not_run = pytest.StashKey[int]()
_roots = pytest.StashKey[dict[str, AsteriskRoot]]()
_not_old = pytest.StashKey[tuple[int, str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave this directory's tests out where the developer said there is no Asterisk."""
    if os.environ.get(NO_ASTERISK, "") in {"", "0"}:
        return
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    config.stash[_not_run] = len(ours)
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have an Asterisk before the first test begins: making one outlasts a test's time limit."""
    config = session.config
    if config.option.collectonly or not any(
        item.path.is_relative_to(HERE) for item in session.items
    ):
        return
    capture = config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"asterisk: {line}", file=sys.stderr, flush=True)

    try:
        roots = config.stash[_roots] = {DEFAULT_SUITE: find_root(say)}
    except AsteriskUnavailableError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.INTERNAL_ERROR)
    on_old = [item for item in session.items if _suite_of(item) == OLD_SUITE]
    if on_old:
        try:
            roots[OLD_SUITE] = find_root(say, OLD_SUITE)
        except AsteriskUnavailableError as error:
            config.stash[_not_old] = len(on_old), str(error)
            config.hook.pytest_deselected(items=on_old)
            session.items[:] = [item for item in session.items if item not in on_old]


def _suite_of(item: pytest.Item) -> str:
    """The Debian suite whose Asterisk a test runs on."""
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        return str(item.callspec.params.get("exchange_root", DEFAULT_SUITE))
    return DEFAULT_SUITE


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say so, where nobody can overlook it."""
    if count := config.stash.get(_not_run, 0):
        terminalreporter.section("NOT TESTED ON A REAL ASTERISK", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{count} tests were left out because {NO_ASTERISK} is set. "
            "What the PBX does with a verdict is untested in this run.",
            red=True,
        )
    if _not_old in config.stash:
        count, why = config.stash[_not_old]
        major = MAJORS[OLD_SUITE]
        terminalreporter.section(f"NOT TESTED ON ASTERISK {major}", sep="!", red=True, bold=True)
        terminalreporter.line(f"{count} tests were left out: {why}", red=True)
    if ways := config.stash.get(SEEN, {}):
        terminalreporter.section("ways to originate a call that may not be made")
        terminalreporter.line(f"{'Asterisk':8}  {'INVITEs':>7}  {'ms to CANCEL':>12}  way")
        for (version, name), (invites, waits) in sorted(ways.items()):
            cancelled = f"{statistics.median(waits):12.1f}" if waits else f"{'-':>12}"
            terminalreporter.line(f"{version:8}  {invites:7}  {cancelled}  {name}")
        if all_waits := [wait for _, waits in ways.values() for wait in waits]:
            terminalreporter.line(
                f"{len(ways)} ways; {len(all_waits)} INVITEs left and were cancelled, the median "
                f"{statistics.median(all_waits):.1f} ms after the INVITE"
            )


@pytest.fixture(scope="session")
def asterisk_root(pytestconfig: pytest.Config) -> AsteriskRoot:
    """The Asterisk to test with."""
    return pytestconfig.stash[_roots][DEFAULT_SUITE]


@pytest.fixture(scope="session", params=MAJORS, ids=lambda suite: f"asterisk{MAJORS[suite]}")
def exchange_root(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> AsteriskRoot:
    """Each Asterisk in turn that the ways of originating are tried on."""
    return pytestconfig.stash[_roots][request.param]


@pytest.fixture(scope="session")
def running_exchange(exchange_root: AsteriskRoot) -> Iterator[Exchange]:
    """A call centre's Asterisk; nobody listens on its bridge's port to begin with."""
    carrier, agent, redirecting = Trunk(), Trunk(sound=True), Trunk()
    with Pbx.start(
        exchange_root,
        dialplan=exchange_files.DIALPLAN,
        features=exchange_files.FEATURES,
        pjsip=exchange_files.phones(agent.port, redirecting.port),
        modules=exchange_files.MODULES,
        files=exchange_files.files,
        bridge_port=free_tcp_port(),
        trunks={"carrier": carrier.port, "carrier-2": carrier.port},
    ) as pbx:
        yield Exchange(pbx, carrier, agent, redirecting)
    for one in (carrier, agent, redirecting):
        one.stop()


@pytest.fixture
def exchange(running_exchange: Exchange) -> Iterator[Exchange]:
    """The call centre's Asterisk without a channel left over, everybody around it answering."""
    for one in (running_exchange.carrier, running_exchange.agent, running_exchange.redirecting):
        one.clear()
    yield running_exchange
    running_exchange.hang_up_all()
    empty_the_queue(running_exchange.pbx)


@pytest.fixture(scope="session")
def trunks() -> Iterator[dict[str, Trunk]]:
    """The trunks of the shipped example, by endpoint name."""
    made = {"carrier": Trunk(), "carrier-2": Trunk()}
    yield made
    for one in made.values():
        one.stop()


@pytest.fixture(scope="session")
def running_pbx(asterisk_root: AsteriskRoot, trunks: dict[str, Trunk]) -> Iterator[Pbx]:
    """One Asterisk for the whole session; nobody listens on its bridge's port to begin with."""
    with Pbx.start(
        asterisk_root,
        dialplan=DIALPLAN,
        features=FEATURES,
        bridge_port=free_tcp_port(),
        trunks={name: one.port for name, one in trunks.items()},
    ) as pbx:
        yield pbx


@pytest.fixture(scope="module")
def running_guarded(
    running_exchange: Exchange, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    """The bridge in front of the call centre's Asterisk: gateway, guard, dialplan."""
    with guarding(running_exchange, tmp_path_factory.mktemp("bridge")) as one:
        yield one


@pytest.fixture
def guarded(running_guarded: Guarded, exchange: Exchange) -> Guarded:
    """The same without anything left over from the test before."""
    return running_guarded


@pytest.fixture
def pbx(running_pbx: Pbx) -> Iterator[Pbx]:
    """The session's Asterisk, without a channel left over from the test before."""
    yield running_pbx
    running_pbx.hang_up_all()


@pytest.fixture
def trunk(trunks: dict[str, Trunk]) -> Trunk:
    """The first trunk, empty."""
    trunks["carrier"].clear()
    return trunks["carrier"]


@pytest.fixture
def second_trunk(trunks: dict[str, Trunk]) -> Trunk:
    """The trunk that is tried next, empty."""
    trunks["carrier-2"].clear()
    return trunks["carrier-2"]


@pytest.fixture
def standin(running_pbx: Pbx) -> Iterator[StandIn]:
    """A bridge that misbehaves on demand, where the dialplan asks; it begins by allowing."""
    one = StandIn(running_pbx.bridge_port)
    yield one
    one.down()


@pytest.fixture
def bridge(running_pbx: Pbx, tmp_path: Path) -> Iterator[Callable[..., Bridge]]:
    """Starts the real bridge where the dialplan asks: `bridge(config_text)`.

    Default addresses in the text are moved to this run's ports; `port=` is for a second bridge.
    """
    moved = {4580: running_pbx.bridge_port, 5038: running_pbx.ami_port}
    with ExitStack() as stack:

        def start(config: str, *, port: int | None = None, name: str = "dialwarden") -> Bridge:
            ports = {**moved, 5138: free_tcp_port(), 4581: free_tcp_port()}
            if port is not None:
                ports[4580] = port
            return stack.enter_context(Bridge.start(config, tmp_path, ports=ports, name=name))

        yield start
