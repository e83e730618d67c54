"""The gateway between a fake Asterisk and its clients: what is relayed, refused, in what order."""

from __future__ import annotations

import asyncio
import logging

import pytest
from tests.doors.both_loops import on_both_loops
from tests.doors.fake_ami import BANNER, ami_peer, eventually, fake_ami, message_of, text
from tests.doors.gateway import (
    ALLOWED,
    OPPOSED,
    REFUSED,
    FakeRulings,
    Gates,
    allow,
    relayed,
    serving,
)

from dialwarden.doors.ami_rulings import Refuse, Relay
from dialwarden.wire.ami_request import AmiRequest

EVENT = b"Event: Newchannel\r\nChannel: PJSIP/100-%08d\r\nUniqueid: 1700.%d\r\n\r\n"


# What passes.


@on_both_loops
async def test_a_session_goes_through_as_it_is() -> None:
    async with relayed() as gate, gate.client("") as client:
        assert await client.banner() == BANNER
        client.ask(Action="Challenge", AuthType="MD5", ActionID="1")
        assert await client.message() == {
            "response": "Success", "actionid": "1", "message": "challenge",
        }  # fmt: skip
        client.ask(Action="Login", Username="dialer", Secret="secret")
        assert (await client.message())["message"] == "Authentication accepted"
        session = await gate.ami.session()
        assert session.blocks[1] == b"Action: Login\r\nUsername: dialer\r\nSecret: secret\r\n\r\n"
        event = EVENT % (1, 1) + "Event: Odd\r\nName: Éloïse\r\n\r\n".encode("latin-1")
        session.send(event)
        assert await client.block() + await client.block() == event
        client.send(b"action:logoff\n\n")
        assert (await client.message())["response"] == "Goodbye"
        assert await client.rest() == b""
        assert session.blocks[2] == b"action: logoff\r\n\r\n"


@on_both_loops
async def test_each_client_has_its_own_connection_and_user() -> None:
    async with relayed() as gate, gate.client("anna") as one, gate.client("bert") as two:
        one.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
        two.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
        assert (await one.message())["actionid"] == "1"
        assert (await two.message())["actionid"] == "2"
        assert sorted(gate.rulings.asked) == [("anna", "1"), ("bert", "2")]
        assert gate.gateway.clients == 2
        assert [len(session.requests) for session in gate.ami.sessions] == [2, 2]


@on_both_loops
async def test_an_allowed_call_reaches_asterisk_as_it_was_ruled() -> None:
    async with relayed() as gate, gate.client() as client:
        client.send(b"action:originate\nChannel:\t%s\nAsync: true\n\n" % ALLOWED.encode())
        assert (await client.message())["message"] == "Originate successfully queued"
        session = await gate.ami.session()
        assert session.blocks[1] == (
            b"action: originate\r\nChannel: %s\r\nAsync: true\r\nChannelId: dw-1\r\n\r\n"
            % ALLOWED.encode()
        )
        assert gate.rulings.taken_back == []


@on_both_loops
async def test_a_long_answer_passes_in_one_piece() -> None:
    output = b"".join(b"Output: line %d\r\n" % n for n in range(300_000))
    answer = b"Response: Success\r\nMessage: Command output follows\r\n" + output + b"\r\n"
    assert len(answer) > 5_000_000
    async with relayed() as gate, gate.client() as client:
        gate.ami.silent = {"command"}
        client.ask(Action="Command", Command="core show channels")
        session = await gate.ami.session()
        await session.got("command")
        session.send(answer + EVENT % (1, 1))
        assert await client.block() == answer
        assert await client.block() == EVENT % (1, 1)


