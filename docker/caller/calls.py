"""Some calls of the toy call centre, one after the other, and what became of each.

Three ways out: an agent's telephone, whose dialplan asks; a dialer at the gateway; and a dialer
that goes past both, which is what the guard is for. Whether a call left is what the trunk counted.
Numbers are of the range that France keeps for films, and drawn anew each time, so that the caps of
the last time do not stand in the way.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.ami import Ami

ASTERISK, GATEWAY = 5038, 5138
TRUNK = os.environ.get("TRUNK", "trunk:8080")
SECRET = Path("/run/dialwarden/dialer.secret")
ON_THE_LIST = "0639980001"  # house.csv
WAIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call to be made; `leaves`: whether an INVITE for it is to reach the trunk."""

    what: str
    number: str
    way: Callable[[str, str], Verdict]
    leaves: bool
    campaign: str = "open"
    became: str = "answered"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was answered: ALLOW, REFUSE, or "" where nobody was asked."""

    verdict: str
    why: str = ""


def agent(number: str, campaign: str) -> Verdict:
    """An agent dials: the dialplan asks before its Dial()."""
    pbx = _login(ASTERISK)
    try:
        since = pbx.mark()
        channel = f"toy-{random.getrandbits(48):x}"
        _originate(pbx, f"Local/{number}@agents/n", channel, CAMPAIGN=campaign)
        told = pbx.wait(lambda event: event["UserEvent"] == "ToyVerdict", since=since)
        reason = pbx.wait(lambda event: event["UserEvent"] == "ToyReason", since=since)
        # The half that runs the dialplan ends when the call is over.
        pbx.wait(
            lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == f"{channel};2",
            since=since,
            timeout_s=WAIT_S,
        )
    finally:
        pbx.close()
    why = reason["Reason"].replace("%2C", ",")
    return Verdict(told["Verdict"], f"{told['Rules'].replace('&', ', ')}: {why}".strip(": "))


def dialer(number: str, campaign: str) -> Verdict:
    """A dialer originates through the gateway, which judges before Asterisk hears of it."""
    pbx = _login(GATEWAY)
    try:
        since = pbx.mark()
        channel = f"toy-{random.getrandbits(48):x}"
        campaign_named = [("Variable", f"DIALWARDEN_CAMPAIGN={campaign}")]
        answer = pbx.ask("Originate", campaign_named, **_straight(number, channel))
        if answer["Response"] != "Success":
            return Verdict("REFUSE", answer["Message"])
        _wait_answered_and_over(pbx, since)
    finally:
        pbx.close()
    return Verdict("ALLOW")


def past_everything(number: str, campaign: str) -> Verdict:
    """A dialer that still has Asterisk's own port: nobody is asked, and the guard sees it leave."""
    pbx = _login(ASTERISK)
    try:
        since = pbx.mark()
        pbx.action("Originate", **_straight(number, f"toy-{random.getrandbits(48):x}"))
        _wait_answered_and_over(pbx, since)
    finally:
        pbx.close()
    return Verdict("", "nobody was asked; the guard hung up")


def calls() -> list[Call]:
    """What is tried. The number of the caps is called by everyone who may."""
    often, objected, other, through = _numbers(4)
    add("objection", "add", objected, "--campaign", "open", "--at", _a_minute_ago())
    return [
        Call("a first call", often, agent, True),
        Call("the same number again", often, agent, True),
        Call("and a third time", often, agent, False),
        Call("on the opposition list", ON_THE_LIST, agent, False),
        Call("who objected a minute ago", objected, agent, False),
        Call("outside the hours", other, agent, False, "asleep"),
        Call("French law, no consent", other, agent, False, "paris"),
        Call("an emergency", "112", agent, True, "paris"),
        Call("a dialer, at the gateway", through, dialer, True),
        Call("the same, on the list", ON_THE_LIST, dialer, False),
        Call(
            "past gateway and dialplan", ON_THE_LIST, past_everything, True,
            became="cancelled before it rang",
        ),
    ]  # fmt: skip


