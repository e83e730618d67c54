"""Who dialled, as far as Asterisk tells: never more than it said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from dialwarden.link.errors import ActionFailed, LinkDown
from dialwarden.watch.events import Event
from dialwarden.watch.origin import dialled_uri, origin_of

CALLER = "PJSIP/agent-00000007"
OURS = frozenset({"dialwarden"})
CONNECTED = """\
  Username         IP Address       Start       Elapsed     FileDes   HttpCnt   Read   Write
  vicidial         127.0.0.1        1762075800  12          31        0         00255  02047
  dialwarden       127.0.0.1        1762075800  12          32        0         00255  02047
  click2call       ::1              1762075800  12          33        0         00255  02047
3 users connected.
"""


@dataclass
class Link:
    """What Asterisk answers; a fault in the place of an answer is raised."""

    rows: list[Event] | Exception = field(default_factory=list)
    said: Event | Exception = field(default_factory=dict)
    asked: list[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=list)

    async def ask(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> Event:
        self.asked.append((action, tuple(headers)))
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    async def ask_list(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> list[Event]:
        self.asked.append((action, tuple(headers)))
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"channel": CALLER, "application": "Dial", "data": "PJSIP/0612345678@carrier,30"},
         "Dial(PJSIP/0612345678@carrier,30) at out,0612345678,3 on PJSIP/agent-00000007"),
        ({"channel": CALLER, "application": "Queue"},
         "Queue() at out,0612345678,3 on PJSIP/agent-00000007"),
        ({"channel": CALLER, "application": ""},
         "the dialplan at out,0612345678,3 on PJSIP/agent-00000007"),
        ({"channel": "PJSIP/agent-00000008", "application": "Dial"},
         "the dialplan at out,0612345678,3 on PJSIP/agent-00000007"),
        (LinkDown("gone"), "the dialplan at out,0612345678,3 on PJSIP/agent-00000007"),
        (ActionFailed("Status", "No such channel"),
         "the dialplan at out,0612345678,3 on PJSIP/agent-00000007"),
    ],
)  # fmt: skip
async def test_a_dialplan_is_named_by_its_place_and_its_application(
    row: Event | Exception, told: str
) -> None:
    link = Link(rows=row if isinstance(row, Exception) else [row])
    assert await origin_of(link, CALLER, "out,0612345678,3", ours=OURS) == told
    assert link.asked == [("Status", (("Channel", CALLER),))]


async def test_an_applications_arguments_are_cut_off() -> None:
    link = Link(rows=[{"channel": CALLER, "application": "Dial", "data": "x" * 2000}])
    told = await origin_of(link, CALLER, "out,s,1", ours=OURS)
    assert told == f"Dial({'x' * 115} at out,s,1 on {CALLER}"


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (CONNECTED, "an Originate, a call file or ARI; logged in to AMI: click2call, vicidial"),
        ("\n".join(CONNECTED.splitlines()[::2]), "an Originate, a call file or ARI"),
        ("", "an Originate, a call file or ARI"),
        (ActionFailed("Command", "Permission denied"), "an Originate, a call file or ARI"),
    ],
    ids=["two others", "only ourselves", "nobody", "no right to ask"],
)
async def test_an_originate_may_be_anybodys_who_is_logged_in(
    output: str | Exception, told: str
) -> None:
    link = Link(said=output if isinstance(output, Exception) else {"output": output})
    assert await origin_of(link, "", "", ours=OURS) == told


@pytest.mark.parametrize(
    ("channel", "value", "told"),
    [
        ("PJSIP/carrier-0000000a", "<sip:0612345678@192.0.2.1:5060>",
         "carrier/sip:0612345678@192.0.2.1:5060"),
        ("PJSIP/carrier-2-0000000a", "sip:0612345678@192.0.2.1",
         "carrier-2/sip:0612345678@192.0.2.1"),
        ("pjsip/carrier-0000000a", " ", ""),
    ],
)  # fmt: skip
async def test_where_a_channel_was_dialled_to_is_told_as_a_dial_string(
    channel: str, value: str, told: str
) -> None:
    link = Link(said={"response": "Success", "value": value})
    assert await dialled_uri(link, channel) == told


@pytest.mark.parametrize("fault", [LinkDown("gone"), ActionFailed("Getvar", "No such channel")])
async def test_where_asterisk_does_not_tell_it_is_not_known(fault: Exception) -> None:
    assert await dialled_uri(Link(said=fault), "PJSIP/carrier-0000000a") == ""


async def test_of_other_technologies_nothing_is_asked() -> None:
    link = Link(said={"value": "sip:0612345678@192.0.2.1"})
    assert await dialled_uri(link, "SIP/carrier-0000000a") == ""
    assert link.asked == []