@on_both_loops
async def test_responses_may_be_split_anywhere() -> None:
    """Asterisk's error takes the call back wherever its bytes were cut."""
    answer = b"Response: Error\r\nActionID: %s\r\nMessage: Extension does not exist.\r\n\r\n"
    async with relayed() as gate, gate.client() as client:
        gate.ami.silent = {"originate"}
        session = await gate.ami.session()
        whole = EVENT % (1, 1) + answer % b"xxx" + EVENT % (2, 2)
        for cut in range(1, len(whole)):
            action_id = f"{cut:03}"
            client.ask(Action="Originate", Channel=ALLOWED, ActionID=action_id)
            await session.got("originate", cut)
            data = whole.replace(b"xxx", action_id.encode())
            session.send(data[:cut])
            await asyncio.sleep(0)
            session.send(data[cut:])
            assert [await client.block() for _ in range(3)] == [
                EVENT % (1, 1), answer % action_id.encode(), EVENT % (2, 2),
            ]  # fmt: skip
        await eventually(lambda: len(gate.rulings.taken_back) == len(whole) - 1)


# What does not.


@on_both_loops
async def test_a_refused_call_is_answered_and_never_sent() -> None:
    async with relayed() as gate, gate.client() as client:
        client.ask(Action="Originate", Channel=OPPOSED, ActionID="a/1 é")
        assert await client.message() == {
            "response": "Error", "actionid": "a/1 é", "message": REFUSED,
        }  # fmt: skip
        client.send(b"ACTION:ORIGINATE\nCHANNEL:%s\n\n" % OPPOSED.encode())
        assert await client.block() == b"Response: Error\r\nMessage: %s\r\n\r\n" % REFUSED.encode()
        await client.pong()
        session = await gate.ami.session()
        assert [request["action"] for request in session.requests] == ["Login", "Ping"]
        assert gate.gateway.counters.refused == 2
        assert gate.rulings.taken_back == []


@on_both_loops
async def test_a_reason_is_one_line_of_a_bounded_length() -> None:
    async def long_winded(request: AmiRequest) -> Relay | Refuse:
        return Refuse("hours", "no\r\n\r\nEvent: Fake\x00 " + "é" * 2000)

    async with relayed(rulings=FakeRulings(long_winded)) as gate, gate.client() as client:
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
        answer = await client.block()
        assert answer.startswith(
            b"Response: Error\r\nActionID: 1\r\nMessage: dialwarden: hours: no Event: Fake \xc3\xa9"
        )
        assert len(answer) < 1000
        await client.pong()


@pytest.mark.parametrize(
    ("request_", "action_id"),
    [
        (b"Action: Originate\x00\r\nActionID: 7\r\n\r\n", "7"),
        (b"Action: Originate \r\nActionID: 7\r\n\r\n", "7"),
        (b"Action : Originate\r\n\r\n", None),
        (b"Action: Ping\r\nX: " + b"y" * 1100 + b"\r\n\r\n", None),
        (b"Action: Ping\r\n" + b"X: y\r\n" * 130 + b"\r\n", None),
    ],
    ids=["NUL", "blank after", "blank before", "long line", "many lines"],
)
@on_both_loops
async def test_what_can_be_read_in_two_ways_is_not_relayed(
    request_: bytes, action_id: str | None
) -> None:
    async with relayed() as gate, gate.client() as client:
        client.send(request_)
        answer = await client.message()
        assert answer["response"] == "Error"
        assert answer["message"].startswith("dialwarden: ")
        assert answer.get("actionid") in {action_id, None}
        await client.pong()
        session = await gate.ami.session()
        assert [request["action"] for request in session.requests] == ["Login", "Ping"]
        assert gate.gateway.counters.bad == 1


@on_both_loops
async def test_garbage_at_any_place_harms_nobody() -> None:
    wanted = text(Action="Originate", Channel=OPPOSED, ActionID="x", Variable="A=1")
    async with relayed() as gate, gate.client() as client:
        for place in range(len(wanted) + 1):
            for garbage in (
                b"\0",
                b"\r",
                b"\n",
                b":",
                b"\xff",
                b"\x80\n",
                b"\r\n\r\n",
                b" " * 1100,
            ):
                client.send(wanted[:place] + garbage + wanted[place:] + b"\r\n\r\n")
            await client.pong(f"after {place}")
        session = await gate.ami.session()
        # Asterisk saw no Originate of that channel, however it was mangled.
        assert not [
            request
            for request in session.requests
            if request.get("action", "").lower() == "originate"
            and request.get("channel") == OPPOSED
        ]