def add(*words: str) -> None:
    """A command of dialwarden's, as an admin would run it in the bridge's container."""
    print(f"$ dialwarden {' '.join(words)}", flush=True)
    subprocess.run(["dialwarden", *words], check=True, stdout=subprocess.DEVNULL)


def trunk_calls() -> list[dict[str, str]]:
    """Everything that has reached the trunk, oldest first: number and state."""
    connection = http.client.HTTPConnection(TRUNK, timeout=WAIT_S)
    try:
        connection.request("GET", "/")
        found: list[dict[str, str]] = json.load(connection.getresponse())
    finally:
        connection.close()
    return found


def left(since: int) -> list[str]:
    """The states of the calls that have reached the trunk since; no call is on the way any more."""
    deadline = time.monotonic() + WAIT_S
    while True:
        states = [call["state"] for call in trunk_calls()[since:]]
        if "an INVITE" not in states or time.monotonic() > deadline:
            return states
        time.sleep(0.05)  # the trunk has no way to tell


def main() -> int:
    add("list", "import", "house", "/etc/dialwarden/house.csv")
    lines: list[Sequence[str]] = []
    wrong = []
    for call in calls():
        since = len(trunk_calls())
        verdict = call.way(call.number, call.campaign)
        states = left(since)
        lines.append(
            (call.what, call.number, verdict.verdict or "-", str(len(states)),
             ", ".join(states) or "never left", verdict.why)
        )  # fmt: skip
        if states != ([call.became] if call.leaves else []):
            wrong.append(call.what)
    show(lines)
    refused = [line for line in lines if line[2] == "REFUSE"]
    invites = sum(int(line[3]) for line in refused)
    print(
        f"\n{len(lines)} calls, {len(refused)} refused; INVITEs at the trunk for those: {invites}"
    )
    if wrong:
        print(f"not as it should be: {', '.join(wrong)}")
    print("More: docker compose exec bridge dialwarden refusals")
    return 1 if wrong else 0


def show(lines: Sequence[Sequence[str]]) -> None:
    """A table; why something was refused stands below its row."""
    heads = ("call", "number", "verdict", "INVITEs", "became")
    rows = [heads, *(line[:5] for line in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    whys = ["", *(line[5] for line in lines)]
    print()
    for row, why in zip(rows, whys, strict=True):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
        for piece in textwrap.wrap(why, 90):
            print(f"    {piece}")


def _login(port: int) -> Ami:
    return Ami("127.0.0.1", port, "dialer", SECRET.read_text().strip())


def _originate(pbx: Ami, channel: str, channel_id: str, **variables: str) -> None:
    headers = [("Variable", f"{name}={value}") for name, value in variables.items()]
    pbx.action(
        "Originate", headers, Channel=channel, ChannelId=channel_id,
        OtherChannelId=f"{channel_id};2", Application="Wait", Data="5", Async="true",
    )  # fmt: skip


def _straight(number: str, channel_id: str) -> dict[str, str]:
    """An Originate to the trunk itself, over after a second."""
    return {
        "Channel": f"PJSIP/{number}@carrier", "ChannelId": channel_id,
        "Application": "Wait", "Data": "1", "Async": "true",
    }  # fmt: skip


def _wait_answered_and_over(pbx: Ami, since: int) -> None:
    """Until the channel at the trunk is gone, however it ended."""
    pbx.wait(
        lambda event: event["Event"] == "Hangup" and event["Channel"].startswith("PJSIP/carrier-"),
        since=since,
        timeout_s=WAIT_S,
    )


def _numbers(count: int) -> list[str]:
    """Different national numbers, none of them on the list."""
    return [f"063998{last:04}" for last in random.sample(range(1000, 10000), count)]


def _a_minute_ago() -> str:
    return (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
