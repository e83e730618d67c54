"""One visit to the manager interface: what it may ask, what comes back, and that it leaves."""

from __future__ import annotations

import pytest
from tests.link.fake_ami import SECRET, FakeAmi, block

from dialwarden.link.errors import ActionFailed, LinkDown, LinkTimeout, LoginRefused
from dialwarden.link.settings import LinkSettings
from dialwarden.link.visit import visiting


def settings(port: int) -> LinkSettings:
    return LinkSettings("127.0.0.1", port, "dialwarden", SECRET, action_timeout_s=0.5)


async def test_it_logs_in_asks_and_leaves(ami: FakeAmi) -> None:
    ami.answers["command"] = block(
        "Response: Success", "ActionID: {id}", "Message: Command output follows",
        "Output: Asterisk 22", "Output: two lines",
    )  # fmt: skip
    ami.answers["ping"] = block("Response: Success", "ActionID: {id}", "Timestamp: 1700000000.5")
    async with visiting(settings(ami.port)) as visit:
        assert await visit.command("core show version") == "Asterisk 22\ntwo lines"
        assert await visit.clock() == 1700000000.5
    assert ami.names() == ["Login", "Command", "Ping", "Logoff"]
    assert ami.actions[0]["Events"] == "off"


@pytest.mark.parametrize(
    "line",
    [
        "core show version",
        "dialplan show",
        "manager show user dialwarden",
        "pjsip show endpoint carrier-2",
        "module show like pbx_spool",
        "channel originate Local/12345678@dialwarden-selftest/n application Wait 1",
    ],
)
async def test_what_only_shows_is_asked(ami: FakeAmi, line: str) -> None:
    async with visiting(settings(ami.port)) as visit:
        await visit.command(line)
    assert ami.actions[1]["Command"] == line


@pytest.mark.parametrize(
    "line",
    [
        "core stop now",
        "channel originate PJSIP/0612345678@carrier application Wait 1",
        "channel originate Local/12345678@dialwarden-selftest/n application Dial PJSIP/1@carrier",
        "channel originate Local/0612345678@outbound/n application Wait 1",
        "dialplan show\r\nAction: Originate",
        "manager show user a b; core stop now",
        "database put a b c",
        "dialplan reload",
        "showdown",
        "",
    ],
)
async def test_what_does_more_is_never_sent(ami: FakeAmi, line: str) -> None:
    async with visiting(settings(ami.port)) as visit:
        with pytest.raises(ValueError, match="is no line for a visit"):
            await visit.command(line)
    assert ami.names() == ["Login", "Logoff"]


async def test_a_command_that_the_console_does_not_know_says_nothing(ami: FakeAmi) -> None:
    ami.answers["command"] = block(
        "Response: Error", "ActionID: {id}", "Message: Command output follows", "Output: No such"
    )
    async with visiting(settings(ami.port)) as visit:
        assert await visit.command("ari show users") == ""


async def test_a_right_that_is_missing_is_told(ami: FakeAmi) -> None:
    ami.answers["command"] = block(
        "Response: Error", "ActionID: {id}", "Message: Permission denied"
    )
    async with visiting(settings(ami.port)) as visit:
        with pytest.raises(ActionFailed, match="Permission denied"):
            await visit.command("core show version")


async def test_no_answer_is_not_waited_for(ami: FakeAmi) -> None:
    ami.answers["command"] = None
    ami.answers["ping"] = block("Response: Success", "ActionID: {id}")
    async with visiting(settings(ami.port)) as visit:
        with pytest.raises(LinkTimeout):
            await visit.command("core show version")
        with pytest.raises(LinkDown, match="tells no time"):
            await visit.clock()


async def test_a_login_that_is_refused_ends_it(ami: FakeAmi) -> None:
    ami.answers["login"] = block("Response: Error", "ActionID: {id}", "Message: no")
    with pytest.raises(LoginRefused):
        async with visiting(settings(ami.port)):
            raise AssertionError("there is no visit")
    await ami.close()
    with pytest.raises(LinkDown):
        async with visiting(settings(ami.port)):
            raise AssertionError("there is nobody to visit")