# Who it is.


@on_both_loops
async def test_what_follows_a_login_is_ruled_on_under_its_user() -> None:
    """Pipelined in one write: the ruling waits for Asterisk's word on the login."""
    async with relayed() as gate, gate.client("") as client:
        gate.ami.silent = {"login"}
        client.send(
            text(Action="Login", Username="anna", Secret="secret", ActionID="1")
            + text(Action="Originate", Channel=ALLOWED, ActionID="2")
        )
        session = await gate.ami.session()
        login = await session.got("login")
        assert gate.rulings.asked == []
        session.answer(login, "Success", "Authentication accepted")
        await session.got("originate")
        assert gate.rulings.asked == [("anna", "2")]


@on_both_loops
async def test_a_second_login_changes_nobody() -> None:
    """Asterisk answers it with Success and looks at neither its name nor its secret."""
    async with relayed() as gate, gate.client("anna") as client:
        client.ask(Action="Login", Username="bert", Secret="wrong", ActionID="1")
        assert (await client.message())["message"] == "Already authenticated"
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
        assert (await client.message())["response"] == "Success"
        assert gate.rulings.asked == [("anna", "2")]
        assert gate.gateway.counters.logins == 1


@on_both_loops
async def test_a_login_into_a_session_that_is_somebodys_already_names_nobody() -> None:
    async with relayed() as gate, gate.client("") as client:
        gate.ami.answers["login"] = "Success", "Already authenticated"
        await client.banner()
        client.ask(Action="Login", Username="bert", Secret="wrong", ActionID="1")
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
        said = [await client.message(), await client.message()]
        assert [m["message"] for m in said] == ["Already authenticated", "Permission denied"]
        assert gate.rulings.asked == []


@on_both_loops
async def test_a_login_that_fails_gives_no_user() -> None:
    async with relayed() as gate, gate.client("") as client:
        client.send(
            text(Action="Login", Username="anna", Secret="wrong", ActionID="1")
            + text(Action="Originate", Channel=ALLOWED, ActionID="2")
        )
        assert await client.banner() == BANNER
        assert (await client.message())["message"] == "Authentication failed"
        said = await client.rest()
        assert said in {
            b"",
            b"Response: Error\r\nActionID: 2\r\nMessage: Permission denied\r\n\r\n",
        }
        assert gate.rulings.asked == []
        assert [r["action"] for r in gate.ami.sessions[0].requests] == ["Login"]


@on_both_loops
async def test_a_call_before_any_login_is_denied_by_us() -> None:
    async with relayed() as gate, gate.client("") as client:
        await client.banner()
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
        assert await client.message() == {
            "response": "Error", "actionid": "1", "message": "Permission denied",
        }  # fmt: skip
        assert gate.rulings.asked == []
        # Asterisk itself denies what does not concern us.
        client.ask(Action="Status", ActionID="2")
        assert (await client.message())["actionid"] == "2"


# In what order.


@on_both_loops
async def test_asterisk_gets_requests_in_the_clients_order() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate, gate.client() as client:
        for n in range(20):
            action = "Originate" if n % 3 else "Status"
            client.ask(Action=action, Channel=ALLOWED, ActionID=f"{n:02}")
        await eventually(lambda: len(gate.rulings.asked) == 13)
        for n in reversed(range(20)):
            gates.open(f"{n:02}")
        assert [(await client.message())["actionid"] for _ in range(20)] == [
            f"{n:02}" for n in range(20)
        ]
        session = await gate.ami.session()
        assert [r["actionid"] for r in session.requests[1:]] == [f"{n:02}" for n in range(20)]


@on_both_loops
async def test_at_most_64_rulings_are_under_way_for_a_client() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate, gate.client() as client:
        for n in range(500):
            client.ask(Action="Originate", Channel=OPPOSED, ActionID=str(n))
            gates.open(str(n)) if n else None
        await eventually(lambda: gate.rulings.under_way == 1 and len(gate.rulings.asked) == 64)
        gates.open("0")
        assert [(await client.message())["actionid"] for _ in range(500)] == [
            str(n) for n in range(500)
        ]
        assert gate.rulings.most_under_way <= 64


