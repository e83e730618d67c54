"""What the gateway's log says of a client, so that whoever mends it knows which and why."""

from __future__ import annotations

import logging

import pytest
from tests.doors.both_loops import on_both_loops
from tests.doors.fake_ami import eventually
from tests.doors.gateway import relayed


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


@on_both_loops
async def test_a_login_that_asterisk_refuses_is_told_with_the_clients_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with relayed() as gate, gate.client("") as client:
        client.ask(Action="Login", Username="vera", Secret="guess")
        await client.rest()
    [said] = lines(caplog, logging.WARNING)
    assert said.startswith("AMI client 127.0.0.1:")
    assert said.endswith(": Asterisk refused the login of 'vera' (Authentication failed)")
    assert "guess" not in caplog.text


@on_both_loops
async def test_a_request_that_reads_in_two_ways_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with relayed() as gate, gate.client("vera") as client:
        client.send(b"Action : Originate\r\nChannel: PJSIP/0612345678@carrier\r\n\r\n")
        assert (await client.message())["response"] == "Error"
    [said] = lines(caplog, logging.WARNING)
    assert said.startswith("AMI client vera@127.0.0.1:")
    assert "a request is not relayed, since line 1 has a blank in the name" in said
    assert "0612345678" not in said


@on_both_loops
async def test_a_client_that_hangs_up_is_not_put_down_to_asterisk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "dialwarden.gateway"):
        async with relayed() as gate, gate.client("vera") as client:
            client.writer.write_eof()
            await client.rest()
        await eventually(lambda: gate.gateway.clients == 0)
    assert lines(caplog, logging.INFO)[-1].endswith(" closed: the client left")
