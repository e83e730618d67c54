"""The gateway under clients that stall, flood or are too many: bounded, and the others unharmed."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network

import pytest
from tests.doors.both_loops import on_both_loops
from tests.doors.fake_ami import BANNER, ami_peer, eventually, text
from tests.doors.gateway import ALLOWED, OPPOSED, FakeRulings, Gates, relayed

from dialwarden.doors.admission import Admission

EVENTS = 30_000
EVENT = (
    b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/100-00000001\r\n"
    b"Uniqueid: 1700000000.1\r\nVariable: NUMBER\r\nValue: %08d\r\n" + b"X: y" * 64 + b"\r\n\r\n"
)


@on_both_loops
async def test_a_client_that_stalls_is_cut_and_the_other_loses_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Some 13 MB of events to each; the one that does not read may leave 1 MB."""
    async with (
        relayed(max_backlog=1 << 20) as gate,
        gate.client() as reads,
        gate.client() as stalls,
    ):
        stalls.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sessions = list(gate.ami.sessions)
        relays = list(gate.gateway._open)
        most = 0
        for start in range(0, EVENTS, 100):
            burst = b"".join(EVENT % n for n in range(start, start + 100))
            for session in sessions:
                if not session.writer.transport.is_closing():
                    session.send(burst)
                    await drained(session.writer)
            for n in range(start, start + 100):
                assert await reads.block() == EVENT % n
            most = max(most, *(r._transport.get_write_buffer_size() for r in relays))
        await eventually(lambda: gate.gateway.clients == 1)
        await reads.pong()
        await asyncio.wait_for(sessions[1].closed.wait(), 20)
    assert gate.gateway.counters.cut == 1
    assert most < 2 << 20
    assert [r for r in caplog.records if "unread" in r.getMessage()]


async def drained(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.drain()
    except ConnectionError:
        return


@on_both_loops
async def test_a_flood_waits_for_asterisk_and_is_kept_in_order() -> None:
    """While Asterisk takes nothing, the client's bytes stay with the client."""
    async with relayed() as gate, gate.client() as client:
        gate.ami.reading.clear()
        session = await gate.ami.session()
        session.writer.transport.pause_reading()  # type: ignore[attr-defined]
        count = 3_000  # of 9 KB each: more than the sockets between take
        padding = {f"X{n}": "x" * 900 for n in range(10)}
        flood = [text(Action="Ping", ActionID=str(n), **padding) for n in range(count)]
        for n in range(0, count, 100):
            client.send(b"".join(flood[n : n + 100]))
        (relay,) = gate.gateway._open
        await eventually(lambda: relay._paused)
        upstream = relay._upstream
        assert upstream is not None
        assert upstream.get_write_buffer_size() < 1 << 20
        assert client.writer.transport.get_write_buffer_size() > 0
        session.writer.transport.resume_reading()  # type: ignore[attr-defined]
        gate.ami.reading.set()
        for n in range(count):
            assert (await client.message())["actionid"] == str(n)


@on_both_loops
async def test_a_flood_of_tiny_requests_is_not_all_in_memory() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate, gate.client() as client:
        client.ask(Action="Originate", Channel=OPPOSED, ActionID="first")
        await eventually(lambda: gate.rulings.under_way == 1)
        client.send(b"A:\n\n" * 500_000)
        (relay,) = gate.gateway._open
        await eventually(lambda: relay._paused)
        requests = relay._requests
        assert len(requests._raw) < 600_000
        assert len(requests._read) < 5000
        assert len(requests._under_way) == 64
        gates.open("first")
        assert (await client.message())["actionid"] == "first"
        async with gate.client() as other:
            await other.pong()
        client.reset()


@on_both_loops
async def test_one_client_too_many_is_closed_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async with relayed(max_clients=2) as gate:
        async with gate.client() as one, gate.client() as two:
            for _ in range(3):
                async with ami_peer(gate.port) as third:
                    assert await third.rest() == b""
            await one.pong()
            await two.pong()
            assert gate.gateway.counters.refused_limit == 3
            assert len(gate.ami.sessions) == 2
        await eventually(lambda: gate.gateway.clients == 0)
        async with gate.client() as fourth:
            await fourth.pong()
    assert len([r for r in caplog.records if "max_clients = 2" in r.getMessage()]) == 1


@on_both_loops
async def test_only_allowed_hosts_may_connect(caplog: pytest.LogCaptureFixture) -> None:
    async with relayed(allow_from=(ip_network("192.0.2.0/24"),)) as gate:
        async with ami_peer(gate.port) as client:
            assert await client.rest() == b""
        await eventually(lambda: gate.gateway.counters.refused_peer == 1)
        assert gate.ami.sessions == []
    assert "'127.0.0.1' is not in [gateway] allow_from (192.0.2.0/24)" in caplog.text


@on_both_loops
async def test_who_does_not_log_in_is_closed() -> None:
    async with relayed(login_timeout_s=0.05) as gate:
        async with gate.client("") as client:
            assert await client.rest() == BANNER
        assert gate.gateway.counters.login_timeouts == 1


@on_both_loops
async def test_who_has_logged_in_may_be_silent() -> None:
    async with relayed(login_timeout_s=0.2) as gate, gate.client() as client:
        await asyncio.sleep(0.3)
        await client.pong()


@on_both_loops
async def test_connecting_and_leaving_at_once_costs_nothing() -> None:
    async with relayed() as gate:
        for _ in range(50):
            async with ami_peer(gate.port) as client:
                client.reset()
        async with gate.client() as client:
            client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
            assert (await client.message())["response"] == "Success"
        await eventually(lambda: gate.gateway.clients == 0)


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("127.0.0.1", True),
        ("127.255.255.255", True),
        ("128.0.0.0", False),
        ("::1", True),
        ("::2", False),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", True),
        ("", False),
        ("localhost", False),
    ],
)
def test_admission(host: str, admitted: bool) -> None:
    networks = ("127.0.0.0/8", "::1/128", "fe80::/10")
    admission = Admission(map(ip_network, networks))
    assert [admission.admits(host), admission.admits(host)] == [admitted, admitted]


def test_admission_remembers_a_bounded_number_of_hosts() -> None:
    admission = Admission([ip_network("10.0.0.0/8")])
    assert all(admission.admits(f"10.0.{n >> 8}.{n & 255}") for n in range(5000))
    assert len(admission._hosts) <= 1024