@on_both_loops
async def test_requests_that_come_all_at_once_are_all_answered() -> None:
    """More than are looked at in one turn of the loop, and no answer of Asterisk's among them."""
    async with relayed() as gate, gate.client() as client:
        client.send(b"".join(b"Action : Ping\nActionID: %d\n\n" % n for n in range(2000)))
        for _ in range(2000):
            assert (await client.message())["response"] == "Error"
        assert gate.gateway.counters.bad == 2000


@on_both_loops
async def test_an_error_of_ours_does_not_overtake_answers_told_by_their_order() -> None:
    async with relayed() as gate, gate.client() as client:
        gate.ami.silent = {"originate"}
        client.ask(Action="Originate", Channel=ALLOWED, Note="first")
        client.ask(Action="Originate", Channel=OPPOSED, Note="second")
        client.ask(Action="Ping", Note="third")
        session = await gate.ami.session()
        first = await session.got("originate")
        session.send(EVENT % (1, 1))
        assert await client.block() == EVENT % (1, 1)
        session.answer(first, "Success", "Originate successfully queued")
        assert [(await client.message()).get("message") for _ in range(3)] == [
            "Originate successfully queued", REFUSED, None,
        ]  # fmt: skip


@on_both_loops
async def test_an_error_with_an_action_id_waits_for_nobody() -> None:
    async with relayed() as gate, gate.client() as client:
        gate.ami.silent = {"originate"}
        client.ask(Action="Originate", Channel=ALLOWED)
        client.ask(Action="Originate", Channel=OPPOSED, ActionID="2")
        assert (await client.message())["actionid"] == "2"


@on_both_loops
async def test_an_error_waits_for_an_answer_that_never_comes_only_so_long() -> None:
    async with relayed(held_error_s=0.05) as gate, gate.client() as client:
        gate.ami.silent = {"events"}  # as under brokeneventsaction
        client.ask(Action="Events", EventMask="on")
        client.ask(Action="Originate", Channel=OPPOSED)
        assert (await client.message())["message"] == REFUSED


@on_both_loops
async def test_ours_is_put_in_only_between_two_messages() -> None:
    async with relayed() as gate, gate.client() as client:
        session = await gate.ami.session()
        huge = b"Event: Huge\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"
        session.send(huge[:90_000])  # more than is held back: the client has its beginning
        await eventually(lambda: len(client.reader._buffer) > 60_000)  # type: ignore[attr-defined]
        client.ask(Action="Originate", Channel=OPPOSED, ActionID="1")
        await eventually(lambda: gate.gateway.counters.refused == 1)
        session.send(huge[90_000:] + EVENT % (1, 1))
        received = await client.block() + await client.block() + await client.block()
        error = text(Response="Error", ActionID="1", Message=REFUSED)
        assert received in {huge + error + EVENT % (1, 1), huge + EVENT % (1, 1) + error}


@on_both_loops
async def test_nothing_is_said_before_the_banner() -> None:
    async with fake_ami() as ami:
        ami.banner = b""
        async with serving(ami) as gate, gate.client("") as client:
            client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
            await eventually(lambda: gate.gateway.counters.denied == 1)
            (await ami.session()).send(BANNER)
            assert await client.banner() == BANNER
            assert (await client.message())["message"] == "Permission denied"


# What was allowed and not dialled.

NOT_DIALLED = "Extension does not exist."


