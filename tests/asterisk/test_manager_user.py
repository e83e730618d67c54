"""The shipped AMI user on a real Asterisk: it may do what our link does, and nothing worse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.ami import Ami, AmiError, Message
from bench.pbx import SHIPPED_DIALPLAN, Pbx
from bench.trunk import Outcome, Trunk
from dialwarden.doors.user_events import UserEvents
from dialwarden.question import Door

SHIPPED = SHIPPED_DIALPLAN.with_name("manager_dialwarden.conf")
SECRET = "bench-least"
DENIED = "Permission denied"


@pytest.fixture(scope="module")
def shipped(running_pbx: Pbx) -> Iterator[Pbx]:
    """An Asterisk whose manager.conf includes the shipped file, its secret set."""
    etc = running_pbx.directory / "etc"
    text = SHIPPED.read_text()
    assert text.count("\n;secret = CHANGE-ME\n") == 1
    (etc / SHIPPED.name).write_text(text.replace(";secret = CHANGE-ME", f"secret = {SECRET}"))
    manager = etc / "manager.conf"
    usual = manager.read_text()
    manager.write_text(f"{usual}\n#include {SHIPPED.name}\n")
    running_pbx.cli("manager reload")
    yield running_pbx
    manager.write_text(usual)
    running_pbx.cli("manager reload")


@pytest.fixture
def user(shipped: Pbx) -> Iterator[Ami]:
    ami = Ami("127.0.0.1", shipped.ami_port, "dialwarden", SECRET)
    yield ami
    ami.close()


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Ping", {}),
        ("Events", {"EventMask": "call,user,system"}),
        ("CoreShowChannels", {}),
        ("CoreSettings", {}),
        ("CoreStatus", {}),
        ("Status", {}),
        ("Getvar", {"Variable": "EPOCH"}),
        ("Command", {"Command": "cli show aliases"}),
        ("Command", {"Command": "manager show connected"}),
        ("Command", {"Command": "dialplan show"}),
        ("Logoff", {}),
    ],
    ids=str,
)
def test_what_the_link_does_is_allowed(user: Ami, action: str, headers: dict[str, str]) -> None:
    assert user.ask(action, **headers)["Message"] != DENIED


def test_it_sees_a_call_and_may_hang_it_up(shipped: Pbx, user: Ami, trunk: Trunk) -> None:
    call = shipped.originate("PJSIP/33612345678@carrier")
    trunk.wait_invite("33612345678")

    def ours(event: Message) -> bool:
        return call.id in (event["Uniqueid"], event["DestUniqueid"])

    assert user.wait(lambda event: event["Event"] == "DialBegin" and ours(event))["DestChannel"]
    assert user.action("Hangup", Channel=call.channel)["Response"] == "Success"
    assert user.wait(lambda event: event["Event"] == "Hangup" and ours(event))


class Told:
    """A recorder that keeps what it is told."""

    def __init__(self) -> None:
        self.objections: list[dict[str, str]] = []

    async def objection(self, **words: str) -> None:
        self.objections.append(words)

    async def silent(self, **words: str) -> None: ...


async def test_it_hears_what_the_dialplan_tells_by_user_event(
    shipped: Pbx, user: Ami, trunk: Trunk
) -> None:
    told = Told()
    trunk.on("33612345678", Outcome.ANSWER)
    call = shipped.originate(
        "PJSIP/33612345678@carrier",
        application="UserEvent",
        data="DialwardenObjection,Number: 0612345678,scope: all",
    )
    event = user.wait(lambda event: event["UserEvent"] == "DialwardenObjection")
    first = {name.lower(): value for name, value in reversed(event.headers)}
    work = UserEvents(told).take(first)  # type: ignore[arg-type]
    assert work is not None
    await work
    [words] = told.objections
    assert words == {
        "number": "0612345678",
        "campaign": "",
        "call": call.id,
        "attempt": "",
        "scope": "all",
        "by": call.channel,
        "door": Door.AMI,
    }


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Originate", {"Channel": "PJSIP/1@carrier", "Application": "Wait", "Data": "1"}),
        ("UpdateConfig", {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("Reload", {}),
        ("ModuleLoad", {"LoadType": "reload"}),
        ("DialplanExtensionAdd", {"Context": "c", "Extension": "1", "Priority": "1"}),
        ("UserEvent", {"UserEvent": "DialwardenObjection"}),
        ("DBPut", {"Family": "a", "Key": "b", "Val": "c"}),
    ],
    ids=str,
)
def test_what_the_link_never_does_is_denied(
    user: Ami, action: str, headers: dict[str, str]
) -> None:
    response = user.ask(action, **headers)
    assert (response["Response"], response["Message"]) == ("Error", DENIED)


def test_as_shipped_it_lets_nobody_in(shipped: Pbx) -> None:
    file = shipped.directory / "etc" / SHIPPED.name
    usual = file.read_text()
    file.write_text(SHIPPED.read_text())
    shipped.cli("manager reload")
    try:
        for secret in ("", "CHANGE-ME", SECRET):
            with pytest.raises(AmiError):
                Ami("127.0.0.1", shipped.ami_port, "dialwarden", secret)
    finally:
        file.write_text(usual)
        shipped.cli("manager reload")
