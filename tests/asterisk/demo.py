"""`make demo`: a handful of calls through a real Asterisk, and what became of each.

A toy carrier counts the INVITEs that leave; the rest is what is shipped: the dialplan, the bridge,
the commands. Run it as `python -m tests.asterisk.demo`.
"""

from __future__ import annotations

import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the bench is found as the tests find it

from bench.bridge import Bridge
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskUnavailableError, find_root
from bench.trunk import Trunk

CONFIG = """
[store]
path = "ledger.db"

[agi]
listen = "127.0.0.1:4580"

[log]
format = "console"

[lists.house]
kind = "opposition"

# Day and night, so that the demonstration shows the same at any hour.
[campaigns.open]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]

[campaigns.open.tighten]
caps = [{ max = 2, period = "30 days" }]

[campaigns.asleep]
professional = "acme"
policy = "none"
region = "FR"

[campaigns.asleep.tighten]
hours = { mon-fri = ["03:00-03:01"] }

[campaigns.paris]
professional = "acme"
policy = "fr"

[campaigns.roma]
professional = "bianchi"
policy = "it-assocontact"
"""

DIALPLAN = r"""
[demo]
exten => _[+0-9].,1,Gosub(dialwarden,check,1(${EXTEN},${DEMO_CAMPAIGN}))
 same => n,UserEvent(Demo,Verdict: ${DIALWARDEN_VERDICT},Rules: ${DIALWARDEN_RULES},Next: ${DIALWARDEN_NEXT})
 same => n,UserEvent(DemoReason,Reason: ${STRREPLACE(DIALWARDEN_REASON,\,,%2C)})
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,10)
 same => n(no),Hangup(21)
"""  # noqa: E501  a dialplan line is a line


@dataclass(frozen=True)
class Line:
    what: str
    number: str
    campaign: str
    verdict: str
    rules: str
    reason: str
    next: str
    invites: int


CALLS = (
    ("an ordinary number", "0612345678", "open"),
    ("the same once more", "+33 6 12 34 56 78", "open"),
    ("and a third time", "0033612345678", "open"),
    ("on the house's opposition list", "0698765432", "open"),
    ("objected a minute ago", "0687654321", "open"),
    ("outside the hours", "0612121212", "asleep"),
    ("France, without consent", "0613131313", "paris"),
    ("Italy, register never imported", "+390612345678", "roma"),
    ("no number", "0612;ext=5", "open"),
    ("a campaign nobody knows", "0612345678", "nope"),
    ("an emergency", "112", "open"),
    ("not an emergency", "1120", "open"),
)


def prepare(bridge: Bridge) -> None:
    """What a call centre knows before it dials."""
    bridge.import_list("house", ["06 98 76 54 32"])
    ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
    bridge.done("objection", "add", "0687654321", "--campaign", "open", "--at", ago)


def place(pbx: Pbx, trunk: Trunk) -> Iterator[Line]:
    """Dial each of the numbers, one after the other."""
    for what, number, campaign in CALLS:
        trunk.clear()
        call = pbx.dial(number, "demo", {"DEMO_CAMPAIGN": campaign})
        said = pbx.wait_user_event(call, "Demo")
        reason = pbx.wait_user_event(call, "DemoReason")["Reason"].replace("%2C", ",")
        if said["Verdict"] == "ALLOW":
            trunk.wait(lambda: len(trunk.invites()) > 0, what=f"an INVITE for {number}")
            pbx.hang_up(call)
        else:
            pbx.wait_hangup(call)
        yield Line(
            what, number, campaign, said["Verdict"], said["Rules"], reason, said["Next"],
            len(trunk.invites()),
        )  # fmt: skip


def show(lines: list[Line]) -> None:
    """A table that a person understands."""
    heads = ("call", "number", "campaign", "verdict", "rules", "INVITEs", "next, and why")
    rows = [
        (line.what, line.number, line.campaign, line.verdict, line.rules.replace("&", ", "),
         str(line.invites), [*([line.next] if line.next else []), *textwrap.wrap(line.reason, 66)])
        for line in lines
    ]  # fmt: skip
    widths = [
        max(len(head), *(len(str(row[i])) for row in rows)) for i, head in enumerate(heads[:-1])
    ]
    print("  ".join(head.ljust(width) for head, width in zip(heads, [*widths, 0], strict=True)))
    for *cells, story in rows:
        first, *more = story or [""]
        front = "  ".join(str(cell).ljust(width) for cell, width in zip(cells, widths, strict=True))
        print(f"{front}  {first}".rstrip())
        for piece in more:
            print(" " * (len(front) + 2) + piece)


def main() -> int:
    def say(text: str) -> None:
        print(f"== {text}", flush=True)

    try:
        root = find_root(say)
    except AsteriskUnavailableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    trunk = Trunk()
    port = free_tcp_port()
    say("starting Asterisk with the shipped dialplan, a toy carrier, and the bridge")
    with (
        tempfile.TemporaryDirectory() as directory,
        Pbx.start(root, dialplan=DIALPLAN, bridge_port=port, trunks={"carrier": trunk.port}) as pbx,
        Bridge.start(CONFIG, Path(directory), ports={4580: port}) as bridge,
    ):
        prepare(bridge)
        say(f"{len(CALLS)} calls, {datetime.now(UTC):%A %Y-%m-%d %H:%M} UTC")
        lines = list(place(pbx, trunk))
        show(lines)
        say("dialwarden refusals")
        print(bridge.command("refusals").stdout)
    trunk.stop()
    return 0 if all((line.verdict == "ALLOW") == (line.invites == 1) for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