@pytest.mark.parametrize(
    ("response", "message", "taken_back"),
    [
        ("Error", NOT_DIALLED, True),
        ("Error", "Permission denied", True),
        ("Error", "Originate Access Forbidden: app or data blacklisted", True),
        # A synchronous Originate's answer after the phone rang.
        ("Error", "Originate failed", False),
        ("Error", "Something new", False),
        ("Success", "Originate successfully queued", False),
    ],
)
@pytest.mark.parametrize("named", [True, False], ids=["ActionID", "none"])
@on_both_loops
async def test_a_call_that_asterisk_surely_did_not_dial_is_taken_back(
    response: str, message: str, taken_back: bool, named: bool
) -> None:
    async with relayed() as gate, gate.client() as client:
        gate.ami.answers["originate"] = response, message
        headers = {"ActionID": "1"} if named else {}
        client.ask(Action="Originate", Channel=ALLOWED, **headers)
        assert (await client.message())["message"] == message
        await client.pong()
        attempt = f"attempt for {'1' if named else ALLOWED}"
        expected = [(attempt, f"Asterisk answered: {message}")] if taken_back else []
        assert gate.rulings.taken_back == expected


@on_both_loops
async def test_anothers_error_takes_no_call_back() -> None:
    """Two requests of one ActionID, or of none: an error may be either's, so nothing is hidden."""
    async with relayed() as gate, gate.client() as client:
        gate.ami.silent = {"originate", "events"}
        session = await gate.ami.session()
        for headers in ({"ActionID": "1"}, {}):
            client.ask(Action="Events", EventMask="on", **headers)
            client.ask(Action="Originate", Channel=ALLOWED, **headers)
        await session.got("originate", 2)
        for _ in range(4):
            session.send(text(Response="Error", ActionID="1", Message=NOT_DIALLED))
            session.send(text(Response="Error", Message=NOT_DIALLED))
        await client.pong()
        assert gate.rulings.taken_back == []


@on_both_loops
async def test_a_call_whose_client_left_before_it_was_sent_is_taken_back() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate:
        async with gate.client() as client:
            client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
            client.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
            client.ask(Action="Originate", Channel=ALLOWED, ActionID="3")
            gates.open("2")  # ruled, and behind one that is not
            await eventually(lambda: len(gate.rulings.asked) == 3 and gate.rulings.under_way == 2)
            client.reset()
        session = await gate.ami.session()
        await session.closed.wait()
        gates.open("1")
        gates.open("3")
        await eventually(lambda: len(gate.rulings.taken_back) == 3)
        assert {attempt for attempt, _ in gate.rulings.taken_back} == {
            "attempt for 1", "attempt for 2", "attempt for 3",
        }  # fmt: skip
        assert [r["action"] for r in session.requests] == ["Login"]


@on_both_loops
async def test_a_call_that_was_sent_stays_when_asterisk_goes() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate, gate.client() as client:
        gate.ami.silent = {"originate"}
        gates.open("1")
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
        session = await gate.ami.session()
        await session.got("originate")
        session.abort()
        assert await client.rest() == b""
        gates.open("2")
        await eventually(lambda: bool(gate.rulings.taken_back))
        assert [attempt for attempt, _ in gate.rulings.taken_back] == ["attempt for 2"]


# What fails.


@on_both_loops
async def test_a_ruling_that_raises_refuses(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: AmiRequest) -> Relay | Refuse:
        raise ValueError("broken")

    async with relayed(rulings=FakeRulings(broken)) as gate, gate.client() as client:
        for channel in (ALLOWED, "broken"):
            client.ask(Action="Originate", Channel=channel, ActionID=channel)
            answer = await client.message()
            assert answer["actionid"] == channel
            assert answer["message"].startswith("dialwarden: unavailable: ")
        assert gate.gateway.counters.unavailable == 2
        assert [r["action"] for r in gate.ami.sessions[0].requests] == ["Login"]
    assert len([r for r in caplog.records if r.exc_info]) == 2


@on_both_loops
async def test_a_ruling_that_is_late_refuses_and_its_call_is_taken_back() -> None:
    gates = Gates()
    rulings = FakeRulings(gates)
    async with relayed(rulings=rulings, ruling_timeout_s=0.05) as gate, gate.client() as client:
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
        assert (await client.message())["message"].startswith("dialwarden: unavailable: ")
        gates.open("1")
        await eventually(lambda: bool(rulings.taken_back))
        await client.pong()
        assert [r["action"] for r in gate.ami.sessions[0].requests] == ["Login", "Ping"]


@on_both_loops
async def test_what_a_ruling_made_too_long_is_not_sent() -> None:
    async def too_long(request: AmiRequest) -> Relay | Refuse:
        return Relay(AmiRequest((*request.headers, ("X", "x" * 2000))), allow(request).answers)

    async with relayed(rulings=FakeRulings(too_long)) as gate, gate.client() as client:
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
        assert (await client.message())["message"].startswith("dialwarden: ")
        assert len(gate.rulings.taken_back) == 1


@on_both_loops
async def test_asterisk_killed_in_mid_message_closes_the_client_after_what_came() -> None:
    async with relayed() as gate, gate.client() as client:
        session = await gate.ami.session()
        part = EVENT % (1, 1) + b"Event: Half\r\nChan"
        session.send(part)
        await session.writer.drain()
        session.writer.close()
        assert await client.rest() == part
        await eventually(lambda: gate.gateway.clients == 0)
        assert gate.gateway.counters.upstream_lost == 1


@on_both_loops
async def test_a_client_is_closed_when_asterisk_cannot_be_reached(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with fake_ami() as ami:
        pass
    async with serving(ami) as gate:
        for _ in range(3):
            async with ami_peer(gate.port) as client:
                client.ask(Action="Login", Username="dialer", Secret="secret")
                assert await client.rest() == b""
        await eventually(lambda: gate.gateway.counters.refused_upstream == 3)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert f"127.0.0.1:{ami.port}" in warnings[0]


# How it ends.


@on_both_loops
async def test_a_client_that_has_said_everything_gets_its_answers() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate, gate.client() as client:
        client.ask(Action="Ping", ActionID="1")
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
        client.ask(Action="Originate", Channel=OPPOSED, ActionID="3")
        client.writer.write_eof()
        gates.open("2")
        gates.open("3")
        said = [message_of(block) for block in (await client.rest()).split(b"\r\n\r\n") if block]
        assert sorted((m["actionid"], m["response"]) for m in said) == [
            ("1", "Success"), ("2", "Success"), ("3", "Error"),
        ]  # fmt: skip


@on_both_loops
async def test_asterisks_connection_is_closed_when_the_client_leaves() -> None:
    async with relayed() as gate:
        for leave in ("close", "reset"):
            async with gate.client() as client:
                session = gate.ami.sessions[-1]
                if leave == "reset":
                    client.reset()
            await asyncio.wait_for(session.closed.wait(), 20)
        await eventually(lambda: gate.gateway.clients == 0)


@on_both_loops
async def test_stopping_ends_what_is_under_way_first() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate:
        async with gate.client() as busy, gate.client() as idle:
            busy.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
            await eventually(lambda: gate.rulings.under_way == 1)
            stopping = asyncio.create_task(gate.gateway.stop(grace_s=20))
            assert await idle.rest() == b""
            gates.open("1")
            assert (await busy.message())["response"] == "Success"
            assert await busy.rest() == b""
            await stopping
            with pytest.raises(ConnectionError):
                async with ami_peer(gate.port):
                    pass
        assert gate.rulings.taken_back == []


@on_both_loops
async def test_stopping_cuts_who_is_left_and_takes_back_what_was_not_sent() -> None:
    gates = Gates()
    async with relayed(rulings=FakeRulings(gates)) as gate, gate.client() as client:
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="1")
        client.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
        gates.open("2")
        await eventually(lambda: len(gate.rulings.asked) == 2 and gate.rulings.under_way == 1)
        await gate.gateway.stop(grace_s=0.01)
        assert await client.rest() == b""
        assert [attempt for attempt, _ in gate.rulings.taken_back] == ["attempt for 2"]


@on_both_loops
async def test_who_came_and_went_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dialwarden.gateway"):
        async with relayed() as gate, gate.client("anna") as client:
            client.ask(Action="Logoff")
            await client.rest()
        await eventually(lambda: gate.gateway.clients == 0)
    lines = [record.getMessage() for record in caplog.records]
    peer = lines[0].split()[2].partition("@")[2]
    assert lines == [
        f"AMI client anna@{peer} logged in",
        f"AMI client anna@{peer} closed: Asterisk closed its connection",
    ]
